"""DISH Network's quarterly filings as a bridge of subscribers: net adds explain the ends up to rounding."""

from pathlib import Path

import pandas as pd
import pytest

from subsim.book import BookProblems, read_book
from tests.public_data.shared import real

MILLION = 1_000_000


def bridge_table(ends: list[float], adds: list[float], losses: list[float], months: list[str]) -> pd.DataFrame:
    """A bridge in subscribers; the first quarter only opens the second."""
    table = pd.DataFrame({"month": months[1:], "opening": ends[:-1], "new": adds[1:], "churn": losses[1:]})
    amounts = ["opening", "new", "churn"]
    table[amounts] = (table[amounts] * MILLION).round().astype(int)
    return table.assign(expansion=0, contraction=0)


def read(folder: Path, table: pd.DataFrame) -> pd.DataFrame:
    folder.mkdir(exist_ok=True)
    table.to_csv(folder / "bridge.csv", index=False)
    bridge = read_book(folder, as_of="2015-12-31").bridge()
    return bridge[bridge["segment"] == "all"].set_index("month")


def quarters(filed: pd.DataFrame) -> list[str]:
    ends = pd.PeriodIndex(filed["quarter"], freq="Q").to_timestamp(how="end")
    return [str(end.date()) for end in ends]


@pytest.mark.shared_data
def test_net_adds_explain_the_ends_within_rounding(tmp_path: Path) -> None:
    filed = pd.read_csv(real("dish_network_quarterly.csv")).dropna(subset=["add_combined_m"])
    table = bridge_table(*(filed[name].tolist() for name in ("end_m", "add_combined_m", "loss_m")), quarters(filed))
    bridge = read(tmp_path / "ties", table.assign(opening=[table["opening"].iloc[0], *[""] * (len(table) - 1)]))
    at_ends = bridge.loc[pd.to_datetime(table["month"])]
    net = (at_ends["new"] - at_ends["churn"]) / 100 / MILLION
    assert net.tolist() == pytest.approx(filed["net_add_m"].tolist()[1:], abs=2e-6)
    gap = (filed["end_m"].diff().iloc[1:].to_numpy() - net.to_numpy()).round(6)
    assert abs(gap).max() == pytest.approx(0.045)
    assert filed["quarter"].tolist()[1 + abs(gap).argmax()] == "2000Q2"
    # Held to its own openings the series does not tie, and every quarter after a gap is named.
    with pytest.raises(BookProblems) as caught:
        read(tmp_path / "filed", table)
    found = {problem.row for problem in caught.value.problems if problem.code == "does-not-tie"}
    assert found == {row + 3 for row in range(len(gap) - 1) if gap[row]}


def test_a_series_that_ties_and_one_that_does_not(tmp_path: Path) -> None:
    months = ["2014-03-31", "2014-06-30", "2014-09-30", "2014-12-31"]
    table = bridge_table([1.0, 1.5, 1.4, 1.7], [0.0, 0.7, 0.1, 0.5], [0.0, 0.2, 0.2, 0.2], months)
    assert read(tmp_path / "ties", table)["closing"].iloc[-1] == 170 * MILLION
    table.loc[2, "opening"] += 45_000
    with pytest.raises(BookProblems, match=r"bridge\.csv:4 opening: found 1,445,000\.00 after a closing of 1,400,000"):
        read(tmp_path / "off", table)
