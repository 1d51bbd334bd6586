#!/usr/bin/env python3
"""What an operator relies on: metrics that move, listeners apart, reload, supervision, key files."""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import unittest

import harness
from harness import Client, ROOT, Server, Worker, directory, free_port, wait_until

FAST = ["--simulated.create_latency=20ms", "--simulated.operation_latency=10ms", "--log.burst=0"]
PROMTOOL = shutil.which("promtool")


@contextlib.contextmanager
def environment(**values):
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def serving(*flags, at=None):
    with directory() if at is None else contextlib.nullcontext(at) as path:
        server = Server(path, *FAST, *flags)
        try:
            yield server
        finally:
            code = server.terminate()
        assert code == 0, f"the server ended with {code}:\n{server.tail()}"


def get(port, path, headers=None):
    client = Client("127.0.0.1", port)
    try:
        return client("GET", path, headers=headers)
    finally:
        client.close()


def sums(text):
    """Family -> the sum of its series (of a histogram: how much was observed)."""
    out = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name, value = line.rsplit(" ", 1)
        family = name.split("{")[0]
        if family.endswith("_bucket") or family.endswith("_sum"):
            continue
        out[family.removesuffix("_count")] = out.get(family.removesuffix("_count"), 0) + float(value)
    return out


def families():
    rows = (ROOT / "tests/golden/metrics.tsv").read_text().splitlines()
    return [row.split("\t")[0] for row in rows if row and not row.startswith("#")]


# Nothing that a well-behaved run does moves these: refusals, failures, and parts that do not exist.
STAND_STILL = {
    "slipway_draining", "slipway_http_waiters", "slipway_task_leases", "slipway_queue_tasks",
    "slipway_queue_oldest_ready_timestamp_seconds", "slipway_worker_slots_busy",
    "slipway_task_retries_total", "slipway_tasks_dead_lettered_total", "slipway_vm_failures_total",
    "slipway_task_undo_steps_total", "slipway_task_lease_expirations_total",
    "slipway_task_stale_results_total", "slipway_broker_dropped_total", "slipway_backend_circuit_open",
    "slipway_backend_throttled_total", "slipway_backend_calls_waiting",
    "slipway_backend_calls_in_flight", "slipway_backend_held_back_total",
    "slipway_reconcile_findings_total",
    "slipway_timers_late_seconds", "slipway_projection_lag_events",
    "slipway_projection_errors_total", "slipway_rocksdb_pending_compaction_bytes",
    "slipway_rocksdb_stall_seconds_total", "slipway_rocksdb_background_errors_total",
    "slipway_reservations", "slipway_webhook_pending", "slipway_webhook_deliveries_total",
}


class Metrics(unittest.TestCase):
    def check(self, text):
        if PROMTOOL is None:
            self.skipTest("no promtool")
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True,
                              text=True, timeout=harness.PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_every_family_that_should_have_moved_did(self):
        with directory() as path:
            with serving(at=path) as server:
                server.create("kept", {"Idempotency-Key": "k1", "Prefer": "wait=20"})
            # Again: now the log has tables, and their blocks are looked up.
            with serving(at=path) as server:
                server.create("kept", {"Idempotency-Key": "k1"})
                made = [server.create(f"vm-{i}").json() for i in range(5)]
                for task in made:
                    self.assertEqual(server.finished(task["id"])["state"], "SUCCEEDED")
                vm = made[0]["resources"][0]["href"]
                gone = server("DELETE", vm, headers={"Prefer": "wait=20"})
                self.assertEqual(gone.status, 200, gone)
                server("POST", "/core/v1/vms", b"x", {"Content-Encoding": "gzip"})
                wait_until(lambda: sums(server.get("/metrics").body.decode()).get(
                    "slipway_reconcile_runs_total"), "the first list of a cloud")
                text = server.get("/metrics").body.decode()
                moved = sums(text)
                still = {f for f in families() if moved.get(f, 0) <= 0}
                self.assertEqual(still - STAND_STILL, set())
                self.check(text)

    def test_failures_are_counted_and_a_backend_that_is_down_is_shown(self):
        with serving("--simulated.failure_rate=1", "--tasks.max_attempts=2",
                     "--tasks.backoff_base=5ms", "--tasks.backoff_max=10ms",
                     "--backend.breaker_min_calls=100000") as server:
            task = server.create("doomed").json()["id"]
            self.assertEqual(server.finished(task)["state"], "DEAD")
            moved = sums(server.get("/metrics").body.decode())
            for family in ("slipway_task_retries_total", "slipway_tasks_dead_lettered_total",
                           "slipway_vm_failures_total"):
                self.assertGreater(moved[family], 0, family)
            text = server.get("/metrics").body.decode()
            self.assertIn('slipway_backend_up{backend="simulated"} 0', text)
            self.assertEqual(moved["slipway_backend_circuit_open"], 0)
        with serving("--simulated.failure_rate=1", "--backend.breaker_min_calls=1",
                     "--backend.breaker_pause=1h") as server:
            server.create("held-back")
            wait_until(lambda: sums(server.get("/metrics").body.decode())
                       ["slipway_backend_circuit_open"] == 1, "an open circuit")


