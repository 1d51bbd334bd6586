"""Dialect 001: the requests of its specification as curl and httpie send them. The cloud "fake_driver" has
the fixed face of the samples; only which number a new node gets depends on what was made before."""
import hashlib
import json

from dialects import orchestrator_error
from matcher import NUMBER, TEXT, Any, Exact, Like, merged
from registry import line

CLOUD, BASE = "fake_driver", "/api/v1"
PROVIDER = {"provider": "dummy", "cloud_type": "Dummy Node Provider"}
NO_CLOUD = orchestrator_error(500, "Cloud not valid or wrong path")
NO_NODE = orchestrator_error(400, "no useful node id here")
SCHEMA = orchestrator_error(400, Like("Some key doesn't validate the schema - .+"))
WITHOUT_CLOUD = {"unknown": "nothing"}
NEW = {"name": "anybodys", "image": "1", "size": "1"}


def ask_sample(t, title):
    """Both ways in which the sample is printed: (the printed answer, the answers)."""
    found, answers = None, []
    for sample in filter(None, (t.samples.get(title), t.samples.get(f"{title} (http)"))):
        curl = sample.request.startswith("curl ")
        method, path, headers, body = sample.curl if curl else sample.http
        headers = {name: value for name, value in headers.items() if name not in ("Host", "Content-Length")}
        answer = t(method, path, body or None, headers)
        code = next(int(kind.split()[1]) for kind, _ in sample.blocks if kind.startswith("answer"))
        t.equal(code, answer.status, f"the status of {title}")
        t.equal("application/json", answer.headers["Content-Type"].partition(";")[0], "the type")
        found, answers = found or sample.answer(), [*answers, answer.json()]
    return found, answers


def listing(t, what, key=None):
    """A list of the fixed face, with and without the cloud's name; then that of a cloud there is not."""
    wanted, answers = ask_sample(t, f"GET {BASE}/{what}/{CLOUD}")
    key = key or what
    for given in answers:
        given[key] = given[key][:len(wanted[key])]
        t.same(wanted, given)
    wrong, answers = ask_sample(t, f"GET {BASE}/{what}/wrong_driver")
    for given in answers:
        t.same(wrong, given)
    by_default = t.get(f"{BASE}/{what}")
    t.equal(t.get(f"{BASE}/{what}/{CLOUD}"), by_default, "without the cloud's name")
    return wanted


@line("001", "GET", "/api/v1/nodes", **WITHOUT_CLOUD)
def nodes(t):
    listing(t, "nodes")


@line("001", "GET", "/api/v1/nodes/{cloud}")
def nodes_of_cloud(t):
    listing(t, "nodes")


@line("001", "GET", "/api/v1/images", shared=True, **WITHOUT_CLOUD)
def images(t):
    listing(t, "images")


@line("001", "GET", "/api/v1/images/{cloud}", shared=True)
def images_of_cloud(t):
    listing(t, "images")


@line("001", "GET", "/api/v1/sizes", shared=True, **WITHOUT_CLOUD)
def sizes(t):
    listing(t, "sizes", "flavors")


@line("001", "GET", "/api/v1/sizes/{cloud}", shared=True)
def sizes_of_cloud(t):
    listing(t, "sizes", "flavors")


# ---- making and destroying

def node(number):
    """As the samples show the third and the fourth."""
    return {**PROVIDER, "extra": {"foo": "bar"}, "id": str(number), "name": f"dummy-{number}", "private_ips": [],
            "public_ips": [f"127.0.0.{number}"], "state": 0,
            "uuid": Exact(hashlib.sha1(f"{number}:dummy".encode()).hexdigest())}


def make_node(t, path=f"{BASE}/vm/start/{CLOUD}"):
    answer = t("POST", path, {"name": "cloud_test", "image": "1", "size": "1"})
    given = t.json(answer)
    t.equal({"nodes", "status"}, set(given), "the members")
    number = given["nodes"]["id"]
    t.same({"nodes": node(int(number)), "status": "ok"}, given)
    return number, answer


