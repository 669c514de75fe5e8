"""Companies whose numbers are known, because the simulator made them: for recovery and simulation-based calibration.

A company is a history of the demo company with other numbers; its book is written to files and read like any other.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

import subsim as ss
from subsim.book import Book
from subsim.calibrate.block import Frame
from subsim.calibrate.company import company_prior, company_priors, described
from subsim.calibrate.importance import of_prior
from subsim.calibrate.priors import MONTHS, Key, Prior, Priors, catalogue_priors
from subsim.calibrate.rates_data import LOGS
from subsim.calibrate.renewal_model import BY_SEGMENT
from subsim.engine import Setup, simulate
from subsim.engine.run import run_traced
from subsim.experiment.build import build
from subsim.experiment.demo import AS_OF, history_scenario
from subsim.experiment.demo_tables import Records
from subsim.experiment.parameters import Names, cells
from subsim.experiment.results import Outcome, Runs
from subsim.model.catalogue import parameter, parameters
from subsim.model.rules.clock import DAY
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity
from subsim.scenario import Scenario
from subsim.units import add_months

Floats = NDArray[np.float64]
YEAR = 12
SHARED = 0.5  # share of the prior variance that segments have in common, as in the blocks
ROOM = 8.0  # leads for each planned deal, so that good months are not cut

#: Priors in place of the defaults, which are so wide that most companies drawn from them could not work.
STATED = {
    "arrival.plan": {"smb": 3.0, "mid_market": 2.0, "enterprise": 1.0},
    "value.first_arr": {"smb": 7_000.0, "mid_market": 28_000.0, "enterprise": 110_000.0},
    "onboarding.hours": {"smb": 4.0, "mid_market": 16.0, "enterprise": 45.0},
}
STATED_SD = 0.3


@dataclass(frozen=True)
class Company:
    """The scenario of a history, its numbers, what it was drawn from, and the seed of its luck."""

    scenario: Scenario
    setup: Setup
    truth: Mapping[Key, float]
    seed: int

    @property
    def as_of(self) -> dt.date:
        """The last day of the history."""
        return add_months(self.scenario.start, self.scenario.horizon_months) - dt.timedelta(days=1)

    def write(self, folder: Path) -> None:
        """The tables of the book."""
        for name, table in Records(self.setup, *run_traced(self.setup, seed=self.seed)).tables().items():
            table.to_csv(folder / f"{name}.csv", index=False)
        (folder / "book.yaml").write_text("grace_days: 0\n", encoding="utf-8")  # what was lost is written down at once

    def book(self) -> Book:
        """What the company wrote down, read back."""
        with tempfile.TemporaryDirectory() as folder:
            self.write(Path(folder))
            return ss.read_book(folder, as_of=self.as_of)

    def outlook(self, book: Path, *, with_plan: bool = False) -> Scenario:
        """The year after the history, from its book: the same people; new business as learned or as it was."""
        data = self.scenario.to_dict()
        for segment in data["segments"].values():
            segment.pop("opening", None)
            plan = segment.pop("new_business")["plan"]
            if with_plan:
                segment["new_business"] = {"plan": plan[-YEAR:]}
        start = add_months(self.scenario.start, self.scenario.horizon_months)
        own = {"name": "Outlook", "book": str(book), "start": str(start), "horizon": f"{YEAR} months"}
        return Scenario.from_dict(data | own)

    def to_come(self) -> Runs:
        """The history and the year after it, as they truly went: one draw of months + 12 months.

        Levels of new business stay as they are at the end of the history; only the season goes on.
        """
        months = self.scenario.horizon_months + YEAR
        scenario = planned(months, self.truth, self.scenario.horizon_months)
        setup = replace(build(scenario, draws=1, seed=self.seed), parameters=self.setup.parameters)
        outcome = Outcome(scenario, setup, simulate(setup, seed=self.seed))
        return Runs({scenario.name: outcome}, seed=self.seed, draws=1, engine="compiled", fixed_parameters=False)


def drawn(
    seed: int,
    months: int = 48,
    size: float = 1.0,
    numbers: Mapping[str, float] | None = None,
    seats: Mapping[str, int] | None = None,
) -> Company:
    """The demo company with every number drawn from the catalogue's prior, on its own; some of them as given."""
    scenario = history_scenario(months, size)
    if seats:
        teams = scenario.to_dict()["teams"]
        scenario = scenario.replace(teams=teams | {team: teams[team] | {"seats": n} for team, n in seats.items()})
    setup = build(scenario, draws=1, seed=seed)
    for name, value in (numbers or {}).items():
        setup.parameters[0, Names(scenario).index(parameter(name), {})] = value
    row = setup.parameters[0]
    truth = {(cell.parameter.name, cell.keys): float(row[cell.index]) for cell in cells(scenario).values()}
    truth |= {("arrival.trend", ()): 0.0} | {("arrival.season", (month,)): 0.0 for month in MONTHS}
    for name, segment in scenario.segments.items():
        truth["arrival.plan", (name,)] = segment.new_business.monthly(scenario.start, months)[-1]
    return Company(scenario, setup, truth, seed)


