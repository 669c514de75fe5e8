"""A small company's cubes made from keyed uniforms: bridges close to the cent, plans share their luck."""

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np

from subsim.engine.metrics import SEGMENT, TEAM, TIER
from subsim.experiment.results import Outcome, Runs
from subsim.random import uniform_array

SEGMENTS = ("smb", "mid_market", "enterprise")
TEAMS = ("onboarding", "mid_touch", "high_touch")
TITLED = {"mid_touch": SimpleNamespace(title="Mid-touch CSMs")}
TIERS = ("tech", "low", "high")
START = date(2026, 7, 1)
OPENING_CENTS = (210_000_000, 560_000_000, 640_000_000)
OPENING_LOGOS = (300, 200, 60)


def month_end(i: int) -> date:
    month = START.month + i
    return date(START.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def u(purpose: int, *shape: int) -> np.ndarray:
    entities = np.arange(int(np.prod(shape[1:])), dtype=np.uint64).reshape(shape[1:])
    return uniform_array(5, np.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1)), purpose, entities, 0)


def cube(
    draws: int, months: int, *, churn_scale: float = 1.0, seat_cost: float = 1.0, load: float = 1.0
) -> SimpleNamespace:
    segments = np.zeros((draws, months, len(SEGMENTS), len(SEGMENT)), np.int64)
    teams = np.zeros((draws, months, len(TEAMS), len(TEAM)), np.int64)
    tiers = np.zeros((draws, months, len(TIERS), len(TIER)), np.int64)

    def put(name: str, values: np.ndarray) -> None:
        segments[..., SEGMENT.index(name)] = values

    shape = (draws, months, len(SEGMENTS))
    size = np.array(OPENING_CENTS)
    luck = 0.6 + 0.8 * u(1, draws, 1, 1)  # a parameter of the draw
    flows = {
        "new": size * 0.022 * u(2, *shape),
        "expansion_seats": size * 0.012 * u(3, *shape),
        "price_up": size * 0.004 * u(4, *shape),
        "contraction": size * 0.004 * u(5, *shape),
        "churn": size * 0.016 * churn_scale * luck * u(6, *shape),
        "reactivation": size * 0.001 * u(7, *shape),
    }
    cents = {name: values.astype(np.int64) for name, values in flows.items()}
    for name, values in cents.items():
        put(name, values)
    sign = {"contraction": -1, "churn": -1}
    arr = size + sum(sign.get(name, 1) * values for name, values in cents.items()).cumsum(axis=1)
    put("arr", arr)
    put("logos", np.array(OPENING_LOGOS) + np.arange(months)[None, :, None])
    put("logos_new", np.ones(shape, np.int64))
    lost = cents["churn"] + cents["contraction"]
    if months > 11:
        opening = np.concatenate([np.broadcast_to(size, (draws, 1, 3)), arr[:, : months - 12]], axis=1)
        for i in range(11, months):
            kept = opening[:, i - 11] - lost[:, i - 11 : i + 1].sum(axis=1)
            segments[:, i, :, SEGMENT.index("ttm_opening")] = opening[:, i - 11]
            segments[:, i, :, SEGMENT.index("ttm_kept")] = kept
            segments[:, i, :, SEGMENT.index("ttm_net")] = kept + cents["expansion_seats"][:, i - 11 : i + 1].sum(axis=1)

    shape = (draws, months, len(TEAMS))
    available = np.full(shape, 6 * 89 * 60)
    pressure = (
        load * np.array([0.7, 1.15, 0.85]) * (0.8 + 0.4 * u(8, *shape)) * np.linspace(0.8, 1.1, months)[None, :, None]
    )
    demanded = (available * pressure).astype(np.int64)
    served = np.minimum(demanded, available)
    work = {
        "seats": np.full(shape, 6),
        "available_minutes": available,
        "busy_minutes": served,
        "minutes_demanded": demanded,
        "minutes_served": served,
        "minutes_expired": demanded - served,
        "items_demanded": demanded // 120,
        "items_started": served // 120,
        "items_done": served // 120,
        "items_expired": (demanded - served) // 120,
        "wait_minutes": served // 120 * 1440 * 3,
        "items_waited": served // 120,
        "cost": np.full(shape, int(6 * 1_100_000 * seat_cost)),
    }
    for name, values in work.items():
        teams[..., TEAM.index(name)] = values
    tiers[..., TIER.index("campaign_cost")] = 100_000
    return SimpleNamespace(
        segments=segments,
        teams=teams,
        tiers=tiers,
        opening_arr=np.array(OPENING_CENTS),
        opening_logos=np.array(OPENING_LOGOS),
    )


class Plan(SimpleNamespace):
    """A scenario that can be sent to another process."""

    def to_dict(self) -> dict[str, str]:
        return {key: str(value) for key, value in self.known.items()}


def scenario(name: str, months: int = 24, **fields: object) -> SimpleNamespace:
    known = {"name": name, "start": START, "horizon_months": months, "currency": "USD", "teams": TITLED, **fields}
    nothing: dict[str, object] = {"effects": (), "levers": (), "assumptions": ()}
    return Plan(**nothing | known, known=known)


def outcome(name: str, draws: int, months: int, **cube_options: float) -> Outcome:
    setup = SimpleNamespace(
        segment_names=SEGMENTS,
        team_names=TEAMS,
        tier_names=TIERS,
        months=months,
        month_ends=[month_end(i) for i in range(months)],
        fingerprint=lambda: f"{name}-{months}",
        book_fingerprint=None,
    )
    return Outcome(scenario(name, months), setup, cube(draws, months, **cube_options))


def runs(draws: int = 40, months: int = 24) -> Runs:
    """Three plans; "better" churns less and costs more, "twin" equals the base."""
    outcomes = {
        "baseline": outcome("baseline", draws, months),
        "better": outcome("better", draws, months, churn_scale=0.8, seat_cost=1.3, load=0.85),
        "twin": outcome("twin", draws, months),
    }
    return Runs(outcomes, seed=5, draws=draws)
