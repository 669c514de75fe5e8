"""The register of purposes is append-only."""

from subsim.random import Purpose, purposes

FROZEN = {
    "PARAMETER": 1,
    "ARRIVAL_GAP": 2,
    "ARRIVAL_ACCEPT": 3,
    "ARRIVAL_SEASON": 4,
    "FIRST_ARR": 5,
    "TERM": 6,
    "FIT": 7,
    "FIT_NOISE": 8,
    "FRAILTY": 9,
    "WALLET": 10,
    "ONBOARDING_HOURS": 11,
    "CUSTOMER_DELAY": 12,
    "PATIENCE": 13,
    "RESPONSE": 14,
    "REVIEW_OFFSET": 15,
    "USAGE_NOISE": 16,
    "SCORE_NOISE": 17,
    "OPENING_ENGAGEMENT": 18,
    "SPONSOR_LEAVES": 19,
    "SPONSOR_RECOVERS": 20,
    "RENEWAL": 21,
    "CONTRACTION_AT_RENEWAL": 22,
    "CONTRACTION_KEEP": 23,
    "UNCONTROLLABLE": 24,
    "IN_TERM_LOSS": 25,
    "IN_TERM_CONTRACTION": 26,
    "IN_TERM_KEEP": 27,
    "OPPORTUNITY": 28,
    "WIN": 29,
    "EXPANSION_SHARE": 30,
    "EXPANSION_KIND": 31,
    "WORK_HOURS": 32,
    "WORK_PATIENCE": 33,
    "SAVE": 34,
    "CAMPAIGN_REACH": 35,
    "REFERRAL": 36,
    "REFERRAL_IDENTITY": 37,
    "REFERRAL_LAG": 38,
    "REACTIVATION": 39,
    "REACTIVATION_SHARE": 40,
    "TICKET_GAP": 41,
    "TICKET_SEVERITY": 42,
    "SEAT_LEAVES": 43,
    "HIRING_LAG": 44,
    "TOUCH_OFFSET": 45,
    "LATE_INVOICE": 46,
    "OPENING_TTV": 47,
    "OPENING_SPONSOR": 48,
}


def test_numbers_are_never_changed_reused_or_removed() -> None:
    now = {purpose.name: purpose.value for purpose in Purpose}
    kept = {name: now.get(name) for name in FROZEN}
    assert kept == FROZEN, "append only: a purpose's number is part of the key of every draw made with it"
    missing = set(now) - set(FROZEN)
    assert not missing, f"append only: add {sorted(missing)} with its number to FROZEN above"


def test_numbers_are_unique_and_fit_the_counter() -> None:
    values = list(Purpose.__members__.values())
    assert len(set(values)) == len(values)
    assert all(0 < value < 256 for value in values)


def test_every_purpose_is_also_a_plain_integer() -> None:
    for purpose in Purpose:
        constant = getattr(purposes, purpose.name)
        assert type(constant) is int
        assert constant == purpose
