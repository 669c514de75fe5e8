"""Is a pilot worth running, and which? Its error, the chance that it changes the decision, its value and its cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from subsim import units
from subsim.errors import InputError
from subsim.experiment import pilot_inputs, presenting
from subsim.experiment.at_horizon import Floats
from subsim.experiment.contrast import GROSS_MARGIN_SOURCE, compared
from subsim.experiment.needed_effect import with_effect
from subsim.experiment.parameters import Learned
from subsim.experiment.pilot_inputs import LIFT
from subsim.experiment.pilot_trials import Estimate, Trials, trials
from subsim.experiment.preposterior import Belief, Gain, worth_of
from subsim.experiment.quantiles import clean
from subsim.experiment.run import run
from subsim.model.catalogue import parameter
from subsim.scenario import Scenario
from subsim.scenario.values import write_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AT_SDS: Final = (-2.0, -1.0, 0.0, 1.0, 2.0)


@dataclass(frozen=True)
class PilotDesign:
    """Pilots by size and length: `table`, `smallest`, `best`, `text`, `figure()`.

    Columns of the table: accounts, months, error (standard error of the lift), p_learns, sd_after (of the belief),
    p_changes (chance that the decision changes), evsi, evppi, delay_cost, pilot_cost, net_benefit (evsi less both).
    Money is net value at the horizon, in currency units.
    """

    base: str
    plan: str
    touch: str
    currency: str
    horizon_months: int
    belief: Belief
    gain: Gain
    table: pd.DataFrame
    gains: pd.DataFrame
    """The effects at which both plans were run, with the mean gain of net value at each."""
    trials: Trials = field(repr=False)

    @property
    def smallest(self) -> pd.Series[Any] | None:
        """The smallest pilot (accounts times months) that is worth its cost; None where none is."""
        worth = self.table[self.table["net_benefit"] > 0]
        if worth.empty:
            return None
        effort = (worth["accounts"] * worth["months"]).to_numpy()
        return worth.iloc[int(effort.argmin())]

    @property
    def best(self) -> pd.Series[Any]:
        """The pilot with the highest net benefit, which may be negative."""
        return self.table.iloc[int(self.table["net_benefit"].to_numpy().argmax())]

    @property
    def break_even(self) -> float | None:
        """The effect at which the plan pays exactly; None where none near the belief does."""
        return self.gain.break_even(self.belief)

    @property
    def evppi(self) -> float:
        """What knowing the effect exactly, today, would be worth; no pilot is worth more."""
        return worth_of(self.gain, self.belief, 0.0).value

    @property
    def text(self) -> str:
        """Whether to run a pilot, which, what it would show and change, and what this rests on."""
        return str(presenting.words_of("pilot_words").paragraphs(self))

    def figure(self, *, ax: Axes | None = None) -> Axes:
        """Net benefit by size, a line for each length."""
        drawn: Axes = presenting.figures().pilots(self, ax=ax)
        return drawn

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: belief, break-even, pilots, the simulated trials, recommendation."""
        smallest = self.smallest
        return {
            "base": self.base,
            "plan": self.plan,
            "effect": {"parameter": LIFT, "of": self.touch, "mean": self.belief.mean, "sd": self.belief.sd},
            "break_even": self.break_even,
            "evppi": round(self.evppi, 2),
            "currency": self.currency,
            "horizon_months": self.horizon_months,
            "smallest_worth_it": None if smallest is None else _row(smallest),
            "best": _row(self.best),
            "pilots": [_row(row) for _, row in self.table.iterrows()],
            "gains": [clean(row) for row in self.gains.to_dict("records")],
            "trials": [_row(row) for _, row in self.trials.table.iterrows()],
            "assumption": GROSS_MARGIN_SOURCE,
        }

    def __repr__(self) -> str:
        smallest = self.smallest
        shown = "none is worth it" if smallest is None else f"{smallest['accounts']} for {smallest['months']} months"
        return f"PilotDesign({self.plan} against {self.base}; {shown})"

    def _repr_html_(self) -> str:
        paragraphs = "".join(f"<p>{part}</p>" for part in self.text.split("\n\n"))
        return paragraphs + self.table.to_html(index=False)


