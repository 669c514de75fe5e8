"""A simulated history written down as a company would: the tables of a book, from the trace of one run."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from subsim.engine import Setup
from subsim.engine import events as ev
from subsim.engine.state import State
from subsim.model import slots as at
from subsim.model.rules.clock import DAY
from subsim.model.rules.renewal import REASONS

_REFERRED = 0b101  # top bits of the identity of an account that came by referral
_OPENS = {ev.L_NEW, ev.L_RENEWED, ev.L_REACTIVATION}
_GROWS = {ev.L_EXPANSION, ev.L_CROSS_SELL}
_MOVES = {
    ev.L_NEW: "new",
    ev.L_RENEWED: "renewal",
    ev.L_EXPANSION: "expansion",
    ev.L_CROSS_SELL: "expansion",
    ev.L_PRICE: "price",
    ev.L_CONTRACTION: "contraction",
    ev.L_CONCESSION: "contraction",
    ev.L_CHURN: "churn",
    ev.L_REACTIVATION: "reactivation",
}
_WHY = {ev.L_EXPANSION: "seats", ev.L_CROSS_SELL: "cross-sell", ev.L_CONCESSION: "concession"}
_TICKET = "ticket"
_ONBOARDING = "onboarding"


@dataclass
class _Term:
    """A contract period of an account: from when, at which ARR in cents, and what was added on the way."""

    begin: int
    arr: int
    added: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class _Item:
    """A piece of work: when it was raised and due, its minutes, who did it, and how it ended."""

    who: int
    work: int
    raised: int
    minutes: int
    due: int
    seat: str = ""
    done: int = -1
    dropped: bool = False


class Records:
    """The trace of one run, with names and dates; accounts are named by their order of entry, D0001 and so on.

    People are named by team, seat and how-manyeth holder (``csm-2.3``): a row of `seats` is a person's stay.
    """

    def __init__(self, setup: Setup, log: Any, state: State) -> None:
        self.setup, self.log, self.state = setup, log, state
        self.end = int(setup.world.months[-1])
        self.days = [setup.start + dt.timedelta(days=day) for day in range(self.end // DAY + 1)]
        places = zip(setup.world.seats["team"].tolist(), setup.world.seats["number"].tolist(), strict=True)
        self.seats = [f"{setup.team_names[team]}-{number + 1}" for team, number in places]
        self.stays: list[tuple[int, int, int, int]] = []  # seat, holder, from, until; -1: still there
        self.periods = self._periods()
        signed = {who for who, *_ in self.periods}
        self.known = [who for who in range(int(log.who.max(initial=-1)) + 1) if who in signed]
        self.is_known = np.zeros(state.accounts.size + 1, bool)
        self.is_known[self.known] = True
        self.items = self._items()

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables of a book whose revenue stands in contracts; `tickets` only where there are any."""
        tables = {
            "accounts": self._accounts(),
            "contracts": self._contracts(),
            "onboarding": self._onboarding(),
            "health": self._health(),
            "touches": self._touches(),
            "seats": self._seats(),
            "sponsors": self._sponsors(),
        }
        tickets = self._tickets()
        return tables | ({"tickets": tickets} if len(tickets) else {})

    def movements(self) -> pd.DataFrame:
        """The same revenue as a ledger: every change of ARR with its kind and reason, in the order in which they came.

        An account whose term would have ended on the day on which it signed has no row.
        """
        lines = self._lines(set(_MOVES))
        return pd.DataFrame(
            {
                "account_id": [_name(who) for who in lines.who.tolist()],
                "date": self._dates(lines.minute),
                "kind": [_MOVES[code] for code in lines.code.tolist()],
                "arr_after": [_money(cents) for cents in lines.after.tolist()],
                "reason": [
                    REASONS[other] if code == ev.L_CHURN else _WHY.get(code, "")
                    for code, other in zip(lines.code.tolist(), lines.other.tolist(), strict=True)
                ],
            }
        )

    def is_customer_on(self, who: int, day: dt.date) -> bool:
        """Whether an account has a contract in force on a day."""
        return any(begin <= day <= last for account, begin, last, _ in self.periods if account == who)

    def tier_on(self, who: int, day: dt.date) -> str:
        """The tier of an account at the end of a day."""
        end = (day - self.setup.start).days * DAY + DAY
        moves = self.log[(self.log.code == ev.L_TIER) & (self.log.who == who)]
        later = moves[moves.minute >= end]
        tier = later.before[0] if len(later) else self.state.accounts[who].tier
        return self.setup.tier_names[int(tier)]

    def _lines(self, codes: set[int]) -> Any:
        """Lines of the trace about known accounts."""
        return self.log[np.isin(self.log.code, list(codes)) & self.is_known[self.log.who]]

    def _dates(self, minutes: Any) -> list[dt.date]:
        return [self.days[minute // DAY] for minute in np.asarray(minutes).tolist()]

    def _day(self, minute: int) -> dt.date:
        return self.setup.start + dt.timedelta(days=minute // DAY)

    def _periods(self) -> list[tuple[int, dt.date, dt.date, int]]:
        """Contract periods: account, first and last day, ARR in cents; an expansion is a period of its own."""
        terms: dict[int, _Term] = {}
        rows: list[tuple[int, dt.date, dt.date, int]] = []

        def close(who: int, end: int) -> None:
            term = terms.pop(who, None)
            if term is not None:
                last = self._day(end) - dt.timedelta(days=1)
                parts = [(term.begin, term.arr), *term.added]
                rows.extend((who, self._day(begin), last, arr) for begin, arr in parts if self._day(begin) <= last)

        lines = self.log[np.isin(self.log.code, list(_MOVES))]
        for minute, code, who, _, before, after in lines.tolist():
            if code in _OPENS:
                close(who, minute)
                terms[who] = _Term(minute, after)
            elif code in _GROWS:
                terms[who].added.append((minute, after - before))
            elif code == ev.L_CHURN:
                close(who, minute)
            else:
                terms[who].arr += after - before  # at the renewal itself
        for who in sorted(terms):
            close(who, int(self.state.accounts[who].term_end))
        return sorted(rows)

    def _items(self) -> list[_Item]:
        """All work raised, with the person who took it."""
        codes = {ev.L_RAISED, ev.L_BEGUN, ev.L_DONE, ev.L_EXPIRED, ev.L_CANCELLED, ev.L_OVERTIME}
        lines = self.log[np.isin(self.log.code, [*codes, ev.SEAT_ARRIVES, ev.SEAT_LEAVES])]
        holders: dict[int, tuple[int, int]] = {
            seat: (0, 0) for seat in range(self.setup.world.seats.size) if self.setup.world.seats[seat].arrives_at <= 0
        }
        items: list[_Item] = []
        running: dict[tuple[int, int], _Item] = {}
        for minute, code, who, other, before, after in lines.tolist():
            if code == ev.L_RAISED:
                item = running[who, other] = _Item(who, other, minute, before, after)
                items.append(item)
            elif code == ev.SEAT_ARRIVES:
                holders[who] = (other, minute)
            elif code == ev.SEAT_LEAVES:
                holder, since = holders.pop(who)
                self.stays.append((who, holder, since, minute))
            else:
                item = running[who, other]
                if code in (ev.L_BEGUN, ev.L_OVERTIME):
                    item.seat, item.dropped = self._person(before, holders[before][0]), False
                elif code == ev.L_DONE:
                    item.done = minute
                else:  # work dropped at a move may be taken up by the next team
                    item.dropped = code == ev.L_CANCELLED
        self.stays += [(seat, holder, since, -1) for seat, (holder, since) in holders.items()]
        return [item for item in items if self.is_known[item.who]]

    def _person(self, seat: int, holder: int) -> str:
        return f"{self.seats[seat]}.{holder + 1}"

    def _accounts(self) -> pd.DataFrame:
        first = self.log[self.log.code == ev.L_NEW]
        started = dict(zip(first.who.tolist(), first.minute.tolist(), strict=True))
        rows = self.state.accounts
        holders = {seat: holder for seat, holder, _, until in self.stays if until < 0}
        owners = [int(rows[who].owner) for who in self.known]
        referred = [int(rows[who].entity) >> 61 == _REFERRED for who in self.known]
        return pd.DataFrame(
            {
                "account_id": [_name(who) for who in self.known],
                "start_date": [self._day(started[who]) for who in self.known],
                "segment": [self.setup.segment_names[rows[who].segment] for who in self.known],
                "tier": [self.setup.tier_names[rows[who].tier] for who in self.known],
                "owner_id": [self._person(seat, holders[seat]) if seat in holders else "" for seat in owners],
                "acquired_via": ["referral" if by else "new business" for by in referred],
            }
        )

    def _contracts(self) -> pd.DataFrame:
        return pd.DataFrame(
            [(_name(who), begin, last, _money(arr)) for who, begin, last, arr in self.periods],
            columns=["account_id", "start_date", "end_date", "arr"],
        )

    def _onboarding(self) -> pd.DataFrame:
        begins = self._lines({ev.L_NEW})
        reached = self._lines({ev.FIRST_VALUE})
        value = dict(zip(reached.who.tolist(), self._dates(reached.minute), strict=True))
        hours = {
            item.who: item.minutes / 60
            for item in self.items
            if self.setup.work_names[item.work] == _ONBOARDING and item.done >= 0
        }
        return pd.DataFrame(
            {
                "account_id": [_name(who) for who in begins.who.tolist()],
                "kickoff_date": self._dates(begins.minute),
                "first_value_date": [value.get(who, "") for who in begins.who.tolist()],
                "hours": [round(hours[who], 2) if who in hours else "" for who in begins.who.tolist()],
            }
        )

    def _health(self) -> pd.DataFrame:
        reads = self._lines({ev.REVIEW})
        return pd.DataFrame(
            {
                "account_id": [_name(who) for who in reads.who.tolist()],
                "date": self._dates(reads.minute),
                "score": np.round(reads.before / 1e6, 1),
            }
        )

    def _touches(self) -> pd.DataFrame:
        """Work done and work missed: dropped work is neither, work that is not due yet is to come."""
        names = self.setup.work_names
        others = {names.index(name) for name in (_ONBOARDING, _TICKET)}
        chosen = [
            x for x in self.items if x.work not in others and (x.done >= 0 or (x.due < self.end and not x.dropped))
        ]
        return pd.DataFrame(
            {
                "account_id": [_name(x.who) for x in chosen],
                "kind": [names[x.work] for x in chosen],
                "due_date": [self._day(x.due) for x in chosen],
                "done_date": [self._day(x.done) if x.done >= 0 else "" for x in chosen],
                "hours": [round(x.minutes / 60, 2) if x.done >= 0 else "" for x in chosen],
                "seat_id": [x.seat if x.done >= 0 else "" for x in chosen],
            }
        )

    def _tickets(self) -> pd.DataFrame:
        ticket = self.setup.work_names.index(_TICKET)
        chosen = [item for item in self.items if item.work == ticket]
        return pd.DataFrame(
            {
                "account_id": [_name(item.who) for item in chosen],
                "opened": [self._day(item.raised) for item in chosen],
                "resolved": [self._day(item.done) if item.done >= 0 else "" for item in chosen],
            }
        )

    def _seats(self) -> pd.DataFrame:
        teams = self.setup.world.seats["team"]
        costs = [round(100 * float(cost)) for cost in self.state.p[at.seat_cost : at.seat_cost + at.TEAMS]]
        stays = sorted(self.stays)
        return pd.DataFrame(
            {
                "seat_id": [self._person(seat, holder) for seat, holder, *_ in stays],
                "team": [self.setup.team_names[teams[seat]] for seat, *_ in stays],
                "start_date": [self._day(since) for *_, since, _ in stays],
                "leave_date": [self._day(until) if until >= 0 else "" for *_, until in stays],
                "annual_cost": [_money(costs[teams[seat]]) for seat, *_ in stays],
            }
        )

    def _sponsors(self) -> pd.DataFrame:
        """Sponsors that left and that were found; who comes back as a customer has one again."""
        rows, absent = [], set()
        lines = self._lines({ev.L_SPONSOR_LEFT, ev.L_SPONSOR_BACK, ev.L_REACTIVATION})
        for minute, code, who, *_ in lines.tolist():
            if code == ev.L_SPONSOR_LEFT:
                absent.add(who)
                rows.append((_name(who), self._day(minute), "left"))
            elif who in absent:
                absent.remove(who)
                rows.append((_name(who), self._day(minute), "restored"))
        return pd.DataFrame(rows, columns=["account_id", "date", "event"])


def _name(who: int) -> str:
    return f"D{who + 1:04d}"


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
