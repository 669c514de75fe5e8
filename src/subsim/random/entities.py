"""Whose random number it is: 64-bit keys that are the same in every scenario and every run.

The top bits keep the kinds apart (accounts by hash, so two of n accounts share a key with odds of about n**2 / 2**64):

    0...    accounts of the book (hash of the identifier) and names
    100...  future accounts by source and number
    101...  accounts that come by referral
    11...   people by team, seat and incumbent
"""

from hashlib import blake2b

from subsim._jit import rule, word
from subsim.random.philox import bits
from subsim.random.purposes import REFERRAL_IDENTITY

SOURCE_LIMIT = 1 << 21
NUMBER_LIMIT = 1 << 40
TEAM_LIMIT = 1 << 14
SEAT_LIMIT = 1 << 24
INCUMBENT_LIMIT = 1 << 24

_FUTURE = word(0b100 << 61)
_REFERRAL = word(0b101 << 61)
_PERSON = word(0b110 << 61)
_LOW61 = word((1 << 61) - 1)
_BITS24 = word(24)
_BITS40 = word(40)
_BITS48 = word(48)


def _hash(text: str, kind: bytes) -> int:
    digest = blake2b(text.encode(), digest_size=8, person=kind).digest()
    return int.from_bytes(digest, "little") >> 1


def account_entity(account_id: str) -> int:
    """Key of an account of the book, by its identifier."""
    return _hash(account_id, b"account")


def name_entity(name: str) -> int:
    """Key of anything that has a name, such as a parameter."""
    return _hash(name, b"name")


@rule
def future_entity(source: int, n: int) -> int:
    """Key of the n-th account (below 2**40) that a source of new customers (below 2**21) brings."""
    return _FUTURE | (word(source) << _BITS40) | word(n)


@rule
def referral_entity(referrer: int, ordinal: int) -> int:
    """Key of the account that comes from a customer's referral with this ordinal; the same under every seed."""
    return _REFERRAL | (bits(0, 0, REFERRAL_IDENTITY, referrer, ordinal) & _LOW61)


@rule
def person_entity(team: int, seat: int, incumbent: int) -> int:
    """Key of the incumbent-th person on a seat (both below 2**24) of a team (below 2**14)."""
    return _PERSON | (word(team) << _BITS48) | (word(seat) << _BITS24) | word(incumbent)
