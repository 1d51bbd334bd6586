#!/usr/bin/env python3
"""Bad input of every kind on a live server: each gets its clear refusal, and nobody else notices."""
import json
import os
import socket
import threading
import time
import unittest

import harness
from harness import Server, directory

SANITIZED = bool(os.environ.get("SLIPWAY_SANITIZED"))
# What a client that does nothing wrong may wait for an answer, at most.
LONGEST_WAIT = 5.0 if SANITIZED else 2.0
FLAGS = ["--http.header_timeout=1s", "--http.body_timeout=1s", "--http.stall_timeout=1s",
         "--simulated.create_latency=10ms", "--log.burst=0"]


def head(*lines, start="POST /core/v1/vms HTTP/1.1", host="Host: x"):
    return "\r\n".join([start, *([host] if host else []), *lines, "", ""]).encode()


def body(text, path="/core/v1/vms", content_type="application/json", more=()):
    data = text if isinstance(text, bytes) else text.encode()
    return head(f"Content-Type: {content_type}", f"Content-Length: {len(data)}", *more,
                start=f"POST {path} HTTP/1.1") + data


def vm(**args):
    return body(json.dumps({"name": "web", **harness.CREATE, **args}))


def nested(depth):
    return '{"name":' + "[" * depth + "]" * depth + "}"


CHUNKED = "Transfer-Encoding: chunked"
JSON = "Content-Type: application/json"
BATCH = {"template": {"command": "vm.create", "args": {"name": "w", **harness.CREATE}}, "count": 1001}

