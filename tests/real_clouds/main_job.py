#!/usr/bin/env python3
"""The main job on a real cloud: many VMs made at once, listed through every dialect, some moved live,
all deleted; and what the cloud's own client says agrees at each point.

    main_job.py openstack ENDPOINTS_JSON [VMS] [MOVES]     made one by one through the VM front
    main_job.py libvirt CELLS_JSON [VMS] [MOVES]           made as one batch through nano

SLIPWAY names the binary. Prints figures, one a line; ends with 0 if all agreed."""
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402
from harness import Server, directory, wait_until  # noqa: E402

FRONT = {"user": "demo", "password": "test", "project_name": "demo"}
LONG = 1800


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


class OpenStack:
    name = "openstack"
    flags = ["--worker.slots=20", "--tasks.lease_timeout=90s"]

    def __init__(self, description):
        self.ends = json.loads(pathlib.Path(description).read_text())
        self.admin = self.ends["admin"]

    def table(self, path):
        secret = pathlib.Path(path) / "password"
        secret.write_text(self.admin["password"])
        secret.chmod(0o600)
        return f"""
[[backends]]
name = "openstack"
type = "openstack"
auth_url = "{self.ends['identity']}"
region = "{self.ends['region']}"
project = "{self.admin['project']}"
user = "{self.admin['username']}"
password_file = "{secret}"
network = "private"
tenant = "demo"
call_timeout = "60s"
"""

    def client(self, *arguments):
        return json.loads(self.client_quietly(*arguments, "-f", "json"))

    def client_quietly(self, *arguments, **more):
        environment = {**os.environ, "OS_AUTH_URL": self.ends["identity"],
                       "OS_USERNAME": self.admin["username"], "OS_PASSWORD": self.admin["password"],
                       "OS_PROJECT_NAME": self.admin["project"], "OS_USER_DOMAIN_NAME": "Default",
                       "OS_PROJECT_DOMAIN_NAME": "Default", "OS_IDENTITY_API_VERSION": "3"}
        return subprocess.run(["openstack", *arguments], env=environment, check=True, timeout=300,
                              capture_output=True, text=True, **more).stdout

    def names(self):
        return sorted(row["Name"] for row in self.client("server", "list", "--limit", "-1"))

    def leftovers(self):
        return [row["Name"] for row in self.client("port", "list")
                if row["Name"].startswith("slipway-")]

    def make(self, server, count):
        image = wait_until(lambda: server.get("/api/images", FRONT).json()["images"],
                           "the cloud's images", LONG)[0]["name"]
        network = next(n["id"] for n in server.get("/api/networks", FRONT).json()["networks"]
                       if n["name"] == "private")
        tasks = []
        for n in range(count):
            answer = server("POST", "/api/virtual_machines", {
                "virtual_machine_name": f"job-{n}", "image_name": image, "flavor_name": "m1.nano",
                "network_id": network}, {**FRONT, "Content-Type": "application/json"})
            assert answer.status == 202, answer
            tasks.append(answer.headers["X-Task-Id"])
        return tasks


class Libvirt:
    name = "libvirt"
    flags = ["--worker.slots=2"]  # guests are emulated here: they start one after the other

    def __init__(self, description):
        self.bed = json.loads(pathlib.Path(description).read_text())

    def table(self, path):
        guest, net = self.bed["guest"], self.bed["cells"][0]["address"].rsplit(".", 1)[0]
        cells = "".join(f"""
[[backends.cells]]
name = "{cell['name']}"
uri = "{cell['uri']}"
migrate_uri = "{cell['tcp_uri']}"
storage_pool = "shared"
shared = true
""" for cell in self.bed["cells"])
        return f"""
[[backends]]
name = "libvirt"
type = "libvirt"
tenant = "demo"
domain_type = "qemu"
machine = "pc"
network = "lan"
addresses = "{net}.100-{net}.199"
kernel = "{guest['kernel']}"
initrd = "{guest['initrd']}"
cmdline = "console=ttyS0 quiet panic=-1 lab.ip={{ipv4}}/{{prefix}}"
seed = false
""" + cells

    def virsh(self, cell, *arguments):
        return subprocess.run(["virsh", "-q", "-c", cell["uri"], *arguments], check=True,
                              capture_output=True, text=True, timeout=120).stdout

    def names(self):
        out = []
        for cell in self.bed["cells"]:
            for uuid in self.virsh(cell, "list", "--all", "--uuid").split():
                xml = self.virsh(cell, "dumpxml", uuid)
                title = xml.split("<title>", 1)
                out.append(title[1].split("</title>")[0] if len(title) == 2
                           else self.virsh(cell, "domname", uuid).strip())
        return sorted(out)

    def leftovers(self):
        out = set()
        for cell in self.bed["cells"]:
            for line in self.virsh(cell, "vol-list", "shared").splitlines():
                if line.split()[0].startswith("slipway"):
                    out.add(line.split()[0])
        return sorted(out)

    def make(self, server, count):
        login = server("POST", "/d/nano/sessions/", {"user": "demo", "password": "test",
                                                     "nonce": "1"}).json()
        session = {"Nano-Session": login["data"]["session"]}
        images = wait_until(
            lambda: [i for i in server.items("/core/v1/images") if "base" in i["name"]],
            "the cells' images", LONG)
        answer = server("POST", "/d/nano/batch/create_guest/", {
            "name_rule": "order", "name_prefix": "job", "owner": "demo", "group": "demo",
            "pool": "libvirt", "cores": 1, "memory": 128 << 20, "disks": [1 << 30],
            "count": count, "template": {}, "from_image": images[0]["id"], "auto_start": False},
            session)
        assert answer.status == 202, answer
        return [answer.headers["X-Task-Id"]]


