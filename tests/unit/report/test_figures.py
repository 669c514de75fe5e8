import warnings
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from subsim.engine.metrics import SEGMENT, TEAM
from subsim.errors import InputError
from subsim.experiment.results import Runs
from subsim.report import figures
from subsim.report.words import money
from tests.unit.experiment import synthetic

DRAW: dict[str, Callable[[Runs], Axes]] = {
    "fan": lambda runs: figures.fan(runs, "better"),
    "plans_fan": figures.plans_fan,
    "bridge": lambda runs: figures.bridge(runs, "better"),
    "utilisation": lambda runs: figures.utilisation(runs, "better"),
    "coverage": lambda runs: figures.coverage(runs.contrasts()),
}


@pytest.fixture(scope="module")
def runs() -> Runs:
    """Plans with long names whose differences have either sign."""
    plans = {"pooled_mid_market": (1.03, 0.9), "tech_touch_long_tail": (1.1, 0.75), "better": (0.7, 1.2)}
    outcomes = {"baseline": synthetic.outcome("baseline", 30, 36)}
    for name, (churn_scale, seat_cost) in plans.items():
        outcomes[name] = synthetic.outcome(name, 30, 36, churn_scale=churn_scale, seat_cost=seat_cost)
    long = "Two onboarding specialists more"
    outcomes[long] = synthetic.outcome(long, 30, 36, churn_scale=0.95)
    return Runs(outcomes, seed=5, draws=30)


@pytest.mark.parametrize("name", DRAW)
def test_no_text_leaves_the_slide_or_covers_another(runs: Runs, name: str) -> None:
    ax = DRAW[name](runs)
    figure = ax.get_figure(root=True)
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    ticks = set(ax.get_xticklabels(which="both") + ax.get_yticklabels(which="both"))
    inside = [t for t in texts if t not in ticks]
    boxes = [(t.get_text(), t.get_window_extent()) for t in inside]
    for text, box in boxes:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
    for (one, box), (other, box2) in combinations(boxes, 2):
        overlap = box.x1 - 2 > box2.x0 and box2.x1 - 2 > box.x0 and box.y1 - 2 > box2.y0 and box2.y1 - 2 > box.y0
        assert not overlap, (one, other)


@pytest.mark.parametrize("name", DRAW)
def test_figures_state_interval_or_mean_and_draws(runs: Runs, name: str) -> None:
    text = " ".join(t.get_text() for t in DRAW[name](runs).findobj(Text))
    assert "30 " in text
    assert "parameters and chance" in text


def test_a_figure_draws_on_the_axes_it_is_given_and_leaves_settings_alone(runs: Runs) -> None:
    before = dict(mpl.rcParams)
    ax = Figure().add_subplot()
    assert figures.fan(runs, "baseline", ax=ax) is ax
    assert runs.arr.fan(ax=ax) is ax
    assert runs.contrast("better").figure(ax=Figure().add_subplot()) is not ax
    assert dict(mpl.rcParams) == before


def test_fan_starts_at_the_opening_and_ends_at_the_median(runs: Runs) -> None:
    ax = figures.fan(runs, "baseline")
    line = np.asarray(ax.lines[0].get_ydata(), dtype=float)
    assert line[0] == runs.opening_arr()
    assert line[-1] == np.median(runs.samples("baseline", "arr")[:, -1])


def test_bridge_bars_add_up(runs: Runs) -> None:
    bars = figures.bridge(runs, "baseline", months=12).patches
    heights = [bar.get_height() for bar in bars]
    assert sum(heights[:-1]) == pytest.approx(heights[-1])
    assert heights[-1] == pytest.approx(runs.samples("baseline", "arr")[:, 11].mean())


def test_a_base_where_nothing_happens_is_drawn_without_complaint() -> None:
    still = synthetic.outcome("still", 3, 12)
    cube = still.cube
    for array in (cube.segments, cube.teams, cube.tiers):
        array[:] = 0
    cube.segments[..., SEGMENT.index("arr")] = cube.opening_arr
    runs = Runs({"still": still, "again": replace(still, scenario=synthetic.scenario("again"))}, seed=5, draws=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for draw in (figures.fan, figures.bridge, figures.plans_fan):
            draw(runs).get_figure(root=True).canvas.draw()
        figures.coverage(runs.contrasts()).get_figure(root=True).canvas.draw()
    with pytest.raises(InputError, match="no team with hours"):
        figures.utilisation(runs)


def test_the_headline_of_plans_speaks_of_paired_differences(runs: Runs) -> None:
    gap = (runs.samples("better", "arr") - runs.samples("baseline", "arr"))[:, -1]
    title = title_of(figures.plans_fan(runs, ["baseline", "better"]))
    assert title.startswith("Better: ")
    assert money(float(np.median(gap)), "USD") in title
    assert title_of(figures.plans_fan(runs, ["better", "baseline"])).startswith("No plan ends above better")
    by_chance = {"baseline": runs.outcome("baseline"), "same": synthetic.outcome("same", 30, 36, churn_scale=0.999)}
    doubtful = Runs(by_chance, seed=5, draws=30)
    sure = doubtful.contrasts()[0].verdict("arr")
    assert ("No plan is clearly above" in title_of(figures.plans_fan(doubtful))) == (sure == "cannot tell")


def title_of(ax: Axes) -> str:
    """A picture's headline: the largest of its texts."""
    return max(ax.texts, key=lambda text: text.get_fontsize()).get_text()


def test_saved_pictures_are_slide_size_and_repeat_byte_for_byte(runs: Runs, tmp_path: Path) -> None:
    for file in ("a.png", "b.png"):
        figures.save(figures.fan(runs, "baseline"), tmp_path / file)
    data = (tmp_path / "a.png").read_bytes()
    assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) == (1600, 900)
    assert data == (tmp_path / "b.png").read_bytes()


def test_the_days_in_which_a_team_ends_are_no_load() -> None:
    ending = synthetic.outcome("ending", 3, 12)
    teams = ending.cube.teams
    for metric in ("minutes_served", "busy_minutes", "available_minutes"):
        teams[..., TEAM.index(metric)] = 6_000
        teams[:, 3:, 0, TEAM.index(metric)] = 0
        teams[:, 3, 0, TEAM.index(metric)] = 30  # an item in hand when everybody left
    mesh = figures.utilisation(Runs({"ending": ending}, seed=5, draws=3)).collections[0]
    load = np.ma.filled(mesh.get_array(), np.nan)
    assert np.isnan(load[0, 3:]).all()
    assert not np.isnan(load[0, :3]).any()
