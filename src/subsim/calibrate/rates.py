"""The block of rates: arrivals, values, delays, changes, sponsors, tickets, hours and people.

Their likelihoods are in closed form and fall into groups of a few numbers that do not touch each other, so each group
is drawn for itself by importance sampling: exact up to Monte Carlo error, and nothing to compile. A test draws the same
posterior with NUTS.

Logarithms of positive numbers are normal a priori. Segments are pooled: half of the prior variance of a segment's
number is a shift that all segments share, so that the prior of each alone stays what it says.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from subsim.calibrate import importance, rates_data, rates_predict
from subsim.calibrate.block import BlockData, BlockFit, Frame, Sampling
from subsim.calibrate.company import described
from subsim.calibrate.priors import Key, Prior, Priors, prior_draws
from subsim.errors import InputError

if TYPE_CHECKING:
    from subsim.book import Book

Floats = NDArray[np.float64]
PROPOSALS = 4096  # in each round of importance sampling
ENOUGH = 2000.0  # effective draws of a group at which no further round is made
SHARED = 0.5  # share of the prior variance that segments have in common
TREND, SEASON = "arrival.trend", "arrival.season"

#: Numbers that are learned together, because a likelihood or a common shift joins them.
GROUPS: tuple[tuple[str, ...], ...] = (
    ("arrival.plan", "arrival.dispersion"),
    ("value.first_arr", "value.first_arr_sd"),
    ("onboarding.hours",),
    ("onboarding.customer_delay", "onboarding.customer_delay_sd"),
    ("expansion.rate",),
    ("expansion.share", "expansion.share_sd"),
    ("contraction.rate",),
    ("renewal.reactivation",),
    ("sponsor.leave_rate",),
    ("sponsor.returns",),
    ("ticket.rate",),
    ("work.hours",),
    ("seat.leave_rate",),
)


class Rates:
    """The block `rates`."""

    name = "rates"
    parameters = (*rates_data.LOGS, *rates_data.SHARES, TREND, SEASON)

    def summarise(self, book: Book, frame: Frame) -> BlockData:
        """The book's part in sufficient statistics."""
        return rates_data.summarise(book, frame)

    def fit(self, data: BlockData, priors: Priors, frame: Frame, sampling: Sampling) -> BlockFit:
        """Posterior draws given the sums; a group of which nothing speaks keeps prior draws.

        Raises:
            InputError: a prior of a family that the block cannot hold.
        """
        began = time.monotonic()
        check_priors(priors, rates_data.log_keys(frame))
        chains, length = sampling.chains, sampling.draws
        count, effective = chains * length, float(chains * length)
        keys = [key for key in priors if key[0] in self.parameters]
        draws = {key: prior_draws(key, priors[key], chains=chains, draws=length, seed=sampling.seed) for key in keys}
        silent = set(keys)
        for number, group in enumerate(_groups(frame)):
            target = Target.of(group, data, priors, frame)
            if not target.speaks:
                continue
            got = importance.sample(
                target.log_likelihood,
                target.size,
                draws=count,
                proposals=PROPOSALS,
                seed=sampling.seed,
                name=f"{self.name}/{number}",
                enough=ENOUGH,
            )
            effective = min(effective, got.effective)
            found = target.named(got.z)
            draws |= {key: value.reshape(chains, length) for key, value in found.items()}
            silent -= set(found)
        held = {key: np.clip(value, priors[key].low, priors[key].high) for key, value in draws.items()}
        extra = {"silent": frozenset(silent), "checks": rates_predict.checks(data, held, frame, sampling.seed)}
        good = {"rhat_max": 1.0, "ess_bulk_min": effective, "ess_tail_min": effective, "divergences": 0.0}
        return BlockFit(held, good, time.monotonic() - began, extra)


def _groups(frame: Frame) -> list[list[Key]]:
    """Keys that are learned together; numbers without a common shift, such as hours by work type, one by one."""
    known = rates_data.log_keys(frame)
    groups: list[list[Key]] = []
    for names in GROUPS:
        own = [key for key in known if key[0] in names]
        alone = len(names) == 1 and described(names[0]).by not in ((), ("segment",))
        groups += [[key] for key in own] if alone else [own]
    return [group for group in groups if group]


def check_priors(priors: Priors, logs: list[Key]) -> None:
    """Refuse a prior of a family that the block cannot hold."""
    wanted: dict[Key, tuple[str, ...]] = dict.fromkeys(logs, ("lognormal", "fixed"))
    for name in rates_data.SHARES:
        wanted[(name, ())] = ("beta", "fixed")
    wanted[(TREND, ())] = ("normal",)
    for key, families in wanted.items():
        own = priors[key]
        if own.family not in families or (own.fixed and own.centre <= 0):
            raise InputError(
                where=f"prior of {' '.join((key[0], *key[1]))}",
                found=str(own),
                allowed=f"{' or '.join(families)}, around a number above 0",
                do="elicit it from two quantiles of that family",
            )


