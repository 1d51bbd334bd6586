"""Dialect 004: bulk calls as curl sends them in its specification, SQL, and single things."""
import json

from dialects import ANY_ID, SKIPPED, plain
from matcher import ID, TEXT, Like, merged
from registry import line
from service import VM
from websocket import upgraded

IMAGE = "e892c826-c836-48bf-bb28-bdb0c2e382cf"
TIME = Like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-Z].*\[\w+(/\w+)?\]")
NOT_FOUND = "{} with id = {} not found"


def empty(t, answer):
    """As the specification shows every bulk answer."""
    t.refused(answer, SKIPPED)
    t.equal("0", answer.headers["Content-Length"], "Content-Length")


def query(t, sql, *values, code=200):
    parameters = [{"index": n, "value": str(value)} for n, value in enumerate(values, 1)]
    return t.json(t("POST", "/query", [{"sql": sql, "parameters": parameters}]), code)[0]


def one(t, sql, *values):
    result = query(t, sql, *values)
    t.equal(("success", ""), (result["status"], result["message"]), "the query")
    return result["data"]["row"][0]["value"][0] if result["count"] else None


def state(t, vm):
    return one(t, "select state from instances where id = ?", vm)


def bulk(t, path, *states, prepare=(), method="PUT", sample_at=None, count=2, check=None):
    """Two VMs that the sample's curl is sent for, in place of id-one and id-two; and what it passes over."""
    sample = t.samples[f"{method} {sample_at or path}"]
    verb, printed, headers, body = sample.curl
    t.equal((method, DATA), (verb, body), "the sample")
    vms = [t.service.make_vm(f"bulk-{n}") for n in range(count)]
    for command in prepare:
        for vm in vms:
            t.service.succeeded(t.core("POST", f"/core/v1/vms/{vm}/{command}", {}).headers["X-Task-Id"])
    named = body.replace("id-one", vms[0]).replace("id-two", vms[-1])
    answer = t(verb, path, named, {**FORM, **headers})
    empty(t, answer)
    t.equal(len(vms), t.done(answer)["items"]["succeeded"], "items of the batch")
    for vm in vms:
        t.true(state(t, vm) in states, f"state {state(t, vm)!r} after {path}")
        if check:
            check(vm)
    # The sample as it is printed names nothing that is known.
    passed_over = t(verb, path, body, {**FORM, **headers})
    empty(t, passed_over)
    t.equal(None, passed_over.headers["X-Task-Id"], "the task of nothing")
    for text in ("{}", "[1]"):
        t.refused(t(method, path, text), plain(400, Like(".*the body is a list of ids")))
    return vms


DATA = '[ "id-one", "id-two" ]'
FORM = {"Content-Type": "application/x-www-form-urlencoded"}  # curl's own, where it is told no other
ON_VM = {"body": ["{vm}"], "unknown": SKIPPED}


@line("004", "POST", "/query", body=[{"sql": "select id, name from instances"}], malformed=plain(400))
def sql(t):
    sample = t.samples["POST /query"]
    method, path, headers, body = sample.curl
    t.equal(json.loads(sample.block("request.json")), json.loads(body), "the sample's body")
    # It lacks "where": a syntax error; with it the answer is the sample's, member by member.
    wrong = t.json(t(method, path, body, headers))
    t.equal(["syntax_error"], [result["status"] for result in wrong], "of the printed text")
    right = body.replace("projects name", "projects where name").replace("selenium", "^demo$")
    printed = sample.answer()
    given = t.json(t(method, path, right, headers))
    wanted = [merged(printed[0], count=1, data={"row": [{"value": [ID, "demo"]}]})]
    t.same(wanted, given)
    missing = t.json(t(method, path, [{"sql": "select :a:"}]))[0]
    t.equal("missing_parameters", missing["status"], "a parameter that is not given")
    t.equal("evaluation_error", query(t, "select 'a' regexp '('")["status"], "no regular expression")
    several = t.json(t(method, path, [{"sql": "select 1; select 2"}]))
    t.equal([1, 1], [result["count"] for result in several], "counts of two statements in a text")
    t.refused(t(method, path, {"sql": 1}), plain(400))


@line("004", "POST", "/instances", body=[{"name": "anybodys", "flavor": "{flavor_name}", "image": "{image_name}"}],
      unknown="nothing")
