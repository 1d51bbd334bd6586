#!/usr/bin/env python3
"""What happens at a cloud behind the service's back: the file of a simulated cloud is edited while the
service has it open, and the service says what it finds, or mends it."""
import contextlib
import pathlib
import sqlite3
import unittest

from harness import CREATE, Server, directory, wait_until

FAST = ["--simulated.create_latency=20ms", "--simulated.operation_latency=10ms", "--log.burst=0",
        "--reconcile.interval=300ms", "--reconcile.orphan_age=1s"]
TABLE = """
[[backends]]
name = "yard"
type = "simulated"
policy = "{policy}"
tenant = "demo"
create_latency = "10ms"
operation_latency = "5ms"
"""
STRANGER = """INSERT INTO vms(number, vm, made_by, name, state, flavor, vcpus, memory_mb, disk_gb,
 image, ipv4, host, old_host, ready_at, started_at, created_at, reboots{more})
 SELECT last_number, x'', x'', 'theirs', 0, '', 1, 512, 1, x'', 0, 'yard-1', '', 0, 0, 0, 0{values}
 FROM totals"""


class Yard:
    """A server with a cloud "yard", and the file of that cloud."""

    def __init__(self, path, policy):
        config = pathlib.Path(path) / "slipway.toml"
        config.write_text(TABLE.format(policy=policy))
        self.server = Server(path, *FAST, "--config", str(config))
        self.client = self.server
        self.file = next(pathlib.Path(path).rglob("simulated-yard.db"))

    def edit(self, *statements):
        with contextlib.closing(sqlite3.connect(self.file, timeout=30)) as db:
            db.execute("PRAGMA busy_timeout = 30000")
            with db:
                for statement in statements:
                    db.execute(statement)

    def count(self, where="1"):
        with contextlib.closing(sqlite3.connect(self.file, timeout=30)) as db:
            return db.execute(f"SELECT count(*) FROM vms WHERE {where}").fetchone()[0]

    def create(self, name):
        answer = self.client("POST", "/core/v1/vms", {"name": name, "backend": "yard", **CREATE})
        assert answer.status == 202, answer
        task = self.client("GET", answer.headers["Location"] + "?wait=30s").json()
        assert task["state"] == "SUCCEEDED", task
        return task["resources"][0]["id"]

    def vm(self, vm):
        return self.client("GET", f"/core/v1/vms/{vm}").json()

    def named(self, name):
        rows = self.client("GET", f"/core/v1/vms?name={name}").json()["items"]
        return rows[0] if rows else None

    def events(self, vm):
        return [e["type"] for e in self.client("GET", f"/core/v1/vms/{vm}/events").json()["items"]]


@contextlib.contextmanager
def yard(policy="report"):
    with directory() as path:
        y = Yard(path, policy)
        try:
            yield y
        finally:
            code = y.server.terminate()
        assert code == 0, f"the server ended with {code}:\n{y.server.tail()}"


class Reconcile(unittest.TestCase):
    def test_a_vm_that_its_cloud_does_not_know_is_lost_until_it_is_back(self):
        with yard() as y:
            vm = y.create("web")
            y.edit("CREATE TABLE kept AS SELECT * FROM vms", "DELETE FROM vms")
            wait_until(lambda: y.vm(vm)["lost"], "the VM to be lost")
            self.assertEqual(y.vm(vm)["state"], "RUNNING")
            y.edit("INSERT INTO vms SELECT * FROM kept")
            wait_until(lambda: not y.vm(vm)["lost"], "the VM to be found again")

    def test_drift_is_reported_once_and_ends(self):
        with yard() as y:
            vm = y.create("web")
            y.edit("UPDATE vms SET state = 1")
            drift = wait_until(lambda: y.vm(vm)["drift"], "drift")
            self.assertEqual(drift, {"what": "state", "expected": "RUNNING", "found": "STOPPED"})
            self.assertEqual(y.vm(vm)["state"], "RUNNING")
            y.edit("UPDATE vms SET state = 0")
            wait_until(lambda: y.vm(vm)["drift"] is None, "the drift to end")

    def test_adopt_follows_the_cloud(self):
        with yard("adopt") as y:
            vm = y.create("web")
            y.edit("UPDATE vms SET state = 1, name = 'renamed'")
            wait_until(lambda: y.vm(vm)["state"] == "STOPPED", "STOPPED")
            wait_until(lambda: y.vm(vm)["name"] == "renamed", "its new name")

    def test_repair_changes_the_cloud_back(self):
        with yard("repair") as y:
            vm = y.create("web")
            y.edit("UPDATE vms SET state = 1")
            wait_until(lambda: y.vm(vm)["version"] > 3 and y.count("state = 0") == 1,
                       "the VM to run again")
            wait_until(lambda: y.vm(vm)["state"] == "RUNNING" and y.vm(vm)["drift"] is None, "rest")

    def test_strangers_are_shown_everywhere_counted_and_never_touched(self):
        with yard("repair") as y:
            y.edit("UPDATE totals SET last_number = last_number + 1",
                   STRANGER.format(more="", values=""))
            row = wait_until(lambda: y.named("theirs"), "the stranger")
            self.assertTrue(row["foreign"])
            front = y.client("GET", "/api/virtual_machines", headers={
                "user": "demo", "password": "test", "project_name": "demo"})
            self.assertIn("theirs", front.body.decode())
            sql = y.client("POST", "/d/perspective/query",
                           [{"sql": "select name from instances where name = 'theirs'"}])
            self.assertIn("theirs", sql.body.decode())
            self.assertEqual(y.count("name = 'theirs'"), 1)
            # Its owner takes it away: it is not there any more, nor lost.
            y.edit("DELETE FROM vms WHERE name = 'theirs'")
            wait_until(lambda: y.named("theirs") is None, "the stranger to be gone")

    def test_an_orphan_with_our_tag_is_deleted_and_said(self):
        with yard() as y:
            vm = y.create("web")
            y.edit("UPDATE totals SET last_number = last_number + 1",
                   STRANGER.format(more=", installation, root",
                                   values=", (SELECT installation FROM vms LIMIT 1),"
                                          " x'000102030405060708090a0b0c0d0e0f'"))
            self.assertEqual(y.count(), 2)
            wait_until(lambda: y.count() == 1, "the orphan to be deleted")
            self.assertFalse(y.vm(vm)["lost"])
            metrics = y.client("GET", "/metrics").body.decode()
            self.assertRegex(metrics, r'slipway_reconcile_findings_total\{[^}]*orphan[^}]*\} 1')

    def test_all_is_as_it_was_after_a_restart(self):
        with directory() as path:
            y = Yard(path, "report")
            vm = y.create("web")
            y.edit("DELETE FROM vms")
            wait_until(lambda: y.vm(vm)["lost"], "the VM to be lost")
            self.assertEqual(y.server.terminate(), 0)
            y = Yard(path, "report")
            self.assertTrue(y.vm(vm)["lost"])
            self.assertEqual(y.server.terminate(), 0)


if __name__ == "__main__":
    unittest.main()
