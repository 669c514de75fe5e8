"""Simulate a made-up base, print time and peak memory as JSON: base.py served|tiny ACCOUNTS MONTHS RUNS."""

from __future__ import annotations

import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from subsim.engine import metrics, simulate
from subsim.experiment.build import build
from subsim.experiment.run import chunks, warm_up
from subsim.scenario import Scenario


def tiny(accounts: int, months: int) -> Scenario:
    """Small accounts that nobody serves."""
    return Scenario.from_dict(
        {
            "name": "tiny accounts",
            "start": "2026-01-01",
            "horizon": f"{months} months",
            "segments": {"smb": {"opening": {"accounts": accounts, "tenure": "2 years"}}},
            "tiers": {"tech": {"coverage": "digital"}},
            "routing": [{"to": "tech"}],
        }
    )


def served(accounts: int, months: int) -> Scenario:
    """Three segments with their people, calendars and playbooks, in the proportions of the demo company."""
    share = accounts / 560
    plays = ["handoff", "renewal_prep", "save", "rescue", "sponsor_recovery", "expansion"]
    opening = {
        "smb": round(0.66 * accounts),
        "mid_market": round(0.25 * accounts),
        "enterprise": round(0.09 * accounts),
    }
    leads = {"smb": 10, "mid_market": 4, "enterprise": 1}
    return Scenario.from_dict(
        {
            "name": "large base",
            "start": "2026-01-01",
            "horizon": f"{months} months",
            "segments": {
                name: {
                    "opening": {"accounts": count, "tenure": "2 years"},
                    "new_business": f"{leads[name] * share:.1f} per month",
                }
                for name, count in opening.items()
            },
            "tiers": {
                "high": {
                    "coverage": "named",
                    "team": "csm",
                    "onboarding_team": "onboarding",
                    "touches": {"status_call": "1 month", "business_review": "3 months"},
                    "playbooks": plays,
                },
                "desk": {"coverage": "pooled", "team": "desk", "onboarding_team": "onboarding", "playbooks": ["save"]},
                "tech": {"coverage": "digital", "onboarding_team": "onboarding"},
            },
            "routing": [
                {"segment": "enterprise", "to": "high"},
                {"segment": "mid_market", "to": "high"},
                {"segment": "smb", "score_below": 40, "to": "desk"},
                {"to": "tech"},
            ],
            "teams": {
                "csm": {"seats": round(10 * share)},
                "desk": {"seats": round(2 * share)},
                "onboarding": {"seats": round(3 * share)},
            },
        }
    )


def main() -> None:
    """Run what the command line asks for on two threads and print one JSON object."""
    kind, accounts, months, runs = sys.argv[1], *map(int, sys.argv[2:5])
    warm_up()
    setup = build({"tiny": tiny, "served": served}[kind](accounts, months), draws=runs, seed=1)
    begin = time.perf_counter(), time.process_time()
    workers = min(2, runs)
    with ThreadPoolExecutor(workers) as pool:
        parts = [
            pool.submit(simulate, setup, seed=1, first_draw=first, draws=count)
            for first, count in chunks(runs, workers)
        ]
    cubes = [part.result() for part in parts]
    elapsed, processor = time.perf_counter() - begin[0], time.process_time() - begin[1]
    last = cubes[0].segments[0, -1].sum(axis=0)
    report = {
        "elapsed s": elapsed,
        "processor s": processor,
        "ms a run": 1e3 * processor / runs,
        "end accounts": int(last[metrics.SEGMENT.index("logos")]),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
