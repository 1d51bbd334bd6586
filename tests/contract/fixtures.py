"""What belongs to the tenant whose things are asked for: made once a server, found by name in the
templates of the checks ({vm}, {task}, ...). `NOWHERE` has the same names for what there is not."""
import json

import fixtures_nano
from dialects import ANY_ID

IMAGE, SHARED = "e892c826-c836-48bf-bb28-bdb0c2e382cf", "1edf997e-dcde-485b-ae55-c16588c1e4f6"
MARK = "hallmark"  # in every name that the tenant gives: nobody else may read it


def make(service, seed, headers=None):
    """A world for a dialect: name -> id or name of a thing of the tenant with these headers."""
    world = dict(CONSTANT)
    for whose, part in PARTS:
        if whose == seed:
            part(service, world, headers or {})
    return world


def of_core(service, world, headers):
    made = service.core("POST", "/core/v1/vms", {"name": f"{MARK}-vm", "flavor": "m1.nano", "image": IMAGE},
                        headers)
    world["task"] = made.headers["X-Task-Id"]
    world["vm"] = service.succeeded(world["task"])["resources"][0]["id"]
    captured = service.core("POST", f"/core/v1/vms/{world['vm']}/capture", {"name": f"{MARK}-image"}, headers)
    world["image"] = next(r["id"] for r in service.succeeded(captured.headers["X-Task-Id"])["resources"]
                          if r["kind"] == "image")
    batch = service.core("POST", "/core/v1/batches", {"count": 2, "template": {
        "command": "vm.create", "args": {"name": f"{MARK}-batch", "flavor": "m1.nano", "image": IMAGE}}}, headers)
    world["batch"] = batch.headers["X-Task-Id"]
    service.succeeded(world["batch"])
    failed = service.core("POST", "/core/v1/vms", {"name": f"{MARK}-cancelled", "flavor": "m1.nano", "image": IMAGE,
                                                   "not_before": "2999-01-01T00:00:00Z",
                                                   "deadline": "2999-01-02T00:00:00Z"}, headers)
    world["waiting"] = failed.headers["X-Task-Id"]
    world["waiting_vm"] = failed.json()["resources"][0]["id"]


def of_reservation(service, world, headers):
    """A lease of the tenant; its host and an address are the operator's."""
    asked = {"name": "sim-host-1", "rack": "one"}
    hosts = {h["hypervisor_hostname"]: h["id"] for h in reservation(service, "GET", "/v1/os-hosts")["hosts"]}
    world["host"] = hosts.get("sim-host-1") or reservation(service, "POST", "/v1/os-hosts", asked)["host"]["id"]
    address = {"floating_network_id": SHARED, "floating_ip_address": "172.24.4.100"}
    world["floating_ip"] = reservation(service, "POST", "/v1/floatingips", address)["floatingip"]["id"]
    lease = reservation(service, "POST", "/v1/leases", {
        "name": f"{MARK}-lease", "start_date": "2996-01-01 00:00", "end_date": "2996-01-02 00:00",
        "reservations": [{"resource_type": "physical:host", "min": 1, "max": 1}]}, headers)["lease"]
    world["lease"], world["reservation"] = lease["id"], lease["reservations"][0]["id"]


def of_orchestrator(service, world, headers):
    """A node of the cloud with the fixed face."""
    made = service.ask("orchestrator", "POST", "/api/v1/vm/start", {"name": f"{MARK}-node", "image": "1", "size": "1"},
                       token_headers(headers))
    world["node"] = made.json()["nodes"]["id"]


def token_headers(headers):
    """The bearer's token as dialects 001 and 002 take it."""
    token = headers.get("Authorization", "").removeprefix("Bearer ")
    return {"X-Auth-Token": token} if token else {}


def reservation(service, method, path, body=None, headers=None):
    answer = service.ask("reservation", method, path, body, token_headers(headers or service.admin))
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer}")
    return answer.json()


CONSTANT = {"flavor_name": "m1.nano", "flavor": "42", "image_name": "cirros-0.5.1-x86_64-disk",
            "network": SHARED, "series": "vms_existing", "worker_pool": "default", "projection": "all",
            "problem": "not-found", "action": "stop",
            "property": "rack", "cloud": "fake_driver", **fixtures_nano.CONSTANT}
# By dialect. That of 002 has no VM: on a host with VMs nothing is reserved.
PARTS = [("003", fixtures_nano.cells), *((seed, of_core) for seed in ("core", "000", "003", "004")),
         ("001", of_orchestrator), ("002", of_reservation), ("003", fixtures_nano.things)]


class Nowhere(dict):
    def __missing__(self, name):
        return "unknown-name" if name in BY_NAME else ANY_ID


BY_NAME = {"node", *CONSTANT, *fixtures_nano.NAMED} - {"network"}
NOWHERE = Nowhere()
SHARED_NAMES = {*CONSTANT, "host", "floating_ip"}  # the operator's, for everybody to see


def marks(world):
    """Texts of which none may stand in an answer to somebody else."""
    return [MARK, *(str(value) for name, value in world.items() if name not in SHARED_NAMES and len(str(value)) > 7)]


def dumped(service, headers):
    """All that the tenant has, as the core API lists it."""
    out = {}
    for name in ("vms", "images", "tasks"):
        path, items = f"/core/v1/{name}?limit=500", []
        items = service.core("GET", path, headers=headers).json()["items"]
        out[name] = json.dumps(items, sort_keys=True)
    return out
