"""What a random number is for: the append-only register of purposes.

A number once given stays with its meaning for ever: changing, reusing or removing one changes every simulated result.
New purposes take the next free number. Numbers are below 256.

In code that gets compiled use the module's plain integers, `purposes.RENEWAL`; in Python either form.
"""

from enum import IntEnum


class Purpose(IntEnum):
    """Purpose of a draw, part of its key. Append only."""

    PARAMETER = 1
    ARRIVAL_GAP = 2
    ARRIVAL_ACCEPT = 3
    ARRIVAL_SEASON = 4
    FIRST_ARR = 5
    TERM = 6
    FIT = 7
    FIT_NOISE = 8
    FRAILTY = 9
    WALLET = 10
    ONBOARDING_HOURS = 11
    CUSTOMER_DELAY = 12
    PATIENCE = 13
    RESPONSE = 14
    REVIEW_OFFSET = 15
    USAGE_NOISE = 16
    SCORE_NOISE = 17
    OPENING_ENGAGEMENT = 18
    SPONSOR_LEAVES = 19
    SPONSOR_RECOVERS = 20
    RENEWAL = 21
    CONTRACTION_AT_RENEWAL = 22
    CONTRACTION_KEEP = 23
    UNCONTROLLABLE = 24
    IN_TERM_LOSS = 25
    IN_TERM_CONTRACTION = 26
    IN_TERM_KEEP = 27
    OPPORTUNITY = 28
    WIN = 29
    EXPANSION_SHARE = 30
    EXPANSION_KIND = 31
    WORK_HOURS = 32
    WORK_PATIENCE = 33
    SAVE = 34
    CAMPAIGN_REACH = 35
    REFERRAL = 36
    REFERRAL_IDENTITY = 37
    REFERRAL_LAG = 38
    REACTIVATION = 39
    REACTIVATION_SHARE = 40
    TICKET_GAP = 41
    TICKET_SEVERITY = 42
    SEAT_LEAVES = 43
    HIRING_LAG = 44
    TOUCH_OFFSET = 45
    LATE_INVOICE = 46
    OPENING_TTV = 47
    OPENING_SPONSOR = 48


# Plain integers, which compiled code takes as constants.
PARAMETER = int(Purpose.PARAMETER)
ARRIVAL_GAP = int(Purpose.ARRIVAL_GAP)
ARRIVAL_ACCEPT = int(Purpose.ARRIVAL_ACCEPT)
ARRIVAL_SEASON = int(Purpose.ARRIVAL_SEASON)
FIRST_ARR = int(Purpose.FIRST_ARR)
TERM = int(Purpose.TERM)
FIT = int(Purpose.FIT)
FIT_NOISE = int(Purpose.FIT_NOISE)
FRAILTY = int(Purpose.FRAILTY)
WALLET = int(Purpose.WALLET)
ONBOARDING_HOURS = int(Purpose.ONBOARDING_HOURS)
CUSTOMER_DELAY = int(Purpose.CUSTOMER_DELAY)
PATIENCE = int(Purpose.PATIENCE)
RESPONSE = int(Purpose.RESPONSE)
REVIEW_OFFSET = int(Purpose.REVIEW_OFFSET)
USAGE_NOISE = int(Purpose.USAGE_NOISE)
SCORE_NOISE = int(Purpose.SCORE_NOISE)
OPENING_ENGAGEMENT = int(Purpose.OPENING_ENGAGEMENT)
SPONSOR_LEAVES = int(Purpose.SPONSOR_LEAVES)
SPONSOR_RECOVERS = int(Purpose.SPONSOR_RECOVERS)
RENEWAL = int(Purpose.RENEWAL)
CONTRACTION_AT_RENEWAL = int(Purpose.CONTRACTION_AT_RENEWAL)
CONTRACTION_KEEP = int(Purpose.CONTRACTION_KEEP)
UNCONTROLLABLE = int(Purpose.UNCONTROLLABLE)
IN_TERM_LOSS = int(Purpose.IN_TERM_LOSS)
IN_TERM_CONTRACTION = int(Purpose.IN_TERM_CONTRACTION)
IN_TERM_KEEP = int(Purpose.IN_TERM_KEEP)
OPPORTUNITY = int(Purpose.OPPORTUNITY)
WIN = int(Purpose.WIN)
EXPANSION_SHARE = int(Purpose.EXPANSION_SHARE)
EXPANSION_KIND = int(Purpose.EXPANSION_KIND)
WORK_HOURS = int(Purpose.WORK_HOURS)
WORK_PATIENCE = int(Purpose.WORK_PATIENCE)
SAVE = int(Purpose.SAVE)
CAMPAIGN_REACH = int(Purpose.CAMPAIGN_REACH)
REFERRAL = int(Purpose.REFERRAL)
REFERRAL_IDENTITY = int(Purpose.REFERRAL_IDENTITY)
REFERRAL_LAG = int(Purpose.REFERRAL_LAG)
REACTIVATION = int(Purpose.REACTIVATION)
REACTIVATION_SHARE = int(Purpose.REACTIVATION_SHARE)
TICKET_GAP = int(Purpose.TICKET_GAP)
TICKET_SEVERITY = int(Purpose.TICKET_SEVERITY)
SEAT_LEAVES = int(Purpose.SEAT_LEAVES)
HIRING_LAG = int(Purpose.HIRING_LAG)
TOUCH_OFFSET = int(Purpose.TOUCH_OFFSET)
LATE_INVOICE = int(Purpose.LATE_INVOICE)
OPENING_TTV = int(Purpose.OPENING_TTV)
OPENING_SPONSOR = int(Purpose.OPENING_SPONSOR)
