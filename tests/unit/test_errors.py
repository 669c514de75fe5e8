"""Errors carry where, found, allowed and do, in words, as JSON and across processes."""

import json
import pickle

import pytest

from subsim.errors import EngineError, InputError, InputErrors, SubsimError

SEATS = InputError(where="a.yaml:3 seats", found="-1", allowed="0 or more people", do="count people, not changes")
UNIT = InputError(where="a.yaml:7 horizon", found="36", allowed="a number with a unit, such as 36 months")


def test_message_says_where_found_allowed_and_what_to_do() -> None:
    assert str(SEATS) == "a.yaml:3 seats: found -1; allowed: 0 or more people; count people, not changes"


def test_message_without_a_next_step_ends_with_what_is_allowed() -> None:
    assert str(UNIT) == "a.yaml:7 horizon: found 36; allowed: a number with a unit, such as 36 months"


def test_bundle_keeps_every_error_in_order() -> None:
    bundle = InputErrors(error for error in (SEATS, UNIT))
    assert bundle.errors == [SEATS, UNIT]
    assert str(bundle).splitlines() == [str(SEATS), str(UNIT)]


def test_bundle_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        InputErrors([])


def test_json_has_every_field() -> None:
    row = json.loads(json.dumps(SEATS.to_dict()))
    assert row == {
        "error": "InputError",
        "message": str(SEATS),
        "where": "a.yaml:3 seats",
        "found": "-1",
        "allowed": "0 or more people",
        "do": "count people, not changes",
    }
    bundle = json.loads(json.dumps(InputErrors([SEATS, UNIT]).to_dict()))
    assert bundle["error"] == "InputErrors"
    assert [error["where"] for error in bundle["errors"]] == ["a.yaml:3 seats", "a.yaml:7 horizon"]
    assert EngineError("event queue full").to_dict() == {"error": "EngineError", "message": "event queue full"}


@pytest.mark.parametrize("error", [SEATS, InputErrors([SEATS, UNIT]), EngineError("event queue full")])
def test_errors_survive_the_way_back_from_another_process(error: SubsimError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert copy.to_dict() == error.to_dict()
