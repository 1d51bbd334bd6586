"""What hostile clients of the SQL dialect cost everybody else: the rate of durable 202s, and their p99
below that, with and without four clients that send the heaviest statements they may, one after another.
Turns are taken on one server, so its store and the machine are the same for both.

Run as a program it is those clients: hostile_sql.py PORT, until its standard input is closed."""
import json
import os
import statistics
import subprocess
import sys
import threading

import programs
from programs import Error, Slipway, harness, load, warm_up

CLIENTS = 4  # as many as there are threads for SQL
CONNECTIONS = 64


def statements():
    """Each may be asked by anyone, and ends by one limit or another."""
    bomb = "'" + "a" * 12000 + "' regexp '^(a|aa)+(b|c|(d*)*)+$'"
    return [
        # rows: the log, read and decoded again and again
        "select count(*) from events a, events b, events c where a.data like '%x%y%z%'",
        # time: nothing but the processor
        "select count(*) from functions() a, functions() b, functions() c, functions() d where "
        "concat(a.name, b.name, c.name, d.name) regexp '(a*)*(b*)*(c|d|e)*x$'",
        # memory: a sort that cannot be kept
        "select concat(a.name, b.name, c.name, '" + "x" * 1000 + "') s from functions() a, "
        "functions() b, functions() c order by s desc limit 1 offset 100000",
        # a long answer
        "select a.*, b.* from functions() a, functions() b limit 2500",
        # tasks, joined without an index
        "select count(*) from tasks a join tasks b on a.actor = b.actor and a.created <= b.created",
        # texts as long and as deep as they may be
        "select " + "(" * 30 + "1" + ")" * 30 + " where 7 in (1" + ",2" * 900 + ")",
        f"select {bomb} from functions() a, functions() b",
    ]


def attack(port):
    """Until whoever started this closes its end; then the number of statements by their fate."""
    ended = threading.Event()
    fates = {}

    def client(number):
        ask = harness.Client("127.0.0.1", port)
        turn = number  # each begins with another
        while not ended.is_set():
            texts = statements()
            try:
                answer = ask("POST", "/d/perspective/query", [{"sql": texts[turn % len(texts)]}])
                fate = answer.json()[0]["status"] if answer.status == 200 else str(answer.status)
            except (harness.Unknown, ValueError):
                fate = "no answer"
            fates[fate] = fates.get(fate, 0) + 1
            turn += 1
        ask.close()
    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()
    print(json.dumps(fates), flush=True)


class Attack:
    """The clients in a process of their own, of the lowest priority: what is measured is what the
    server spends on them, not what they spend themselves."""

    def __init__(self, port):
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, preexec_fn=lambda: os.nice(19))
        if self.process.stdout.readline().strip() != "ready":
            raise Error("the hostile clients did not start")

    def end(self):
        out, _ = self.process.communicate(timeout=60)
        return json.loads(out)


def measure(plan, say):
    with programs.harness.directory(parent=plan["dir"]) as where:
        server = Slipway(where, "--workers=0", f"--sql.max_per_tenant={CLIENTS}")
        warm_up(server.port)
        load(server.port, connections=CONNECTIONS, seconds=1)  # something to be asked for
        out = {"quiet": [], "hostile": [], "fates": {}}

        def one(name, **how):
            attackers = Attack(server.port) if name == "hostile" else None
            try:
                out[name].append(load(server.port, connections=CONNECTIONS,
                                      seconds=plan["seconds"], **how))
            finally:
                fates = attackers.end() if attackers else {}
            for fate, n in fates.items():
                out["fates"][fate] = out["fates"].get(fate, 0) + n
            server.wait_current()

        for number in range(2 * plan["rounds"]):  # who goes first changes
            for name in (("quiet", "hostile") if number % 2 == 0 else ("hostile", "quiet")):
                one(name)
                say(f"  round {number + 1}: {name} {out[name][-1]['rate']:.0f}/s")
        rates = {name: statistics.median(r["rate"] for r in out[name]) for name in ("quiet", "hostile")}
        half, out["p99_us"] = round(rates["quiet"] / 2), {}
        for name in ("quiet", "hostile"):
            from_here = len(out[name])
            for _ in range(plan["rounds"]):
                one(name, rate=half)
            out["p99_us"][name] = statistics.median(r["p99_us"] for r in out[name][from_here:])
            del out[name][from_here:]
            say(f"  p99 {name} at {half}/s: {out['p99_us'][name] / 1e3:.1f} ms")
        if not out["fates"].get("evaluation_error"):
            raise Error(f"no statement met a limit: {out['fates']}")
        # 408: these clients have the lowest priority, and may not get to send what they began.
        usual = ("success", "evaluation_error", "429", "408")
        unexpected = {f for f in out["fates"] if f not in usual}
        if unexpected:
            raise Error(f"hostile statements were answered {unexpected}")
        server.end()
    return {**out, "rate": rates, "half": half}


if __name__ == "__main__":
    attack(int(sys.argv[1]))
