"""The upgrade to a WebSocket, and what comes first over it."""
import base64
import contextlib
import hashlib
import http.client
import socket

from harness_path import harness

KEY = base64.b64encode(b"conformance-test").decode()
ACCEPT = base64.b64encode(hashlib.sha1((KEY + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}


@contextlib.contextmanager
def upgraded(trial, path, **headers):
    """What comes after the upgrade of `path`, as a file; the answer is one of the trial's."""
    lines = [f"GET {path} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in UPGRADE.items()),
             *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()), "", ""]
    port = trial.service.ports[trial.dialect.listener]
    with socket.create_connection(("127.0.0.1", port), timeout=harness.PATIENCE) as raw, raw.makefile("rb") as file:
        raw.sendall("\r\n".join(lines).encode())
        status = int(file.readline().split()[1])
        answer = harness.Answer(status, http.client.parse_headers(file), b"")
        trial.answers.append(("GET", path, answer))
        trial.equal((101, ACCEPT), (status, answer.headers["Sec-WebSocket-Accept"]), "the upgrade")
        yield file
