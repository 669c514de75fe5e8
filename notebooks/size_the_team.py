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
# # How many CSMs for next year's ARR?
#
# **The question.** The enterprise team has six seats. Its calendar is full. Do we hire, how many, and by when must
# somebody say yes?
#
# The demo company (about 600 accounts, made up, so that everybody can run this) stands for yours. A seat costs its
# salary from the first day; what it brings comes later and is uncertain. So the answer is a choice under uncertainty,
# not a ratio.
#
# Each number of seats is tried on the *same* simulated customers with the *same* luck. What differs is the seats.

# %%
# %matplotlib inline
import datetime as dt

from IPython.display import Markdown

import subsim as ss
from subsim.experiment.demo import scenario_folder
from subsim.report import figures
from subsim.report.words import chance, listed, money, percent


def say(text):
    """Words as words: a dollar sign is not the beginning of a formula."""
    return Markdown(text.replace("$", "\\$"))


DRAWS = 30  # simulated futures for each number of seats: enough to see the form; use 200 or more to decide
base = ss.load_scenario(scenario_folder() / "baseline.yaml").replace(horizon="24 months")

# %% [markdown]
# ## Where things stand
#
# First the forecast without any change, and the load on the teams: hours busy, and in brackets the share of work that
# was dropped because nobody got to it in time.

# %%
today = ss.run(base, draws=DRAWS, seed=1)
today.arr.fan().figure

# %%
figures.utilisation(today).figure

# %% [markdown]
# ## What each further seat does
#
# Money alone is not the only yardstick. This company promises its enterprise customers that **at most a quarter of the
# planned work is dropped**; a number of seats that breaks the promise is out, whatever it saves.
#
# Blue is ARR, green is net value: gross margin on ARR less the cost of customer success, added up over the horizon. Both
# are differences to today's six seats. The bands are wide because nobody knows exactly what a touch does; that is in
# the picture on purpose.

# %%
promise = ss.Limits(expired_share=0.25)
answer = ss.staff(base, seats={"enterprise_csm": [3, 4, 5, 6, 7, 8]}, limits=promise, draws=DRAWS, seed=1)
team = answer.of("enterprise_csm")
answer.figure().figure

# %% [markdown]
# The same as a table. *Regret* is what a count loses on average against the best count of each single future; *worst tenth*
# is the mean of net value over the worst tenth of futures.

# %%
rows = team.choice.table.set_index("seats")[["expected", "regret", "cvar", "expired_share", "keeps_limits"]]
rows.columns = ["net value, mean", "regret", "worst tenth", "work dropped", "keeps the promise"]
rows.style.format("{:,.0f}", subset=rows.columns[:3]).format("{:.0%}", subset=["work dropped"])

# %% [markdown]
# ## What the usual formulas say
#
# Rules of thumb look at one thing each. None of them knows what a late or missed touch costs.

# %%
team.thumbs[["rule", "seats", "basis", "leaves_out"]].style.format({"seats": "{:.0f}"}, na_rep="-").hide()

# %% [markdown]
# ## If we hire: when?
#
# A seat that is approved today does not work tomorrow: it has to be found (75 days in this company), and then it ramps up.
# Two seats more, in October, January or April:

# %%
plan = ss.hiring_plan(base, team="enterprise_csm", seats=2, first=dt.date(2026, 10, 1), quarters=3, draws=DRAWS, seed=1)
waiting = plan.table[(plan.table["horizon_months"] == 24) & (plan.table["metric"] != "cs_cost")]
waiting = waiting.set_index(["metric", "plan"])[["mean", "q05", "q95", "p_better"]]
waiting.columns = ["mean", "5 %", "95 %", "chance of better"]
waiting.rename({"arr": "ARR", "net_value": "net value"}).style.format("{:+,.0f}").format(
    "{:.0%}", subset=["chance of better"]
)

# %%
say(plan.text)

# %% [markdown]
# ## The answer

# %%
best = sorted(team.choice.best)
cheapest = int(rows["net value, mean"].idxmax())
step = answer.marginal.query("seats_from == 6 and horizon_months == 24").set_index("metric")
arr, value = step.loc["arr"], step.loc["net_value"]
kept = answer.table.query("metric == 'arr' and horizon_months == 24").set_index("seats")["mean"]
say(
    f"**{listed([f'{count}' for count in best]) if best else 'No number tried'}** seats, of those that keep the promise; "
    f"today there are {team.today}. At six seats {percent(float(rows.loc[6, 'work dropped']))} of the work is dropped.\n\n"
    f"A further seat changes ARR in two years by {money(arr['mean'], sign=True)} on average (9 of 10 futures: "
    f"{money(arr['q05'], sign=True)} to {money(arr['q95'], sign=True)}) and pays for itself within 24 months with "
    f"probability {chance(value['p_better'])}.\n\n"
    f"Without the promise, net value within two years would favour {cheapest} seats"
    f"{', the fewest tried' if cheapest == min(kept.index) else ''}: they save salaries at once, and change ARR by "
    f"{money(kept[cheapest] - kept[6], sign=True)} on average. That is not advice to cut. Two years end before many of the "
    "lost renewals may come, and the promise is there because money within two years does not see everything.\n\n"
    "*How sure?* The effect of a touch is judgement with open sign in this run: no experiment and no book has spoken. "
    "Calibrate on your own book, measure what a touch does, and ask again."
)
