#!/usr/bin/env python3
"""Four worker processes against one on the same load of slow tasks, then the same load with two
workers killed and one drained on the way. Must hold: four are at least 3.8 times as fast; nothing
is lost; what the drained one hands back counts no attempt."""
import argparse
import collections
import datetime
import sys
import time

import harness

FLAGS = ["--simulated.create_latency=1s", "--simulated.latency_jitter=0", "--tasks.lease_timeout=3s",
         "--backend.call_timeout=1500ms", "--worker.margin=200ms", "--worker.heartbeat_interval=500ms",
         "--worker.slots=4", "--server.drain_timeout=300ms", "--tasks.backoff_base=10ms",
         "--tasks.backoff_max=50ms"]
TASKS = 64
RATIO = 3.8


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Fleet:
    """A server without workers of its own, and worker processes."""

    def __init__(self, directory, count):
        port = harness.free_port()
        self.server = harness.Server(directory, f"--broker.listen=tcp://127.0.0.1:{port}",
                                     "--workers=0", *FLAGS)
        self.workers = [harness.Worker(directory, port, f"worker-{n}", *FLAGS) for n in range(count)]
        harness.wait_until(lambda: len(self.server.get("/core/v1/workers").json()["items"]) == count,
                           f"{count} workers to connect")

    def submit(self):
        answer = self.server("POST", "/core/v1/batches", {
            "template": {"command": "vm.create", "args": {"name": "slow", **harness.CREATE}},
            "count": TASKS})
        assert answer.status == 202, answer
        return answer.headers["X-Task-Id"]

    def succeeded(self):
        return [t for t in self.server.items("/core/v1/tasks?command=vm.create")
                if t["state"] == "SUCCEEDED"]

    def end(self):
        for worker in self.workers:
            if worker.running():
                assert worker.terminate() == 0, f"{worker.name} did not end well"
        assert self.server.terminate() == 0, "the server did not end well"


def timed(count):
    """Seconds from the first lease to the last end, by the log's own times."""
    with harness.directory() as directory:
        fleet = Fleet(directory, count)
        batch = fleet.server.finished(fleet.submit(), 120)
        assert batch["state"] == "SUCCEEDED", batch
        tasks = fleet.succeeded()
        assert len(tasks) == TASKS, f"{len(tasks)} of {TASKS} succeeded"
        took = max(moment(t["finished_at"]) for t in tasks) - min(moment(t["started_at"]) for t in tasks)
        fleet.end()
        return took


def disturbed():
    with harness.directory() as directory:
        fleet = Fleet(directory, 4)
        began = time.monotonic()
        task = fleet.submit()
        harness.wait_until(lambda: len(fleet.succeeded()) >= 16, "a quarter of the tasks", 60)
        time.sleep(0.4)  # in the middle of the next ones
        fleet.workers[0].kill()
        fleet.workers[1].kill()
        drained = next(w["id"] for w in fleet.server.get("/core/v1/workers").json()["items"]
                       if w["worker"] == "worker-2")
        answer = fleet.server("POST", f"/core/v1/workers/{drained}/drain")
        assert answer.status == 202, answer
        assert fleet.workers[2].wait(30) == 0, "the drained worker did not end well"
        batch = fleet.server.finished(task, 120)
        took = time.monotonic() - began
        figures = check(fleet, batch)
        fleet.end()
        return took, figures


def check(fleet, batch):
    assert batch["state"] == "SUCCEEDED", batch
    tasks = {t["id"]: t for t in fleet.succeeded()}
    assert len(tasks) == TASKS, f"{len(tasks)} of {TASKS} succeeded"
    vms = fleet.server.items("/core/v1/vms?state=RUNNING")
    assert len({v["backend_ref"] for v in vms}) == TASKS, f"{len(vms)} VMs run"
    figures = collections.Counter()
    leases, retries, handed_back = (collections.Counter() for _ in range(3))
    for event in fleet.server.events():
        task = event["stream"].removeprefix("task-")
        if event["type"] == "TaskLeased":
            leases[task] += 1
        elif event["type"] == "TaskRetryScheduled":
            assert event["data"].get("counted", True), event
            retries[task] += 1
        elif event["type"] == "TaskReady" and event["data"].get("handed_back"):
            handed_back[task] += 1
    for task, body in tasks.items():
        assert leases[task] == 1 + retries[task] + handed_back[task], (task, leases[task])
        assert body["attempt"] == 1 + retries[task], \
            f"{task}: attempt {body['attempt']}, {retries[task]} retries, {handed_back[task]} handed back"
    figures["attempts lost with the killed"] = sum(retries.values())
    figures["handed back by the drained"] = sum(handed_back.values())
    assert figures["attempts lost with the killed"] > 0, "the killed workers held nothing"
    assert figures["handed back by the drained"] > 0, "the drained worker handed nothing back"
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["ratio", "disturbed"])
    options = parser.parse_args()
    failed = False
    if options.only != "disturbed":
        one, four = timed(1), timed(4)
        ratio = one / four
        print(f"scale: {TASKS} tasks of 1 s, 4 slots each: 1 worker {one:.2f} s, 4 workers {four:.2f} s, "
              f"ratio {ratio:.2f} (at least {RATIO})", flush=True)
        failed = ratio < RATIO
    if options.only != "ratio":
        took, figures = disturbed()
        print(f"scale: two of four killed, one drained: {TASKS} of {TASKS} succeeded in {took:.1f} s; "
              + ", ".join(f"{count} {name}" for name, count in figures.items()), flush=True)
    print("scale:", "FAILED" if failed else "passed")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
