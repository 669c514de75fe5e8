"""Renewal block: who renews, who contracts at it, who leaves inside a term.

Learned are the level of each segment, how far accounts differ (frailty), drift with the number of renewals, terms,
losses out of anybody's control, and how losses go with engagement. What an unfinished onboarding, a missing sponsor, a
higher price or a missed preparation *do* is not learned from who happened to have them: the likelihood holds an
association for each, which is reported beside; the effect keeps its prior, and each draw sets the segment's level so
that the observed losses come out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special, stats

from subsim.calibrate import importance
from subsim.calibrate.block import BlockData, BlockFit, Frame, Sampling
from subsim.calibrate.priors import Key, Prior, Priors, catalogue_prior, prior_draws
from subsim.calibrate.renewal_cells import CONCESSION, MEANS, PAST_MEANS, cells, contraction_cells
from subsim.calibrate.renewal_model import (
    BASE,
    BETA,
    BY_SEGMENT,
    COMPANY,
    GAMMA,
    NODES,
    ODDS,
    contractions,
    log_likelihood,
    stacked,
)
from subsim.calibrate.renewal_paths import decisions, observed, paths
from subsim.calibrate.spells import YEAR_DAYS, spells
from subsim.model.catalogue import parameter
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity

if TYPE_CHECKING:
    from subsim.book import Book

Floats = NDArray[np.float64]

SHARED = 0.5  # share of the prior variance that segments have in common
#: Sd of how far an association may lie from the effect it looks like, so that the data, not the prior, set it.
BIAS = 1.0
OF_CONTRACTION = "renewal.contraction_engagement"
#: Effects that keep their prior, and where their share of decisions stands in the cells.
ASSOCIATED = {
    "renewal.not_onboarded": "onb",
    "renewal.no_sponsor": "sp",
    "renewal.prep_missed": "prep",
    "renewal.price": "price",
    OF_CONTRACTION: "c_e",
}
MATCHED = 8  # rounds in which the odds of contraction are matched; each leaves less than half of the gap
FEW = 30
PROPOSALS, ENOUGH = 4_000, 1_000  # points looked at in a round; effective draws at which no more are made
ELEMENTS = 400_000  # of one array at a time
GRID = 2001  # points of the posteriors of single numbers
MIXING_SD = 1.0  # of the logarithm of the Beta's shapes where their prior is fixed but the Beta is chosen


class Renewal:
    """The block of `subsim.calibrate.block.Block` for renewals."""

    name = "renewal"
    parameters = (*COMPANY, *BY_SEGMENT, *GAMMA, *BETA, "renewal.in_term_loss", "renewal.contraction_keep")

    def summarise(self, book: Book, frame: Frame) -> BlockData:
        """Paths of renewal decisions in cells, contractions at renewals, losses inside terms."""
        seen = observed(book)
        table = paths(seen)
        found = cells(table, frame.segment)
        rows = int(found["n"].sum())
        if rows:
            persists = (table["u"] ** 2 + table["uv"]).groupby(table["segment"]).mean()
            found["spread"] = persists.reindex(frame.segment).fillna(persists.mean()).to_numpy(float)
        else:
            found["spread"] = np.full(len(frame.segment), 1.0)
        shrunk, kept = contraction_cells(_renewed(seen), frame.segment)
        losses, years = _in_term(book, frame)
        found |= shrunk | {"kept": kept, "in_term": losses, "stay_years": years}
        return BlockData(rows, found, _events(found, frame), _notes(found, frame))

    def fit(self, data: BlockData, priors: Priors, frame: Frame, sampling: Sampling) -> BlockFit:
        """Posterior draws given the cells: importance draws, nothing is compiled."""
        began = time.monotonic()
        own = {key: priors.get(key) or catalogue_prior(key) for key in _keys(frame)}
        size = {"chains": sampling.chains, "draws": sampling.draws, "seed": sampling.seed}
        draws = {key: prior_draws(key, prior, **size) for key, prior in own.items()}
        keep_size = catalogue_prior(("renewal.contraction_keep_size", ())).centre
        draws |= _singles(data, own, draws, keep_size)
        count = sampling.chains * sampling.draws
        worth, extra = float(count), {}
        if data.rows:
            keep = float(draws["renewal.contraction_keep", ()].mean())
            seen = float(stats.beta.cdf(1 - CONCESSION, keep * keep_size, (1 - keep) * keep_size))
            target = Target(data, own, priors, frame, seen)
            found = importance.sample(
                importance.chunked(target, target.points),
                target.numbers,
                draws=count,
                proposals=PROPOSALS,
                seed=sampling.seed,
                name=self.name,
                enough=min(ENOUGH, count),
            )
            worth = found.effective
            z = found.z.reshape(sampling.chains, sampling.draws, -1)
            learned, associations = _assemble(*target.values(z), data, draws, frame)
            draws |= {key: np.clip(value, own[key].low, own[key].high) for key, value in learned.items()}
            extra = {"associations": associations}
        diagnostics = {"rhat_max": 1.0, "ess_bulk_min": worth, "ess_tail_min": worth, "divergences": 0.0}
        return BlockFit(draws, diagnostics, time.monotonic() - began, extra)


class Target:
    """The log likelihood of a book's cells as a function of standard normal numbers.

    In this order: one for each of COMPANY; for each of BY_SEGMENT what segments share, then one for each segment; one
    for each mixing parameter and segment.
    """

    def __init__(self, data: BlockData, own: Mapping[Key, Prior], priors: Priors, frame: Frame, seen: float) -> None:
        self.cells = stacked(data.cells)
        keys = [("arrival.fit_mean", (segment,)) for segment in frame.segment]
        self.cells["fit_mean"] = np.array([(priors.get(key) or catalogue_prior(key)).centre for key in keys])
        self.seen = seen
        self.company = [own[name, ()] for name in COMPANY]
        for i, name in enumerate(COMPANY):
            if name in ASSOCIATED:
                prior = self.company[i]
                self.company[i] = replace(prior, family="normal", spread=float(np.hypot(prior.sd, BIAS)))
        mixing = priors.get(MIX) or catalogue_prior(MIX)
        self.mixing = BETA if mixing.centre > 0.5 else GAMMA
        self.rows = [[own[name, (segment,)] for segment in frame.segment] for name in BY_SEGMENT]
        self.mixed = [[_open(own[name, (segment,)]) for segment in frame.segment] for name in self.mixing]
        self.segments = len(frame.segment)
        self.numbers = len(COMPANY) + len(BY_SEGMENT) * (self.segments + 1) + len(self.mixing) * self.segments
        self.points = max(1, ELEMENTS // (len(data.cells["n"]) * NODES + 1))

    def values(self, z: Floats) -> tuple[Floats, list[Floats], list[Floats]]:
        """`w`, `x` and `mix` of `renewal_model.log_likelihood`, for z [..., numbers]."""
        w = importance.priors_to_values(self.company, z[..., : len(COMPANY)])
        at, x, mix = len(COMPANY), [], []
        for row in self.rows:
            own = np.sqrt(SHARED) * z[..., at, None] + np.sqrt(1 - SHARED) * z[..., at + 1 : at + 1 + self.segments]
            x.append(importance.priors_to_values(row, own))
            at += 1 + self.segments
        for row in self.mixed:
            mix.append(np.maximum(importance.priors_to_values(row, z[..., at : at + self.segments]), 1e-8))
            at += self.segments
        return w, x, mix

    def __call__(self, z: Floats) -> Floats:
        """Log likelihood of each point."""
        w, x, mix = self.values(z)
        paths = log_likelihood(np, self.cells, w, x, mix) @ self.cells["n"]
        return np.asarray(paths + contractions(np, self.cells, w, x, self.seen).sum(-1))


def _open(prior: Prior) -> Prior:
    """A prior for the Beta's shapes where it is chosen and nothing is said of them."""
    if prior.fixed and prior.centre > 0 and prior.low > 0:
        return replace(prior, family="lognormal", spread=MIXING_SD)
    return prior


