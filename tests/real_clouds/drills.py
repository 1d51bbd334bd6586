#!/usr/bin/env python3
"""Each failure of a real cloud that an operator may meet, brought about on a test bed: the event that
must come of it, and the metric that must show it.

    drills.py openstack ENDPOINTS_JSON [NAME...]
    drills.py libvirt CELLS_JSON [NAME...]     LIBVIRT_BED names the folder with the bed's `cell`

SLIPWAY names the binary. A line for each drill; ends with 0 if all went as they must."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from main_job import FRONT, LONG, Libvirt, OpenStack, Server, directory, harness, say, wait_until


class Drill:
    """A server with the cloud, and what the drills ask of it."""

    def __init__(self, cloud, path, tables):
        self.cloud = cloud
        config = path / "slipway.toml"
        config.write_text(tables)
        self.server = Server(path, "--config", config, "--simulated.enabled=false",
                             "--reconcile.interval=5s", *cloud.flags)
        self.image = self.image_named(cloud.image)

    def image_named(self, name):
        def known():
            return [i for i in self.server.items("/core/v1/images") if name in i["name"]]
        return wait_until(known, f"image {name}", LONG)[0]["name"]

    def create(self, name, **args):
        body = {"name": name, "image": self.image, **self.cloud.create, **args}
        answer = self.server("POST", "/core/v1/vms", body)
        assert answer.status == 202, answer
        return answer.json()["id"]

    def act(self, vm, verb, body=None):
        answer = self.server("POST", f"/core/v1/vms/{vm}/{verb}", body or {})
        assert answer.status == 202, answer
        return answer.json()["id"]

    def succeeded(self, task):
        body = self.server.finished(task, LONG)
        assert body["state"] == "SUCCEEDED", json.dumps(body)
        return body

    def failed(self, task, code, words=""):
        body = self.server.finished(task, LONG)
        assert body["state"] in ("FAILED", "DEAD"), json.dumps(body)
        error = body["error"]
        assert error["code"] == code and words in error["detail"], json.dumps(error)
        self.saw(task, "TaskFailed", "TaskDead")
        self.counted(code)
        return error

    def vm_of(self, task):
        return self.succeeded(task)["resources"][0]["id"]

    def delete(self, vm):
        answer = self.server("DELETE", f"/core/v1/vms/{vm}")
        assert answer.status == 202, answer
        self.succeeded(answer.json()["id"])

    def saw(self, task, *types):
        """One of these events is the task's."""
        events = self.server.get(f"/core/v1/tasks/{task}/events?limit=500").json()["items"]
        assert {e["type"] for e in events} & set(types), [e["type"] for e in events]

    def has_event(self, *types):
        def there():
            return {e["type"] for e in self.server.events()} & set(types)
        return wait_until(there, f"event {types}", 120)

    def total(self, code, backend=None):
        """Calls that ended so."""
        return sum(value for name, value in self.server.metrics().items()
                   if name.startswith("slipway_backend_requests_total{") and f'code="{code}"' in name
                   and (backend is None or f'backend="{backend}"' in name))

    def counted(self, code):
        wait_until(lambda: self.total(code) > 0, f"calls that ended with {code} to be counted", 30)

    def hosts_alive(self):
        return sorted(h["name"] for h in self.server.items("/core/v1/hosts") if h["alive"])

    def empty(self):
        for vm in self.server.items("/core/v1/vms"):
            self.delete(vm["id"])
        wait_until(lambda: not self.cloud.names(), "the cloud to be empty", 120)
        wait_until(lambda: not self.cloud.leftovers(), "nothing to be left behind", 120)


# ---- OpenStack ----

class BrokenOpenStack(OpenStack):
    image = "cirros"
    create = {"flavor": "m1.nano", "backend": "openstack"}

    def tables(self, path):
        limited = self.ends["limited"]
        secret = pathlib.Path(path) / "limited"
        secret.write_text(limited["password"])
        secret.chmod(0o600)
        own = self.table(path).replace('call_timeout = "60s"', 'call_timeout = "30s"')
        other = own.replace('name = "openstack"', 'name = "limited"')
        other = other.replace(f'user = "{self.admin["username"]}"', f'user = "{limited["username"]}"')
        other = other.replace(f'project = "{self.admin["project"]}"', f'project = "{limited["project"]}"')
        other = other.replace(str(pathlib.Path(path) / "password"), str(secret))
        other = other.replace('network = "private"', 'network = "shared"')
        return own + other

    @contextlib.contextmanager
    def stopped(self, *services):
        state = pathlib.Path(os.environ.get("OPENSTACK_STATE", "/tmp/openstack"))
        pids = [int((state / "run" / f"{s}.pid").read_text().split()[0]) for s in services]
        groups = [os.getpgid(pid) for pid in pids]
        for group in groups:
            os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            for group in groups:
                os.killpg(group, signal.SIGCONT)


def nova_compute_dead(d):
    with d.cloud.stopped("nova-compute1", "nova-compute2"):
        task = d.create("waits")
        d.has_event("HostLost")
        assert not d.hosts_alive(), d.hosts_alive()
        body = d.server.get(f"/core/v1/tasks/{task}").json()
        assert not body["terminal"], body
    wait_until(lambda: len(d.hosts_alive()) == 2, "both hosts", 120)
    d.has_event("HostSeen")
    d.delete(d.vm_of(task))
    assert d.total("ok", "openstack") > 0


