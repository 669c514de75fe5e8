"""The HTML report: same numbers as the run, complete in itself, readable without seeing, safe against any text."""

import base64
import json
import re
import shutil
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subsim.cli import app
from subsim.errors import InputError
from subsim.experiment import store
from subsim.experiment.metrics import METRICS
from subsim.experiment.results import Calibrated, Outcome, Runs
from subsim.report import html_page, page_build, page_rests_on, page_stored, page_tables
from subsim.report.page import Page, Section, Table, Terms, Text
from subsim.report.words import chance, money
from subsim.scenario import Scenario
from tests.unit.experiment import synthetic

HOSTILE = "<script>alert('x')</script> & \"co\""
NAMES = ("Baseline", HOSTILE)
VOID = {"meta", "img", "br"}


def scenario(name: str) -> Scenario:
    """A real scenario around the synthetic company, so that a manifest can be read back."""
    facts = {"name": name, "question": "Does <b>it</b> pay?", "start": "2026-07-01", "horizon": "14 months"}
    segments = {key: {"new_business": {"plan": [1]}} for key in synthetic.SEGMENTS}
    people = {"book": "demo", "routing": [{"to": "tech"}], "tiers": {"tech": {"coverage": "digital"}}}
    return Scenario.from_dict({**facts, **people, "segments": segments})


def made(count: int, **facts: Any) -> Runs:
    options: list[dict[str, float]] = [{}, {"churn_scale": 0.8, "seat_cost": 1.03, "load": 0.85}]
    outcomes = {}
    for name, option in zip(NAMES[:count], options, strict=False):
        simulated = synthetic.outcome(name, 12, 14, **option)
        outcomes[name] = Outcome(scenario(name), simulated.setup, simulated.cube)
    return Runs(outcomes, seed=5, draws=12, **facts)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Runs, Path]:
    """Two plans, live and on disk."""
    runs = made(2)
    return runs, store.save(runs, tmp_path_factory.mktemp("results"), summary="", command=["subsim", "compare"])


@pytest.fixture(scope="module")
def page(kept: tuple[Runs, Path]) -> str:
    return html_page.to_html(page_build.build(page_stored.load(str(kept[1]))))