@dataclass(frozen=True)
class Target:
    """One group, of standard normal numbers: one's own, common shifts, then shares or trend and season."""

    keys: list[Key]
    centre: Floats
    apart: Floats
    together: Floats
    common: NDArray[np.int64]
    cells: Mapping[str, NDArray[Any]]
    shares: tuple[Prior, ...]
    trend: Prior | None
    season_sd: float
    months: tuple[str, ...]

    @classmethod
    def of(cls, keys: list[Key], data: BlockData, priors: Priors, frame: Frame) -> Target:
        """The target of some keys, with the cells that speak about them."""
        place = {key: i for i, key in enumerate(rates_data.log_keys(frame))}
        here = np.full(len(place), -1)
        here[[place[key] for key in keys]] = np.arange(len(keys))
        names = list(dict.fromkeys(key[0] for key in keys))
        own = [priors[key] for key in keys]
        spread = np.array([prior.spread for prior in own])
        pooled = np.array([described(key[0]).by == ("segment",) for key in keys])
        flow = "arrival.plan" in names
        return cls(
            keys=keys,
            centre=np.log([prior.centre for prior in own]),
            apart=spread * np.sqrt(np.where(pooled, 1 - SHARED, 1.0)),
            together=spread * np.sqrt(np.where(pooled, SHARED, 0.0)),
            common=np.array([names.index(key[0]) for key in keys]),
            cells=_cells_of(data.cells, here),
            shares=tuple(priors[(name, ())] for name in rates_data.SHARES) if "expansion.rate" in names else (),
            trend=priors[(TREND, ())] if flow else None,
            season_sd=priors[(SEASON, (frame.month[0],))].spread,
            months=frame.month if flow else (),
        )

    @property
    def speaks(self) -> bool:
        """Whether the book says anything about the group, were it only that nothing happened."""
        return any(len(values) for values in self.cells.values())

    @property
    def size(self) -> int:
        """Dimensions of the argument."""
        shifts = int(self.common.max()) + 1
        return len(self.keys) + shifts + len(self.shares) + (1 + len(self.months) if self.trend else 0)

    def _parts(self, theta: Floats) -> tuple[Floats, Floats]:
        """Logarithms of the group's numbers (n, keys), and what follows the shifts."""
        own, shifts = len(self.keys), int(self.common.max()) + 1
        x = self.centre + self.apart * theta[:, :own] + self.together * theta[:, own : own + shifts][:, self.common]
        return x, theta[:, own + shifts :]

    def log_likelihood(self, theta: Floats) -> Floats:
        """Logarithm of the likelihood of some points, up to a constant."""
        x, rest = self._parts(theta)
        with np.errstate(over="ignore", invalid="ignore"):
            total = _power(self.cells, x, np.log(self._shares(rest)) if self.shares else None)
            total = total + _normal(self.cells, x) + _censored(self.cells, x)
            total = total + self._months(x, rest) if self.trend else total
        return np.where(np.isfinite(total), total, -1e300)

    def _shares(self, rest: Floats) -> Floats:
        return np.maximum(importance.priors_to_values(self.shares, rest[:, : len(self.shares)]), 1e-12)

    def _season(self, rest: Floats) -> Floats:
        raw = rest[:, 1:] * self.season_sd
        return np.asarray(raw - raw.mean(axis=1, keepdims=True))

    def _trend(self, rest: Floats) -> Floats:
        trend = self.trend
        return rest[:, 0] if trend is None else np.asarray(trend.centre + trend.spread * rest[:, 0])

    def _months(self, x: Floats, rest: Floats) -> Floats:
        c = self.cells
        k = np.exp(x[:, [self.keys.index(("arrival.dispersion", ()))]])
        log_new = x[:, c["month_at"]] + self._trend(rest)[:, None] * c["month_years"]
        log_new = log_new + self._season(rest)[:, c["month_of"]]
        n = c["month_count"]
        terms = special.gammaln(n + k) - special.gammaln(k) + n * (log_new - np.log(k))
        return np.asarray((terms - (n + k) * np.log1p(np.exp(log_new) / k)).sum(axis=1))

    def named(self, theta: Floats) -> dict[Key, Floats]:
        """Draws by key, on the catalogue's scale."""
        x, rest = self._parts(theta)
        found = {key: np.exp(x[:, i]) for i, key in enumerate(self.keys)}
        if self.shares:
            shares = self._shares(rest)
            found |= {(name, ()): shares[:, i] for i, name in enumerate(rates_data.SHARES)}
        if self.trend:
            found[(TREND, ())] = self._trend(rest)
            found |= {(SEASON, (name,)): column for name, column in zip(self.months, self._season(rest).T, strict=True)}
        return found


def _cells_of(cells: Mapping[str, NDArray[Any]], here: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Cells of the numbers that have a place, with that place."""
    chosen: dict[str, NDArray[Any]] = {}
    for names in rates_data.FORMS.values():
        mine = here[cells[names[0]]] >= 0
        for name in names:
            values = cells[name][mine]
            chosen[name] = here[values] if name.endswith(("_at", "_sd")) else values
    return chosen


def _power(c: Mapping[str, NDArray[Any]], x: Floats, log_shares: Floats | None) -> Floats:
    log_rate = x[:, c["power_at"]]
    if log_shares is not None:
        log_rate = log_rate + c["power_win"] * log_shares[:, [0]] + c["power_self"] * log_shares[:, [1]]
    return np.asarray((c["power_a"] * log_rate - c["power_b"] * np.exp(c["power_p"] * log_rate)).sum(axis=1))


def _normal(c: Mapping[str, NDArray[Any]], x: Floats) -> Floats:
    mean, log_sd = x[:, c["normal_at"]], x[:, c["normal_sd"]]
    squares = c["normal_squares"] - 2 * mean * c["normal_sum"] + c["normal_n"] * mean**2
    return np.asarray((-c["normal_n"] * log_sd - 0.5 * squares * np.exp(-2 * log_sd)).sum(axis=1))


def _censored(c: Mapping[str, NDArray[Any]], x: Floats) -> Floats:
    beyond = c["censored_sign"] * (x[:, c["censored_at"]] - c["censored_log"]) * np.exp(-x[:, c["censored_sd"]])
    return np.asarray((c["censored_n"] * special.log_ndtr(beyond)).sum(axis=1))
