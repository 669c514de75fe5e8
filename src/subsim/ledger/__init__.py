"""Contract ledger: rows, the ARR bridge, retention. One code for actual and simulated ledgers."""

from subsim.ledger.bridge import BRIDGE_COLUMNS, FLOWS, bridge
from subsim.ledger.definitions import DEFAULT, Definitions, restate
from subsim.ledger.metrics import cohort_sums, grr, logo_retention, nrr, quick_ratio, utilisation
from subsim.ledger.monthly import METRICS, monthly
from subsim.ledger.movements import from_movements, movement_problems
from subsim.ledger.rows import COLUMNS, KINDS, from_contracts, from_mrr
from subsim.ledger.split import with_account_columns, with_cohort
from subsim.ledger.state import ALL
from subsim.ledger.table import TABLE_COLUMNS, metrics_table
from subsim.ledger.terms import month_ends_between, terms
from subsim.ledger.triangle import Triangle, triangle, triangle_of_counts

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
    "cohort_sums",
    "from_contracts",
    "from_movements",
    "from_mrr",
    "grr",
    "logo_retention",
    "metrics_table",
    "month_ends_between",
    "monthly",
    "movement_problems",
    "nrr",
    "quick_ratio",
    "restate",
    "terms",
    "triangle",
    "triangle_of_counts",
    "utilisation",
    "with_account_columns",
    "with_cohort",
]
