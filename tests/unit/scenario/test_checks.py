"""Checks across the parts of a scenario, one by one, and the levers' constructors."""

from typing import Any

import pytest

from subsim.errors import InputErrors
from subsim.scenario import Scenario, changes, diff, explain, levers

BASE: dict[str, Any] = {
    "name": "Base",
    "start": "2026-07-01",
    "horizon": "12 months",
    "book": "demo",
    "segments": {"smb": {"new_business": "6 per month"}},
    "routing": [{"to": "high"}],
    "tiers": {
        "high": {"coverage": "named", "team": "csm", "touches": {"status_call": "1 month"}},
        "web": {"coverage": "digital"},
    },
    "teams": {"csm": {"seats": 3}},
    "campaigns": {"news": {"every": "1 month", "tiers": ["web"]}},
}
NEW = {"plan": [1], "season": [1]}
SMALL = {"plan": [5], "envelope": 4}
SCALE = {"by": 0.5, "from": "2026-08-01"}
HIGH = {"coverage": "named", "team": "csm"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"segments": {}}, "segments: found no segments"),
        ({"segments": {f"s{n}": {} for n in range(9)}}, "segments: found 9 segments; allowed: at most 8"),
        ({"segments": {"smb": {"opening": {"accounts": 5}}}}, "opening: found an opening beside a book"),
        ({"segments": {"smb": {"new_business": NEW}}}, "season: found 1 numbers; allowed: 12 numbers"),
        ({"segments": {"smb": {"new_business": SMALL}}}, "envelope: found 4; allowed: at least the highest"),
        ({"routing": [{"to": "high"}, {"to": "web"}]}, "routing[1]: found a rule that no account reaches"),
        (
            {"routing": [{"to": "hihg"}]},
            "routing[0].to: found the unknown tier 'hihg'; allowed: high, web; did you mean",
        ),
        ({"tiers": {"high": {"coverage": "pooled"}}}, "tiers.high: found no team in a pooled tier"),
        ({"tiers": {"high": {**HIGH, "overflow": "1 day"}}}, "overflow: found overflow in a named tier"),
        ({"tiers": {"high": {**HIGH, "playbooks": ["save", "save"]}}}, "playbooks: found a playbook listed twice"),
        ({"tiers": {"high": {**HIGH, "playbooks": ["ticket"]}}}, "tiers.high: found the playbook ticket alone"),
        ({"tiers": {"high": {**HIGH, "support_team": "csm"}}}, "tiers.high: found support_team alone"),
        ({"tiers": {"high": {**HIGH, "touches": {"save": "1 year"}}}}, "found save as a touch"),
        ({"tiers": {"high": HIGH, "web": {"coverage": "digital", "playbooks": ["save"]}}}, "found the playbooks save"),
        ({"work": {"party": {"priority": 1}}}, "work.party: found the new type of work 'party' without hours"),
        ({"work": {"save": {"hours": "1 hour"}}}, "work.save.hours: found hours of save; "),
        ({"work": {"status_call": {"deadline": "60 days"}}}, "found every 1 month, due after 60 days"),
        (
            {"work": {f"w{n}": {"hours": "1 hour"} for n in range(6)}},
            "work: found 17 types of work; allowed: at most 16",
        ),
        ({"campaigns": {"news": {"every": "1 day", "tiers": []}}}, "campaigns.news.tiers: found no tier"),
        ({"campaigns": {"news": {"every": "0 days", "tiers": ["web"]}}}, "allowed: more than 0 days"),
        ({"policies": {"price_uplift": {"smbb": "3 %"}}}, "policies.price_uplift.smbb: found the unknown segment"),
        ({"assumptions": [{"parameter": "renewal.bse", "value": 1}]}, "did you mean renewal.base?"),
        ({"assumptions": [{"parameter": "renewal.base", "value": -1}]}, "assumptions[0]: found no because"),
        ({"assumptions": [{"parameter": "renewal.base", "value": 99, "because": "x"}]}, "allowed: -30 to 5 log hazard"),
        ({"assumptions": [{"parameter": "score.noise", "value": 1}]}, "allowed: the key policies.score_noise"),
        ({"assumptions": [{"parameter": "onboarding.serial", "value": 1}]}, "found 1; allowed: false, true"),
        ({"assumptions": [{"parameter": "advocacy.days", "value": 9, "because": "x"}]}, "write 9 days"),
        (
            {"assumptions": [{"parameter": "handover.delay", "team": "csm", "value": "1 day"}]},
            "found handover.delay for",
        ),
        (
            {"assumptions": [{"parameter": "handover.delay", "value": "1 day"}] * 2},
            "found handover.delay a second time",
        ),
        ({"levers": [{"scale": {"parameter": "score.noise", **SCALE}}]}, "allowed: the lever score"),
        ({"levers": [{"scale": {"parameter": "onboarding.serial", **SCALE}}]}, "onboarding.serial, a switch"),
        ({"levers": [{"scale": {"parameter": "onboarding.hours", "teams": ["csm"], **SCALE}}]}, "for some teams"),
        ({"levers": [{"hire": 5}]}, "levers[0].hire: found a value that is not a mapping"),
        (
            {"levers": [levers.cadence("web", touch="status_call", every="1 month", on="2026-08-01")]},
            "in the digital tier",
        ),
        ({"levers": [levers.campaign("nws", run=True, on="2026-08-01")]}, "found the unknown campaign 'nws'"),
        ({"levers": [levers.price("a", uplift="5 %", from_="2026-08-01")]}, "found the unknown segment 'a'"),
        (
            {"levers": [levers.route("smb", to="web", on="2026-08-01", arr_from="$2k", arr_below="$1k")]},
            "arr_from smaller than arr_below",
        ),
        ({"book": None, "as_of": "2026-06-30"}, "as_of: found as_of without a book"),
        ({"currency": "dollars"}, "currency: found 'dollars'"),
        ({"horison": 1}, "did you mean horizon?"),
    ],
)
def test_refuses(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputErrors) as caught:
        Scenario.from_dict({**BASE, **change})
    assert message in str(caught.value)


