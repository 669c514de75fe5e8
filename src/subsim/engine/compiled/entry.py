"""How accounts enter: the opening book, new business, referrals, and those that come back."""

from typing import Any

from subsim._jit import inner
from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.compiled.account import (
    arm_all,
    begin_term,
    choose_tier,
    new_spell,
    next_ticket,
    onboard_alone,
    own,
    raise_of,
    risk_rate,
    set_arr,
    start_calendars,
)
from subsim.engine.compiled.book import by_segment, note
from subsim.engine.compiled.heap import push
from subsim.engine.compiled.item import item_of
from subsim.engine.compiled.work import raise_item
from subsim.engine.state import N_ACCOUNTS, STATUS
from subsim.model import slots as at
from subsim.model.rules import arrival, clock, engagement, onboarding, renewal, risk, sponsor, work
from subsim.model.rules.clock import DAY, MONTH, NEVER, YEAR, minutes
from subsim.model.rules.draw import draw
from subsim.random import purposes


@inner
def new_row(w: Any, s: Any, entity: int, segment: int, start: int) -> int:
    """A clean row for an account; -1 (and the status) when the table is full."""
    i = s.count[N_ACCOUNTS]
    if i >= s.accounts.size:
        s.count[STATUS] = ev.ACCOUNTS_FULL
        return -1
    s.count[N_ACCOUNTS] = i + 1
    a = s.accounts[i]
    a.entity = entity
    a.segment = segment
    a.start = start
    a.arr = 0
    a.ttv_days = -1.0
    a.score = 101.0
    a.notice_at = NEVER
    a.first_value_at = NEVER
    a.stall_at = NEVER
    a.ticket_at = NEVER
    a.lead_at = NEVER
    a.back_at = NEVER
    a.above_since = -1
    a.lost_at = -NEVER
    a.owner = -1
    a.k = 0
    a.reviews = 0
    a.lives = 0
    a.ticket_n = 0
    a.spike_from = 0
    a.spike_n = 0
    a.rest_of = -1
    a.tier = 0
    a.stage = ev.ONBOARDING
    a.band = -1
    a.alive = 1
    a.sponsor = 1
    a.advocate = 0
    a.doomed = 0
    a.prepared = 0
    a.conceded = 0
    a.inactive = 0
    a.response = engagement.response(s.p, s.key, entity)
    for j in range(12):
        s.history[i, j] = 0
    for which in range(risk.RISKS):
        s.spells[i, which] = 0
        s.pending[i, which] = NEVER
        s.rate[i, which] = 0.0
        s.left[i, which] = risk.threshold(s.key, risk.purpose_of(which), entity, 0)
    s.waiting[i] = 0
    for k in range(w.n_work):
        item = s.items[item_of(s, i, k)]
        item.state = 0
        item.n = 0
        item.tag = 0
        item.next_due = NEVER
        item.lapses = NEVER
        item.overflow = NEVER
    s.mood[2] += 1.0
    return i


@inner
def begin_onboarding(w: Any, s: Any, i: int, t: int) -> None:
    """Raise onboarding; where nobody does it, the customer goes alone. An onboarding that lasts too long stalls."""
    if not raise_of(w, s, i, work.ONBOARDING, t, NEVER, 0):
        onboard_alone(w, s, i, t)
    await_stall(w, s, i, t)


@inner
def await_stall(w: Any, s: Any, i: int, t: int) -> None:
    """Patience runs from the account's start; where it has run out before now, the stall lies in the past."""
    a = s.accounts[i]
    a.stall_at = a.start + max(1, minutes(onboarding.patience_days(s.p, s.key, a.entity, a.segment)))
    if a.stall_at > t:
        push(w, s, a.stall_at, ev.STALL, i)
    else:
        a.stall_at = NEVER


@inner
def go_on_onboarding(w: Any, s: Any, i: int) -> None:
    """An onboarding under way at minute 0 goes on: with what is left of the work, or with the customer alone."""
    a = s.accounts[i]
    k = w.work_of_role[work.ONBOARDING]
    team = w.work_team[a.tier, k] if k >= 0 else -1
    if team < 0 or onboarding.work_left(s.p, s.key, a.entity, a.segment, a.fit, team, a.start) > 0:
        begin_onboarding(w, s, i, 0)
        return
    delay = onboarding.delay_left(s.p, s.key, a.entity, a.segment, a.fit, team, a.start)
    a.first_value_at = max(1, minutes(delay))
    push(w, s, a.first_value_at, ev.FIRST_VALUE, i)
    await_stall(w, s, i, 0)


@inner
def begin_life(w: Any, s: Any, i: int, t: int, fresh: bool, review_at: int) -> None:
    """Start what runs on every live account: calendars, reviews, risks, tickets."""
    a = s.accounts[i]
    a.review_at = review_at
    start_calendars(w, s, i, t, fresh)
    push(w, s, a.review_at, ev.REVIEW, i)
    arm_all(w, s, i, t)
    next_ticket(w, s, i, t)