class Reader(HTMLParser):
    """Tags with their attributes, and the text under each open tag; complains about tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_a_run_read_back_is_the_run(kept: tuple[Runs, Path]) -> None:
    live, folder = kept
    back = page_stored.load(str(folder)).runs
    assert (back.names, back.draws, back.seed, back.interval) == (live.names, live.draws, live.seed, live.interval)
    for name in live.names:
        assert back.opening_arr(name) == live.opening_arr(name)
        for metric in METRICS:
            assert back.groups(name, metric) == live.groups(name, metric)
            np.testing.assert_array_equal(back.values(name, metric), live.values(name, metric))
    assert back.contrasts()[0].table.equals(live.contrasts()[0].table)


def test_latest_and_ids_are_found_in_the_folder_of_results(kept: tuple[Runs, Path]) -> None:
    folder = kept[1]
    assert page_stored.find("latest", folder.parent) == folder
    assert page_stored.find(folder.name, folder.parent) == folder
    with pytest.raises(InputError, match=f"nowhere.*{folder.name}"):
        page_stored.find("nowhere", folder.parent)


def test_the_page_is_well_formed_and_needs_nothing_else(page: str) -> None:
    reader = Reader(page)
    assert reader.open == []
    names = {name for name, _ in reader.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "base", "form"}
    assert "url(" not in page
    assert "@import" not in page
    for attributes in reader.all("img"):
        head, _, data = attributes["src"].partition(",")
        assert head == "data:image/png;base64"
        assert base64.b64decode(data, validate=True).startswith(b"\x89PNG")
    targets = {attributes["id"] for _, attributes in reader.tags if "id" in attributes}
    links = [attributes["href"] for attributes in reader.all("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= targets
    assert all(not key.startswith("on") for _, attributes in reader.tags for key in attributes)


def test_the_page_can_be_read_without_seeing_it(page: str) -> None:
    reader = Reader(page)
    assert reader.all("html")[0]["lang"] == "en"
    assert len(reader.all("h1")) == 1
    alts = [attributes["alt"] for attributes in reader.all("img")]
    assert len(alts) == len(set(alts)) >= 6
    assert all(len(alt.split()) > 5 for alt in alts)
    assert len(reader.all("caption")) == len(reader.all("table")) > 6
    assert {attributes.get("scope") for attributes in reader.all("th")} == {"col", "row"}


def test_texts_of_the_user_are_text(page: str) -> None:
    assert "<script>alert" not in page
    assert "<b>it" not in page
    words = "".join(text for _, text in Reader(page).words)
    assert HOSTILE in words
    assert "Does <b>it</b> pay?" in words


def test_first_words_say_how_sure_and_what_is_assumed(kept: tuple[Runs, Path], page: str) -> None:
    runs, folder = kept
    first = next(re.finditer(r"<p[^>]*>(.*?)</p>", page, re.DOTALL)).group(1)
    low, median, high = np.quantile(runs.samples(None, "arr")[:, -1], [0.05, 0.5, 0.95])
    for value in (low, median, high):
        assert money(value) in first
    rows = json.loads((folder / "manifest.json").read_text())["parameters"]
    judged = [row for row in rows if row["label"] in ("calibrated", "assumed") and row["grade"] == "D"]
    assert f"{len(judged)} of the" in first
    pays = runs.contrasts()[0].row("net_value")["p_better"]
    assert escape(chance(pays)) in first


def test_the_page_carries_the_facts_of_the_run(kept: tuple[Runs, Path], page: str) -> None:
    manifest = json.loads((kept[1] / "manifest.json").read_text())
    facts = [manifest["run_id"], "subsim compare", manifest["versions"]["numpy"], manifest["interval"]["kind"]]
    for fact in (*facts, *(each["setup_fingerprint"] for each in manifest["scenarios"])):
        assert escape(fact) in page
    assert page.count('<th scope="row">renewal.base</th>') == 1


def test_tables_hold_the_numbers_of_the_run(kept: tuple[Runs, Path]) -> None:
    runs, _ = kept
    table = page_tables.plans(runs.contrasts())
    row = runs.contrasts()[0].row("net_value", 12)
    assert table.rows[0][1] == "12"
    assert table.rows[0][5].startswith(money(row["q50"], sign=True))
    assert table.rows[0][7] == chance(row["p_better"])
    years = page_tables.by_year(runs, "Baseline")
    assert years.heads[1:] == ("to June 2027", "to August 2027 (2 months)")
    lost = runs.samples("Baseline", "logos_lost")[:, 12:].sum(axis=1)
    assert {head: cells for head, *cells in years.rows}["Accounts lost"][1].startswith(f"{np.median(lost):,.0f} (")
    flows = {head: cells for head, *cells in page_tables.bridge(runs, "Baseline").rows}
    assert flows["Closing ARR"][0] == flows["Opening ARR"][1]
    assert flows["Churn"][0].startswith(money(-runs.samples("Baseline", "churn")[:, :12].sum(axis=1).mean()))


def test_one_scenario_has_no_decision(tmp_path: Path) -> None:
    folder = store.save(made(1, fixed_parameters=True), tmp_path, summary="")
    built = page_build.build(page_stored.load(str(folder)))
    assert "decision" not in [section.name for section in built.sections]
    assert "decision" not in built.lead
    assert "too narrow" in built.lead


def posterior_in(folder: Path, fingerprint: str) -> Path:
    quantiles = {"q05": 0.1, "q50": 0.2, "q95": 0.3}
    row = {"name": "renewal.base", "segment": "smb", "unit": "log odds", "prior": quantiles, "grade": "C"}
    taught = {**row, "posterior": {**quantiles, "q50": 0.2345}, "contraction": 0.66, "verdict": "learned"}
    large = {"q05": 1234.5, "q50": 95_000.0, "q95": 1_300_000.0}
    silent = {**row, "prior": large, "name": "work.lift", "posterior": None, "contraction": None, "verdict": "assumed"}
    folder.mkdir(exist_ok=True)
    facts = {"posterior_fingerprint": fingerprint, "book": "acme", "parameters": [silent, taught]}
    (folder / "calibration.json").write_text(json.dumps(facts))
    return folder


def test_what_was_learned_comes_from_the_posterior_of_the_run(tmp_path: Path) -> None:
    right, wrong = posterior_in(tmp_path / "right", "f" * 64), posterior_in(tmp_path / "wrong", "0" * 64)
    calibrated = Calibrated("acme", "b" * 64, "f" * 64, "FAIL", 31)
    command = ["subsim", "run", "--posterior", str(right)]
    stored = page_stored.load(
        str(store.save(made(1, calibrated=calibrated), tmp_path / "r", summary="", command=command))
    )
    rows = page_rests_on.learned_rows(stored, None)
    assert [row["name"] for row in rows] == ["work.lift", "renewal.base"]
    assert page_rests_on.learned_rows(stored, right) == rows
    text = html_page.to_html(Page("", "", "", (page_rests_on.section(stored, rows),), ""))
    assert text.index("renewal.base smb") < text.index("work.lift smb")  # learned first
    assert "0.234" in text
    assert "66 %" in text
    assert "95,000 <span>(1,234 to 1,300,000)</span>" in text
    lead = page_build.build(stored, rows).lead
    assert "31 numbers were learned from the book acme" in lead
    assert "FAILED" in lead
    with pytest.raises(InputError, match="not drawn from"):
        page_rests_on.learned_rows(stored, wrong)
    with pytest.raises(InputError, match=r"no calibration\.json"):
        page_rests_on.learned_rows(stored, tmp_path)
    shutil.rmtree(right)
    assert page_rests_on.learned_rows(stored, None) == []
    assert "--posterior" in str(page_rests_on.section(stored, []))


def test_effects_of_the_levers_are_listed_with_what_they_rest_on(kept: tuple[Runs, Path]) -> None:
    stored = page_stored.load(str(kept[1]))
    effect = {"parameter": "work.lift", "of": "site_visit", "kind": "elicited", "statement": "judgement, sign open"}
    stored.manifest["scenarios"][1]["effects"] = [effect]
    tables = [block for block in page_rests_on.section(stored, []).blocks if isinstance(block, Table)]
    assert tables[-1].rows == ((HOSTILE, "work.lift site_visit", "elicited", "judgement, sign open"),)


def test_every_block_is_escaped() -> None:
    bad = "<i>&"
    table = Table(bad, (bad, bad), ((bad, bad),), note=bad)
    written = html_page.to_html(
        Page(bad, bad, bad, (Section("a", bad, (Text(bad), Terms(((bad, bad),)), table)),), bad)
    )
    assert "<i>" not in written
    assert written.count("&lt;i&gt;&amp;") == 16


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        app.main(["report", *arguments])
    printed = capsys.readouterr()
    return int(stopped.value.code or 0), printed.out, printed.err


def test_the_command_writes_into_the_folder_of_the_run(
    kept: tuple[Runs, Path], page: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(kept[1], tmp_path / "run"))
    code, out, err = call(capsys, str(folder), "--html", "--json")
    assert (code, err, json.loads(out)) == (0, "", {"html": str(folder / "report.html")})
    assert (folder / "report.html").read_text(encoding="utf-8") == page
    code, out, err = call(capsys, str(folder), "--html")
    assert (code, out, "--force" in err) == (2, "", True)
    assert {path.name for path in folder.iterdir()} == {path.name for path in kept[1].iterdir()} | {"report.html"}


def break_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("{")


def cut_manifest(folder: Path) -> None:
    facts = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({key: facts[key] for key in ("seed", "draws")}))


def cut_rows(folder: Path) -> None:
    data = (folder / "work.parquet").read_bytes()
    (folder / "work.parquet").write_bytes(data[: len(data) // 2])


def lose_rows(folder: Path) -> None:
    (folder / "monthly.parquet").unlink()


def more_draws(folder: Path) -> None:
    facts = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**facts, "draws": 11}))


@pytest.mark.parametrize("harm", [break_manifest, cut_manifest, cut_rows, lose_rows, more_draws])
def test_a_damaged_run_is_bad_input(
    kept: tuple[Runs, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path, harm: Any
) -> None:
    folder = Path(shutil.copytree(kept[1], tmp_path / "run"))
    harm(folder)
    code, out, err = call(capsys, str(folder), "--html")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"run {folder}: found ")
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize("wrong", [("nowhere", "--html"), (".", "--html"), ("latest", "--html"), ("latest",)])
def test_bad_input_is_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = call(capsys, *wrong)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
