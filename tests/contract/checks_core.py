"""The core API, /core/v1, and what stands beside it on the main listener."""
import time

from dialects import DIALECTS, problem
from matcher import ID, NUMBER, TEXT, Any, Like
from registry import line
from service import VM

TIME = Like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
MAYBE = Any(str, type(None))
MAYBE_NUMBER = Any(int, float, type(None))
TASK = {
    "id": ID, "command": TEXT, "dialect": TEXT, "tenant": TEXT, "actor": TEXT, "priority": NUMBER,
    "state": Like("[A-Z_]+"), "terminal": Any(bool),
    "progress": {"percent": MAYBE_NUMBER, "step": TEXT, "message": TEXT}, "resources": Any(list),
    "attempt": NUMBER, "max_attempts": NUMBER, "next_attempt_at": MAYBE, "result": Any(dict, type(None)),
    "error": Any(dict, type(None)), "parent": MAYBE, "depends_on": Any(list), "items": Any(dict, type(None)),
    "created_at": TIME, "started_at": MAYBE, "finished_at": MAYBE, "deadline": TIME, "version": NUMBER,
    "seq": NUMBER, "links": {"self": Like("/core/v1/tasks/.+"), "events": Like("/core/v1/tasks/.+/events"),
                             "items": MAYBE, "cancel": MAYBE, "console": TEXT}}
MORE = {"extra": ["cancel_requested", "backend", "not_before", "name"]}
NO_TASK = DIALECTS["core"].refusals["unknown"]


def bad(status, code="invalid-argument"):
    return problem(status, code)


EVENT = {"seq": NUMBER, "time": TIME, "type": TEXT, "stream": TEXT, "version": NUMBER, "tenant": TEXT,
         "actor": TEXT, "dialect": TEXT, "request_id": TEXT, "trace": TEXT, "correlation": TEXT,
         "causation": MAYBE_NUMBER, "schema": NUMBER, "data": Any(dict)}


def task_of(t, answer, command, codes=(202,)):
    """The task of an accepted command, as the conventions show it."""
    t.true(answer.status in codes, f"{answer.status} {answer.body[:200]!r}")
    body = answer.json()
    t.same({**TASK, "command": command, "id": answer.headers["X-Task-Id"]}, body, **MORE)
    t.true(answer.headers["ETag"], "no ETag")
    t.true(answer.headers["Slipway-Seq"], "no Slipway-Seq")
    return body


def page_of(t, path, *members):
    """A list: its items, none of which lacks a member."""
    body = t.get(path)
    t.same({"items": Any(list), "next_cursor": MAYBE}, body, extra=["total", "total_is_lower_bound"])
    for item in body["items"]:
        t.true(set(members) <= item.keys(), f"{path}: {set(members) - item.keys()} missing")
    t.refused(t("GET", path.partition("?")[0] + "?limit=0"), bad(400))
    t.refused(t("GET", path.partition("?")[0] + "?no_such_filter=1"), bad(400))
    return body["items"]


def wants_json(t, path, body):
    """A body of another type, a member that there is not and a missing one are refused."""
    t.refused(t("POST", path, "x", {"Content-Type": "text/plain"}), bad(415, "unsupported-media-type"))
    t.true(t("POST", path, {**body, "colour": "red"}).status in (400, 422), "an unknown member was taken")


@line("core", "POST", "/core/v1/commands", body={"command": "vm.stop", "args": {"vm": "{vm}"}})
def commands(t):
    body = {"command": "vm.create", "args": {"name": "by-command", **VM}}
    plan = t.json(t("POST", "/core/v1/commands", {**body, "dry_run": True}))
    t.true(plan, "an empty plan")
    answer = t("POST", "/core/v1/commands", body, {"Idempotency-Key": f"conform-{time.time_ns()}"})
    task_of(t, answer, "vm.create")
    t.done(answer)
    waited = t("POST", "/core/v1/commands", body, {"Prefer": "wait=30"})
    t.equal(True, task_of(t, waited, "vm.create", (200,))["terminal"], "terminal")
    t.equal("wait=30", waited.headers["Preference-Applied"], "Preference-Applied")
    t.refused(t("POST", "/core/v1/commands", {"command": "vm.crate"}), bad(400, "unknown-command"))
    t.refused(t("POST", "/core/v1/commands", {"command": "vm.create", "args": {}}), bad(400))
    wants_json(t, "/core/v1/commands", body)


@line("core", "POST", "/core/v1/vms", body={"name": "anybodys", "flavor": "{flavor}", "image": "{image_name}"},
      unknown=bad(422))
