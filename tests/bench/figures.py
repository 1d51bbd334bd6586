"""The measurements. Each starts what it needs, returns plain numbers, and raises if anything was not as
it should be; report.py says what they mean. `plan` has the sizes: see PLANS in bench.py."""
import statistics
import time

import programs
from programs import (ConstantEdge, Error, Peer, Slipway, ZERO_LATENCY, harness, load, wait_until,
                      warm_up)

CONNECTIONS = 64


def directory(plan):
    return harness.directory(parent=plan["dir"])


def rounds(plan, say, **makers):
    """Each in turn, again and again, so that what else the machine does falls on all alike."""
    out = {name: [] for name in makers}
    for number in range(plan["rounds"]):
        for name, measure in makers.items():
            with directory(plan) as where:
                out[name].append(measure(where))
            say(f"  round {number + 1}: {name} {out[name][-1]['rate']:.0f}/s")
    return out


def median_rate(results):
    return statistics.median(result["rate"] for result in results)


# ---- durable 202s a second

def accepts(plan, say):
    def measure(start):
        def one(where):
            server = start(where)
            warm_up(server.port)
            before = server.cpu_seconds()
            result = load(server.port, connections=CONNECTIONS, seconds=plan["seconds"])
            server.wait_current()  # what an acceptance leaves to be done belongs to it
            result["cpu_us_each"] = (server.cpu_seconds() - before) / result["sent"] * 1e6
            server.end()
            return result
        return one
    return rounds(plan, say, peer=measure(lambda where: Peer(where, workers=False)),
                  constant=measure(ConstantEdge),
                  slipway=measure(lambda where: Slipway(where, "--workers=0")))


# ---- tasks finished end to end

def finish_rate(server, seconds):
    """From the first request until the last task of them has ended and can be asked for."""
    known = warm_up(server.port)
    wait_until(lambda: server.finished() == known, "the first task's end", 60)
    start, before = time.monotonic(), server.cpu_seconds()
    result = load(server.port, connections=CONNECTIONS, seconds=seconds, warmup=0)
    wanted = known + result["sent"]
    wait_until(lambda: server.finished() >= wanted, f"the end of {wanted} tasks", 300)
    took = time.monotonic() - start
    if server.finished() != wanted:
        raise Error(f"{wanted} tasks were asked for, {server.finished()} have ended")
    return {"rate": result["sent"] / took, "tasks": result["sent"], "seconds": took,
            "accepted_rate": result["rate"],
            "cpu_us_each": (server.cpu_seconds() - before) / result["sent"] * 1e6}


def finishes(plan, say):
    def measure(start):
        def one(where):
            server = start(where)
            result = finish_rate(server, plan["seconds"])
            server.end()
            return result
        return one
    return rounds(plan, say, peer=measure(lambda where: Peer(where, workers=True)),
                  slipway=measure(lambda where: Slipway(where, *ZERO_LATENCY)))


# ---- accept latency at half the load, beside the disk's own

def latency(plan, say, full_rate):
    with directory(plan) as where:
        server = Slipway(where, "--workers=0")
        warm_up(server.port)
        disk, ours = [], []
        for _ in range(plan["rounds"]):
            disk += programs.disk_syncs(where, plan["seconds"] / 2)
            ours.append(load(server.port, connections=CONNECTIONS, seconds=plan["seconds"],
                             rate=round(full_rate / 2)))
            say(f"  p99 {ours[-1]['p99_us'] / 1e3:.2f} ms")
        server.end()
    disk.sort()
    at = lambda share: disk[int(share * (len(disk) - 1))]  # noqa: E731
    median = lambda key: statistics.median(o[key] for o in ours)  # noqa: E731
    return {"rate": round(full_rate / 2), "p50_us": median("p50_us"), "p99_us": median("p99_us"),
            "p999_us": median("p999_us"), "disk_p50_us": at(0.5), "disk_p99_us": at(0.99),
            "disk_syncs": len(disk), "rounds": ours}


# ---- an idle process

def idle(plan, say):
    with directory(plan) as where:
        server = Slipway(where)
        time.sleep(2)  # measured is a server that has nothing to do, not one that starts
        before, start = server.cpu_seconds(), time.monotonic()
        time.sleep(plan["idle_seconds"])
        cpu = (server.cpu_seconds() - before) / (time.monotonic() - start)
        result = {"resident_bytes": server.resident_bytes(), "cpu_share": cpu,
                  "threads": server.threads(), "seconds": plan["idle_seconds"]}
        server.end()
    say(f"  {result['resident_bytes'] / 2**20:.0f} MiB, {cpu:.2%} of a core")
    return result


# ---- memory of what is unfinished

def unfinished(plan, say):
    """The slope between two counts: caches and buffers are as full at the first as at the second."""
    with directory(plan) as where:
        server = Slipway(where, "--workers=0")
        sizes = []
        for count in plan["unfinished"]:
            load(server.port, connections=CONNECTIONS, count=count)
            server.wait_current()
            sizes.append(server.resident_bytes())
        server.end()
    each = (sizes[1] - sizes[0]) / plan["unfinished"][1]
    say(f"  {each:.0f} bytes")
    return {"counts": plan["unfinished"], "resident_bytes": sizes, "bytes_each": each}


