"""A small simulator written from the model page alone, to be compared with the package in distribution.

It knows what its three scenarios need: static routing by segment; digital, pooled and named tiers; opening seats that
stay; no levers, tickets, Beta mixing or overtime. Section numbers are those of docs/concepts/model.md.
"""

import calendar
import heapq
import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy.special import betaincinv, gammaincinv, ndtr, ndtri

from subsim.random import uniform_array

DAY, MONTH, YEAR, NEVER = 1_440, 43_830, 525_960, 1 << 60
UNKNOWN = 1 << 27  # when a touch was last due, or a score read
# Events of one minute come in this order (section 2).
MONTH_END, SERVICE_END, FIRST_VALUE, RISK, TERM_END, NOTICE, RETURN, LEAD, REFERRAL, STALL, REVIEW = range(11)
CAMPAIGN, TOUCH, DEADLINE, DISPATCH = range(11, 15)
SPONSOR, DOOM, IN_TERM, OPPORTUNITY, SHRINK, REFER, INVOICE = range(7)
PLAYS = ("onboarding", "handoff", "renewal_prep", "save", "rescue", "sponsor_recovery", "expansion",
         "reactivation_outreach", "late_invoice")  # fmt: skip
EXPIRE, SQUEEZE = 1, 2
WAITING, IN_SERVICE, CLOSED = range(3)

Values = dict[str, dict[str, float]]  # parameter -> name ("" for all others, "tier/work" for two) -> value


@dataclass
class Tier:
    """A touch model; cadences in days."""

    coverage: str
    team: str = ""
    onboarding_team: str = ""
    touches: dict[str, float] = field(default_factory=dict)
    playbooks: tuple[str, ...] = ()


@dataclass
class World:
    """What a scenario says besides its parameters."""

    first_day: date
    months: int
    plan: dict[str, float]  # new logos a month, by segment
    tier_of: dict[str, str]  # routing by segment
    tiers: dict[str, Tier]
    teams: dict[str, int]  # seats
    campaigns: dict[str, tuple[str, ...]] = field(default_factory=dict)  # tiers addressed
    work_names: tuple[str, ...] = ()  # of the columns that say when touches were last due


class Book(NamedTuple):
    """The opening base: arrays with a row for each account, and the touches done at all of them one after the other."""

    rows: Any
    last_due: Any  # by kind of work
    readings: Any  # log odds of monthly scores, the last one first, and when they were read
    read_at: Any
    done_from: Any  # number of the account's first touch, and one more at the end
    done_at: Any
    done_work: Any


class Held(NamedTuple):
    """What touches hold up in a segment: all that is done over those known, means at minute 0 (section 3)."""

    more: float
    lifted: float
    head: float


class Past(NamedTuple):
    """What the book says of an account's months before the start; times in days before it."""

    scores: list[tuple[float, float]]  # and log odds, from the oldest on
    touches: list[tuple[float, float]]  # and lift


class Shown(NamedTuple):
    """What scores show: x = a - b F - c R with variance v; likelihood of F and R (section 3)."""

    a: float
    b: float
    c: float
    v: float
    w_ff: float
    w_fr: float
    w_rr: float
    y_f: float
    y_r: float


@dataclass(slots=True)
class Item:
    account: "Account"
    work: str
    team: str
    minutes: int
    raised: int
    calendar: int  # when it should have been raised; before the start at touches that waited there
    lapse: int
    decided: int  # renewals decided when it was raised
    life: int
    state: int = WAITING
    squeezed: bool = False


@dataclass(slots=True)
class Seat:
    team: str
    desk: list[Any] = field(default_factory=list)
    book: int = 0
    idle_since: int = 0
    busy_since: int = 0
    item: Item | None = None


@dataclass(slots=True)
class Account:
    number: int
    segment: str
    arr: int
    first_arr: int
    term: int
    anchor: int
    start: int
    f: float
    v: float
    response: float
    hours: float  # onboarding: W, D, patience
    delay: float
    patience: float
    worked: float = 0.0  # onboarding before the start: minutes of work, days of the customer's delay
    waited: float = 0.0
    e: float = 0.0
    m: float = 0.0
    at: int = 0  # when e was brought up
    term_end: int = 0
    k: int = 0
    ttv: int = -1  # minutes; -1 in onboarding
    sponsor: bool = True
    advocate: bool = False
    happy_since: int = NEVER
    referring: bool = False
    doomed: bool = False
    prepared: bool = False
    promised: bool = False
    band: str = ""
    low: bool = False
    owner: int = -1
    owner_since: int = 0
    life: int = 0
    alive: bool = True
    lost_arr: int = 0
    next_review: int = 0
    threshold: list[float] = field(default_factory=lambda: [0.0] * 7)
    rate: list[float] = field(default_factory=lambda: [0.0] * 7)
    epoch: list[int] = field(default_factory=lambda: [0] * 7)
    items: dict[str, Item] = field(default_factory=dict)


def whole(x: float) -> int:
    return math.floor(x + 0.5)


