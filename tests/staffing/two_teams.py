"""A small company with two teams, for tests of plans over several teams and of ways to cover a segment."""

from subsim.scenario import Scenario

COMPANY = {
    "name": "Two teams",
    "start": "2026-01-01",
    "horizon": "14 months",
    "segments": {
        "smb": {"opening": {"accounts": 50, "tenure": "400 days"}, "new_business": "2 per month"},
        "enterprise": {"opening": {"accounts": 12, "tenure": "600 days"}},
    },
    "tiers": {
        "served": {
            "coverage": "named",
            "team": "care",
            "touches": {"virtual_contact": "1 month"},
            "playbooks": ["save", "renewal_prep", "expansion"],
        },
        "large": {
            "coverage": "named",
            "team": "key",
            "touches": {"status_call": "1 month", "business_review": "3 months"},
            "playbooks": ["save", "renewal_prep", "expansion"],
        },
        "tech": {"coverage": "digital"},
    },
    "routing": [
        {"segment": "enterprise", "to": "large"},
        {"segment": "smb", "arr_from": "$40k", "to": "large"},
        {"segment": "smb", "to": "served"},
    ],
    "teams": {
        "care": {"title": "Care team", "seats": 2, "cost": "$90k"},
        "key": {"title": "Key accounts", "seats": 1, "cost": "$150k"},
    },
}


def company() -> Scenario:
    """The company, checked."""
    return Scenario.from_dict(COMPANY)
