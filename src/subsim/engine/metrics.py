"""What an engine counts by month: names in order, and each name's column as a constant (``S_ARR``).

Money is in cents, work in minutes. Contraction, price_down, concession and churn are positive numbers.
"""

#: Columns of the cube by segment. Levels at month end: arr, logos, ttm_*, in_onboarding, score_*, advocates,
#: engagement_milli, without_sponsor.
#: All others are flows within the month.
SEGMENT: tuple[str, ...] = (
    "arr",
    "new",
    "expansion_seats",
    "expansion_cross_sell",
    "price_up",
    "price_down",
    "contraction",
    "concession",
    "churn",
    "reactivation",
    "logos",
    "logos_new",
    "logos_lost",
    "logos_reactivated",
    "ttm_opening",
    "ttm_kept",
    "ttm_net",
    "ttm_logos_opening",
    "ttm_logos_kept",
    "atr",
    "renewed",
    "renewals_due",
    "renewals_lost",
    "churn_fit",
    "churn_no_value",
    "churn_engagement",
    "churn_sponsor",
    "churn_price",
    "churn_uncontrollable",
    "churn_unexplained",
    "declined",
    "first_values",
    "ttv_minutes",
    "stalled",
    "in_onboarding",
    "score_red",
    "score_yellow",
    "score_green",
    "advocates",
    "engagement_milli",
    "without_sponsor",
    "referrals",
    "tickets",
)

#: Columns of the cube by team. Levels: seats, backlog_*, accounts, arr_owned.
TEAM: tuple[str, ...] = (
    "seats",
    "available_minutes",
    "busy_minutes",
    "minutes_demanded",
    "minutes_served",
    "minutes_expired",
    "minutes_cancelled",
    "items_demanded",
    "items_started",
    "items_done",
    "items_expired",
    "items_cancelled",
    "wait_minutes",
    "items_waited",
    "backlog_items",
    "backlog_arr",
    "overtime_minutes",
    "leavers",
    "hires",
    "cost",
    "accounts",
    "arr_owned",
)

#: Columns of the cube by tier. Levels: accounts, arr.
TIER: tuple[str, ...] = (
    "accounts",
    "arr",
    "touches_due",
    "touches_done",
    "touches_missed",
    "campaign_cost",
)

for _prefix, _names in (("S", SEGMENT), ("T", TEAM), ("R", TIER)):
    for _i, _name in enumerate(_names):
        globals()[f"{_prefix}_{_name.upper()}"] = _i