class Uniforms:
    """Uniforms in (0, 1) one after the other, and the laws of the page."""

    def __init__(self, seed: int, run: int) -> None:
        self.seed, self.run, self.taken, self.block = seed, run, 0, iter(())

    def u(self) -> float:
        value = next(self.block, None)
        if value is None:
            ordinals = np.arange(self.taken, self.taken + 8192)
            numbers = uniform_array(self.seed, self.run, 200, np.zeros(8192, np.uint64), ordinals)
            self.block, self.taken = iter(np.asarray(numbers).tolist()), self.taken + 8192
            return self.u()
        return value

    def normal(self, mean: float, sd: float) -> float:
        return mean + sd * float(ndtri(self.u()))

    def lognormal(self, median: float, sd: float) -> float:
        return median * math.exp(self.normal(0, sd))

    def gamma1(self, shape: float) -> float:
        return float(gammaincinv(shape, self.u())) / shape

    def beta(self, mean: float, size: float) -> float:
        return float(betaincinv(mean * size, (1 - mean) * size, self.u()))

    def exp(self) -> float:
        return -math.log(self.u())


class Run:
    """One run; `segments[month, segment]` and `teams[month, team]` are counters by name."""

    def __init__(self, world: World, values: Values, book: Book, seed: int, run: int) -> None:
        self.world, self.values, self.names = world, values, tuple(world.tier_of)
        self.draw, self.heap, self.sequence, self.asked = Uniforms(seed, run), [], 0, set()
        self.accounts: list[Account] = []
        self.seats = [Seat(team) for team, n in world.teams.items() for _ in range(n)]
        self.pool: dict[str, list[Any]] = {team: [] for team in world.teams}
        self.month = 0
        self.segments: dict[tuple[int, str, str], float] = defaultdict(float)
        self.teams: dict[tuple[int, str, str], float] = defaultdict(float)
        self.ends = [self.minute(self.shift(world.first_day, j + 1)) for j in range(world.months)]
        self.wave = {s: [self.draw.gamma1(self.p("arrival.dispersion")) for _ in self.ends] for s in self.names}
        for end in self.ends:
            self.push(end, MONTH_END, 0)
        pasts = [self.past(book, number) for number in range(len(book.rows))]
        self.held = self.held_up(book.rows, pasts)
        for row, last_due, past in zip(book.rows, book.last_due, pasts, strict=True):
            self.open(row, dict(zip(world.work_names, map(int, last_due), strict=True)), past)
        for number, name in enumerate(self.names):
            if world.plan.get(name):
                self.next_lead(0, number)
        for number, name in enumerate(world.campaigns):
            self.push(whole(DAY * self.p("campaign.every", name)), CAMPAIGN, number)
        self.go()

    # -- small helpers

    def p(self, name: str, key: str = "") -> float:
        by_name = self.values[name]
        return by_name[key] if key in by_name else by_name[""]

    def push(self, time: int, kind: int, number: int, what: Any = "", stamp: int = 0) -> None:
        self.sequence += 1
        heapq.heappush(self.heap, (time, kind, number, what, self.sequence, stamp))

    def minute(self, day: date) -> int:
        return (day - self.world.first_day).days * DAY

    def shift(self, day: date, months: int, anchor: int = 1) -> date:
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        return date(year, month + 1, min(anchor, calendar.monthrange(year, month + 1)[1]))

    def after(self, minute: int, months: int, anchor: int) -> int:
        """The contract minute so many calendar months after `minute` (section 2)."""
        days, rest = divmod(minute, DAY)
        return self.minute(self.shift(self.world.first_day + timedelta(days), months, anchor)) + rest

    def count(self, a: Account, counter: str, amount: float = 1) -> None:
        self.segments[self.month, a.segment, counter] += amount

    def tally(self, team: str, counter: str, amount: float = 1) -> None:
        self.teams[self.month, team, counter] += amount

    def tier(self, a: Account) -> Tier:
        return self.world.tiers[self.world.tier_of[a.segment]]

    def go(self) -> None:
        by_kind = {MONTH_END: self.close, SERVICE_END: self.finish, FIRST_VALUE: self.adopt, RISK: self.strike,
                   TERM_END: self.renew, NOTICE: self.notice, RETURN: self.come_back, LEAD: self.lead,
                   REFERRAL: self.referred, STALL: self.stall, REVIEW: self.review, CAMPAIGN: self.send,
                   TOUCH: self.touch, DEADLINE: self.lapse, DISPATCH: self.dispatch}  # fmt: skip
        while self.heap and self.month < self.world.months:
            now, kind, number, what, _, stamp = heapq.heappop(self.heap)
            by_kind[kind](now, number, what, stamp)

    # -- the opening base (section 3)

    def past(self, book: Book, number: int) -> Past:
        scores = zip(book.read_at[number].tolist(), book.readings[number].tolist(), strict=True)
        done = slice(int(book.done_from[number]), int(book.done_from[number + 1]))
        lifts = [self.p("work.lift", self.world.work_names[work]) for work in book.done_work[done].tolist()]
        days = [-minute / DAY for minute in book.done_at[done].tolist()]
        return Past(
            sorted(((-at / DAY, reading) for at, reading in scores if at != UNKNOWN), reverse=True),
            list(zip(days, lifts, strict=True)),
        )

    def lifted(self, past: Past, u: float) -> float:
        """What the touches done until u days before the start hold up by then."""
        drift = self.p("engagement.drift")
        return sum(lift * math.exp(-drift * (then - u)) for then, lift in past.touches if then >= u)

    def head(self, s: str, tenure: float, u: float) -> float:
        """An account comes without neglect."""
        return self.p("engagement.neglect", s) * math.exp(-self.p("engagement.drift") * (tenure - u))

    def held_up(self, rows: Any, pasts: list[Past]) -> dict[str, Held]:
        of = {}
        for number, s in enumerate(self.names):
            mine = [i for i, row in enumerate(rows) if int(row["segment"]) == number]
            lifted = sum(self.lifted(pasts[i], 0.0) for i in mine) / max(1, len(mine))
            head = sum(self.head(s, -int(rows[i]["start"]) / DAY, 0.0) for i in mine) / max(1, len(mine))
            more = min(2.0, max(1.0, (self.gap(s) - head) / lifted)) if lifted else 0.0
            of[s] = Held(more, lifted, head)
        return of

    def gap(self, s: str) -> float:
        return self.p("engagement.opening_mean", s) - self.p("engagement.rest", s) + self.p("engagement.neglect", s)

    def standing(self, s: str, tenure: float, late: float, past: Past, u: float) -> tuple[float, float]:
        """Level and held, u days before the start."""
        drift, (more, mean, mean_head) = self.p("engagement.drift"), self.held[s]
        level = self.p("engagement.opening_mean", s) - self.p("engagement.ttv_effect") * late
        if not more:
            return level, self.gap(s) * (1 - math.exp(-drift * tenure))
        above = more * (self.lifted(past, u) - mean)
        level += above + self.head(s, tenure, u) - mean_head
        return level, max(0.0, self.gap(s) * (1 - math.exp(-drift * (tenure - u))) + above)

    def shown(self, s: str, tenure: float, late: float, past: Past) -> Shown:
        """The filter over the scores, from the oldest to the last and to minute 0."""
        own, drift, noise = self.p("engagement.opening_sd") ** 2, self.p("engagement.drift"), self.p("score.noise")
        a = b = c = ff = fr = rr = yf = yr = 0.0
        v = own
        for (u, reading), (then, _) in pairwise([*past.scores, (0.0, 0.0)]):
            level, held = self.standing(s, tenure, late, past, u)
            total = max(v + noise**2, 1e-12)
            gain, off = v / total, reading - self.p("score.offset") - level - a
            to_fit, to_response = 1 - b, held - c
            ff, fr, rr = ff + to_fit**2 / total, fr + to_fit * to_response / total, rr + to_response**2 / total
            yf, yr = yf + to_fit * off / total, yr + to_response * off / total
            left = math.exp(-drift * (u - then))
            a, b, c = (a + gain * off) * left, (b + gain * to_fit) * left, (c + gain * to_response) * left
            v = own + (v * (1 - gain) - own) * left**2
        return Shown(a, b, c, v, ff, fr, rr, yf, yr)

    def open(self, row: Any, last_due: dict[str, int], past: Past) -> None:  # noqa: PLR0915 - in the page's order
        s, p, draw = self.names[int(row["segment"])], self.p, self.draw
        term, k, start = int(row["term"]), int(row["renewals"]), int(row["start"])
        tenure, score, ttv = -start / DAY, float(row["score"]), float(row["ttv_days"])
        back, leave = p("sponsor.returns"), p("sponsor.leave_rate", s)
        sponsor = row["sponsor"] == 1 if row["sponsor"] >= 0 else leave == 0 or draw.u() < back / (back + leave)
        delay = self.delay(s, 0.0)
        adopted = row["onboarded"] == 1 if row["onboarded"] >= 0 else delay <= tenure
        if ttv < 0:
            ttv = min(delay, tenure)
        # What held the account up, and what its scores show.
        late = math.log(max(ttv if adopted else tenure, 1 / DAY) / p("onboarding.target", s))
        late = late if adopted else max(0.0, late)
        level, held = self.standing(s, tenure, late, past, 0.0)
        seen = self.shown(s, tenure, late, past)
        answers, phi = p("engagement.response_sd") ** 2, p("engagement.fit_effect")
        # Fit at the mode of what survived, moved by the scores; then risk, response and engagement given fit.
        fall = p("renewal.fit") + p("renewal.engagement") * phi
        eta = self.base(s, term) - p("renewal.engagement") * level
        eta += p("renewal.price") * math.log(1 + self.rise(s, term))
        without = leave / (back + leave) if leave else 0.0  # share of time without a sponsor
        load = math.exp(eta) * (1 + without * (math.exp(p("renewal.no_sponsor")) - 1))
        load *= k ** p("renewal.drift", s) if k else 0.0
        f, c = self.survivors_fit(s, fall, load)
        open_response = 1 + seen.w_rr * answers
        weight = seen.w_ff - seen.w_fr**2 * answers / open_response
        pull = seen.y_f - seen.w_fr * seen.y_r * answers / open_response
        c += phi**2 * weight
        f += phi * (pull - weight * phi * f) / c
        f = draw.normal(f, 1 / math.sqrt(c))
        theta, x = p("renewal.frailty", s), load * math.exp(-fall * f)
        v = draw.gamma1(1 / theta) / theta / (1 / theta + x) if theta else 1.0
        a = self.create(s, int(row["arr"]), int(row["first_arr"]), term, start, f, v)
        better = p("renewal.engagement") * held * answers * x / (1 + theta * x)
        beyond = answers * (seen.y_r - seen.w_fr * phi * f) / open_response
        beyond = draw.normal(beyond, math.sqrt(answers / open_response))
        a.response = 1 + better + beyond
        mean = level + seen.a + (1 - seen.b) * phi * f + (held - seen.c) * beyond
        a.e = draw.normal(mean, math.sqrt(seen.v))
        a.k, a.term_end, a.anchor, a.sponsor = k, int(row["term_end"]), int(row["anchor"]), bool(sponsor)
        a.ttv = whole(ttv * DAY) if adopted else -1
        a.m, a.band = self.rest(a), self.band(score) if score >= 0 else ""
        self.choose_owner(a, max(start, -YEAR))
        years = min(-start, term * MONTH - a.term_end) / YEAR
        a.doomed = draw.u() < 1 - math.exp(-p("renewal.uncontrollable", s) * years)
        self.push(a.term_end, TERM_END, a.number, stamp=a.life)
        notice = a.term_end - whole(DAY * p("renewal.notice_days"))
        a.prepared = term < 6 or row["prepared"] == 1 or (row["prepared"] < 0 and notice <= 0)
        if not a.prepared and a.term_end > 1:
            self.push(max(notice, 1), NOTICE, a.number, stamp=a.life)
        if a.ttv < 0:
            self.go_on_onboarding(a, tenure)
        for work in self.tier(a).touches:
            self.go_on_calendar(a, work, last_due.get(work, UNKNOWN))
        self.first_review(a, 0, int(row["review_at"]) or 1 + math.floor(draw.u() * MONTH))

    def go_on_calendar(self, a: Account, work: str, last_due: int) -> None:
        cadence = self.cadence(a, work)
        if last_due == UNKNOWN or last_due + cadence <= 0:
            self.push(1 + math.floor(self.draw.u() * cadence), TOUCH, a.number, work, a.life)
            return
        then = last_due - whole(DAY * self.p("work.deadline", work)) + cadence
        if then > 0:
            self.push(then, TOUCH, a.number, work, a.life)
        else:
            self.ask(a, work, 0, then)

    def survivors_fit(self, s: str, fall: float, load: float) -> tuple[float, float]:
        """Mode and curvature of the fit of those that survived."""
        theta, mean = self.p("renewal.frailty", s), self.p("arrival.fit_mean", s)
        f, c = mean, 1.0
        for _ in range(4):
            x = load * math.exp(-fall * f)
            r, slope = 1 / (1 + theta * x), -theta / (1 + theta * x) ** 2
            c = max(0.1, 1 + fall**2 * x * (r + x * slope))
            f -= (f - mean - fall * x * r) / c
        return f, c

    def go_on_onboarding(self, a: Account, tenure: float) -> None:
        stalls = a.start + whole(DAY * a.patience)
        if stalls > 0:
            self.push(stalls, STALL, a.number, stamp=a.life)
        tier, serial = self.tier(a), self.p("onboarding.serial")
        team, slow = tier.onboarding_team or tier.team, 1.0
        pace = self.pace(team) if team else 0.0
        if pace and 60 * a.hours > pace * tenure * DAY:
            a.worked, a.waited = pace * tenure * DAY, 0.0 if serial else tenure
            a.delay = self.delay(a.segment, a.waited)
            self.ask(a, "onboarding", 0)
            return
        if not team:
            slow = self.p("onboarding.self_serve")
        elif serial:
            tenure -= 60 * a.hours / pace / DAY
        a.delay = self.delay(a.segment, tenure / slow)
        alone = max(1, whole(DAY * slow * (a.delay - tenure / slow)))
        self.push(alone, FIRST_VALUE, a.number, stamp=a.life)

    # -- new customers (section 4)

    def envelope(self, number: int) -> float:
        return 2.0 ** math.ceil(math.log2(8 * self.world.plan[self.names[number]]))

    def next_lead(self, now: int, number: int) -> None:
        self.push(now + whole(self.draw.exp() / self.envelope(number) * MONTH), LEAD, number)

    def lead(self, now: int, number: int, _: Any, __: int) -> None:
        s = self.names[number]
        length = self.ends[self.month] - (self.ends[self.month - 1] if self.month else 0)
        plan = self.world.plan[s] * MONTH / length * self.p("arrival.plan_scale", s)
        if self.draw.u() < min(1.0, plan * self.wave[s][self.month] / self.envelope(number)):
            self.deal(now, s, 0.0)
        self.next_lead(now, number)

    def referred(self, now: int, number: int, _: Any, __: int) -> None:
        self.accounts[number].referring = False
        self.deal(now, self.accounts[number].segment, self.p("referral.fit_bonus"))

    def deal(self, now: int, s: str, bonus: float) -> None:
        f = self.draw.normal(self.p("arrival.fit_mean", s), 1) + bonus
        seen = f + self.draw.normal(0, self.p("arrival.qualification_noise"))
        if seen < self.p("arrival.qualification_threshold", s):
            self.segments[self.month, s, "declined"] += 1
            return
        dollars = self.draw.lognormal(self.p("value.first_arr", s), self.p("value.first_arr_sd", s))
        arr = whole(100 * min(max(dollars, self.p("value.arr_floor", s)), self.p("value.arr_cap", s)))
        u, term = self.draw.u(), 12
        for months, share in ((1, "monthly"), (24, "two_year"), (36, "three_year")):
            chance = self.p(f"term.{share}_share", s)
            if 0 <= u < chance:
                term = months
            u -= chance
        theta = self.p("renewal.frailty", s)
        a = self.create(s, arr, arr, term, now, f, self.draw.gamma1(1 / theta) if theta else 1.0)
        a.e = self.p("engagement.rest", s) + self.p("engagement.fit_effect") * f
        self.count(a, "new", arr)
        self.count(a, "logos_new")
        self.begin_life(a, now)

    def create(self, s: str, arr: int, first: int, term: int, start: int, f: float, v: float) -> Account:
        draw = self.draw
        response = draw.normal(1, self.p("engagement.response_sd"))
        hours = self.p("onboarding.hours", s) * draw.gamma1(self.p("onboarding.hours_shape"))
        if f < self.p("onboarding.misfit_below"):
            hours *= 1 + self.p("onboarding.misfit_overhead")
        delay = self.delay(s, 0.0)
        patience = draw.lognormal(self.p("onboarding.patience", s), self.p("onboarding.patience_sd"))
        a = Account(len(self.accounts), s, arr, first, term, 0, start, f, v, response, hours, delay, patience)
        self.accounts.append(a)
        return a

    def begin_life(self, a: Account, now: int) -> None:
        """What a new and a returning account have in common."""
        a.at, a.m = now, self.rest(a)
        self.choose_owner(a, now)
        a.anchor = (self.world.first_day + timedelta(now // DAY)).day
        self.begin_term(a, now)
        if a.ttv < 0:
            self.onboard(a, now)
        for work in self.tier(a).touches:
            self.push(now + self.cadence(a, work), TOUCH, a.number, work, a.life)
        self.first_review(a, now, now + MONTH)

    def choose_owner(self, a: Account, since: int) -> None:
        tier = self.tier(a)
        if tier.coverage == "named":
            a.owner = min((seat.book, n) for n, seat in enumerate(self.seats) if seat.team == tier.team)[1]
            a.owner_since = since
            self.seats[a.owner].book += 1

    # -- onboarding (section 5)

    def delay(self, s: str, longer_than: float) -> float:
        """The customer's delay in days, given that it is longer than so many."""
        median, sd = self.p("onboarding.customer_delay", s), self.p("onboarding.customer_delay_sd", s)
        above = float(ndtr(-math.log(longer_than / median) / sd)) if longer_than > 0 else 1.0
        return median * math.exp(-sd * float(ndtri(above * self.draw.u())))

    def onboard(self, a: Account, now: int) -> None:
        self.push(now + whole(DAY * a.patience), STALL, a.number, stamp=a.life)
        tier = self.tier(a)
        if "onboarding" in a.items or not (tier.onboarding_team or tier.team):
            alone = max(1, whole(DAY * a.delay * self.p("onboarding.self_serve")))
            self.push(now + alone, FIRST_VALUE, a.number, stamp=a.life)
        else:
            self.ask(a, "onboarding", now)

    def adopt(self, now: int, number: int, _: Any, life: int) -> None:
        a = self.accounts[number]
        if a.life != life:
            return
        self.bring_up(a, now)
        a.ttv = now - a.start
        self.count(a, "first_values")
        self.count(a, "ttv_minutes", a.ttv)
        a.m = self.rest(a)
        self.ask(a, "handoff", now)

    def stall(self, now: int, number: int, _: Any, life: int) -> None:
        a = self.accounts[number]
        if a.life == life and a.ttv < 0:
            self.bring_up(a, now)
            a.e -= self.p("onboarding.stall_shock")
            self.count(a, "stalled")
            self.ask(a, "rescue", now)

    # -- engagement, review and risks (sections 6 to 8)

    def rest(self, a: Account) -> float:
        s = a.segment
        m = self.p("engagement.rest", s) + self.p("engagement.fit_effect") * a.f - self.p("engagement.neglect", s)
        return m - self.p("engagement.ttv_effect") * (self.late(a, a.ttv) if a.ttv >= 0 else 0.0)

    def late(self, a: Account, minutes: float) -> float:
        return math.log(max(minutes, 1) / DAY / self.p("onboarding.target", a.segment))

    def bring_up(self, a: Account, now: int) -> None:
        drift = self.p("engagement.drift")
        a.e = a.m + (a.e - a.m) * math.exp(-drift * (now - a.at) / DAY)
        due = a.start + DAY * self.p("onboarding.target", a.segment)
        if a.ttv < 0 and now > max(a.at, due):  # the sum over days of what each day's lateness has left by now
            days = np.linspace(max(a.at, due), now, 65)
            lateness = np.log((days - a.start) / (due - a.start))
            pull = drift * lateness * np.exp(-drift * (now - days) / DAY)
            a.e -= self.p("engagement.ttv_effect") * float(np.trapezoid(pull, days / DAY))
        a.at = now

    def first_review(self, a: Account, now: int, then: int) -> None:
        a.threshold = [self.draw.exp() for _ in range(7)]
        self.look_ahead(a, now, then)

    def look_ahead(self, a: Account, now: int, then: int) -> None:
        s, a.next_review = a.segment, then
        self.push(then, REVIEW, a.number, stamp=a.life)
        ready = a.ttv >= 0 and a.sponsor
        a.rate = [
            self.p("sponsor.leave_rate", s) if a.sponsor else self.p("sponsor.returns"),
            0.0 if a.doomed else self.p("renewal.uncontrollable", s),
            self.p("renewal.in_term_loss", s),
            self.p("expansion.rate", s) * math.exp(self.p("expansion.engagement") * a.e) if ready else 0.0,
            self.p("contraction.rate", s),
            self.p("referral.rate", s) if a.advocate and not a.referring else 0.0,
            self.p("invoice.late_rate", s),
        ]
        for risk in range(7):
            self.look(a, risk, now)

    def look(self, a: Account, risk: int, now: int) -> None:
        rate, left = a.rate[risk] / YEAR, a.next_review - now
        a.epoch[risk] += 1
        if rate > 0 and a.threshold[risk] < rate * left:
            self.push(now + whole(a.threshold[risk] / rate), RISK, a.number, risk, a.epoch[risk])
        else:
            a.threshold[risk] -= rate * left

    def review(self, now: int, number: int, _: Any, life: int) -> None:
        a = self.accounts[number]
        if a.life != life:
            return
        self.bring_up(a, now)
        a.m = self.rest(a)
        a.e += self.draw.normal(0, self.p("engagement.noise"))
        reading = self.p("score.offset") + a.e + self.draw.normal(0, self.p("score.noise"))
        score = 100 / (1 + math.exp(-reading))
        a.band = self.band(score)
        low, a.low = a.low, score < self.p("score.inactive")
        if a.band == "red":
            self.ask(a, "save", now)
        elif low and a.low:
            self.ask(a, "reactivation_outreach", now)
        if a.ttv >= 0 and a.e > self.p("advocacy.level"):
            a.happy_since = min(a.happy_since, now)
            a.advocate = now - a.happy_since >= DAY * self.p("advocacy.days")
        else:
            a.happy_since, a.advocate = NEVER, False
        self.look_ahead(a, now, now + MONTH)

    def band(self, score: float) -> str:
        return "red" if score < self.p("score.red") else "green" if score >= self.p("score.green") else "yellow"

    def strike(self, now: int, number: int, risk: int, epoch: int) -> None:
        a = self.accounts[number]
        if a.epoch[risk] != epoch:
            return
        a.threshold[risk] = self.draw.exp()
        if risk == SPONSOR:
            self.sponsor_turns(a, now)
        elif risk == DOOM:
            a.doomed, a.rate[risk] = True, 0.0
        elif risk == IN_TERM:
            self.lose(a, now, "uncontrollable")
            return
        elif risk == OPPORTUNITY and a.sponsor:
            if "expansion" in self.tier(a).playbooks:
                self.ask(a, "expansion", now)
            elif self.draw.u() < self.p("expansion.win") * self.p("expansion.self_serve"):
                self.win(a)
        elif risk == SHRINK:
            self.contract(a)
        elif risk == REFER:
            a.referring, a.rate[risk] = True, 0.0
            self.count(a, "referrals")
            self.push(now + whole(DAY * self.p("referral.lag")), REFERRAL, number)
        elif risk == INVOICE:
            self.ask(a, "late_invoice", now)
        self.look(a, risk, now)

    def sponsor_turns(self, a: Account, now: int) -> None:
        a.sponsor = not a.sponsor
        if a.sponsor:
            a.rate[SPONSOR] = self.p("sponsor.leave_rate", a.segment)
            return
        a.rate[SPONSOR] = self.p("sponsor.returns")
        self.bring_up(a, now)
        a.e -= self.p("sponsor.shock") * self.p("sponsor.shock_share", a.segment)
        self.ask(a, "sponsor_recovery", now)

    # -- renewal, expansion, loss and return (sections 9 to 11)

    def base(self, s: str, term: int) -> float:
        effect = self.p("renewal.monthly_effect") if term < 12 else 0.0
        return self.p("renewal.base", s) + effect + (self.p("renewal.multi_year_effect") if term > 12 else 0.0)

    def rise(self, s: str, term: int) -> float:
        return min((1 + self.p("renewal.price_uplift", s)) ** (term / 12) - 1, self.p("renewal.uplift_cap", s))

    def begin_term(self, a: Account, now: int) -> None:
        a.term_end, a.prepared = self.after(now, a.term, a.anchor), a.term < 6
        self.push(a.term_end, TERM_END, a.number, stamp=a.life)
        notice = a.term_end - whole(DAY * self.p("renewal.notice_days"))
        if a.term >= 6 and notice > now:
            self.push(notice, NOTICE, a.number, stamp=a.life)

    def notice(self, now: int, number: int, _: Any, life: int) -> None:
        if self.accounts[number].life == life:
            self.ask(self.accounts[number], "renewal_prep", now)

    def renew(self, now: int, number: int, _: Any, life: int) -> None:
        a = self.accounts[number]
        if a.life != life:
            return
        s, before = a.segment, a.arr
        a.k += 1
        self.count(a, "renewals_due")
        self.count(a, "atr", before)
        self.bring_up(a, now)
        rise = self.rise(s, a.term)
        given = self.p("playbook.save_concession") if a.promised else 0.0
        pulls = {
            "fit": -self.p("renewal.fit") * a.f,
            "no_value": self.p("renewal.not_onboarded") * (a.ttv < 0),
            "engagement": -self.p("renewal.engagement") * a.e,
            "sponsor": self.p("renewal.no_sponsor") * (not a.sponsor),
            "price": self.p("renewal.price") * math.log((1 + rise) * (1 - given)),
        }
        eta = self.base(s, a.term) + self.p("renewal.tier_effect", self.world.tier_of[s]) + sum(pulls.values())
        eta += self.p("renewal.prep_missed") * (not a.prepared)
        c = self.p("renewal.drift", s)
        if a.doomed or self.draw.u() >= math.exp(-a.v * math.exp(eta) * (a.k**c - (a.k - 1) ** c)):
            reason = max(pulls, key=lambda name: pulls[name])
            self.count(a, "renewals_lost")
            self.lose(a, now, "uncontrollable" if a.doomed else reason if pulls[reason] > 1e-9 else "unexplained")
            return
        odds = self.p("renewal.contraction", s) - self.p("renewal.contraction_engagement") * a.e
        if self.draw.u() < 1 / (1 + math.exp(-odds)):
            self.contract(a)
        self.count(a, "renewed", min(before, a.arr))
        self.reprice(a, 1 - given, "concession")
        self.reprice(a, 1 + rise, "price_up")
        a.promised = False
        self.begin_term(a, now)

    def reprice(self, a: Account, factor: float, counter: str) -> None:
        arr = max(1, whole(a.arr * factor))
        self.count(a, counter, abs(arr - a.arr))
        a.arr = arr

    def contract(self, a: Account) -> None:
        share = self.draw.beta(self.p("renewal.contraction_keep"), self.p("renewal.contraction_keep_size"))
        self.reprice(a, share, "contraction")

    def win(self, a: Account) -> None:
        more = a.arr * self.draw.lognormal(self.p("expansion.share"), self.p("expansion.share_sd"))
        gain = whole(min(more, self.p("value.wallet", a.segment) * a.first_arr - a.arr))
        cross = self.draw.u() < self.p("expansion.cross_sell")
        if gain > 0:
            self.count(a, "expansion_cross_sell" if cross else "expansion_seats", gain)
            a.arr += gain

    def lose(self, a: Account, now: int, reason: str) -> None:
        self.count(a, "churn", a.arr)
        self.count(a, f"churn_{reason}", a.arr)
        self.count(a, "logos_lost")
        a.lost_arr, a.arr, a.alive = a.arr, 0, False
        a.life += 1
        a.epoch = [epoch + 1 for epoch in a.epoch]
        for item in list(a.items.values()):
            if item.state == WAITING:
                self.drop(item, "cancelled")
        if a.owner >= 0:
            self.seats[a.owner].book -= 1
            a.owner = -1
        back = self.p("renewal.reactivation", a.segment)
        wait = self.draw.exp() / back if back else 9.0
        if wait <= 2:
            self.push(now + whole(wait * YEAR), RETURN, a.number)

    def come_back(self, now: int, number: int, _: Any, __: int) -> None:
        a = self.accounts[number]
        a.alive, a.start = True, now if a.ttv < 0 else a.start
        a.arr = max(1, whole(a.lost_arr * self.p("renewal.reactivation_share")))
        self.count(a, "reactivation", a.arr)
        self.count(a, "logos_reactivated")
        a.sponsor, a.doomed, a.advocate, a.happy_since, a.promised = True, False, False, NEVER, False
        a.e, a.worked, a.waited = self.rest(a), 0.0, 0.0
        self.begin_life(a, now)

    # -- work (sections 13 and 14)

    def cadence(self, a: Account, work: str) -> int:
        return whole(DAY * self.tier(a).touches[work])

    def ask(self, a: Account, work: str, now: int, calendar: int | None = None) -> None:
        """Raise an item now; its due date is that of the minute at which the calendar would have raised it."""
        tier = self.tier(a)
        team = tier.team
        if work == "onboarding":
            team = tier.onboarding_team or tier.team
        elif work == "rescue":
            team = tier.team or tier.onboarding_team
        switched_off = work in PLAYS[1:] and work not in tier.playbooks
        if not team or work in a.items or switched_off:
            return
        if work == "onboarding":
            minutes = 60 * a.hours - a.worked
        else:
            k = self.p("work.hours_shape", work)
            minutes = 60 * self.p("work.hours", work) * self.draw.exp() ** (1 / k) / math.gamma(1 + 1 / k)
        patience = DAY * self.p("work.deadline", work)
        in_time = now if calendar is None else calendar
        due = in_time + whole(patience)
        lapse = now + max(1, whole(patience * self.draw.exp())) if self.p("work.patience_exponential", work) else due
        lapse = lapse if calendar is None else min(lapse, due)
        if work == "renewal_prep":
            due, lapse = min(due, a.term_end), min(lapse, a.term_end)
        item = Item(a, work, team, max(1, whole(minutes)), now, in_time, lapse, a.k, a.life)
        a.items[work] = item
        self.tally(team, "items_demanded")
        self.tally(team, "minutes_demanded", item.minutes)
        first = math.floor(self.p("work.priority", work) + self.p("coverage.priority", self.world.tier_of[a.segment]))
        queue = self.seats[a.owner].desk if a.owner >= 0 and team == tier.team else self.pool[team]
        self.sequence += 1
        heapq.heappush(queue, (first, due, now, a.number, self.sequence, item))
        if self.p("work.overload", work) == EXPIRE:
            self.push(lapse, DEADLINE, a.number, work, now)
        self.wake(team, now)

    def wake(self, team: str, now: int) -> None:
        if team not in self.asked:
            self.asked.add(team)
            self.push(now, DISPATCH, 0, team)

    def drop(self, item: Item, how: str) -> None:
        item.state = CLOSED
        del item.account.items[item.work]
        self.tally(item.team, f"items_{how}")
        self.tally(item.team, f"minutes_{how}", item.minutes)

    def lapse(self, now: int, number: int, work: str, raised: int) -> None:
        item = self.accounts[number].items.get(work)
        if item is None or item.state != WAITING or item.raised != raised:
            return
        self.drop(item, "expired")
        self.next_touch(item, now)

    def next_touch(self, item: Item, now: int) -> None:
        a = item.account
        if item.work not in PLAYS and item.life == a.life:
            self.push(max(now, item.calendar + self.cadence(a, item.work)), TOUCH, a.number, item.work, a.life)

    def touch(self, now: int, number: int, work: str, life: int) -> None:
        if self.accounts[number].life == life:
            self.ask(self.accounts[number], work, now)

    def dispatch(self, now: int, _: int, team: str, __: int) -> None:
        self.asked.discard(team)
        idle = [(seat.idle_since, n) for n, seat in enumerate(self.seats) if seat.team == team and seat.item is None]
        for _since, n in sorted(idle):
            queues = (self.seats[n].desk, self.pool[team])
            for queue in queues:
                while queue and queue[0][-1].state != WAITING:
                    heapq.heappop(queue)
            full = [queue for queue in queues if queue]
            if full:
                self.begin(n, heapq.heappop(min(full, key=lambda queue: queue[0][:5]))[-1], now)

    def begin(self, n: int, item: Item, now: int) -> None:
        seat, a = self.seats[n], item.account
        seat.item, seat.busy_since, item.state = item, now, IN_SERVICE
        self.tally(item.team, "items_started")
        self.tally(item.team, "wait_minutes", now - item.raised)
        self.tally(item.team, "items_waited", now > item.raised)
        if self.p("work.overload", item.work) == SQUEEZE and now > item.lapse:
            short = whole(self.p("work.squeeze_hours") * item.minutes)
            self.tally(item.team, "minutes_cancelled", item.minutes - short)
            item.minutes, item.squeezed = short, True
        lasts = max(1, whole(item.minutes / self.pace(item.team)))
        self.push(now + lasts, SERVICE_END, n)
        if item.work == "onboarding":
            delay = whole(DAY * (a.delay - a.waited))
            wait = lasts + delay if self.p("onboarding.serial") else max(lasts, delay)
            self.push(now + wait, FIRST_VALUE, a.number, stamp=a.life)

    def pace(self, team: str) -> float:
        return self.p("seat.effective_hours", team) * self.p("seat.hours_factor", team) / 8_766

    def finish(self, now: int, n: int, _: Any, __: int) -> None:
        seat = self.seats[n]
        item = seat.item
        assert item is not None
        self.tally(seat.team, "busy_minutes", now - seat.busy_since)
        self.tally(seat.team, "items_done")
        self.tally(seat.team, "minutes_served", item.minutes)
        seat.item, seat.idle_since = None, now
        del item.account.items[item.work]
        self.wake(seat.team, now)
        if item.account.alive:
            self.take_effect(item, n, now)
            self.next_touch(item, now)

    def take_effect(self, item: Item, n: int, now: int) -> None:
        a, gain = item.account, 1.0
        if n == a.owner:
            days = (now - a.owner_since) / DAY
            gain += self.p("continuity.ceiling") * (1 - math.exp(-days / self.p("continuity.days")))
        if item.squeezed:
            gain *= self.p("work.squeeze_lift")
        if item.work == "save":
            if self.draw.u() >= self.p("playbook.save_success"):
                return
            a.promised = True
        self.bring_up(a, now)
        a.e += self.p("work.lift", item.work) * a.response * gain
        if item.work == "renewal_prep" and item.decided == a.k:
            a.prepared = True
        elif item.work == "sponsor_recovery" and not a.sponsor and self.draw.u() < self.p("sponsor.recovers"):
            a.sponsor, a.rate[SPONSOR], a.threshold[SPONSOR] = True, 0.0, self.draw.exp()
            a.epoch[SPONSOR] += 1
        elif item.work == "expansion" and self.draw.u() < self.p("expansion.win"):
            self.win(a)

    # -- campaigns and counters (sections 18 and 19)

    def send(self, now: int, number: int, _: Any, __: int) -> None:
        name, tiers = list(self.world.campaigns.items())[number]
        self.push(now + whole(DAY * self.p("campaign.every", name)), CAMPAIGN, number)
        for a in self.accounts if self.p("campaign.on", name) else ():
            if a.alive and self.world.tier_of[a.segment] in tiers and self.draw.u() < self.p("campaign.reach", name):
                self.bring_up(a, now)
                a.e += self.p("campaign.lift", name) * a.response

    def close(self, now: int, _: int, __: Any, ___: int) -> None:
        for a in self.accounts:
            if not a.alive:
                continue
            self.bring_up(a, now)
            self.count(a, "arr", a.arr)
            self.count(a, "engagement_milli", whole(1000 * a.e))
            self.count(a, "logos")
            self.count(a, "in_onboarding", a.ttv < 0)
            self.count(a, "advocates", a.advocate)
            self.count(a, "without_sponsor", not a.sponsor)
            self.count(a, f"score_{a.band or 'none'}")
            for item in a.items.values():
                self.tally(item.team, "backlog_items", item.state == WAITING)
        for seat in self.seats:
            self.tally(seat.team, "accounts", seat.book)
            if seat.item is not None:
                self.tally(seat.team, "busy_minutes", now - seat.busy_since)
                seat.busy_since = now
        self.month += 1
