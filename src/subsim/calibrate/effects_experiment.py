"""Lifts of touches from an experiment: accounts assigned by chance to a programme of touches, or to go on as before.

Chance decides the arm, not who responds or who seems at risk; so the arms differ in engagement only by what the
programme made them differ in. What an account of the programme got more than the control arm did, month by month since
assignment and on average over its arm, is the only thing compared. All other touches are followed as in the engagement
block, with effects of their own: those that answer a score (a save play) take back a part of what the programme does.

A lift is meant for customers as they come. Accounts that were already customers at their assignment have been
selected: who answers touches well has grown out of the tier by then, who answers badly has left. How much less or more
they answer is not known, so beside the lift they have an effect of their own, small beside it and centred on nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from subsim.book import Book
from subsim.calibrate.engagement_filter import FIRST_KIND, MONTH_DAYS
from subsim.calibrate.engagement_fit import (
    HIDDEN,
    UNSEEN_LIFTS,
    Mode,
    Shape,
    around,
    prior_of,
    shape,
)
from subsim.calibrate.engagement_impulses import EVENTS, days_of
from subsim.calibrate.engagement_mode import mode_of
from subsim.calibrate.engagement_readings import Readings, day_after
from subsim.calibrate.priors import Key, Prior, Priors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONTROL = "control"
AFTER = "since assignment"
MORE = "more "  # before the kind of touch that the programme consists of
STAYED = "stayed, more "  # before the same for accounts that were customers long before their assignment
NEW_DAYS = 90.0  # since the start of an account: so long it counts as assigned when it came
#: Sd of how much more or less the accounts that stayed answer, as a share of the lift. Judgement (grade D), near what
#: simulated pilots show: in three, the treated that a pilot had found in its tier answered with 0.87 of the mean.
OTHER_ANSWER = 0.2
COMMON_CHANGE = Prior("normal", 0.0, 0.2, source="judgement: what changed for both arms, a month", grade="D")
_BEYOND_CHANCE = 4.0  # standard errors that arms must differ by in a kind of touch for it to be the programme's


@dataclass(frozen=True)
class Learned:
    """Joint normal posterior of lifts: `keys`, `mean` and `covariance`; from so many accounts and readings."""

    keys: tuple[Key, ...]
    mean: Floats
    covariance: Floats
    accounts: int
    readings: int


def compared(book: Book, data: Readings) -> tuple[Readings | None, tuple[str, ...]]:
    """The accounts of the book's experiments, each with what its arm did more than the control arm; and notes.

    Of the kinds of touch that the arms differ in, an account's own impulses end with its assignment. From then on it
    has one in the middle of each month, as large as the control arm's mean, and of the kind "more ..." one as large as
    its arm's difference from that; and one a month in all arms for what changed for everybody.
    """
    table = _assignments(book, data)
    if table.empty:
        return None, ()
    arms_of = {lever: set(table.loc[table["lever"] == lever, "arm"]) for lever in sorted(set(table["lever"]))}
    bad = [lever for lever, arms in arms_of.items() if CONTROL not in arms or len(arms) < 2]
    notes = [f"{_named(lever)}: needs an arm called {CONTROL} and one more; it is left out." for lever in bad]
    table = table[~table["lever"].isin(bad)]
    if table.empty:
        return None, tuple(notes)
    who = table["place"].to_numpy(np.int64)
    part = data.chosen(who)
    day = table["day"].to_numpy(float)
    months = _months(part, day, book)
    given = _given(part, day, months)
    more, usual = np.zeros_like(given), np.zeros_like(given)
    for lever in sorted(set(table["lever"])):
        own = (table["lever"] == lever).to_numpy()
        control = np.flatnonzero(own & (table["arm"] == CONTROL))
        differs = np.zeros(given.shape[1], bool)
        for arm in sorted(arms_of[lever] - {CONTROL}):
            rows = np.flatnonzero(own & (table["arm"] == arm))
            more[rows] = _mean_by_month(given, months, rows) - _mean_by_month(given, months, control)
            differs |= _differ(given, months, rows, control)
        usual[own] = _mean_by_month(given, months, control)
        if not differs.any():
            notes.append(f"{_named(lever)}: its arms differ in no touch that lifts engagement.")
        more[np.ix_(np.flatnonzero(own), ~differs)] = 0.0
    kept = np.flatnonzero(np.abs(more).sum(axis=(0, 2)) > 0)
    if not len(kept):
        return None, tuple(notes)
    return _with_impulses(part, more[:, kept], usual[:, kept], kept, months, day), tuple(notes)


def learned(data: Readings, priors: Priors, whole: Mode) -> Learned:
    """Posterior of the lifts that the arms differ in, from readings made ready by `compared`.

    Drift, noise and the error of readings are as the `whole` book shows them. How far accounts differ in what the
    programme does to them goes with the size of its lift (root mean square): first the prior's, then the one found.
    """
    sds = np.sqrt(np.diag(whole.covariance))
    numbers = zip(np.exp(whole.log_theta[:3]).tolist(), sds.tolist(), strict=False)
    known = tuple(Prior("lognormal" if sd > 0 else "fixed", centre, sd) for centre, sd in numbers)
    keys = tuple(lifts(data))
    places = [place for place, (_, names) in enumerate(shape(data, priors).names) if names and _is_lift(names[0])]

    def fitted(mean: Floats, sd: Floats) -> tuple[Floats, Floats]:
        size = dict(zip(keys, np.hypot(mean, sd).tolist(), strict=True))
        form = _form(data, priors, known, size)
        found, covariance = around(data, form, mode_of(data, form, corrected=False).mode).marginal()
        return found[places], covariance[np.ix_(places, places)]

    beliefs = [_belief(priors, key) for key in keys]
    mean, covariance = fitted(np.array([own.centre for own in beliefs]), np.array([own.sd for own in beliefs]))
    return Learned(keys, *fitted(mean, np.sqrt(np.diag(covariance))), len(data.account), len(data.y))


def _named(lever: str) -> str:
    return f"Experiment on {lever}" if lever else "Experiment without a lever"


def _assignments(book: Book, data: Readings) -> pd.DataFrame:
    """lever, arm, day and place of each assigned account that has scores; the first assignment counts."""
    empty = pd.DataFrame(columns=["lever", "arm", "day", "place"])
    if "experiments" not in book.tables or not len(data.y):
        return empty
    table = book.tables["experiments"]
    place = pd.Index(data.account).get_indexer(pd.Index(table["account_id"].astype(str)))
    lever = table["lever"].astype(str) if "lever" in table else pd.Series("", index=table.index)
    arm = table["arm"].astype(str).str.strip().str.lower()
    rows = pd.DataFrame({"lever": lever, "arm": arm, "day": days_of(table["assigned_on"]), "place": place})
    rows = rows[(rows["place"] >= 0) & (np.diff(data.reading_from)[rows["place"]] > 0)]
    return rows.sort_values("day", kind="stable").drop_duplicates("place").reset_index(drop=True)


def _months(data: Readings, day: Floats, book: Book) -> Ints:
    """Whole months from assignment to the end of what is known of each account."""
    last = np.array([data.at[end - 1] for end in data.reading_from[1:]])
    known = np.where(data.live, day_after(book.as_of), last)
    return np.maximum(np.floor((known - day) / MONTH_DAYS), 0).astype(np.int64)


def _given(data: Readings, day: Floats, months: Ints) -> Floats:
    """[accounts, kinds, months]: lifts given since assignment, in units of the kind's lift."""
    touches = len(data.kinds) - sum(kind in EVENTS for kind in data.kinds)
    given = np.zeros((len(data.account), touches, int(months.max(initial=0))))
    who = np.repeat(np.arange(len(data.account)), np.diff(data.impulse_from))
    month = np.floor((data.impulse_at - day[who]) / MONTH_DAYS).astype(np.int64)
    inside = (month >= 0) & (month < months[who]) & (data.impulse_kind < touches)
    np.add.at(given, (who[inside], data.impulse_kind[inside], month[inside]), data.impulse_size[inside])
    return given


