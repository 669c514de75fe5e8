"""What each definition is worth: every metric under the definitions in use, and with one of them set otherwise."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

import pandas as pd

from subsim.errors import InputError
from subsim.ledger.definitions import DEFAULT, Definitions
from subsim.ledger.rows import from_contracts
from subsim.ledger.state import ALL
from subsim.ledger.table import metrics_table

EFFECT_COLUMNS: Final = (
    "metric", "form", "unit", "switch", "setting", "other", "value", "value_other", "difference",
)  # fmt: skip
#: The other settings that are tried; those in use are passed over.
ALTERNATIVES: Final[Mapping[str, tuple[Any, ...]]] = {
    "level": ("account", "parent"),
    "netting": ("moment", "month"),
    "grace_days": (0, 30, 90),
    "win_back_days": (0, 30, 90),
    "reactivation_days": (None, 365),
    "reactivation_in_nrr": (False, True),
    "new_in_window": (False, True),
    "price_apart": (False, True),
    "logo_floor_cents": (1, 100_000),
    "free_plans_are_logos": (False, True),
}


def switch_effects(
    ledger: pd.DataFrame,
    as_of: object,
    definitions: Definitions = DEFAULT,
    *,
    accounts: pd.DataFrame | None = None,
    contracts: pd.DataFrame | None = None,
    alternatives: Mapping[str, tuple[Any, ...]] = ALTERNATIVES,
) -> pd.DataFrame:
    """Metrics of the whole company under the definitions, and with one switch at a time set otherwise.

    What a switch needs and is not there is passed over: parents need `accounts.parent_id`, grace needs contracts and
    accounts, free plans need both and a contract without ARR.

    Args:
        ledger: rows as in `subsim.ledger.rows`, made with the grace of the definitions.
        as_of: as in `metrics_table`.
        definitions: the ones in use.
        accounts: account_id, segment, parent_id.
        contracts: see `subsim.ledger.terms.terms`.
        alternatives: settings to try, by the name of a field of `Definitions`.

    Returns:
        Columns of `EFFECT_COLUMNS`: `setting` and `other` are the two settings as text, `difference` is value_other -
        value; the form is that of the definitions in use. Every metric is there, moved or not.

    Raises:
        InputError: a switch that `Definitions` does not have.
    """
    names = [field.name for field in fields(Definitions)]
    for name in alternatives:
        if name not in names:
            raise InputError(where="alternatives", found=name, allowed=", ".join(names))

    def table(rows: pd.DataFrame, chosen: Definitions) -> pd.DataFrame:
        made = metrics_table(rows, as_of, chosen, accounts=accounts, contracts=contracts)
        return made[made["segment"] == ALL].reset_index(drop=True)

    base = table(ledger, definitions)
    effects = []
    for name, settings in alternatives.items():
        own = getattr(definitions, name)
        for other in settings:
            if other == own or not _possible(name, accounts, contracts):
                continue
            rows = ledger
            if name == "grace_days" and contracts is not None and accounts is not None:
                rows = from_contracts(contracts, accounts, as_of, grace_days=other)
            # The lines of the table are the same, in the same order, under all definitions.
            moved = table(rows, replace(definitions, **{name: other}))["value"]
            said = {"switch": name, "setting": str(own), "other": str(other)}
            effect = base[["metric", "form", "unit", "value"]].assign(**said, value_other=moved)
            effects.append(effect.assign(difference=moved - base["value"])[list(EFFECT_COLUMNS)])
    return pd.concat(effects, ignore_index=True) if effects else pd.DataFrame(columns=list(EFFECT_COLUMNS))


def _possible(name: str, accounts: pd.DataFrame | None, contracts: pd.DataFrame | None) -> bool:
    """Whether what a switch needs is there."""
    both = accounts is not None and contracts is not None
    if name == "level":
        return accounts is not None and "parent_id" in accounts
    if name == "grace_days":
        return both
    if name == "free_plans_are_logos":
        return both and contracts is not None and bool((contracts["arr_cents"] == 0).any())
    return True
