#!/usr/bin/env python3
"""The figures that docs/BENCHMARKS.md promises, as ratios to what is measured in the same run: starts the
peer, its Redis and slipway itself, on loopback, free ports and temporary directories, one at a time.
Writes build/bench/results.json and the table in docs/BENCHMARKS.md. A measurement that could not be
carried out as described ends the run with exit code 1; a target that is not met does not.

    bench.py [--quick] [--only accepts,finishes,...] [--vms N] [--finished N] [--rounds N]
"""
import argparse
import json
import os
import pathlib
import resource
import sys
import time

import figures
import hostile_sql
import instructions
import programs
import report

PLANS = {
    "full": {"rounds": 3, "seconds": 3, "idle_seconds": 10, "small": 10_000, "vms": 1_000_000,
             "unfinished": [100_000, 100_000], "waiters": 5000, "traced": 2000, "top": 40},
    "quick": {"rounds": 1, "seconds": 2, "idle_seconds": 4, "small": 5000, "vms": 50_000,
              "unfinished": [60_000, 30_000], "waiters": 1000, "traced": 500, "top": 40},
}


def measurements(plan, say, found):
    """In the order in which they are made."""
    return {
        "accepts": lambda: figures.accepts(plan, say),
        "finishes": lambda: figures.finishes(plan, say),
        "latency": lambda: figures.latency(plan, say,
                                           figures.median_rate(found["accepts"]["slipway"])),
        "sql": lambda: hostile_sql.measure(plan, say),
        "idle": lambda: figures.idle(plan, say),
        "unfinished": lambda: figures.unfinished(plan, say),
        "waiting": lambda: figures.waiting(plan, say),
        "past": lambda: figures.past(plan, say),
        "instructions": lambda: instructions.measure(plan, say),
    }


# Of what a figure is made, beside its own measurement.
NEEDS = {"latency": ["accepts"], "unfinished": ["idle"], "past": ["idle"]}


def chosen(only):
    known = list(measurements({}, None, {}))
    if only is None:
        return known
    for name in only:
        if name not in known:
            raise SystemExit(f"bench: no measurement {name}; there are {', '.join(known)}")
    wanted = set(only) | {need for name in only for need in NEEDS.get(name, [])}
    return [name for name in known if name in wanted]


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two minutes: smaller, one round")
    parser.add_argument("--only", type=lambda text: text.split(","), help="these, by name")
    parser.add_argument("--vms", type=int, help="live VMs in the large store")
    parser.add_argument("--finished", type=int, default=0, help="finished tasks there (at least --vms)")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--dir", type=pathlib.Path, default=programs.HOME,
                        help="where data directories are made: the disk that is measured")
    parser.add_argument("--page", type=pathlib.Path, default=programs.ROOT / "docs/BENCHMARKS.md",
                        help="whose table is replaced by a full run")
    options = parser.parse_args()
    plan = dict(PLANS["quick" if options.quick else "full"])
    for name in ("vms", "rounds"):
        if getattr(options, name):
            plan[name] = getattr(options, name)
    plan |= {"name": "quick" if options.quick else "full", "finished": options.finished,
             "dir": str(options.dir)}
    return options, plan


def main():
    options, plan = parse()
    names = chosen(options.only)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # thousands of clients, in two processes
    options.dir.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()

    def say(text):
        print(f"{time.monotonic() - start:6.0f} s  {text}", flush=True)

    found, load_before = {}, os.getloadavg()[0]
    try:
        if {"accepts", "finishes"} & set(names):
            programs.install_peer()
        steps = measurements(plan, say, found)
        for name in names:
            say(name)
            found[name] = steps[name]()
    except (programs.Error, AssertionError, OSError) as e:
        raise SystemExit(f"bench: {name if found else 'start'}: {e}") from e
    results = {"time": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "plan": plan,
               "machine": report.machine(options.dir), "synced": True,
               "load_average": [load_before, os.getloadavg()[0]],
               "took_seconds": time.monotonic() - start, "figures": found,
               "rows": report.rows(found, plan)}
    programs.HOME.mkdir(parents=True, exist_ok=True)
    (programs.HOME / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    print(f"\n{report.page(results)}\n\nAll figures: {programs.HOME / 'results.json'}")
    if plan["name"] == "full" and options.only is None:
        report.write_into(options.page, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
