#!/usr/bin/env python3
"""The service as its users meet it: one process, a data directory, HTTP."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

import harness
from harness import CREATE, ROOT, Server, directory

FAST = ["--simulated.create_latency=50ms", "--simulated.operation_latency=20ms", "--log.burst=0"]
SANITIZED = bool(os.environ.get("SLIPWAY_SANITIZED"))


class OneServer(unittest.TestCase):
    """A server for the tests of a class."""
    flags = FAST

    @classmethod
    def setUpClass(cls):
        cls.held = directory()
        cls.server = Server(cls.held.__enter__(), *cls.flags)

    @classmethod
    def tearDownClass(cls):
        code = cls.server.terminate()
        log = cls.server.tail()
        cls.held.__exit__(None, None, None)
        assert code == 0, f"the server ended with {code}:\n{log}"


class Readme(OneServer):
    """Its commands, as they are printed there."""

    def test_the_request_shown_is_answered_as_shown(self):
        text = (ROOT / "README.md").read_text()
        block = next(b for b in re.findall(r"```\n(.*?)```", text, re.S) if "curl -si" in b)
        create, _, rest = block.removeprefix("$ ").partition("\nHTTP/1.1 202")
        answer = self.shell(create)
        self.assertTrue(answer.startswith("HTTP/1.1 202 Accepted\r\n"), answer)
        for header in re.findall(r"^([A-Z][A-Za-z-]+): ", rest, re.M):
            self.assertIn(f"\r\n{header}: ", answer)
        task = re.search(r"\r\nX-Task-Id: (\S+)", answer)[1]
        follow = re.search(r"\$ (curl -s '.*)", rest)[1].replace("019a...", task)
        body = json.loads(self.shell(follow))
        self.assertEqual((body["id"], body["command"], body["state"], body["terminal"]),
                         (task, "vm.create", "SUCCEEDED", True))

    def test_the_command_line_shown_makes_a_vm(self):
        text = (ROOT / "README.md").read_text()
        line = re.search(r"`build/release/(slipway vm create [^`]*)`", text)[1].split()
        done = harness.run(*line[1:], SLIPWAY_SERVER=self.server.url)
        self.assertEqual(done.returncode, 0, done)

    def shell(self, line):
        line = line.replace("http://127.0.0.1:8081", self.server.url)
        return subprocess.run(["bash", "-c", line], capture_output=True, check=True,
                              timeout=harness.PATIENCE).stdout.decode()


class Waiting(OneServer):
    def test_prefer_wait_answers_with_the_finished_task(self):
        answer = self.server.create("waited-for", {"Prefer": "wait=20"})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.headers["Preference-Applied"], "wait=20")
        self.assertEqual(answer.json()["state"], "SUCCEEDED")

    def test_a_poll_is_202_until_the_task_has_ended_and_then_200(self):
        answer = self.server.create("polled", not_before="2999-01-01T00:00:00Z",
                                    deadline="2999-01-02T00:00:00Z")
        self.assertEqual(answer.status, 202, answer)
        path = answer.headers["Location"]
        poll = self.server.get(path)
        self.assertEqual((poll.status, poll.json()["terminal"]), (202, False))
        self.assertGreaterEqual(int(poll.headers["Retry-After"]), 1)
        self.assertEqual(poll.headers["Cache-Control"], "no-cache")
        version = poll.headers["ETag"]
        unchanged = self.server.get(f"{path}?wait=100ms", {"If-None-Match": version})
        self.assertEqual(unchanged.status, 304)
        cancelled = self.server("POST", f"{path}/cancel", {})
        self.assertIn(cancelled.status, (200, 202), cancelled)
        ended = self.server.get(f"{path}?wait=10s")
        self.assertEqual((ended.status, ended.json()["state"]), (200, "CANCELLED"))

    def test_a_read_sees_the_write_it_names(self):
        answer = self.server.create("seen")
        vm = answer.json()["resources"][0]["href"]
        self.assertEqual(self.server.get(vm, {"Slipway-Min-Seq": answer.headers["Slipway-Seq"]}).status, 200)


class Streams(OneServer):
    def test_the_events_of_a_create_arrive_in_order(self):
        seen = self.stream(lambda: self.server.create("streamed").headers["X-Task-Id"])
        types = [e["type"] for e in seen]
        expected = ["CommandAccepted", "VmRequested", "TaskQueued", "TaskLeased", "TaskStepStarted",
                    "VmLaunching", "TaskStepDone", "TaskSucceeded", "VmLaunched"]
        self.assertEqual([t for t in types if t != "TaskProgressed"], expected)
        seqs = [e["seq"] for e in seen]
        self.assertEqual(seqs, sorted(set(seqs)))

    def test_a_stream_goes_on_where_the_last_one_was_cut(self):
        whole = self.stream(lambda: self.server.create("cut").headers["X-Task-Id"])
        middle = whole[3]["seq"]
        rest = self.stream(lambda: None, {"Last-Event-ID": str(middle)}, until=whole[-1]["seq"])
        self.assertEqual([e["seq"] for e in rest if e["seq"] in {w["seq"] for w in whole}],
                         [e["seq"] for e in whole[4:]])

    def stream(self, act, headers=None, until=None):
        """What /core/v1/events sends from `act` on, up to its task's VmLaunched."""
        connection = http.client.HTTPConnection(self.server.host, self.server.port,
                                                timeout=harness.PATIENCE)
        connection.request("GET", "/core/v1/events",
                           headers={"Accept": "text/event-stream", **(headers or {})})
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        self.assertTrue(response.headers["Content-Type"].startswith("text/event-stream"))
        act()
        out, event = [], {}
        while True:
            line = response.readline().decode()
            self.assertTrue(line, f"the stream ended after {out}")
            line = line.rstrip("\r\n")
            if line.startswith("id: "):
                event["id"] = int(line[4:])
            elif line.startswith("event: "):
                event["event"] = line[7:]
            elif line.startswith("data: "):
                event["data"] = json.loads(line[6:])
            elif line == "" and "data" in event:
                body = event["data"]
                self.assertEqual((event["id"], event["event"]), (body["seq"], body["type"]))
                out.append(body)
                if body["seq"] == until or (until is None and body["type"] == "VmLaunched"):
                    connection.close()
                    return out
                event = {}


