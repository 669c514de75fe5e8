"""Commands as a person types them: what they print, write, and exit with."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

import subsim
from subsim.cli import app, screen, work
from subsim.errors import EngineError, InputError, InputErrors
from subsim.experiment.demo import scenario_folder
from subsim.experiment.results import Runs
from subsim.scenario import load_scenario
from tests.cli.conftest import Call
from tests.unit.experiment import synthetic


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Scenario files whose simulation is replaced by synthetic cubes; gives the folder to run in."""

    def simulate(scenarios: Sequence[Any], options: work.Options, _read: object) -> Runs:
        runs = synthetic.runs(draws=options.draws, months=14)
        return Runs(dict(list(runs.outcomes.items())[: len(scenarios)]), seed=options.seed, draws=options.draws)

    monkeypatch.setattr("subsim.scenario.load_scenario", lambda _: SimpleNamespace(book=None))
    monkeypatch.setattr(work, "simulate", simulate)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_run_prints_where_arr_lands_and_writes_a_result(call: Call, simulated: Path) -> None:
    code, out, err = call("run", "a.yaml", "--draws", "8")
    assert (code, err) == (0, "")
    assert "ARR goes from $14.1M" in out
    (folder,) = (simulated / "results").iterdir()
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "manifest.json",
        "summary.md",
        "monthly.parquet",
        "work.parquet",
        "arr.png",
        "bridge.png",
        "load.png",
    }


def test_a_second_run_reads_nothing_and_says_the_same(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("run", str(scenario_folder() / "baseline.yaml"), "--draws", "2", "--json", "--no-figures")
    given = (*arguments, "--out", str(tmp_path))
    code, first, err = call(*given)
    assert (code, err) == (0, "")
    monkeypatch.setattr("subsim.cli.reading.read_start", lambda *_: pytest.fail("read here"))
    assert call(*given)[1] == first
    assert call(*given, "--workers", "1")[1] == first


def test_run_json_is_one_object_with_the_monthly_rows(call: Call, simulated: Path) -> None:
    arguments = ("run", "a.yaml", "--draws", "8", "--seed", "5", "--json", "--no-figures")
    code, out, err = call(*arguments)
    assert (code, err, out.count("\n")) == (0, "", 1)
    data = json.loads(out)
    assert (data["scenario"], data["draws"], data["seed"]) == ("baseline", 8, 5)
    assert (simulated / "results" / data["run_id"]).is_dir()
    row = data["monthly"][0]
    assert list(row) == ["month", "segment", "team", "metric", "mean", "q05", "q10", "q25", "q50", "q75", "q90", "q95"]
    assert {"arr", "new", "grr_ttm", "hours_demanded", "items_expired"} <= {row["metric"] for row in data["monthly"]}
    assert call(*arguments)[1] == out


def test_compare_json_has_differences_and_their_direction(call: Call, simulated: Path) -> None:
    code, out, _ = call("compare", "a.yaml", "b.yaml", "c.yaml", "--draws", "8", "--json", "--no-figures", "--out", "r")
    data = json.loads(out)
    assert code == 0
    assert {row["scenario"] for row in data["differences"]} == {"better", "twin"}
    assert {row["base"] for row in data["differences"]} == {"baseline"}
    assert {row["horizon_months"] for row in data["differences"]} == {3, 6, 12}
    assert (simulated / "r" / data["run_id"] / "summary.md").is_file()


def test_compare_writes_pictures_of_every_plan(call: Call, simulated: Path) -> None:
    code, out, _ = call("compare", "a.yaml", "b.yaml", "--draws", "8")
    assert code == 0
    assert "Difference to baseline after 12 months" in out
    (folder,) = (simulated / "results").iterdir()
    assert {"plans.png", "comparison.png", "arr_better.png"} <= {path.name for path in folder.iterdir()}


def test_a_results_folder_that_cannot_be_written_is_bad_input(call: Call, simulated: Path) -> None:
    (simulated / "file").write_text("")
    code, out, err = call("run", "a.yaml", "--draws", "4", "--no-figures", "--out", "file")
    assert (code, out) == (2, "")
    assert err.startswith("results folder file:")


def failing(error: BaseException) -> Callable[[object], None]:
    def load(_: object) -> None:
        raise error

    return load


WRONG = InputError(where="a.yaml:3 seats", found="-1", allowed="0 or more", do="Fix it.")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (WRONG, 2, "a.yaml:3 seats: found -1; allowed: 0 or more; Fix it.\n"),
        (InputErrors([WRONG, WRONG]), 2, f"{WRONG}\n{WRONG}\n"),
        (EngineError("queue is full"), 70, "queue is full\n"),
        (KeyboardInterrupt(), 130, "Stopped. Nothing was written.\n"),
    ],
)
def test_errors_are_words_and_exit_codes(
    call: Call, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, text: str
) -> None:
    monkeypatch.setattr("subsim.scenario.load_scenario", failing(error))
    assert call("run", "a.yaml") == (code, "", text)


def test_errors_with_json_are_one_object_on_standard_error(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subsim.scenario.load_scenario", failing(WRONG))
    code, out, err = call("run", "a.yaml", "--json")
    assert (code, out) == (2, "")
    assert json.loads(err)["error"]["where"] == "a.yaml:3 seats"
    monkeypatch.setattr("subsim.scenario.load_scenario", failing(InputErrors([WRONG, WRONG])))
    assert [row["found"] for row in json.loads(call("run", "a.yaml", "--json")[2])["errors"]] == ["-1", "-1"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "a.yaml", "--draws", "many"),
        ("run", "a.yaml", "--engine", "other"),
        ("nothing",),
        ("run", "-x"),
    ],
)
def test_wrong_usage_is_bad_input_and_names_the_command(call: Call, arguments: tuple[str, ...]) -> None:
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("subsim")
    assert "--help" in err
    assert json.loads(call(*arguments, "--json")[2])["error"]["kind"] == "InputError"


