#!/usr/bin/env python3
"""Instructions of the server process per accepted command and per finished task, by callgrind: a figure
that a busy machine does not change. A dump is taken when the server has warmed up and another
when a fixed number of tasks more is done; what lies between the two is divided by that number, so
that the start, and what the first requests set up, cancel out.

    instructions.py [--tasks 2000] [--top 25]
"""
import argparse
import pathlib
import subprocess
import sys
import time

import callgrind
import programs
from programs import ZERO_LATENCY, harness, load

WARM = 300
# Under callgrind all is some fifty times slower; no time may run out for that.
PATIENT = ["--tasks.lease_timeout=1h", "--broker.heartbeat_timeout=10m", "--http.header_timeout=10m",
           "--worker.heartbeat_interval=10m", "--worker.report_interval=10m",
           "--backend.call_timeout=10m", "--broker.heartbeat_interval=1m",
           "--server.drain_timeout=1s"]


class Traced(harness.Process):
    def __init__(self, directory, *flags):
        self.directory = pathlib.Path(directory)
        super().__init__(["--tool=callgrind", "--separate-threads=yes", "--fair-sched=yes",
                          f"--callgrind-out-file={directory}/callgrind.out.%p",
                          programs.RELEASE / "slipway", "serve", f"--data-dir={directory}/data",
                          "--listen=127.0.0.1:0", "--listeners=main", *PATIENT, *flags],
                         self.directory / "valgrind.log", program="valgrind")
        url = self.wait_ready()
        if url is None:
            raise programs.Error("the server does not start under callgrind:\n" + self.log.read_text())
        self.port = int(url.rsplit(":", 1)[1])
        self.dumps = 0

    def wait_quiet(self):
        """Until the process does nothing: asking it would be counted."""
        def busy():
            fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])
        quiet_since, last, end = time.monotonic(), busy(), time.monotonic() + 300
        while time.monotonic() - quiet_since < 0.8:
            time.sleep(0.1)
            now = busy()
            if now > last + 1:
                quiet_since = time.monotonic()
            last = now
            if time.monotonic() > end:
                raise programs.Error("the server does not come to rest")

    def dump(self):
        done = subprocess.run(["callgrind_control", "--dump", str(self.pid)], capture_output=True,
                              text=True, timeout=60)
        if done.returncode != 0 or "OK" not in done.stdout:
            raise programs.Error(f"callgrind_control: {done.stdout} {done.stderr}")
        self.dumps += 1
        return callgrind.read_dump(self.directory, self.pid, self.dumps)

    def finished(self):
        client = harness.Client("127.0.0.1", self.port)
        text = client("GET", "/metrics").body.decode()
        client.close()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith("slipway_task_end_to_end_duration_seconds_count"))


def count(plan, tasks, flags, finishing):
    """Instructions per task, by thread, and the profile of them all."""
    with harness.directory(parent=plan["dir"]) as where:
        server = Traced(where, *flags)
        load(server.port, count=WARM, connections=64)
        server.wait_quiet()
        server.dump()
        load(server.port, count=tasks, connections=64)
        server.wait_quiet()
        threads = server.dump()
        if finishing and server.finished() != WARM + tasks:
            raise programs.Error(f"{server.finished():.0f} of {WARM + tasks} tasks have ended")
        server.terminate()
    everything = callgrind.Profile()
    for profile in threads.values():
        everything.add(profile)
    return {"tasks": tasks, "each": everything.total / tasks,
            "threads": {name: profile.total / tasks for name, profile in sorted(
                threads.items(), key=lambda item: -item[1].total)},
            "own": {name: n / tasks for name, n in everything.own.most_common(plan["top"])},
            "inclusive": {name: n / tasks for name, n in everything.inclusive.most_common(400)
                          if "::" in name and not name.startswith("std::")}}


def measure(plan, say):
    accepted = count(plan, plan["traced"], ["--workers=0"], False)
    say(f"  {accepted['each']:.0f} instructions per accepted command")
    finished = count(plan, plan["traced"], ZERO_LATENCY, True)
    say(f"  {finished['each']:.0f} per finished task")
    return {"accepted": accepted, "finished": finished}


def show(title, result):
    print(f"\n{title}: {result['each']:.0f} instructions each, of {result['tasks']}\n\n  by thread")
    for name, n in result["threads"].items():
        print(f"    {n:10.0f}  {name}")
    print("  by function, alone")
    for name, n in result["own"].items():
        print(f"    {n:10.0f}  {name}")
    print("  by function, with all it calls")
    for name, n in list(result["inclusive"].items())[:60]:
        print(f"    {n:10.0f}  {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--top", type=int, default=25)
    options = parser.parse_args()
    programs.HOME.mkdir(parents=True, exist_ok=True)
    plan = {"traced": options.tasks, "top": options.top, "dir": programs.HOME}
    results = measure(plan, lambda text: print(text, flush=True))
    show("an accepted command", results["accepted"])
    show("a finished task", results["finished"])


if __name__ == "__main__":
    sys.exit(main())
