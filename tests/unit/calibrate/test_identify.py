"""What a book can and cannot identify, by parameter of the catalogue."""

from pathlib import Path

from subsim.book import Book, read_book
from subsim.calibrate.identify import ENOUGH, EVIDENCE, SPEAKS, Identified, identify
from subsim.model.catalogue import parameters

CONTRACT = "account_id,start_date,end_date,arr\n"


def book(path: Path, smb: int, ent: int, **more: str) -> Book:
    path.mkdir(exist_ok=True)
    names = [("smb", f"s{n}") for n in range(smb)] + [("ent", f"e{n}") for n in range(ent)]
    accounts = "".join(f"{name},2024-01-01,{segment}\n" for segment, name in names)
    contracts = "".join(f"{name},2024-01-01,2024-12-31,10\n{name},2025-01-01,2025-12-31,10\n" for _, name in names)
    texts = {"accounts": "account_id,start_date,segment\n" + accounts, "contracts": CONTRACT + contracts} | more
    for name, text in texts.items():
        (path / f"{name}.csv").write_text(text)
    return read_book(path, as_of="2025-06-30")


def found(known: Book) -> dict[str, Identified]:
    return {row.parameter: row for row in identify(known)}


def test_every_parameter_has_a_verdict_and_every_kind_of_evidence_is_used(tmp_path: Path) -> None:
    rows = found(book(tmp_path, 3, 3))
    assert list(rows) == list(parameters())
    assert set(SPEAKS) <= set(parameters())
    assert set(SPEAKS.values()) == set(EVIDENCE)
    for name, row in rows.items():
        label = parameters()[name].label
        assert row.label == label
        assert (row.verdict == "not estimated") == (label in ("lever", "definition"))
        if label == "assumed":
            assert row.verdict in ("none", "assumed: association only")


def test_enough_few_and_none(tmp_path: Path) -> None:
    both = found(book(tmp_path / "both", ENOUGH, ENOUGH))
    assert (both["renewal.base"].rows, both["renewal.base"].verdict) == (2 * ENOUGH, "enough")
    assert both["onboarding.customer_delay"].verdict == "none"
    # A parameter by segment is known as well as in the segment with the fewest events.
    one = found(book(tmp_path / "one", ENOUGH, ENOUGH - 1))
    assert (one["renewal.base"].rows, one["renewal.base"].verdict) == (2 * ENOUGH - 1, "few")


def test_touches_onboarding_and_tickets_speak_for_their_parameters(tmp_path: Path) -> None:
    kickoffs = "".join(f"s{n},2024-01-02,{'2024-02-01' if n % 2 else ''},\n" for n in range(8))
    touches = "".join(f"s{n},call,2024-03-01,{'2024-03-01' if n < 5 else ''},{n or ''},\n" for n in range(8))
    rows = found(
        book(
            tmp_path,
            8,
            0,
            onboarding="account_id,kickoff_date,first_value_date,hours\n" + kickoffs,
            touches="account_id,kind,due_date,done_date,hours,seat_id\n" + touches,
            tickets="account_id,opened\ns1,2024-05-01\n",
        )
    )
    assert (rows["onboarding.customer_delay"].rows, rows["onboarding.customer_delay"].verdict) == (4, "few")
    assert rows["onboarding.hours"].rows == 0
    assert rows["work.hours"].rows == 4
    assert rows["seat.effective_hours"].rows == 0
    assert rows["ticket.rate"].rows == 1
    assert rows["work.lift"].verdict == "assumed: association only"


def test_only_an_experiment_turns_an_assumed_effect_into_a_measured_one(tmp_path: Path) -> None:
    def arms(treated: int, control: int, lever: str) -> str:
        rows = [f"s{n},{'on' if n < treated else 'off'},2025-01-01,{lever}\n" for n in range(treated + control)]
        return "account_id,arm,assigned_on,lever\n" + "".join(rows)

    rows = found(book(tmp_path / "big", 60, 0, experiments=arms(40, ENOUGH, "work.lift")))
    assert (rows["work.lift"].rows, rows["work.lift"].verdict) == (ENOUGH, "enough")
    assert rows["campaign.lift"].verdict == "none"
    rows = found(book(tmp_path / "small", 60, 0, experiments=arms(40, 3, "work.lift")))
    assert (rows["work.lift"].rows, rows["work.lift"].verdict) == (3, "few")
    rows = found(book(tmp_path / "one", 60, 0, experiments=arms(40, 0, "work.lift")))
    assert rows["work.lift"].verdict == "none"
    rows = found(book(tmp_path / "other", 60, 0, experiments=arms(30, 30, "a mailing")))
    assert rows["work.lift"].verdict == "none"


def test_a_bridge_alone_identifies_nothing_of_accounts(tmp_path: Path) -> None:
    (tmp_path / "bridge.csv").write_text("month,opening,new,expansion,contraction,churn\n2025-06,100,10,0,0,5\n")
    rows = identify(read_book(tmp_path, as_of="2025-06-30"))
    assert {row.verdict for row in rows} == {"none", "not estimated"}
