"""The reference engine: a run as SimPy processes, written to be read and checked against."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from simpy.events import Event

from subsim.engine.reference import entry, service
from subsim.engine.reference.account import Account
from subsim.engine.reference.environment import KeyedEnvironment
from subsim.engine.reference.levers import lever
from subsim.engine.reference.lifecycle import Mood, Route, Tier
from subsim.engine.reference.month import month_ends
from subsim.engine.reference.onboarding import onboard_alone
from subsim.engine.reference.people import plan_seat
from subsim.engine.reference.record import Record, ReferenceResult
from subsim.engine.reference.seats import Team, read_teams
from subsim.engine.reference.support import support
from subsim.engine.reference.touches import campaign
from subsim.engine.reference.work import WorkItem, WorkType
from subsim.engine.state import World
from subsim.model import slots as at

#: A user's own activity: takes the model, and may return a generator that runs as a SimPy process.
Extra = Callable[["Model"], Generator[Event, Any, Any] | None]


class Model:
    """Everything of one run: the clock, the parameters as they stand, accounts, teams, and the books."""

    def __init__(
        self,
        world: World,
        row: NDArray[np.float64],
        seed: int,
        run: int,
        months: int,
        teams: int,
        tiers: int,
        trace: bool = False,
    ) -> None:
        self.world = world
        self.env = KeyedEnvironment(int(world.months[-1]))
        self.p = np.array(row, np.float64)
        self.key = np.array([seed, run], np.uint64)
        self.record = Record(months, len(world.plan), teams, tiers, trace)
        self.mood = Mood()
        self.first_day = int(world.first_day)
        self.teams = read_teams(world, self.env)
        self.works = [
            WorkType(k, int(world.work_role[k]), self.entity(world.work_key[k])) for k in range(int(world.n_work))
        ]
        self.tiers = [
            Tier(k, int(world.coverage[k]), self._team(world.tier_team[k]), tuple(map(self._team, world.work_team[k])))
            for k in range(tiers)
        ]
        self.routes = [Route(*(row[name].item() for name in Route.__slots__)) for row in world.routes]
        self.accounts: list[Account] = []
        self.touched = [0.0] * len(world.opening)  # how far touches of the book hold an opening account up
        self.alike: list[tuple[float, float, float]] = []  # by segment, see `entry.compare_alike`

    def _team(self, number: int) -> Team | None:
        return self.teams[number] if number >= 0 else None

    @property
    def now(self) -> int:
        """Minutes since the scenario's start."""
        return self.env.minute

    @staticmethod
    def entity(value: Any) -> Any:
        """A key of random numbers as a machine word, which compiled rules take quickly."""
        return np.uint64(value)

    def item_number(self, account: Account, work: WorkType) -> int:
        """What an account's item of a work type is called in the order of events."""
        return account.number * len(self.works) + work.number

    def work_of(self, role: int) -> WorkType | None:
        """The work type of a role, if the scenario has it."""
        number = int(self.world.work_of_role[role])
        return self.works[number] if number >= 0 else None

    def overtime_cap(self, team: Team) -> float:
        """Minutes of overtime between two monthly reviews that nobody on a team exceeds."""
        return float(self.p[at.overtime_cap + team.number] * 60.0)

    def live_accounts(self) -> Iterator[Account]:
        """Accounts that are customers now, in order of entry."""
        return (account for account in self.accounts if account.alive)

    def deadline(self, item: WorkItem) -> Generator[Event, Any, None]:
        """The process that watches an item's deadline."""
        return service.deadline(self, item)

    def support(self, account: Account) -> Generator[Event, Any, None]:
        """The process of an account's tickets."""
        return support(self, account)

    def onboard_alone(self, account: Account) -> None:
        """An account goes on to first value without help."""
        onboard_alone(self, account)

    def start(self) -> None:
        """Open the book and start every activity that is not an account's own."""
        env, world = self.env, self.world
        self._end = env.process(month_ends(self))
        for number, row in enumerate(world.levers):
            env.process(lever(self, number, row))
        for team in self.teams:
            env.process(service.team_work(self, team))
            for seat in team.seats:
                plan_seat(self, seat, int(world.seats[seat.index].arrives_at))
        entry.compare_alike(self)
        for o in range(len(world.opening)):
            entry.open_account(self, o)
        for segment in range(len(world.plan)):
            if world.envelope[segment] > 0.0:
                env.process(entry.source(self, segment))
        for number in range(int(world.n_campaigns)):
            env.process(campaign(self, number, self.entity(world.campaign_key[number])))

    def run(self) -> ReferenceResult:
        """Run to the horizon."""
        self.env.run(until=self._end)
        return self.record.result()


def run_reference(
    world: World,
    row: NDArray[np.float64],
    seed: int,
    run: int,
    months: int,
    teams: int,
    tiers: int,
    trace: bool = False,
    extra: Sequence[Extra] = (),
) -> ReferenceResult:
    """Simulate one run; the result equals the compiled engine's, cell for cell and line for line of the trace.

    Args:
        world: What all runs of a scenario share.
        row: The run's parameter vector, of length `subsim.model.slots.LENGTH`.
        seed: Seed of the experiment.
        run: Number of the run.
        months: Months to the horizon.
        teams: Teams in the cube.
        tiers: Tiers in the cube.
        trace: Whether to keep the trace.
        extra: Your own activities, called with the `Model` once the book is open; what they yield are SimPy events.
            They act on what the model holds (``model.live_accounts()``, ``model.p``) and come before the engine's own
            events of their minute.

    A new playbook, tried without touching an engine::

        def executive_calls(model):
            while True:
                yield model.env.timeout(91 * DAY)
                for account in model.live_accounts():
                    if account.band == RED:
                        shift(model, account, 0.5)

        run_reference(..., extra=[executive_calls])
    """
    model = Model(world, row, seed, run, months, teams, tiers, trace)
    model.start()
    for activity in extra:
        process = activity(model)
        if process is not None:
            model.env.process(process)
    return model.run()