MIX: Key = ("renewal.beta_mixing", ())


def _keys(frame: Frame) -> list[Key]:
    return [
        (name, names)
        for name in Renewal.parameters
        for names in ([(own,) for own in frame.segment] if parameter(name).by else [()])
    ]


def _renewed(table: pd.DataFrame) -> pd.DataFrame:
    """Renewals with the change of ARR beyond the usual rise of price."""
    if table.empty:
        return table
    table = table[table["renewed"] & (table["before"] > 0) & (table["after"] > 0)]
    return table.assign(change=table["after"] / table["before"] / np.exp(np.maximum(table["price"], 0.0)))


def _in_term(book: Book, frame: Frame) -> tuple[Floats, Floats]:
    """Losses inside terms, and years of customers, by segment."""
    table = decisions(book)
    lost = table.loc[table["in_term"], "segment"].value_counts()
    stays = spells(book)
    years = ((stays["end"] - stays["begin"]) / YEAR_DAYS).groupby(stays["segment"]).sum()
    return tuple(part.reindex(frame.segment, fill_value=0).to_numpy(float) for part in (lost, years))  # type: ignore[return-value]


def _events(found: dict[str, Any], frame: Frame) -> dict[Key, int]:
    """Decisions that speak about each number; losses for what only losses tell."""
    events: dict[Key, int] = {}
    n, own = found["n"], found["segment"]
    seen = n * (found["k"] - found["entry"])
    gone = n * (1 - found["alive"])
    for i, segment in enumerate(frame.segment):
        here = own == i
        events |= {("renewal.base", (segment,)): int(seen[here].sum())}
        events |= {(name, (segment,)): int(seen[here & (found["k"] > 1)].sum()) for name in GAMMA}
        events["renewal.drift", (segment,)] = events["renewal.frailty", (segment,)]
        events["renewal.uncontrollable", (segment,)] = int((n * found["uncontrolled"])[here].sum())
        events["renewal.contraction", (segment,)] = int(found["c_n"][found["c_segment"] == i].sum())
        events["renewal.in_term_loss", (segment,)] = int(found["in_term"][i])
    events["renewal.engagement", ()] = int(gone[found["v"] + found["uv"] < found["spread"][own] + 1.0].sum())
    events["renewal.monthly_effect", ()] = int((seen * found["monthly"]).sum())
    events["renewal.multi_year_effect", ()] = int((seen * found["multi"]).sum())
    events["renewal.contraction_keep", ()] = len(found["kept"])
    return events


