"""What became, inside a window, of the accounts of its beginning: the vectors behind every retention rate."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.ledger.bridge import flow_cents
from subsim.ledger.definitions import Definitions
from subsim.ledger.state import account_states, by_segment, codes, instant_index, ordered
from subsim.ledger.terms import ONE_DAY, Ints, add_months, as_day

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Window:
    """Accounts (sorted by id) at the closes of the months of a window that ends at the close of `as_of`.

    `arr` and `churns` are int64[accounts, months + 1]: cents, and churns so far. `won` is the ARR with which an
    account that never paid before began inside the window, 0 otherwise. `flows` are cents by segment, "all" last.
    """

    accounts: tuple[str, ...]
    segments: tuple[str, ...]
    segment: Ints
    arr: Ints
    churns: Ints
    won: Ints
    flows: dict[str, Ints]

    def sums(self, value: npt.NDArray[np.generic]) -> Ints:
        """Exact sums of a column of accounts by segment, their total last."""
        return by_segment(value, self.segment, len(self.segments))

    def kept(self, begin: int, end: int, definitions: Definitions) -> tuple[Ints, Ints, Ints]:
        """ARR then, min(ARR now, ARR then), ARR now, of the cohort of one close until another, by account."""
        then, now = self.arr[:, begin], self.arr[:, end]
        stayed = (self.churns[:, begin] == self.churns[:, end]) & (then > 0)
        held = np.where(stayed, now, 0)
        gross = np.minimum(held, then)
        net = np.where(then > 0, now, 0) if definitions.reactivation_in_nrr else held
        if definitions.new_in_window:
            since = np.where(self.won > 0, now - self.won, 0)
            gross, net = gross + np.minimum(since, 0), net + since
        return then, gross, net


def window(ledger: pd.DataFrame, as_of: object, months: int, by: str = "segment") -> Window:
    """The window of so many months that ends at the close of `as_of`.

    Args:
        ledger: rows as in `subsim.ledger.rows`, restated or not.
        as_of: last day of the window.
        months: length of the window.
        by: column of the ledger whose values are the segments; the last of an account counts.
    """
    rows = ordered(ledger if by == "segment" else ledger.assign(segment=ledger[by]))
    last = as_day(as_of) + ONE_DAY
    instants = add_months(np.full(months + 1, last), -np.arange(months, -1, -1)).astype("datetime64[s]")
    state = account_states(rows, instants)
    account, _ = codes(rows["account_id"])
    column = instant_index(rows["date"], instants)
    inside = (column > 0) & (column < len(instants))
    fresh = inside & (rows["kind"] == "new").to_numpy()
    won = np.zeros(len(state.accounts), dtype=np.int64)
    won[account[fresh]] = rows["after"].to_numpy(dtype=np.int64)[fresh]
    won[state.arr[:, 0] > 0] = 0
    group = state.segment[account][inside]
    flows = {name: by_segment(cents[inside], group, len(state.segments)) for name, cents in flow_cents(rows).items()}
    return Window(state.accounts, state.segments, state.segment, state.arr, state.churns, won, flows)
