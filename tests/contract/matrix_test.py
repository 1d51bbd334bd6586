#!/usr/bin/env python3
"""A VM made in one dialect is read, changed and destroyed in every other, and the one log shows who did what
in which dialect. Dialect 002 makes no VMs: its leases go through their life beside them.

For every dialect that makes VMs and every dialect that destroys them there is one VM, which all others read
and change in between."""
import sys
import time

import conformance_test
from harness_path import harness
from service import IN_MEMORY, VM, Failed, Service

IMAGE = "e892c826-c836-48bf-bb28-bdb0c2e382cf"


class Speaker:
    """How the clients of a dialect do things. What a dialect has no word for is None."""
    make = rename = stop = start = destroy = None

    def __init__(self, service):
        self.service = service

    def named(self, vm, asked):
        """What a new VM is called."""
        return asked

    def ask(self, listener, method, path, body=None, headers=None):
        answer = self.service.ask(listener, method, path, body, headers)
        if answer.status >= 300:
            raise Failed(f"{self.name}: {method} {path}: {answer}")
        return answer

    def finished(self, answer):
        self.service.succeeded(answer.headers["X-Task-Id"])


class Core(Speaker):
    name, seed = "core", "core"

    def make(self, name):
        answer = self.ask("", "POST", "/core/v1/vms", {"name": name, **VM})
        self.finished(answer)
        return answer.json()["resources"][0]["id"]

    def read(self, vm):
        """(name, runs) of the VM; None if there is no such VM."""
        body = self.ask("", "GET", f"/core/v1/vms/{vm}").json()
        return None if body["state"] == "DELETED" else (body["name"], body["state"] == "RUNNING")

    def rename(self, vm, name):
        self.finished(self.ask("", "POST", f"/core/v1/vms/{vm}/rename", {"name": name}))

    def stop(self, vm):
        self.finished(self.ask("", "POST", f"/core/v1/vms/{vm}/stop", {}))

    def start(self, vm):
        self.finished(self.ask("", "POST", f"/core/v1/vms/{vm}/start", {}))

    def destroy(self, vm):
        self.finished(self.ask("", "DELETE", f"/core/v1/vms/{vm}"))


class VmFront(Speaker):
    name, seed = "vmfront", "000"

    def make(self, name):
        answer = self.ask("", "POST", "/api/virtual_machines", {
            "flavor_name": VM["flavor"], "image_name": VM["image"], "virtual_machine_name": name,
            "network_id": "1edf997e-dcde-485b-ae55-c16588c1e4f6"}, self.service.identity["000"])
        self.finished(answer)
        return answer.json()["server"]["id"]

    def read(self, vm):
        servers = self.ask("", "GET", "/api/virtual_machines", None, self.service.identity["000"]).json()["servers"]
        return next(((one["name"], one["status"] == "ACTIVE") for one in servers if one["id"] == vm), None)


class Orchestrator(Speaker):
    """It knows VMs as nodes of a cloud. Those of its own cloud have the numbers and names that this gives."""
    name, seed = "orchestrator", "001"

    def __init__(self, service):
        super().__init__(service)
        self.numbers = {}

    def make(self, name):
        answer = self.ask("orchestrator", "POST", "/api/v1/vm/start", {"name": name, "image": "1", "size": "1"})
        vm = self.service.succeeded(answer.headers["X-Task-Id"])["resources"][0]["id"]
        self.numbers[vm] = answer.json()["nodes"]["id"]
        return vm

    def named(self, vm, asked):
        return f"dummy-{self.numbers[vm]}"

    def node(self, vm):
        return self.ask("", "GET", f"/core/v1/vms/{vm}").json()["backend"], self.numbers.get(vm, vm)

    def read(self, vm):
        cloud, node = self.node(vm)
        nodes = self.ask("orchestrator", "GET", f"/api/v1/nodes/{cloud}").json()["nodes"]
        return next(((None, one["state"] == 0) for one in nodes if one["id"] == node), None)

    def destroy(self, vm):
        cloud, node = self.node(vm)
        self.ask("orchestrator", "PUT", f"/api/v1/vm/stop/{cloud}", {"node": node})


