"""Contract ledger: rows, the ARR bridge, retention. One code for actual and simulated ledgers."""

from subsim.ledger.bridge import BRIDGE_COLUMNS, FLOWS, bridge
from subsim.ledger.carr import carr
from subsim.ledger.coverage import coverage, csms_on, per_csm
from subsim.ledger.currency import bridge_with_rates, in_constant_currency
from subsim.ledger.definitions import DEFAULT, Definitions, restate
from subsim.ledger.metrics import cohort_sums
from subsim.ledger.monthly import METRICS, monthly
from subsim.ledger.movements import from_movements, movement_problems
from subsim.ledger.rows import COLUMNS, KINDS, from_contracts, from_mrr
from subsim.ledger.simulated import from_trace, opening_balance
from subsim.ledger.split import with_account_columns, with_cohort
from subsim.ledger.state import ALL
from subsim.ledger.switches import switch_effects
from subsim.ledger.table import TABLE_COLUMNS, metrics_table
from subsim.ledger.terms import month_ends_between, terms
from subsim.ledger.triangle import Triangle, triangle, triangle_of_counts
from subsim.ratios import grr, logo_retention, nrr, quick_ratio, utilisation

__all__ = [
    "ALL",
    "BRIDGE_COLUMNS",
    "COLUMNS",
    "DEFAULT",
    "FLOWS",
    "KINDS",
    "METRICS",
    "TABLE_COLUMNS",
    "Definitions",
    "Triangle",
    "bridge",
    "bridge_with_rates",
    "carr",
    "cohort_sums",
    "coverage",
    "csms_on",
    "from_contracts",
    "from_movements",
    "from_mrr",
    "from_trace",
    "grr",
    "in_constant_currency",
    "logo_retention",
    "metrics_table",
    "month_ends_between",
    "monthly",
    "movement_problems",
    "nrr",
    "opening_balance",
    "per_csm",
    "quick_ratio",
    "restate",
    "switch_effects",
    "terms",
    "triangle",
    "triangle_of_counts",
    "utilisation",
    "with_account_columns",
    "with_cohort",
]
