"""The commands ttv, pilot and sensitivity as a person types them."""

import json
from pathlib import Path

import pytest
import yaml

from subsim.experiment.run import warm_up
from tests.cli.conftest import Call
from tests.unit.experiment.test_time_to_value import COMPANY


@pytest.fixture(autouse=True, scope="module")
def _compiled() -> None:
    """The engine is compiled before, so that no command says that it compiles."""
    warm_up()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    faster = {"scale": {"parameter": "onboarding.customer_delay", "by": 0.5, "from": "2026-03-01"}}
    for name, facts in {"base": COMPANY, "faster": COMPANY | {"name": "Faster", "levers": [faster]}}.items():
        Path(f"{name}.yaml").write_text(yaml.safe_dump(facts, sort_keys=False), encoding="utf-8")
    return tmp_path


def test_ttv_prints_days_and_price_and_writes_what_it_shows(call: Call, files: Path) -> None:
    options = ("--draws", "4", "--one-off", "$10k", "--yearly", "$1k", "--out", "found")
    code, out, err = call("ttv", "base.yaml", "faster.yaml", *options)
    assert (code, err) == (0, "")
    assert "days saved" in out.replace("\n", " ")
    assert "$10.0k once" in " ".join(out.split())
    names = {path.name for path in (files / "found").iterdir()}
    assert names == {
        "time_to_value.md",
        "time_to_value.png",
        "differences.csv",
        "days.csv",
        "break_even.csv",
        "work.csv",
    }


def test_ttv_json_is_one_object(call: Call, files: Path) -> None:
    code, out, err = call("ttv", "base.yaml", "faster.yaml", "--draws", "3", "--json")
    assert (code, err) == (0, "")
    assert {row["investment"] for row in json.loads(out)["break_even"]} == {"Faster"}


def test_sensitivity_prints_numbers_with_what_they_rest_on(
    call: Call, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("SALib", reason="needs the sensitivity extra")
    monkeypatch.setattr("subsim.experiment.first_order.RESAMPLES", 3)
    code, out, err = call("sensitivity", "base.yaml", "--draws", "50", "--horizon", "12")
    assert (code, err) == (0, "")
    assert "What moves ARR after 12 months (50 draws)" in out
    assert "assumed" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ttv", "base.yaml", "faster.yaml", "--one-off", "$1k", "--one-off", "$2k"), "one for each PLAN"),
        (("ttv", "base.yaml", "base.yaml"), "another name"),
        (("ttv", "base.yaml", "faster.yaml", "--follow", "soon"), "follow"),
        (("pilot", "base.yaml", "faster.yaml", "--accounts", "many"), "whole numbers"),
        (("pilot", "base.yaml", "faster.yaml", "--touch", "site_visit"), "site_visit"),
        (("pilot", "base.yaml", "faster.yaml", "--months", "0"), "1 to 23"),
        (("sensitivity", "base.yaml", "--metric", "joy"), "joy"),
        (("sensitivity", "base.yaml", "--draws", "10"), "50 or more"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_code_2(
    call: Call, files: Path, arguments: tuple[str, ...], told: str
) -> None:
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert "Traceback" not in err
