"""Small companies in which one mechanism of the product runs alone, so that theory can be put beside it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from subsim.scenario import Scenario
from subsim.scenario.values import row_of, write_value

START = dt.date(2026, 1, 1)

Rows = Mapping[str | tuple[str, str], float]

#: Everything that moves an account, switched off.
STILL: Rows = {
    "arrival.dispersion": 1e6,
    "value.first_arr_sd": 0,
    "term.two_year_share": 0,
    "term.three_year_share": 0,
    "engagement.fit_effect": 0,
    "engagement.ttv_effect": 0,
    "engagement.neglect": 0,
    "engagement.noise": 0,
    "engagement.opening_sd": 0,
    "onboarding.stall_shock": 0,
    "onboarding.misfit_overhead": 0,
    "sponsor.leave_rate": 0,
    "handover.shock": 0,
    "renewal.base": -30,
    "renewal.monthly_effect": 0,
    "renewal.multi_year_effect": 0,
    "renewal.frailty": 0,
    "renewal.drift": 1,
    "renewal.engagement": 0,
    "renewal.not_onboarded": 0,
    "renewal.fit": 0,
    "renewal.no_sponsor": 0,
    "renewal.price": 0,
    "renewal.prep_missed": 0,
    "renewal.uncontrollable": 0,
    "renewal.in_term_loss": 0,
    "renewal.contraction": -30,
    "renewal.reactivation": 0,
    "contraction.rate": 0,
    "expansion.rate": 0,
    "referral.rate": 0,
    "invoice.late_rate": 0,
    "seat.leave_rate": 0,
    "seat.leave_load": 0,
}


def assumptions(*tables: Rows) -> list[dict[str, Any]]:
    """Assumptions of a scenario from {parameter: value} or {(parameter, "dimension=name"): value}; later tables win."""
    rows = []
    for where, value in {key: value for table in tables for key, value in table.items()}.items():
        name, keys = where if isinstance(where, tuple) else (where, "")
        row: dict[str, Any] = {"parameter": name, "value": write_value(row_of(name), value), "because": "theory"}
        rows.append(row | dict(part.split("=") for part in keys.split()))
    return rows


def company(numbers: Rows = {}, *, still: bool = True, **parts: Any) -> Scenario:  # noqa: B006 - never changed
    """A scenario of one segment in one digital tier; ``parts`` replace keys of the file, ``numbers`` are assumed."""
    data: dict[str, Any] = {
        "name": "theory",
        "start": START.isoformat(),
        "horizon": "12 months",
        "segments": {"only": {"opening": {"accounts": 100}}},
        "tiers": {"tech": {"coverage": "digital"}},
        "routing": [{"to": "tech"}],
    }
    start: Rows = STILL if still else {}
    return Scenario.from_dict(data | parts | {"assumptions": assumptions(start, numbers)})
