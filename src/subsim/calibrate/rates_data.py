"""What a book says about flows, sizes, delays and hours, as sums over cells.

Four forms of likelihood carry everything but arrivals. With x the logarithm of a parameter (or of several at once):

    power     a x - b exp(p x)                     Poisson counts (a events, b exposure, p 1), gamma and Weibull sizes
    normal    n, sum, sum of squares of logs       lognormal sizes and delays: x their log median, log sd beside it
    censored  log of a normal tail                 delays not over yet (sign 1), or hidden behind the team's work (-1)
    months    negative binomial counts             new logos by month and segment
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from subsim.calibrate.block import BlockData, Frame
from subsim.calibrate.company import company_prior, described
from subsim.calibrate.onboarding_delay import time_to_value
from subsim.calibrate.priors import Key, keys_of
from subsim.calibrate.spells import (
    YEAR_DAYS,
    by_segment,
    day_number,
    end_of,
    onboarding_days,
    spells,
    sponsor_spells,
)
from subsim.calibrate.wallet import wallets
from subsim.ledger.rows import OPENING_BALANCE
from subsim.units import MONTH_DAYS

if TYPE_CHECKING:
    from subsim.book import Book

#: Numbers of the block that are learned as logarithms; with them the exact names of their cells.
LOGS = (
    "arrival.plan",
    "arrival.dispersion",
    "value.first_arr",
    "value.first_arr_sd",
    "onboarding.hours",
    "onboarding.customer_delay",
    "onboarding.customer_delay_sd",
    "expansion.rate",
    "expansion.share",
    "expansion.share_sd",
    "contraction.rate",
    "renewal.reactivation",
    "sponsor.leave_rate",
    "sponsor.returns",
    "ticket.rate",
    "work.hours",
    "seat.leave_rate",
)
SHARES = ("expansion.win", "expansion.self_serve")
FEW = 20
LEAST_SPREAD = 0.02  # standard deviation of a logarithm, added to every spread: 2 %

POWER = ("power_at", "power_a", "power_b", "power_p", "power_win", "power_self")
NORMAL = ("normal_at", "normal_sd", "normal_n", "normal_sum", "normal_squares")
CENSORED = ("censored_at", "censored_sd", "censored_sign", "censored_log", "censored_n")
MONTHS = ("month_at", "month_of", "month_years", "month_count")
FORMS = {"power": POWER, "normal": NORMAL, "censored": CENSORED, "months": MONTHS}
_WHOLE = {"power_at", "normal_at", "normal_sd", "censored_at", "censored_sd", "month_at", "month_of"}


def log_keys(frame: Frame) -> list[Key]:
    """Numbers learned as logarithms, in the order of the model's vector."""
    return [key for name in LOGS for key in keys_of(described(name), frame)]


@dataclass
class Sums:
    """Cells of a book while they are collected."""

    frame: Frame
    rows: dict[str, list[tuple[float, ...]]] = field(default_factory=lambda: {f: [] for f in FORMS})
    events: Counter[Key] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.place = {key: i for i, key in enumerate(log_keys(self.frame))}

    def count(self, key: Key, events: float, exposure: float, *, win: float = 0.0, alone: float = 0.0) -> None:
        """Events of a rate in some exposure; `win` and `alone` say which chances multiply the rate."""
        if exposure > 0:
            self.rows["power"].append((self.place[key], events, exposure, 1.0, win, alone))
            self.events[key] += int(events)

    def hours(self, key: Key, values: Any, *, shape: float, weibull: bool, factor: float = 1.0) -> None:
        """Sizes with a known shape and a mean that is the parameter times a factor."""
        values = np.maximum(_positive(values), 1 / 60) / factor
        if len(values):
            power = shape if weibull else 1.0
            scale = special.gamma(1 + 1 / shape) ** shape if weibull else shape
            total = scale * float((values**power).sum())
            self.rows["power"].append((self.place[key], -shape * len(values), total, -power, 0.0, 0.0))
            self.events[key] += len(values)

    def logs(self, key: Key, spread: Key, values: Any) -> None:
        """Sizes whose logarithm is normal."""
        logs = np.log(_positive(values))
        if len(logs):
            # A price list has no spread; this much is taken for it, so that the logarithm of the spread has a value.
            squares = (logs**2).sum() + len(logs) * LEAST_SPREAD**2
            own = (self.place[key], self.place[spread], len(logs), logs.sum(), squares)
            self.rows["normal"].append(tuple(map(float, own)))
            self.events[key] += len(logs)
            self.events[spread] += len(logs)

    def tail(self, key: Key, spread: Key, values: Any, sign: int) -> None:
        """Sizes known to lie above (sign 1) or below (sign -1) a value."""
        # To a fiftieth of a log unit, so that equal cells are one.
        logs = np.round(np.log(_positive(values)) * 50) / 50
        for value, number in zip(*np.unique(logs, return_counts=True), strict=True):
            self.rows["censored"].append((self.place[key], self.place[spread], sign, float(value), float(number)))
        self.events[key] += len(logs)

    def done(self) -> BlockData:
        """The cells as arrays."""
        cells: dict[str, NDArray[Any]] = {}
        for form, names in FORMS.items():
            table = np.array(self.rows[form], float).reshape(-1, len(names))
            cells |= {
                name: table[:, i].astype(np.int64) if name in _WHOLE else table[:, i].copy()
                for i, name in enumerate(names)
            }
        return BlockData(sum(self.events.values()), cells, dict(self.events), tuple(self.notes))