def create_vm(t):
    task = task_of(t, t("POST", "/core/v1/vms", {"name": "by-vms", **VM}), "vm.create")
    t.same([{"kind": "vm", "id": ID, "href": Like("/core/v1/vms/.+")}], task["resources"], extra=["name"])
    t.refused(t("POST", "/core/v1/vms", {"name": "x"}), bad(400))
    wants_json(t, "/core/v1/vms", {"name": "x", **VM})


@line("core", "GET", "/core/v1/vms", at="/core/v1/vms?limit=500")
def list_vms(t):
    vm = t.service.make_vm("listed-vm")
    items = page_of(t, "/core/v1/vms?limit=500", "id", "name", "state", "tenant", "links", "version")
    t.true(vm in [item["id"] for item in items], "the VM is not in the list")
    states = {item["state"] for item in t.get("/core/v1/vms?state=RUNNING&limit=500")["items"]}
    t.equal({"RUNNING"}, states, "states of a filtered list")


@line("core", "GET", "/core/v1/vms/{id}", at="/core/v1/vms/{vm}")
def get_vm(t):
    vm = t.service.make_vm("shown-vm")
    answer = t("GET", f"/core/v1/vms/{vm}")
    body = t.json(answer)
    t.equal((vm, "shown-vm", "RUNNING", "demo"),
            tuple(body[k] for k in ("id", "name", "state", "tenant")), "the VM")
    t.equal(f'"{body["version"]}"', answer.headers["ETag"], "ETag")
    t.equal(304, t("GET", f"/core/v1/vms/{vm}", None, {"If-None-Match": answer.headers["ETag"]}).status,
            "If-None-Match")


@line("core", "DELETE", "/core/v1/vms/{id}", at="/core/v1/vms/{vm}", wrong_verb="PUT")
def delete_vm(t):
    vm = t.service.make_vm("deleted-vm")
    t.refused(t("DELETE", f"/core/v1/vms/{vm}", None, {"If-Match": '"99"'}), bad(412, "version-mismatch"))
    answer = t("DELETE", f"/core/v1/vms/{vm}")
    task_of(t, answer, "vm.delete")
    t.done(answer)
    t.equal("DELETED", t.get(f"/core/v1/vms/{vm}")["state"], "the state")


@line("core", "POST", "/core/v1/vms/{id}/{action}", at="/core/v1/vms/{vm}/reboot", body={})
def act_on_vm(t):
    vm = t.service.make_vm("acted-on")
    for action, more, command in (
            ("stop", {}, "vm.stop"), ("start", {}, "vm.start"), ("reboot", {}, "vm.reboot"),
            ("pause", {}, "vm.pause"), ("resume", {}, "vm.unpause"), ("suspend", {}, "vm.suspend"),
            ("resume", {}, "vm.resume"), ("resize", {"flavor": "m1.tiny"}, "vm.resize"),
            ("rebuild", {"image": VM["image"]}, "vm.rebuild"), ("rename", {"name": "renamed"}, "vm.rename"),
            ("migrate", {}, "vm.migrate"), ("snapshot", {"name": "snap"}, "vm.snapshot.create")):
        answer = t("POST", f"/core/v1/vms/{vm}/{action}", more)
        t.done(answer)
        task_of(t, answer, command)
    t.refused(t("POST", f"/core/v1/vms/{vm}/start", {}), bad(409, "illegal-transition"))
    t.refused(t("POST", f"/core/v1/vms/{vm}/explode", {}), NO_TASK)
    t.refused(t("POST", f"/core/v1/vms/{vm}/rename", {}), bad(400))


@line("core", "POST", "/core/v1/batches",
      body={"commands": [{"command": "vm.stop", "args": {"vm": "{vm}"}}]})
def batches(t):
    answer = t("POST", "/core/v1/batches", {"template": {"name": "of-a-batch", **VM}, "count": 2})
    task_of(t, answer, "batch.commands")
    body = t.done(answer)
    t.equal({"total": 2, "succeeded": 2, "failed": 0, "cancelled": 0, "running": 0}, body["items"], "items")
    listed = {"commands": [{"command": "vm.create", "args": {"name": "of-a-list", **VM}}]}
    t.done(t("POST", "/core/v1/batches", listed))
    t.refused(t("POST", "/core/v1/batches", {"commands": []}), bad(422))
    t.refused(t("POST", "/core/v1/batches", {}), bad(400))