def _mean_by_month(given: Floats, months: Ints, rows: Ints) -> Floats:
    """[kinds, months]: mean over the accounts of an arm that are still there."""
    there = np.arange(given.shape[2]) < months[rows, None]
    return np.asarray(given[rows].sum(axis=0) / np.maximum(there.sum(axis=0), 1))


def _differ(given: Floats, months: Ints, rows: Ints, control: Ints) -> NDArray[np.bool_]:
    """[kinds]: whether what two arms were given differs by more than chance, account against account."""
    rate = given.sum(axis=2) / np.maximum(months, 1)[:, None]
    gap = rate[rows].mean(axis=0) - rate[control].mean(axis=0)
    error = rate[rows].var(axis=0) / len(rows) + rate[control].var(axis=0) / len(control)
    return np.asarray(np.abs(gap) > _BEYOND_CHANCE * np.sqrt(error))


def _with_impulses(data: Readings, more: Floats, usual: Floats, kept: Ints, months: Ints, day: Floats) -> Readings:
    accounts, programme, length = more.shape
    columns = np.concatenate([kept, len(data.kinds) + np.arange(2 * programme + 1)])
    stayed = np.where((day - data.start > NEW_DAYS)[:, None, None], more, 0.0)
    sizes = np.concatenate([usual, more, stayed, np.ones((accounts, 1, length))], axis=1)
    sizes[~np.broadcast_to((np.arange(length) < months[:, None])[:, None, :], sizes.shape)] = 0.0
    who, kind, month = np.nonzero(sizes)
    own = np.repeat(np.arange(accounts), np.diff(data.impulse_from))
    stay = ~np.isin(data.impulse_kind, kept) | (data.impulse_at < day[own])
    account = np.concatenate([own[stay], who])
    at = np.concatenate([data.impulse_at[stay], day[who] + (month + 0.5) * MONTH_DAYS])
    order = np.lexsort((at, account))
    return dataclasses.replace(
        data,
        impulse_at=at[order],
        impulse_kind=np.concatenate([data.impulse_kind[stay], columns[kind]])[order].astype(np.int64),
        impulse_size=np.concatenate([data.impulse_size[stay], sizes[who, kind, month]])[order],
        impulse_doubt=np.concatenate([data.impulse_doubt[stay], np.zeros(len(who))])[order],
        impulse_known=np.concatenate([data.impulse_known[stay], np.zeros(len(who))])[order],
        impulse_from=np.concatenate([[0], np.cumsum(np.bincount(account, minlength=accounts))]).astype(np.int64),
        kinds=np.array(
            [*data.kinds, *(name + kind for name in (MORE, STAYED) for kind in data.kinds[kept]), AFTER], object
        ),
    )


