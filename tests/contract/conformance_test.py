#!/usr/bin/env python3
"""Every line of endpoints.tsv, asked over a real socket: its code, body, headers and refusals.

  conformance_test.py            every line that the binary serves; says loudly which it does not
  conformance_test.py --all      the same, and fails for a line that is not served
  conformance_test.py 002 core   these dialects only
  conformance_test.py --coverage only whether each line has its check and each check its line

A table of the lines is printed; the exit code is 1 if one of them failed."""
import argparse
import importlib
import sys
import traceback

import fixtures
import registry
import rules
from dialects import ANY_ID, DIALECTS
from harness_path import harness
from service import IN_MEMORY, Failed, Service, Trial

MODULES = ["core", "vmfront", "orchestrator", "reservation", "perspective", "nano_places", "nano_status",
           "nano_guests", "nano_images", "nano_many", "nano_people"]
# What the binary serves so far; the rest is named in the output and fails with --all.
SERVED = ["core", "000", "001", "002", "003", "004"]
PENDING = {("core", "POST", "/core/v1/sql"), ("core", "POST", "/core/v1/subscriptions"),
           ("core", "GET", "/core/v1/subscriptions/{id}/deliveries"), ("core", "GET", "/console")}


def load_checks():
    for name in MODULES:
        importlib.import_module(f"checks_{name}")


def run_line(service, line, world, lines):
    """What is wrong with the line: [] if nothing."""
    check = registry.CHECKS[line.key]
    trial = Trial(service, line, world)
    try:
        service.log_in()
        check.run(trial)
        found = rules.asked_differences(trial, check)
        for method, path, answer in trial.answers:
            found += rules.header_differences(trial, method, path, answer, check.task)
        verbs = {other.method for other in lines
                 if other.dialect == line.dialect and same_path(other.path, line.path)}
        return found + rules.probe(service, Trial(service, line, world), check, verbs)
    except Failed as e:
        return str(e).split("; ")
    except Exception:  # the line's own trouble: the others go on
        return traceback.format_exc().strip().split("\n")[-3:]


def same_path(one, other):
    strip = registry.re.compile(r"\{/?\w+\}")
    return strip.sub("{}", one).rstrip("/") == strip.sub("{}", other).rstrip("/")


def run_dialect(seed, lines):
    results = {}
    with harness.directory(parent=IN_MEMORY) as where:
        service = Service(where, [seed])
        try:
            world = fixtures.make(service, seed)
            for line in lines:
                if line.dialect == seed and line.key not in PENDING:
                    results[line] = run_line(service, line, world, lines)
                elif line.key in PENDING or line.dialect not in SERVED:
                    if is_served(service, line):
                        results[line] = ["is served: take it off the list of those that are not"]
        finally:
            service.close()
    return results


def is_served(service, line):
    """Whether the main listener knows the line's path."""
    path = registry.re.sub(r"\{/?\w+\}", ANY_ID, line.path)
    return service.ask("", line.method, DIALECTS[line.dialect].under_prefix(path)).status != 404


def show(lines, results):
    """The table; how many failed, and which lines are not served."""
    failed, missing = 0, []
    for line in lines:
        if line not in results:
            missing.append(line)
            continue
        found = results[line]
        failed += bool(found)
        print(f"{'FAILED' if found else 'ok':7}{line}")
        for what in found:
            print(f"           {what}")
    return failed, missing


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--coverage", action="store_true")
    parser.add_argument("dialects", nargs="*")
    asked = parser.parse_args()
    load_checks()
    lines = registry.read_lines()
    wrong = registry.uncovered(lines)
    for what in wrong:
        print(what)
    wanted = asked.dialects or SERVED
    results = {}
    for seed in () if asked.coverage else wanted:
        results |= run_dialect(seed, lines)
    if asked.coverage:
        print(f"{len(lines)} lines, {len(registry.CHECKS)} checks")
        return 1 if wrong else 0
    failed, missing = show([one for one in lines if not asked.dialects or one.dialect in wanted], results)
    for seed in dict.fromkeys(line.dialect for line in missing):
        of_it = [line for line in missing if line.dialect == seed]
        if seed in SERVED:
            print("\n".join(f"NOT SERVED {line}" for line in of_it))
        else:
            print(f"NOT SERVED: dialect {seed}, with its {len(of_it)} lines")
    print(f"{len(results)} lines asked, {failed} failed, {len(missing)} NOT SERVED")
    return 1 if failed or wrong or (asked.all and missing) else 0


if __name__ == "__main__":
    sys.exit(main())