def _positive(values: Any) -> NDArray[np.float64]:
    array = np.asarray(values, float)
    return array[np.isfinite(array) & (array > 0)]


def summarise(book: Book, frame: Frame) -> BlockData:
    """Sums of everything that the rates block looks at."""
    sums, stays = Sums(frame), spells(book)
    arrivals(sums, book, stays)
    first_values(sums, book)
    time_to_value(sums, book, stays)
    changes(sums, book, stays)
    returns(sums, book, stays)
    sponsors(sums, book, stays)
    tickets(sums, book, stays)
    people(sums, book)
    if len(frame.segment) == 1:
        sums.notes.append("There is one segment, so nothing is pooled.")
    return sums.done()


def arrivals(sums: Sums, book: Book, stays: pd.DataFrame) -> None:
    """New logos by complete month and segment; referred ones are left out where the book says who they are."""
    ends = book.month_ends()
    if not len(ends):
        sums.notes.append("The book has no complete month: new business keeps its prior.")
        return
    came = stays[~stays["back"] & ~stays["opening"]]
    if "acquired_via" in book.tables["accounts"]:
        via = book.tables["accounts"].set_index("account_id")["acquired_via"].reindex(came["account_id"])
        came = came[~via.astype(str).str.lower().str.startswith("referr").to_numpy()]
    month = came["begin"].to_numpy().astype("datetime64[D]").astype("datetime64[M]")
    months = ends.astype("datetime64[M]")
    if (book.ledger["reason"] != OPENING_BALANCE).all() and len(months) > 1:
        months = months[1:]  # the first month may have begun before the book did
    years = (months - months[-1]).astype(float) / 12
    for name in sums.frame.segment:
        key = ("arrival.plan", (name,))
        own = month[(came["segment"] == name).to_numpy()]
        counts = (own[:, None] == months[None, :]).sum(axis=0)
        sums.rows["months"] += [
            (sums.place[key], int(m.astype(int) % 12), y, float(c))
            for m, y, c in zip(months, years, counts, strict=True)
        ]
        sums.events[key] += int(counts.sum())
    total = sum(sums.events[("arrival.plan", (name,))] for name in sums.frame.segment)
    sums.events[("arrival.trend", ())] += total
    sums.events[("arrival.dispersion", ())] += total
    for i, name in enumerate(sums.frame.month):
        sums.events[("arrival.season", (name,))] += int((came["begin"].notna() & (month.astype(int) % 12 == i)).sum())