def lifts(data: Readings) -> list[Key]:
    """The lifts that readings made ready by `compared` speak of."""
    return [_lift(str(kind)) for kind in data.kinds if _is_lift(str(kind))]


def _is_lift(name: str) -> bool:
    return name.startswith(MORE)


def _lift(name: str) -> Key:
    return ("work.lift", (name.removeprefix(STAYED).removeprefix(MORE),))


def _belief(priors: Priors, lift: Key) -> Prior:
    return prior_of(priors, lift[0], *lift[1])


def _form(data: Readings, priors: Priors, known: tuple[Prior, ...], size: Mapping[Key, float]) -> Shape:
    """The shape of the readings with three persistent effects: own level, answer to other touches, to the programme.

    `size` is about how large each lift of the programme is.
    """
    form = shape(data, priors)
    mean, sd = form.mean.copy(), form.sd.copy()
    for place, (name, names) in enumerate(form.names):
        if name == HIDDEN:
            mean[place], sd[place] = UNSEEN_LIFTS.centre, UNSEEN_LIFTS.sd
        elif names == (AFTER,):
            mean[place], sd[place] = COMMON_CHANGE.centre, COMMON_CHANGE.sd
        elif names and _is_lift(names[0]):
            lift = _belief(priors, _lift(names[0]))
            mean[place], sd[place] = lift.centre, max(lift.sd, 1e-6)
        elif names and names[0].startswith(STAYED):
            mean[place], sd[place] = 0.0, OTHER_ANSWER * size[_lift(names[0])]
    weights = np.vstack([form.weights, np.zeros(form.weights.shape[1])])
    for column, name in enumerate(map(str, data.kinds), start=FIRST_KIND):
        if _is_lift(name):
            weights[2, column] = size[_lift(name)]
        if name.startswith((MORE, STAYED)) or name == AFTER:
            weights[1, column] = 0.0
    theta = (*known, *form.theta[len(known) :], prior_of(priors, "engagement.response_sd"))
    return dataclasses.replace(form, mean=mean, sd=sd, weights=weights, theta=theta)
