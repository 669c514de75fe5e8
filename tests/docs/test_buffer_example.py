"""The Buffer example of docs/how-to/real-export.md: from the export to a forecast of twelve months."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

import subsim as ss
from subsim.cli import app

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "buffer"
EXPORT = "buffer_subscriptions_asof_2021-06-30.csv"
REAL = ROOT.parent / "shared" / "data" / EXPORT
AS_OF = "2021-06-30"
MONTHLY, YEARLY = "monthly plan", "yearly plan"


def prepared(folder: Path) -> Path:
    """The example's scenario in a folder that already holds the export, with the rates counted there."""
    for name in ("book.yaml", "scenario.yaml"):
        shutil.copy(EXAMPLE / name, folder)
    with pytest.raises(SystemExit) as stopped:
        app.main(["rates", str(folder / "book.yaml"), "--as-of", AS_OF, "-o", str(folder / "rates.yaml")])
    assert stopped.value.code == 0
    return folder / "scenario.yaml"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    spec = importlib.util.spec_from_file_location("make_extract", EXAMPLE / "make_extract.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.extract().to_csv(tmp_path / EXPORT, index=False)
    return prepared(tmp_path)


@pytest.fixture
def real(tmp_path: Path) -> Path:
    shutil.copy(REAL, tmp_path / EXPORT)
    return prepared(tmp_path)


def due_by_month(scenario: Path, plan: str) -> list[int]:
    """Renewals of the opening base's running terms, by calendar month of the forecast."""
    live = ss.read_book(scenario.with_name("book.yaml"), as_of=AS_OF).opening().accounts
    minutes = live.loc[live["segment"] == plan, "term_end_minute"].to_numpy()
    dates = np.datetime64("2021-07-01T00:00", "m") + minutes.astype("timedelta64[m]")
    month = (dates.astype("datetime64[M]") - np.datetime64("2021-07", "M")).astype(int)
    return np.bincount(month, minlength=12)[:12].tolist()


def check_forecast(file: Path, draws: int) -> None:
    scenario = ss.load_scenario(file)
    book = ss.read_book(file.with_name("book.yaml"), as_of=AS_OF)
    runs = ss.run(scenario, draws=draws, seed=1, workers=1)
    arr, logos = runs.samples(scenario, "arr"), runs.samples(scenario, "logos")
    assert arr.shape == (draws, 12)
    assert np.isfinite(arr).all()
    assert (arr == 12 * logos).all()  # the convention: 12 dollars of ARR for each active subscription
    # Nothing comes or goes but new business and lost renewals.
    moved = runs.samples(scenario, "logos_new") - runs.samples(scenario, "logos_lost")
    assert (logos == book.logos + moved.cumsum(axis=1)).all()
    # New business is on the counted plan: months vary by a quarter and more, a year's mean over all draws much less.
    counted = sum(row["value"] for row in rates(file) if row["parameter"] == "arrival.plan")
    assert runs.samples(scenario, "logos_new").mean() == pytest.approx(counted, rel=0.25)
    # Yearly plans end at anniversaries only: no month loses more than had one (new ones have theirs after the horizon).
    assert (runs.samples(scenario, "logos_lost", YEARLY) <= due_by_month(file, YEARLY)).all()


def check_anniversaries(file: Path) -> None:
    """With a renewal rate of nought the losses of every month are exactly its anniversaries."""
    scenario = ss.load_scenario(file)
    lost = {"parameter": "renewal.base", "value": 5, "because": "everything due is lost"}
    doomed = scenario.replace(name="nobody renews", assumptions=[*scenario.to_dict()["assumptions"], lost])
    runs = ss.run(doomed, draws=1, seed=1, workers=1)
    assert runs.samples(doomed, "logos_lost", YEARLY)[0].tolist() == due_by_month(file, YEARLY)
    assert due_by_month(file, MONTHLY)[1:] == [0] * 11  # the monthly plans are all due in the first month


def rates(file: Path) -> list[dict[str, float | str]]:
    import yaml

    rows: list[dict[str, float | str]] = yaml.safe_load(file.with_name("rates.yaml").read_text())["rows"]
    return rows


def test_extract_is_forecast(small: Path) -> None:
    check_forecast(small, draws=20)


def test_extract_runs_from_the_command_line(small: Path) -> None:
    results = small.with_name("results")
    with pytest.raises(SystemExit) as stopped:
        app.main(["run", str(small), "--draws", "5", "--workers", "1", "--no-figures", "--out", str(results)])
    assert stopped.value.code == 0
    assert list(results.glob("*/monthly.parquet"))


def test_extract_loses_yearly_plans_at_anniversaries(small: Path) -> None:
    check_anniversaries(small)


def test_mean_losses_follow_the_counted_rates(small: Path) -> None:
    scenario = ss.load_scenario(small)
    runs = ss.run(scenario, draws=200, seed=1, workers=1, fixed_parameters=True)
    hazard = next(
        row["value"] for row in rates(small) if (row["parameter"], row["segment"]) == ("renewal.base", YEARLY)
    )
    due = sum(due_by_month(small, YEARLY))
    share = 1 - np.exp(-np.exp(float(hazard)))
    lost = runs.samples(scenario, "logos_lost", YEARLY).sum(axis=1)
    error = np.sqrt(due * share * (1 - share) / len(lost))
    assert abs(lost.mean() - due * share) < 4 * error


@pytest.mark.shared_data
@pytest.mark.skipif(not REAL.exists(), reason="the Buffer export is not beside the repository")
def test_real_export_is_forecast(real: Path) -> None:
    book = ss.read_book(real.with_name("book.yaml"), as_of=AS_OF)
    assert book.logos == 28_089
    check_forecast(real, draws=3)
    check_anniversaries(real)


def test_scenario_needs_the_rates(small: Path) -> None:
    from subsim.errors import InputErrors

    small.with_name("rates.yaml").unlink()
    with pytest.raises(InputErrors, match=r"scenario\.yaml:\d+ parameters: found rates\.yaml, which is not there"):
        ss.load_scenario(small)


def test_mapping_that_is_read_must_name_its_file(small: Path) -> None:
    from subsim.errors import InputErrors

    mapping = small.with_name("book.yaml")
    mapping.write_text(mapping.read_text().replace(f"file: {EXPORT}\n", ""))
    with pytest.raises(InputErrors, match=r"book\.yaml: found no file for table accounts; allowed: file: a path"):
        ss.read_book(mapping, as_of=AS_OF)
    with pytest.raises(InputErrors, match="found two mappings"):
        ss.read_book(mapping, as_of=AS_OF, mapping=mapping)
    assert ss.read_book(small.with_name(EXPORT), as_of=AS_OF, mapping=mapping).logos > 0


def test_folder_reads_the_file_its_mapping_names(small: Path) -> None:
    by_folder, by_mapping = (ss.read_book(path, as_of=AS_OF) for path in (small.parent, small.with_name("book.yaml")))
    assert by_folder.fingerprint() == by_mapping.fingerprint()
