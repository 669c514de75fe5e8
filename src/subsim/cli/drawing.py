"""Pictures drawn by the second process while this one writes; the same bytes whoever draws them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from subsim.cli.companion import Companion
    from subsim.experiment.results import Runs

#: Metrics that the pictures of one scenario show; of several, those that plans are compared in as well.
SHOWN: Final = ("arr", "new", "expansion", "reactivation", "contraction", "churn", "utilisation", "expired_share")
MOST_BYTES = 200_000_000  # of draws that are worth sending
PATIENCE_SECONDS = 60.0  # for each scenario, whose pictures take less than a second
#: What results refer to, and comparisons are computed with.
NEEDED: Final = ("subsim.report.pictures", "subsim.experiment.finished")
COMPARING: Final = (*NEEDED, "pandas")


@contextmanager
def drawn(runs: Runs, folder: Path, by: Companion | None) -> Iterator[None]:
    """Pictures are in the folder when this ends; a companion makes them meanwhile, where there is one."""
    sent = None
    try:
        if by:
            sent = _send(runs, folder, by)
        yield
        is_drawn = by and sent and by.wait(sent, PATIENCE_SECONDS * len(runs))
    except BaseException:
        if by:
            by.stop()  # before the folder is taken away
        raise
    if not is_drawn:
        from subsim.report.pictures import draw

        draw(runs, folder)


def _send(runs: Runs, folder: Path, by: Companion) -> Future[bool] | None:
    from subsim.experiment.contrast import COMPARED
    from subsim.experiment.finished import parts

    metrics = {*SHOWN, *COMPARED} - {"net_value"} if len(runs) > 1 else set(SHOWN)
    facts = parts(runs, sorted(metrics))
    if sum(values.nbytes for values in facts["_cache"].values()) > MOST_BYTES:
        return None
    return by.ask(draw_parts, facts, folder.absolute())


def draw_parts(facts: dict[str, Any], folder: Path) -> bool:
    """Draw what was sent; true when it is done."""
    from subsim.experiment.results import Runs
    from subsim.report.pictures import draw

    draw(Runs(**facts), folder)
    return True
