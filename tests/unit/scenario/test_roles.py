"""Names of work with a meaning: the scenario's and the model's are the same."""

from subsim.model.rules import work
from subsim.scenario.roles import OVERLOAD, ROLES


def test_scenario_and_model_name_the_same_work() -> None:
    assert ("calendar", *ROLES) == work.ROLES


def test_overload_policies_have_the_models_codes() -> None:
    assert [getattr(work, name.upper()) for name in OVERLOAD] == list(range(len(OVERLOAD)))