def _notes(found: dict[str, Any], frame: Frame) -> tuple[str, ...]:
    n = found["n"]
    if not n.sum():
        return ("No renewal has been decided yet: renewals keep their priors.",)
    notes = []
    lost = float((n * (1 - found["alive"])).sum())
    if lost == 0:
        notes.append("No renewal was lost: the book says only that losses are rare.")
    elif float((n * found["alive"]).sum()) == 0:
        notes.append("Every renewal was lost: the book says only that losses are usual.")
    elif lost < FEW:
        notes.append(f"Only {lost:.0f} renewals were lost: what goes with losses stays near its priors.")
    later = float(n[found["k"] > 1].sum())
    if later < FEW:
        what = "differences between accounts and drift keep their priors"
        notes.append(f"Only {later:.0f} accounts came to a second renewal: {what}.")
    for i, segment in enumerate(frame.segment):
        if not np.any(found["segment"] == i):
            notes.append(f"No renewal in {segment}: it takes after the other segments and its prior.")
    if np.any(found["in_term"] > 0):
        notes.append(f"{found['in_term'].sum():.0f} losses inside terms of a year or more are counted apart.")
    return tuple(notes)


def _assemble(
    w: Floats, x: list[Floats], mix: list[Floats], data: BlockData, prior: dict[Key, Floats], frame: Frame
) -> tuple[dict[Key, Floats], list[dict[str, Any]]]:
    """Draws by key: learned numbers; effects stay at their priors and the levels are set to make up for it."""
    found = {name: w[..., i] for i, name in enumerate(COMPANY)}
    draws: dict[Key, Floats] = {(name, ()): value for name, value in found.items() if name not in ASSOCIATED}
    level = _shifts(found, data, prior, len(frame.segment))
    beta_mixing = len(mix) > 1
    for j, segment in enumerate(frame.segment):
        for i, name in enumerate(BY_SEGMENT):
            draws[name, (segment,)] = x[i][..., j]
        slopes = found[OF_CONTRACTION], prior[OF_CONTRACTION, ()]
        draws["renewal.contraction", (segment,)] = matched_odds(x[ODDS][..., j], *slopes, data.cells, j)
        if beta_mixing:  # the level is in the shapes: mean hazard is nearly alpha over beta
            del draws["renewal.base", (segment,)]
            draws["renewal.beta_alpha", (segment,)] = mix[0][..., j]
            draws["renewal.beta_beta", (segment,)] = mix[1][..., j] * np.exp(-level[..., j])
        else:
            draws["renewal.base", (segment,)] = x[BASE][..., j] + level[..., j]
            draws["renewal.frailty", (segment,)] = mix[0][..., j]
    quantiles = {name: np.quantile(found[name], [0.05, 0.5, 0.95]).tolist() for name in ASSOCIATED}
    associations = [
        {"name": f"association.{name}", "beside": name, "q05": low, "q50": middle, "q95": high}
        for name, (low, middle, high) in quantiles.items()
    ]
    return draws, associations


