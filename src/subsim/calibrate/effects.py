"""Effects from observation: what an association says when it may be biased, and the bias that reverses a decision.

An observed estimate enters an effect only as effect + bias, bias ~ N(0, sd), with an sd that somebody states. Nothing
here decides what the sd is; the table shows the answer for several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import hypot, sqrt

import pandas as pd
from scipy import stats

from subsim.calibrate.priors import Prior
from subsim.errors import InputError

BIAS_SDS = (0.0, 0.25, 0.5, 1.0)
COLUMNS = ("bias_sd", "mean", "sd", "q05", "q50", "q95", "p_above")


def assumed_identified(
    prior: Prior, estimate: float, sd: float, *, bias_sd: float, adjustment_set: Sequence[str], statement: str
) -> Prior:
    """The belief in an effect after an observed estimate, under a statement of what makes it an effect.

    Args:
        prior: normal belief before, such as the catalogue's or `elicit(...)`.
        estimate: what the data show, on the effect's own scale.
        sd: its standard error.
        bias_sd: standard deviation of what the estimate may be wrong by for reasons that more data do not cure.
        adjustment_set: what the estimate is adjusted for.
        statement: why the rest of it is an effect; printed wherever the effect is.

    Raises:
        InputError: no statement, a standard error that is not positive, a negative bias_sd, a prior that is not normal.

    >>> judged = Prior("normal", 0.3, 0.3)
    >>> print(assumed_identified(judged, -0.2, 0.08, bias_sd=0.5, adjustment_set=["size"], statement="size decides"))
    normal(mean 0.17, sd 0.258)
    """
    _check(prior, sd)
    if not bias_sd >= 0:
        raise InputError(where="bias_sd", found=f"{bias_sd:g}", allowed="0 or more, on the effect's own scale")
    if not statement.strip():
        do = "say why what is left after adjusting is an effect"
        raise InputError(where="statement", found="nothing", allowed="a sentence", do=do)
    mean, spread = _updated(prior, estimate, hypot(sd, bias_sd))
    adjusted = ", ".join(adjustment_set) or "nothing"
    source = f"assumed identified, adjusted for {adjusted}, bias sd {bias_sd:g}: {statement.strip()}"
    return replace(prior, centre=mean, spread=spread, source=source, grade="D")


def bias_table(
    prior: Prior,
    estimate: float,
    sd: float,
    *,
    bias_sds: Sequence[float] = BIAS_SDS,
    unit: float = 1.0,
    threshold: float = 0.0,
) -> pd.DataFrame:
    """The belief in an effect for several strengths of confounding.

    `bias_sds` are multiples of `unit`, on the effect's scale. Columns: bias_sd (on the effect's scale), mean, sd, q05,
    q50, q95, p_above (probability of more than `threshold`, for example the effect at which a decision pays).

    >>> bias_table(Prior("normal", 0.3, 0.3), -0.2, 0.08)["mean"].round(2).tolist()
    [-0.17, 0.02, 0.17, 0.26]
    """
    _check(prior, sd)
    rows = []
    for multiple in bias_sds:
        mean, spread = _updated(prior, estimate, hypot(sd, multiple * unit))
        belief = stats.norm(mean, spread)
        q05, q50, q95 = belief.ppf([0.05, 0.5, 0.95])
        rows.append((multiple * unit, mean, spread, q05, q50, q95, belief.sf(threshold)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def smallest_bias_that_reverses(prior: Prior, estimate: float, sd: float, *, threshold: float = 0.0) -> float:
    """The bias in the estimate that brings the mean belief to `threshold`, with its sign; smaller ones reverse nothing.

    An estimate of `estimate - bias` would leave the decision even. Set it against what could plausibly confound.

    >>> round(smallest_bias_that_reverses(Prior("normal", 0.0, 1e6), 0.10, 0.05), 2)
    0.1
    """
    _check(prior, sd)
    weight = prior.spread**2 / (prior.spread**2 + sd**2)
    return estimate - (threshold - (1 - weight) * prior.centre) / weight


def _check(prior: Prior, sd: float) -> None:
    if prior.family != "normal" or prior.spread <= 0:
        raise InputError(where="prior", found=str(prior), allowed="a normal belief, open to either sign")
    if not sd > 0:
        raise InputError(where="sd", found=f"{sd:g}", allowed="a standard error above 0")


def _updated(prior: Prior, estimate: float, sd: float) -> tuple[float, float]:
    """Mean and sd of a normal belief after a normal estimate."""
    weight = prior.spread**2 / (prior.spread**2 + sd**2)
    return prior.centre + weight * (estimate - prior.centre), prior.spread * sqrt(1 - weight)