def first_values(sums: Sums, book: Book) -> None:
    """First ARR of new logos, in dollars."""
    rows = book.ledger[(book.ledger["kind"] == "new") & (book.ledger["reason"] != OPENING_BALANCE)]
    dollars = rows["after"].to_numpy(float) / 100
    segment = rows["segment"].astype(str).to_numpy()
    for name in sums.frame.segment:
        own = dollars[segment == name]
        key, spread = ("value.first_arr", (name,)), ("value.first_arr_sd", (name,))
        cap = company_prior(("value.arr_cap", (name,))).centre
        at_cap = own == cap  # the largest first ARR sold is held there
        if len(own) and own.max() > cap:
            sums.notes.append(
                f"{name}: the largest first ARR is {own.max():,.0f}, above the {cap:,.0f} at which a run holds it; "
                f"set value.arr_cap of {name}."
            )
            at_cap[:] = False
        sums.logs(key, spread, own[~at_cap])
        sums.tail(key, spread, own[at_cap], 1)
        if 0 < len(own) < FEW:
            sums.notes.append(f"{name}: {len(own)} new logos are few; sizes and arrivals lean on the prior.")


def changes(sums: Sums, book: Book, stays: pd.DataFrame) -> None:
    """Expansions and contractions within a term; what changes on the day of a renewal is the renewal's."""
    rows = book.ledger.assign(
        account_id=book.ledger["account_id"].astype(str), segment=book.ledger["segment"].astype(str)
    )
    at = pd.MultiIndex.from_frame(rows[["account_id", "date"]])
    renewed = at.isin(at[(rows["kind"] == "renewal").to_numpy()])
    days = (stays["end"] - stays["begin"]).to_numpy()
    before = onboarding_days(book, stays)
    # Opportunities are looked for at the monthly review: on average half a month after first value.
    adopted = np.clip(days - before - np.where(before > 0, MONTH_DAYS / 2, 0.0), 0.0, None)
    live = by_segment(stays["segment"], days, sums.frame.segment) / YEAR_DAYS
    won = (rows["kind"] == "expansion").to_numpy() & ~renewed
    purse = wallets(rows, won, sums.frame.segment, end_of(book))
    ready = np.maximum(by_segment(stays["segment"], adopted, sums.frame.segment) - purse.full_days, 0.0) / YEAR_DAYS
    wins, filled = rows[won], purse.filled[won]
    cuts = rows[(rows["kind"] == "contraction").to_numpy() & ~renewed]
    ready = ready * _sponsored(sums, book, stays) * _lifted(book, sums.frame)
    helped, finished = _helped(book, sums)
    worked = _worked(book, sums.frame) / YEAR_DAYS
    for i, name in enumerate(sums.frame.segment):
        mine = helped[i]
        own = wins[(wins["segment"] == name).to_numpy()]
        aided = own["account_id"].isin(_helped_accounts(book)).to_numpy()
        key = ("expansion.rate", (name,))
        sums.count(key, float(aided.sum()), max(ready[i] * mine - worked[i], 0.0) * finished, win=1.0)
        sums.count(key, float((~aided).sum()), ready[i] * (1 - mine), win=1.0, alone=1.0)
        sums.count(("contraction.rate", (name,)), float((cuts["segment"] == name).sum()), live[i])
    share = (wins["after"] / wins["before"] - 1).to_numpy(float)
    sums.logs(("expansion.share", ()), ("expansion.share_sd", ()), share[~filled])
    sums.tail(("expansion.share", ()), ("expansion.share_sd", ()), share[filled], 1)
    if "contracts" not in book.tables and "mrr" in book.tables:
        sums.notes.append("A customer cube does not show terms: price rises count as expansions.")
    sums.notes.append(
        "Opportunities are not seen, only wins: the book identifies the rate times the chance to win, "
        "and how the two share it comes from their priors."
    )


def _helped_accounts(book: Book) -> set[str]:
    """Accounts whose tier works on expansions with people; all, where the book has no touches."""
    accounts = book.tables["accounts"]
    touches = book.tables.get("touches")
    everybody = set(accounts["account_id"].astype(str))
    if touches is None or "tier" not in accounts:
        return everybody
    worked = set(touches.loc[touches["kind"].astype(str) == "expansion", "account_id"].astype(str))
    tiers = set(accounts.loc[accounts["account_id"].astype(str).isin(worked), "tier"].astype(str)) - {""}
    return set(accounts.loc[accounts["tier"].astype(str).isin(tiers), "account_id"].astype(str))


