"""Tables of investments in time to value: differences, days, what each may cost, and the load on teams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from subsim.experiment.at_horizon import Floats, at_horizon, decimals_of, is_better_lower, summary
from subsim.experiment.contrast import horizons_of, p_better, verdict_of
from subsim.experiment.investments import Investment
from subsim.experiment.journeys import MEASURES, groups_of
from subsim.experiment.metrics import DECIMALS, team_window
from subsim.experiment.quantiles import STATISTICS
from subsim.experiment.results import Runs

HORIZONS: Final = (12, 24, 36)
VALUE_METRICS: Final = ("arr", "churn", "expansion", "cs_cost", "net_value")
AFTER_COST: Final = "net_value_after_cost"
WORK: Final = ("expired_share", "wait_days", "utilisation")
WINDOW_MONTHS: Final = 12


def differences(runs: Runs, costs: dict[str, Floats]) -> pd.DataFrame:
    """Paired differences by investment, metric and horizon."""
    rows = []
    for name, own in costs.items():
        for horizon in _horizons(runs):
            for metric in (*VALUE_METRICS, AFTER_COST):
                source = "net_value" if metric == AFTER_COST else metric
                change = at_horizon(runs, name, source, horizon) - at_horizon(runs, runs.names[0], source, horizon)
                if metric == AFTER_COST:
                    change = change - own[horizon - 1]
                better = p_better(change, "lower" if is_better_lower(source) else "higher")
                keys = {"investment": name, "metric": metric, "horizon_months": horizon}
                rows.append({**keys, **summary(change, decimals_of(source)), "p_better": better})
    return pd.DataFrame(rows)


def _horizons(runs: Runs) -> list[int]:
    return horizons_of(runs.outcome().setup.months, HORIZONS)


def days(runs: Runs, stories: dict[str, dict[str, Floats]]) -> pd.DataFrame:
    """Levels before and after, and the paired change, by investment, measure and segment."""
    before = stories[runs.names[0]]
    rows = []
    for name in runs.names[1:]:
        for measure, (unit, _) in MEASURES.items():
            for column, segment in enumerate(groups_of(runs.outcome().setup)):
                old, new = before[measure][:, column], stories[name][measure][:, column]
                keys = {"investment": name, "measure": measure, "segment": segment}
                levels = {"base": summary(old, DECIMALS[unit])["mean"], "with": summary(new, DECIMALS[unit])["mean"]}
                rows.append({**keys, **levels, **summary(new - old, DECIMALS[unit])})
    return pd.DataFrame(rows)


def break_even(
    runs: Runs, chosen: Sequence[Investment], costs: dict[str, Floats], stories: pd.DataFrame
) -> pd.DataFrame:
    """What each investment may cost once: its net value less its yearly cost, as far as the horizon.

    `se` is the standard error of the mean from the number of draws; `verdict` claims that it pays, or does not, only
    where 95 % of draws agree; `per_day` divides the mean by the days saved and
    has no value where no days are saved.
    """
    rows = []
    mean = (stories["measure"] == "ttv_mean") & (stories["segment"] == "all")
    saved = stories[mean].set_index("investment")["mean"]
    for each in chosen:
        for horizon in _horizons(runs):
            gain = at_horizon(runs, each.name, "net_value", horizon)
            gain = gain - at_horizon(runs, runs.names[0], "net_value", horizon)
            paid = costs[each.name][horizon - 1]
            once = each.one_off if paid > 0 else 0.0
            may = gain - (paid - once)
            fewer = -float(saved[each.name])
            pays = p_better(may - once, "higher")
            rows.append(
                {
                    "investment": each.name,
                    "horizon_months": horizon,
                    **summary(may, DECIMALS["money"]),
                    "se": round(float(may.std(ddof=1) / len(may) ** 0.5), 2) if len(may) > 1 else float("nan"),
                    "one_off": each.one_off,
                    "yearly": each.yearly,
                    "p_pays": pays,
                    "verdict": verdict_of(pays),
                    "days_saved": fewer,
                    "per_day": round(float(may.mean()) / fewer, 2) if fewer > 0 else float("nan"),
                }
            )
    return pd.DataFrame(rows)


def work(runs: Runs, chosen: Sequence[Investment]) -> pd.DataFrame:
    """Load of every team in the last year, before and after; whether more of the team was bought."""
    rows = []
    base = runs.outcome()
    last = base.setup.months
    window = max(0, last - WINDOW_MONTHS), last
    for each in chosen:
        outcome = runs.outcome(each.name)
        shared = [team for team in base.setup.team_names if team in outcome.setup.team_names]
        for metric in WORK:
            old, new = (team_window(one.cube, metric, *window) for one in (base, outcome))
            for team in shared:
                before = old[:, base.setup.team_names.index(team)]
                after = new[:, outcome.setup.team_names.index(team)]
                both = ~np.isnan(before) & ~np.isnan(after)
                if not both.any():
                    continue
                before, after = before[both], after[both]
                keys = {"investment": each.name, "team": team, "metric": metric}
                decimals = DECIMALS["days" if metric == "wait_days" else "ratio"]
                levels = {"base": summary(before, decimals)["mean"], "with": summary(after, decimals)["mean"]}
                rows.append({**keys, **levels, **summary(after - before, decimals)})
    return pd.DataFrame(rows, columns=["investment", "team", "metric", "base", "with", *STATISTICS])