def start(t, path):
    for title in (f"POST {BASE}/vm/start/{CLOUD} (http)", f"POST {BASE}/vm/start/{CLOUD}"):
        printed = t.samples[title].answer()
        t.same(node(int(printed["nodes"]["id"])), printed["nodes"])  # the rule is the samples'
        _, answers = ask_sample(t, f"POST {BASE}/vm/start/{CLOUD}")
        numbers = [int(given["nodes"]["id"]) for given in answers]
        t.equal(sorted(set(numbers)), numbers, "numbers, of which none comes twice")
        for number, given in zip(numbers, answers):
            t.same({"nodes": node(number), "status": "ok"}, given)
    number, answer = make_node(t, path)
    t.equal("orchestrator", t.done(answer)["dialect"], "the dialect")
    t.true(number in [one["id"] for one in t.get(f"{BASE}/nodes")["nodes"]], "not listed")
    good = {"name": "x", "image": "1", "size": "1"}
    for change, refusal in (({"image": "99"}, orchestrator_error(400)), ({"size": "99"}, orchestrator_error(400)),
                            ({"image": ""}, SCHEMA), ({"size": 1}, SCHEMA), ({"colour": "red"}, SCHEMA),
                            ({"name": None}, SCHEMA)):
        body = {k: v for k, v in {**good, **change}.items() if v is not None}
        t.refused(t("POST", path, body), refusal)
    named = t("POST", path, {**good, "keyname": "key", "metadata": {"a": "b"}})
    t.equal(200, named.status, "with a key's name and metadata")


def stop(t, path):
    number, _ = make_node(t)
    for title in (f"PUT {BASE}/vm/stop/{CLOUD} (http)", f"PUT {BASE}/vm/stop/{CLOUD}"):
        sample, number = t.samples[title], make_node(t)[0]
        printed, body = sample.answer(), json.loads(sample.printed_body)
        answer = t("PUT", path, {"node": number})
        t.same(merged(printed, result=printed["result"].replace(body["node"], number)), t.json(answer))
        t.equal("vm.delete", t.done(answer)["command"], "the command")
    t.true(number not in [one["id"] for one in t.get(f"{BASE}/nodes")["nodes"]], "still listed")
    t.refused(t("PUT", path, {"node": number}), NO_NODE)
    t.refused(t("PUT", path, {"node": "no-node"}), NO_NODE)
    t.equal(400, t("PUT", path, {}).status, "neither node nor hostname")
    number, _ = make_node(t)
    by_name = t("PUT", path, {"hostname": f"dummy-{number}"})
    t.same({"result": f"Node {number} deleted", "status": "ok"}, t.json(by_name))


def assign(t, path):
    wanted, answers = ask_sample(t, f"PUT {BASE}/vm/action/assign/{CLOUD}")
    for given in answers:
        t.same(wanted, given)
    number, _ = make_node(t)
    answer = t("PUT", path, {"node": number, "user": "fake_user", "vm_type": "app_name"})
    t.same({"id": NUMBER, "id_vm": TEXT, "result": f"Node {number} assigned", "status": "ok"}, t.json(answer))
    t.done(answer)
    t.equal(400, t("PUT", path, {"node": number, "user": "another", "vm_type": "x"}).status, "assigned twice")
    t.refused(t("PUT", path, {"node": "no-node", "user": "u", "vm_type": "x"}), NO_NODE)
    t.equal(400, t("PUT", path, {"node": number}).status, "without a user")


def release(t, path):
    wanted, answers = ask_sample(t, f"PUT {BASE}/vm/action/release/{CLOUD}")
    for given in answers:
        t.same(wanted, given)
    number, _ = make_node(t)
    t.equal(400, t("PUT", path, {"node": number}).status, "of one that is nobody's")
    t.json(t("PUT", f"{BASE}/vm/action/assign/{CLOUD}", {"node": number, "user": "u", "vm_type": "x"}))
    answer = t("PUT", path, {"hostname": f"dummy-{number}"})
    t.same({"id": NUMBER, "id_vm": TEXT, "result": f"Node {number} released", "status": "ok"}, t.json(answer))
    t.done(answer)
    t.refused(t("PUT", path, {"node": "no-node"}), NO_NODE)


ASSIGN = {"node": "{node}", "user": "anybodys", "vm_type": "x"}


@line("001", "POST", "/api/v1/vm/start", body=NEW, **WITHOUT_CLOUD)
def start_by_default(t):
    start(t, f"{BASE}/vm/start")


@line("001", "POST", "/api/v1/vm/start/{cloud}", body=NEW)
def start_in_cloud(t):
    start(t, f"{BASE}/vm/start/{CLOUD}")


@line("001", "PUT", "/api/v1/vm/stop", body={"node": "{node}"}, unknown=NO_NODE)
def stop_by_default(t):
    stop(t, f"{BASE}/vm/stop")