def test_help_says_what_commands_do_and_gives_an_example(call: Call) -> None:
    code, out, _ = call()
    assert code == 0
    commands = [command.callback.__name__ for command in app.app.registered_commands if command.callback]
    assert all(name in out for name in commands)
    for name in commands:
        assert "Example" in call(name, "--help")[1], name


def test_parameters_lists_every_number_with_its_source(call: Call) -> None:
    code, out, _ = call("parameters", "--json")
    rows = json.loads(out)["parameters"]
    assert code == 0
    assert all(row["source"] and row["grade"] in "ABCD" and row["label"] for row in rows)
    shown = call("parameters")[1]
    assert all(row["name"] in shown for row in rows)


def test_scenario_files_that_do_not_exist_are_bad_input(call: Call) -> None:
    for arguments in (
        ("run", "none.yaml"),
        ("compare", "none.yaml", "other.yaml"),
        ("forecast", "--scenarios", "none"),
    ):
        code, out, err = call(*arguments)
        assert (code, out) == (2, "")
        assert "none" in err


SCENARIO = """\
name: One desk
start: 2026-07-01
horizon: 12 months
segments: {smb: {opening: {accounts: 10}}}
teams: {desk: {title: The desk, seats: 1}}
tiers: {tech: {coverage: pooled, team: desk}}
routing: [{to: tech}]
"""


def test_explain_and_diff_read_scenario_files(call: Call, tmp_path: Path) -> None:
    a, b = tmp_path / "a.yaml", tmp_path / "b.yaml"
    a.write_text(SCENARIO)
    b.write_text(SCENARIO.replace("seats: 1", "seats: 3"))
    code, out, err = call("explain", str(a))
    assert (code, err) == (0, "")
    assert "The desk" in out
    assert json.loads(call("explain", str(a), "--json")[1])["scenario"]["name"] == "One desk"
    assert call("diff", str(a), str(a)) == (0, "no difference\n", "")
    assert call("diff", str(a), str(b)) == (0, "~ teams.desk.seats: 1 -> 3\n", "")
    changes = json.loads(call("diff", str(a), str(b), "--json")[1])["changes"]
    assert changes == [{"path": "teams.desk.seats", "before": 1, "after": 3}]


CONTRACTS = "contract_id,account_id,start_date,end_date,arr\nc1,a1,2025-01-01,2026-12-31,1200\n"
ACCOUNTS = "account_id,segment,start_date\na1,smb,2025-01-01\n"


def test_check_prints_the_bridge_of_a_book(call: Call, tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text(ACCOUNTS)
    (tmp_path / "contracts.csv").write_text(CONTRACTS)
    code, out, err = call("check", str(tmp_path), "--as-of", "2026-06-30", "--json")
    assert (code, err) == (0, "")
    data = json.loads(out)
    assert (data["logos"], data["arr"]) == (1, 1200.0)
    last = [row for row in data["bridge"] if row["segment"] == "all"][-1]
    assert (last["month"], last["closing"]) == ("2026-06-30", 1200.0)
    assert "$1.20k" in call("check", str(tmp_path), "--as-of", "2026-06-30")[1]


def test_rates_are_written_as_a_file(call: Call, tmp_path: Path) -> None:
    import yaml

    (tmp_path / "accounts.csv").write_text(ACCOUNTS)
    (tmp_path / "contracts.csv").write_text(CONTRACTS)
    target = tmp_path / "rates.yaml"
    code, out, err = call("rates", str(tmp_path), "--as-of", "2026-06-30", "-o", str(target))
    assert (code, err) == (0, "")
    assert "rates written" in out
    given = ("rates", str(tmp_path), "--as-of", "2026-06-30", "-o", str(target), "--json")
    assert json.loads(call(*given)[1])["rates"] == yaml.safe_load(target.read_text())["rows"]
    assert yaml.safe_load(target.read_text())["rows"]
    assert call("rates", str(tmp_path), "--as-of", "2026-06-30", "-o", str(tmp_path / "no" / "x"))[0] == 2


def test_import_and_help_load_no_heavy_library() -> None:
    heavy = "{'numba', 'matplotlib', 'pandas', 'scipy', 'xarray', 'pyarrow', 'simpy'}"
    for code in ("import subsim", "import subsim.cli.app"):
        script = f"import sys; {code}; print(sorted({heavy} & set(sys.modules)))"
        found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert found.stdout.strip() == "[]", code


def test_public_names_exist_and_unknown_ones_are_refused() -> None:
    import subsim

    assert set(subsim.__all__) <= set(dir(subsim))
    assert subsim.Runs is Runs
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = subsim.nothing


def test_a_comparison_fits_a_terminal_of_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = [load_scenario(scenario_folder() / f"{name}.yaml") for name in ("baseline", "tech_touch_long_tail")]
    monkeypatch.setattr(screen, "out", Console(highlight=False, width=80))
    screen.show_contrasts(subsim.run(plans, draws=2, seed=1).contrasts())
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any("Tech touch" in line for line in lines)
