"""Renewal block: who renews, who contracts at it, who leaves inside a term.

Learned are the level of each segment, how far accounts differ (frailty), drift with the number of renewals, terms,
losses out of anybody's control, and how losses go with engagement. What an unfinished onboarding, a missing sponsor, a
higher price or a missed preparation *do* is not learned from who happened to have them: the likelihood holds an
association for each, which is reported beside; the effect keeps its prior, and each draw sets the segment's level so
that the observed losses come out.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from subsim.calibrate import fit
from subsim.calibrate.block import BlockData, BlockFit, Frame, Sampling
from subsim.calibrate.priors import Key, Prior, Priors, catalogue_prior, prior_draws
from subsim.calibrate.renewal_cells import CONCESSION, cells, contraction_cells
from subsim.calibrate.renewal_model import BY_SEGMENT, COMPANY, LOGARITHM, MIXING, model, stacked
from subsim.calibrate.renewal_paths import decisions, observed, paths
from subsim.calibrate.spells import YEAR_DAYS, spells
from subsim.errors import InputError
from subsim.model.catalogue import parameter
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity

if TYPE_CHECKING:
    from subsim.book import Book

Floats = NDArray[np.float64]

SHARED = 0.5  # share of the prior variance that segments have in common
#: Sd of how far an association may lie from the effect it looks like, so that the data, not the prior, set it.
BIAS = 1.0
#: Effects that keep their prior, and where their share of decisions stands in the cells.
ASSOCIATED = {
    "renewal.not_onboarded": "onb",
    "renewal.no_sponsor": "sp",
    "renewal.prep_missed": "prep",
    "renewal.price": "price",
    "renewal.contraction_engagement": "c_e",
}
FEW = 30
GRID = 2001  # points of the posteriors of single numbers
MIXING_SD = 1.0  # of the logarithm of the Beta's shapes where their prior is fixed but the Beta is chosen


class Renewal:
    """The block of `subsim.calibrate.block.Block` for renewals."""

    name = "renewal"
    parameters = (
        *BY_SEGMENT,
        *MIXING[False],
        *MIXING[True],
        *COMPANY,
        "renewal.in_term_loss",
        "renewal.contraction_keep",
    )

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
        """Posterior draws given the cells.

        Raises:
            InputError: a prior of a family that the block cannot hold, or the calibration extra is missing.
        """
        began = time.monotonic()
        own = {key: priors.get(key) or catalogue_prior(key) for key in _keys(frame)}
        _check(own)
        size = {"chains": sampling.chains, "draws": sampling.draws, "seed": sampling.seed}
        draws = {key: prior_draws(key, prior, **size) for key, prior in own.items()}
        keep_size = catalogue_prior(("renewal.contraction_keep_size", ())).centre
        draws |= _singles(data, own, draws, keep_size)
        count = float(sampling.chains * sampling.draws)
        diagnostics = {"rhat_max": 1.0, "ess_bulk_min": count, "ess_tail_min": count, "divergences": 0.0}
        extra: dict[str, Any] = {}
        if data.rows:
            mixing = catalogue_prior(("renewal.beta_mixing", ())) if (m := priors.get(MIX)) is None else m
            beta = mixing.centre > 0.5
            keep = float(draws["renewal.contraction_keep", ()].mean())
            seen = stats.beta.cdf(1 - CONCESSION, keep * keep_size, (1 - keep) * keep_size)
            inputs = _inputs(data, own, priors, frame, beta) | {"c_seen": np.array([seen])}
            form = (len(frame.segment), int(beta))
            got = fit.sample(
                self.name, lambda d: model(d, beta), inputs, sampling, ["w", "x", "mix"], form=form, target_accept=0.9
            )
            learned, associations = _assemble(got.draws, data, draws, frame, beta)
            draws |= {key: np.clip(value, own[key].low, own[key].high) for key, value in learned.items()}
            diagnostics = dict(got.diagnostics)
            extra = {"associations": associations}
        return BlockFit(draws, diagnostics, time.monotonic() - began, extra)


MIX: Key = ("renewal.beta_mixing", ())


def _keys(frame: Frame) -> list[Key]:
    return [
        (name, names)
        for name in Renewal.parameters
        for names in ([(own,) for own in frame.segment] if parameter(name).by else [()])
    ]


def _check(own: dict[Key, Prior]) -> None:
    wanted = dict.fromkeys(COMPANY, "normal") | dict.fromkeys(BY_SEGMENT, "normal")
    wanted |= dict.fromkeys(LOGARITHM, "lognormal") | {"renewal.frailty": "gamma"}
    wanted |= dict.fromkeys(MIXING[True], "lognormal")
    for key, prior in own.items():
        family = wanted.get(key[0])
        if family and prior.family not in (family, "fixed"):
            where = f"prior of {' '.join((key[0], *key[1]))}"
            do = "elicit it from two quantiles of that family"
            raise InputError(where=where, found=str(prior), allowed=f"a {family} prior", do=do)


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
        events |= {(name, (segment,)): int(seen[here & (found["k"] > 1)].sum()) for name in MIXING[False]}
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


def _inputs(data: BlockData, own: dict[Key, Prior], priors: Priors, frame: Frame, beta: bool) -> dict[str, Any]:
    """Cells and priors as the model takes them."""
    inputs: dict[str, Any] = stacked(data.cells)
    company = [own[name, ()] for name in COMPANY]
    bias = np.array([BIAS if name in ASSOCIATED else 0.0 for name in COMPANY])
    inputs["w_mean"] = np.array([prior.centre for prior in company])
    inputs["w_sd"] = np.hypot([prior.spread for prior in company], bias)
    table = [[own[name, (segment,)] for segment in frame.segment] for name in BY_SEGMENT]
    centre = np.array([[prior.centre for prior in row] for row in table])
    for i, name in enumerate(BY_SEGMENT):
        if name in LOGARITHM:
            centre[i] = np.log(np.maximum(centre[i], 1e-9))
    spread = np.array([[prior.spread for prior in row] for row in table])
    inputs |= {"x_centre": centre, "x_apart": spread * np.sqrt(1 - SHARED), "x_together": spread * np.sqrt(SHARED)}
    mixed = [[own[name, (segment,)] for segment in frame.segment] for name in MIXING[beta]]
    middle = np.maximum([[prior.centre for prior in row] for row in mixed], 1e-6)
    if beta:
        inputs["mix_a"] = np.log(middle)
        inputs["mix_b"] = np.array([[MIXING_SD if prior.fixed else prior.spread for prior in row] for row in mixed])
    else:
        shape = np.array([[1e6 if prior.fixed else prior.spread for prior in row] for row in mixed])
        inputs |= {"mix_a": shape, "mix_b": shape / middle}
    fits = [("arrival.fit_mean", (segment,)) for segment in frame.segment]
    inputs["fit_mean"] = np.array([(priors.get(key) or catalogue_prior(key)).centre for key in fits])
    return inputs


def _assemble(
    got: Any, data: BlockData, prior: dict[Key, Floats], frame: Frame, beta: bool
) -> tuple[dict[Key, Floats], list[dict[str, Any]]]:
    """Draws by key: learned numbers; effects stay at their priors and the levels are set to make up for it."""
    w = {name: got["w"][..., i] for i, name in enumerate(COMPANY)}
    draws: dict[Key, Floats] = {(name, ()): value for name, value in w.items() if name not in ASSOCIATED}
    shifts = _shifts(w, data, prior, len(frame.segment))
    for j, segment in enumerate(frame.segment):
        for i, name in enumerate(BY_SEGMENT):
            x = got["x"][..., i, j]
            draws[name, (segment,)] = np.exp(x) if name in LOGARITHM else x + shifts.get(name, 0.0 * x)[..., j]
        for i, name in enumerate(MIXING[beta]):
            value = got["mix"][..., i, j]
            draws[name, (segment,)] = value * np.exp(-shifts["renewal.base"][..., j]) if i else value
    if beta:
        draws = {key: value for key, value in draws.items() if key[0] != "renewal.base"}
    associations = [
        {
            "name": f"association.{name}",
            "beside": name,
            **dict(zip(("q05", "q50", "q95"), np.quantile(w[name], [0.05, 0.5, 0.95]).tolist(), strict=True)),
        }
        for name in ASSOCIATED
    ]
    return draws, associations


def _shifts(w: dict[str, Floats], data: BlockData, prior: dict[Key, Floats], segments: int) -> dict[str, Floats]:
    """What each segment's level has to make up for where an effect is taken instead of its association."""
    shape = (*w["renewal.price"].shape, segments)
    level, odds = np.zeros(shape), np.zeros(shape)
    d = data.cells
    for j in range(segments):
        here, there = d["segment"] == j, d["c_segment"] == j
        for name, column in ASSOCIATED.items():
            found, effect = w[name], prior[name, ()]
            if column == "c_e":
                odds[..., j] += (effect - found) * _mean(d["c_e"][there], d["c_n"][there])
                continue
            share = _mean(d[column][here], d["n"][here])
            if column == "price":
                level[..., j] += (found - effect) * share
            else:
                level[..., j] += np.log1p(share * np.expm1(found)) - np.log1p(share * np.expm1(effect))
    return {"renewal.base": level, "renewal.contraction": odds}


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
            scale = np.array([stats.beta.logpdf(0.5, one, two) for one, two in zip(a, b, strict=True)])
            norm = scale + (a + b - 2) * np.log(2.0)
            return np.asarray(n * (norm - below) + (a - 1) * logs[0] + (b - 1) * logs[1])

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
