"""The upgrade to a WebSocket, and what comes first over it."""
import base64
import contextlib
import hashlib
import http.client
import socket

from harness_path import harness

KEY = base64.b64encode(b"conformance-test").decode()
ACCEPT = base64.b64encode(hashlib.sha1((KEY + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


@contextlib.contextmanager
def upgraded(trial, path, **headers):
    """The socket after `path` was upgraded; the answer is one of the trial's."""
    lines = [f"GET {path} HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: websocket",
             "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}",
             *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()), "", ""]
    port = trial.service.ports[trial.dialect.listener]
    with socket.create_connection(("127.0.0.1", port), timeout=harness.PATIENCE) as raw:
        raw.sendall("\r\n".join(lines).encode())
        response = http.client.HTTPResponse(raw)
        response.begin()
        answer = harness.Answer(response.status, response.headers, b"")
        trial.answers.append(("GET", path, answer))
        trial.equal((101, ACCEPT), (answer.status, answer.headers["Sec-WebSocket-Accept"]), "the upgrade")
        yield raw
