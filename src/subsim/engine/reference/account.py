"""An account as it stands, and the two things that always move it: engagement and money."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from subsim.engine import events as ev
from subsim.model.rules import engagement
from subsim.model.rules.clock import NEVER
from subsim.model.rules.risk import RISKS

if TYPE_CHECKING:
    from subsim.engine.reference.model import Model
    from subsim.engine.reference.seats import Seat
    from subsim.engine.reference.work import WorkItem


@dataclass(slots=True, eq=False)
class Account:
    """A customer: what it pays, how it fares, who looks after it. Times are minutes, money is cents.

    A date of NEVER means that nothing is planned. An activity that wakes on a date which is no
    longer the account's ends.
    """

    number: int  # order of entry
    entity: Any  # np.uint64: whose random numbers it draws
    segment: int
    start: int
    arr: int = 0
    first_arr: int = 0
    last_arr: int = 0  # before it left
    term: int = 12  # months
    anchor: int = 1  # day of the month on which terms end
    term_end: int = NEVER
    notice_at: int = NEVER
    renewals: int = 0
    prepared: bool = False
    conceded: bool = False
    # Who it is.
    risk_multiplier: float = 1.0
    fit: float = 0.0
    response: float = 1.0
    # How it fares.
    engagement: float = 0.0
    engagement_at: int = 0  # minute to which engagement is computed
    rest: float = 0.0
    stage: int = ev.ONBOARDING
    ttv_days: float = -1.0
    first_value_at: int = NEVER
    stall_at: int = NEVER
    alive: bool = True
    lives: int = 0  # times it came back
    lost_at: int = -NEVER
    back_at: int = NEVER
    sponsor: bool = True
    doomed: bool = False
    advocate: bool = False
    advocate_level_since: int = -1
    lead_at: int = NEVER
    # What is read of it.
    review_at: int = NEVER
    reviews: int = 0
    score: float = 101.0  # above every score until one is read
    band: int = -1
    inactive: bool = False  # at its last review
    # Who looks after it.
    tier: int = 0
    owner: Seat | None = None
    owner_since: int = 0
    ticket_at: int = NEVER
    tickets: int = 0
    spike_from: int = 0
    spike_tickets: int = 0
    # By work type.
    open_items: list[WorkItem | None] = field(default_factory=list)
    raised: list[int] = field(default_factory=list)
    next_due: list[int] = field(default_factory=list)
    # By risk.
    threshold_left: list[float] = field(default_factory=lambda: [0.0] * RISKS)
    risk_at: list[int] = field(default_factory=lambda: [NEVER] * RISKS)
    spells: list[int] = field(default_factory=lambda: [0] * RISKS)
    # ARR at the last twelve month ends, by month number modulo 12.
    history: list[int] = field(default_factory=lambda: [0] * 12)
    # What its activities wait for.
    reviewed: Event = field(kw_only=True)
    lost: Event = field(kw_only=True)
    referred: Event = field(kw_only=True)

    def lives_on(self, life: int) -> bool:
        """Whether this is still the life in which an activity began."""
        return self.alive and self.lives == life


def engagement_now(model: Model, account: Account) -> float:
    """Engagement as it stands."""
    a, adopted = account, account.stage == ev.ADOPTED
    return float(engagement.now(model.p, a.segment, a.engagement, a.rest, a.start, a.engagement_at, model.now, adopted))


def engage(model: Model, account: Account) -> None:
    """Bring engagement up to now."""
    account.engagement = engagement_now(model, account)
    account.engagement_at = model.now


def shift(model: Model, account: Account, by: float) -> None:
    """Lift or shock engagement now."""
    engage(model, account)
    account.engagement += float(by)


def set_arr(model: Model, account: Account, arr: int, metric: int, code: int, why: int) -> None:
    """Change ARR and book the difference under a line of the bridge."""
    model.record.segment(account.segment, metric, abs(arr - account.arr))
    model.record.note(model.now, code, account.number, why, account.arr, arr)
    account.arr = arr