class Restart(unittest.TestCase):
    def test_everything_is_there_after_a_restart(self):
        with directory() as where:
            server = Server(where, *FAST)
            headers = {"Idempotency-Key": "before-the-restart"}
            first = server.create("kept", headers)
            task = first.headers["X-Task-Id"]
            server.finished(task)
            vm = first.json()["resources"][0]["id"]
            gone = server.create("gone").json()["resources"][0]["id"]
            harness.wait_until(lambda: server.get(f"/core/v1/vms/{gone}").json()["state"] == "RUNNING",
                               "the VM to run")
            server.finished(server("DELETE", f"/core/v1/vms/{gone}").headers["X-Task-Id"])
            before = self.picture(server, task, vm)
            self.assertEqual(server.terminate(), 0)

            server = Server(where, *FAST)
            self.assertEqual(self.picture(server, task, vm), before)
            again = server.create("kept", headers)
            self.assertEqual((again.status, again.body), (first.status, first.body))
            self.assertEqual(again.headers["Idempotency-Replayed"], "true")
            other = server.create("another", headers)
            self.assertEqual((other.status, other.json()["code"]), (422, "idempotency-key-reused"))
            self.assertEqual(len(server.items("/core/v1/vms?backend=simulated")), 1)

            server.kill()
            server = Server(where, *FAST)
            self.assertEqual(self.picture(server, task, vm), before)
            self.assertEqual(server.terminate(), 0)
            verified = harness.run("log", "verify", "--data-dir", server.data)
            self.assertEqual(verified.returncode, 0, verified)

    def picture(self, server, task, vm):
        kept = ("slipway_tasks_submitted_total", "slipway_tasks_finished_total", "slipway_vms{",
                "slipway_vms_created_total", "slipway_vms_deleted_total", "slipway_tasks{")
        head = server.metrics()["slipway_eventlog_head_seq"]
        return {"task": server.get(f"/core/v1/tasks/{task}").json(),
                "vm": server.get(f"/core/v1/vms/{vm}").json(),
                "tasks": [t["id"] for t in server.items("/core/v1/tasks")],
                "head": head,
                "counters": {k: v for k, v in server.metrics().items() if k.startswith(kept) and v}}

    def test_a_count_that_falls_to_zero_is_shown_as_zero(self):
        running = 'slipway_vms{backend="simulated",state="RUNNING"}'
        with directory() as where:
            server = Server(where, *FAST)
            made = server.finished(server.create("short-lived").headers["X-Task-Id"])
            harness.wait_until(lambda: server.metrics()[running] == 1, "the VM to be counted")
            deleted = server("DELETE", f"/core/v1/vms/{made['resources'][0]['id']}")
            server.finished(deleted.headers["X-Task-Id"])
            harness.wait_until(lambda: server.metrics()[running] == 0, "the VM to be gone")
            self.assertEqual(server.metrics()['slipway_tasks{state="RUNNING"}'], 0)

    def test_a_second_server_on_the_same_directory_exits_1(self):
        with directory() as where:
            server = Server(where, *FAST)
            second = harness.run("serve", f"--data-dir={server.data}", "--listen=127.0.0.1:0",
                                 "--listeners=main")
            self.assertEqual(second.returncode, 1, second)
            self.assertNotIn("ready", second.stdout)
            self.assertEqual(server.create("still served").status, 202)
            self.assertEqual(server.terminate(), 0)

    def test_sigterm_ends_what_is_under_way_and_exits_0(self):
        with directory() as where:
            server = Server(where, "--simulated.create_latency=400ms")
            tasks = [server.create(f"vm-{n}").headers["X-Task-Id"] for n in range(8)]
            self.assertEqual(server.terminate(), 0)
            server = Server(where, *FAST)
            for task in tasks:
                self.assertEqual(server.finished(task)["state"], "SUCCEEDED")
                self.assertEqual(server.finished(task)["attempt"], 1)
            self.assertEqual(server.terminate(), 0)

    def test_a_drain_that_runs_out_of_time_hands_back_without_counting_an_attempt(self):
        with directory() as where:
            slow = ["--simulated.create_latency=4s", "--simulated.latency_jitter=0"]
            server = Server(where, *slow, "--server.drain_timeout=200ms")
            task = server.create("handed-back").headers["X-Task-Id"]
            harness.wait_until(lambda: server.get(f"/core/v1/tasks/{task}").json()["state"] == "RUNNING",
                               "the task to run")
            self.assertEqual(server.terminate(), 0)
            server = Server(where, *slow)
            body = server.finished(task)
            self.assertEqual((body["state"], body["attempt"]), ("SUCCEEDED", 1))
            self.assertEqual(server.terminate(), 0)

    def test_clients_that_wait_or_stream_do_not_hold_up_the_drain(self):
        with directory() as where:
            server = Server(where, "--simulated.create_latency=60s", "--server.drain_timeout=1s")
            task = server.create("slow").headers["X-Task-Id"]
            answers = []
            threads = [threading.Thread(target=self.ask, args=(server, path, accept, answers))
                       for path, accept in ((f"/core/v1/tasks/{task}?wait=60s", "*/*"),
                                            ("/core/v1/events", "text/event-stream"))]
            for thread in threads:
                thread.start()
            harness.wait_until(lambda: server.metrics()["slipway_http_requests_in_flight"] >= 2,
                               "both to be there")
            began = time.monotonic()
            self.assertEqual(server.terminate(), 0)
            self.assertLess(time.monotonic() - began, 15)
            for thread in threads:
                thread.join(harness.PATIENCE)
                self.assertFalse(thread.is_alive())

    @staticmethod
    def ask(server, path, accept, answers):
        try:
            answers.append(server.get(path, {"Accept": accept}))
        except harness.Unknown as e:
            answers.append(e)