@line("core", "GET", "/core/v1/images", at="/core/v1/images?limit=500")
def list_images(t):
    for path, members in (("images", ["id", "state"]), ("flavors", ["id", "vcpus"]),
                          ("networks", ["id", "subnets"]), ("hosts", ["backend", "vcpus"])):
        items = page_of(t, f"/core/v1/{path}?limit=500", "name", "links", *members)
        t.true(items, f"no {path}")
    first = t.get("/core/v1/flavors?limit=1")
    second = t.get(f"/core/v1/flavors?limit=1&cursor={first['next_cursor']}")
    t.true(first["items"] != second["items"], "the cursor leads nowhere")


@line("core", "GET", "/core/v1/tasks", at="/core/v1/tasks?limit=500")
def list_tasks(t):
    vm = t.service.make_vm("of-a-task")
    items = page_of(t, f"/core/v1/tasks?resource={vm}", *TASK)
    t.equal(["vm.create"], [item["command"] for item in items], "the VM's tasks")
    for query in ("state=SUCCEEDED", "command=vm.create", "dialect=core", "tenant=demo",
                  "created_after=2020-01-01T00:00:00Z", "sort=-created_at", "count=true"):
        t.true(t.get(f"/core/v1/tasks?{query}")["items"], f"none for {query}")
    t.equal([], t.get("/core/v1/tasks?created_before=2020-01-01T00:00:00Z")["items"], "tasks of 2020")


@line("core", "GET", "/core/v1/tasks/{id}", at="/core/v1/tasks/{task}")
def get_task(t):
    waiting = t("GET", f"/core/v1/tasks/{t.world['waiting']}")
    t.equal((202, "no-cache"), (waiting.status, waiting.headers["Cache-Control"]), "a poll")
    t.equal(False, task_of(t, waiting, "vm.create")["terminal"], "terminal")
    done = t("GET", f"/core/v1/tasks/{t.world['task']}?wait=10s")
    t.equal("SUCCEEDED", task_of(t, done, "vm.create", (200,))["state"], "state")
    t.equal(304, t("GET", f"/core/v1/tasks/{t.world['task']}", None,
                   {"If-None-Match": done.headers["ETag"]}).status, "unchanged")
    t.refused(t("GET", "/core/v1/tasks/no-uuid"), NO_TASK)


@line("core", "GET", "/core/v1/tasks/{id}/events", at="/core/v1/tasks/{task}/events")
def task_events(t):
    path = f"/core/v1/tasks/{t.world['task']}/events"
    body = t.get(path)
    t.same({"items": Any(list), "next_seq": NUMBER}, body)
    for event in body["items"]:
        t.same(EVENT, event)
    t.equal("CommandAccepted", body["items"][0]["type"], "the first event")
    lines = t("GET", path, None, {"Accept": "application/x-ndjson"})
    t.equal("application/x-ndjson", lines.headers["Content-Type"].partition(";")[0], "the type of lines")
    t.equal(len(body["items"]), len(lines.body.splitlines()), "lines")
    last = str(body["items"][-1]["seq"])
    t.equal(204, t("GET", path, None, {"Accept": "text/event-stream", "Last-Event-ID": last}).status,
            "the stream of a task that has ended")


@line("core", "GET", "/core/v1/tasks/{id}/items", at="/core/v1/tasks/{batch}/items")
def task_items(t):
    items = page_of(t, f"/core/v1/tasks/{t.world['batch']}/items", *TASK)
    t.equal([t.world["batch"]] * 2, [item["parent"] for item in items], "the items' batch")


def waiting_task(t):
    answer = t.core("POST", "/core/v1/vms", {"name": "waits", **VM, "not_before": "2999-01-01T00:00:00Z",
                                             "deadline": "2999-01-02T00:00:00Z"})
    return answer.headers["X-Task-Id"]


@line("core", "POST", "/core/v1/tasks/{id}/cancel", at="/core/v1/tasks/{task}/cancel", body={})
def cancel_task(t):
    task = waiting_task(t)
    t.equal("CANCELLED", task_of(t, t("POST", f"/core/v1/tasks/{task}/cancel"), "vm.create")["state"], "state")
    t.refused(t("POST", f"/core/v1/tasks/{task}/cancel"), bad(409, "illegal-transition"))


@line("core", "POST", "/core/v1/tasks/{id}/retry", at="/core/v1/tasks/{task}/retry", body={})
def retry_task(t):
    task = waiting_task(t)
    t.refused(t("POST", f"/core/v1/tasks/{task}/retry"), bad(409, "illegal-transition"))
    t.core("POST", f"/core/v1/tasks/{task}/cancel")
    answer = t("POST", f"/core/v1/tasks/{task}/retry")
    body = task_of(t, answer, "vm.create")
    t.equal(task, body["parent"], "the parent")
    t.equal(f"/core/v1/tasks/{body['id']}", answer.headers["Location"], "Location")


