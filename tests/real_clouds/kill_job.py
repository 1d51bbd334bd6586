#!/usr/bin/env python3
"""A worker is killed (SIGKILL) at each call that a create makes to a real cloud, before the call and after
it; another one takes over. Each time there is one VM in the end, by the cloud's own account, and nothing
beside it.

    kill_job.py openstack ENDPOINTS_JSON [MOST_CALLS]
    kill_job.py libvirt CELLS_JSON [MOST_CALLS]"""
import json
import pathlib
import sys
import time
import urllib.parse

import main_job
from cutter import Cutter
from main_job import FRONT, LONG, Libvirt, OpenStack, Server, directory, harness, say, wait_until

from harness import Worker, free_port  # noqa: E402 (main_job has set the path)


class CutOpenStack(OpenStack):
    create = {"flavor": "m1.nano", "network": "private"}

    def table(self, path, cutter):
        def through(url):
            parts = urllib.parse.urlsplit(url)
            host, port = cutter.listen((parts.hostname, parts.port))
            return urllib.parse.urlunsplit(parts._replace(netloc=f"{host}:{port}"))
        urls = [f"{kind}={through(self.ends[kind])}" for kind in ("compute", "network", "image")]
        table = super().table(path).replace(self.ends["identity"], through(self.ends["identity"]))
        table = table.replace('call_timeout = "60s"', 'call_timeout = "20s"')
        return table + f'endpoints = {json.dumps(urls)}\n'

    def image(self, server):
        return wait_until(lambda: server.get("/api/images", FRONT).json()["images"],
                          "the cloud's images", LONG)[0]["name"]

    def extra(self):
        """Ports of ours beyond one a server."""
        servers = len(self.names())
        ports = [p for p in self.client("port", "list") if p["Name"].startswith("slipway-")]
        return len(ports) - servers


class CutLibvirt(Libvirt):
    create = {"flavor": "m1.nano"}

    def table(self, path, cutter):
        text = super().table(path)
        for cell in self.bed["cells"]:
            real = urllib.parse.parse_qs(urllib.parse.urlsplit(cell["uri"]).query)["socket"][0]
            near = str(pathlib.Path(path) / (cell["name"] + ".sock"))
            cutter.listen(real, at=near, http=False)
            text = text.replace(cell["uri"], cell["uri"].replace(real, near))
        return text

    def image(self, server):
        return wait_until(
            lambda: [i for i in server.items("/core/v1/images") if "base" in i["name"]],
            "the cells' images", LONG)[0]["name"]

    def extra(self):
        """Volumes of ours beyond one a VM."""
        return len(self.leftovers()) - len(self.names())


class Job:
    def __init__(self, cloud, path):
        self.cloud, self.path, self.cutter = cloud, path, Cutter()
        config = path / "slipway.toml"
        config.write_text(cloud.table(path, self.cutter))
        broker = free_port()
        self.flags = ["--config", config, "--simulated.enabled=false"]
        self.server = Server(path, *self.flags, "--server.workers=0", "--reconcile.interval=5s",
                             "--reconcile.orphan_age=5s", f"--broker.listen=tcp://127.0.0.1:{broker}")
        self.broker, self.runs = broker, 0
        self.start_worker()
        self.image = cloud.image(self.server)

    def start_worker(self):
        self.runs += 1
        self.worker = Worker(self.path, self.broker, "one", *self.flags)
        assert self.worker.wait_ready() is not None

    def make(self, name):
        answer = self.server("POST", "/core/v1/vms",
                             {"name": name, "image": self.image, **self.cloud.create})
        assert answer.status == 202, answer
        return answer.json()["id"]

    def remove_all(self):
        vms = self.server.items("/core/v1/vms")
        for vm in vms:
            answer = self.server("DELETE", f"/core/v1/vms/{vm['id']}")
            assert answer.status == 202, answer
            task = self.server.finished(answer.json()["id"], LONG)
            assert task["state"] == "SUCCEEDED", task
        wait_until(lambda: not self.cloud.names() and self.cloud.extra() == 0,
                   "the cloud to be empty", 120)

    def calls_of_a_create(self):
        self.cutter.arm(0, None, False)
        task = self.server.finished(self.make("whole"), LONG)
        assert task["state"] == "SUCCEEDED", task
        calls = self.cutter.seen()
        self.remove_all()
        return calls

    def killed_at(self, call, after):
        name = f"killed-{call}-{'after' if after else 'before'}"
        self.cutter.arm(call, self.worker.kill, after)
        task = self.make(name)
        while self.worker.running():  # a create may make fewer calls this time
            body = self.server.get(f"/core/v1/tasks/{task}?wait=1s")
            if body.status == 200 and body.json()["terminal"]:
                break
        killed = not self.worker.running()
        if killed:
            self.start_worker()
        body = self.server.finished(task, LONG)
        assert body["state"] == "SUCCEEDED", json.dumps(body)
        wait_until(lambda: self.cloud.names() == [name] and self.cloud.extra() == 0,
                   f"one VM and no more: {self.cloud.names()}, {self.cloud.extra()} beside", 120)
        self.remove_all()
        return killed


def main(kind, description, most=40):
    cloud = {"openstack": CutOpenStack, "libvirt": CutLibvirt}[kind](description)
    harness.PATIENCE = max(harness.PATIENCE, 120)
    assert not cloud.names(), "the cloud is not empty"
    with directory() as path:
        job = Job(cloud, path)
        calls = min(job.calls_of_a_create(), int(most))
        say(f"a create makes {calls} calls")
        kills, start = 0, time.monotonic()
        for call in range(1, calls + 1):
            for after in (False, True):
                kills += job.killed_at(call, after)
        say(f"{kills} kills in {time.monotonic() - start:.0f} s: one VM each time, nothing beside it")
        assert kills >= calls, "too few of the kills came to pass"
        job.worker.terminate()
        assert job.server.terminate() == 0, job.server.tail()


if __name__ == "__main__":
    main(*sys.argv[1:])
