"""What happens to an account as a whole: its tier and owner, the plays run for it, its growth, its end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.reference.account import set_arr, shift
from subsim.engine.reference.seats import least_loaded
from subsim.engine.reference.touches import start_calendars
from subsim.engine.reference.work import cancel, move_items, raise_item
from subsim.model import slots as at
from subsim.model.rules import expansion, risk, work
from subsim.model.rules.clock import NEVER, YEAR

if TYPE_CHECKING:
    from subsim.engine.reference.account import Account
    from subsim.engine.reference.model import Model
    from subsim.engine.reference.seats import Team
    from subsim.engine.reference.work import WorkItem


@dataclass(frozen=True, slots=True)
class Tier:
    """A way of looking after accounts: by their own person, by a team's pool, by both, or digitally."""

    number: int
    coverage: int
    team: Team | None  # whose seats own the accounts
    does: tuple[Team | None, ...]  # which team does each work type

    @property
    def has_owners(self) -> bool:
        """Whether each account has its own person."""
        return self.coverage in (ev.NAMED, ev.HYBRID)


@dataclass(frozen=True, slots=True)
class Route:
    """A routing rule: which accounts belong to a tier from a minute on. -1 means any."""

    since: int
    segment: int
    stage: int
    tier: int
    arr_from: int
    arr_below: int
    score_below: float

    def fits(self, account: Account, now: int) -> bool:
        """Whether the rule holds for the account now."""
        return (
            now >= self.since
            and self.segment in (-1, account.segment)
            and self.stage in (-1, account.stage)
            and self.arr_from <= account.arr < self.arr_below
            and account.score < self.score_below
        )


def choose_tier(model: Model, account: Account) -> int:
    """The tier of the first routing rule that fits the account now."""
    return next((route.tier for route in model.routes if route.fits(account, model.now)), account.tier)


def own(model: Model, account: Account) -> None:
    """Give an account an owner if its tier has owners."""
    tier = model.tiers[account.tier]
    account.owner = None
    if tier.has_owners and tier.team is not None:
        account.owner = least_loaded(tier.team)
        if account.owner is not None:
            account.owner.accounts += 1
    account.owner_since = model.now
    seat = account.owner.index if account.owner is not None else -1
    model.record.note(model.now, ev.L_OWNER, account.number, seat)


def reroute(model: Model, account: Account) -> None:
    """Move an account to the tier that the routing rules give it now."""
    tier = choose_tier(model, account)
    if tier == account.tier:
        return
    model.record.note(model.now, ev.L_TIER, account.number, tier, account.tier, tier)
    account.tier = tier
    old, since = account.owner, account.owner_since
    if old is not None:
        old.accounts -= 1
    own(model, account)
    if old is not None and account.owner is old:
        account.owner_since = since
    elif old is not None:
        shift(model, account, -model.p[at.handover_shock])
    move_items(model, account)
    start_calendars(model, account, fresh=False)
    onboarding = model.work_of(work.ONBOARDING)
    waits = account.stage == ev.ONBOARDING and account.first_value_at == NEVER
    if waits and onboarding is not None and account.open_items[onboarding.number] is None:
        model.onboard_alone(account)  # nobody onboards in the new tier
    if account.ticket_at == NEVER:
        model.env.process(model.support(account))


def plays(model: Model, account: Account, role: int) -> bool:
    """Whether the account's tier runs the playbook of a role."""
    kind = model.work_of(role)
    return kind is not None and bool(model.p[at.playbook_on + account.tier * at.WORK + kind.number] > 0.5)


def raise_of(model: Model, account: Account, role: int, latest: int = NEVER, tag: int = 0) -> WorkItem | None:
    """Raise the work item of a role, if the scenario has such work."""
    kind = model.work_of(role)
    return raise_item(model, account, kind, latest, tag) if kind is not None else None


def play(model: Model, account: Account, role: int, latest: int = NEVER, tag: int = 0) -> None:
    """Raise the work item of a playbook, if the tier runs it."""
    if plays(model, account, role):
        raise_of(model, account, role, latest, tag)


def expand(model: Model, account: Account, n: int) -> None:
    """Book the n-th expansion of an account."""
    p, key, entity = model.p, model.key, account.entity
    gain = expansion.gain(p, key, entity, n, account.segment, account.arr, account.first_arr)
    if gain <= 0:
        return
    if expansion.is_cross_sell(p, key, entity, n):
        set_arr(model, account, account.arr + gain, m.S_EXPANSION_CROSS_SELL, ev.L_CROSS_SELL, n)
    else:
        set_arr(model, account, account.arr + gain, m.S_EXPANSION_SEATS, ev.L_EXPANSION, n)


def begin_spell(model: Model, account: Account, which: int) -> None:
    """Draw the threshold of a risk's next spell; what was ahead of the former one is off."""
    account.spells[which] += 1
    account.risk_at[which] = NEVER
    purpose, spell = risk.purpose_of(which), account.spells[which]
    account.threshold_left[which] = risk.threshold(model.key, purpose, account.entity, spell)


def churn(model: Model, account: Account, why: int) -> None:
    """The account leaves: its ARR goes, its waiting work is dropped, its way back is drawn."""
    model.record.segment(account.segment, m.S_CHURN_FIT + why, account.arr)
    account.last_arr = account.arr
    set_arr(model, account, 0, m.S_CHURN, ev.L_CHURN, why)
    model.record.segment(account.segment, m.S_LOGOS_LOST)
    for kind in model.works:
        item = account.open_items[kind.number]
        if item is not None and item.waits:
            cancel(model, item)
        account.next_due[kind.number] = NEVER
    if account.owner is not None:
        account.owner.accounts -= 1
        account.owner = None
    model.mood.lose(model.now, ill_fitting=account.fit < model.p[at.onboarding_misfit_below])
    account.alive = False
    account.lost_at = model.now
    account.first_value_at = account.stall_at = NEVER
    after = risk.reactivation_after(model.p, model.key, account.entity, account.lives, account.segment)
    account.back_at = model.now + after if after < NEVER else NEVER
    account.lost.succeed()


class Mood:
    """What the market hears: live accounts, and ill-fitting ones lost within about a year."""

    def __init__(self) -> None:
        self.live = 0.0
        self._misfits_lost = 0.0
        self._at = 0.0

    def misfits_lost(self, now: int) -> float:
        """Ill-fitting accounts lost; each counts less as a year goes by."""
        return self._misfits_lost * math.exp(-(now - self._at) / YEAR)

    def lose(self, now: int, ill_fitting: bool) -> None:
        """An account is lost."""
        if ill_fitting:
            self._misfits_lost = self.misfits_lost(now) + 1.0
            self._at = float(now)
        self.live -= 1.0