# What is sent, the status and the code of the answer.
HTTP = {
    "a long request line": (head(start="GET /" + "a" * 9000 + " HTTP/1.1"), 414, "invalid-argument"),
    "long headers": (head(*[f"X-{i}: {'a' * 4000}" for i in range(5)]), 431, "invalid-argument"),
    "many headers": (head(*[f"X-{i}: a" for i in range(70)]), 431, "invalid-argument"),
    "a long body": (head(JSON, f"Content-Length: {2 << 20}"), 413, "body-too-large"),
    "a long body in chunks": (head(JSON, CHUNKED) + b"200000\r\n", 413, "body-too-large"),
    "a compressed body": (head("Content-Encoding: gzip", "Content-Length: 3") + b"abc", 415,
                          "unsupported-media-type"),
    "two lengths": (head("Content-Length: 3", "Content-Length: 4") + b"abc", 400, "invalid-argument"),
    "two equal lengths": (head("Content-Length: 3", "Content-Length: 3") + b"abc", 400,
                          "invalid-argument"),
    "a length and chunks": (head("Content-Length: 3", CHUNKED) + b"0\r\n\r\n", 400,
                            "invalid-argument"),
    "chunks and a length": (head(CHUNKED, "Content-Length: 3") + b"0\r\n\r\n", 400,
                            "invalid-argument"),
    "chunked twice": (head(CHUNKED, CHUNKED) + b"0\r\n\r\n", 400, "invalid-argument"),
    "chunks in HTTP/1.0": (head(CHUNKED, start="POST / HTTP/1.0") + b"0\r\n\r\n", 400,
                           "invalid-argument"),
    "another coding": (head("Transfer-Encoding: xchunked") + b"0\r\n\r\n", 501, "invalid-argument"),
    "a signed length": (head("Content-Length: +3") + b"abc", 400, "invalid-argument"),
    "a negative length": (head("Content-Length: -3") + b"abc", 400, "invalid-argument"),
    "a hexadecimal length": (head("Content-Length: 0x3") + b"abc", 400, "invalid-argument"),
    "a list of lengths": (head("Content-Length: 3, 3") + b"abc", 400, "invalid-argument"),
    "a huge length": (head("Content-Length: 99999999999999999999") + b"abc", 400,
                      "invalid-argument"),
    "a bad chunk line": (head(CHUNKED) + b"zz\r\n", 400, "invalid-argument"),
    "a chunk without its end": (head(CHUNKED) + b"3\r\nabcdefgh\r\n", 400, "invalid-argument"),
    "a blank before the colon": (head("Content-Length : 3") + b"abc", 400, "invalid-argument"),
    "a folded header": (head("X-A: a\r\n b"), 400, "invalid-argument"),
    "a NUL in a header": (head("X-A: a\0b"), 400, "invalid-argument"),
    "a NUL in the target": (head(start="GET /a\0b HTTP/1.1"), 400, "invalid-argument"),
    "an escaped NUL": (head(start="GET /core/v1/tasks/%00 HTTP/1.1"), 400, "invalid-argument"),
    "a bad escape": (head(start="GET /core/v1/tasks/%zz HTTP/1.1"), 400, "invalid-argument"),
    "no host": (head(start="GET / HTTP/1.1", host=None), 400, "invalid-argument"),
    "two hosts": (head("Host: y", start="GET / HTTP/1.1"), 400, "invalid-argument"),
    "another version": (head(start="GET / HTTP/3.0"), 505, "invalid-argument"),
    "a bad method": (head(start="G@T / HTTP/1.1"), 400, "invalid-argument"),
    "a TLS client": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n", 400,
                     "invalid-argument"),
}
BODIES = {
    "cut JSON": (body('{"name":'), 400, "malformed-json"),
    "bytes after the end": (body("{} {}"), 400, "malformed-json"),
    "bad UTF-8": (body(b'{"name":"\xff\xfe"}'), 400, "malformed-json"),
    "an overlong form": (body(b'{"name":"\xc0\xaf"}'), 400, "malformed-json"),
    "a NUL": (body('{"name":"a\\u0000b"}'), 400, "malformed-json"),
    "a doubled key": (body('{"name":"a","name":"b"}'), 400, "malformed-json"),
    "deep JSON": (body(nested(40)), 400, "invalid-argument"),
    "very deep JSON": (body(nested(100000)), 400, "invalid-argument"),
    "many keys": (body(json.dumps({f"k{i}": 1 for i in range(1100)})), 400, "invalid-argument"),
    "a wide array": (body(json.dumps({"name": [1] * 10001})), 400, "invalid-argument"),
    "a long string": (vm(name="a" * 70000), 400, "invalid-argument"),
    "a huge integer": (body('{"priority":123456789012345678901234567890}'), 400,
                       "invalid-argument"),
    "a number beyond doubles": (body('{"priority":1e999}'), 400, "invalid-argument"),
    "an array for an object": (body("[]"), 400, "invalid-argument"),
    "an unknown field": (vm(colour="red"), 400, "invalid-argument"),
    "another type": (body("name=web", content_type="text/plain"), 415, "unsupported-media-type"),
    "a long name": (vm(name="a" * 256), 422, "invalid-argument"),
    "many labels": (vm(labels={f"k{i}": "v" for i in range(65)}), 422, "invalid-argument"),
    "a long label": (vm(labels={"k": "v" * 257}), 422, "invalid-argument"),
    "a large batch": (body(json.dumps(BATCH), "/core/v1/batches"), 422, "invalid-argument"),
    "an unknown command": (body('{"command":"vm.explode","args":{}}', "/core/v1/commands"), 400,
                           "unknown-command"),
}


class Raw:
    """A connection that sends exactly the bytes it is told."""

    def __init__(self, server):
        self.socket = socket.create_connection((server.host, server.port), harness.PATIENCE)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)
        return self

    def read(self):
        """Status, headers and body of one answer; None at the end of the connection."""
        line = self.file.readline()
        if not line:
            return None
        headers = {}
        while (text := self.file.readline()) not in (b"\r\n", b""):
            name, value = text.decode().split(":", 1)
            headers[name.lower()] = value.strip()
        return int(line.split()[1]), headers, self.file.read(int(headers.get("content-length", 0)))


