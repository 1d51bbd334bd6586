#!/usr/bin/env python3
"""The command line against a real server: what it prints where, and its exit codes."""
import json
import re
import unittest

import harness

FAST = ["--simulated.create_latency=50ms", "--simulated.operation_latency=20ms"]
VM = ["--flavor", "m1.nano", "--image", "cirros-0.5.1-x86_64-disk"]
ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.held = harness.directory()
        cls.server = harness.Server(cls.held.__enter__(), *FAST)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.terminate() == 0
        cls.held.__exit__(None, None, None)

    def run_cli(self, *arguments, code=0, **environment):
        done = harness.run(*arguments, **{"SLIPWAY_SERVER": self.server.url, "NO_COLOR": "1", **environment})
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def made(self, name, *more):
        return json.loads(self.run_cli("vm", "create", name, *VM, "--wait", "-o", "json", *more).stdout)

    def test_create_prints_the_id_of_the_task_alone(self):
        out = self.run_cli("vm", "create", "printed", *VM).stdout
        self.assertRegex(out, f"^{ID}\n$")
        self.run_cli("task", "wait", out.strip())
        task = json.loads(self.run_cli("task", "get", out.strip(), "-o", "json").stdout)
        self.assertEqual(task["state"], "SUCCEEDED")

    def test_create_with_wait_follows_to_the_end(self):
        done = self.run_cli("vm", "create", "followed", *VM, "--wait")
        self.assertRegex(done.stdout, ID)
        self.assertNotIn("\x1b", done.stdout + done.stderr)

    def test_json_is_the_body_of_the_api(self):
        self.made("listed")
        tasks = json.loads(self.run_cli("task", "list", "-o", "json").stdout)
        self.assertIsInstance(tasks, list)
        self.assertLessEqual({"id", "command", "state", "terminal", "progress", "resources", "links"},
                             set(tasks[0]))
        self.assertEqual(json.loads(self.run_cli("task", "list", "--state", "DEAD", "-o", "json").stdout), [])
        lines = self.run_cli("vm", "list", "-o", "jsonl").stdout.splitlines()
        self.assertIn("listed", [json.loads(line)["name"] for line in lines])

    def test_a_vm_is_known_by_its_name(self):
        self.made("named")
        self.assertEqual(json.loads(self.run_cli("vm", "get", "named", "-o", "json").stdout)["state"], "RUNNING")
        self.run_cli("vm", "stop", "named", "--wait")
        self.assertEqual(json.loads(self.run_cli("vm", "get", "named", "-o", "json").stdout)["state"], "STOPPED")
        self.run_cli("vm", "delete", "named", code=2)  # no terminal, no --yes: refused
        self.run_cli("vm", "delete", "named", "--yes", "--wait")
        self.run_cli("vm", "get", "named", code=3)

    def test_a_batch(self):
        done = self.run_cli("vm", "create", "many-{n}", *VM, "--count", "5", "--wait", "-o", "json")
        body = json.loads(done.stdout)
        body = body[0] if isinstance(body, list) else body
        self.assertEqual((body["state"], body["items"]["succeeded"]), ("SUCCEEDED", 5))

    def test_a_dry_run_changes_nothing(self):
        before = self.server.metrics()["slipway_eventlog_head_seq"]
        self.run_cli("vm", "create", "planned", *VM, "--dry-run")
        self.assertEqual(self.server.metrics()["slipway_eventlog_head_seq"], before)

    def test_exit_codes(self):
        self.run_cli("vm", "create", code=2)
        self.run_cli("vm", "craete", "x", code=2)
        self.run_cli("vm", "create", "x", "--flavor", "m1.hug", "--image", VM[3], code=2)
        self.run_cli("task", "get", "01a20000-0000-7000-8000-000000000000", code=3)
        self.run_cli("task", "list", code=6, SLIPWAY_SERVER=f"http://127.0.0.1:{harness.free_port()}")
        vm = self.made("twice")
        vm = (vm[0] if isinstance(vm, list) else vm)["resources"][0]["id"]
        self.run_cli("vm", "start", vm, code=5)  # it runs already

    def test_a_wait_that_ends_before_the_task_says_so(self):
        out = self.run_cli("vm", "create", "later", *VM, "--not-before", "1h", "--wait=300ms", code=8)
        task = re.search(ID, out.stdout + out.stderr)[0]
        self.run_cli("task", "cancel", task, "--yes")
        self.run_cli("task", "wait", task, code=11)

    def test_others(self):
        for command in (["version"], ["worker", "list"], ["queue", "list"], ["flavor", "list"],
                        ["image", "list"], ["network", "list"], ["stats", "vms"], ["config", "show"],
                        ["completion", "bash"], ["--help"], ["vm", "--help"]):
            with self.subTest(command):
                self.assertTrue(self.run_cli(*command).stdout)


if __name__ == "__main__":
    unittest.main()