class Nano(Speaker):
    name, seed = "nano", "003"

    def call(self, method, path, body=None):
        answer = self.ask("nano_user", method, path, body, self.service.identity["003"])
        return answer, answer.json()

    def done(self, method, path, body=None):
        answer, given = self.call(method, path, body)
        if given["error_code"] != 0:
            raise Failed(f"nano: {method} {path}: {answer}")
        return answer, given["data"]

    def make(self, name):
        answer, data = self.done("POST", "/guests/", {
            "name": name, "owner": "demo", "group": "demo", "pool": "default", "cores": 1, "memory": 512,
            "disks": [1024], "auto_start": False, "system": "linux"})
        self.finished(answer)
        return data["id"]

    def read(self, vm):
        _, given = self.call("GET", f"/guests/{vm}")
        return (given["data"]["name"], given["data"]["running"]) if given["error_code"] == 0 else None

    def rename(self, vm, name):
        self.done("PUT", f"/guest/{vm}/name/", {"name": name})

    def stop(self, vm):
        self.done("DELETE", f"/instances/{vm}", {"reboot": False, "force": True})

    def start(self, vm):
        self.done("POST", f"/instances/{vm}")

    def destroy(self, vm):
        self.done("DELETE", f"/guests/{vm}", {"force": True})


class Perspective(Speaker):
    name, seed = "perspective", "004"

    def make(self, name):
        self.finished(self.ask("perspective", "POST", "/instances", [{
            "name": name, "flavor": {"id": "42"}, "image": {"id": IMAGE}}]))
        found = self.ask("perspective", "POST", "/query", [{
            "sql": "select id from instances where name = :name:", "parameters": [{"name": "name", "value": name}]}])
        return found.json()[0]["data"]["row"][0]["value"][0]

    def read(self, vm):
        answer = self.service.ask("perspective", "GET", f"/instances/{vm}")
        if answer.status == 404:
            return None
        return answer.json()["name"], answer.json()["state"] == "launched"

    def rename(self, vm, name):
        self.finished(self.ask("perspective", "PUT", "/instances/rename", {vm: name}))

    def stop(self, vm):
        self.finished(self.ask("perspective", "PUT", "/instances/shutdown", [vm]))

    def start(self, vm):
        self.finished(self.ask("perspective", "PUT", "/instances/start", [vm]))

    def destroy(self, vm):
        self.finished(self.ask("perspective", "POST", "/instances/delete", [vm]))


SPEAKERS = [Core, VmFront, Orchestrator, Nano, Perspective]