class Metrics(OneServer):
    @unittest.skipUnless(shutil.which("promtool"), "no promtool here")
    def test_promtool_finds_nothing_in_a_live_scrape(self):
        self.server.create("counted", {"Prefer": "wait=20"})
        self.server.get("/api/virtual_machines", {"user": "demo", "password": "test",
                                                  "project_name": "demo"})
        scrape = self.server.get("/metrics")
        self.assertEqual(scrape.status, 200)
        checked = subprocess.run(["promtool", "check", "metrics"], input=scrape.body,
                                 capture_output=True, timeout=harness.PATIENCE)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""))

    def test_health(self):
        self.assertEqual(self.server.get("/healthz").status, 200)
        self.assertEqual(self.server.get("/readyz").status, 200)


class Idle(unittest.TestCase):
    @unittest.skipIf(SANITIZED, "sanitizers take memory of their own")
    def test_an_idle_server_is_small_and_quiet(self):
        with directory() as where:
            server = Server(where)
            server.create("one", {"Prefer": "wait=20"})
            self.assertLess(server.resident_bytes(), 64 << 20)
            before = self.cpu_seconds(server)
            time.sleep(2)  # what is measured is that nothing happens
            self.assertLess((self.cpu_seconds(server) - before) / 2, 0.02)
            self.assertEqual(server.terminate(), 0)

    @staticmethod
    def cpu_seconds(server):
        with open(f"/proc/{server.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Secrets(unittest.TestCase):
    def test_no_file_of_the_data_directory_and_no_log_line_holds_a_secret(self):
        with directory() as where:
            server = Server(where, *FAST, "--log-level=debug")
            password = "pw-Xk3vQ9rT-unmistakable"
            user_data = "ud-M7hJ2pLw-unmistakable"
            demo = {"user": "demo", "password": "test", "project_name": "demo"}
            made = server("POST", "/core/v1/users", {"name": "ada", "tenant": "demo",
                                                     "role": "operator", "password": password})
            self.assertLess(made.status, 300, made)
            ada = {**demo, "user": "ada", "password": password}
            headers = {"Content-Type": "application/json", "Idempotency-Key": "with-a-secret", **demo}
            spec = {"flavor_name": "m1.nano", "image_name": "cirros-0.5.1-x86_64-disk",
                    "network_id": "1edf997e-dcde-485b-ae55-c16588c1e4f6",
                    "virtual_machine_name": "vm"}
            first = server("POST", "/api/virtual_machines", spec, headers)
            admin_pass = first.json()["server"]["adminPass"]
            self.assertEqual(server("POST", "/api/virtual_machines", spec, headers).json(), first.json())
            self.assertEqual(server.get("/api/virtual_machines", ada).status, 200)
            self.assertNotEqual(server.get("/api/virtual_machines",
                                           {**ada, "password": "wrong-K4-unmistakable"}).status, 200)
            server.create("cloud-init", {"Prefer": "wait=20"}, user_data=user_data)
            token = server("POST", "/core/v1/tokens", {"name": "ci", "role": "operator"})
            self.assertLess(token.status, 300, token)
            shown = [v for v in token.json().values() if isinstance(v, str) and len(v) >= 40
                     and not re.fullmatch(r"[0-9a-f-]{36}", v)]
            self.assertTrue(shown, token)
            server.finished(first.headers["X-Task-Id"])
            for path in ("/core/v1/tasks", "/core/v1/vms", "/core/v1/events?from=0", "/metrics"):
                text = server.get(path).body.decode()
                for secret in (admin_pass, password, user_data, *shown):
                    self.assertNotIn(secret, text, path)
            self.scan(where, {"admin": admin_pass, "password": password, "user data": user_data,
                              "wrong password": "wrong-K4-unmistakable", "demo": '"test"',
                              **{f"token {n}": s for n, s in enumerate(shown)}})
            self.assertEqual(server.terminate(), 0)
            self.scan(where, {"admin": admin_pass, "password": password, "user data": user_data})

    def scan(self, where, secrets):
        files = [f for f in where.rglob("*") if f.is_file()]
        self.assertGreater(len(files), 5)
        for file in files:
            data = file.read_bytes()
            for name, secret in secrets.items():
                self.assertNotIn(secret.encode(), data, f"{name} in {file}")


GOOD = {"name": "vm", **CREATE}


class BadInput(OneServer):
    """The limits of docs: a clear refusal, and the server lives on."""

    def tearDown(self):
        self.assertEqual(self.server.create("lives").status, 202)

    def check(self, rows):
        for what, body, status, code in rows:
            with self.subTest(what):
                answer = self.server("POST", "/core/v1/vms", body, {"Content-Type": "application/json"})
                self.assertEqual((answer.status, answer.json()["code"]), (status, code), answer)
                self.assertEqual(answer.headers["Content-Type"].split(";")[0],
                                 "application/problem+json")

    def test_json_that_is_none(self):
        self.check([
            ("cut off", '{"name":', 400, "malformed-json"),
            ("empty", "", 400, "invalid-argument"),
            ("bad UTF-8", b'{"name":"\xff\xfe"}', 400, "malformed-json"),
            ("NUL", '{"name":"a\\u0000b"}', 400, "malformed-json"),
            ("doubled key", '{"name":"a","name":"b"}', 400, "malformed-json"),
            ("trailing bytes", json.dumps(GOOD) + "x", 400, "malformed-json"),
            ("lone surrogate", '{"name":"\\ud800"}', 400, "malformed-json"),
        ])

    def test_json_beyond_the_limits(self):
        self.check([
            ("depth", "[" * 40 + "]" * 40, 400, "invalid-argument"),
            ("keys", json.dumps({f"k{n}": n for n in range(1100)}), 400, "invalid-argument"),
            ("elements", json.dumps({**GOOD, "labels": [0] * 10001}), 400, "invalid-argument"),
            ("string", json.dumps({**GOOD, "name": "x" * 70000}), 400, "invalid-argument"),
            ("number", '{"name":"a","vcpus":1e999}', 400, "invalid-argument"),
        ])

    def test_fields(self):
        self.check([
            ("unknown field", {**GOOD, "color": "red"}, 400, "invalid-argument"),
            ("wrong type", {**GOOD, "name": 7}, 400, "invalid-argument"),
            ("no name", CREATE, 400, "invalid-argument"),
            ("long name", {**GOOD, "name": "x" * 256}, 422, "invalid-argument"),
            ("labels", {**GOOD, "labels": {f"k{n}": "v" for n in range(65)}}, 422, "invalid-argument"),
            ("label", {**GOOD, "labels": {"k": "v" * 257}}, 422, "invalid-argument"),
        ])

    def test_what_does_not_exist(self):
        answer = self.server("POST", "/core/v1/vms", {**GOOD, "flavor": "m1.hug"})
        self.assertEqual(answer.status, 422, answer)
        self.assertEqual(answer.json()["errors"][0]["pointer"], "/flavor")
        self.assertIn("m1.", answer.json()["errors"][0]["detail"])
        batch = self.server("POST", "/core/v1/batches",
                            {"template": {"command": "vm.create", "args": GOOD}, "count": 1001})
        self.assertEqual(batch.status, 422, batch)
        for path, status in (("/core/v1/nothing", 404), ("/core/v1/tasks/x", 404),
                             ("/core/v1/tasks?limit=501", 400), ("/core/v1/tasks?limit=x", 400),
                             ("/core/v1/tasks?cursor=x", 400), ("/core/v1/tasks?color=red", 400),
                             ("/core/v1/tasks?sort=color", 400), ("/core/v1/vms/%ff", 400)):
            with self.subTest(path):
                self.assertEqual(self.server.get(path).status, status)

    def test_a_wrong_verb_names_the_right_ones(self):
        answer = self.server("PUT", "/core/v1/vms", {})
        self.assertEqual(answer.status, 405)
        self.assertIn("POST", answer.headers["Allow"])

    def test_content_type(self):
        answer = self.server("POST", "/core/v1/vms", json.dumps(GOOD), {"Content-Type": "text/plain"})
        self.assertEqual((answer.status, answer.json()["code"]), (415, "unsupported-media-type"))
        answer = self.server("POST", "/core/v1/vms", json.dumps(GOOD),
                             {"Content-Type": "application/json", "Content-Encoding": "gzip"})
        self.assertEqual(answer.status, 415)

    def test_http(self):
        host = b"Host: x\r\n"
        big = 1 << 20
        for what, request, status in (
                ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
                ("two hosts", b"GET / HTTP/1.1\r\n" + host + host + b"\r\n", 400),
                ("no host", b"GET / HTTP/1.1\r\n\r\n", 400),
                ("bare LF", b"GET / HTTP/1.1\nHost: x\n\n", 400),
                ("folded header", b"GET / HTTP/1.1\r\n" + host + b"A: b\r\n c\r\n\r\n", 400),
                ("request line", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414),
                ("header bytes", b"GET / HTTP/1.1\r\n" + host + b"A: " + b"b" * 17000 + b"\r\n\r\n", 431),
                ("header count", b"GET / HTTP/1.1\r\n" + host + b"A: b\r\n" * 70 + b"\r\n", 431),
                ("body", b"POST /core/v1/vms HTTP/1.1\r\n" + host + b"Content-Length: %d\r\n\r\n" % (big + 1), 413),
                ("length twice", b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
                ("length and chunks", b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                ("bad chunk", b"POST /core/v1/vms HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400),
                ("another version", b"GET / HTTP/3.0\r\n" + host + b"\r\n", 505)):
            with self.subTest(what), socket.create_connection((self.server.host, self.server.port),
                                                              harness.PATIENCE) as s:
                s.sendall(request)
                answer = b""
                while b"\r\n" not in answer:
                    piece = s.recv(4096)
                    self.assertTrue(piece, f"closed after {answer!r}")
                    answer += piece
                self.assertEqual(int(answer.split()[1]), status, answer[:200])

    def test_identity(self):
        for headers in ({}, {"user": "demo"}, {"user": "demo", "password": "x", "project_name": "demo"}):
            answer = self.server.get("/api/virtual_machines", headers)
            self.assertIn(answer.status, (400, 401, 503), answer)
        answer = self.server.get("/core/v1/tasks", {"Authorization": "Bearer nonsense"})
        self.assertEqual((answer.status, answer.json()["code"]), (401, "unauthenticated"))

    def test_slow_and_silent_connections_hold_up_nobody(self):
        held = [socket.create_connection((self.server.host, self.server.port)) for _ in range(50)]
        for s in held[:25]:
            s.sendall(b"POST /core/v1/vms HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        began = time.monotonic()
        self.assertEqual(self.server.create("in between").status, 202)
        self.assertLess(time.monotonic() - began, 5)
        for s in held:
            s.close()


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    unittest.main()