def bulk(t, what, state, prepare):
    tasks = [waiting_task(t) for _ in range(2)]
    prepare(tasks)
    wish = {"filter": {"state": [state], "command": "vm.create"}}
    found = t.json(t("POST", f"/core/v1/tasks/{what}", {**wish, "dry_run": True}))
    t.true(set(tasks) <= set(found["tasks"]), f"{tasks} are not among {found}")
    t.refused(t("POST", f"/core/v1/tasks/{what}", {**wish, "expected_total": found["total"] + 9}),
              bad(409, "match-changed"))
    answer = t("POST", f"/core/v1/tasks/{what}", {**wish, "expected_total": found["total"]})
    t.equal(202, answer.status, "the status")
    t.equal(found["total"], t.done(answer)["items"]["total"], "items of the batch")
    t.refused(t("POST", f"/core/v1/tasks/{what}", {}), bad(400))


@line("core", "POST", "/core/v1/tasks/cancel", body={"filter": {"resource": "{vm}"}}, unknown="nothing")
def cancel_many(t):
    bulk(t, "cancel", "BLOCKED", lambda tasks: None)


@line("core", "POST", "/core/v1/tasks/retry", body={"filter": {"resource": "{vm}"}}, unknown="nothing")
def retry_many(t):
    bulk(t, "retry", "CANCELLED", lambda tasks: [
        t.core("POST", f"/core/v1/tasks/{task}/cancel") for task in tasks])


@line("core", "GET", "/core/v1/events", at="/core/v1/events?from=0")
def events(t):
    page = t.get("/core/v1/events?from=0")
    t.same({"items": Any(list), "next_seq": NUMBER}, page)
    for event in page["items"]:
        t.same(EVENT, event)
    seqs = [event["seq"] for event in page["items"]]
    t.equal(list(range(seqs[0], seqs[0] + len(seqs))), seqs, "the seqs")
    lines = t("GET", "/core/v1/events?from=0", None, {"Accept": "application/x-ndjson"})
    t.true(len(lines.body.splitlines()) >= len(seqs), "fewer lines than events")
    t.refused(t("GET", "/core/v1/events?from=x"), bad(400))


@line("core", "POST", "/core/v1/subscriptions", body={"url": "https://example.com/hook"}, task=False)
def subscribe(t):
    made = t.json(t("POST", "/core/v1/subscriptions", {"url": "https://example.com/hook"}), 201)
    path = f"/core/v1/subscriptions/{made['id']}"
    t.equal(made["id"], t.get(path)["id"], "the id")
    t.true(made["id"] in [one["id"] for one in t.get("/core/v1/subscriptions")["items"]], "not in the list")
    t.true(t("DELETE", path).status in (200, 202, 204), "not deleted")
    t.refused(t("GET", path), NO_TASK)
    t.refused(t("POST", "/core/v1/subscriptions", {}), bad(400))


@line("core", "GET", "/core/v1/subscriptions/{id}/deliveries", at="/core/v1/subscriptions/{subscription}/deliveries")
def deliveries(t):
    made = t.json(t("POST", "/core/v1/subscriptions", {"url": "https://example.com/hook"}), 201)
    t.same({"items": Any(list), "next_cursor": MAYBE}, t.get(f"/core/v1/subscriptions/{made['id']}/deliveries"))


@line("core", "POST", "/core/v1/sql", body=[{"sql": "select count(*) from instances"}])
def sql(t):
    vm = t.service.make_vm("in-sql")
    asked = [{"sql": "select name from instances where id = :id:", "parameters": [{"name": "id", "value": vm}]}]
    t.same([{"status": "success", "count": 1, "data": {"columnName": ["name"], "row": [{"value": ["in-sql"]}]},
             "message": ""}], t.json(t("POST", "/core/v1/sql", asked)))
    past = [{"sql": "select count(*) from instances as of seq 1"}]
    t.equal("0", str(t.json(t("POST", "/core/v1/sql", past))[0]["data"]["row"][0]["value"][0]), "VMs at seq 1")


