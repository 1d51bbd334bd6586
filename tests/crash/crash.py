#!/usr/bin/env python3
"""Kills the server and its workers with SIGKILL at random points, over and over, while clients post
creates, deletes and batches, leave before the answer and ask again with the same key. Afterwards:

  - every task that was acknowledged is there and has ended (guarantees 1.1, 1.4)
  - no key made two tasks (1.3), no record is half there (1.2): `slipway log verify`
  - the cloud, asked in its own file, made no VM twice, and has exactly the VMs that the API lists
  - the read models, followed through all this, equal those of a rebuild

With --control a protection is off, and it must fail: a test that never failed is not yet a test.
  sync   answers leave before the log has reached the kernel (eventlog.sync=none)
  fence  reports of lost leases count (tasks.fencing=false), and the cloud, as some do, can tell
         neither a repeated call nor a stale one (simulated.forgetful=true)
"""
import argparse
import random
import signal
import sys
import time

import trial
from trial import harness

CONTROLS = {"sync": ["--eventlog.sync=none"],
            "fence": ["--tasks.fencing=false", "--simulated.forgetful=true"]}


class Run(trial.Trial):
    def __init__(self, options, directory):
        super().__init__(options, CONTROLS.get(options.control, []))
        self.directory = directory
        self.frozen = {}  # worker -> when to let it go on

    def start_server(self, ready=True):
        local = self.options.local_workers
        self.server = harness.Server(self.directory, f"--broker.listen=tcp://127.0.0.1:{self.broker_port}",
                                     f"--workers={local}", *self.flags,
                                     listen=f"127.0.0.1:{self.port}", ready=ready)

    def start_worker(self, name):
        self.workers[name] = harness.Worker(self.directory, self.broker_port, name, *self.flags)

    def cycle(self):
        pick = self.random.random()
        time.sleep(self.random.uniform(0.02, 0.9))
        names = sorted(self.workers)
        if pick < 0.5:
            self.kill_server()
        elif pick < 0.7:
            self.kill_worker(self.random.choice(names))
        elif pick < 0.85:
            self.freeze(self.random.choice(names))
        else:
            for name in names:
                self.kill_worker(name, restart=False)
            self.kill_server()
            for name in names:
                self.start_worker(name)
        self.thaw()

    def kill_server(self):
        self.server.kill()
        self.figures["server killed"] += 1
        while self.random.random() < 0.2:  # in the middle of its start, too
            self.start_server(ready=False)
            time.sleep(self.random.uniform(0, 0.15))
            self.server.kill()
            self.figures["server killed while starting"] += 1
        self.start_server()

    def kill_worker(self, name, restart=True):
        self.frozen.pop(name, None)
        self.workers[name].kill()
        self.figures["worker killed"] += 1
        if restart:
            self.start_worker(name)

    # Longer than its leases: it wakes up believing that it still holds them.
    def freeze(self, name):
        if name in self.frozen:
            return
        self.workers[name].signal(signal.SIGSTOP)
        self.frozen[name] = time.monotonic() + self.random.uniform(0.5, 4)
        self.figures["worker frozen"] += 1

    def thaw(self, everything=False):
        for name, until in list(self.frozen.items()):
            if everything or time.monotonic() > until:
                self.workers[name].signal(signal.SIGCONT)
                del self.frozen[name]

    def run(self):
        self.start_server()
        for n in range(self.options.workers):
            self.start_worker(f"worker-{n}")
        began = time.monotonic()
        self.start_clients()
        for n in range(self.options.cycles):
            self.cycle()
            if self.options.verbose:
                print(f"cycle {n + 1}: {len(self.ledger.tasks)} acknowledged", flush=True)
            if self.ledger.complaints:
                break
        self.figures["cycles"] = n + 1
        self.thaw(everything=True)
        self.stop_clients()
        self.figures["seconds"] = round(time.monotonic() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cycles", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--local-workers", type=int, default=1, help="in the server's process")
    parser.add_argument("--control", choices=sorted(CONTROLS), help="without a protection: must fail")
    parser.add_argument("--keep", metavar="DIR", help="keep data and logs here")
    parser.add_argument("--verbose", "-v", action="store_true")
    options = parser.parse_args()
    # Whatever hangs, hangs no longer than this.
    signal.signal(signal.SIGALRM, lambda *_: sys.exit("crash: out of time"))
    signal.alarm(int(15 * options.cycles + 10 * harness.PATIENCE))
    print(f"crash: {options.cycles} cycles, seed {options.seed}"
          + (f", without {options.control}" if options.control else ""), flush=True)
    with harness.directory(options.keep) as directory:
        run = Run(options, directory)
        verified = ""
        try:
            run.run()
            verified = run.check()
        except AssertionError as e:
            run.ledger.complaints.append(str(e))
        if verified:
            print("  log:", verified)
        return run.report("crash")


if __name__ == "__main__":
    sys.exit(main())
