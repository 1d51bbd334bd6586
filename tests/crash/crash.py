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
import collections
import pathlib
import random
import signal
import sqlite3
import sys
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402

FLAGS = ["--tasks.lease_timeout=1500ms", "--worker.heartbeat_interval=300ms",
         "--worker.report_interval=300ms", "--worker.margin=100ms", "--backend.call_timeout=400ms",
         "--tasks.backoff_base=10ms", "--tasks.backoff_max=100ms", "--tasks.max_attempts=1000",
         "--tasks.max_process_deaths=1000", "--broker.heartbeat_interval=200ms",
         "--broker.heartbeat_timeout=1s", "--simulated.create_latency=60ms",
         "--simulated.operation_latency=30ms", "--simulated.failure_rate=0.02", "--worker.slots=8",
         "--log.burst=0"]
CONTROLS = {"sync": ["--eventlog.sync=none"],
            "fence": ["--tasks.fencing=false", "--simulated.forgetful=true"]}


class Ledger:
    """What clients were told."""

    def __init__(self):
        self.mutex = threading.Lock()
        self.tasks = {}  # task -> (key, what)
        self.figures = collections.Counter()
        self.complaints = []

    def acknowledged(self, task, key, what):
        with self.mutex:
            self.tasks[task] = (key, what)

    def count(self, what, n=1):
        with self.mutex:
            self.figures[what] += n

    def complain(self, text):
        with self.mutex:
            self.complaints.append(text)


class Requester(threading.Thread):
    """One client: a request under way at a time, repeated under its key until it is answered."""

    def __init__(self, number, seed, port, ledger, stop):
        super().__init__(daemon=True)
        self.number, self.ledger, self.stop = number, ledger, stop
        self.random = random.Random(f"{seed}/{number}")
        self.seed = seed
        self.http = harness.Client("127.0.0.1", port, timeout=3)
        self.vms = []  # that this client asked for and nobody else knows
        self.requests = 0

    def run(self):
        try:
            while not self.stop.is_set():
                self.one()
        except Exception as e:  # noqa: BLE001: a client that dies silently tests nothing
            self.ledger.complain(f"client {self.number}: {e!r}")

    def one(self):
        self.requests += 1
        key = f"{self.seed}-{self.number}-{self.requests}"
        method, path, body, what = self.choose()
        answer = self.until_answered(method, path, body, key)
        if answer is None:
            return
        time.sleep(self.random.uniform(0, 0.02))
        if answer.status == 202:
            task = answer.headers["X-Task-Id"]
            self.ledger.acknowledged(task, key, what)
            self.ledger.count(f"202 {what}")
            if what == "create":
                self.vms += [r["id"] for r in answer.json()["resources"]]
            if self.random.random() < 0.15:
                self.ask_again(method, path, body, key, answer)
        elif answer.status in (404, 409):  # the VM is still being made, or is gone already
            self.ledger.count(f"{answer.status} {what}")
        else:
            self.ledger.complain(f"{method} {path}: {answer}")

    def choose(self):
        dice = self.random.random()
        if dice < 0.2 and len(self.vms) > 3:
            vm = self.vms.pop(self.random.randrange(len(self.vms) - 2))
            return "DELETE", f"/core/v1/vms/{vm}", None, "delete"
        if dice < 0.3 and self.vms:
            return "POST", f"/core/v1/vms/{self.random.choice(self.vms)}/stop", {}, "stop"
        name = f"c{self.number}-{self.requests}"
        if dice < 0.4:
            template = {"command": "vm.create", "args": {"name": name, **harness.CREATE}}
            count = self.random.randint(2, 6)
            return "POST", "/core/v1/batches", {"template": template, "count": count}, "batch"
        return "POST", "/core/v1/vms", {"name": name, **harness.CREATE}, "create"

    def until_answered(self, method, path, body, key):
        headers = {"Idempotency-Key": key}
        leave = self.random.random() < 0.1
        while True:
            try:
                answer = self.http(method, path, body, headers, send_only=leave)
                if answer.status < 500 and answer.status != 429:
                    return answer
                self.ledger.count(f"{answer.status}, asked again")
            except harness.Unknown:
                self.ledger.count("no answer, asked again")
            leave = False
            if self.stop.is_set() and self.stop.hurry:
                return None
            time.sleep(0.02)

    def ask_again(self, method, path, body, key, first):
        again = self.until_answered(method, path, body, key)
        if again is None:
            return
        self.ledger.count("replayed")
        same = (again.status == first.status and again.body == first.body and
                again.headers["X-Task-Id"] == first.headers["X-Task-Id"] and
                again.headers["Idempotency-Replayed"] == "true")
        if not same:
            self.ledger.complain(f"key {key}: {first} and then {again}")


