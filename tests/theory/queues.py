"""Queues of textbooks, played by the product's own teams and work items, and read from its trace.

Customers of an open queue are onboarding items: new accounts sign in a Poisson stream, their onboarding waits in the
team's pool for a seat that does a minute of work a minute, and the account leaves when its term ends. Customers of the
finite source are the support tickets of a fixed base. One unit of time of a textbook is `Queue.unit` minutes, so long
that whole minutes do not matter. Figures of a run are means of batches after a warm-up, longer than the queue's memory.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subsim.engine import events as ev
from subsim.engine.run import trace_log
from subsim.experiment.build import Setup, build
from subsim.model.rules.clock import DAY, MONTH
from subsim.scenario import Scenario
from subsim.units import days_text, month_starts
from tests.theory.worlds import START, Rows, company

Floats = NDArray[np.float64]

#: An account stays while it waits and is served, and leaves at its first term end afterwards.
PASSING: Rows = {
    "term.monthly_share": 1,
    "renewal.base": 2,
    "renewal.not_onboarded": -10,
    "onboarding.customer_delay": 0,
}
#: A seat of any team works round the clock at full pace.
TIRELESS: Rows = {"seat.effective_hours": 8766}


@dataclass(frozen=True)
class Queue:
    """A queue and how long it is watched.

    ``unit``: minutes to a unit of time; ``rates``: arrivals a unit by segment; ``work``: the item whose queue it is;
    ``seats``: seats by team; ``warm_up``, ``batch`` in units; ``parts`` and ``numbers``: what else the scenario says.
    """

    unit: int
    seats: dict[str, int]
    rates: dict[str, float] = field(default_factory=dict)
    work: str = "onboarding"
    months: int = 120
    warm_up: float = 250
    batches: int = 10
    parts: dict[str, Any] = field(default_factory=dict)
    numbers: Rows = field(default_factory=dict)

    def scenario(self) -> Scenario:
        """The company in which the queue stands."""
        segments: dict[str, Any] = {
            name: {"opening": {"accounts": 0}, "new_business": steady(rate / self.unit, self.months)}
            for name, rate in self.rates.items()
        }
        tiers = {name: {"coverage": "digital", "onboarding_team": "desk"} for name in self.rates}
        parts: dict[str, Any] = {
            "horizon": f"{self.months} months",
            "segments": segments,
            "tiers": tiers,
            "routing": [{"segment": name, "to": name} for name in self.rates],
            "teams": {name: {"seats": seats} for name, seats in self.seats.items()},
        }
        hours: Rows = {"onboarding.hours": self.unit / 60, "onboarding.hours_shape": 1}
        return company({**PASSING, **TIRELESS, **hours, **self.numbers}, **(parts | self.parts))

    def figures(self, seeds: Sequence[int]) -> list[dict[str, Floats]]:
        """Means of the batches of one run, by figure, in units of time; one for each seed."""
        setup = build(self.scenario(), draws=1, seed=0, fixed_parameters=True)
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda seed: self._figures(setup, seed), seeds))

    def _figures(self, setup: Setup, seed: int) -> dict[str, Floats]:
        log = trace_log(setup, seed=seed)
        edges = np.linspace(self.warm_up * self.unit, setup.world.months[-1] * 0.98, self.batches + 1)
        found = items(log, setup.work_names.index(self.work))
        seats = next(iter(self.seats.values()))
        figures = measure(found, edges, self.unit, seats)
        if len(self.rates) > 1:
            segment = segments_of(log)[found.who]
            for number, name in enumerate(self.rates):
                figures[f"Wq_{name}"] = measure(found.where(segment == number), edges, self.unit, seats)["Wq"]
            figures["Wq_all"] = figures["Wq"]
        if self.work == "handoff":
            first = items(log, setup.work_names.index("onboarding"))
            figures |= tandem(first, found, edges, self.unit)
        return figures


@dataclass(frozen=True)
class Items:
    """Work items of a type: account, and minutes when raised, begun, out of the queue, done (inf: not by the end)."""

    who: NDArray[np.int64]
    raised: Floats
    begun: Floats
    queued: Floats
    done: Floats

    def where(self, chosen: NDArray[np.bool_]) -> "Items":
        """Some of them."""
        raised, begun, queued, done = (times[chosen] for times in (self.raised, self.begun, self.queued, self.done))
        return Items(self.who[chosen], raised, begun, queued, done)


def items(log: Any, work: int) -> Items:
    """The life of every item of a work type, from the trace; an account has one open item of a type at a time."""
    codes = (ev.L_RAISED, ev.L_BEGUN, ev.L_DONE, ev.L_EXPIRED)
    lines = log[np.isin(log.code, codes) & (log.other == work)]
    lines = lines[np.argsort(lines.who, kind="stable")]
    who, code, minute = lines.who.astype(np.int64), lines.code, lines.minute.astype(float)
    (start,) = np.nonzero(code == ev.L_RAISED)

    def after(steps: int, wanted: int) -> Floats:
        place = np.minimum(start + steps, len(lines) - 1)
        there = (place == start + steps) & (code[place] == wanted) & (who[place] == who[start])
        return np.where(there, minute[place], np.inf)

    begun = after(1, ev.L_BEGUN)
    expired = after(1, ev.L_EXPIRED)
    done = np.where(np.isfinite(begun), after(2, ev.L_DONE), expired)
    return Items(who[start], minute[start], begun, np.minimum(begun, expired), done)


def segments_of(log: Any) -> NDArray[np.int64]:
    """Segment of every account that signed in a run, by its number."""
    new = log[log.code == ev.L_NEW]
    segment = np.full(int(log.who.max()) + 1, -1, np.int64)
    segment[new.who] = new.other
    return segment


def held(start: Floats, end: Floats, edges: Floats) -> Floats:
    """Mean number of open intervals between edges."""
    total = np.array([np.minimum(end, t).sum() - np.minimum(start, t).sum() for t in edges.tolist()])
    return np.diff(total) / np.diff(edges)


def measure(found: Items, edges: Floats, unit: int, seats: int) -> dict[str, Floats]:
    """Batch means of the usual figures of a queue."""
    batch = np.searchsorted(edges, found.raised, side="right") - 1
    inside = (batch >= 0) & (batch < len(edges) - 1)
    batch = batch[inside]
    count = np.bincount(batch, minlength=len(edges) - 1)
    wait = (found.queued - found.raised)[inside] / unit

    def mean(values: Floats) -> Floats:
        return np.bincount(batch, values, minlength=len(edges) - 1) / count

    served = np.isfinite(found.begun)
    begun, done = found.begun[served], found.done[served]
    busy = held(begun, done, edges)
    finished = np.histogram(done, edges)[0] * unit / np.diff(edges)
    return {
        "rho": busy / seats,
        "utilisation": busy / seats,
        "P_wait": mean((wait > 0).astype(float)),
        "P_abandon": mean(~served[inside]),
        "Lq": held(found.raised, found.queued, edges),
        "L": held(found.raised, found.done, edges),
        "Wq": mean(wait),
        "E_wait_in_queue": mean(wait),
        "W": mean((found.done - found.raised)[inside] / unit),
        "p90_wait_all": np.array([np.quantile(wait[batch == b], 0.9) for b in range(len(edges) - 1)]),
        "throughput": finished,
        "arrivals": count * unit / np.diff(edges),
    }


def tandem(first: Items, second: Items, edges: Floats, unit: int) -> dict[str, Floats]:
    """Waits of two desks in a row and the time from entering the first to leaving the second."""
    entered = dict(zip(first.who.tolist(), first.raised.tolist(), strict=True))
    batch = np.searchsorted(edges, second.raised, side="right") - 1
    through = second.done - np.array([entered[who] for who in second.who.tolist()])
    total = np.array([np.mean(through[batch == b]) / unit for b in range(len(edges) - 1)])
    return {"Wq1": measure(first, edges, unit, 1)["Wq"], "Wq2": measure(second, edges, unit, 1)["Wq"], "W_total": total}


def steady(rate: float, months: int) -> dict[str, Any]:
    """New business at one rate a minute, in long and short months alike, from leads that are not many more."""
    starts = np.diff([0, *month_starts(START, months)])
    return {"plan": [rate * minutes for minutes in starts.tolist()], "envelope": 1.1 * rate * MONTH}


def impatient(units: float, unit: int) -> dict[str, Any]:
    """Onboarding is given up after an exponential time of that mean in the queue."""
    return {
        "parts": {"work": {"onboarding": {"deadline": days_text(units * unit / DAY), "overload": "expire"}}},
        "numbers": {("work.patience_exponential", "work=onboarding"): 1},
    }


def single(rates: dict[str, float] | None = None, numbers: Rows = {}) -> Queue:  # noqa: B006 - never changed
    """One seat at a load of .8."""
    return Queue(unit=250, seats={"desk": 1}, rates=rates or {"only": 0.8}, warm_up=1500, numbers=numbers)


QUEUES = {
    "Q1": single(),
    "Q2": Queue(unit=1000, seats={"desk": 5}, rates={"only": 4}),
    "Q3": Queue(unit=2000, seats={"desk": 20}, rates={"only": 18}, months=240, batches=20),
    "Q4": Queue(unit=2500, seats={"desk": 50}, rates={"only": 48}, months=240, warm_up=300, batches=10),
    "Q6": Queue(unit=2000, seats={"desk": 50}, rates={"only": 48}, months=30, warm_up=50, **impatient(2.0, 2000)),
    "Q7": Queue(unit=1000, seats={"desk": 5}, rates={"only": 4.5}, months=60, warm_up=100, **impatient(5.0, 1000)),
    "Q10": single(),
    "Q11": single(numbers={"onboarding.hours_shape": 1e6}),
    "Q12": single(numbers={"onboarding.hours_shape": 4}),
    "Q14": single(
        rates={"high": 0.3, "low": 0.5},
        numbers={("coverage.priority", "tier=high"): 0, ("coverage.priority", "tier=low"): 1},
    ),
    "Q15": Queue(
        unit=2000,
        seats={"desk": 3},
        work="ticket",
        warm_up=100,
        parts={
            "segments": {"only": {"opening": {"accounts": 60}}},
            "tiers": {"only": {"coverage": "digital", "support_team": "desk", "playbooks": ["ticket"]}},
            "routing": [{"to": "only"}],
            "work": {"ticket": {"overload": "wait"}},
        },
        numbers={
            "term.monthly_share": 0,
            "renewal.base": -30,
            "renewal.not_onboarded": 0,
            "ticket.rate": 0.1 * MONTH / 2000,
            "ticket.onboarding_factor": 1,
            "ticket.misfit_factor": 1,
            ("work.hours", "work=ticket"): 1000 / 60,
            ("work.hours_shape", "work=ticket"): 1,
        },
    ),
    "Q17": Queue(
        unit=1000,
        seats={"desk": 4, "second": 2},
        rates={"only": 3},
        work="handoff",
        parts={
            "tiers": {
                "only": {"coverage": "pooled", "team": "second", "onboarding_team": "desk", "playbooks": ["handoff"]}
            },
            "work": {"handoff": {"overload": "wait"}},
        },
        numbers={
            "term.monthly_share": 0,
            ("work.hours", "work=handoff"): 500 / 60,
            ("work.hours_shape", "work=handoff"): 1,
        },
    ),
}