class Apart(unittest.TestCase):
    def test_G7_9_metrics_health_and_admin_routes_move_to_their_own_listener(self):
        port = free_port()
        with serving(f"--admin.listen=127.0.0.1:{port}") as server:
            for path in ("/metrics", "/healthz", "/readyz"):
                self.assertEqual(server.get(path).status, 404, path)
                self.assertEqual(get(port, path).status, 200, path)
            self.assertEqual(server.get("/core/v1/tasks").status, 200)
            self.assertEqual(get(port, "/core/v1/tasks").status, 404)
            self.assertEqual(server("POST", "/core/v1/admin/backup").status, 404)
            self.assertEqual(get(port, "/core/v1/audit/proof").status, 200)
            loops = {c["name"] for c in get(port, "/healthz").json()["checks"]}
            self.assertLessEqual({"sequencer loop", "projector loop", "broker loop", "http 0 loop",
                                  "http 1 loop", "worker local-0 loop"}, loops)

    def test_G7_9_beyond_loopback_it_is_required(self):
        with directory() as path:
            server = Server(path, "--server.listen=0.0.0.0:0", "--allow-insecure",
                            "--auth.admin_token_file=none", ready=False)
            self.assertEqual(server.wait(), 2)
            self.assertIn("admin.listen: is required", server.log.read_text())

    def test_a_worker_process_shows_its_own(self):
        broker, port = free_port(), free_port()
        with directory() as path, serving("--workers=0", f"--broker.listen=tcp://127.0.0.1:{broker}",
                                          at=path) as server:
            worker = Worker(path, broker, "w1", *FAST, f"--worker.metrics_listen=127.0.0.1:{port}")
            self.assertIsNotNone(worker.wait_ready(), worker.log.read_text())
            wait_until(lambda: get(port, "/readyz").status == 200, "the worker's welcome")
            task = server.create("remote").json()["id"]
            self.assertEqual(server.finished(task)["state"], "SUCCEEDED")
            text = get(port, "/metrics").body.decode()
            moved = sums(text)
            for family in ("slipway_backend_requests_total", "slipway_backend_request_duration_seconds",
                           "slipway_backend_up", "slipway_build_info", "slipway_ready"):
                self.assertGreater(moved[family], 0, family)
            self.assertNotIn("slipway_tasks", moved, "the service's numbers are the server's")
            Metrics.check(self, text)
            self.assertEqual(get(port, "/healthz").json()["checks"],
                             [{"name": "worker loop", "status": "ok"}])
            self.assertEqual(worker.terminate(), 0)


