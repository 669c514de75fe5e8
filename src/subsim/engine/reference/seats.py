"""Teams and their seats, and who sits on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from subsim.engine.reference.desk import Desk
from subsim.model.rules.clock import NEVER

if TYPE_CHECKING:
    from subsim.engine.reference.work import WorkItem


@dataclass(slots=True, eq=False)
class Team:
    """People who do the same work: a pool of waiting items, and seats."""

    number: int
    called: Event  # somebody asks for its seats to be handed out
    seats: list[Seat] = field(default_factory=list)
    dispatch_at: int = NEVER
    pool: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.pool = Desk(self)


@dataclass(slots=True, eq=False)
class Seat:
    """A place for one person, filled or not; it owns accounts in tiers that have owners."""

    index: int  # among all seats
    team: Team
    team_key: int
    place: int  # within the team's identity for random numbers
    phase: int  # minutes of a ramp phase; -1: the team's
    filled: bool = False
    incumbent: int = -1  # number of the person on the seat; -1 before the first
    since: int = 0
    item: WorkItem | None = None  # in hand
    idle_since: int = 0
    booked_to: int = 0  # minute to which its time is in the books
    accounts: int = 0
    arrives_at: int = NEVER
    leaves_at: int = NEVER
    review_at: int = NEVER
    orphans_at: int = NEVER  # from when the accounts of an empty seat may go to others
    leaving: bool = False  # after the item in hand
    given_up: bool = False  # taken away by a lever: nobody follows
    threshold: float = 0.0  # what is left of the present person's threshold of leaving
    busy: int = 0  # minutes since the last review
    overtime: int = 0  # minutes since the last review
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.desk = Desk(self.team, self)

    def next_item(self) -> WorkItem | None:
        """What it would take next: the first of its own desk and of the team's pool."""
        own, pool = self.desk.first(), self.team.pool.first()
        if own is None or pool is None:
            return own or pool
        return own if (own.rank, own.number) < (pool.rank, pool.number) else pool


def least_loaded(team: Team) -> Seat | None:
    """The present seat with the fewest accounts; None when nobody is there."""
    present = [seat for seat in team.seats if seat.filled and not seat.leaving]
    return min(present, key=lambda seat: seat.accounts, default=None)


def read_teams(world: Any, env: Any) -> list[Team]:
    """The teams and seats of a world, all empty."""
    teams = [Team(number, env.event()) for number in range(world.team_from.size - 1)]
    for index, row in enumerate(world.seats):
        team = teams[int(row.team)]
        team.seats.append(Seat(index, team, int(row.team_key), int(row.number), int(row.phase)))
    return teams
