"""How many people? The response of the business to seats, what each seat adds, and which counts hold up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from subsim.errors import InputError
from subsim.experiment import presenting
from subsim.experiment.contrast import DEFINITIONS, GROSS_MARGIN_SOURCE
from subsim.experiment.quantiles import clean
from subsim.random import bits, purposes
from subsim.random.entities import name_entity
from subsim.scenario import Scenario
from subsim.staffing.choice import Choice, Limits, choose, confirm
from subsim.staffing.response import Response, respond, variant_name
from subsim.staffing.rules_of_thumb import rules_of_thumb

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CONFIRMED: Final = 5  # contenders that are judged again, those with the best means


@dataclass(frozen=True)
class TeamStaffing:
    """The answer for one team."""

    response: Response
    choice: Choice
    thumbs: pd.DataFrame = field(repr=False)
    today: int
    """Seats that the scenario itself gives the team."""


@dataclass(frozen=True)
class Staffing:
    """Answers for one team or several, each varied alone: `.table`, `.text`, `.figure()`."""

    scenario: Scenario
    teams: tuple[TeamStaffing, ...]
    draws: int
    seed: int

    @property
    def table(self) -> pd.DataFrame:
        """Long curve: team, seats, metric, horizon_months, mean and quantiles; `attrs` define the metrics."""
        table = pd.concat([one.response.curve() for one in self.teams], ignore_index=True)
        table.attrs = {
            "interval": self.teams[0].response.runs.interval,
            "currency": self.scenario.currency,
            "definitions": DEFINITIONS,
            "assumption": GROSS_MARGIN_SOURCE,
        }
        return table

    @property
    def marginal(self) -> pd.DataFrame:
        """What each further seat changes, draw by draw; see `Response.marginal`."""
        return pd.concat([one.response.marginal() for one in self.teams], ignore_index=True)

    def of(self, team: str) -> TeamStaffing:
        """The answer for a team."""
        for one in self.teams:
            if one.response.team == team:
                return one
        allowed = ", ".join(one.response.team for one in self.teams)
        raise InputError(where="team", found=repr(team), allowed=allowed)

    @property
    def text(self) -> str:
        """One paragraph a team: the counts that hold up, what the next seat adds and how sure that is."""
        return "\n\n".join(presenting.prose().staffing_paragraph(self, one) for one in self.teams)

    def figure(self, team: str | None = None, *, ax: Axes | None = None) -> Axes:
        """Response curve of a team (the first when not named); returns the axes."""
        one = self.teams[0] if team is None else self.of(team)
        drawn: Axes = presenting.figures().response(self, one, ax=ax)
        return drawn

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: curve, marginal, choice and rules_of_thumb, all as rows, with interval and assumptions."""
        return {
            "scenario": self.scenario.name,
            "draws": self.draws,
            "seed": self.seed,
            "currency": self.scenario.currency,
            "interval": self.table.attrs["interval"],
            "definitions": DEFINITIONS,
            "assumption": GROSS_MARGIN_SOURCE,
            "curve": _rows(self.table),
            "marginal": _rows(self.marginal),
            "choice": [_choice(one) for one in self.teams],
            "rules_of_thumb": [row for one in self.teams for row in _rows(one.thumbs.assign(team=one.response.team))],
        }

    def __repr__(self) -> str:
        counts = "; ".join(f"{one.response.team}: {_counts(one.choice.best)}" for one in self.teams)
        return f"Staffing({self.scenario.name}; {counts})"

    def _repr_html_(self) -> str:
        tables = "".join(one.choice.table.to_html(index=False) + one.thumbs.to_html(index=False) for one in self.teams)
        return f"<p>{self.text}</p>{tables}"


def staff(
    scenario: Scenario,
    *,
    seats: Mapping[str, Sequence[int]],
    draws: int = 200,
    seed: int = 1,
    limits: Limits | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> Staffing:
    """How ARR, retention, service and value respond to the number of seats in one team or several.

    Every count meets the same customers, the same luck and the same parameter draws (common random numbers). Counts
    that are clearly worse in expected net value fall by sequential selection; what is left is judged again on fresh
    draws, so that the winner is not the luckiest.

    Args:
        scenario: the plan, with people, tiers and horizon.
        seats: numbers of seats to try, by team; each team is varied alone.
        draws: futures for each count.
        seed: same seed, same answer.
        limits: what a choice has to keep (GRR floor with a small risk, share of items dropped).
        workers: threads.
        progress: called with the number of draws just finished.
        options: passed on to `subsim.experiment.run.run`, for example `fixed_parameters=True`.

    Raises:
        InputError: an unknown team, no seat counts, or a limit out of range.
    """
    if not seats:
        raise InputError(
            where="seats", found="no team", allowed="at least one team with counts, such as mid_touch: 2..12"
        )
    limits = limits or Limits()
    answers = []
    for team, counts in seats.items():
        shared: dict[str, Any] = {"team": team, "workers": workers, "progress": progress, **options}
        response = respond(scenario, seats=counts, draws=draws, seed=seed, **shared)
        horizon = response.horizons[-1]
        choice = choose(response, limits, horizon)
        if len(choice.best) > 1:
            fresh = respond(scenario, seats=choice.best[:MOST_CONFIRMED], draws=draws, seed=fresh_seed(seed), **shared)
            choice = confirm(choice, fresh)
        today = scenario.teams[team].seats
        answers.append(TeamStaffing(response, choice, _thumbs(response, today), today))
    return Staffing(scenario, tuple(answers), draws, seed)


def fresh_seed(seed: int) -> int:
    """The seed of the numbers on which contenders are judged again."""
    return int(bits(seed, 0, purposes.PARAMETER, name_entity("staffing: fresh numbers"), 0))


def _thumbs(response: Response, today: int) -> pd.DataFrame:
    """The formulas look at the count nearest to today's: demand hardly depends on it, ownership does."""
    nearest = min(response.seats, key=lambda count: (abs(count - today), count))
    return rules_of_thumb(response.runs, variant_name(response.team, nearest), response.team)


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [clean(row) for row in table.astype(object).where(table.notna(), None).to_dict("records")]


def _choice(one: TeamStaffing) -> dict[str, Any]:
    choice = one.choice
    return {
        "team": one.response.team,
        "today": one.today,
        "horizon_months": choice.horizon_months,
        "best": list(choice.best),
        "worth": round(choice.worth, 2),
        "grr_floor": choice.limits.grr_floor,
        "risk": choice.limits.risk,
        "max_expired_share": choice.limits.expired_share,
        "rows": _rows(choice.table.round(6)),
    }


def _counts(best: Sequence[int]) -> str:
    return " or ".join(map(str, best)) or "none"
