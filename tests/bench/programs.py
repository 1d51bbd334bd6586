"""What a benchmark starts: slipway, the edge that answers a constant, the peer with its Redis, and the
load on them. Everything on loopback, on free ports, in directories that are removed afterwards."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = ROOT / "build/release"
HOME = ROOT / "build/bench"
os.environ.setdefault("SLIPWAY", str(RELEASE / "slipway"))
os.environ.setdefault("SLIPWAY_PATIENCE", "120")
sys.path.insert(0, str(ROOT / "tests/e2e"))
import harness  # noqa: E402

CREATE = (b'{"flavor_name": "m1.nano", "image_name": "cirros-0.5.1-x86_64-disk",\n'
          b' "network_id": "1edf997e-dcde-485b-ae55-c16588c1e4f6", "virtual_machine_name": "test_13"}')
ZERO_LATENCY = ["--simulated.create_latency=0", "--simulated.operation_latency=0",
                "--simulated.latency_jitter=0"]
# BullMQ's default is 1. Of 1, 16, 64 and 256, the peer finished most with 64, its clients' number.
PEER_CONCURRENCY = 64


class Error(Exception):
    """A measurement that was not carried out. Never a figure."""


def request_file():
    """Specification 000's create, as it goes over the wire."""
    HOME.mkdir(parents=True, exist_ok=True)
    path = HOME / "create.http"
    path.write_bytes(b"POST /api/virtual_machines HTTP/1.1\r\nHost: 127.0.0.1:8081\r\n"
                     b"Content-Type: application/json\r\nuser: demo\r\npassword: test\r\n"
                     b"project_name: demo\r\nContent-Length: %d\r\n\r\n" % len(CREATE) + CREATE)
    return path


def run(program, *arguments, timeout=600):
    """The JSON that one of our programs prints."""
    done = subprocess.run([str(RELEASE / program), *map(str, arguments)], capture_output=True,
                          text=True, timeout=timeout)
    if done.returncode != 0:
        raise Error(f"{program} {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def load(port, **options):
    return run("load", "--port", port, "--request", request_file(),
               *(f"--{name}={value}" for name, value in options.items()))


def warm_up(port):
    """One create: the caller is known from then on, by all alike."""
    return load(port, count=1, connections=1)["sent"]


def end_well(process):
    code = process.terminate()
    if code != 0:
        raise Error(f"{process.log}: ended with {code}")


class Slipway(harness.Server):
    def finished(self):
        """Tasks that have ended and are in the read models, of those begun in this process."""
        return int(sum(value for name, value in self.metrics().items()
                       if name.startswith("slipway_task_end_to_end_duration_seconds_count")))

    def lag(self):
        return int(self.metrics()['slipway_projection_lag_events{projection="read_models"}'])

    def wait_current(self, timeout=600):
        wait_until(lambda: self.lag() == 0, "the read models to catch up", timeout)

    def threads(self):
        return len(list(pathlib.Path(f"/proc/{self.pid}/task").iterdir()))

    def cpu_seconds(self):
        return cpu_seconds(self.pid)

    def end(self):
        end_well(self)


def cpu_seconds(pid):
    """What its threads have used so far."""
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def wait_until(condition, what, timeout):
    try:
        return harness.wait_until(condition, what, timeout)
    except AssertionError as e:
        raise Error(str(e)) from e


def initialized(directory):
    """A data directory that a server has been started on once."""
    Slipway(directory, "--workers=0").end()
    return pathlib.Path(directory) / "data"


class ConstantEdge(harness.Process):
    def __init__(self, directory):
        data = initialized(directory)
        super().__init__(["--data-dir", data], pathlib.Path(directory) / "edge.log",
                         program=RELEASE / "edge_constant")
        self.port = int(self.wait_ready().rsplit(":", 1)[1])

    def wait_current(self):
        pass

    def cpu_seconds(self):
        return cpu_seconds(self.pid)

    def end(self):
        end_well(self)


class Peer:
    """Fastify, BullMQ and Redis: an API process and, if wanted, a worker process."""

    def __init__(self, directory, workers):
        directory = pathlib.Path(directory)
        port = harness.free_port()
        data = directory / "redis"
        data.mkdir()
        self.redis = harness.Process(
            ["--bind", "127.0.0.1", "--port", port, "--dir", data, "--appendonly", "yes",
             "--appendfsync", "always", "--save", "", "--loglevel", "warning"],
            directory / "redis.log", program="redis-server")
        wait_until(lambda: answers(port), "Redis", 20)
        self.parts = [self.node("api.js", directory, port)]
        self.url = self.parts[0].wait_ready()
        if workers:
            self.parts.append(self.node("worker.js", directory, port,
                                        f"--concurrency={PEER_CONCURRENCY}"))
            self.parts[-1].wait_ready()
        self.port = int(self.url.rsplit(":", 1)[1])
        self.client = harness.Client("127.0.0.1", self.port)

    @staticmethod
    def node(script, directory, redis, *flags):
        return harness.Process([HOME / "peer" / script, f"--redis={redis}", *flags],
                               directory / f"{script}.log", program="node")

    def finished(self):
        counts = self.client("GET", "/counts").json()
        if counts["failed"]:
            raise Error(f"{counts['failed']} jobs failed")
        return counts["completed"]

    def wait_current(self):
        pass

    def cpu_seconds(self):
        return sum(cpu_seconds(process.pid) for process in [*self.parts, self.redis])

    def end(self):
        self.client.close()
        for process in [*reversed(self.parts), self.redis]:
            end_well(process)


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as s:
            s.sendall(b"PING\r\n")
            return s.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def install_peer():
    """Its packages by its lock file, under build/; again only if that has changed."""
    source, home = ROOT / "tests/bench/peer", HOME / "peer"
    lock = (source / "package-lock.json").read_bytes()
    current = home / "node_modules/.bench-lock"
    home.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if path.is_file():
            shutil.copy(path, home / path.name)
    if current.exists() and current.read_bytes() == lock:
        return
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=home,
                          capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise Error(f"npm ci: {done.stderr.strip()}")
    current.write_bytes(lock)


def disk_syncs(directory, seconds):
    """Microseconds of each append of 4 KiB with its fdatasync."""
    path, block, took = pathlib.Path(directory) / "disk", os.urandom(4096), []
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            os.write(fd, block)
            os.fdatasync(fd)
            took.append((time.perf_counter() - start) * 1e6)
    finally:
        os.close(fd)
        path.unlink()
    return took