def _helped(book: Book, sums: Sums) -> tuple[NDArray[np.float64], float]:
    """Share of each segment's accounts whose tier works on expansions, and the share of that work that is done."""
    accounts, helped = book.tables["accounts"], _helped_accounts(book)
    segment = accounts["segment"].astype(str) if "segment" in accounts else pd.Series("", index=accounts.index)
    mine = accounts["account_id"].astype(str).isin(helped).astype(float)
    total = by_segment(segment, np.ones(len(accounts)), sums.frame.segment)
    share = np.divide(by_segment(segment, mine, sums.frame.segment), total, out=np.ones_like(total), where=total > 0)
    touches = book.tables.get("touches")
    if touches is None:
        sums.notes.append("No touches: expansions are taken as worked on by people in every tier.")
        return share, 1.0
    own = touches.loc[touches["kind"].astype(str) == "expansion", "done_date"]
    return share, float(own.notna().mean()) if len(own) else 1.0


def _worked(book: Book, frame: Frame) -> NDArray[np.float64]:
    """Days by segment in which an expansion is worked on: another opportunity that comes then is void.

    From the day on which it was raised, its due date less the deadline of the play, until it is done or has lapsed.
    """
    none = np.zeros(len(frame.segment))
    touches = book.tables.get("touches")
    if touches is None or "due_date" not in touches:
        return none
    own = touches[touches["kind"].astype(str) == "expansion"]
    deadline = company_prior(("work.deadline", ("expansion",))).centre
    due, done = day_number(own["due_date"]), day_number(own["done_date"])
    days = np.nan_to_num(np.clip(np.fmin(done, due) - due + deadline, 0.0, deadline))
    segment = book.tables["accounts"].set_index("account_id")["segment"].reindex(own["account_id"]).astype(str)
    return by_segment(segment, days, frame.segment)


def _sponsored(sums: Sums, book: Book, stays: pd.DataFrame) -> NDArray[np.float64]:
    """Share of time with a sponsor, by segment: as seen, else the long-run share at the priors' centres."""
    back = company_prior(("sponsor.returns", ())).centre
    leave = np.array([company_prior(("sponsor.leave_rate", (name,))).centre for name in sums.frame.segment])
    if "sponsors" not in book.tables:
        return np.asarray(back / (back + leave))
    cut = sponsor_spells(book, stays)
    total = by_segment(cut["segment"], cut["days"], sums.frame.segment)
    present = by_segment(cut["segment"], np.where(cut["present"], cut["days"], 0.0), sums.frame.segment)
    return np.divide(present, total, out=back / (back + leave), where=total > 0)


def _lifted(book: Book, frame: Frame) -> NDArray[np.float64]:
    """Mean of exp(xi e) by segment: how far engagement moves the rate of opportunities; 1 without readings."""
    ones = np.ones(len(frame.segment))
    health = book.tables.get("health")
    if health is None or "score" not in health:
        return ones
    slope = company_prior(("expansion.engagement", ())).centre
    noise, offset = company_prior(("score.noise", ())).centre, company_prior(("score.offset", ())).centre
    score = np.clip(pd.to_numeric(health["score"], errors="coerce").to_numpy(float), 0.5, 99.5) / 100
    segment = book.tables["accounts"].set_index("account_id")["segment"].reindex(health["account_id"]).astype(str)
    known = np.isfinite(score)
    moved = np.exp(slope * (special.logit(score[known]) - offset) - (slope * noise) ** 2 / 2)
    number = by_segment(segment[known], np.ones(known.sum()), frame.segment)
    return np.divide(by_segment(segment[known], moved, frame.segment), number, out=ones, where=number > 0)


def returns(sums: Sums, book: Book, stays: pd.DataFrame) -> None:
    """Lost accounts that come back, watched for two years at most."""
    two_years = 2 * YEAR_DAYS
    following = stays.groupby("account_id")["begin"].shift(-1)
    until = following.fillna(end_of(book))
    gone = (until - stays["end"]).to_numpy(float)
    lost = stays["lost"].to_numpy(bool)
    back = lost & following.notna().to_numpy() & (gone <= two_years)
    years = by_segment(stays["segment"], np.where(lost, np.clip(gone, 0, two_years), 0.0), sums.frame.segment)
    number = by_segment(stays["segment"], back, sums.frame.segment)
    for i, name in enumerate(sums.frame.segment):
        sums.count(("renewal.reactivation", (name,)), number[i], years[i] / YEAR_DAYS)


