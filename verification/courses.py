"""Courses that the year after a history can take: one company, one past, and from its last day on other luck each time.

The past is simulated once by the reference engine, whose model is then forked; each copy goes on with random numbers of
its own. So nothing of the company's state has to be written down, approximated or drawn again.
"""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from subsim.engine.reference import Model
from subsim.engine.run import Cube
from subsim.experiment.build import build
from subsim.experiment.results import Outcome, Runs
from subsim.model.rules import risk
from subsim.model.rules.clock import NEVER
from subsim.scenario import Scenario

if TYPE_CHECKING:
    from verification.companies import Company

YEAR = 12
OTHER_LUCK = 1_000  # first number of the runs whose luck the courses take


def courses(company: Company, count: int) -> Runs:
    """So many courses of a company's history and the year after it; all months but the last twelve are the same.

    The company's plan of new business goes on as it was; one that has a number for each month cannot.
    """
    months = company.scenario.horizon_months + YEAR
    scenario = Scenario.from_dict(company.scenario.to_dict() | {"horizon": f"{months} months"})
    setup = build(scenario, draws=1, seed=company.seed)
    setup = replace(setup, parameters=np.repeat(company.setup.parameters, count, axis=0))
    teams, tiers = max(len(setup.team_names), 1), len(setup.tier_names)
    model = Model(setup.world, setup.parameters[0], company.seed, 0, months, teams, tiers)
    model.start()
    model.env.run(until=int(setup.world.months[company.scenario.horizon_months]))
    ends = [_forked(model, OTHER_LUCK + number) for number in range(count)]
    segments, teams_end, tiers_end = (np.stack(parts) for parts in zip(*ends, strict=True))
    none = np.zeros(len(setup.segment_names), np.int64)
    cube = Cube(segments, teams_end[:, :, : len(setup.team_names)], tiers_end, none, none)
    outcome = Outcome(scenario, setup, cube)
    return Runs({scenario.name: outcome}, seed=company.seed, draws=count, engine="simpy", fixed_parameters=True)


def _forked(model: Model, luck: int) -> tuple[Any, Any, Any]:
    """The end of one course, simulated by a copy of this process."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_go_on, args=(model, luck, theirs))
    child.start()
    theirs.close()
    try:
        end: tuple[Any, Any, Any] = ours.recv()
    except EOFError:
        raise RuntimeError(f"course {luck} came to no end; its error stands above") from None
    finally:
        child.join()
    return end


def _go_on(model: Model, luck: int, out: Any) -> None:
    model.key[1] = luck
    _renew_thresholds(model)
    result = model.run()
    out.send((result.segments, result.teams, result.tiers))


def _renew_thresholds(model: Model) -> None:
    """What is left of a risk's threshold is exponential again, unless the risk comes before the next review."""
    for account in model.accounts:
        for which, at in enumerate(account.risk_at):
            if at == NEVER:
                fresh = risk.threshold(model.key, risk.purpose_of(which), account.entity, account.spells[which])
                account.threshold_left[which] = fresh