@line("001", "PUT", "/api/v1/vm/stop/{cloud}", body={"node": "{node}"}, theirs=NO_NODE)
def stop_in_cloud(t):
    stop(t, f"{BASE}/vm/stop/{CLOUD}")


@line("001", "PUT", "/api/v1/vm/action/assign", body=ASSIGN, unknown=NO_NODE)
def assign_by_default(t):
    assign(t, f"{BASE}/vm/action/assign")


@line("001", "PUT", "/api/v1/vm/action/assign/{cloud}", body=ASSIGN, theirs=NO_NODE)
def assign_in_cloud(t):
    assign(t, f"{BASE}/vm/action/assign/{CLOUD}")


@line("001", "PUT", "/api/v1/vm/action/release", body={"node": "{node}"}, unknown=NO_NODE)
def release_by_default(t):
    release(t, f"{BASE}/vm/action/release")


@line("001", "PUT", "/api/v1/vm/action/release/{cloud}", body={"node": "{node}"}, theirs=NO_NODE)
def release_in_cloud(t):
    release(t, f"{BASE}/vm/action/release/{CLOUD}")


# ---- what clients ask besides

@line("001+", "GET", "/api/v1/flavors{/cloud}", at="/api/v1/flavors/{cloud}", shared=True)
def flavors(t):
    for tail in ("", f"/{CLOUD}"):
        t.equal(t.get(f"{BASE}/sizes{tail}"), t.get(f"{BASE}/flavors{tail}"), "flavors against sizes")
    t.refused(t("GET", f"{BASE}/flavors/wrong_driver"), NO_CLOUD)


@line("001+", "GET", "/api/v1/tenants{/cloud}", at="/api/v1/tenants/{cloud}")
def tenants(t):
    for tail in ("", f"/{CLOUD}"):
        body = t.get(f"{BASE}/tenants{tail}")
        t.same({"tenants": Any(list), "status": "ok"}, body)
        t.true("demo" in [one["name"] for one in body["tenants"]], "no tenant 'demo'")
        t.same([{"id": TEXT, "name": TEXT, **PROVIDER}] * len(body["tenants"]), body["tenants"])


@line("001+", "GET", "/api/v1/cloud", shared=True)
def clouds(t):
    body = t.get(f"{BASE}/cloud")
    t.equal("ok", body["status"], "the status")
    for one in body["served_cloud"]:
        t.same({"name": TEXT, "type": TEXT, "host": TEXT}, one)
    t.true(CLOUD in [one["name"] for one in body["served_cloud"]], f"no {CLOUD}")


@line("001+", "GET", "/api/v1/", public=True, shared=True)
def health(t):
    t.same({"status": "ok"}, t.get(f"{BASE}/"))


@line("001+", "POST", "/api/v1/auth", body={"username": "demo", "password": "wrong"}, task=False, public=True)
def auth(t):
    body = t.json(t("POST", f"{BASE}/auth", {"username": "demo", "password": "test"}))
    t.same({"status": "ok", "status_code": 200, "token": TEXT}, body)
    wrong = {"username": "demo", "password": "wrong"}
    t.refused(t("POST", f"{BASE}/auth", wrong), orchestrator_error(403, "Forbidden"))
    t.refused(t("POST", f"{BASE}/auth", {"username": "demo"}), SCHEMA)


@line("001+", "PUT", "/api/v1/test/start", closed=True)
def test_start(t):
    token = t.json(t("POST", f"{BASE}/auth", {"username": "demo", "password": "test"}))["token"]
    wanted = {"status": "ok", "test": "passed", "authenticated": "yes"}
    t.same(wanted, t.json(t("PUT", f"{BASE}/test/start", {}, {"X-Auth-Token": token})))
    t.same(wanted, t.json(t("PUT", f"{BASE}/test/start", {"auth_token": token})))
    t.refused(t("PUT", f"{BASE}/test/start", {"auth_token": "wrong"}), orchestrator_error(403, "Forbidden"))


@line("001+", "GET", "/api/v1/vm/status{/cloud}", at="/api/v1/vm/status/{cloud}")
def status(t):
    number, _ = make_node(t)
    t.json(t("PUT", f"{BASE}/vm/action/assign", {"node": number, "user": "of_status", "vm_type": "app"}))
    for tail in ("", f"/{CLOUD}"):
        text = json.dumps(t.get(f"{BASE}/vm/status{tail}"))
        t.true('"of_status"' in text, f"the assignment is not in {text}")