# ---- clients that wait

def waiting(plan, say):
    """Tasks of some seconds, all under way at once, each with a client that waits for its end."""
    count = plan["waiters"]
    with directory(plan) as where:
        server = Slipway(where, "--simulated.create_latency=15s", "--simulated.latency_jitter=0.3",
                         "--backend.call_timeout=60s", "--tasks.lease_timeout=5m",
                         f"--worker.slots={count}")
        targets = where / "targets"
        targets.write_text("".join(f"/core/v1/tasks/{task}?wait=60s\n"
                                   for task in batch_tasks(server, count)))
        before = server.threads()
        clients = harness.Process(["--port", server.port, "--targets", targets], where / "waiters.log",
                                  program=programs.RELEASE / "waiters")
        if clients.lines.get(timeout=30) != "waiting\n":
            raise Error("the waiters did not start: " + clients.log.read_text())
        wait_until(lambda: server.metrics()["slipway_http_waiters"] >= 0.9 * count,
                   "clients to be waiting", 8)
        held = int(server.metrics()["slipway_http_waiters"])
        during = server.threads()
        if clients.wait(90) != 0:
            raise Error("waiters: " + clients.log.read_text())
        result = programs.json.loads(clients.lines.get(timeout=5))
        server.end()
    result |= {"threads_before": before, "threads_during": during, "seen_waiting": held}
    say(f"  p99 {result['p99_us'] / 1e3:.1f} ms, {before} threads before, {during} with {held} waiting")
    return result


def batch_tasks(server, count):
    """The ids of so many creates, by batches of a thousand."""
    out = []
    while len(out) < count:
        answer = server("POST", "/core/v1/batches", {
            "template": {"command": "vm.create", "args": {"name": "slow", **harness.CREATE}},
            "count": min(1000, count - len(out))})
        if answer.status != 202:
            raise Error(f"a batch was not accepted: {answer}")
        batch = answer.headers["X-Task-Id"]
        out += [item["id"] for item in server.items(f"/core/v1/tasks/{batch}/items")]
    return out


# ---- a store with a past: replay, start, memory of VMs, flatness

def past(plan, say):
    small, large = plan["small"], plan["vms"]
    with directory(plan) as few, directory(plan) as many:
        for where, count in ((few, small), (many, large)):
            data = programs.initialized(where)
            filled = programs.run("fill", "--data-dir", data, "--live", count,
                                  "--finished", max(count, plan["finished"]) if count == large else count)
            say(f"  {filled['finished']} tasks made in {filled['seconds']:.0f} s")
        result = {"filled": filled, **replay(many, say), **snapshot_start(many, say)}
        server = Slipway(few, "--workers=0")
        server.wait_current()
        server.end()
        result["flatness"] = flatness(plan, say, few, many)
    return result


def recovered(server):
    """What the server's log says of its last start."""
    lines = [programs.json.loads(line) for line in server.log.read_text().splitlines()]
    return [line for line in lines if line["message"] == "recovered"][-1]


def replay(where, say):
    start = time.monotonic()
    server = Slipway(where, "--workers=0")
    answered = time.monotonic() - start
    server.wait_current()
    caught_up = time.monotonic() - start
    log = recovered(server)
    if log["replayed_events"] == 0:
        raise Error("nothing was replayed")
    server.end()
    rate = log["replayed_events"] / log["took"]
    say(f"  replay {rate:.0f} events/s; read models made anew in {caught_up - answered:.0f} s")
    return {"replay": {"events": log["replayed_events"], "seconds": log["took"], "rate": rate,
                       "answers_after": answered, "projected_rate":
                       log["replayed_events"] / (caught_up - answered)}}


def snapshot_start(where, say):
    start = time.monotonic()
    server = Slipway(where, "--workers=0")
    answered = time.monotonic() - start
    wait_until(lambda: server.get("/readyz").status == 200, "readiness", 60)
    ready = time.monotonic() - start
    log = recovered(server)
    if log["replayed_events"] > 0:
        raise Error("there was no snapshot to start from")
    size = server.resident_bytes()
    vms = int(sum(v for k, v in server.metrics().items() if k.startswith("slipway_vms{")))
    server.end()
    say(f"  ready in {ready:.2f} s with {vms} VMs, {size / 2**20:.0f} MiB")
    return {"start": {"vms": vms, "seconds": ready, "answers_after": answered,
                      "resident_bytes": size}}


def flatness(plan, say, few, many):
    out = {"small": [], "large": []}
    for number in range(plan["rounds"]):
        for name, where in (("small", few), ("large", many)):
            server = Slipway(where, *ZERO_LATENCY)
            out[name].append(finish_rate(server, plan["seconds"]))
            server.end()
            say(f"  round {number + 1}: {name} store {out[name][-1]['rate']:.0f} tasks/s")
    return out
