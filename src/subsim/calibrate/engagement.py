"""Engagement block: drift, noise and levels from health scores; what touches do stays an assumption.

Levels, drift and noise are learned. The lifts of touches, the effect of time to value and the shocks of a lost sponsor
and of a stalled onboarding are *not*: who gets touched is no accident. Each draw takes them from their priors (or from
an experiment), and neglect is then what makes the observed levels come out; what the readings show about them is
reported as association.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from subsim.book import Book
from subsim.calibrate import effects_experiment
from subsim.calibrate.block import BlockData, BlockFit, Frame, Sampling
from subsim.calibrate.engagement_filter import ESTIMATES, estimates
from subsim.calibrate.engagement_fit import (
    HIDDEN_MOVEMENT,
    Around,
    Mode,
    Shape,
    around,
    linear,
    normals,
    prior_of,
    shape,
)
from subsim.calibrate.engagement_impulses import EVENTS, days_of
from subsim.calibrate.engagement_mode import mode_of, mode_of_part
from subsim.calibrate.engagement_readings import Readings, day_after, readings
from subsim.calibrate.importance import of_prior
from subsim.calibrate.priors import Key, Priors, keys_of, prior_draws
from subsim.model.catalogue import parameter

Floats = NDArray[np.float64]

LEARNED = (
    "engagement.rest",
    "engagement.drift",
    "engagement.noise",
    "engagement.opening_mean",
    "engagement.opening_sd",
    "engagement.neglect",
)
KEPT = ("engagement.ttv_effect", "sponsor.shock", "onboarding.stall_shock", "work.lift")
_COMPANY_WIDE = ("engagement.drift", "engagement.noise", "engagement.opening_sd")
FEW = 30
_ARMS = "experiment/"  # names of the arrays of an experiment's readings
_LOWEST_SD = 0.05
_OWN_SHARE = 0.2  # least share of the spread of engagement that is not owing to how accounts answer; judgement, grade D
_QUANTILES = {"q05": -1.6448536, "q50": 0.0, "q95": 1.6448536}


class Engagement:
    """The block of `subsim.calibrate.block.Block` for engagement."""

    name = "engagement"
    parameters = LEARNED + KEPT

    def summarise(self, book: Book, frame: Frame) -> BlockData:
        """All readings with the touches and sponsor losses before them; days are counted from 1970-01-01."""
        data = readings(book)
        notes = _notes(data)
        if not _usable(data):
            return BlockData(0, data.arrays(), {}, notes)
        arms, more_notes = effects_experiment.compared(book, data.with_owners(parameter("continuity.ceiling").value))
        cells = data.arrays() | (arms.arrays(_ARMS) if arms else {})
        read = np.diff(data.reading_from)
        events: dict[Key, int] = {(name, ()): int(read.sum()) for name in _COMPANY_WIDE}
        for segment in frame.segment:
            own = data.segments[data.cell] == segment
            for name in ("engagement.rest", "engagement.neglect"):
                events[name, (segment,)] = int(read[own].sum())
            events["engagement.opening_mean", (segment,)] = int((own & data.live & (read > 0)).sum())
        if arms:
            events |= {key: len(arms.y) for key in effects_experiment.lifts(arms)}
        return BlockData(int(read.sum()), cells, events, notes + more_notes)

    def fit(self, data: BlockData, priors: Priors, frame: Frame, sampling: Sampling) -> BlockFit:
        """Independent joint draws by a normal approximation on logarithms, corrected by importance weights."""
        began = time.perf_counter()
        size = {"chains": sampling.chains, "draws": sampling.draws, "seed": sampling.seed}
        keys = [key for name in self.parameters for key in keys_of(parameter(name), frame)]
        own = {key: prior_of(priors, key[0], *key[1]) for key in keys}
        draws = {key: prior_draws(key, prior, **size) for key, prior in own.items()}
        extra: dict[str, Any] = {}
        if data.rows:
            found = Readings.of(data.cells)
            flat = {key: values.reshape(-1) for key, values in draws.items()}
            at = mode_of(found, shape(found, priors), priors, seed=sampling.seed)
            found, form, best = at.data, at.form, at.mode
            tried = _tried(data, priors, best, sampling)
            flat |= {key: values for key, values in tried.items() if key in flat}
            learned, extra = _learned(found, form, best, priors, flat, frame, sampling.seed)
            for key, values in (learned | tried).items():
                if key not in draws:
                    continue
                row = parameter(key[0])
                if not own[key].fixed:
                    draws[key] = np.clip(values, row.low, row.high).reshape(sampling.chains, sampling.draws)
        count = float(sampling.chains * sampling.draws)
        exact = {"rhat_max": 1.0, "ess_bulk_min": count, "ess_tail_min": count, "divergences": 0.0}
        return BlockFit(draws, exact, time.perf_counter() - began, extra)


def _tried(data: BlockData, priors: Priors, best: Mode, sampling: Sampling) -> dict[Key, Floats]:
    """Joint draws of the lifts that an experiment teaches."""
    if _ARMS + "y" not in data.cells:
        return {}
    found = effects_experiment.learned(Readings.of(data.cells, _ARMS), priors, best)
    z = normals("experiment", (sampling.chains * sampling.draws, len(found.keys)), sampling.seed)
    values = found.mean + z @ np.linalg.cholesky(found.covariance).T
    return {key: values[:, place] for place, key in enumerate(found.keys)}


def filtered(book: Book, at: pd.DataFrame, priors: Priors | None = None) -> pd.DataFrame:
    """What an account's scores *before* a date say about its engagement on that date.

    Args:
        book: the book; without health scores the estimates are the model's own.
        at: rows with account_id and date; ids that the accounts table lacks are refused.
        priors: the calibration's; the catalogue's where it has none.

    Returns:
        Rows as in `at`: mean and variance of engagement, and of the account's persistent level (`persistent`,
        `persistent_variance`; its mean over accounts is 0). Touches and sponsor losses before the date are known, and
        the effects are those that predict best (associations).
    """
    data = readings(book)
    form = shape(data, priors or {})
    start = np.log([prior.centre for prior in form.theta])
    if _usable(data):
        at_mode = mode_of_part(data, form, priors or {})
        data, form, start = at_mode.data, at_mode.form, at_mode.mode.log_theta
        effects = linear(data, form, start).mean()
    else:
        data = data.silent().with_owners(prior_of(priors or {}, "continuity.ceiling").centre)
        effects = form.mean
    who = at["account_id"].astype(str).to_numpy(object)
    more, place = data.asked(who, days_of(at["date"]))
    table = estimates(more, form.theta_of(start), form.weights, form.by_cell(effects))[place]
    return pd.DataFrame(table, columns=list(ESTIMATES), index=at.index)


def _usable(data: Readings) -> bool:
    return len(data.y) > 1 and float(np.ptp(data.y)) > 0.0


def _learned(
    data: Readings, form: Shape, best: Mode, priors: Priors, draws: dict[Key, Floats], frame: Frame, seed: int
) -> tuple[dict[Key, Floats], dict[str, Any]]:
    """Draws of what the readings teach, given the draws of what they do not; and the associations."""
    known = np.array([place for place, (name, _) in enumerate(form.names) if name in KEPT], np.int64)
    values = np.column_stack([_effect_draws(form.names[place], draws, priors) for place in known])
    near = around(data, form, best)
    log_theta, free_draws = near.joint_draws(known, values, seed)
    theta = np.exp(log_theta)
    learned: dict[Key, Floats] = {("engagement.drift", ()): theta[:, 0]}
    learned["engagement.noise", ()] = _own_noise(theta[:, 1], seed)
    free = [key for place, key in enumerate(form.names) if place not in known]
    effects = dict(zip(free, free_draws.T, strict=True))
    for segment in frame.segment:
        if ("engagement.rest", (segment,)) in effects:
            learned["engagement.rest", (segment,)] = effects["engagement.rest", (segment,)]
            learned["engagement.neglect", (segment,)] = -effects["engagement.neglect", (segment,)]
    learned |= _opening(data, form, near, draws | learned, priors, frame, seed)
    apart = frozenset(key for key in draws if key[0] in KEPT and key not in form.names)
    extra = {"associations": _associations(form, near), "importance_share": best.effective, "silent": apart}
    return learned, extra


def _own_noise(moved: Floats, seed: int) -> Floats:
    """The monthly movement without what lifts that leave no rows add to it; at least half of its variance."""
    hidden = of_prior(HIDDEN_MOVEMENT, normals("hidden", (len(moved),), seed))
    return np.asarray(np.sqrt(np.maximum(moved**2 - hidden, moved**2 / 2)))


def _effect_draws(key: Key, draws: dict[Key, Floats], priors: Priors) -> Floats:
    """Draws of an effect as it multiplies its path: a shock and a late first value take away."""
    sign = 1.0 if key[0] == "work.lift" else -1.0
    if key in draws:
        return sign * draws[key]
    return np.full(len(next(iter(draws.values()))), sign * prior_of(priors, key[0], *key[1]).centre)


def _opening(
    data: Readings, form: Shape, near: Around, draws: dict[Key, Floats], priors: Priors, frame: Frame, seed: int
) -> dict[Key, Floats]:
    """Mean and spread of engagement over the live accounts, net of time to value and fit as the simulator adds them."""
    read = np.flatnonzero(data.live & (np.diff(data.reading_from) > 0))
    if len(read) < 2:
        return {}
    day = day_after(frame.as_of)
    more, place = data.asked(data.account[read], np.full(len(read), day))
    theta, effects = form.theta_of(near.at.log_theta), near.here.mean()
    table = estimates(more, theta, form.weights, form.by_cell(effects))[place]
    adopted = data.first_value[read] < day
    elapsed = np.where(adopted, data.first_value[read] - data.start[read], data.target[read])
    late = np.log(np.maximum(elapsed, 0.5) / data.target[read])
    segment = data.segments[data.cell[read]]
    drift, ttv = draws["engagement.drift", ()], draws["engagement.ttv_effect", ()]
    fit = prior_of(priors, "engagement.fit_effect").centre
    centred = table[:, 0] + float(ttv.mean()) * late
    inside = np.concatenate([centred[segment == s] - centred[segment == s].mean() for s in set(segment)])
    groups = len(set(segment))
    variance = max(0.0, float((inside**2).sum() / max(1, len(read) - groups) + table[:, 1].mean()) - fit**2)
    noise = normals("opening", (len(drift), 1 + len(frame.segment)), seed)
    learned: dict[Key, Floats] = {}
    answers = np.zeros(len(drift))
    for i, name in enumerate(frame.segment):
        own = segment == name
        if own.any():
            level = table[own, 0].mean() + ttv * late[own].mean()
            before = prior_of(priors, "engagement.opening_mean", name)
            centre, width = _joined(level, (variance + fit**2) / own.sum(), before.centre, before.sd**2)
            learned["engagement.opening_mean", (name,)] = centre + width * noise[:, 1 + i]
            alone = draws["engagement.rest", (name,)] - draws["engagement.neglect", (name,)]
            built_up = 1.0 - np.exp(-drift.mean() * (day - data.start[read][own]))
            answers += own.mean() * (level - alone) ** 2 * (built_up**2).mean()
    # The rest of the spread is that of how accounts answer to the touches that hold them up.
    answers *= prior_of(priors, "engagement.response_sd").centre ** 2
    sd = np.sqrt(np.maximum(variance - answers, max(_OWN_SHARE * variance, _LOWEST_SD**2)))
    prior = prior_of(priors, "engagement.opening_sd")
    spread = prior.spread if prior.family == "lognormal" else prior.sd / prior.centre
    centre, width = _joined(np.log(sd), 0.5 / len(read), np.log(prior.centre), spread**2)
    learned["engagement.opening_sd", ()] = np.exp(centre + width * noise[:, 0])
    return learned


def _joined(mean: Floats, variance: float, prior: float, prior_variance: float) -> tuple[Floats, float]:
    """Mean and sd of a normal estimate together with a normal prior."""
    if prior_variance <= 0:
        return np.full_like(mean, prior), 0.0
    weight = prior_variance / (prior_variance + variance)
    return weight * mean + (1 - weight) * prior, float(np.sqrt(weight * variance))


_ASSOCIATIONS = {
    "engagement.ttv_effect": "association.ttv",
    "work.lift": "association.lift",
    "sponsor.shock": "association.sponsor_left",
    "onboarding.stall_shock": "association.onboarding_stalled",
}


def _associations(form: Shape, near: Around) -> list[dict[str, Any]]:
    """What the readings show about effects, as rows name, of, q05, q50, q95: never used as an effect."""
    mean, covariance = near.marginal()
    sd = np.sqrt(np.diag(covariance))
    error, error_sd = near.at.log_theta[2], np.sqrt(near.at.covariance[2, 2])
    rows: list[dict[str, Any]] = [
        {"name": "association.reading_error", "of": []}
        | {q: float(np.exp(error + z * error_sd)) for q, z in _QUANTILES.items()}
    ]
    for place, (name, names) in enumerate(form.names):
        if name in _ASSOCIATIONS:
            level = {q: float(mean[place] + z * sd[place]) for q, z in _QUANTILES.items()}
            rows.append({"name": _ASSOCIATIONS[name], "of": list(names)} | level)
    return rows


def _notes(data: Readings) -> tuple[str, ...]:
    """Sentences on what the readings cannot say."""
    read = np.diff(data.reading_from)
    count, most = len(data.y), int(read.max(initial=0))
    if not count:
        return ("The book has no health scores: engagement keeps its priors.",)
    if not _usable(data):
        return (
            f"The score never moves ({count:,} readings): it says nothing about engagement, which keeps its priors.",
        )
    notes = []
    if count < FEW:
        notes.append(f"Only {count} scores: engagement rests mostly on its priors.")
    if most == 1:
        notes.append("No account has two scores: drift and noise cannot be told from the error of the score.")
    edge = float(np.mean(np.abs(data.y - np.mean([data.y.min(), data.y.max()])) >= np.ptp(data.y) / 2 - 1e-9))
    if edge > 0.1:
        notes.append(
            f"{100 * edge:.0f} % of the scores lie at their highest or lowest value: levels beyond are not seen."
        )
    touches = [kind for kind in data.kinds if kind not in EVENTS]
    if not touches:
        notes.append(
            "No touches are recorded: how far they hold engagement above its rest is not known apart from neglect."
        )
    return tuple(notes)
