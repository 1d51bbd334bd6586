#!/usr/bin/env python3
"""Cuts the power of the server's machine, over and over, while clients post creates, deletes and batches.
Its data directory is a file system that forgets what was not synced (forgetful/): any sectors of it, cut
at any byte, and the names of files, too. A second worker and the cloud are on other machines and live on.

A cut falls under load, in the middle of a start after a cut, or of the very first start. After each:

  - the server starts, and every task that was acknowledged is there
  - queries answer: how soon is measured

and at the end all that crash.py asks: every task has ended, no VM was made twice by the cloud's own
account, read models equal those of a rebuild, `slipway log verify`.

With --control sync the log is not synced (eventlog.sync=none), and it must fail.

The seed fixes where cuts fall and what survives them, but not how threads take turns: the disk as a
failing cut left it is therefore kept in build/.

Exits 77, which ctest calls skipped, where nothing can be mounted.
"""
import argparse
import contextlib
import os
import pathlib
import random
import shutil
import signal
import statistics
import sys
import time

import trial
from trial import harness

FORGETFUL = os.environ.get("FORGETFUL_FS", str(harness.ROOT / "build/release/forgetful_fs"))
CONTROLS = {"sync": ["--eventlog.sync=none"]}
# Small, so that files are made, renamed and deleted all the time.
FLAGS = ["--workers=1", "--simulated.clouds=", "--eventlog.memtable_bytes=1MiB",
         "--eventlog.max_wal_bytes=4MiB", "--projections.checkpoint_pages=256"]
# Of a first start, of a start after a cut: changes that they make to the disk, and some more.
FIRST_CHANGES, START_CHANGES = 450, 150
CYCLES_OF_A_LIFE = 10


def mountable():
    return os.access("/dev/fuse", os.R_OK | os.W_OK) and (os.geteuid() == 0
                                                          or shutil.which("fusermount3"))


class Disk:
    """A machine's disk: a directory, an image for the times when it is not mounted, and its power."""

    def __init__(self, directory, names):
        self.directory, self.names = directory, names
        self.mountpoint = directory / "data"
        self.mountpoint.mkdir(parents=True)
        self.image = directory / "disk-0000"
        self.image.mkdir()
        self.mounts = 0
        self.process = None

    def mount(self, seed):
        self.mounts += 1
        self.next_image = self.directory / f"disk-{self.mounts:04}"
        self.process = harness.Process(
            [self.mountpoint, f"--from={self.image}", f"--to={self.next_image}", f"--seed={seed}",
             f"--names={self.names}"], self.directory / "disk.log", program=FORGETFUL)
        if not self.process.wait_ready():
            raise AssertionError("not mounted: " + (self.directory / "disk.log").read_text())

    def cut_after(self, changes):
        os.setxattr(self.mountpoint, "user.power_cut", str(changes).encode())

    def fail_after(self, calls, which, within="."):
        """`which`: "write eio", "sync enospc" and such."""
        os.setxattr(self.mountpoint / within, "user.fault", f"{calls} {which}".encode())

    def wait_for_the_fault(self, timeout):
        """Which call failed, in words; None if none did in that time."""
        with contextlib.suppress(harness.queue.Empty):
            return self.process.lines.get(timeout=timeout).strip()
        return None

    def wait_for_the_cut(self, timeout):
        """What it kept, in words. Where nothing changes the disk any more, it is cut now."""
        with contextlib.suppress(harness.queue.Empty):
            return self.process.lines.get(timeout=timeout).strip()
        self.cut_after(0)
        return self.process.lines.get(timeout=harness.PATIENCE).strip()

    def unmount(self):
        if self.process is None:
            return
        code = self.process.terminate()
        self.process = None
        if code != 0:
            raise AssertionError(f"the disk ended with {code}: see {self.directory / 'disk.log'}")
        shutil.rmtree(self.image)
        self.image = self.next_image


