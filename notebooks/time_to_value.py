# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: "1.3"
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Is faster time to value worth the money?
#
# **The question.** A new customer waits until it gets first value: partly for our onboarding specialists, partly for
# itself (data, decisions, access). Two things can be bought: one more specialist, and a guided set-up that takes a fifth
# off the customer's own part. Do they pay, what may they cost at most, and what if the specialist is taken from the CSMs
# instead of hired?

# %%
# %matplotlib inline
import pandas as pd
from IPython.display import Markdown

import subsim as ss
from subsim.experiment.at_horizon import at_horizon
from subsim.experiment.demo import scenario_folder
from subsim.report import figures
from subsim.report.words import chance, listed, money, percent


def say(text):
    """Words as words: a dollar sign is not the beginning of a formula."""
    return Markdown(text.replace("$", "\\$"))


DRAWS = 40  # simulated futures for each plan: enough to see the form; use 200 or more to decide

base = ss.load_scenario(scenario_folder() / "baseline.yaml")
seat = ss.hire("onboarding", seats=1, on="2026-10-01", ramp="90 days")
guided = ss.scale("onboarding.customer_delay", by=0.8, from_="2026-10-01", phase_in="3 months")
moved = ss.leave("enterprise_csm", seats=1, on="2026-10-01")
SEAT, GUIDED, BOTH, MOVED = "One more specialist", "Guided set-up", "Both", "Specialist taken from the CSMs"
found = ss.time_to_value(
    base,
    [
        ss.investment(SEAT, levers=[seat]),
        ss.investment(GUIDED, levers=[guided], one_off="$50k"),
        ss.investment(BOTH, levers=[seat, guided], one_off="$50k"),
        ss.investment(MOVED, levers=[seat, moved]),
    ],
    draws=DRAWS,
    seed=1,
)
runs = found.runs

# %% [markdown]
# ## How many days are saved?
#
# Customers that sign once everything is in full force, each followed for 180 days, in every simulated future: days from
# signature to first value, and how many first renewals are won.

# %%
days = found.days[found.days["measure"].isin(["ttv_mean", "ttv_median", "first_renewals"])]
days = days[days["segment"] == "all"].pivot(index="investment", columns="measure", values=["base", "with"])
days.reindex([SEAT, GUIDED, BOTH, MOVED]).style.format("{:.1f}").format(
    "{:.1%}", subset=pd.IndexSlice[:, pd.IndexSlice[:, "first_renewals"]]
)

# %% [markdown]
# ## What does it bring, and what may it cost?
#
# The difference of net value (gross margin on ARR less the cost of customer success) is the most that something built once
# may cost. The guided set-up is priced at $50k here.

# %%
found.figure().figure

# %% [markdown]
# At other prices the guided set-up pays in so many of the futures:

# %%
values = {name: at_horizon(runs, name, "net_value", 36) for name in (base.name, GUIDED)}
value = values[GUIDED] - values[base.name]
prices = (0, 25_000, 50_000, 100_000, 200_000)
pays = pd.Series({f"{price:,}": float((value > price).mean()) for price in prices}, name="chance that it pays")
pays.rename_axis("if it costs").to_frame().style.format("{:.0%}")

# %% [markdown]
# ## What do the same people's renewals lose?
#
# Customers that go live sooner ask for CSM work sooner. And a specialist taken from the CSMs is missing there. The enterprise
# CSMs' work that is dropped at its deadline in the last year, and the renewals of enterprise customers that were here before:

# %%
dropped = found.work[(found.work["team"] == "enterprise_csm") & (found.work["metric"] == "expired_share")]
dropped = dropped.set_index("investment")[["base", "with"]].add_prefix("dropped, ")
others = found.days[(found.days["measure"] == "other_renewals") & (found.days["segment"] == "enterprise")]
others = others.set_index("investment")[["base", "with"]].add_prefix("other renewals won, ")
dropped.join(others).style.format("{:.1%}")

# %% [markdown]
# By quarter, if the specialist is taken from the CSMs:

# %%
figures.utilisation(runs, MOVED).figure

# %% [markdown]
# ## What to measure first
#
# If one number of the model were known exactly, how much better would this choice be? With few futures the ranking is
# rough.

# %%
worth = ss.value_of_information(runs)
say(worth.text)

# %% [markdown]
# ## The answer

# %%
cost = {name: found.cost_row(name) for name in (SEAT, GUIDED, BOTH, MOVED)}
best = max(cost, key=lambda name: cost[name]["mean"] - cost[name]["one_off"])
paying = [name for name in cost if cost[name]["p_pays"] >= 0.8]
at_most = (
    f"{money(cost[GUIDED]['per_day'])} for each day; **so much may it cost at most**"
    if cost[GUIDED]["mean"] > 0
    else "too little to pay for anything"
)
say(
    f"The guided set-up saves {cost[GUIDED]['days_saved']:.1f} days of {found.days_row(GUIDED)['base']:.0f}, the "
    f"specialist {cost[SEAT]['days_saved']:.1f}. In three years the guided set-up is worth {money(cost[GUIDED]['mean'])} on "
    f"average, {at_most} (9 of 10 futures: {money(cost[GUIDED]['q05'], sign=True)} to "
    f"{money(cost[GUIDED]['q95'], sign=True)}).\n\n"
    f"What pays off in at least 4 of 5 futures at these prices: {listed(paying) if paying else 'nothing'}. "
    f"Highest on average: {best}, chance of paying off {chance(cost[best]['p_pays'])}.\n\n"
    f"Taking the specialist from the CSMs adds nothing to the pay-roll, but the CSMs then drop "
    f"{percent(dropped.loc[MOVED, 'dropped, with'])} of their work instead of "
    f"{percent(dropped.loc[MOVED, 'dropped, base'])}.\n\n"
    "*How sure?* That sooner value makes later renewals better is assumed, not measured: customers that are quick may be "
    "better customers anyway. A pilot in which chance decides who gets the guided set-up would tell."
)
