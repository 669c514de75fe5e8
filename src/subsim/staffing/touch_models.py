"""Ready-made ways to cover a segment: high and low touch, pooled, hybrid, digital, representatives, priorities.

Calendars and playbooks follow the touch models of the customer-success literature (high touch: monthly status, regular
reviews, site visits; low touch: packaged, irregular reviews; tech touch: one to many) at the cadences of the shipped
baseline. All of it is convention or judgement (grades C and D) and is meant to be changed: a plan of one's own is a
scenario.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from subsim.scenario.roles import PLAYBOOKS

Band = Literal["all", "below", "from"]
Money = Literal["team", "representatives", "saved"]

HIGH_TOUCHES: Final = {"status_call": "1 month", "business_review": "3 months", "site_visit": "1 year"}
HIGH_PLAYS: Final = tuple(play for play in PLAYBOOKS if play != "ticket")  # tickets are support's
LOW_TOUCHES: Final = {"virtual_contact": "1 month", "business_review": "1 year"}
LOW_PLAYS: Final = ("handoff", "renewal_prep", "save", "rescue", "sponsor_recovery", "expansion")
REP_PLAYS: Final = ("renewal_prep", "save", "expansion")

#: A digital programme costs as much as one seat of the team at stake, people who make it included; its sends share it.
PROGRAMME: Final = {"messages": "1 month", "webinars": "3 months", "office_hours": "1 month"}
PROGRAMME_SOURCE: Final = (
    "a digital programme (monthly messages, monthly office hours, quarterly webinars) costs as much as one seat of the "
    "team; reach and lift of a send are the catalogue's: judgement, grade D"
)
#: What a representative costs against a CSM: the shipped baseline's scaled desk against its mid-touch CSMs.
REP_COST_SHARE: Final = 0.7
REP_SOURCE: Final = f"a representative costs {REP_COST_SHARE:g} of a CSM unless a cost is named: judgement, grade D"
OVERFLOW: Final = "3 days"

#: Steps of priority, smaller goes first: what goes ahead of everything, accounts that stand behind in each type of
#: work, accounts that stand behind in everything.
SHIFT: Final = 20
BEHIND: Final = 10
LAST: Final = 100


@dataclass(frozen=True)
class Part:
    """What some accounts of the segment get: changes to today's tier; accounts by ARR against the threshold."""

    mark: str
    band: Band = "all"
    coverage: str | None = None
    touches: dict[str, str] | None = None
    plays: tuple[str, ...] | None = None
    cadence: float = 1.0
    """Factor on the intervals of the touches."""
    priority: int = 0
    team: Literal["own", "representatives", "none"] = "own"


@dataclass(frozen=True)
class TouchModel:
    """A ready-made plan: its parts, whether it runs a digital programme, and what the money that is left buys."""

    title: str
    parts: tuple[Part, ...] = ()
    programme: bool = False
    money: Money = "team"
    first: tuple[str, ...] = ()
    """Types of work that go ahead of all others, whose order among themselves stays."""


def _own(mark: str, **changes: Any) -> tuple[Part, ...]:
    return (Part(mark, **changes),)


def _large_first(mark: str, behind: int) -> tuple[Part, ...]:
    return (Part(f"{mark}_large", "from"), Part(f"{mark}_small", "below", priority=behind))


_DIGITAL: Final[dict[str, Any]] = {"coverage": "digital", "touches": {}, "plays": (), "team": "none"}

MODELS: Final[dict[str, TouchModel]] = {
    "today": TouchModel("As today"),
    "high_touch": TouchModel("High touch", _own("high", coverage="named", touches=HIGH_TOUCHES, plays=HIGH_PLAYS)),
    "low_touch": TouchModel("Low touch", _own("low", coverage="named", touches=LOW_TOUCHES, plays=LOW_PLAYS)),
    "pooled": TouchModel("Pooled", _own("pooled", coverage="pooled")),
    "hybrid": TouchModel("Hybrid", _own("hybrid", coverage="hybrid")),
    "tech_touch": TouchModel("Tech touch", _own("tech", **_DIGITAL), programme=True, money="saved"),
    "tech_touch_below": TouchModel(
        "Tech touch for the small", (Part("tech", "below", **_DIGITAL), Part("kept", "from")), programme=True
    ),
    "digital_programme": TouchModel("Digital programme beside CSMs", _own("digital_too"), programme=True),
    "reps": TouchModel(
        "Renewal reps",
        _own("reps", coverage="pooled", touches={}, plays=REP_PLAYS, team="representatives"),
        money="representatives",
    ),
    "fewer_touches": TouchModel("Half as many touches", _own("fewer", cadence=2.0)),
    "more_touches": TouchModel("Twice as many touches", _own("more", cadence=0.5)),
    "more_csms": TouchModel("Fewer accounts per CSM"),
    "arr_first": TouchModel("Largest accounts first", _large_first("arr", LAST)),
    "arr_and_renewal_first": TouchModel(
        "Renewals first, then the largest",
        _large_first("due", BEHIND),
        first=("renewal_prep", "save"),
    ),
    "risk_first": TouchModel(
        "Accounts at risk first", first=("save", "rescue", "sponsor_recovery", "reactivation_outreach")
    ),
}

#: What is compared when no plans are named.
DEFAULT: Final = (
    "today",
    "high_touch",
    "low_touch",
    "pooled",
    "hybrid",
    "tech_touch",
    "tech_touch_below",
    "digital_programme",
    "reps",
)