def launch(t):
    wanted = [{"name": f"launched-{n}", "flavor": {"id": "42"}, "image": {"id": IMAGE},
               "metadata": {"entry": [{"key": "region", "value": "test-region"}]}} for n in range(2)]
    answer = t("POST", "/instances", json.dumps(wanted), FORM)
    empty(t, answer)
    task = t.done(answer)
    t.equal(("perspective", 2), (task["dialect"], task["items"]["succeeded"]), "the batch")
    t.equal("launched", one(t, "select state from instances where name = ?", "launched-1"), "the state")
    t.refused(t("POST", "/instances", [{"flavor": "m1.nano"}]), plain(400, Like("an instance needs a name.+")))
    t.refused(t("POST", "/instances", {"name": "x"}), plain(400))
    # An item that cannot be done is the task's affair.
    unknown = t("POST", "/instances", [{"name": "x", "flavor": "no-flavor", "image": IMAGE}])
    empty(t, unknown)
    t.equal("FAILED", t.service.finished(unknown.headers["X-Task-Id"])["state"], "the task")


@line("004", "POST", "/instances/delete", **ON_VM)
def delete(t):
    bulk(t, "/instances/delete", None, method="POST")


@line("004", "PUT", "/instances/reboot", **ON_VM)
def reboot(t):
    bulk(t, "/instances/reboot", "launched")


@line("004", "PUT", "/instances/hard-reboot", **ON_VM)
def hard_reboot(t):
    vms = bulk(t, "/instances/hard-reboot", "launched")
    tasks = t.core("GET", f"/core/v1/tasks?resource={vms[0]}&command=vm.reboot").json()["items"]
    t.equal(1, len(tasks), "reboots of the VM")


@line("004", "PUT", "/instances/start", **ON_VM)
def start(t):
    bulk(t, "/instances/start", "launched", prepare=["stop"])


@line("004", "PUT", "/instances/shutdown", **ON_VM)
def shutdown(t):
    bulk(t, "/instances/shutdown", "shutoff")


@line("004", "PUT", "/instances/pause", **ON_VM)
def pause(t):
    bulk(t, "/instances/pause", "paused")


@line("004", "PUT", "/instances/resume", **ON_VM)
def resume(t):
    bulk(t, "/instances/resume", "launched", prepare=["pause"])
    bulk(t, "/instances/resume", "launched", prepare=["suspend"])


@line("004", "PUT", "/instances/suspend", **ON_VM)
def suspend(t):
    bulk(t, "/instances/suspend", "suspended")


@line("004", "PUT", "/instances/resize/{newFlavorID}", at="/instances/resize/{flavor}", body=["{vm}"],
      unknown=plain(404, "Flavor with id = unknown-name not found"), theirs=SKIPPED)
def resize(t):
    bulk(t, "/instances/resize/1", "launched", sample_at="/instances/resize/{newFlavorID}", check=lambda vm: t.equal(
        "1", one(t, "select flavor_id from instances where id = ?", vm), "the flavor"))
    t.refused(t("PUT", "/instances/resize/flavor-one", DATA), plain(404, NOT_FOUND.format("Flavor", "flavor-one")))


@line("004", "PUT", "/instances/rename", body={"{vm}": "anybodys"}, unknown=SKIPPED)
def rename(t):
    verb, path, headers, body = t.samples["PUT /instances/rename"].curl
    vm = t.service.make_vm("old-name")
    answer = t(verb, path, body.replace("id-one", vm), {**FORM, **headers})
    empty(t, answer)
    t.done(answer)
    t.equal("one-new-name", one(t, "select name from instances where id = ?", vm), "the name")
    empty(t, t(verb, path, body, headers))
    t.refused(t("PUT", path, ["x"]), plain(400, "the body is a map of id to name"))
    t.refused(t("PUT", path, {vm: ""}), plain(400))


@line("004", "PUT", "/instances/rebuild/{newImageID}", at="/instances/rebuild/{image}", body=["{vm}"],
      unknown=plain(404, NOT_FOUND.format("Image", ANY_ID)))
def rebuild(t):
    bulk(t, f"/instances/rebuild/{IMAGE}", "launched", sample_at="/instances/rebuild/{newImageID}")
    t.refused(t("PUT", "/instances/rebuild/some-image", DATA), plain(404, NOT_FOUND.format("Image", "some-image")))


