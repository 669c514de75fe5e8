"""Are decisions right? Two decisions in companies with known numbers: what the product says, and what truly follows.

The companies have every number drawn from the catalogue's prior and too few enterprise CSMs. What truly follows comes
from many futures of the same company, continued from its true state (`verification.futures`).

    python -m verification.decisions known known.jsonl --first 1 --last 20          (resumes, as do the next two)
    python -m verification.decisions calibrated calibrated.jsonl --first 1 --last 20
    python -m verification.decisions nothing nothing.jsonl --first 1 --last 20   (companies where neither does anything)
    python -m verification.decisions page known.jsonl calibrated.jsonl nothing.jsonl
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy import special

import subsim as ss
from subsim.calibrate import calibrate
from subsim.calibrate.priors import catalogue_prior
from subsim.engine import metrics as m
from subsim.experiment.build import build
from subsim.experiment.parameters import cells
from subsim.experiment.results import Runs
from subsim.experiment.variance import nested
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity
from subsim.scenario import Scenario
from subsim.scenario.effects import carriers
from verification.command import command
from verification.companies import Company, drawn, with_opening
from verification.decisions_page import page
from verification.futures import futures

Floats = NDArray[np.float64]
HISTORY, HORIZON = 48, 24
FUTURES, KNOWN = 150, 150
DRAWS, REPEATS = 40, 2  # draws of parameters, and runs of each
PRECISION = 1 / 3  # standard deviation of a trial in that of the catalogue's prior
BASE = "as it is"
SEATS = {"enterprise_csm": 4}  # the demo company has six; with four the question for more is asked
TODAY = "2026-07-01"
DECISIONS: dict[str, list[dict[str, Any]]] = {
    "two more CSMs": [{"hire": {"team": "enterprise_csm", "seats": 2, "on": TODAY, "ramp": "6 months"}}],
    "onboarding 30 % faster": [
        {"scale": {"parameter": "onboarding.customer_delay", "by": 0.7, "from": TODAY}},
        {"scale": {"parameter": "onboarding.hours", "by": 0.7, "from": TODAY}},
    ],
}
#: Numbers with which touches, plays, time to value and handovers change nothing that is paid.
NOTHING = dict.fromkeys(
    (
        "work.lift", "campaign.lift", "handover.shock", "sponsor.recovers", "playbook.save_success",
        "engagement.ttv_effect", "onboarding.stall_shock", "renewal.not_onboarded", "renewal.prep_missed",
        "expansion.rate", "referral.rate",
    ),
    0.0,
)  # fmt: skip


def with_decisions(scenario: Scenario, months: int) -> list[Scenario]:
    """A scenario over so many months as it is, and with each decision."""
    plans = {BASE: [], **DECISIONS}
    return [scenario.replace(name=name, levers=levers, horizon=f"{months} months") for name, levers in plans.items()]


def true_differences(company: Company, count: int) -> tuple[Floats, dict[str, Floats]]:
    """ARR at the horizon in many futures from the company's true state, and what each decision adds to it."""
    ends = {}
    for scenario in with_decisions(company.scenario, HISTORY + HORIZON):
        setup = replace(build(scenario, draws=1, seed=company.seed), parameters=company.setup.parameters)
        months = futures(setup, HISTORY, seed=company.seed, luck=luck(company), count=count)
        ends[scenario.name] = months[:, -1, :, m.S_ARR].sum(axis=1) / 100
    return ends[BASE], {name: ends[name] - ends[BASE] for name in DECISIONS}


def luck(company: Company) -> int:
    """The seed of a company's futures."""
    return 1_000_000 + company.seed


def said_differences(runs: Runs) -> tuple[Floats, dict[str, Floats]]:
    """ARR at the horizon in the product's draws, and what each decision adds to it."""
    ends = {name: runs.samples(name, "arr")[:, -1] for name in runs.names}
    return ends[BASE], {name: ends[name] - ends[BASE] for name in DECISIONS}


