"""What an engine is given and gives back: set-ups, cubes, traces; arrays that were too small are enlarged here."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from subsim.engine import events as ev
from subsim.engine.compiled.loop import simulate as run_compiled
from subsim.engine.frame import frame
from subsim.engine.state import N_LOG, STATUS, State, World, new_state
from subsim.errors import EngineError
from subsim.model.rules.engagement import BANDS
from subsim.model.rules.renewal import REASONS
from subsim.model.slots import LENGTH

if TYPE_CHECKING:
    import pandas as pd

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Setup:
    """A scenario ready to run: the world all its runs share, and one row of parameters per draw.

    ``parameters`` is float64[draws, LENGTH]; names are in the order of the world's arrays; ``month_ends`` are the
    last days of the months; ``account_ids`` those of the opening base, in its order.
    """

    world: World = field(repr=False)
    parameters: NDArray[np.float64] = field(repr=False)
    segment_names: tuple[str, ...]
    team_names: tuple[str, ...]
    tier_names: tuple[str, ...]
    work_names: tuple[str, ...]
    campaign_names: tuple[str, ...]
    lever_names: tuple[str, ...]
    start: dt.date
    month_ends: tuple[dt.date, ...]
    account_ids: tuple[str, ...] = field(repr=False)
    expected_arrivals: float
    book_fingerprint: str | None = None
    sizes: dict[str, int] = field(
        default_factory=dict, repr=False, compare=False
    )  # what earlier runs turned out to need

    @property
    def months(self) -> int:
        """Months of the horizon."""
        return len(self.month_ends)

    def fingerprint(self) -> str:
        """Hash of everything that the runs depend on, apart from the seed."""
        digest = hashlib.sha256()
        for value in (*self.world, self.parameters):
            digest.update(np.ascontiguousarray(value).tobytes())
        names = (self.segment_names, self.team_names, self.tier_names, self.work_names, self.campaign_names, self.start)
        digest.update(repr(names).encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Cube:
    """What runs leave behind, int64: by draw, month, group and metric (see `subsim.engine.metrics`)."""

    segments: Ints = field(repr=False)
    teams: Ints = field(repr=False)
    tiers: Ints = field(repr=False)
    opening_arr: Ints
    opening_logos: Ints


def simulate(
    setup: Setup,
    *,
    seed: int,
    engine: Literal["compiled", "simpy"] = "compiled",
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
    first_draw: int = 0,
    draws: int | None = None,
) -> Cube:
    """Simulate draws of a set-up one after the other; use `subsim.run` for many workers.

    ``first_draw`` and ``draws`` name the rows of parameters to run; draw j uses the random numbers of run j, so any
    part of a batch equals that part of the whole.
    """
    if workers != 1:
        raise EngineError("one call simulates on one thread; subsim.run spreads draws over workers")
    count = len(setup.parameters) - first_draw if draws is None else draws
    rows = setup.parameters[first_draw : first_draw + count]
    run = _run_compiled if engine == "compiled" else _run_reference
    segments, teams, tiers = run(setup, rows, seed, first_draw)
    if progress:
        progress(count)
    opening = setup.world.opening
    groups = len(setup.segment_names)
    arr = np.zeros(groups, np.int64)
    np.add.at(arr, opening.segment, opening.arr)
    logos = np.bincount(opening.segment, minlength=groups).astype(np.int64)
    # Without any team the engine still counts one, which stays empty.
    return Cube(segments, teams[:, :, : len(setup.team_names)], tiers, arr, logos)


def _run_compiled(setup: Setup, rows: NDArray[np.float64], seed: int, first: int) -> tuple[Ints, Ints, Ints]:
    state = _state(setup)
    segments, teams, tiers = (
        np.empty((len(rows), *cube.shape), np.int64) for cube in (state.segments, state.teams, state.tiers)
    )
    done = 0
    world = frame(setup.world)
    while done < len(rows):
        rest = (rows[done:], np.uint64(seed), np.int64(first + done), segments[done:], teams[done:], tiers[done:])
        done += int(run_compiled(world, frame(state), *rest))
        if done < len(rows):
            state = _enlarge(setup, state)
    return segments, teams, tiers


def _run_reference(setup: Setup, rows: NDArray[np.float64], seed: int, first: int) -> tuple[Ints, Ints, Ints]:
    from subsim.engine.reference import run_reference  # noqa: PLC0415 - SimPy is only needed here

    size = (setup.months, max(len(setup.team_names), 1), len(setup.tier_names))
    runs = [run_reference(setup.world, row, seed, first + j, *size) for j, row in enumerate(rows)]
    segments, teams, tiers = (np.stack([getattr(run, name) for run in runs]) for name in ("segments", "teams", "tiers"))
    return segments, teams, tiers


def _state(setup: Setup, log: int = 0) -> State:
    """Arrays for the run, as large as earlier runs of the set-up turned out to need."""
    room = setup.expected_arrivals
    accounts = int(setup.world.opening.size + 1.3 * room + 8 * room**0.5 + 64)
    accounts = max(accounts, setup.sizes.get("accounts", 0))
    events = max(10 * accounts + 4096, setup.sizes.get("events", 0))
    return new_state(
        setup.world, LENGTH, accounts, events, log, setup.months, max(len(setup.team_names), 1), len(setup.tier_names)
    )


def _enlarge(setup: Setup, state: State) -> State:
    """Larger arrays after a run that did not fit; the run is begun again and is the same as far as it had come."""
    status = int(state.count[STATUS])
    if status == ev.ACCOUNTS_FULL:
        setup.sizes["accounts"] = int(state.accounts.size * 1.6) + 64
    elif status == ev.HEAP_FULL:
        setup.sizes["events"] = 2 * state.later.size
    elif status != ev.LOG_FULL:
        raise EngineError(f"the engine stopped with status {status}")
    log = state.log.size
    if status == ev.LOG_FULL:
        setup.sizes["log"] = log = 2 * log
    return _state(setup, log)


def trace(setup: Setup, *, seed: int, draw: int = 0, engine: Literal["compiled", "simpy"] = "compiled") -> pd.DataFrame:
    """Every event of one draw, one row each: minute, event, account_id, who, before, after, detail.

    Events are named by `subsim.engine.events.TRACE`;
    ``who`` names the work type, seat, tier or lever concerned; before and after are cents for lines of the ledger.
    """
    return _named(setup, trace_log(setup, seed=seed, draw=draw, engine=engine))


def trace_log(setup: Setup, *, seed: int, draw: int = 0, engine: Literal["compiled", "simpy"] = "compiled") -> Any:
    """The raw trace of one draw (dtype `state.LOG`)."""
    if engine == "compiled":
        return run_traced(setup, seed=seed, draw=draw)[0]
    from subsim.engine.reference import run_reference  # noqa: PLC0415

    size = (setup.months, max(len(setup.team_names), 1), len(setup.tier_names))
    return run_reference(setup.world, setup.parameters[draw], seed, draw, *size, trace=True).log.view(np.recarray)


def run_traced(setup: Setup, *, seed: int, draw: int = 0) -> tuple[Any, State]:
    """The raw trace of one draw and the state at its end, from the compiled engine."""
    state = _state(setup, log=setup.sizes.get("log", 1 << 16))
    row = setup.parameters[draw : draw + 1]
    while True:
        cubes = [cube[None] for cube in (state.segments.copy(), state.teams.copy(), state.tiers.copy())]
        if run_compiled(frame(setup.world), frame(state), row, np.uint64(seed), np.int64(draw), *cubes) == 1:
            break
        state = _enlarge(setup, state)
    return state.log[: int(state.count[N_LOG])].copy(), state


_WORK = {ev.L_RAISED, ev.L_BEGUN, ev.L_DONE, ev.L_EXPIRED, ev.L_CANCELLED, ev.L_OVERTIME}
_NOT_ACCOUNTS = {ev.LEVER, ev.SEAT_ARRIVES, ev.SEAT_LEAVES, ev.CAMPAIGN}


def _named(setup: Setup, log: Any) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - only traces need it

    known = len(setup.account_ids)
    ids = [*setup.account_ids, *(f"new-{i + 1}" for i in range(max(0, int(log.who.max(initial=-1)) + 1 - known)))]
    code, who, other = log.code, log.who, log.other
    is_account = ~np.isin(code, list(_NOT_ACCOUNTS)) & (who >= 0)
    accounts = np.array([*ids, ""], dtype=object)
    names = np.full(len(log), "", dtype=object)
    for codes, labels, column in (
        (_WORK, setup.work_names, other),
        ({ev.L_TIER}, setup.tier_names, other),
        ({ev.L_CHURN}, REASONS, other),
        ({ev.REVIEW}, BANDS, other),
        ({ev.LEVER}, setup.lever_names, who),
        ({ev.CAMPAIGN}, setup.campaign_names, who),
    ):
        chosen = np.isin(code, list(codes))
        names[chosen] = np.array([*labels, ""], dtype=object)[np.clip(column[chosen], -1, len(labels))]
    return pd.DataFrame(
        {
            "minute": log.minute.astype(np.int64),
            "event": pd.Series([ev.TRACE[c] for c in code.tolist()], dtype="str"),
            "account_id": pd.Series(accounts[np.where(is_account, who, -1)], dtype="str"),
            "who": pd.Series(names, dtype="str"),
            "before": log.before,
            "after": log.after,
            "detail": other.astype(float),
        }
    )
