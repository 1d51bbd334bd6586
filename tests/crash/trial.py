"""Clients that keep book of what they were told, and the questions that are asked when the faults have
stopped: what crash.py and power_loss.py have in common."""
import collections
import pathlib
import random
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
OUTCOMES = ["done", "repeated", "waiting", "stale", "refused", "failed", "lost"]


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


class Trial:
    """A server under faults, its clients, and what must hold afterwards."""

    def __init__(self, options, flags):
        self.options, self.flags = options, FLAGS + flags
        self.random = random.Random(options.seed)
        self.port, self.broker_port = harness.free_port(), harness.free_port()
        self.ledger = Ledger()
        self.figures = collections.Counter()
        self.stop = threading.Event()
        self.stop.hurry = False
        self.clients = []
        self.server = None
        self.workers = {}

    def cloud_file(self):
        return self.server.data / "simulated.db"

    def start_clients(self):
        self.clients = [Requester(n, self.options.seed, self.port, self.ledger, self.stop)
                        for n in range(self.options.clients)]
        for client in self.clients:
            client.start()

    def stop_clients(self):
        self.stop.set()
        for client in self.clients:
            client.join(harness.PATIENCE)
        self.stop.hurry = True

    def report(self, name):
        """Figures and complaints on the screen; the exit code."""
        for what, count in sorted((self.figures + self.ledger.figures).items()):
            print(f"  {count:8} {what}")
        for complaint in self.ledger.complaints[:20]:
            print("  FAIL", complaint)
        failed = bool(self.ledger.complaints)
        if self.options.control:
            print(f"control {self.options.control}: "
                  + ("caught, as it must be" if failed else "NOT CAUGHT"))
            return 0 if failed else 1
        print(f"{name}: {'FAILED, seed ' + str(self.options.seed) if failed else 'passed'}")
        return 1 if failed else 0

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
        with sqlite3.connect(f"file:{self.cloud_file()}?mode=ro", uri=True) as db:
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
