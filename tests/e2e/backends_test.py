#!/usr/bin/env python3
"""Clouds by configuration: tables that are refused, registered, served by workers of their pool, and
what one that does not answer leaves to the others."""
import contextlib
import pathlib
import signal
import sqlite3
import time
import unittest

import harness
from harness import Server, Worker, directory, free_port, run, wait_until

FAST = ["--simulated.create_latency=20ms", "--simulated.operation_latency=10ms", "--log.burst=0"]

NEAR = """
[[backends]]
name = "near"
type = "simulated"
create_latency = "20ms"
operation_latency = "10ms"
"""


def written(path, text):
    config = pathlib.Path(path) / "slipway.toml"
    config.write_text(text)
    return config


@contextlib.contextmanager
def serving(text, *flags, at=None):
    with directory() if at is None else contextlib.nullcontext(at) as path:
        server = Server(path, f"--config={written(path, text)}", *FAST, *flags)
        try:
            yield server
        finally:
            code = server.terminate()
        assert code == 0, f"the server ended with {code}:\n{server.tail()}"


class Configuration(unittest.TestCase):
    def check(self, text):
        with directory() as path:
            done = run("config", "check", "--config", written(path, text),
                       "--server.data_dir", path / "data")
            return done.returncode, done.stderr.replace(str(path), "")

    def test_a_good_table_is_good(self):
        self.assertEqual(self.check(NEAR), (0, ""))

    def test_an_unknown_key_is_refused_with_its_place(self):
        code, text = self.check(NEAR + 'rate_brust = 1\n')
        self.assertEqual(code, 2)
        self.assertIn("slipway.toml:7:1: backends[0]: unknown key rate_brust: did you mean "
                      "rate_burst?", text)

    def test_a_missing_password_file_is_found(self):
        code, text = self.check('[[backends]]\nname = "lab"\ntype = "openstack"\n'
                                'auth_url = "http://127.0.0.1:1/v3"\nuser = "u"\nproject = "p"\n'
                                'password_file = "/nowhere/lab.password"\n')
        self.assertEqual(code, 2)
        self.assertIn("backends[0].password_file: open /nowhere/lab.password", text)

    def test_show_has_them(self):
        with directory() as path:
            done = run("config", "show", "--config", written(path, NEAR))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('backends[0].name = "near"  # ', done.stdout)
        self.assertIn("backends[0].max_calls = 32  # default", done.stdout)


class Registration(unittest.TestCase):
    def backend(self, server, name):
        answer = server.get(f"/core/v1/backends/{name}")
        return answer.json() if answer.status == 200 else None

    def made(self, server, backend):
        answer = server.create("vm", backend=backend)
        self.assertEqual(answer.status, 202, answer)
        task = server.finished(answer.json()["id"])
        self.assertEqual(task["state"], "SUCCEEDED", task)

    def test_a_table_is_registered_and_a_restart_takes_what_may_change(self):
        with directory() as path:
            with serving(NEAR, at=path) as server:
                self.assertEqual(self.backend(server, "near")["policy"], "report")
                self.made(server, "near")
                self.made(server, "simulated")
            with serving(NEAR + 'policy = "repair"\n', at=path) as server:
                wait_until(lambda: self.backend(server, "near")["policy"] == "repair", "the change")
                self.made(server, "near")

    def test_a_worker_of_its_pool_serves_one_that_was_registered_by_command(self):
        port = free_port()
        with directory() as path:
            far = written(path, NEAR.replace("near", "far") + 'worker_pool = "far"\n')
            with serving("", f"--broker.listen=tcp://127.0.0.1:{port}", at=path) as server:
                answer = server("POST", "/core/v1/commands", {
                    "command": "backend.register",
                    "args": {"name": "far", "type": "simulated", "worker_pool": "far"}})
                self.assertEqual(answer.status, 204, answer)
                again = server("POST", "/core/v1/commands", {
                    "command": "backend.register",
                    "args": {"name": "far", "type": "libvirt", "worker_pool": "far"}})
                self.assertEqual(again.status, 409, again)
                wait_until(lambda: self.backend(server, "far"), "the backend")
                task = server.create("vm", backend="far").json()["id"]
                far = written(path, NEAR.replace("near", "far") + 'worker_pool = "far"\n')
                worker = Worker(path, port, "far-1", f"--config={far}", "--worker.pools=far",
                                "--simulated.enabled=false")
                self.assertIsNotNone(worker.wait_ready())
                self.assertEqual(server.finished(task)["state"], "SUCCEEDED")
                worker.terminate()


class Health(unittest.TestCase):
    """One worker with eight slots, two clouds: one of them does not answer, as its file is locked."""

    def test_one_that_does_not_answer_slows_no_other(self):
        dead = NEAR.replace("near", "dead") + 'call_timeout = "8s"\n'
        with serving(NEAR + dead, "--worker.slots=8", "--backend.silence=1s",
                     "--simulated.clouds=") as server, \
                contextlib.closing(sqlite3.connect(server.data / "simulated-dead.db",
                                                   isolation_level=None)) as lock:
            lock.execute("PRAGMA busy_timeout = 10000")
            lock.execute("BEGIN IMMEDIATE")
            for n in range(60):
                self.assertEqual(server.create(f"dead-{n}", backend="dead").status, 202)
            held = 'slipway_backend_held_back_total{backend="dead",reason="silent"}'
            wait_until(lambda: server.metrics().get(held, 0) >= 3, "its being known for silent")
            begun = time.monotonic()
            tasks = [server.create(f"near-{n}", backend="near").json()["id"] for n in range(40)]
            for task in tasks:
                self.assertEqual(server.finished(task)["state"], "SUCCEEDED")
            self.assertLess(time.monotonic() - begun, harness.PATIENCE / 5)
            metrics = server.metrics()
            self.assertGreaterEqual(
                metrics['slipway_backend_calls_in_flight{backend="dead"}'], 1)
            lock.execute("ROLLBACK")
            server.signal(signal.SIGTERM)  # twice: the sixty are not waited for
            time.sleep(0.2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
