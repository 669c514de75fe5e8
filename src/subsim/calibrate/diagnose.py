"""Whether a posterior may be believed: PASS, REVIEW or FAIL, each with what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from subsim.calibrate.priors import Key, Prior, label_of

Floats = NDArray[np.float64]
Status = Literal["PASS", "REVIEW", "FAIL"]

RHAT_PASS, RHAT_FAIL = 1.01, 1.05
ESS_PASS, ESS_FAIL = 400.0, 100.0
DIVERGENT_SHARE = 0.01  # of all draws; more fails
FAR = 0.005  # a posterior median beyond this tail of the prior is a surprise
SENSITIVE = 0.3  # standard deviations that the mean moves when the prior's power is doubled
LOW_POWER, HIGH_POWER = 0.8, 1.25
NAMED = 5  # parameters that a check names before it counts the rest


@dataclass(frozen=True)
class Check:
    """One question put to the posterior and its answer."""

    name: str
    status: Status
    value: float
    advice: str = ""

    def to_dict(self) -> dict[str, object]:
        """JSON-ready; a value that is not finite is null."""
        value = self.value if np.isfinite(self.value) else None
        return {"name": self.name, "status": self.status, "value": value, "advice": self.advice}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Check:
        """The check that `to_dict` wrote."""
        value = np.nan if row["value"] is None else row["value"]
        return cls(row["name"], row["status"], value, row["advice"])


def worst(statuses: Iterable[str]) -> Status:
    """FAIL before REVIEW before PASS."""
    known = set(statuses)
    return "FAIL" if "FAIL" in known else "REVIEW" if "REVIEW" in known else "PASS"


def chain_checks(block: str, diagnostics: Mapping[str, float], draws: int) -> list[Check]:
    """Convergence and size of one block's chains, of `draws` draws in all."""
    rhat = diagnostics["rhat_max"]
    checks = [
        Check(
            f"{block}: R-hat",
            "PASS" if rhat < RHAT_PASS else "REVIEW" if rhat < RHAT_FAIL else "FAIL",
            rhat,
            "" if rhat < RHAT_PASS else "chains disagree; sample longer (--tune, --draws)",
        )
    ]
    for kind in ("bulk", "tail"):
        size = diagnostics[f"ess_{kind}_min"]
        good = size > min(ESS_PASS, 0.99 * draws)
        checks.append(
            Check(
                f"{block}: {kind} ESS",
                "PASS" if good else "REVIEW" if size > min(ESS_FAIL, 0.25 * draws) else "FAIL",
                size,
                "" if good else f"fewer than {ESS_PASS:.0f} effective draws; raise --draws",
            )
        )
    count = diagnostics["divergences"]
    advice = "" if count == 0 else "the sampler missed corners; tighten the widest priors, or --tune more"
    status: Status = "PASS" if count == 0 else "REVIEW" if count <= DIVERGENT_SHARE * draws else "FAIL"
    return [*checks, Check(f"{block}: divergences", status, count, advice)]


def shift_check(priors: Mapping[Key, Prior], posterior: Mapping[Key, Floats]) -> Check:
    """How many posteriors lie outside 99 % of their prior."""
    far = []
    for key, draws in posterior.items():
        own = priors[key]
        if not own.fixed:
            below = float(own.distribution().cdf(np.median(draws)))
            if min(below, 1 - below) < FAR:
                far.append(key)
    advice = f"the book contradicts the prior of {_names(far)}; check units and dates, or state another prior"
    return Check("prior against data", "REVIEW" if far else "PASS", float(len(far)), advice if far else "")


def sensitivity(own: Prior, draws: Floats) -> float:
    """Standard deviations by which the mean moves when the prior is raised to twice its power, by importance weights.

    Power scaling of Kallioinen and others (2023), with powers 0.8 and 1.25; 0 where the number is fixed.
    """
    spread = float(draws.std())
    if own.fixed or spread == 0:
        return 0.0
    logs = own.log_density(draws)
    logs = np.where(np.isfinite(logs), logs, logs[np.isfinite(logs)].min(initial=0.0))
    means = []
    for power in (LOW_POWER, HIGH_POWER):
        weights = np.exp((power - 1) * (logs - logs.max()))
        means.append(float((weights * draws).sum() / weights.sum()))
    return abs(means[1] - means[0]) / spread / float(np.log2(HIGH_POWER / LOW_POWER))


def sensitivity_check(values: Mapping[Key, float]) -> Check:
    """Which learned numbers still lean on their prior."""
    leaning = sorted((key for key, value in values.items() if value > SENSITIVE), key=lambda key: -values[key])
    advice = f"the prior moves {_names(leaning)}; say where it comes from, or read these with care"
    largest = max(values.values(), default=0.0)
    return Check("prior sensitivity", "REVIEW" if leaning else "PASS", largest, advice if leaning else "")


def predictive_check(name: str, observed: float, predicted: Floats, unit: str = "") -> Check:
    """Whether a quantity of the book looks like one that the posterior would make; the value is its predictive rank."""
    rank = float(((predicted < observed).mean() + (predicted <= observed).mean()) / 2)
    low, high = np.quantile(predicted, [0.05, 0.95])
    band = f"{observed:,.4g}{unit} in the book, {low:,.4g} to {high:,.4g} predicted (90 %)"
    good = 0.01 <= rank <= 0.99
    return Check(f"predictive: {name}", "PASS" if good else "REVIEW", rank, band)


def _names(keys: Sequence[Key]) -> str:
    shown = ", ".join(label_of(key) for key in keys[:NAMED])
    return shown + (f" and {len(keys) - NAMED} more" if len(keys) > NAMED else "")