def keystone_down_for_a_minute(d):
    before = d.total("backend-unavailable")
    with d.cloud.stopped("keystone"):
        start = time.monotonic()
        tasks = [d.create(f"patient-{n}") for n in range(3)]
        wait_until(lambda: d.total("backend-unavailable") > before, "calls that fail", 90)
        time.sleep(max(0, 60 - (time.monotonic() - start)))
    for vm in [d.vm_of(task) for task in tasks]:
        d.delete(vm)
    for task in tasks:
        d.saw(task, "TaskRetryScheduled")


def token_revoked(d):
    vm = d.vm_of(d.create("revoked"))
    d.cloud.client_quietly("user", "set", "--password", d.cloud.admin["password"],
                           d.cloud.admin["username"])
    time.sleep(2)
    d.succeeded(d.act(vm, "stop"))
    d.delete(vm)


def quota_exceeded(d):
    for n in range(2):  # one by one: of two at once Nova may refuse both
        d.succeeded(d.create(f"quota-{n}", backend="limited", flavor="m1.tiny"))
    d.failed(d.create("quota-2", backend="limited", flavor="m1.tiny"), "quota-exceeded",
             "Quota exceeded")


def no_valid_host(d):
    error = d.failed(d.create("nohost", flavor="m1.toolarge"), "capacity-exhausted", "No valid host")
    assert error["backend_request_id"].startswith("req-"), error


def image_gone(d):
    with open(os.devnull, "rb") as nothing:
        d.cloud.client_quietly("image", "create", "--disk-format", "raw", "--container-format", "bare",
                               "drill-image", stdin=nothing)
    image = d.image_named("drill-image")
    d.cloud.client_quietly("image", "delete", "drill-image")
    answer = d.server("POST", "/core/v1/vms", {"name": "noimage", **d.cloud.create, "image": image})
    if answer.status == 202:
        d.failed(answer.json()["id"], "backend-refused", "image")
    else:  # the list of images came first
        assert answer.status == 422, answer
    d.has_event("ImageDeleted")


OPENSTACK = [no_valid_host, quota_exceeded, image_gone, token_revoked, nova_compute_dead,
             keystone_down_for_a_minute]


# ---- libvirt ----

class BrokenLibvirt(Libvirt):
    image = "base"
    create = {"flavor": "m1.nano"}

    def tables(self, path):
        text = super().table(path).replace('seed = false', 'seed = false\nmigrate_mib_per_second = 5')
        text = text.replace('type = "libvirt"', 'type = "libvirt"\ncall_timeout = "6s"')
        local = text.replace('name = "libvirt"', 'name = "local"', 1)
        local = local.replace('storage_pool = "shared"', 'storage_pool = "default"')
        local = local.replace("shared = true", "shared = false").replace("cell-", "local-")
        for cell in self.bed["cells"]:  # the names of cells are the service's; URIs stay
            other = cell["name"].replace("cell-", "local-")
            local = local.replace(f"/{other}/", f"/{cell['name']}/")
        return text + local

    def cell(self, name, fault):
        bed = os.environ["LIBVIRT_BED"]
        subprocess.run([f"{bed}/cell", fault, name], check=True, capture_output=True, timeout=120,
                       env={**os.environ, "LIBVIRT_STATE": self.bed["state"]})


def daemon_killed_during_migration(d):
    vm = d.vm_of(d.create("moves"))
    here = d.server.get(f"/core/v1/vms/{vm}").json()["host"]
    there = next(c["name"] for c in d.cloud.bed["cells"] if c["name"] != here)
    task = d.act(vm, "migrate", {"host": there})
    wait_until(lambda: d.server.get(f"/core/v1/tasks/{task}").json()["progress"]["percent"],
               "a migration under way", 60)
    d.cloud.cell(there, "kill")
    try:
        d.has_event("HostLost")
    finally:
        d.cloud.cell(there, "start")
    body = d.server.finished(task, LONG)
    assert body["state"] in ("FAILED", "DEAD"), body
    d.saw(task, "TaskFailed", "TaskDead")
    shown = d.server.get(f"/core/v1/vms/{vm}").json()
    assert (shown["host"], shown["state"]) == (here, "RUNNING"), shown
    d.has_event("HostSeen")
    assert sum(v for k, v in d.server.metrics().items()
               if k.startswith("slipway_backend_requests_total{") and 'code="ok"' not in k) > 0
    d.delete(vm)


def storage_full(d):
    for cell in d.cloud.bed["cells"]:
        d.cloud.cell(cell["name"], "fill")
    try:
        d.failed(d.create("full", backend="local"), "capacity-exhausted")
    finally:
        for cell in d.cloud.bed["cells"]:
            d.cloud.cell(cell["name"], "unfill")
    d.delete(d.vm_of(d.create("room", backend="local")))


LIBVIRT = [storage_full, daemon_killed_during_migration]


def main(kind, description, *names):
    cloud, drills = {"openstack": (BrokenOpenStack, OPENSTACK),
                     "libvirt": (BrokenLibvirt, LIBVIRT)}[kind]
    cloud = cloud(description)
    harness.PATIENCE = max(harness.PATIENCE, 120)
    assert not cloud.names(), "the cloud is not empty"
    with directory() as path:
        d = Drill(cloud, path, cloud.tables(path))
        for drill in drills:
            if names and drill.__name__ not in names:
                continue
            start = time.monotonic()
            drill(d)
            d.empty()
            say(f"{drill.__name__.replace('_', ' ')}: as it must be, {time.monotonic() - start:.0f} s")
        assert d.server.terminate() == 0, d.server.tail()


if __name__ == "__main__":
    main(*sys.argv[1:])