class Manager:
    """A service manager that listens to what it is told."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.address = str(path / "notify")
        self.socket.bind(self.address)
        self.socket.settimeout(harness.PATIENCE)
        self.told = []

    def close(self):
        self.socket.close()

    def hear(self, word, times=1):
        while sum(word in text for text in self.told) < times:
            self.told.append(self.socket.recv(4096).decode())


class Supervision(unittest.TestCase):
    def test_the_service_manager_is_told(self):
        with directory() as path, contextlib.closing(Manager(path)) as manager:
            with environment(NOTIFY_SOCKET=manager.address, WATCHDOG_USEC="400000"):
                server = Server(path, *FAST)
            manager.hear("READY=1")
            manager.hear("WATCHDOG=1", 3)
            server.signal(signal.SIGTERM)
            manager.hear("STOPPING=1")
            self.assertEqual(server.wait(), 0)

    def test_G6_1_no_core_is_dumped(self):
        with serving() as server:
            limits = pathlib.Path(f"/proc/{server.pid}/limits").read_text()
            core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
            self.assertEqual(core.split()[4:6], ["0", "0"])

    def test_G7_10_the_binary_is_hardened(self):
        said = subprocess.run(["readelf", "--wide", "-h", "-l", "-d", "-s", harness.SLIPWAY], text=True,
                              check=True, capture_output=True).stdout
        self.assertIn("Position-Independent Executable", said)
        self.assertIn("GNU_RELRO", said)
        self.assertRegex(said, r"FLAGS_1.*NOW PIE")
        self.assertIn("__stack_chk_fail", said)

    def test_a_long_replay_asks_for_more_time(self):
        batch = {"template": {"command": "vm.create", "args": {"name": "w", **harness.CREATE}},
                 "count": 1000}
        with directory() as path, contextlib.closing(Manager(path)) as manager:
            server = Server(path, "--simulated.create_latency=1ms", "--simulated.operation_latency=1ms")
            for _ in range(2):
                self.assertEqual(server("POST", "/core/v1/batches", batch).status, 202)
            # A report each: so many records at least.
            wait_until(lambda: server.metrics()['slipway_tasks{state="SUCCEEDED"}'] > 1200, "a log")
            server.kill()
            with environment(NOTIFY_SOCKET=manager.address):
                server = Server(path, *FAST)
            manager.hear("READY=1")
            self.assertTrue(any("EXTEND_TIMEOUT_USEC=" in text for text in manager.told))
            self.assertEqual(server.terminate(), 0)


class Reload(unittest.TestCase):
    def write(self, text):
        self.config.write_text(text)

    def reload(self, server, successful):
        before = server.log.read_text().count("reloaded")
        server.signal(signal.SIGHUP)
        wait_until(lambda: server.log.read_text().count("reloaded") > before, "the reload")
        wait_until(lambda: server.metrics()["slipway_config_last_reload_successful"] == successful,
                   "the reload's metric")

    def test_takes_over_limits_tokens_and_the_log_level_all_or_nothing(self):
        with directory() as path:
            self.config, token = path / "slipway.toml", path / "token"
            token.write_text("first-token\n")
            token.chmod(0o600)
            auth = f'[auth]\nadmin_token_file = "{token}"\n'
            self.write(auth)
            with serving(f"--config={self.config}", at=path) as server:
                def tasks(word):
                    return server.get("/core/v1/tasks", {"Authorization": f"Bearer {word}"}).status

                def create(size):
                    return server("POST", "/core/v1/vms", "{" + " " * size + "}",
                                  {"Authorization": "Bearer second-token",
                                   "Content-Type": "application/json"}).status
                self.assertEqual((tasks("first-token"), tasks("wrong"), server.get("/core/v1/tasks").status),
                                 (200, 401, 401))
                began = server.metrics()["slipway_config_last_reload_success_timestamp_seconds"]
                self.assertGreater(began, time.time() - 3600)

                token.write_text("second-token\n")
                self.write(auth + "[http]\nmax_body_bytes = \"2KiB\"\nio_threads = 3\n"
                                  "[log]\nlevel = \"debug\"\n")
                self.reload(server, 1)
                self.assertEqual((tasks("first-token"), tasks("second-token")), (401, 200))
                self.assertEqual(create(5000), 413)
                self.assertNotEqual(create(500), 413)
                self.assertGreater(server.metrics()
                                   ["slipway_config_last_reload_success_timestamp_seconds"], began)
                log = server.log.read_text()
                self.assertIn("a changed key needs a restart", log)
                self.assertIn("http.io_threads", log)

                self.write(auth + "[http]\nmax_body_bytes = \"1MiB\"\nmax_bdy_bytes = 1\n")
                self.reload(server, 0)
                self.assertEqual(create(5000), 413, "the old one stays in force")
                self.assertIn("unknown key http.max_bdy_bytes", server.log.read_text())

                self.write(auth + "[http]\nmax_body_bytes = \"1MiB\"\n")
                token.chmod(0o644)
                self.reload(server, 0)
                self.assertEqual((create(5000), tasks("second-token")), (413, 200))
                self.assertIn("may be read by others", server.log.read_text())

                token.chmod(0o600)
                self.reload(server, 1)
                self.assertNotEqual(create(5000), 413)

    def test_the_profile_of_reservations_and_what_precedes_their_end_change_while_it_runs(self):
        with directory() as path:
            self.config = path / "slipway.toml"
            self.write("[lease]\nbefore_end_minutes = 30\n")
            with serving(f"--config={self.config}", at=path) as server:
                def ask(path, **body):
                    return server("POST", "/d/reservation/v1" + path, body)

                def lease(name, start, end):
                    answer = ask("/leases", name=name, start_date=start, end_date=end, reservations=[
                        {"resource_type": "physical:host", "min": 1, "max": 1}])
                    timers = answer.json()["lease"]["events"]
                    return answer.status, [t["time"][:16] for t in timers
                                           if t["event_type"] == "before_end_lease"]
                self.assertEqual(ask("/os-hosts", name="sim-host-1").status, 202)
                self.assertEqual(lease("a", "2100-01-01 00:00", "2100-01-02 00:00"),
                                 (202, ["2100-01-01T23:30"]))
                self.write('[lease]\nbefore_end_minutes = 10\n[reservation]\nprofile = "modern"\n')
                self.reload(server, 1)
                self.assertEqual(lease("b", "2100-01-03 00:00", "2100-01-04 00:00"),
                                 (201, ["2100-01-03T23:50"]))
                gauge = 'slipway_reservations{state="%s"}'
                wait_until(lambda: server.metrics()[gauge % "pending"] == 2, "both reservations")
                self.assertEqual(server.metrics()[gauge % "active"], 0)

    def test_a_rate_may_be_set_while_it_runs(self):
        with directory() as path:
            self.config = path / "slipway.toml"
            self.write("")
            with serving(f"--config={self.config}", at=path) as server:
                self.assertEqual({server.get("/core/v1/tasks").status for _ in range(5)}, {200})
                self.write("[http]\nrate_per_address = 1\nrate_burst = 2\n")
                self.reload(server, 1)
                answers = [server.get("/core/v1/tasks") for _ in range(4)]
                refused = [a for a in answers if a.status == 429]
                self.assertGreaterEqual(len(refused), 1)
                self.assertEqual(refused[0].headers["RateLimit-Policy"], '"address";q=2;w=2')
                self.assertGreaterEqual(int(refused[0].headers["Retry-After"]), 1)
                self.assertGreaterEqual(
                    server.metrics()['slipway_http_rejected_total{reason="rate_limited"}'], 1)


class KeyFiles(unittest.TestCase):
    def keygen(self, path):
        done = harness.run("worker", "keygen", path)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout.strip()

    def test_all_may_be_credentials(self):
        broker = free_port()
        with directory() as path:
            credentials = path / "credentials"
            credentials.mkdir()
            (credentials / "admin-token").write_text("the-admin-token\n")
            (credentials / "master-key").write_text("5" * 64 + "\n")
            server_key = self.keygen(credentials / "broker-key")
            (path / "workers").write_text(f"w1 default {self.keygen(credentials / 'worker-key')}\n")
            for file in credentials.iterdir():
                file.chmod(0o440)  # as systemd makes them; who may read them is its affair
            with environment(CREDENTIALS_DIRECTORY=str(credentials)), serving(
                    "--workers=0", "--auth.admin_token_file=admin-token",
                    "--secrets.master_key_file=master-key", "--broker.secret_key_file=broker-key",
                    f"--broker.workers_file={path / 'workers'}",
                    f"--broker.listen=tcp://127.0.0.1:{broker}", at=path) as server:
                worker = Worker(path, broker, "ignored", *FAST, "--worker.secret_key_file=worker-key",
                                f"--worker.server_public_key={server_key}")
                self.assertIsNotNone(worker.wait_ready(), worker.log.read_text())
                admin = {"Authorization": "Bearer the-admin-token"}
                done = server.create("with-keys", {**admin, "Prefer": "wait=20"})
                self.assertEqual((done.status, done.json().get("state")), (200, "SUCCEEDED"), done)
                names = [w["worker"] for w in server.get("/core/v1/workers", admin).json()["items"]]
                self.assertEqual(names, ["w1"])
                self.assertFalse((path / "data" / "master.key").exists())
                self.assertEqual(worker.terminate(), 0)

    def test_one_that_others_may_read_is_refused(self):
        with directory() as path:
            key = path / "broker-key"
            self.keygen(key)
            token = path / "token"
            token.write_text("x")
            (path / "workers").write_text("")
            for file, flags in ((key, [f"--broker.secret_key_file={key}",
                                       f"--broker.workers_file={path / 'workers'}"]),
                                (token, [f"--auth.admin_token_file={token}"])):
                with self.subTest(file.name):
                    file.chmod(0o640)
                    server = Server(path, *FAST, *flags, ready=False)
                    self.assertEqual(server.wait(), 1)
                    self.assertIn("may be read by others", server.log.read_text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
