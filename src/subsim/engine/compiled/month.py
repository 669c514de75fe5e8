"""The end of a month: levels, cohorts of twelve months ago, costs."""

import math
from typing import Any

from subsim._jit import inner
from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.compiled.account import engagement_at
from subsim.engine.compiled.item import item_of
from subsim.engine.compiled.people import book_time
from subsim.engine.state import MONTH, N_ACCOUNTS
from subsim.model import slots as at
from subsim.model.rules.clock import YEAR


@inner
def close_month(w: Any, s: Any, t: int) -> None:
    """Write the month's levels."""
    month = s.count[MONTH]
    window = w.months[month - 11] if month >= 11 else -1
    for segment in range(w.plan.shape[0]):
        ago = 11 - month
        if ago > 0:
            s.segments[month, segment, m.S_TTM_OPENING] += w.lost_history[segment, ago]
            s.segments[month, segment, m.S_TTM_LOGOS_OPENING] += w.lost_logos[segment, ago]
    for i in range(s.count[N_ACCOUNTS]):
        close_cohort(s, i, month, window)
        if s.accounts[i].alive:
            close_account(w, s, i, t, month)
    for seat in range(s.seats.size):
        book_time(s, seat, t)
        if s.seats[seat].state > 0:
            s.teams[month, s.seats[seat].team, m.T_SEATS] += 1
    for team in range(s.teams.shape[1]):
        cents = s.p[at.seat_cost + team] * 100.0
        minutes = s.teams[month, team, m.T_AVAILABLE_MINUTES]
        s.teams[month, team, m.T_COST] = int(minutes * cents / YEAR + 0.5)
    s.count[MONTH] = month + 1


@inner
def close_cohort(s: Any, i: int, month: int, window: int) -> None:
    """Trailing twelve months: what the accounts of a year ago paid then and pay now; one lost in between counts 0."""
    a = s.accounts[i]
    then = s.history[i, month % 12]
    row = s.segments[month, a.segment]
    if then > 0:
        row[m.S_TTM_OPENING] += then
        row[m.S_TTM_LOGOS_OPENING] += 1
        if a.alive and a.lost_at < window:
            row[m.S_TTM_KEPT] += min(then, a.arr)
            row[m.S_TTM_NET] += a.arr
            row[m.S_TTM_LOGOS_KEPT] += 1
    s.history[i, month % 12] = a.arr


@inner
def close_account(w: Any, s: Any, i: int, t: int, month: int) -> None:
    """Levels of a live account."""
    a = s.accounts[i]
    row = s.segments[month, a.segment]
    row[m.S_ARR] += a.arr
    row[m.S_LOGOS] += 1
    if a.stage == ev.ONBOARDING:
        row[m.S_IN_ONBOARDING] += 1
    if a.band >= 0:
        row[m.S_SCORE_RED + a.band] += 1
    row[m.S_ADVOCATES] += a.advocate
    row[m.S_WITHOUT_SPONSOR] += 1 - a.sponsor
    row[m.S_ENGAGEMENT_MILLI] += int(math.floor(engagement_at(s, i, t) * 1000.0 + 0.5))
    s.tiers[month, a.tier, m.R_ACCOUNTS] += 1
    s.tiers[month, a.tier, m.R_ARR] += a.arr
    if a.owner >= 0:
        team = s.seats[a.owner].team
        s.teams[month, team, m.T_ACCOUNTS] += 1
        s.teams[month, team, m.T_ARR_OWNED] += a.arr
    backlog(w, s, i, month)


@inner
def backlog(w: Any, s: Any, i: int, month: int) -> None:
    """Waiting items of an account by team, and its ARR once for each team it waits for."""
    if s.waiting[i] == 0:
        return
    counted = 0
    for k in range(w.n_work):
        item = s.items[item_of(s, i, k)]
        if item.state != 1:
            continue
        team = s.seats[item.desk - at.TEAMS].team if item.desk >= at.TEAMS else item.desk
        s.teams[month, team, m.T_BACKLOG_ITEMS] += 1
        if not counted & (1 << team):
            counted |= 1 << team
            s.teams[month, team, m.T_BACKLOG_ARR] += s.accounts[i].arr