def sponsors(sums: Sums, book: Book, stays: pd.DataFrame) -> None:
    """Sponsors that leave; successors found without a recovery item that was done on the day."""
    if "sponsors" not in book.tables or book.tables["sponsors"].empty:
        return
    cut = sponsor_spells(book, stays)
    left = cut["present"] & cut["event"]
    for i, name in enumerate(sums.frame.segment):
        days = by_segment(cut["segment"], np.where(cut["present"], cut["days"], 0.0), sums.frame.segment)[i]
        number = float((left & (cut["segment"] == name)).sum())
        sums.count(("sponsor.leave_rate", (name,)), number, days / YEAR_DAYS)
    found = cut[~cut["present"] & cut["event"]]
    worked = _recoveries(book)
    alone = [pair not in worked for pair in zip(found["account_id"], found["end"], strict=True)]
    absent = float(np.where(cut["present"], 0.0, cut["days"]).sum()) / YEAR_DAYS
    sums.count(("sponsor.returns", ()), float(sum(alone)), absent)


def _recoveries(book: Book) -> set[tuple[str, float]]:
    touches = book.tables.get("touches")
    if touches is None:
        return set()
    own = touches[(touches["kind"].astype(str) == "sponsor_recovery") & touches["done_date"].notna()]
    return set(zip(own["account_id"].astype(str), day_number(own["done_date"]).tolist(), strict=True))


def tickets(sums: Sums, book: Book, stays: pd.DataFrame) -> None:
    """Tickets per month of life; one is open at a time, more come in onboarding and from ill-fitting accounts."""
    table = book.tables.get("tickets")
    if table is None or table.empty:
        return
    opened, resolved = day_number(table["opened"]), day_number(table.get("resolved", pd.Series(pd.NaT, table.index)))
    accounts = book.tables["accounts"].set_index("account_id")
    segment = accounts["segment"].reindex(table["account_id"]).astype(str).to_numpy()
    more = company_prior(("ticket.onboarding_factor", ())).centre - 1
    misfit = float(special.ndtr(company_prior(("onboarding.misfit_below", ())).centre))
    factor = 1 + misfit * (company_prior(("ticket.misfit_factor", ())).centre - 1)
    days = (stays["end"] - stays["begin"]).to_numpy() + more * onboarding_days(book, stays)
    total = by_segment(stays["segment"], days, sums.frame.segment)
    busy = by_segment(segment, np.nan_to_num(resolved - opened), sums.frame.segment)
    number = by_segment(segment, np.ones(len(table)), sums.frame.segment)
    for i, name in enumerate(sums.frame.segment):
        if number[i]:
            months = max(total[i] - busy[i], 1.0) / MONTH_DAYS * factor
            sums.count(("ticket.rate", (name,)), number[i], months)


def people(sums: Sums, book: Book) -> None:
    """Hours of work that was done, by type; seats whose holders left, by team."""
    touches = book.tables.get("touches")
    if touches is not None and "hours" in touches:
        done = touches[touches["done_date"].notna()]
        hours = pd.to_numeric(done["hours"], errors="coerce").to_numpy(float)
        for name in sums.frame.work:
            shape = company_prior(("work.hours_shape", (name,))).centre
            own = hours[(done["kind"].astype(str) == name).to_numpy()]
            sums.hours(("work.hours", (name,)), own, shape=shape, weibull=True)
    seats = book.tables.get("seats")
    if seats is not None and not seats.empty:
        start, leave = day_number(seats["start_date"]), day_number(seats["leave_date"])
        days = np.fmin(leave, end_of(book)) - start
        for name in sums.frame.team:
            own = (seats["team"].astype(str) == name).to_numpy() & np.isfinite(days)
            left = float((own & np.isfinite(leave)).sum())
            sums.count(("seat.leave_rate", (name,)), left, days[own].sum() / YEAR_DAYS)
