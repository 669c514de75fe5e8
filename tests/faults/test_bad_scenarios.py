"""Broken scenario files: each gives one clear error with file and line, and never a traceback."""

from pathlib import Path

import pytest

from subsim.errors import InputErrors
from subsim.scenario import load_scenario

GOOD = """\
name: Good
start: 2026-07-01
horizon: 12 months
book: demo
segments:
  smb: {new_business: 6 per month}
routing:
  - {to: high_touch}
tiers:
  high_touch: {coverage: named, team: csm, touches: {status_call: 1 month}}
  digital: {coverage: digital}
teams:
  csm: {seats: 3, cost: $150k}
campaigns:
  news: {every: 1 month, tiers: [digital]}
levers:
  - hire: {team: csm, seats: 1, on: 2026-10-01}
"""

# (text that replaces, by what, line of the error, how the error goes on after file and line)
CHANGED = {
    "unknown key": ("horizon: 12", "horison: 12", 3, " horison: found the unknown key 'horison'; "),
    "unknown team key": ("seats: 3", "seatz: 3", 13, " teams.csm.seatz: found the unknown key 'seatz'; "),
    "unknown lever": ("- hire:", "- hier:", 17, " levers[0]: found the unknown lever 'hier'; "),
    "unknown lever key": ("seats: 1, on", "seats: 1, onn", 17, " levers[0].hire.onn: found the unknown key 'onn'; "),
    "no unit in the horizon": ("12 months", "12", 3, " horizon: found 12; allowed: a time such as 36 months"),
    "wrong unit in the horizon": ("12 months", "90 days", 3, " horizon: found '90 days'; "),
    "horizon too long": ("12 months", "50 years", 3, " horizon: found '50 years'; allowed: 1 to 240 months"),
    "no unit in new business": ("6 per month", "6", 6, " segments.smb.new_business: found 6; "),
    "money in words": ("$150k", "much", 13, " teams.csm.cost: found 'much'; allowed: an amount such as"),
    "half a cent": ("$150k", "$0.005", 13, " teams.csm.cost: found '$0.005'; allowed: a whole number of cents"),
    "negative cost": ("$150k", "-$5", 13, " teams.csm.cost: found -5; allowed: 0 to 10,000,000"),
    "negative seats": ("seats: 3", "seats: -3", 13, " teams.csm.seats: found -3; allowed: at least 0"),
    "half a seat": ("seats: 3", "seats: 2.5", 13, " teams.csm.seats: found 2.5; allowed: a whole number"),
    "no seats to hire": (
        "seats: 1",
        "seats: 0",
        17,
        ' levers[0].hire.seats: found 0; allowed: at least 1; to remove seats use "leave"',
    ),
    "leavers that are not there": (
        "- hire: {team: csm, seats: 1",
        "- leave: {team: csm, seats: 4",
        17,
        " levers[0].leave.seats: found 4 leave csm on 2026-10-01; allowed: at most the seats it has then: 3",
    ),
    "date before the start": (
        "on: 2026-10-01",
        "on: 2026-06-30",
        17,
        " levers[0].hire.on: found the date 2026-06-30; allowed: the scenario's start (2026-07-01) or later",
    ),
    "a day that is not": ("on: 2026-10-01", "on: 2026-09-31", 17, " levers[0].hire.on: found '2026-09-31'; "),
    "start inside a month": ("2026-07-01", "2026-07-15", 2, " start: found 2026-07-15; allowed: the first day of a"),
    "unknown team": (
        "{team: csm, seats: 1",
        "{team: csn, seats: 1",
        17,
        " levers[0].hire.team: found the unknown team 'csn'; allowed: csm; did you mean csm?",
    ),
    "unknown segment": ("{to: high", "{segment: smbb, to: high", 8, " routing[0].segment: found the unknown segment"),
    "unknown tier": ("tiers: [digital]", "tiers: [digitall]", 15, " campaigns.news.tiers[0]: found the unknown tier"),
    "unknown touch": ("status_call", "status_cal", 10, " tiers.high_touch.touches.status_cal: found the unknown touch"),
    "unknown coverage": ("coverage: named", "coverage: owned", 10, " tiers.high_touch.coverage: found 'owned'; "),
    "norway": ("name: Good", "name: no\nquestion: [no]", 2, " question: found ['no']; allowed: text of at most"),
    "a switch in words": ("seats: 3,", "seats: 3, backfill: yes,", 13, " teams.csm.backfill: found 'yes'; "),
    "not a number": ("seats: 3,", "seats: 3, effective_hours: .nan,", 13, " teams.csm.effective_hours: found '.nan'"),
    "infinite": ("seats: 3,", "seats: 3, effective_hours: 1e999,", 13, " teams.csm.effective_hours: found '1e999'"),
    "octal": ("seats: 3", "seats: 010", 13, " teams.csm.seats: found '010'; allowed: a whole number"),
    "a huge number": ("seats: 3", "seats: " + "9" * 5000, 13, " teams.csm.seats: found '9999"),
    "bad name": ("  smb:", "  S M B:", 6, " segments.S M B: found 'S M B'; allowed: a short name"),
    "routing with a gap": (
        "{to: high_touch}",
        "{to: high_touch, arr_from: $5}",
        7,
        " routing: found no rule for every account of smb; ",
    ),
    "deadline after the next touch": ("status_call: 1 month", "status_call: 1 week", 10, " tiers.high_touch.touches."),
    "digital with a team": ("{coverage: digital}", "{coverage: digital, team: csm}", 11, " tiers.digital.team: found "),
    "no base": ("book: demo\n", "", 4, " segments: found no book and no opening; "),
    "book that is not there": ("book: demo", "book: nowhere", 4, " book: found nowhere, which is not there; "),
    "as_of of another day": (
        "book: demo",
        "book: demo\nas_of: 2026-06-29",
        2,
        " start: found 2026-07-01; allowed: the day",
    ),
    "a value that is missing": ("book: demo", "book:", 4, " book: found no value; "),
    "a list for a mapping": (
        "  csm: {seats: 3, cost: $150k}",
        "  - csm",
        12,
        " teams: found a list; allowed: keys with",
    ),
    "text for a list": ("[digital]", "digital", 15, " campaigns.news.tiers: found 'digital'; allowed: a list"),
    "lever without body": ("- hire: {team: csm, seats: 1, on: 2026-10-01}", "- hire", 17, " levers[0]: found 'hire'; "),
    "estimate scaled without reason": (
        "- hire: {team: csm, seats: 1, on",
        "- scale: {parameter: renewal.base, by: 2, from",
        17,
        " levers[0].scale: found no because for renewal.base (calibrated); ",
    ),
    "repeated key": ("book: demo", "name: Again", 4, ": found the key 'name' a second time; allowed: each key once"),
    "anchor": ("book: demo", "book: &b demo", 4, ": found the anchor &b; "),
    "alias": ("book: demo", "book: *b", 4, ": found the anchor *b; "),
    "merge key": ("book: demo", "<<: {book: demo}", 4, ": found a merge key (<<); "),
    "code in a tag": ("book: demo", "book: !!python/name:os.system x", 4, ": found the tag "),
    "second document": ("book: demo", "---", 4, ": found a second document (---); "),
    "tab": ("  smb:", "\tsmb:", 6, ": found a tab before the text; allowed: spaces"),
    "open bracket": ("[digital]", "[digital", 15, ": found "),
    "control character": ("demo", "de\x07mo", 4, ": found the control character #x0007; allowed: plain text"),
    "nested too deeply": ("demo", "[" * 3000, 4, ": found values nested too deeply; "),
    "too many values": ("demo", "[" + "x," * 60_000 + "x]", 4, ": found more than 50,000 values; "),
}


