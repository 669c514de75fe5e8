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
# # High, low, pooled or tech touch for the mid-market?
#
# **The question.** The mid-market is served in low touch today: each account has its named CSM, and a CSM has many
# accounts. Three other ways are on the table:
#
# - **high touch**: three seats more in all, business reviews and site visits for everybody;
# - **pooled**: the same people, but one queue instead of named accounts;
# - **tech touch** for the accounts under $25k: campaigns instead of people, and one seat fewer.
#
# Which one do we choose, and how sure are we? All four plans meet the same customers with the same luck, so what
# differs is the plan.

# %%
# %matplotlib inline
from IPython.display import Markdown

import subsim as ss
from subsim.experiment.demo import scenario_folder
from subsim.report import figures
from subsim.report.words import chance, money


def say(text):
    """Words as words: a dollar sign is not the beginning of a formula."""
    return Markdown(text.replace("$", "\\$"))


DRAWS = 40  # simulated futures for each plan: enough to see the form; use 200 or more to decide
FILES = ("baseline", "high_touch", "pooled_mid_market", "tech_touch_long_tail")
plans = [ss.load_scenario(scenario_folder() / f"{name}.yaml") for name in FILES]
runs = ss.run(plans, draws=DRAWS, seed=1)

# %% [markdown]
# ## What the plans bring and cost
#
# Differences to today's low touch after three years. A dot is the middle of what may happen, the thick bar holds half of
# the simulated futures, the thin one 9 of 10.

# %%
figures.coverage(runs.contrasts()).figure

# %% [markdown]
# Two chances stand at the right, and they are not the same: a plan may well bring more ARR and still not pay for
# itself.
#
# In words:

# %%
say("\n\n".join(contrast.text for contrast in runs.contrasts()))

# %% [markdown]
# ## What the people feel
#
# Hours busy by quarter, and in brackets the share of work that was dropped at its deadline: low touch first, then high
# touch.

# %%
figures.utilisation(runs, plans[0].name).figure

# %%
figures.utilisation(runs, plans[1].name).figure

# %% [markdown]
# ## What drives high touch
#
# High touch is three changes at once: accounts move, seats come, seats go. Each is run alone; what is left over because
# they act together is a row of its own. The rows add up to the total in every single future.

# %%
drivers = ss.attribute(plans[0], plans[1], draws=DRAWS, seed=1)
found = drivers.table[(drivers.table["metric"] == "arr") & (drivers.table["horizon_months"] == 36)]
found.set_index("driver")[["mean", "q05", "q95"]].style.format("{:+,.0f}")

# %%
say(drivers.text)

# %% [markdown]
# ## What to measure first
#
# If one number of the model were known exactly, how much better would the choice be? That is the most that measuring it
# can be worth. With few futures the ranking is rough.

# %%
worth = ss.value_of_information(runs)
say(worth.text)

# %% [markdown]
# ## The answer

# %%
best = max(runs.contrasts(), key=lambda each: each.row("net_value")["mean"])
value, arr = best.row("net_value"), best.row("arr")
high = runs.contrast(plans[1])
verdict = (
    f"**{best.scenario}** has the highest mean net value: it pays off with probability {chance(value['p_better'])}, while "
    f"ARR is higher with probability {chance(arr['p_better'])} (middle of the differences {money(arr['q50'], sign=True)})."
    if value["mean"] > 0
    else f"**None.** No plan has a higher mean net value than low touch; the nearest is {best.scenario}, which pays off with "
    f"probability {chance(value['p_better'])}."
)
say(
    f"{verdict}\n\n"
    f"High touch for everybody brings more ARR with probability {chance(high.row('arr')['p_better'])}, and costs "
    f"{money(high.row('cs_cost')['q50'], sign=True)} in three years; it pays off with probability "
    f"{chance(high.row('net_value')['p_better'])}.\n\n"
    "*How sure?* The differences run through what a touch does and through what continuity with a known person is worth. "
    "Both are judgement here, with open sign. The answer is what follows from these assumptions, not a measured effect."
)
