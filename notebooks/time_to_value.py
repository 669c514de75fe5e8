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
from subsim import engine
from subsim.experiment.build import build
from subsim.experiment.contrast import compared
from subsim.experiment.demo import scenario_folder
from subsim.report import figures
from subsim.report.words import chance, listed, money, percent


def say(text):
    """Words as words: a dollar sign is not the beginning of a formula."""
    return Markdown(text.replace("$", "\\$"))


DRAWS = 40  # simulated futures for each plan: enough to see the form; use 200 or more to decide
TRACED = 3  # futures in which every account's first value is read

base = ss.load_scenario(scenario_folder() / "baseline.yaml")
seat = ss.hire("onboarding", seats=1, on="2026-10-01", ramp="90 days")
guided = ss.scale("onboarding.customer_delay", by=0.8, from_="2026-10-01", phase_in="3 months")
moved = ss.leave("enterprise_csm", seats=1, on="2026-10-01")
plans = {
    "seat": base.replace(name="One more specialist", levers=[seat]),
    "guided": base.replace(name="Guided set-up", levers=[guided]),
    "both": base.replace(name="Both", levers=[seat, guided]),
    "moved": base.replace(name="Specialist taken from the CSMs", levers=[seat, moved]),
}
runs = ss.run([base, *plans.values()], draws=DRAWS, seed=1)

# %% [markdown]
# ## How many days are saved?
#
# For each customer won from January 2027 on, the days from signature to first value, read from the stories of all
# accounts in a few simulated futures.


# %%
def days_to_value(scenario):
    """Days from signature to first value of accounts won in 2027 and 2028, over a few futures."""
    setup = build(scenario, draws=TRACED, seed=1)
    from_minute = (pd.Timestamp(2027, 1, 1) - pd.Timestamp(scenario.start)).days * 1440
    waits = []
    for draw in range(TRACED):
        events = engine.trace(setup, seed=1, draw=draw)
        won = events[events["event"] == "new"].set_index("account_id")["minute"]
        first = events[events["event"] == "first value"].groupby("account_id")["minute"].min()
        wait = (first - won[won >= from_minute]).dropna()
        waits.append(wait / 1440)
    return pd.concat(waits)


ttv = pd.Series({scenario.name: days_to_value(scenario).mean() for scenario in (base, *plans.values())})
days = pd.DataFrame({"days to first value": ttv, "days saved": ttv[base.name] - ttv})
days.style.format("{:.1f}")

# %% [markdown]
# ## What does it bring?
#
# Through the first renewal and through expansion, after three years, against doing nothing:

# %%
figures.coverage(runs.contrasts()).figure

# %% [markdown]
# ## What do the same people's renewals lose?
#
# Customers that go live sooner ask for CSM work sooner. And a specialist taken from the CSMs is missing there. The share of
# the enterprise CSMs' work that is dropped at its deadline, in the last year:

# %%
dropped = pd.Series({name: runs.samples(name, "expired_share", "enterprise_csm")[:, -12:].mean() for name in runs})
churned = pd.Series({name: runs.samples(name, "churn").sum(axis=1).mean() for name in runs})
starved = pd.DataFrame({"work dropped": dropped, "ARR lost in three years": churned})
starved.style.format({"work dropped": "{:.1%}", "ARR lost in three years": "{:,.0f}"})

# %% [markdown]
# By quarter, if the specialist is taken from the CSMs:

# %%
figures.utilisation(runs, plans["moved"].name).figure

# %% [markdown]
# ## What may it cost?
#
# The guided set-up is built once, at a price that only we know. The most it may cost is what it brings: the difference
# of net value (gross margin on ARR less the cost of customer success).

# %%
gain = runs.contrast(plans["guided"]).row("net_value")
costs = (25_000, 50_000, 100_000, 200_000, 400_000)
net = {name: compared(runs, name, "net_value", 36).sum(axis=1) for name in (base.name, plans["guided"].name)}
value = net[plans["guided"].name] - net[base.name]
pays = pd.Series({f"{cost:,}": float((value > cost).mean()) for cost in costs}, name="chance that it pays")
pays.rename_axis("if it costs").to_frame().style.format("{:.0%}")

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
guided_name = plans["guided"].name
best = max(runs.contrasts(), key=lambda each: each.row("net_value")["mean"])
saved = days["days saved"]
per_day = gain["mean"] / saved[guided_name]
paying = [each.scenario for each in runs.contrasts() if each.row("net_value")["p_better"] >= 0.8]
say(
    f"The guided set-up saves {saved[guided_name]:.1f} days of {ttv[base.name]:.0f}, the specialist "
    f"{saved[plans['seat'].name]:.1f}. In three years the guided set-up is worth {money(gain['mean'])} on average, about "
    f"{money(per_day)} for each day; **so much may it cost at most** (9 of 10 futures: {money(gain['q05'], sign=True)} to "
    f"{money(gain['q95'], sign=True)}).\n\n"
    f"Plans that pay off in at least 4 of 5 futures, before the price of building: {listed(paying) if paying else 'none'}. "
    f"Highest on average: {best.scenario}, chance of paying off {chance(best.row('net_value')['p_better'])}.\n\n"
    f"Taking the specialist from the CSMs adds nothing to the pay-roll, but the CSMs then drop "
    f"{percent(starved.loc[plans['moved'].name, 'work dropped'])} of their work instead of "
    f"{percent(starved.loc[base.name, 'work dropped'])}.\n\n"
    "*How sure?* That sooner value makes later renewals better is assumed, not measured: customers that are quick may be "
    "better customers anyway. A pilot in which chance decides who gets the guided set-up would tell."
)