class GoodClient(threading.Thread):
    """Asks all the while, and remembers how long it had to wait."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.client, self.longest, self.statuses = server.client(), 0.0, []
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.005):
            begin = time.monotonic()
            self.statuses.append(self.client("GET", "/core/v1/tasks?limit=1").status)
            self.longest = max(self.longest, time.monotonic() - begin)

    def finish(self):
        self.over.set()
        self.join(harness.PATIENCE)


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.held = directory()
        cls.server = Server(cls.held.__enter__(), *FLAGS)
        cls.good = GoodClient(cls.server)
        cls.good.start()

    @classmethod
    def tearDownClass(cls):
        cls.good.finish()
        health = cls.server.get("/healthz").status
        code = cls.server.terminate()
        log = cls.server.tail()
        cls.held.__exit__(None, None, None)
        assert (health, code) == (200, 0), f"healthz {health}, exit {code}:\n{log}"
        assert len(cls.good.statuses) > 10 and set(cls.good.statuses) == {200}, cls.good.statuses
        assert cls.good.longest < LONGEST_WAIT, f"a good client waited {cls.good.longest:.2f} s"

    def refused(self, sent, status, code):
        with Raw(self.server) as raw:
            begin = time.monotonic()
            got, headers, text = raw.send(sent).read()
            self.assertEqual(got, status, text)
            self.assertEqual(headers["content-type"], "application/problem+json")
            problem = json.loads(text)
            self.assertEqual((problem["code"], problem["status"]), (code, status))
            self.assertEqual(problem["request_id"], headers["x-request-id"])
            self.assertLess(time.monotonic() - begin, LONGEST_WAIT)
            return raw.read() if headers.get("connection") == "close" else None

    def test_bad_http_is_refused_at_once_and_the_connection_closed(self):
        for name, row in HTTP.items():
            with self.subTest(name):
                self.assertIsNone(self.refused(*row))

    def test_bad_bodies_are_refused_with_their_code(self):
        for name, row in BODIES.items():
            with self.subTest(name):
                self.refused(*row)

    def test_a_dialect_refuses_in_its_own_form(self):
        with Raw(self.server) as raw:
            status, headers, text = raw.send(
                body('{"name":', "/api/virtual_machines", more=["user: demo", "password: test"])).read()
        self.assertGreaterEqual(status, 400)
        self.assertNotEqual(headers["content-type"], "application/problem+json")
        self.assertNotIn(b"simdjson", text)

    def test_slow_clients_are_cut(self):
        for name, sent in {"head": b"GET /core/v1/tasks HT",
                           "body": head(JSON, "Content-Length: 100") + b'{"name"',
                           "chunks": head(JSON, CHUNKED) + b"5\r\nab"}.items():
            with self.subTest(name), Raw(self.server) as raw:
                self.assertEqual(raw.send(sent).read()[0], 408)
                self.assertIsNone(raw.read())

    def test_a_reader_that_takes_nothing_is_cut(self):
        def cut():
            return self.server.metrics()['slipway_http_rejected_total{reason="stalled_reader"}'] > 0
        with Raw(self.server) as raw:
            raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.socket.settimeout(0.5)
            try:
                for _ in range(200):
                    raw.send(head(start="GET /core/v1/openapi.json HTTP/1.1"))
            except OSError:
                pass  # it takes no more requests either
            harness.wait_until(cut, "the end of a reader that takes nothing")

    def test_pipelined_requests_are_answered_in_order(self):
        names = [f"pipe-{i}" for i in range(30)]
        with Raw(self.server) as raw:
            raw.send(b"".join(head(f"X-Request-Id: {n}", start="GET /core/v1/tasks?limit=1 HTTP/1.1")
                              for n in names))
            self.assertEqual([raw.read()[1]["x-request-id"] for _ in names], names)

    def test_nothing_is_smuggled_behind_a_refused_request(self):
        behind = head(start="GET /core/v1/tasks HTTP/1.1")
        with Raw(self.server) as raw:
            raw.send(head("Content-Length: 3", CHUNKED) + b"0\r\n\r\n" + behind)
            self.assertEqual(raw.read()[0], 400)
            self.assertIsNone(raw.read())

    def test_a_good_request_in_single_bytes_is_taken(self):
        data = json.dumps({"name": "slow-but-good", **harness.CREATE}).encode()
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part)
                          for part in (data[i:i + 7] for i in range(0, len(data), 7)))
        with Raw(self.server) as raw:
            raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in head(JSON, CHUNKED) + chunks + b"0\r\n\r\n":
                raw.send(bytes([byte]))
            self.assertEqual(raw.read()[0], 202)


if __name__ == "__main__":
    unittest.main(verbosity=2)
