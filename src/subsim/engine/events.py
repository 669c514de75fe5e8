"""Kinds of events, in the order in which they happen within a minute, and what a trace calls them.

An event is its key: time, kind, number. The order never depends on who scheduled what first. MONTH_END comes first:
what happens at midnight belongs to the new month. DISPATCH comes last: everybody who asks in a minute competes by
priority.
"""

(
    MONTH_END,
    LEVER,
    SEAT_ARRIVES,
    SEAT_LEAVES,
    REASSIGN,
    SERVICE_END,
    FIRST_VALUE,
    RISK,
    TERM_END,
    NOTICE,
    REACTIVATION,
    ARRIVAL,
    LEAD,
    STALL,
    REVIEW,
    CAMPAIGN,
    TICKET,
    DUE,
    OVERFLOW,
    DEADLINE,
    SEAT_REVIEW,
    DISPATCH,
) = range(22)

#: Trace codes. 0..31 are kinds of events; the rest say what became of them. ``who`` is an account unless said
#: otherwise.
TRACE: dict[int, str] = {
    LEVER: "lever",  # who: lever's number
    SEAT_ARRIVES: "seat filled",  # who: seat
    SEAT_LEAVES: "seat left",  # who: seat
    FIRST_VALUE: "first value",
    STALL: "onboarding stalled",
    REVIEW: "review",
    CAMPAIGN: "campaign",  # who: campaign
    32: "new",
    33: "renewed",
    34: "expansion, seats",
    35: "expansion, cross-sell",
    36: "price",
    37: "contraction",
    38: "concession",
    39: "churn",
    40: "reactivation",
    41: "work raised",
    42: "work begun",
    43: "work done",
    44: "work expired",
    45: "work cancelled",
    46: "work overtime",
    47: "owner",
    48: "tier",
    49: "sponsor left",
    50: "sponsor restored",
    51: "uncontrollable loss ahead",
    52: "opportunity",
    53: "advocate",
    54: "referral",
    55: "declined",
    56: "reached by campaign",
}
(
    L_NEW,
    L_RENEWED,
    L_EXPANSION,
    L_CROSS_SELL,
    L_PRICE,
    L_CONTRACTION,
    L_CONCESSION,
    L_CHURN,
    L_REACTIVATION,
    L_RAISED,
    L_BEGUN,
    L_DONE,
    L_EXPIRED,
    L_CANCELLED,
    L_OVERTIME,
    L_OWNER,
    L_TIER,
    L_SPONSOR_LEFT,
    L_SPONSOR_BACK,
    L_DOOMED,
    L_OPPORTUNITY,
    L_ADVOCATE,
    L_REFERRAL,
    L_DECLINED,
    L_REACHED,
) = range(32, 57)

# Actions of a lever's row.
SET, SCALE, ROUTE, RESTART_CALENDARS, LEAVE = range(5)
# Coverage of a tier.
DIGITAL, NAMED, POOLED, HYBRID = range(4)
# Stages of an account.
ONBOARDING, ADOPTED = range(2)
# What became of a run.
OK, HEAP_FULL, ACCOUNTS_FULL, LOG_FULL = range(4)