@inner
def new_account(w: Any, s: Any, entity: int, segment: int, t: int, bonus: float) -> None:
    """A new customer signs, if sales takes the deal."""
    fit = arrival.fit(s.p, s.key, entity, segment, bonus)
    if not arrival.qualifies(s.p, s.key, entity, segment, fit):
        by_segment(s, segment, m.S_DECLINED, 1)
        note(s, t, ev.L_DECLINED, -1, segment, 0, 0)
        return
    i = new_row(w, s, entity, segment, t)
    if i < 0:
        return
    a = s.accounts[i]
    a.fit = fit
    a.v = renewal.risk_multiplier(s.p, s.key, entity, segment, 0.0)
    a.rest = engagement.rest(s.p, segment, fit, -1.0)
    a.e = s.p[at.engagement_rest + segment] + s.p[at.engagement_fit_effect] * fit
    a.e_at = t
    a.term = arrival.term_months(s.p, s.key, entity, segment)
    a.anchor = clock.day_of_month(t, w.first_day)
    a.first_arr = arrival.first_arr(s.p, s.key, entity, segment)
    set_arr(s, i, t, a.first_arr, m.S_NEW, ev.L_NEW, segment)
    by_segment(s, segment, m.S_LOGOS_NEW, 1)
    a.tier = choose_tier(w, s, i, t)
    own(w, s, i, t)
    begin_term(w, s, i, t, clock.add_months(t, a.term, a.anchor, w.first_day))
    begin_onboarding(w, s, i, t)
    begin_life(w, s, i, t, True, t + MONTH)


@inner
def open_account(w: Any, s: Any, o: int) -> None:
    """A live account of the opening book enters with what is known, and the rest drawn given that it survived."""
    row = w.opening[o]
    i = new_row(w, s, row.entity, row.segment, row.start)
    if i < 0:
        return
    a = s.accounts[i]
    a.arr = row.arr
    a.first_arr = row.first_arr
    a.term = row.term
    a.anchor = row.anchor
    a.k = row.renewals
    for j in range(12):
        s.history[i, j] = w.opening_history[o, j]
    a.sponsor = sponsor.present_at_start(s.p, s.key, a.entity, a.segment, row.sponsor)
    open_stage(s, i, row.onboarded, row.ttv_days)
    open_state(w, s, i, o)
    a.tier = choose_tier(w, s, i, 0)
    own(w, s, i, 0)
    a.since = max(row.start, -YEAR)  # how long the owner has known it is not in the book: at most a year
    begin_term(w, s, i, 0, row.term_end)
    open_preparation(w, s, i, row.prepared)
    past = renewal.running_for(a.term, a.term_end, a.start)
    left = s.left[i, risk.UNCONTROLLABLE]
    doomed, s.left[i, risk.UNCONTROLLABLE] = risk.passed(left, risk_rate(w, s, i, risk.UNCONTROLLABLE), past)
    a.doomed = 1 if doomed else 0
    if a.stage == ev.ONBOARDING:
        go_on_onboarding(w, s, i)
    resume_calendars(w, s, i, o)
    begin_life(w, s, i, 0, False, first_review(s, i, row.review_at))


@inner
def open_stage(s: Any, i: int, onboarded: int, ttv_days: float) -> None:
    """Whether an opening account has reached first value; where the book is silent, as its tenure says."""
    a = s.accounts[i]
    days = onboarding.reached_before(s.p, s.key, a.entity, a.segment, -a.start / DAY)
    if onboarded == 1 or (onboarded < 0 and days >= 0.0):
        a.stage = ev.ADOPTED
        a.ttv_days = ttv_days
        if ttv_days < 0.0:
            a.ttv_days = days if days >= 0.0 else -a.start / DAY


@inner
def compare_alike(w: Any, s: Any) -> None:
    """How far the book's touches hold each opening account up, and the means of a segment's accounts."""
    for segment in range(s.alike.shape[0]):
        touches, head, count = 0.0, 0.0, 0
        for o in range(w.opening.size):
            if w.opening[o].segment == segment:
                first, end = w.done_from[o], w.done_from[o + 1]
                s.touched[o] = engagement.held_by_touches(s.p, w.done_at, w.done_work, first, end)
                touches += s.touched[o]
                head += engagement.head_start(s.p, segment, -w.opening[o].start / DAY)
                count += 1
        s.alike[segment, 0] = touches / max(count, 1)
        s.alike[segment, 1] = head / max(count, 1)
        s.alike[segment, 2] = engagement.share_of_touches(s.p, segment, s.alike[segment, 0], s.alike[segment, 1])