def test_seats_may_leave_after_they_were_hired() -> None:
    base = Scenario.from_dict(BASE)
    hire = levers.hire("csm", seats=2, on="2026-10-01")
    later = levers.leave("csm", seats=5, on="2026-10-01")
    assert base.replace(levers=[later, hire]).levers == (later, hire)
    with pytest.raises(InputErrors, match=r"levers\[0\].leave.seats: found 5 leave csm"):
        base.replace(levers=[later])


def test_constructors_equal_the_form_of_the_file() -> None:
    made = [
        levers.hire("csm", seats=2, on="2026-10-01", ramp="90 days"),
        levers.route("smb", to="web", on="2026-10-01", arr_below="$5k"),
        levers.scale("onboarding.customer_delay", by=0.8, from_="2026-11-01", phase_in="3 months", segments=["smb"]),
        levers.cadence("high", touch="status_call", every="2 months", on="2026-10-01"),
        levers.price("smb", uplift="5 %", from_="2027-01-01"),
        levers.qualify("smb", threshold=-0.5, from_="2027-01-01"),
        levers.campaign("news", run=False, on="2026-10-01"),
        levers.score(noise=0.2, from_="2027-01-01"),
        levers.plan("smb", by=1.2, from_="2030-01-01"),
    ]
    scenario = Scenario.from_dict(BASE).replace(levers=made)
    assert list(scenario.levers) == made
    assert Scenario.from_dict(scenario.to_dict()) == scenario
    text = explain(scenario)
    assert "2027-01-01  renewals of smb raise the price by 5 %" in text
    assert "2030-01-01  the plan of new business of smb is multiplied by 1.2 (after the horizon: no effect)" in text


def test_a_bad_lever_is_refused_where_it_is_made() -> None:
    with pytest.raises(InputErrors, match='hire seats: found 0; allowed: at least 1; to remove seats use "leave"'):
        levers.hire("csm", seats=0, on="2026-10-01")


def test_diff_names_paths_and_whole_levers() -> None:
    base = Scenario.from_dict(BASE)
    other = base.replace(teams={"csm": {"seats": 4}}, levers=[levers.score(noise=0.2, from_="2027-01-01")])
    assert [change.path for change in changes(base, other)] == ["teams.csm.seats", "levers[0]"]
    assert diff(base, other).startswith("~ teams.csm.seats: 3 -> 4\n+ levers[0]: ")
    assert diff(base, base) == "no difference"


def test_work_types_are_roles_then_touches() -> None:
    scenario = Scenario.from_dict({**BASE, "work": {"webinar_call": {"hours": "1 hour"}}})
    assert scenario.work_types[0] == "onboarding"
    assert scenario.work_types[10:] == ("webinar_call", "status_call")