def ended(server, tasks):
    bodies = [server.finished(task, LONG) for task in tasks]
    bad = [b for b in bodies if b["state"] != "SUCCEEDED"]
    assert not bad, json.dumps(bad[:3])
    return bodies


def lists(server, cloud):
    """Of every dialect: the names that it shows, sorted."""
    front = [v["name"] for v in server.get("/api/virtual_machines", FRONT).json()["servers"]]
    nano = {"Nano-Session": server("POST", "/d/nano/sessions/", {
        "user": "demo", "password": "test", "nonce": "1"}).json()["data"]["session"]}
    guests = server("GET", f"/d/nano/guest_search/?pool={cloud.name}", headers=nano).json()
    sql = server("POST", "/d/perspective/query", [{"sql": "select name from instances"}])
    rows = sql.json()[0]["data"]["row"]
    nodes = server("GET", f"/d/orchestrator/api/v1/nodes/{cloud.name}").json()
    return {
        "core": sorted(v["name"] for v in server.items("/core/v1/vms")),
        "vmfront": sorted(front),
        "nano": sorted(g["name"] for g in guests["data"]),
        "perspective": sorted(r["value"][0] for r in rows),
        "orchestrator": sorted(n["name"] for n in nodes["nodes"]),
    }


def agree(server, cloud, names):
    wait_until(lambda: cloud.names() == names, f"{cloud.name} to have {len(names)} VMs", 300)
    for dialect, shown in lists(server, cloud).items():
        assert shown == names, f"{dialect} shows {len(shown)}, not {len(names)}: {shown[:5]}"
    say(f"{len(names)} VMs at the cloud, and the same names in every dialect")


def look(server):
    """What is asked of the cloud without a task, of one VM."""
    vm = server.items("/core/v1/vms")[0]["id"]
    console = server("POST", f"/core/v1/vms/{vm}/console")
    assert console.status == 200 and "://" in console.json()["url"], console
    assert console.headers["Cache-Control"] == "no-store", console.headers
    stats = server.get(f"/core/v1/vms/{vm}/stats")
    assert stats.status == 200 and stats.json()["memory_used_mb"] > 0, stats
    token = console.json()["url"].split("?")[-1]
    log = server.get("/core/v1/events?limit=1000").body.decode()
    assert "token" not in token or token not in log, "the console's token is in the log"
    say(f"console at {console.json()['url'].split('?')[0]}; {stats.body.decode()}")


def move(server, moves):
    before = {v["id"]: v["host"] for v in server.items("/core/v1/vms")}
    chosen = sorted(before)[:moves]
    tasks = []
    for vm in chosen:
        answer = server("POST", f"/core/v1/vms/{vm}/migrate", {})
        assert answer.status == 202, answer
        tasks.append(answer.json()["id"])
    ended(server, tasks)
    after = {v["id"]: v["host"] for v in server.items("/core/v1/vms")}
    stayed = [vm for vm in chosen if after[vm] == before[vm]]
    assert not stayed, f"{len(stayed)} of {moves} are where they were"


def job(cloud, count, moves):
    with directory() as path:
        config = path / "slipway.toml"
        config.write_text(cloud.table(path))
        server = Server(path, "--config", config, "--simulated.enabled=false",
                        "--reconcile.interval=10s", *cloud.flags)
        others = cloud.names()
        assert not others, f"the cloud is not empty: {others[:5]}"
        start = time.monotonic()
        ended(server, cloud.make(server, count))
        took = time.monotonic() - start
        say(f"{count} VMs made in {took:.0f} s: {count / took:.2f}/s")
        names = sorted(v["name"] for v in server.items("/core/v1/vms"))
        assert len(names) == count, names
        agree(server, cloud, names)
        look(server)
        start = time.monotonic()
        move(server, moves)
        say(f"{moves} VMs moved live in {time.monotonic() - start:.0f} s")
        agree(server, cloud, names)
        others = [v["id"] for v in server.items("/core/v1/vms") if v["drift"] or v["lost"]]
        assert not others, f"drifted or lost: {others}"
        start = time.monotonic()
        answer = server("POST", "/core/v1/batches", {"commands": [
            {"command": "vm.delete", "args": {"vm": v["id"]}} for v in server.items("/core/v1/vms")]})
        assert answer.status == 202, answer
        ended(server, [answer.json()["id"]])
        say(f"all deleted in {time.monotonic() - start:.0f} s")
        agree(server, cloud, [])
        wait_until(lambda: not cloud.leftovers(), "nothing to be left behind", 120)
        say("nothing left behind")
        assert server.terminate() == 0, server.tail()


def main(kind, description, count=None, moves=10):
    cloud = {"openstack": OpenStack, "libvirt": Libvirt}[kind](description)
    count = int(count or (50 if kind == "openstack" else 8))
    harness.PATIENCE = max(harness.PATIENCE, 120)
    job(cloud, count, min(int(moves), count))


if __name__ == "__main__":
    main(*sys.argv[1:])
