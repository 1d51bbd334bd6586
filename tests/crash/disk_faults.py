#!/usr/bin/env python3
"""Lets each write and each sync of the server fail once: with EIO, with ENOSPC, or a write half done.
Its data directory is on the file system of forgetful/. A fault falls under load, or in the first start
of a machine, there at each call in turn. Whether the server ends by it or goes on, afterwards the power
is cut: what a failed sync left unsynced is gone. Then the server starts, every acknowledged task is
there, and at the end all that crash.py asks holds. A server that neither ends nor answers has failed.

Exits 77, which ctest calls skipped, where nothing can be mounted."""
import argparse
import pathlib
import random
import re
import shutil
import sys
import time

import power_loss
from trial import harness

KINDS = ["write eio", "write enospc", "write short", "sync eio", "sync enospc"]
# Where a fault falls: anywhere, and where every promise hangs on it.
PLACES = [".", "log", "log/store", "log/store", "log/store", "read_models"]
# Where commands are: what is not written there is not acknowledged.
WRITE_AHEAD = re.compile(r"\d+\.log ")
FILE_NUMBER = re.compile(r"\d{4,}")
FIRST_CALLS = 400  # that a first start makes, and some more: faults that never come end the round


class Run(power_loss.Run):
    def cycle(self, number):
        time.sleep(self.random.uniform(0.05, 0.5))
        kind = self.random.choice(KINDS)
        place = self.random.choice(PLACES)
        # The read models are never synced, and the log is at each batch.
        calls = 40 if place.startswith("log") else 200
        self.disk.fail_after(self.random.randrange(calls), kind, place)
        told = self.disk.wait_for_the_fault(timeout=5)
        self.look(self.server, told, f"in {place}")
        self.lose_power(self.disk, self.server, 0, "after it")
        self.mount(self.disk)
        self.come_back()
        return self.say(number, f"{told} in {place}; answered in {self.seconds_to_answer[-1]:.2f} s")

    def look(self, server, told, when):
        """It ends by itself, or it answers; of a fault of the log itself, it ends."""
        what = FILE_NUMBER.sub("N", told or "no fault")
        fatal = told is not None and WRITE_AHEAD.search(told) and not told.endswith("short")
        client = harness.Client("127.0.0.1", self.port, timeout=2)

        def decided():
            if fatal or not server.running():
                return not server.running()
            try:
                return client("GET", "/healthz").status in (200, 503)
            except harness.Unknown:
                return False
        acknowledged = len(self.ledger.tasks)
        try:
            harness.wait_until(decided, f"the server to {'end' if fatal else 'end or to answer'}: {told}")
        except AssertionError as e:
            more = len(self.ledger.tasks) - acknowledged
            raise AssertionError(f"{e}; {more} tasks more were acknowledged") from e
        time.sleep(self.random.uniform(0, 0.3))
        self.figures[f"{'went on after' if server.running() else 'ended by'} {what} {when}"] += 1


def first_start(directory, call, kind, seed):
    """One new machine whose `call` fails in its first start; it must start afterwards. False if the first
    start makes fewer calls."""
    disk = power_loss.Disk(directory, "posix")
    try:
        disk.mount(seed)
        disk.fail_after(call, kind)
        server = start(disk)
        harness.wait_until(lambda: not server.running() or not server.lines.empty(), "an end, or ready")
        told = disk.wait_for_the_fault(timeout=0.1)
        server.kill()
        disk.cut_after(0)
        disk.wait_for_the_cut(timeout=3)
        disk.unmount()
        disk.mount(seed + 1)
        server = start(disk)
        assert server.wait_ready(), f"no start after: call {call} {kind}, {told}:\n{server.tail()}"
        server.kill()
    finally:
        disk.unmount()
        shutil.rmtree(disk.directory)
    return told is not None


def start(disk):
    return harness.Server(disk.directory, *power_loss.FLAGS, ready=False)


def first_starts(every):
    count = 0
    for kind in KINDS:
        for call in range(0, FIRST_CALLS, every):
            with harness.directory() as directory:
                if not first_start(directory / "machine", call, kind, 7 * call + 1):
                    break
            count += 1
            if count % 20 == 0:
                print(f"{count} first starts: {kind} at call {call}", flush=True)
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cycles", type=int, nargs="?", default=60)
    parser.add_argument("--every", type=int, default=1, help="of a first start's calls, each so-many-th fails")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--keep", metavar="DIR", type=pathlib.Path, help="keep disks and logs here")
    parser.add_argument("--control", choices=sorted(power_loss.CONTROLS),
                        help="without a protection: must fail")
    options = parser.parse_args()
    options.names = "posix"
    power_loss.limit("disk-faults", 30 * options.cycles + 10 * FIRST_CALLS / options.every
                     + 10 * harness.PATIENCE)
    print(f"disk-faults: {options.cycles} cycles, seed {options.seed}", flush=True)
    starts = 0 if options.control else first_starts(options.every)
    total = power_loss.lives(options, Run)
    total.figures["first starts with a fault"] = starts
    return total.report("disk-faults")


if __name__ == "__main__":
    sys.exit(main())