class Run:
    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.random = random.Random(options.seed)
        self.port, self.broker_port = harness.free_port(), harness.free_port()
        self.flags = FLAGS + CONTROLS.get(options.control, [])
        self.ledger = Ledger()
        self.figures = collections.Counter()
        self.frozen = {}  # worker -> when to let it go on
        self.stop = threading.Event()
        self.stop.hurry = False
        self.generation = collections.Counter()
        self.server = None
        self.workers = {}

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
        clients = [Requester(n, self.options.seed, self.port, self.ledger, self.stop)
                   for n in range(self.options.clients)]
        began = time.monotonic()
        for client in clients:
            client.start()
        for n in range(self.options.cycles):
            self.cycle()
            if self.options.verbose:
                print(f"cycle {n + 1}: {len(self.ledger.tasks)} acknowledged", flush=True)
            if self.ledger.complaints:
                break
        self.figures["cycles"] = n + 1
        self.thaw(everything=True)
        self.stop.set()
        for client in clients:
            client.join(harness.PATIENCE)
        self.stop.hurry = True
        self.figures["seconds"] = round(time.monotonic() - began)

    # ---- afterwards ----

    def check(self):
        say = self.ledger.complaints.append
        known = self.wait_for_the_end(say)
        self.check_keys(known, say)
        self.check_cloud(say)
        self.check_rebuild(say)
        for worker in self.workers.values():
            code = worker.terminate()
            if code != 0:
                say(f"{worker.name} ended with {code}")
        code = self.server.terminate()
        if code != 0:
            say(f"the server ended with {code}")
        verified = harness.run("log", "verify", "--data-dir", self.server.data)
        if verified.returncode != 0:
            say("log verify: " + verified.stderr.strip())
        return verified.stdout.strip()

    def wait_for_the_end(self, say):
        def unfinished():
            return self.server.items("/core/v1/tasks?state=ACCEPTED,BLOCKED,READY,RUNNING,RETRY_WAIT")
        try:
            harness.wait_until(lambda: not unfinished(), "all tasks to end", 4 * harness.PATIENCE)
        except AssertionError as e:
            say(str(e))
            for task in unfinished()[:5]:
                say(f"has not ended: {task['id']} {task['command']} {task['state']} {task['error']}")
        tasks = self.server.items("/core/v1/tasks")
        known = {t["id"]: t for t in tasks}
        for task, (key, what) in self.ledger.tasks.items():
            if task not in known:
                say(f"acknowledged and lost: {what} {task}, key {key}")
        for task in tasks:
            self.figures[f"{task['state']} {task['command']}"] += 1
            if task["state"] in ("DEAD", "TIMED_OUT"):
                say(f"{task['command']} {task['id']} ended {task['state']}: {task['error']}")
        return known

    def check_keys(self, known, say):
        """Each request names its VM anew: two tasks of one name are two tasks of one key."""
        made = collections.Counter((t["command"], r["name"]) for t in known.values()
                                   for r in t["resources"]
                                   if t["command"] in ("vm.create", "vm.delete"))
        for (command, name), count in made.items():
            if count > 1:
                say(f"{count} tasks of one key: {command} {name}")
        by_key = collections.defaultdict(set)
        for task, (key, _) in self.ledger.tasks.items():
            by_key[key].add(task)
        for key, tasks in by_key.items():
            if len(tasks) > 1:
                say(f"key {key} made {sorted(tasks)}")
        self.figures["tasks"] = len(known)

    def check_cloud(self, say):
        """The cloud's own file is the witness."""
        with sqlite3.connect(f"file:{self.server.data}/simulated.db?mode=ro", uri=True) as db:
            rows = db.execute("SELECT number, vm, name FROM vms").fetchall()
            calls = db.execute("SELECT operation, outcome, count(*) FROM ledger "
                               "WHERE operation IN (1, 25) GROUP BY operation, outcome").fetchall()
        for operation, outcome, count in calls:
            self.figures[f"{'vm.create' if operation == 1 else 'lookup'} calls, {OUTCOMES[outcome]}"] += count
        has = collections.defaultdict(list)
        for number, vm, name in rows:
            has[str(uuid.UUID(bytes=vm))].append(f"sim-{number}")
        listed = {}
        unsure = set()
        for vm in self.server.items("/core/v1/vms?backend=simulated"):
            listed[vm["id"]] = vm["backend_ref"]
            if vm["state"] == "ERROR":
                unsure.add(vm["id"])
        self.figures["VMs in the cloud"] = len(rows)
        for vm, refs in has.items():
            if len(refs) > 1:
                say(f"made twice: VM {vm} is {refs}")
            if vm not in listed:
                say(f"nobody's: {refs} of VM {vm}, which the API does not list")
            elif listed[vm] not in refs and vm not in unsure:
                say(f"VM {vm} is {listed[vm]} to the API and {refs} to the cloud")
        for vm in listed.keys() - has.keys() - unsure:
            say(f"VM {vm} is listed, and the cloud has none")

    def check_rebuild(self, say):
        def shown():
            return [sorted(map(str, self.server.items(path)))
                    for path in ("/core/v1/tasks", "/core/v1/vms")]

        def files():
            return {f.name for f in (self.server.data / "read_models").glob("*.sqlite")}
        before, old = shown(), files()
        answer = self.server("POST", "/core/v1/admin/projections/all/rebuild", {})
        if answer.status >= 300:
            return say(f"no rebuild: {answer}")
        # It goes on beside the old ones, and takes their place under a new number.
        harness.wait_until(lambda: files() - old, "the rebuild", 4 * harness.PATIENCE)
        harness.wait_until(lambda: not files() & old, "the old read models to go")
        if shown() != before:
            say("read models rebuilt from the log differ from those that lived through it")
        return None


OUTCOMES = ["done", "repeated", "waiting", "stale", "refused", "failed", "lost"]


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
        for name, count in sorted((run.figures + run.ledger.figures).items()):
            print(f"  {count:8} {name}")
        if verified:
            print("  log:", verified)
        for complaint in run.ledger.complaints[:20]:
            print("  FAIL", complaint)
        failed = bool(run.ledger.complaints)
    if options.control:
        print(f"control {options.control}: " + ("caught, as it must be" if failed else "NOT CAUGHT"))
        return 0 if failed else 1
    print(f"crash: {'FAILED, seed ' + str(options.seed) if failed else 'passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
