"""How accounts enter: the opening book, new business, referrals, and those that come back."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.reference import risks
from subsim.engine.reference.account import Account, set_arr
from subsim.engine.reference.contract import begin_term, contract, next_term_end, share_of
from subsim.engine.reference.lifecycle import begin_spell, choose_tier, own
from subsim.engine.reference.onboarding import begin_onboarding, go_on_onboarding
from subsim.engine.reference.review import reviews
from subsim.engine.reference.support import support
from subsim.engine.reference.touches import resume_calendars, start_calendars
from subsim.model import slots as at
from subsim.model.rules import arrival, clock, engagement, onboarding, renewal, risk, sponsor
from subsim.model.rules.clock import DAY, MONTH, NEVER, YEAR
from subsim.model.rules.draw import draw
from subsim.random import purposes
from subsim.random.entities import future_entity, referral_entity

if TYPE_CHECKING:
    from subsim.engine.reference.model import Model


def new_row(model: Model, entity: Any, segment: int, start: int) -> Account:
    """An account that has just been put on the list; its ways to refer and to return begin to wait."""
    env, works = model.env, len(model.works)
    account = Account(
        len(model.accounts), entity, segment, start, reviewed=env.event(), lost=env.event(), referred=env.event()
    )
    account.open_items = [None] * works
    account.raised = [0] * works
    account.next_due = [NEVER] * works
    account.response = engagement.response(model.p, model.key, entity)
    for which in risks.ALL:
        account.threshold_left[which] = risk.threshold(model.key, risk.purpose_of(which), entity, 0)
    model.accounts.append(account)
    model.mood.live += 1.0
    env.process(returns(model, account))
    env.process(referrals(model, account))
    return account


def begin_life(model: Model, account: Account, fresh: bool, review_at: int) -> None:
    """Start what runs on every live account: contract, calendars, reviews, risks, tickets."""
    env = model.env
    env.process(contract(model, account))
    start_calendars(model, account, fresh)
    account.review_at = review_at
    env.process(reviews(model, account))
    for which in risks.ALL:
        env.process(risks.risk(model, account, which))
    env.process(support(model, account))


def new_account(model: Model, entity: Any, segment: int, bonus: float) -> None:
    """A new customer signs, if sales takes the deal."""
    p, key, now = model.p, model.key, model.now
    fit = arrival.fit(p, key, entity, segment, bonus)
    if not arrival.qualifies(p, key, entity, segment, fit):
        model.record.segment(segment, m.S_DECLINED)
        model.record.note(now, ev.L_DECLINED, -1, segment)
        return
    account = new_row(model, entity, segment, now)
    account.fit = fit
    account.risk_multiplier = renewal.risk_multiplier(p, key, entity, segment, 0.0)
    account.rest = engagement.rest(p, segment, fit, -1.0)
    account.engagement = float(p[at.engagement_rest + segment] + p[at.engagement_fit_effect] * fit)
    account.engagement_at = now
    account.term = arrival.term_months(p, key, entity, segment)
    account.anchor = clock.day_of_month(now, model.first_day)
    account.first_arr = arrival.first_arr(p, key, entity, segment)
    set_arr(model, account, account.first_arr, m.S_NEW, ev.L_NEW, segment)
    model.record.segment(segment, m.S_LOGOS_NEW)
    account.tier = choose_tier(model, account)
    own(model, account)
    begin_term(model, account, next_term_end(model, account))
    begin_onboarding(model, account)
    begin_life(model, account, fresh=True, review_at=model.now + MONTH)


def open_account(model: Model, o: int) -> None:
    """A live account of the opening book enters with what is known, and the rest drawn given that it survived."""
    p, key, world = model.p, model.key, model.world
    row = world.opening[o]
    entity, segment = model.entity(row.entity), int(row.segment)
    account = new_row(model, entity, segment, int(row.start))
    account.arr, account.first_arr = int(row.arr), int(row.first_arr)
    account.term, account.anchor, account.renewals = int(row.term), int(row.anchor), int(row.renewals)
    account.history = [int(arr) for arr in world.opening_history[o]]
    account.sponsor = bool(sponsor.present_at_start(p, key, entity, segment, int(row.sponsor)))
    open_stage(model, account, int(row.onboarded), float(row.ttv_days))
    open_state(model, account, o)
    account.tier = choose_tier(model, account)
    own(model, account)
    account.owner_since = max(account.start, -YEAR)  # the book does not say: at most a year
    begin_term(model, account, int(row.term_end))
    open_preparation(account, int(row.prepared))
    past = renewal.running_for(account.term, account.term_end, account.start)
    left, rate = account.threshold_left[risk.UNCONTROLLABLE], risks.rate_of(model, account, risk.UNCONTROLLABLE)
    account.doomed, account.threshold_left[risk.UNCONTROLLABLE] = risk.passed(left, rate, past)
    if account.stage == ev.ONBOARDING:
        go_on_onboarding(model, account)
    resume_calendars(model, account, world.opening_touches[o])
    begin_life(model, account, fresh=False, review_at=first_review(model, account, int(row.review_at)))


def open_stage(model: Model, account: Account, onboarded: int, ttv_days: float) -> None:
    """Whether an opening account has reached first value; where the book is silent, as its tenure says."""
    tenure = -account.start / DAY
    days = onboarding.reached_before(model.p, model.key, account.entity, account.segment, tenure)
    if onboarded == 1 or (onboarded < 0 and days >= 0.0):
        account.stage = ev.ADOPTED
        account.ttv_days = ttv_days
        if ttv_days < 0.0:
            account.ttv_days = days if days >= 0.0 else tenure


def compare_alike(model: Model) -> None:
    """How far the book's touches hold each opening account up, and the means of a segment's accounts."""
    p, world = model.p, model.world
    for segment in range(len(world.plan)):
        touches, heads, count = 0.0, 0.0, 0
        for o, row in enumerate(world.opening):
            if row.segment == segment:
                held = engagement.held_by_touches(p, world.done_at, world.done_work, *_touches_of(model, o))
                model.touched[o] = held
                touches += held
                heads += engagement.head_start(p, segment, -int(row.start) / DAY)
                count += 1
        touches, heads = touches / max(count, 1), heads / max(count, 1)
        model.alike.append((touches, heads, engagement.share_of_touches(p, segment, touches, heads)))


def _touches_of(model: Model, o: int) -> tuple[int, int]:
    return int(model.world.done_from[o]), int(model.world.done_from[o + 1])


def open_state(model: Model, account: Account, o: int) -> None:
    """Fit, risk, response and engagement, given that the account survived, its scores, and the touches it had."""
    p, key, entity, segment, world = model.p, model.key, account.entity, account.segment, model.world
    tenure = -account.start / DAY
    like = model.alike[segment]
    level, alone, held = engagement.opening_standing(p, segment, account.ttv_days, tenure, model.touched[o], like)
    scores = world.opening_readings, world.opening_read_at, o
    touches = world.done_at, world.done_work, *_touches_of(model, o)
    told = engagement.told_by_scores(p, segment, alone, held, tenure, like, *scores, *touches)
    own, by_fit, by_answer, variance, _, w_fr, w_rr, _, y_r = told
    exposure = renewal.past_exposure(p, segment, account.term, account.renewals, level)
    account.fit = renewal.opening_fit(p, key, entity, segment, exposure, *told[4:])
    lived_through = exposure * renewal.fit_factor(p, account.fit)
    account.risk_multiplier = renewal.risk_multiplier(p, key, entity, segment, lived_through)
    account.rest = engagement.rest(p, segment, account.fit, account.ttv_days)
    fits = float(p[at.engagement_fit_effect]) * account.fit
    expected = 1.0 + engagement.chosen(p, held, renewal.hazard_survived(p, segment, lived_through))
    account.response = engagement.opening_response(p, key, entity, expected, w_rr, y_r - w_fr * fits)
    answers = account.response - expected
    mean = level + own + (1.0 - by_fit) * fits + (held - by_answer) * answers
    account.engagement = engagement.opening(key, entity, mean, variance)
    score = float(world.opening[o].score)
    if score >= 0.0:
        account.score = score
        account.band = engagement.band(p, score)


def first_review(model: Model, account: Account, known: int) -> int:
    """The first monthly review: when the book says, else somewhere in a month."""
    if known > 0:
        return known
    return 1 + int(draw(model.key, purposes.REVIEW_OFFSET, account.entity, account.lives) * MONTH)


def open_preparation(account: Account, known: int) -> None:
    """Whether a renewal whose notice has passed is prepared; what is missing is raised at once, if the tier does it."""
    if known == 1 or (known < 0 and account.notice_at == NEVER):
        account.prepared = True  # where the book does not say, what lies before the start counts as done
        account.notice_at = NEVER
    elif known == 0 and account.notice_at == NEVER and account.term >= 6 and account.term_end > 1:
        account.notice_at = 1


def returns(model: Model, account: Account) -> Generator[Event, Any, None]:
    """An account that is lost may come back, again and again."""
    while True:
        yield account.lost
        account.lost = model.env.event()
        if account.back_at == NEVER:
            return
        yield model.env.at(account.back_at, ev.REACTIVATION, account.number)
        come_back(model, account)


def come_back(model: Model, account: Account) -> None:
    """A lost account signs again, for a share of what it paid, with its risk and its history of renewals."""
    account.alive = True
    model.mood.live += 1.0
    account.lives += 1
    account.doomed = account.conceded = account.advocate = account.inactive = False
    account.sponsor = True
    account.advocate_level_since = -1
    account.back_at = NEVER
    if account.stage == ev.ONBOARDING:
        account.start = model.now  # its time to value begins anew
    account.engagement = account.rest
    account.engagement_at = model.now
    arr = share_of(account.last_arr, float(model.p[at.renewal_reactivation_share]))
    set_arr(model, account, arr, m.S_REACTIVATION, ev.L_REACTIVATION, 0)
    model.record.segment(account.segment, m.S_LOGOS_REACTIVATED)
    account.anchor = clock.day_of_month(model.now, model.first_day)
    account.tier = choose_tier(model, account)
    own(model, account)
    begin_term(model, account, next_term_end(model, account))
    if account.stage == ev.ONBOARDING:
        begin_onboarding(model, account)
    for which in risks.ALL:
        begin_spell(model, account, which)
    account.reviewed = model.env.event()  # what ran in its former life waits in vain
    begin_life(model, account, fresh=True, review_at=model.now + MONTH)


def referrals(model: Model, account: Account) -> Generator[Event, Any, None]:
    """Companies that an account has named sign after a while, whether or not it is still a customer."""
    while True:
        yield account.referred
        account.referred = model.env.event()
        yield model.env.at(account.lead_at, ev.LEAD, account.number)
        account.lead_at = NEVER
        entity = model.entity(referral_entity(account.entity, account.spells[risk.REFERRAL]))
        new_account(model, entity, account.segment, float(model.p[at.referral_fit_bonus]))


def source(model: Model, segment: int) -> Generator[Event, Any, None]:
    """A segment's source of new customers: lead after lead, of which the plan lets some become deals."""
    world, p, key = model.world, model.p, model.key
    number, envelope = int(world.sources[segment]), float(world.envelope[segment])
    month, multiplier = -1, 1.0
    n = 0
    while True:
        yield model.env.at(model.now + arrival.gap(key, number, n, envelope), ev.ARRIVAL, segment)
        if month != model.record.month:
            month = model.record.month
            multiplier = arrival.month_multiplier(p, key, number, month)
        wave = multiplier
        if p[at.arrival_word_of_mouth] > 0.0:
            wave *= arrival.word_of_mouth(p, model.mood.misfits_lost(model.now), int(model.mood.live))
        plan = float(world.plan[segment, month])
        if arrival.accepted(p, key, number, n, segment, plan, wave, envelope):
            new_account(model, model.entity(future_entity(number, n)), segment, 0.0)
        n += 1
