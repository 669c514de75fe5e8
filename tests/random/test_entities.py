"""Entity keys: frozen, and disjoint between kinds."""

import pytest

from subsim.random.entities import (
    INCUMBENT_LIMIT,
    NUMBER_LIMIT,
    SEAT_LIMIT,
    SOURCE_LIMIT,
    TEAM_LIMIT,
    account_entity,
    future_entity,
    name_entity,
    person_entity,
    referral_entity,
)


def _kind(entity: int) -> str:
    top = f"{int(entity):064b}"
    return "account" if top[0] == "0" else {"100": "future", "101": "referral"}.get(top[:3], "person")


def test_keys_are_frozen() -> None:
    assert account_entity("ACME-001") == 0x761EC037AF2D7C9
    assert name_entity("renewal.base") == 0x3E3736EFACC1588F
    assert future_entity(3, 17) == (1 << 63) | (3 << 40) | 17
    assert person_entity(2, 5, 1) == (3 << 62) | (2 << 48) | (5 << 24) | 1
    assert referral_entity(account_entity("ACME-001"), 0) == 0xB72A8F56A7E87FC4


def test_kinds_are_disjoint_up_to_their_limits() -> None:
    for i in range(50):
        assert _kind(account_entity(f"account {i}")) == "account"
        assert _kind(name_entity(f"name {i}")) == "account"
        assert _kind(referral_entity(account_entity(f"account {i}"), i)) == "referral"
    for source, n in [(0, 0), (SOURCE_LIMIT - 1, NUMBER_LIMIT - 1)]:
        assert _kind(future_entity(source, n)) == "future"
    for team, seat, incumbent in [(0, 0, 0), (TEAM_LIMIT - 1, SEAT_LIMIT - 1, INCUMBENT_LIMIT - 1)]:
        assert _kind(person_entity(team, seat, incumbent)) == "person"


def test_fields_do_not_overlap() -> None:
    future = {future_entity(source, n) for source in (0, 1, SOURCE_LIMIT - 1) for n in (0, 1, NUMBER_LIMIT - 1)}
    assert len(future) == 9
    limits = (TEAM_LIMIT, SEAT_LIMIT, INCUMBENT_LIMIT)
    people = {
        person_entity(t, s, i) for t in (0, 1, limits[0] - 1) for s in (0, 1, limits[1] - 1) for i in (0, limits[2] - 1)
    }
    assert len(people) == 18


def test_referred_accounts_can_refer_in_turn() -> None:
    chain = [account_entity("ACME-001")]
    for _ in range(100):
        chain.append(referral_entity(chain[-1], 0))
    siblings = [referral_entity(chain[0], n) for n in range(1, 100)]
    assert len(set(chain + siblings)) == 200


@pytest.mark.parametrize("text", ["", "é", "a" * 5_000])
def test_any_text_is_a_name(text: str) -> None:
    assert 0 <= account_entity(text) < 1 << 63
    assert account_entity(text) != name_entity(text)