class Run(trial.Trial):
    def __init__(self, options, directory):
        super().__init__(options, CONTROLS.get(options.control, []))
        self.directory = directory
        self.elsewhere = directory / "elsewhere"
        self.elsewhere.mkdir()
        self.disk = Disk(directory / "machine", options.names)
        self.seconds_to_answer, self.seconds_to_see_all = [], []
        self.seen = set()  # tasks that outlived a cut

    def cloud_file(self):
        return self.elsewhere / "cloud.db"

    def start_server(self, disk, *flags, port=None, ready=True):
        return harness.Server(disk.directory, *self.flags, *FLAGS, *flags, ready=ready,
                              listen=f"127.0.0.1:{port or 0}")

    def start(self, ready=True):
        self.server = self.start_server(
            self.disk, f"--broker.listen=tcp://127.0.0.1:{self.broker_port}",
            f"--simulated.state_file={self.cloud_file()}", port=self.port, ready=ready)

    def mount(self, disk):
        disk.mount(self.random.getrandbits(32))

    # ---- cuts ----

    def cycle(self, number):
        if self.random.random() < 0.2:
            return self.say(number, self.birth(number))
        time.sleep(self.random.uniform(0.05, 1))
        told = self.lose_power(self.disk, self.server, self.random.randrange(120), "under load")
        while self.random.random() < 0.25:
            self.mount(self.disk)
            self.start(ready=False)
            told = self.lose_power(self.disk, self.server, self.random.randrange(START_CHANGES),
                                   "while starting again")
        self.mount(self.disk)
        if self.random.random() < 0.2:
            self.verify()
        self.come_back()
        return self.say(number, f"{told}; answered in {self.seconds_to_answer[-1]:.2f} s, "
                                f"all seen in {self.seconds_to_see_all[-1]:.2f} s")

    def lose_power(self, disk, server, changes, when):
        disk.cut_after(changes)
        told = disk.wait_for_the_cut(timeout=3)
        if not told.startswith("cut "):
            raise AssertionError(f"the disk said {told!r}")
        time.sleep(self.random.uniform(0, 0.2))  # whatever is answered now was answered on hope
        server.kill()
        disk.unmount()
        self.figures[f"power cut {when}"] += 1
        return f"{told} {when}"

    def come_back(self):
        acknowledged = set(self.ledger.tasks) - self.seen
        began = time.monotonic()
        self.start(ready=False)
        client = self.server_client()
        harness.wait_until(lambda: self.answers(client), "queries to answer")
        self.seconds_to_answer.append(time.monotonic() - began)
        self.server.url = self.server.wait_ready()
        self.server.host, self.server.port = "127.0.0.1", self.port
        for task in sorted(acknowledged):
            if not self.there(client, task):
                break  # one is enough, and each costs its patience
        self.seconds_to_see_all.append(time.monotonic() - began)
        self.seen |= acknowledged

    def server_client(self):
        return harness.Client("127.0.0.1", self.port, timeout=5)

    def answers(self, client):
        if not self.server.running():
            raise AssertionError("the server did not start after a power cut:\n" + self.server.tail())
        with contextlib.suppress(harness.Unknown):
            return client("GET", "/core/v1/tasks?limit=1").status == 200
        return False

    def there(self, client, task):
        """Read models may be older than the log for a moment: that is a prefix, and no loss."""
        try:
            return harness.wait_until(lambda: client("GET", f"/core/v1/tasks/{task}").status == 200,
                                      f"task {task}")
        except (AssertionError, harness.Unknown) as e:
            key, what = self.ledger.tasks[task]
            self.ledger.complain(f"acknowledged and lost: {what} {task}, key {key}: {e}")
            return False

    def verify(self):
        verified = harness.run("log", "verify", "--data-dir", self.disk.mountpoint)
        self.figures["log verify after a cut"] += 1
        if verified.returncode != 0:
            self.ledger.complain("log verify after a cut: " + verified.stderr.strip())

    def birth(self, number):
        """The first start of a new machine, cut; it must then start as if nothing had been."""
        disk = Disk(self.directory / f"born-{number}", self.options.names)
        try:
            self.mount(disk)
            server = self.start_server(disk, ready=False)
            told = self.lose_power(disk, server, self.random.randrange(FIRST_CHANGES),
                                   "in the first start")
            self.mount(disk)
            server = self.start_server(disk)
            server.finished(server.create("firstborn").headers["X-Task-Id"])
            server.kill()
        except AssertionError:
            self.guilty = disk
            raise
        finally:
            disk.unmount()
        shutil.rmtree(disk.directory)
        return told

    guilty = None  # the disk to keep, if it is not that of the long-lived machine

    def say(self, number, what):
        print(f"cycle {number + 1} of {self.options.seed}: {len(self.ledger.tasks)} acknowledged, {what}", flush=True)

    # ---- the whole ----

    def run(self):
        self.mount(self.disk)
        self.start()
        self.workers["elsewhere"] = harness.Worker(
            self.elsewhere, self.broker_port, "elsewhere", *self.flags, "--simulated.clouds=",
            f"--simulated.state_file={self.cloud_file()}")
        began = time.monotonic()
        self.start_clients()
        for number in range(self.options.cycles):
            self.cycle(number)
            self.figures["cycles"] += 1
            if self.ledger.complaints:
                break
        self.stop_clients()
        self.figures["seconds"] = round(time.monotonic() - began)

    def keep_evidence(self):
        disk = self.guilty or self.disk
        kept = harness.ROOT / "build" / f"power-loss-{self.options.seed}"
        shutil.copytree(disk.image, kept, dirs_exist_ok=True)
        print(f"  the disk as the cut left it: {kept}")