def the_error(path: Path) -> str:
    """The one error of loading the file."""
    with pytest.raises(InputErrors) as caught:
        load_scenario(path)
    assert len(caught.value.errors) == 1, str(caught.value)
    return str(caught.value.errors[0])


def test_the_file_that_the_others_break_is_good(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_scenario(path).teams["csm"].seats == 3


@pytest.mark.parametrize(("old", "new", "line", "message"), CHANGED.values(), ids=CHANGED)
def test_one_clear_error(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    assert old in GOOD
    path = tmp_path / "broken.yaml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    assert the_error(path).startswith(f"{path.as_posix()}:{line}{message}")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "place", "found"),
    [
        (b"", ":1", "an empty file"),
        (b"# only a comment\n", ":1", "an empty file"),
        (b"- a\n- b\n", ":1", "a list"),
        (b"hello\n", ":1", "plain text"),
        (b"name: x\nbook: \xff\xfe\n", ":2", "a byte that is not text (0xff)"),
        (bytes(range(256)), ":2", "a byte that is not text (0x80)"),
        (b"name: " + b"x" * 10_000_000, "", "a file of 10,000,006 bytes"),
    ],
)
def test_files_that_are_no_scenarios(tmp_path: Path, content: bytes, place: str, found: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    assert the_error(path).startswith(f"{path.as_posix()}{place}: found {found}")


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert "a file that cannot be read" in the_error(tmp_path / "none.yaml")
    assert "a file that cannot be read" in the_error(tmp_path)


def test_extends_in_a_circle_names_the_chain(tmp_path: Path) -> None:
    for name, base in (("a", "b"), ("b", "c"), ("c", "a")):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\nextends: {base}.yaml\n", encoding="utf-8")
    circle = "a circle: a.yaml -> b.yaml -> c.yaml -> a.yaml"
    assert the_error(tmp_path / "a.yaml").startswith(f"{tmp_path.as_posix()}/c.yaml:2 extends: found {circle}")


@pytest.mark.parametrize(
    ("extends", "found"), [("none.yaml", "none.yaml, which is not there"), ("[a, b]", "['a', 'b']"), ("7", "7")]
)
def test_extends_something_else(tmp_path: Path, extends: str, found: str) -> None:
    path = tmp_path / "v.yaml"
    path.write_text(f"name: v\nextends: {extends}\n", encoding="utf-8")
    assert the_error(path).startswith(f"{path.as_posix()}:2 extends: found {found}; ")


def test_extends_too_long(tmp_path: Path) -> None:
    for place in range(10):
        (tmp_path / f"{place}.yaml").write_text(f"extends: {place + 1}.yaml\n", encoding="utf-8")
    (tmp_path / "10.yaml").write_text(GOOD, encoding="utf-8")
    assert "found a chain of more than 8 files" in the_error(tmp_path / "0.yaml")


def test_an_error_in_the_base_names_the_base(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(GOOD.replace("seats: 3", "seats: -3"), encoding="utf-8")
    (tmp_path / "v.yaml").write_text("extends: base.yaml\nname: Variant\n", encoding="utf-8")
    assert the_error(tmp_path / "v.yaml").startswith(f"{tmp_path.as_posix()}/base.yaml:13 teams.csm.seats: ")


def test_all_errors_of_a_file_are_reported_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    text = GOOD.replace("12 months", "12").replace("seats: 3", "seats: -3").replace("seats: 1", "seats: 0")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputErrors) as caught:
        load_scenario(path)
    lines = [int(error.where.rsplit(":", 1)[1].split()[0]) for error in caught.value.errors]
    assert lines == [3, 13, 17]