class Life:
    """One VM's, and what the log must say of it."""

    def __init__(self, speakers, maker, destroyer):
        self.speakers, self.maker, self.destroyer = speakers, maker, destroyer
        self.deeds = []  # (event, dialect), in order
        self.wrong = []

    def live(self, name):
        self.vm = self.maker.make(name)
        name = self.maker.named(self.vm, name)
        self.deeds.append(("VmRequested", self.maker.name))
        self.seen_as("made", name, True)
        for speaker in self.speakers:
            if speaker.rename:
                name = f"{name.split('_by_')[0]}_by_{speaker.name}"
                speaker.rename(self.vm, name)
                self.deeds.append(("VmRenamed", speaker.name))
                self.seen_as(f"renamed in {speaker.name}", name, True)
            if speaker.stop:
                speaker.stop(self.vm)
                self.seen_as(f"stopped in {speaker.name}", name, False)
                speaker.start(self.vm)
                self.seen_as(f"started in {speaker.name}", name, True)
                self.deeds += [("STOPPING", speaker.name), ("STARTING", speaker.name)]
        self.destroyer.destroy(self.vm)
        self.deeds.append(("VmDeleting", self.destroyer.name))
        for speaker in self.speakers:
            self.expect(f"{speaker.name} after the end", None, speaker.read(self.vm))

    def seen_as(self, when, name, runs):
        for speaker in self.speakers:
            given = speaker.read(self.vm)
            # The orchestrator's clouds give names of their own.
            wanted = (name, runs) if given is None or given[0] is not None else (None, runs)
            self.expect(f"{speaker.name}, {when}", wanted, given)

    def expect(self, what, wanted, given):
        if wanted != given:
            self.wrong.append(f"{what}: {given!r}, not {wanted!r}")

    def in_log(self, events):
        """The VM's deeds as the log has them, against what was done."""
        found = []
        for event in events:
            if event["stream"] != f"vm-{self.vm}":
                continue
            if event["type"] in ("VmRequested", "VmRenamed", "VmDeleting"):
                found.append((event["type"], event["dialect"]))
            elif event["type"] == "VmStateChanged" and event["data"].get("state") in ("STOPPING", "STARTING"):
                found.append((event["data"]["state"], event["dialect"]))
        self.expect("the log", self.deeds, found)
        tasks = {e["dialect"] for e in events if e["type"] == "CommandAccepted" and self.vm in str(e["data"])}
        self.expect("dialects of the commands", {dialect for _, dialect in self.deeds}, tasks)


def leases(service):
    """A lease's life in dialect 002, as the core's list of tasks and the log tell of it."""
    wrong = []

    def reservation(method, path, body=None):
        answer = service.ask("reservation", method, path, body)
        if answer.status >= 300:
            raise Failed(f"reservation: {method} {path}: {answer}")
        return answer
    made = reservation("POST", "/v1/leases", {"name": "of_the_matrix", "start_date": "2990-01-01 00:00",
                                              "end_date": "2990-01-02 00:00", "reservations": []})
    lease = made.json()["lease"]["id"]
    changed = reservation("PUT", f"/v1/leases/{lease}", {"name": "of_the_matrix_too"})
    gone = reservation("DELETE", f"/v1/leases/{lease}")
    for command, answer in (("lease.create", made), ("lease.update", changed), ("lease.delete", gone)):
        task = service.succeeded(answer.headers["X-Task-Id"])
        if (command, "reservation") != (task["command"], task["dialect"]):
            wrong.append(f"{command}: {task['command']} in {task['dialect']}")
    dialects = {event["dialect"] for event in service.server.events() if event["stream"] == f"lease-{lease}"}
    return wrong if dialects == {"reservation"} else [*wrong, f"the lease's events: {dialects}"]


def main():
    served, failed = sys.argv[1:] or conformance_test.SERVED, 0
    with harness.directory(parent=IN_MEMORY) as where:
        service = Service(where, served)
        service.log_in()
        speakers = [one(service) for one in SPEAKERS if one.seed in served]
        lives = []
        for maker in (one for one in speakers if one.make):
            for destroyer in (one for one in speakers if one.destroy):
                life = Life(speakers, maker, destroyer)
                lives.append(life)
                try:
                    life.live(f"vm_{len(lives)}_{time.time_ns() % 1000}")
                except (Failed, AssertionError) as e:
                    life.wrong.append(str(e))
        events = service.server.events()
        for life in lives:
            if hasattr(life, "vm"):
                life.in_log(events)
            failed += show(f"made in {life.maker.name}, destroyed in {life.destroyer.name}", life.wrong)
        failed += show("a lease of reservation", leases(service)) if "002" in served else 0
        service.close()
    for one in SPEAKERS:
        if one.seed not in served:
            print(f"NOT SERVED: dialect {one.seed}")
    return 1 if failed else 0


def show(what, wrong):
    print(f"{'FAILED' if wrong else 'ok':7}{what}")
    for text in wrong:
        print(f"           {text}"[:400])
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