def matched_odds(odds: Floats, found: Floats, effect: Floats, d: Mapping[str, Any], segment: int) -> Floats:
    """Log odds with which as many renewals contract under the effect of engagement as under the association found.

    Matched is the mean over the segment's renewals and not the odds at mean engagement: with a steeper slope those of
    low engagement contract more often than those of high engagement do less.
    """
    here = d["c_segment"] == segment
    if not here.any():
        return odds
    e, v, weight = d["c_e"][here], d["c_v"][here], d["c_n"][here] / d["c_n"][here].sum()

    def share(level: Floats, slope: Floats) -> Floats:
        """Log odds of the share that contracts."""
        steep = slope[..., None]
        at = (level[..., None] - steep * e) / np.sqrt(1 + np.pi / 8 * steep**2 * v)
        return np.asarray(special.logit(np.clip(special.expit(at) @ weight, 1e-12, 1 - 1e-12)))

    wanted, level = share(odds, found), odds
    for _ in range(MATCHED):
        level = level + wanted - share(level, effect)
    return level


def _shifts(w: dict[str, Floats], data: BlockData, prior: dict[Key, Floats], segments: int) -> Floats:
    """What each segment's level makes up for where effects stand in for associations."""
    level = np.zeros((*w["renewal.price"].shape, segments))
    d = data.cells
    for j in range(segments):
        here = d["segment"] == j
        for name, column in ASSOCIATED.items():
            found, effect = w[name], prior[name, ()]
            if name == OF_CONTRACTION:
                continue
            share = _mean(d[column][here], d["n"][here])
            if column == "price":
                level[..., j] += (found - effect) * share
            else:
                level[..., j] += np.log1p(share * np.expm1(found)) - np.log1p(share * np.expm1(effect))
    return level


