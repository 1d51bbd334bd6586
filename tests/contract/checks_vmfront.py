"""Dialect 000: the requests of its specification as they are printed, the answers beside them."""
import ast
import json

from dialects import DIALECTS
from matcher import TEXT, Like, merged
from registry import line

IDENTITY = {"user": "demo", "password": "test", "project_name": "demo"}
NEW = {"flavor_name": "{flavor_name}", "image_name": "{image_name}", "network_id": "{network}",
       "virtual_machine_name": "anybodys"}
HOUR = Like(r"\d{4}-\d\d-\d\d \d\d:00:00")


def ask_sample(t, title):
    """The sample's curl, and what is common to the dialect's lines: who does not say who he is."""
    sample = t.samples[title]
    method, path, headers, body = sample.curl
    answer = t(method, path, body or None, headers)
    t.equal(headers["user"], IDENTITY["user"], "the sample's user")
    anonymous(t, method, path, body)
    return sample, answer


def anonymous(t, method, path, body=None):
    t.refused(t(method, path, body, identity=False), DIALECTS["000"].refusals["anonymous"])
    t.refused(t(method, path, body, {"user": "demo"}, identity=False),
              (400, "application/json", {"error": "password was not provided"}))
    wrong = {"user": "nobody", "password": "of these"}
    t.refused(t(method, path, body, wrong, identity=False), (503, "application/json", {"error": TEXT}))


def as_python_writes(t, answer):
    """A blank after each colon and comma, as the original's own server."""
    t.equal("application/json", answer.headers["Content-Type"], "the type")
    t.equal(json.dumps(t.json(answer, answer.status)), answer.body.decode(), "the text")


def list_like_sample(t, title):
    sample, answer = ask_sample(t, title)
    as_python_writes(t, answer)
    t.same(sample.answer(), t.json(answer))


@line("000", "GET", "/api/virtual_machines")
def virtual_machines(t):
    wanted = {"flavor": "m1.nano", "image": "cirros-0.5.1-x86_64-disk", "network": t.world["network"]}
    vm = t.service.make_vm("test_3", **wanted)
    sample, answer = ask_sample(t, "list of virtual machines")
    as_python_writes(t, answer)
    servers = t.json(answer)["servers"]
    mine = [server for server in servers if server["id"] == vm]
    t.same({"servers": [sample.answer()["servers"][0]]}, {"servers": mine})
    for server in servers:
        t.true(server.keys() == mine[0].keys(), f"other members: {server}")


@line("000", "GET", "/api/networks", shared=True)
def networks(t):
    list_like_sample(t, "list of networks")


@line("000", "GET", "/api/images")
def images(t):
    sample, answer = ask_sample(t, "list of images")
    as_python_writes(t, answer)
    body = t.json(answer)
    public = sample.answer()["images"][0]
    t.same(sample.answer(), merged(body, images=[i for i in body["images"] if i["id"] == public["id"]]))
    # One that was captured has what is known of it.
    for image in body["images"]:
        t.true({"id", "name", "status", "visibility", "owner", "self"} <= image.keys(), f"lacks members: {image}")


@line("000", "GET", "/api/flavors", shared=True)
def flavors(t):
    list_like_sample(t, "list of flavors")


@line("000", "POST", "/api/virtual_machines", body=NEW)
def create(t):
    sample, answer = ask_sample(t, "create virtual machine")
    t.equal(202, answer.status, "the status")
    as_python_writes(t, answer)
    t.same(merged(sample.answer(), server={"adminPass": Like("[0-9A-Za-z]{12}")}), answer.json())
    task = t.done(answer)
    t.equal(("vm.create", "vmfront"), (task["command"], task["dialect"]), "the task")
    t.equal(answer.json()["server"]["id"], task["resources"][0]["id"], "the id that was promised")
    names = list(NEW)
    for given in ({}, {"flavor_name": "m1.nano"}, {name: "" for name in names}):
        missing = ", ".join(f"'{name}'" for name in names if not given.get(name))
        t.refused(t("POST", "/api/virtual_machines", given), (400, "application/json", {
            "error": f"the following fields were not provided: [{missing}]"}))
    whole = json.loads(sample.curl[3])
    for name, text in (("flavor_name", "m1.huge"), ("image_name", "no-image"), ("network_id", "no-network")):
        t.refused(t("POST", "/api/virtual_machines", {**whole, name: text}), (404, "application/json", {
            "error": f"resource {text} not found"}))


@line("000", "GET", "/api/statistics/virtual_machines/number/per_day")
def statistics(t):
    t.service.make_vm("counted")
    sample, answer = ask_sample(t, "get statistics (virtual machines in every hour for 1 day)")
    t.equal(200, answer.status, "the status")
    t.equal("text/html; charset=utf-8", answer.headers["Content-Type"].lower(), "the type")
    text = answer.body.decode()
    shape = {"timestamp": HOUR, "virtual_machines_number": 1}
    rows = ast.literal_eval(text)
    t.equal(str(rows), text, "written as the sample is")
    printed = ast.literal_eval(sample.block("answer 200").strip())
    t.equal(list(printed[0]), list(rows[-1]), "the members")
    t.true(1 <= len(rows) <= 24, f"{len(rows)} hours")
    t.equal(len(t.get("/api/virtual_machines")["servers"]), rows[-1]["virtual_machines_number"], "the last count")
    as_json = t.get("/api/statistics/virtual_machines/number/per_day", headers={"Accept": "application/json"})
    for row in as_json:
        t.same(shape, row, free=["virtual_machines_number"])


@line("000+", "GET", "/api/token")
def token(t):
    body = t.get("/api/token")
    t.same({"token": TEXT}, body)
    anonymous(t, "GET", "/api/token")
    vms = t.core("GET", "/core/v1/vms?limit=1", headers={"Authorization": f"Bearer {body['token']}"})
    t.equal(200, vms.status, "the core, asked with the token")
