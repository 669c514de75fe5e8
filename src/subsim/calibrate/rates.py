"""The block of rates: arrivals, values, delays, changes, sponsors, tickets, hours and people, in one model.

Their likelihoods do not touch each other but for two shared chances; they are one model because compiling costs far
more than sampling. Logarithms of positive numbers are normal a priori. Segments are pooled: half of the prior variance
of a segment's number is a shift that all segments share, so that the prior of each alone stays what it says.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from subsim.calibrate import fit, rates_data
from subsim.calibrate.block import BlockData, BlockFit, Frame, Sampling
from subsim.calibrate.company import described
from subsim.calibrate.priors import Key, Prior, Priors, prior_draws
from subsim.errors import InputError

if TYPE_CHECKING:
    from subsim.book import Book

SHARED = 0.5  # share of the prior variance that segments have in common
Floats = NDArray[np.float64]


class Rates:
    """The block `rates`."""

    name = "rates"
    parameters = (*rates_data.LOGS, *rates_data.SHARES, "arrival.trend", "arrival.season")

    def summarise(self, book: Book, frame: Frame) -> BlockData:
        """The book's part in sufficient statistics."""
        return rates_data.summarise(book, frame)

    def fit(self, data: BlockData, priors: Priors, frame: Frame, sampling: Sampling) -> BlockFit:
        """Posterior draws given the sums.

        Raises:
            InputError: a prior of a family that the block cannot hold, or the calibration extra is missing.
        """
        began = time.monotonic()
        logs = rates_data.log_keys(frame)
        _check(priors, logs)
        if not data.rows:
            return self._prior_alone(priors, frame, sampling, began)
        keep = ["x", "log_share", "trend", "season"]
        got = fit.sample(
            self.name, _model, _inputs(data, priors, logs), sampling, keep, form=(len(logs), len(rates_data.LOGS))
        )
        draws = {key: np.exp(got.draws["x"][..., i]) for i, key in enumerate(logs)}
        draws |= {(name, ()): np.exp(got.draws["log_share"][..., i]) for i, name in enumerate(rates_data.SHARES)}
        draws[("arrival.trend", ())] = got.draws["trend"]
        season = got.draws["season"]
        draws |= {("arrival.season", (name,)): season[..., i] for i, name in enumerate(frame.month)}
        held = {key: np.clip(value, priors[key].low, priors[key].high) for key, value in draws.items()}
        return BlockFit(held, got.diagnostics, time.monotonic() - began)

    def _prior_alone(self, priors: Priors, frame: Frame, sampling: Sampling, began: float) -> BlockFit:
        keys = [key for key in priors if key[0] in self.parameters]
        draws = {
            key: prior_draws(key, priors[key], chains=sampling.chains, draws=sampling.draws, seed=sampling.seed)
            for key in keys
        }
        count = float(sampling.chains * sampling.draws)
        good = {"rhat_max": 1.0, "ess_bulk_min": count, "ess_tail_min": count, "divergences": 0.0}
        return BlockFit(draws, good, time.monotonic() - began, {"frame": frame})


def _check(priors: Priors, logs: list[Key]) -> None:
    wanted = dict.fromkeys(logs, ("lognormal", "fixed"))
    wanted |= {(name, ()): ("beta", "fixed") for name in rates_data.SHARES} | {("arrival.trend", ()): ("normal",)}
    for key, families in wanted.items():
        own = priors[key]
        if own.family not in families or (own.fixed and own.centre <= 0):
            raise InputError(
                where=f"prior of {' '.join((key[0], *key[1]))}",
                found=str(own),
                allowed=f"{' or '.join(families)}, around a number above 0",
                do="elicit it from two quantiles of that family",
            )


def _inputs(data: BlockData, priors: Priors, logs: list[Key]) -> dict[str, Any]:
    """Cells and priors as the model takes them."""
    own = [priors[key] for key in logs]
    pooled = np.array([described(key[0]).by == ("segment",) for key in logs])
    spread = np.array([prior.spread for prior in own])
    shares = [priors[(name, ())] for name in rates_data.SHARES]
    trend, season = priors[("arrival.trend", ())], priors[("arrival.season", ("january",))]
    return dict(data.cells) | {
        "centre": np.log([prior.centre for prior in own]),
        "apart": spread * np.sqrt(np.where(pooled, 1 - SHARED, 1.0)),
        "together": spread * np.sqrt(np.where(pooled, SHARED, 0.0)),
        "group": np.array([rates_data.LOGS.index(key[0]) for key in logs]),
        "share_a": np.array([_sizes(prior)[0] for prior in shares]),
        "share_b": np.array([_sizes(prior)[1] for prior in shares]),
        "trend_prior": np.array([trend.centre, trend.spread]),
        "season_sd": np.array([season.spread]),
        "dispersion_at": np.array([logs.index(("arrival.dispersion", ()))]),
    }


def _sizes(prior: Prior) -> tuple[float, float]:
    size = 1e7 if prior.fixed else prior.spread
    return prior.centre * size, (1 - prior.centre) * size


def _model(data: Mapping[str, Any]) -> Any:
    """The model; data is `pm.Data` throughout, so that one compiled model serves every book of this shape."""
    pm, pt = fit.load("pymc"), fit.load("pytensor.tensor")
    with pm.Model() as model:
        d = {name: pm.Data(name, np.asarray(value)) for name, value in data.items()}
        z = pm.Normal("z", 0.0, 1.0, shape=len(data["centre"]))
        common = pm.Normal("common", 0.0, 1.0, shape=len(rates_data.LOGS))
        x = pm.Deterministic("x", d["centre"] + d["apart"] * z + d["together"] * common[d["group"]])
        share = pm.Beta("share", d["share_a"], d["share_b"], shape=len(rates_data.SHARES))
        log_share = pm.Deterministic("log_share", pt.log(share))
        trend = pm.Normal("trend", d["trend_prior"][0], d["trend_prior"][1])
        season = pm.ZeroSumNormal("season", d["season_sd"][0], shape=12)

        log_rate = x[d["power_at"]] + d["power_win"] * log_share[0] + d["power_self"] * log_share[1]
        pm.Potential("power", (d["power_a"] * log_rate - d["power_b"] * pt.exp(d["power_p"] * log_rate)).sum())

        mean, log_sd = x[d["normal_at"]], x[d["normal_sd"]]
        squares = d["normal_squares"] - 2 * mean * d["normal_sum"] + d["normal_n"] * mean**2
        pm.Potential("normal", (-d["normal_n"] * log_sd - 0.5 * squares * pt.exp(-2 * log_sd)).sum())

        beyond = (x[d["censored_at"]] - d["censored_log"]) * pt.exp(-x[d["censored_sd"]]) * d["censored_sign"]
        pm.Potential("censored", (d["censored_n"] * pt.log(0.5 * pt.erfc(-beyond / np.sqrt(2.0)) + 1e-300)).sum())

        k = pt.exp(x[d["dispersion_at"]][0])
        log_new = x[d["month_at"]] + trend * d["month_years"] + season[d["month_of"]]
        n = d["month_count"]
        months = pt.gammaln(n + k) - pt.gammaln(k) + n * (log_new - pt.log(k)) - (n + k) * pt.log1p(pt.exp(log_new) / k)
        pm.Potential("months", months.sum())
    return model