@line("004", "GET", "/instances/{ID}", at="/instances/{vm}")
def instance(t):
    launched = t("POST", "/instances", [{"name": "test-instance", "flavor": "m1.nano", "image": IMAGE, "metadata": {
        "entry": [{"key": "region", "value": "test-region"}]}}])
    t.done(launched)
    vm = one(t, "select id from instances where name = ?", "test-instance")
    sample = t.samples["GET /instance/{ID}"]
    method, path, headers, _ = sample.curl
    printed = sample.answer()
    project = one(t, "select id from projects where name = 'demo'")
    wanted = merged(
        printed, realId=TEXT, timestamp=TIME, created=TIME, cloudId="simulated", cloudType="simulated",
        projectId=project, address=[Like(r"\d+\.\d+\.\d+\.\d+")],
        flavor={"id": "42", "name": "m1.nano", "ram": 128, "vcpus": 1, "rootDisk": 1},
        image={"realId": TEXT, "timestamp": TIME, "created": TIME, "cloudId": "simulated", "cloudType": "simulated",
               "name": VM["image"], "metadata": {"entry": []}, "projectId": [ID]},
        networks=[merged(printed["networks"][0], name="shared", isShared=True, subnets=[])])
    title = t.get(f"/instance/{vm}")
    given = t.json(t(method, path.replace(printed["id"], vm), None, headers))
    t.equal(given, title, "/instance/ against /instances/")
    t.same(wanted, given, free=["subnets", "entry", "projectId"], extra=["checksum"])
    t.equal(printed["metadata"], given["metadata"], "the metadata")
    unknown = t(method, path, None, headers)
    t.refused(unknown, plain(404, NOT_FOUND.format("Instance", printed["id"])))
    t.refused(t("GET", "/instances/no-id"), plain(404, NOT_FOUND.format("Instance", "no-id")))


@line("004", "POST", "/images", body=[{"name": "anybodys", "instanceId": "{vm}"}], unknown=SKIPPED)
def capture(t):
    vm = t.service.make_vm("to-capture")
    answer = t("POST", "/images", json.dumps([{"name": "captured", "instanceId": vm, "cloudType": "simulated",
                                               "projectId": ["demo"]}]), FORM)
    empty(t, answer)
    t.done(answer)
    t.equal("saved", one(t, "select state from images where name = 'captured'"), "the image")
    t.refused(t("POST", "/images", [{"name": "x"}]), plain(400, Like("an image needs the instanceId.+")))


def make_image(t, name):
    answer = t.core("POST", f"/core/v1/vms/{t.service.make_vm('imaged')}/capture", {"name": name})
    return next(r["id"] for r in t.done(answer)["resources"] if r["kind"] == "image")


@line("004", "POST", "/images/delete", body=["{image}"], unknown=SKIPPED)
def delete_images(t):
    verb, path, headers, body = t.samples["POST /images/delete"].curl
    image = make_image(t, "to-delete")
    answer = t(verb, path, body.replace("id-one", image), {**FORM, **headers})
    empty(t, answer)
    t.done(answer)
    t.equal("0", str(one(t, "select count(*) from images where id = ? and state = 'saved'", image)), "saved images")
    empty(t, t(verb, path, body, {**FORM, **headers}))


@line("004", "GET", "/ping", public=True, shared=True)
def ping(t):
    method, path, headers, _ = t.samples["GET /ping"].curl
    empty(t, t(method, path, None, headers))


@line("004", "GET", "/version", public=True, shared=True)
def version(t):
    answer = t("GET", "/version", None, {"Accept": "text/plain"})
    t.equal("text/plain; charset=utf-8", answer.headers["Content-Type"].lower(), "the type")
    t.true(answer.body.strip(), "an empty version")


OPERATIONS = {
    "listProjects", "addInstance", "deleteInstance", "hardRebootInstance", "listInstances", "migrateInstance",
    "pauseInstance", "rebootInstance", "rebuildInstance", "renameInstance", "resizeInstance", "resumeInstance",
    "startInstance", "shutdownInstance", "suspendInstance", "unpauseInstance", "addImage", "deleteImage",
    "listImages"}


@line("004", "GET", "/operations", shared=True)
def operations(t):
    method, path, headers, _ = t.samples["GET /operations"].curl
    body = t.json(t(method, path, None, headers))
    t.equal({"simulated"}, set(body), "cloud types")
    # An address of its own a VM cannot have here.
    t.equal(OPERATIONS, set(body["simulated"]) - {"addAddress", "deleteAddress"}, "operations")


@line("004+", "GET", "/images/{ID}", at="/images/{image}")
def image(t):
    made = make_image(t, "shown-image")
    printed = t.samples["GET /instance/{ID}"].answer()["image"]
    wanted = merged(printed, realId=TEXT, timestamp=TIME, created=TIME, metadata={"entry": []}, cloudId="simulated",
                    cloudType="simulated", name="shown-image", projectId=[ID])
    t.same(wanted, t.get(f"/images/{made}"), free=["entry"], extra=["checksum"])
    t.refused(t("GET", "/images/no-id"), plain(404, NOT_FOUND.format("Image", "no-id")))


@line("004+", "GET", "/mail", unknown="nothing")
def mail(t):
    with upgraded(t, "/mail") as raw:
        t.done(t("POST", "/instances", [{"name": "told-by-mail", "flavor": "m1.nano", "image": IMAGE}]))
        t.equal(b"\x81", raw.read(1), "the first byte of a frame of text")
    t.equal(426, t("GET", "/mail").status, "a plain request")