def design_pilot(
    base: Scenario,
    plan: Scenario,
    *,
    estimate: Estimate | None = None,
    touch: str = "business_review",
    every: str = "1 month",
    accounts: Sequence[int] = (60, 120, 240),
    months: Sequence[int] = (6, 12),
    tier: str | None = None,
    fixed_cost: object = 0,
    repeats: int = 1,
    draws: int = 50,
    seed: int = 1,
    workers: int | None = None,
    posterior: Learned | None = None,
    progress: Callable[[int], None] | None = None,
) -> PilotDesign:
    """Design a pilot of a touch before a decision that rests on its lift: simulate the experiment before running it.

    The plan's gain of net value over the base is simulated at five values of the lift (the belief's centre, one and two
    standard deviations around it), with the same luck, and a quadratic put through. Pilots of each size and length are
    simulated and read by the product's own estimator. Then what is believed and how well a pilot would know give the
    value of its information (EVSI), at most that of knowing the lift (EVPPI). While a pilot runs the plan waits, so its
    gain is that of a horizon shorter by the pilot.

    Args:
        base: what happens without the decision.
        plan: the decision.
        estimate: how a book with an experiment is read; `subsim.design_pilot` gives the calibration's own.
        touch: the kind of touch whose lift the plan works through.
        every: how often the treated half gets it; the others go on as before.
        accounts: accounts in both arms together.
        months: lengths of the pilot.
        tier: whose people give the extra touches, at their cost an hour; the first that now gives fewer when None.
        fixed_cost: of any pilot besides those hours, such as `$10k`.
        repeats: simulated pilots of each size and length.
        draws: futures of each plan at each value of the lift.
        seed: same seed, same answer.
        workers: threads.
        posterior: joint draws of a calibration, as `run` takes them.
        progress: called with the number of steps (runs of a draw, or simulated pilots) just finished.

    Raises:
        InputError: a touch nobody gives, a belief without spread, or numbers out of range.
    """
    if estimate is None:
        raise InputError(where="estimate", found="none", allowed="how a pilot is read; subsim.design_pilot knows")
    pilot_inputs.check(base, accounts, months, repeats)
    serving = pilot_inputs.tier(base, touch, every, tier)
    cost = units.money_cents(fixed_cost, where="fixed cost") / 100
    belief = pilot_inputs.belief(base, touch, posterior)
    effects = np.array([belief.mean + belief.sd * z for z in AT_SDS])
    row = parameter(LIFT)
    gains = []
    for effect in np.clip(effects, row.low, row.high).tolist():
        pair = [with_effect(each, LIFT, write_value(row, effect), {"work": touch}) for each in (base, plan)]
        runs = run(pair, draws=draws, seed=seed, workers=workers, posterior=posterior, progress=progress)
        last = min(runs.outcome(name).setup.months for name in runs.names)
        net = [compared(runs, each.name, "net_value", last).mean(axis=0).cumsum() for each in (plan, base)]
        gains.append(net[0] - net[1])
    tried = trials(
        estimate,
        touch=touch,
        every=every,
        lift=belief.mean,
        accounts=accounts,
        months=months,
        repeats=repeats,
        seed=seed,
        numbers=pilot_inputs.numbers(posterior),
        progress=progress,
    )
    by_month = np.array(gains)
    hour = pilot_inputs.cost_of_a_month(base, serving, touch, every)
    table = _table(effects, by_month, belief, tried, accounts, months, hour, cost)
    last = by_month.shape[1]
    shown = pd.DataFrame({"effect": effects, "gain": by_month[:, -1]}).round(6)
    gain = Gain.through(effects, by_month[:, -1])
    return PilotDesign(base.name, plan.name, touch, base.currency, last, belief, gain, table, shown, tried)


def _table(
    effects: Floats,
    gains: Floats,
    belief: Belief,
    tried: Trials,
    accounts: Sequence[int],
    months: Sequence[int],
    account_month: float,
    fixed: float,
) -> pd.DataFrame:
    decided = max(0.0, _mean(effects, gains[:, -1], belief))
    rows = []
    for length in months:
        after = Gain.through(effects, gains[:, -1 - length])
        known = worth_of(after, belief, 0.0)
        waited = max(0.0, _mean(effects, gains[:, -1 - length], belief))
        for count in accounts:
            error, learns = tried.error(count, length), tried.p_learns(count, length)
            worth = worth_of(after, belief, error)
            cost = fixed + account_month * count / 2 * length
            evsi, delay = learns * worth.value, decided - waited  # who learns nothing does as before
            rows.append(
                {
                    "accounts": count,
                    "months": length,
                    "error": round(error, 6),
                    "p_learns": round(learns, 6),
                    "sd_after": round(float((belief.sd**2 - belief.after(error) ** 2) ** 0.5), 6),
                    "p_changes": round(learns * worth.p_changes, 6),
                    "evsi": round(evsi, 2),
                    "evppi": round(known.value, 2),
                    "delay_cost": round(delay, 2),
                    "pilot_cost": round(cost, 2),
                    "net_benefit": round(evsi - delay - cost, 2),
                }
            )
    return pd.DataFrame(rows)


def _mean(effects: Floats, gains: Floats, belief: Belief) -> float:
    """Mean gain under the belief."""
    return float(Gain.through(effects, gains).at(np.array(belief.mean), belief.sd**2))


def _row(row: pd.Series[Any]) -> dict[str, Any]:
    """A row for JSON: what is infinite (nothing learned) or missing becomes null."""
    facts = {key: value.item() if hasattr(value, "item") else value for key, value in row.items()}
    return clean({key: None if value == float("inf") else value for key, value in facts.items()})