@line("core", "GET", "/core/v1/stats/{series}", at="/core/v1/stats/{series}")
def stats(t):
    for series in ("vms_existing", "vms_created", "vms_deleted", "vm_hours", "tasks_finished", "task_wait"):
        body = t.get(f"/core/v1/stats/{series}?step=1h&tz=Europe/Berlin")
        t.same({"series": series, "step": "1h", "tz": "Europe/Berlin", "from": TIME, "to": TIME,
                "items": Any(list)}, body)
        for item in body["items"]:
            t.same({"start": TIME, "value": NUMBER}, item, extra=["group"])
    t.refused(t("GET", "/core/v1/stats/vms_existing?step=1y"), bad(400))


@line("core", "GET", "/core/v1/audit/proof", shared=True, own_role="admin")
def proof(t):
    body = t.get("/core/v1/audit/proof?from=1")
    t.same({"algorithm": TEXT, "items": Any(list), "next_seq": NUMBER}, body)
    for item in body["items"]:
        t.same({"seq": NUMBER, "events": NUMBER, "hash": Like("[0-9a-f]{64}")}, item)
    t.refused(t("GET", "/core/v1/audit/proof?from=x"), bad(400))


@line("core", "GET", "/core/v1/queues/{worker_pool}", shared=True, own_role="admin")
def queue(t):
    t.same({"worker_pool": "default", "ready": NUMBER, "scheduled": NUMBER, "leased": NUMBER, "slots": NUMBER,
            "oldest_ready_age_seconds": NUMBER, "desired_workers": NUMBER}, t.get("/core/v1/queues/default"))


@line("core", "GET", "/core/v1/workers", shared=True, own_role="admin")
def workers(t):
    items = page_of_workers(t)
    t.equal(404, t("POST", "/core/v1/workers/0197f3a0-0000-7000-8000-000000000000/drain", {}).status, "drain of none")
    t.true(items and items[0]["slots"] > 0, "no worker")


def page_of_workers(t):
    body = t.get("/core/v1/workers")
    for worker in body["items"]:
        t.same({"id": ID, "worker": TEXT, "pools": Any(list), "version": TEXT, "slots": NUMBER, "busy": NUMBER,
                "draining": Any(bool), "connected_at": TIME}, worker)
    return body["items"]


# No task: nothing is to be followed that the answer does not say.
@line("core", "POST", "/core/v1/admin/projections/{name}/rebuild", at="/core/v1/admin/projections/{projection}/rebuild",
      task=False, shared=True)
def rebuild(t):
    answer = t("POST", "/core/v1/admin/projections/all/rebuild")
    t.same({"projection": "all", "state": "rebuilding"}, t.json(answer, 202))
    t.eventually(lambda: t.get("/core/v1/vms?limit=1")["items"] or True, "the lists to answer again")


@line("core", "POST", "/core/v1/admin/backup", task=False, shared=True)
def backup(t):
    t.same({"backup": TEXT, "state": "started"}, t.json(t("POST", "/core/v1/admin/backup"), 202))


@line("core", "GET", "/core/v1/openapi.json", public=True, shared=True)
def openapi(t):
    body = t.get("/core/v1/openapi.json")
    t.true(body["openapi"].startswith("3.1"), body["openapi"])
    t.true("/core/v1/commands" in body["paths"], "no commands in it")


@line("core", "GET", "/problems/{code}", at="/problems/{problem}", public=True, shared=True)
def problem_page(t):
    t.same({"code": "not-found", "title": TEXT, "status": 404, "retryable": False, "cause": TEXT, "remedy": TEXT},
           t.get("/problems/not-found", headers={"Accept": "application/json"}))
    page = t("GET", "/problems/not-found", None, {"Accept": "text/html"})
    t.equal("text/html; charset=utf-8", page.headers["Content-Type"].lower(), "the page's type")
    is_page(t, page)


def is_page(t, page):
    t.equal(200, page.status, "the page's status")
    t.true("default-src 'self'" in (page.headers["Content-Security-Policy"] or ""), "no content policy")
    t.equal("nosniff", page.headers["X-Content-Type-Options"], "X-Content-Type-Options")


@line("core", "GET", "/metrics", public=True, shared=True)
def metrics(t):
    answer = t("GET", "/metrics")
    t.true(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), answer.headers["Content-Type"])
    t.true(b"\nslipway_build_info{" in answer.body, "no slipway_build_info")


@line("core", "GET", "/healthz", public=True, shared=True)
def health(t):
    t.equal("ok", t.get("/healthz")["status"], "/healthz")
    t.equal("ready", t.get("/readyz")["status"], "/readyz")


@line("core", "GET", "/console", public=True, shared=True)
def console(t):
    for path in ("/console", "/docs"):
        is_page(t, t("GET", path))