@inner
def open_state(w: Any, s: Any, i: int, o: int) -> None:
    """Fit, risk, response and engagement, given that the account survived, its scores, and the touches it had."""
    a = s.accounts[i]
    tenure = -a.start / DAY
    like = s.alike[a.segment]
    level, alone, held = engagement.opening_standing(s.p, a.segment, a.ttv_days, tenure, s.touched[o], like)
    own, by_fit, by_answer, variance, w_ff, w_fr, w_rr, y_f, y_r = engagement.told_by_scores(
        s.p,
        a.segment,
        alone,
        held,
        tenure,
        like,
        w.opening_readings,
        w.opening_read_at,
        o,
        w.done_at,
        w.done_work,
        w.done_from[o],
        w.done_from[o + 1],
    )
    exposure = renewal.past_exposure(s.p, a.segment, a.term, a.k, level)
    a.fit = renewal.opening_fit(s.p, s.key, a.entity, a.segment, exposure, w_ff, w_fr, w_rr, y_f, y_r)
    lived_through = exposure * renewal.fit_factor(s.p, a.fit)
    a.v = renewal.risk_multiplier(s.p, s.key, a.entity, a.segment, lived_through)
    a.rest = engagement.rest(s.p, a.segment, a.fit, a.ttv_days)
    fits = s.p[at.engagement_fit_effect] * a.fit
    expected = 1.0 + engagement.chosen(s.p, held, renewal.hazard_survived(s.p, a.segment, lived_through))
    a.response = engagement.opening_response(s.p, s.key, a.entity, expected, w_rr, y_r - w_fr * fits)
    answers = a.response - expected
    mean = level + own + (1.0 - by_fit) * fits + (held - by_answer) * answers
    a.e = engagement.opening(s.key, a.entity, mean, variance)
    a.e_at = 0
    score = w.opening[o].score
    if score >= 0.0:
        a.score = score
        a.band = engagement.band(s.p, score)


@inner
def resume_calendars(w: Any, s: Any, i: int, o: int) -> None:
    """Calendars go on from the last touches of the book; a touch that should have been raised by now waits."""
    a = s.accounts[i]
    for k in range(w.n_work):
        cadence = minutes(s.p[at.touch_cadence + a.tier * at.WORK + k])
        if w.work_role[k] != work.CALENDAR or cadence <= 0:
            continue
        next_at = work.touch_goes_on(s.p, k, cadence, w.opening_touches[o, k])
        if next_at <= 0:
            raise_item(w, s, i, k, 0, next_at + minutes(s.p[at.work_deadline + k]), next_at)
        elif next_at < NEVER:
            s.items[item_of(s, i, k)].next_due = next_at
            push(w, s, next_at, ev.DUE, i * at.WORK + k)


@inner
def first_review(s: Any, i: int, known: int) -> int:
    """The first monthly review: when the book says, else somewhere in a month."""
    if known > 0:
        return known
    a = s.accounts[i]
    return 1 + int(draw(s.key, purposes.REVIEW_OFFSET, a.entity, a.lives) * MONTH)


@inner
def open_preparation(w: Any, s: Any, i: int, known: int) -> None:
    """Whether a renewal whose notice has passed is prepared; what is missing is raised at once, if the tier does it."""
    a = s.accounts[i]
    if known == 1 or (known < 0 and a.notice_at == NEVER):
        a.prepared = 1  # where the book does not say, what lies before the start counts as done
        a.notice_at = NEVER
    elif known == 0 and a.notice_at == NEVER and a.term >= 6 and a.term_end > 1:
        a.notice_at = 1
        push(w, s, a.notice_at, ev.NOTICE, i)


@inner
def come_back(w: Any, s: Any, i: int, t: int) -> None:
    """A lost account signs again, for a share of what it paid, with its risk and its history of renewals."""
    a = s.accounts[i]
    a.alive = 1
    s.mood[2] += 1.0
    a.lives += 1
    a.doomed = 0
    a.conceded = 0
    a.sponsor = 1
    a.advocate = 0
    a.above_since = -1
    a.inactive = 0
    a.back_at = NEVER
    if a.stage == ev.ONBOARDING:
        a.start = t  # its time to value begins anew
    a.e = a.rest
    a.e_at = t
    share = s.p[at.renewal_reactivation_share]
    set_arr(s, i, t, max(1, int(a.last_arr * share + 0.5)), m.S_REACTIVATION, ev.L_REACTIVATION, 0)
    by_segment(s, a.segment, m.S_LOGOS_REACTIVATED, 1)
    a.anchor = clock.day_of_month(t, w.first_day)
    a.tier = choose_tier(w, s, i, t)
    own(w, s, i, t)
    begin_term(w, s, i, t, clock.add_months(t, a.term, a.anchor, w.first_day))
    if a.stage == ev.ONBOARDING:
        begin_onboarding(w, s, i, t)
    for which in range(risk.RISKS):
        new_spell(s, i, which)
    begin_life(w, s, i, t, True, t + MONTH)
