"""A slipway of one's own: starts servers and workers on loopback, talks HTTP to them, and ends, by
process id, whatever it started. Python 3 and its standard library only."""
import atexit
import contextlib
import http.client
import json
import os
import pathlib
import queue
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SLIPWAY = os.environ.get("SLIPWAY", str(ROOT / "build/release/slipway"))
# Sanitizers slow everything down; deadlines here are of conditions that are waited for, not sleeps.
PATIENCE = float(os.environ.get("SLIPWAY_PATIENCE", "30"))
CREATE = {"flavor": "m1.nano", "image": "cirros-0.5.1-x86_64-disk"}

_started = set()


@atexit.register
def _end_all():
    for process in list(_started):
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, what, timeout=None):
    """The first true value of `condition`, asked again and again."""
    end = time.monotonic() + (timeout or PATIENCE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.02)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:400]!r}"


class Unknown(Exception):
    """No answer came: whether it was done is not known."""


class Client:
    """One kept connection; not for two threads."""

    def __init__(self, host, port, timeout=None):
        self.host, self.port, self.timeout = host, port, timeout or PATIENCE
        self.connection = None

    def __call__(self, method, path, body=None, headers=None, send_only=False):
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.host, self.port,
                                                             timeout=self.timeout)
            self.connection.request(method, path, body, headers)
            if send_only:
                raise Unknown("left before the answer")
            response = self.connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException) as e:
            self.close()
            raise Unknown(repr(e)) from e
        except Unknown:
            self.close()
            raise

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class Process:
    def __init__(self, arguments, log, program=None):
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as err:
            self.process = subprocess.Popen([program or SLIPWAY, *map(str, arguments)],
                                            stdout=subprocess.PIPE, stderr=err, text=True,
                                            start_new_session=True)
        _started.add(self.process)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with self.process.stdout as out:
            for line in out:
                self.lines.put(line)
        self.lines.put(None)

    def wait_ready(self):
        """What stands behind `ready`; None if the process ended first."""
        with contextlib.suppress(queue.Empty):
            line = self.lines.get(timeout=PATIENCE)
            return line.split()[1] if line and line.startswith("ready ") else None
        raise AssertionError(f"not ready in {PATIENCE:.0f} s; see {self.log}")

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        if self.running():
            self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.wait()

    def terminate(self):
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self, timeout=None):
        code = self.process.wait(timeout or 3 * PATIENCE)
        _started.discard(self.process)
        return code

    def resident_bytes(self):
        pages = int(pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


class Server(Process):
    """`slipway serve` in the foreground of this object; ready, unless ready=False."""

    def __init__(self, directory, *flags, listen="127.0.0.1:0", listeners="main", ready=True):
        directory = pathlib.Path(directory)
        self.data = directory / "data"
        super().__init__(["serve", f"--data-dir={self.data}", f"--listen={listen}",
                          f"--listeners={listeners}", *flags], directory / "server.log")
        self.url = self.wait_ready() if ready else None
        if ready and self.url is None:
            raise AssertionError("the server did not start:\n" + self.tail())
        if ready:
            self.host, port = self.url.removeprefix("http://").rsplit(":", 1)
            self.port = int(port)

    def tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])

    def client(self, timeout=None):
        return Client(self.host, self.port, timeout)

    def __call__(self, method, path, body=None, headers=None):
        client = self.client()
        try:
            return client(method, path, body, headers)
        finally:
            client.close()

    def get(self, path, headers=None):
        return self("GET", path, headers=headers)

    def create(self, name="vm", headers=None, **args):
        return self("POST", "/core/v1/vms", {"name": name, **CREATE, **args}, headers)

    def finished(self, task, timeout=None):
        """The task's body once it has ended."""
        def ended():
            answer = self.get(f"/core/v1/tasks/{task}?wait=5s")
            return answer.status == 200 and answer.json()
        return wait_until(ended, f"the end of task {task}", timeout)

    def items(self, path):
        """All pages of a list."""
        out, cursor = [], ""
        joint = "&" if "?" in path else "?"
        while cursor is not None:
            answer = self.get(f"{path}{joint}limit=500" + (f"&cursor={cursor}" if cursor else ""))
            assert answer.status == 200, answer
            page = answer.json()
            out += page["items"]
            cursor = page["next_cursor"]
        return out

    def events(self):
        """All events of the log, oldest first."""
        out, at = [], 0
        while True:
            page = self.get(f"/core/v1/events?from={at}").json()
            out += page["items"]
            if not page["items"]:
                return out
            at = page["next_seq"]

    def metrics(self):
        """"name{labels}" -> value."""
        out = {}
        for line in self.get("/metrics").body.decode().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                out[name] = float(value)
        return out


class Worker(Process):
    def __init__(self, directory, broker_port, name, *flags):
        directory = pathlib.Path(directory)
        super().__init__(["worker", f"--worker.server=tcp://127.0.0.1:{broker_port}",
                          f"--data-dir={directory / 'data'}", f"--worker.name={name}", *flags],
                         directory / f"{name}.log")
        self.name = name


def run(*arguments, timeout=None, **environment):
    """A command of the command line, to its end."""
    return subprocess.run([SLIPWAY, *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout or 2 * PATIENCE, stdin=subprocess.DEVNULL,
                          env={**os.environ, **environment})


@contextlib.contextmanager
def directory(keep=None, parent=None):
    path = pathlib.Path(keep or tempfile.mkdtemp(prefix="slipway-", dir=parent))
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield path
    finally:
        if keep is None:
            shutil.rmtree(path, ignore_errors=True)