def survival(
    draws: Mapping[Key, Floats], data: BlockData, frame: Frame, segment: str, months: int, renewals: int
) -> Floats:
    """Posterior share of a segment's new customers that renew 1, 2, ... `renewals` times: [draws, renewals].

    For customers like those of the book: its mean covariates, and nothing known of the single one. Losses inside terms
    are not in it.
    """
    place = frame.segment.index(segment)
    here = data.cells["segment"] == place
    weight = data.cells["n"][here]
    zero, number = np.zeros(renewals), np.arange(1.0, renewals + 1)
    cells: dict[str, Any] = dict.fromkeys(data.cells, zero)
    for name in (*MEANS, *PAST_MEANS):
        cells[name] = zero + _mean(data.cells[name][here], weight)
    cells |= {"segment": zero.astype(int) + place, "k": number, "entry": zero, "alive": zero + 1, "n": zero + 1}
    cells |= {"years": zero + months / 12, "monthly": zero + (months < 12), "multi": zero + (months > 12)}
    cells |= {"u": zero, "uv": zero + data.cells["spread"][place], "spread": data.cells["spread"]}
    flat = {key: value.reshape(-1) for key, value in draws.items()}
    w = np.stack([flat[name, ()] for name in COMPANY], axis=-1)
    x = [np.stack([flat[name, (own,)] for own in frame.segment], axis=-1) for name in BY_SEGMENT]
    mix = np.stack([flat["renewal.frailty", (own,)] for own in frame.segment], axis=-1)
    return np.asarray(
        np.exp(log_likelihood(np, stacked(cells) | {"fit_mean": np.zeros(len(frame.segment))}, w, x, [mix]))
    )


def _mean(values: Floats, weights: Floats) -> float:
    return float((values * weights).sum() / max(weights.sum(), 1e-9))


def _singles(data: BlockData, own: dict[Key, Prior], draws: dict[Key, Floats], keep_size: float) -> dict[Key, Floats]:
    """Numbers that nothing else depends on: the kept share of a contraction, and losses inside terms."""
    found: dict[Key, Floats] = {}
    for i, key in enumerate(key for key in own if key[0] == "renewal.in_term_loss"):
        count, years = (float(data.cells[name][i]) for name in ("in_term", "stay_years"))
        if count:
            # Off unless the data show one: then the rate itself, under Jeffreys' prior, or the user's own.
            u = _uniforms(key, draws[key])
            vague = Prior("gamma", (count + 0.5) / years, count + 0.5)
            if own[key].fixed:
                found[key] = vague.quantile(u)
            else:
                found[key] = _on_grid(
                    own[key], u, vague.quantile(1e-9), vague.quantile(1 - 1e-9),
                    lambda rate, n=count, t=years: n * np.log(rate) - rate * t,
                )  # fmt: skip
    key = ("renewal.contraction_keep", ())
    kept = data.cells["kept"]
    if len(kept) and not own[key].fixed:
        logs, n = (float(np.log(kept).sum()), float(np.log1p(-kept).sum())), len(kept)

        def likelihood(mean: Floats) -> Floats:
            a, b = mean * keep_size, (1 - mean) * keep_size
            below = np.log(np.maximum(stats.beta.cdf(1 - CONCESSION, a, b), 1e-300))
            return np.asarray(n * (-special.betaln(a, b) - below) + (a - 1) * logs[0] + (b - 1) * logs[1])

        found[key] = _on_grid(own[key], _uniforms(key, draws[key]), 0.01, 0.99, likelihood)
    return found


def _uniforms(key: Key, like: Floats) -> Floats:
    """Keyed uniforms, evenly spread, in the shape of some draws."""
    count = like.size
    entity = name_entity("calibrate/renewal/" + "|".join((key[0], *key[1])))
    order = np.argsort(uniform_array(1, np.arange(count), Purpose.PARAMETER, entity, 0), kind="stable")
    return np.asarray(((order + 0.5) / count).reshape(like.shape))


def _on_grid(prior: Prior, u: Floats, low: Any, high: Any, likelihood: Any) -> Floats:
    """Quantiles of the posterior of one number, on a grid."""
    grid = np.linspace(float(low), float(high), GRID)
    log_density = prior.log_density(grid) + likelihood(grid)
    density = np.exp(log_density - log_density.max())
    below = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return np.asarray(np.interp(u, below / below[-1], grid))