def live(run):
    """Runs, checks, and leaves nothing mounted."""
    try:
        run.run()
        if not run.ledger.complaints:
            print("  log:", run.check())
    except (AssertionError, harness.Unknown) as e:
        run.ledger.complain(str(e))
    finally:
        if run.server is not None:
            run.server.kill()
        for worker in run.workers.values():
            worker.kill()
        if run.ledger.complaints and not run.options.control:
            run.keep_evidence()
        run.disk.unmount()


def tell(what, seconds):
    if seconds:
        print(f"  {what} after a cut in {statistics.median(seconds):.2f} s (median of {len(seconds)}; "
              f"at most {max(seconds):.2f} s)")


def lives(options, kind=Run):
    """One machine after another, so that no start has a longer log to read than some thousand tasks'."""
    end = time.monotonic() + options.seconds
    left, total = options.cycles, None
    while left > 0 and (total is None or time.monotonic() < end):
        options.cycles = min(left, CYCLES_OF_A_LIFE)
        left -= options.cycles
        with harness.directory(options.keep and options.keep / str(options.seed)) as directory:
            run = kind(options, directory)
            live(run)
        if total is not None:
            run.figures += total.figures
            run.ledger.figures += total.ledger.figures
            run.seconds_to_answer += total.seconds_to_answer
            run.seconds_to_see_all += total.seconds_to_see_all
        total = run
        if run.ledger.complaints:
            break
        options.seed += 1
    return total


def limit(name, seconds):
    """Ends the program as skipped where nothing can be mounted. Whatever hangs, hangs no longer than
    `seconds`; and whoever ends it leaves nothing mounted."""
    if not mountable():
        print(f"{name}: skipped, there is no /dev/fuse to mount with")
        sys.exit(77)
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f"{name}: out of time"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(f"{name}: ended"))
    signal.alarm(int(seconds))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cycles", type=int, nargs="?", default=50)
    parser.add_argument("--seconds", type=int, default=3600, help="no new machine after so long")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32),
                        help="of the first machine; each next has the next")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--names", choices=["posix", "journal"], default="posix",
                        help="what a sync says of names: only those of that directory, or, as ext4 "
                             "and xfs do it, all before it")
    parser.add_argument("--control", choices=sorted(CONTROLS), help="without a protection: must fail")
    parser.add_argument("--keep", metavar="DIR", type=pathlib.Path, help="keep disks and logs here")
    options = parser.parse_args()
    limit("power-loss", 30 * options.cycles + 10 * harness.PATIENCE)
    print(f"power-loss: {options.cycles} cycles, seed {options.seed}, names as {options.names}"
          + (f", without {options.control}" if options.control else ""), flush=True)
    total = lives(options)
    tell("queries answered", total.seconds_to_answer)
    tell("all acknowledged tasks seen", total.seconds_to_see_all)
    return total.report("power-loss")


if __name__ == "__main__":
    sys.exit(main())