def write_known(company: Company, scenario: Scenario, path: Path) -> None:
    """The company's own numbers as a parameter file of a scenario."""
    numbers = with_opening(company)[0]
    rows = [
        {
            "parameter": cell.parameter.name,
            "value": float(numbers[cell.index]),
            "source": "the company was made with it",
            **dict(zip(cell.parameter.by, cell.keys, strict=False)),
        }
        for cell in cells(scenario).values()
        if not cell.decided and cell.prior.family != "fixed"
    ]
    path.write_text(yaml.safe_dump({"rows": rows}), encoding="utf-8")


def known(seed: int) -> dict[str, Any]:
    """What follows, and what the product says from the written book when it is given the company's numbers."""
    company = drawn(seed, HISTORY, seats=SEATS)
    base, truth = true_differences(company, FUTURES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        company.write(folder)
        outlook = company.outlook(folder, with_plan=True)
        write_known(company, outlook, folder / "numbers.yaml")
        plans = with_decisions(outlook.replace(parameters=str(folder / "numbers.yaml")), HORIZON)
        runs = ss.run(plans, draws=KNOWN, seed=luck(company), workers=1)
    said_base, said = said_differences(runs)
    return {
        "seed": seed,
        "opening": runs.opening_arr(),
        "arr": [round(float(base.mean())), round(float(said_base.mean()))],
        "truth": {name: whole(values) for name, values in truth.items()},
        "said": {name: whole(values) for name, values in said.items()},
    }


def calibrated(seed: int) -> dict[str, Any]:
    """What the product says from the written book alone, and with experiments declared as sources of the effects."""
    return _said(drawn(seed, HISTORY, seats=SEATS))


def nothing(seed: int) -> dict[str, Any]:
    """The same of a company in which neither decision changes anything, which is checked."""
    company = drawn(seed, HISTORY, size=0.5, numbers=NOTHING, seats={team: n // 2 for team, n in SEATS.items()})
    _, truth = true_differences(company, 2)
    if any(values.any() for values in truth.values()):
        raise RuntimeError(f"company {seed}: a decision changes its ARR")
    return _said(company)


def _said(company: Company) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        company.write(folder)
        posterior = calibrate(ss.read_book(folder, as_of=company.as_of))
        plans = with_decisions(company.outlook(folder, with_plan=True), HORIZON)
        said = {}
        for kind, effects in (("judgement", []), ("experiments", experiments(company, plans))):
            own = [plan.replace(effects=effects) for plan in plans]
            runs = nested(own, DRAWS, REPEATS, seed=company.seed, posterior=posterior, workers=1)
            base, differences = said_differences(runs)
            said[kind] = {"arr": round(float(base.mean()))} | {of: whole(each) for of, each in differences.items()}
    return {"seed": company.seed, "status": posterior.status, "repeats": REPEATS, **said}


def experiments(company: Company, plans: list[Scenario]) -> list[dict[str, Any]]:
    """A trial of every effect that the product lists for the decisions, with a third of the prior's standard deviation.

    What the trial finds is the truth and its error, drawn once for each company.
    """
    found = []
    for name, of in sorted({(each.parameter, each.of) for plan in plans for each in carriers(plan)}):
        key = (name, (of,) if of else ())
        own = catalogue_prior(key)
        sd = PRECISION * own.sd
        u = uniform_array(company.seed, 0, Purpose.PARAMETER, name_entity(f"decisions/{name}/{of}"), 0)
        effect = float(np.clip(company.truth[key] + sd * special.ndtri(u), own.low, own.high))
        work = {"work": of} if of else {}
        trial = {"effect": effect, "sd": sd, "data": "a trial in this company"}
        found.append({"parameter": name, **work, "experiment": trial})
    return found


def whole(values: Floats) -> list[int]:
    """Draws in whole currency units, for a file."""
    return [int(value) for value in np.round(values)]


STAGES = {"known": known, "calibrated": calibrated, "nothing": nothing}


if __name__ == "__main__":
    command(__doc__, STAGES, page)
