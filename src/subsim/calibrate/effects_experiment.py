"""Lifts of touches from an experiment: accounts assigned by chance to a programme of touches, or to go on as before.

Chance decides the arm, not who responds or who seems at risk; so the arms differ in engagement only by what the
programme made them differ in. What an account of the programme got more than the control arm did, month by month since
assignment and on average over its arm, is the only thing compared: touches that answer an account's own state are not.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from subsim.book import Book
from subsim.calibrate.engagement_filter import FIRST_KIND, HELD, MONTH_DAYS, ONE
from subsim.calibrate.engagement_fit import (
    HIDDEN,
    UNSEEN_LIFTS,
    UNSEEN_RESPONSE,
    Shape,
    marginal,
    mode,
    prior_of,
    shape,
)
from subsim.calibrate.engagement_readings import SPONSOR, Readings, days_of
from subsim.calibrate.priors import Key, Prior, Priors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONTROL = "control"
AFTER = "since assignment"
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

    The impulses are not the account's own: of each kind, one in the middle of each month since assignment, as large as
    the difference between the arms' means; and one a month in all arms for what changed for everybody.
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
    more = np.zeros_like(given)
    for lever in sorted(set(table["lever"])):
        own = (table["lever"] == lever).to_numpy()
        control = np.flatnonzero(own & (table["arm"] == CONTROL))
        differs = np.zeros(given.shape[1], bool)
        for arm in sorted(arms_of[lever] - {CONTROL}):
            rows = np.flatnonzero(own & (table["arm"] == arm))
            more[rows] = _mean_by_month(given, months, rows) - _mean_by_month(given, months, control)
            differs |= _differ(given, months, rows, control)
        if not differs.any():
            notes.append(f"{_named(lever)}: its arms differ in no touch that lifts engagement.")
        more[np.ix_(np.flatnonzero(own), ~differs)] = 0.0
    kept = np.flatnonzero(np.abs(more).sum(axis=(0, 2)) > 0)
    if not len(kept):
        return None, tuple(notes)
    return _with_impulses(part, more[:, kept], kept, months, day), tuple(notes)


def learned(data: Readings, priors: Priors) -> Learned:
    """Posterior of the lifts that the arms differ in, from readings made ready by `compared`."""
    form = _form(data, priors)
    best = mode(data, form, corrected=False)
    mean, covariance = marginal(data, form, best)
    places = [place for place, (name, names) in enumerate(form.names) if name == "work.lift" and names[0] != AFTER]
    keys = tuple(form.names[place] for place in places)
    return Learned(keys, mean[places], covariance[np.ix_(places, places)], len(data.account), len(data.y))


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
    known = np.where(data.live, float((np.datetime64(book.as_of, "D") + 1).astype(np.int64)), last)
    return np.maximum(np.floor((known - day) / MONTH_DAYS), 0).astype(np.int64)


def _given(data: Readings, day: Floats, months: Ints) -> Floats:
    """[accounts, kinds, months]: lifts given since assignment, in units of the kind's lift."""
    touches = len(data.kinds) - (SPONSOR in data.kinds)
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


def _with_impulses(data: Readings, more: Floats, kept: Ints, months: Ints, day: Floats) -> Readings:
    accounts, _, length = more.shape
    month = np.arange(length)
    there = month < months[:, None]
    sizes = np.concatenate([more, np.ones((accounts, 1, length))], axis=1)
    used = there[:, None, :] & (sizes != 0)
    # By account, then month, then kind: the order in which the filter meets them.
    who, at, kind = np.nonzero(used.transpose(0, 2, 1))
    return dataclasses.replace(
        data,
        impulse_at=day[who] + (at + 0.5) * MONTH_DAYS,
        impulse_kind=kind.astype(np.int64),
        impulse_size=sizes[who, kind, at],
        impulse_from=np.concatenate([[0], np.cumsum(np.bincount(who, minlength=accounts))]).astype(np.int64),
        kinds=np.array([*data.kinds[kept], AFTER], object),
    )


def _form(data: Readings, priors: Priors) -> Shape:
    """The shape of the readings with three persistent effects: own level, response to the past, to the programme."""
    form = shape(data, priors)
    mean, sd = form.mean.copy(), form.sd.copy()
    for place, (name, names) in enumerate(form.names):
        if name == HIDDEN:
            mean[place], sd[place] = UNSEEN_LIFTS.centre, UNSEEN_LIFTS.sd
        elif names == (AFTER,):
            mean[place], sd[place] = COMMON_CHANGE.centre, COMMON_CHANGE.sd
    weights = np.zeros((3, form.weights.shape[1]))
    weights[0, ONE] = weights[1, HELD] = 1.0
    # Accounts answer a programme differently; a kind whose lift is centred on nothing counts like a small one.
    lifts = [prior_of(priors, "work.lift", str(kind)).centre for kind in data.kinds[:-1]]
    weights[2, FIRST_KIND:-1] = np.maximum(np.abs(lifts), 0.05)
    theta = (*form.theta[:4], UNSEEN_RESPONSE, prior_of(priors, "engagement.response_sd"))
    return dataclasses.replace(form, mean=mean, sd=sd, weights=weights, theta=theta)
