"""Calibration from a monthly ARR bridge alone, as finance keeps it: no accounts, no dates, no people.

There is no likelihood in closed form for such sums. So the model itself is simulated some thousand times, with numbers
from their priors and the bridge's own months and opening ARR; how summaries of the flows depend on the numbers is
emulated (`aggregate_emulator`), and the emulated likelihood is sampled (`aggregate_likelihood`).
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from subsim.calibrate import importance
from subsim.calibrate.aggregate_data import Sums, sums_of
from subsim.calibrate.aggregate_design import ALWAYS, OWN, SHARED, Anchor, anchors_of, designed, stratified, to_values
from subsim.calibrate.aggregate_emulator import COVERAGE, Emulator, fit_emulator, regression_posterior
from subsim.calibrate.aggregate_likelihood import Likelihood
from subsim.calibrate.aggregate_summaries import LEVELS, NAMES, RATES, summaries
from subsim.calibrate.block import BlockData, BlockFit, Frame, Sampling
from subsim.calibrate.diagnose import Check, Status
from subsim.calibrate.priors import Key, Priors
from subsim.errors import InputError

if TYPE_CHECKING:
    from subsim.book import Book

Floats = NDArray[np.float64]

SIMULATIONS = 1000
PROPOSALS, ENOUGH = 8_000, 1_500  # points looked at in a round; effective draws at which no more are made
#: Beyond what simulations showed, of the way from their middle to their edge; farther out is refused. The shape of a
#: flow hangs on single losses, so it gets more room than its level.
ROOM_OF_LEVEL, ROOM_OF_SHAPE = 0.15, 0.5
REACH = 0.5  # from the middle to the edge at least, for summaries that hardly differ between simulations
FAR_APART = 1.0  # standard deviations between the sampled and the regressed answer
AT_EDGE = 0.1  # share of draws near the design's edge


class Simulate(Protocol):
    """Bridges of simulated companies; see `subsim.experiment.bridge_histories`."""

    def __call__(
        self,
        start: dt.date,
        months: int,
        opening_cents: Mapping[str, int],
        design: Mapping[Key, Floats],
        *,
        seed: int,
        cores: int,
        progress: Any,
    ) -> NDArray[np.int64]:
        """int64[runs, months, segments, 4]: new, expansion, contraction, churn in cents."""
        ...


@dataclass(frozen=True)
class BridgeAlone:
    """The one block of a book of sums. `simulate` makes the histories that it learns from."""

    simulate: Simulate
    simulations: int = SIMULATIONS
    name: str = "bridge"
    parameters: tuple[str, ...] = (*OWN, *SHARED)

    def summarise(self, book: Book, frame: Frame) -> BlockData:
        """The bridge's flows by month and segment; raises InputError where they cannot be what they say."""
        sums = sums_of(book, frame)
        events: dict[Key, int] = {(name, (segment,)): sums.months for name in OWN for segment in frame.segment}
        events |= {(name, ()): sums.months * len(frame.segment) for name in SHARED}
        cells = {"flows": sums.flows, "opening": sums.opening, "start": np.array(sums.start.toordinal())}
        return BlockData(sums.months * len(frame.segment), cells, events, (*sums.notes, *_NOTES))

    def fit(self, data: BlockData, priors: Priors, frame: Frame, sampling: Sampling) -> BlockFit:
        """Simulate, emulate, refuse what the simulations never showed, sample, and cross-check."""
        began = time.perf_counter()
        sums = Sums.of(data.cells)
        anchors = [Anchor.of(sums, i, priors, name) for i, name in enumerate(frame.segment)]
        x, design = designed(anchors, sums, priors, frame, self.simulations, sampling.seed)
        flows = self._histories(sums, design, frame, sampling)
        x_of = [np.column_stack([x[:, i, : len(OWN)], x[:, 0, len(OWN) :]]) for i in range(len(frame.segment))]
        emulators, seen, simulated = [], [], []
        for i, (segment, anchor) in enumerate(zip(frame.segment, anchors, strict=True)):
            made = summaries(flows[:, :, i], sums.opening[i], anchor.new_cents)
            own = summaries(sums.flows[None, :, i].astype(float), sums.opening[i], anchor.new_cents)[0]
            _refuse(segment, own, made)
            emulators.append(fit_emulator(x_of[i], made, ALWAYS))
            seen.append(own)
            simulated.append(made)
        edges = np.stack([anchor.edges for anchor in anchors])
        likelihood = Likelihood(emulators, seen, anchors_of(anchors, sums, priors, frame), edges, len(OWN))
        count = sampling.chains * sampling.draws
        found = importance.sample(
            likelihood,
            len(likelihood.places),
            draws=count,
            proposals=PROPOSALS,
            seed=sampling.seed,
            name=self.name,
            enough=min(ENOUGH, count),
        )
        z, q, told = _standard(likelihood, found.z, frame, sampling.seed)
        shape = (sampling.chains, sampling.draws)
        values = to_values(z.reshape(*shape, *z.shape[1:]), q.reshape(*shape, -1), anchors, sums, priors, frame)
        checks = [
            check
            for i, segment in enumerate(frame.segment)
            for check in _checks(
                segment,
                emulators[i],
                regression_posterior(emulators[i], x_of[i], simulated[i], seen[i]),
                z[:, i],
                edges[i],
            )
        ]
        worth = found.effective
        return BlockFit(
            draws=values,
            diagnostics={"rhat_max": 1.0, "ess_bulk_min": worth, "ess_tail_min": worth, "divergences": 0.0},
            seconds=time.perf_counter() - began,
            extra={"checks": tuple(checks), "silent": frozenset(set(values) - told)},
        )

    def _histories(
        self, sums: Sums, design: Mapping[Key, Floats], frame: Frame, sampling: Sampling
    ) -> NDArray[np.float64]:
        tell = sampling.progress

        def progress(done: int) -> None:
            if tell is not None:
                tell(f"bridge: {done:,} of {self.simulations:,} histories simulated")

        opening = dict(zip(frame.segment, sums.opening.tolist(), strict=True))
        return self.simulate(
            sums.start, sums.months, opening, design, seed=sampling.seed, cores=sampling.cores, progress=progress
        ).astype(float)