def with_opening(company: Company) -> Floats:
    """The company's numbers, with the mean and spread of engagement that its accounts have when an outlook starts."""
    names, numbers = Names(company.scenario), company.setup.parameters.copy()
    rows = run_traced(company.setup, seed=company.seed)[1].accounts
    rows = rows[(rows["alive"] == 1) & (rows["ttv_days"] > 0)]
    target = np.array([company.truth["onboarding.target", (name,)] for name in names.segment])[rows["segment"]]
    drift, end = company.truth["engagement.drift", ()] / DAY, company.setup.world.months[-1]
    own = rows["rest"] + (rows["e"] - rows["rest"]) * np.exp(-drift * (end - rows["e_at"]))
    own = own - company.truth["engagement.fit_effect", ()] * rows["fit"]
    own = own + company.truth["engagement.ttv_effect", ()] * np.log(rows["ttv_days"] / target)
    served = 1 - np.exp(-drift * (end - rows["start"]))
    for place, name in enumerate(names.segment):
        here = rows["segment"] == place
        level = float(own[here].mean())
        alone = company.truth["engagement.rest", (name,)] - company.truth["engagement.neglect", (name,)]
        own[here] -= level + (level - alone) * served[here] * (rows["response"][here] - 1)
        numbers[0, names.index(parameter("engagement.opening_mean"), {"segment": name})] = level
    numbers[0, names.index(parameter("engagement.opening_sd"), {})] = own.std()
    return numbers


def believed(seed: int, months: int = 36) -> tuple[Company, Priors]:
    """A company drawn from a calibration's own prior, what segments share included; and that prior."""
    names = Names(history_scenario(months))
    frame = Frame(AS_OF, names.segment, names.tier, names.work, names.team)
    priors = {**catalogue_priors(names), **company_priors(frame), **stated()}
    truth = _drawn_from(priors, seed)
    scenario = planned(months, truth, months)
    setup = build(scenario, draws=1, seed=seed, fixed_parameters=True)
    numbers = setup.parameters.copy()
    decided = {cell.index for cell in cells(scenario).values() if cell.decided}
    for (name, keys), value in truth.items():
        if name in parameters():
            row = parameter(name)
            for place in names.index(row, dict(zip(row.by, keys, strict=False))):
                if place not in decided:
                    numbers[0, place] = value
    return Company(scenario, replace(setup, parameters=numbers), truth, seed), stated()


def stated() -> Priors:
    """The priors that stand in place of the defaults."""
    found: dict[Key, Prior] = {}
    for name, centres in STATED.items():
        for segment, centre in centres.items():
            own = company_prior((name, (segment,)))
            found[name, (segment,)] = replace(own, family="lognormal", centre=centre, spread=STATED_SD)
    return found


def _drawn_from(priors: Priors, seed: int) -> dict[Key, float]:
    """One draw of everything; half of the variance of pooled numbers is common to their segments."""
    pooled = {*LOGS, *BY_SEGMENT}

    def normal(what: str) -> float:
        return float(special.ndtri(uniform_array(seed, 0, Purpose.PARAMETER, name_entity(f"company/{what}"), 0)))

    truth = {}
    for key, prior in priors.items():
        z = normal("|".join((key[0], *key[1])))
        if key[0] in pooled and described(key[0]).by == ("segment",):
            z = np.sqrt(1 - SHARED) * z + np.sqrt(SHARED) * normal(key[0])
        truth[key] = float(of_prior(prior, np.array(z)))
    season = np.mean([truth["arrival.season", (month,)] for month in MONTHS])
    for month in MONTHS:
        truth["arrival.season", (month,)] -= float(season)
    return truth


def planned(months: int, truth: Mapping[Key, float], history: int) -> Scenario:
    """A history whose new business has the level, trend and season of the truth; the trend ends with the history."""
    scenario = history_scenario(history)
    data = scenario.to_dict()
    season = np.array([truth["arrival.season", (month,)] for month in MONTHS])
    month = (scenario.start.month - 1 + np.arange(history + YEAR)) % YEAR
    years = np.minimum(np.arange(history + YEAR) - (history - 1), 0) / YEAR
    factor = np.exp(truth["arrival.trend", ()] * years + season[month])
    for name, segment in data["segments"].items():
        plan = truth["arrival.plan", (name,)] * factor
        envelope = float(2 ** np.ceil(np.log2(ROOM * plan.max())))
        segment["new_business"] = {"plan": plan[:months].tolist(), "envelope": envelope}
    return Scenario.from_dict(data | {"horizon": f"{months} months"})