_NOTES = (
    "learned from simulated histories of a company whose people keep up and whose prices do not rise: price rises are "
    "part of expansion, so a scenario that adds an uplift counts them twice.",
    "accounts that came back count as new business; terms, ages of accounts and what people do are assumed.",
)


def _standard(likelihood: Likelihood, found: Floats, frame: Frame, seed: int) -> tuple[Floats, Floats, set[Key]]:
    """Standard numbers (draws, segments, own) and (draws, shared), the untold ones their priors'; and what was told."""
    count = len(found)
    z = np.empty((count, len(frame.segment), len(OWN)))
    q = np.column_stack([stratified((name, ("prior",)), count, seed, -8, 8) for name in SHARED])
    for i, segment in enumerate(frame.segment):
        for k, name in enumerate(OWN):
            z[:, i, k] = stratified((name, (segment, "prior")), count, seed, -8, 8)
    told: set[Key] = set()
    for column, (i, k) in enumerate(likelihood.places):
        if i < 0:
            q[:, k] = found[:, column]
            told.add((SHARED[k], ()))
        else:
            z[:, i, k] = found[:, column]
            told.add((OWN[k], (frame.segment[i],)))
    return z, q, told


def _refuse(segment: str, own: Floats, made: Floats) -> None:
    """What no simulated history shows cannot be learned from them."""
    low, middle, high = made.min(axis=0), np.median(made, axis=0), made.max(axis=0)
    beyond = np.maximum((low - own) / np.maximum(middle - low, REACH), (own - high) / np.maximum(high - middle, REACH))
    excess = beyond - np.where([name in LEVELS for name in NAMES], ROOM_OF_LEVEL, ROOM_OF_SHAPE)
    outside = np.argsort(-excess, kind="stable")[: int((excess > 0).sum())]
    if len(outside):
        named = "; ".join(_outside(k, own[k], low[k], high[k]) for k in outside[:3].tolist())
        raise InputError(
            where=f"bridge of {segment}",
            found=f"what none of {len(made):,} simulated companies showed ({named})",
            allowed="flows that the model could have made",
            do="check units and signs of the columns, split a segment that mixes very different customers, "
            "or state wider priors (--priors)",
        )


def _outside(summary: int, seen: float, low: float, high: float) -> str:
    """A summary as a person reads it: rates of loss and expansion in percent, the rest as it is."""
    name = NAMES[summary]
    if name in RATES:
        seen, low, high = (float(np.exp(value)) for value in (seen, low, high))
        return f"{name.split(':')[0]} {seen:.2%} of ARR a month, simulated {low:.2%} to {high:.2%}"
    return f"{name} {seen:.2f}, simulated {low:.2f} to {high:.2f}"


def _checks(
    segment: str, emulator: Emulator, regressed: tuple[Floats, Floats], z: Floats, edges: Floats
) -> Iterator[Check]:
    """Coverage on simulations held out, a second method, and whether the answer lies inside what was simulated."""
    good = emulator.coverage >= COVERAGE - 0.03
    advice = f"covariance inflated {emulator.inflation:g} times"
    advice += "" if good else "; bands are too narrow: state tighter priors for what you know"
    status: Status = "PASS" if good else "REVIEW"
    yield Check(f"bridge: held-out coverage of {segment}", status, emulator.coverage, advice)
    mine = emulator.kept < len(OWN)
    numbers = emulator.kept[mine]
    mean, sd = regressed[0][mine], regressed[1][mine]
    apart = np.abs(z[:, numbers].mean(axis=0) - mean) / np.maximum(sd, 1e-9)
    good = bool(apart.max() < FAR_APART)
    advice = "" if good else f"a regression on the same simulations gives another {OWN[numbers[int(apart.argmax())]]}"
    yield Check(f"bridge: second method for {segment}", "PASS" if good else "REVIEW", float(apart.max()), advice)
    near = (z < edges[:, 0] + 0.05) | (z > edges[:, 1] - 0.05)
    share = float(near[:, numbers].mean(axis=0).max())
    good = share <= AT_EDGE
    advice = "" if good else "numbers press against what was simulated; state priors for value.first_arr and its spread"
    yield Check(f"bridge: inside the design of {segment}", "PASS" if good else "REVIEW", share, advice)
