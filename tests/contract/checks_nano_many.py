"""Dialect 003: many guests with one request, and moves between cells."""
import json

from matcher import NUMBER, TEXT, Like, merged, without
from nano_parts import ID, fails, get, make_guest, ok
from registry import line


def ended(t, path, running):
    """What is answered at the end; while it runs, the code `running`."""
    answers = []

    def at_end():
        answers.append(t("GET", path))
        return answers[-1].status == 200
    t.eventually(at_end, f"{path} to end")
    t.true({a.status for a in answers} <= {200, running}, f"codes {[a.status for a in answers]}")
    return ok(t, answers[-1])


# ---- batches

def order(t, count=3, **more):
    body = json.loads(t.samples["POST /batch/create_guest/"].body.replace("pool_1", "default"))
    return {**body, "count": count, "cores": 1, "memory": 512, "disks": [1024], **more}


def start(t, kind, body, code=202):
    return ok(t, t("POST", f"/batch/{kind}_guest/", body), code)["id"]


def created(t, count=1, **more):
    """Ids of guests that a batch made."""
    made = ended(t, f"/batch/create_guest/{start(t, 'create', order(t, count, **more))}", 202)
    return [item["id"] for item in made]


@line("003", "POST", "/batch/create_guest/", unknown="nothing", body={
    "name_rule": "order", "name_prefix": "anybodys", "owner": "o", "group": "g", "pool": "{pool}", "count": 1,
    "cores": 1, "memory": 64, "disks": [1024]})
def create_guests(t):
    sample = t.samples["POST /batch/create_guest/"]
    answer = t("POST", "/batch/create_guest/", sample.body.replace("pool_1", "default"))
    t.same(merged(sample.data, id=ID), ok(t, answer, 202))
    t.equal("nano", t.done(answer)["dialect"], "the dialect")
    for change, message in (({"name_prefix": "no spaces"}, "only '0~9a~Z_-' allowed in prefix"),
                            ({"count": 0}, "guest count required"), ({"name_rule": "colour"}, TEXT)):
        fails(t, t("POST", "/batch/create_guest/", order(t, **{"count": 1, **change})), message)
    by_mac = ended(t, f"/batch/create_guest/{start(t, 'create', order(t, 1, name_rule='MAC'))}", 202)
    t.same([{"name": Like("test_[0-9a-f]{12}")}], [{"name": item["name"]} for item in by_mac])


@line("003", "GET", "/batch/create_guest/{id}", at="/batch/create_guest/{create_batch}")
def created_guests(t):
    sample = t.samples["GET /batch/create_guest/{id}"]
    with t.idle() as idle:  # nobody works there: what was ordered stays so
        path = f"/batch/create_guest/{start(idle, 'create', order(t))}"
        making = ok(t, idle("GET", path), 202)
        wanted = merged(sample.data_of(202)[0], id=ID, progress=0)
        t.same([merged(wanted, name=f"test_{n}") for n in range(3)], making)
    made = ended(t, f"/batch/create_guest/{start(t, 'create', order(t))}", 202)
    wanted = merged(sample.data_of(200)[0], id=ID)
    t.same([merged(wanted, name=f"test_{n}") for n in range(3)], made, extra=["progress"])
    t.equal("test_2", get(t, f"/guests/{made[2]['id']}")["name"], "the third guest")
    failed = ended(t, f"/batch/create_guest/{start(t, 'create', order(t, 1, pool='nowhere'))}", 202)
    t.same([merged(sample.data_of(200)[1], id=TEXT, name="test_0", error=TEXT)], failed, extra=["progress"])
    fails(t, t("GET", "/batch/create_guest/none"))


@line("003", "POST", "/batch/delete_guest/", body={"guest": ["{vm}"], "force": False}, unknown="nothing")
def delete_guests(t):
    sample = t.samples["POST /batch/delete_guest/"]
    made = created(t, 3)
    body = sample.body
    for n, guest in enumerate(made, 1):
        body = body.replace(f"0123456789-abcdef-{n}", guest)
    answer = t("POST", "/batch/delete_guest/", {**json.loads(body), "force": True})
    t.same(merged(sample.data, id=ID), ok(t, answer, 202))
    t.done(answer)
    for guest in made:
        fails(t, t("GET", f"/guests/{guest}"), f"invalid guest '{guest}'")
    fails(t, t("POST", "/batch/delete_guest/", {"guest": []}), "guest id required")


@line("003", "GET", "/batch/delete_guest/{id}", at="/batch/delete_guest/{delete_batch}")
def deleted_guests(t):
    printed = t.samples["GET /batch/delete_guest/{id}"].data_of(200)
    made = created(t, 1)[0]
    running = {"guest": [made, printed[1]["id"]], "force": False}
    items = ended(t, f"/batch/delete_guest/{start(t, 'delete', running)}", 202)
    running_still = merged(printed[1], id=made, error=f"instance '{made}' is still running")
    t.same([running_still, printed[1]], items, extra=["name"])
    path = f"/batch/delete_guest/{start(t, 'delete', {**running, 'force': True})}"
    t.same([merged(printed[0], id=made), printed[1]], ended(t, path, 202), extra=["name"])
    # A batch of another kind is not one of these.
    fails(t, t("GET", path.replace("delete", "create")))


@line("003+", "POST", "/batch/stop_guest/", body={"guest": ["{vm}"], "force": True}, unknown="nothing")
def stop_guests(t):
    made = created(t, 2)
    answer = t("POST", "/batch/stop_guest/", {"guest": made, "force": True})
    t.same({"id": ID}, ok(t, answer, 202))
    t.done(answer)
    t.equal([False, False], [get(t, f"/guests/{guest}")["running"] for guest in made], "running")
    fails(t, t("POST", "/batch/stop_guest/", {"guest": []}), "guest id required")


@line("003+", "GET", "/batch/stop_guest/{id}", at="/batch/stop_guest/{stop_batch}")
def stopped_guests(t):
    made = created(t, 1)[0]
    path = f"/batch/stop_guest/{start(t, 'stop', {'guest': [made, 'no-guest'], 'force': True})}"
    t.same([{"id": made, "status": "stopped"}, {"id": "no-guest", "status": "fail", "error": "invalid guest"}],
           ended(t, path, 202), extra=["name"])


# ---- migrations

def move(t, guest, **more):
    """The sample's request, of a guest of this zone."""
    cell = get(t, f"/guests/{guest}")["cell"]
    other = next(c["name"] for c in get(t, "/compute_pool_cells/default") if c["name"] != cell)
    body = json.loads(t.samples["POST /migrations/"].body)
    return {**body, "source_cell": cell, "target_pool": "default", "target_cell": other, "instances": [guest], **more}


@line("003", "POST", "/migrations/", body={"source_pool": "{pool}", "source_cell": "{cell}", "instances": ["{vm}"]})
def migrate(t):
    guest, sample = make_guest(t, name="to_move"), t.samples["POST /migrations/"]
    fails(t, t("POST", "/migrations/", sample.body))  # of another zone
    body = move(t, guest)
    answer = t("POST", "/migrations/", body)
    t.same(merged(sample.data[0], id=ID), ok(t, answer, 202))
    t.done(answer)
    t.equal(body["target_cell"], get(t, f"/guests/{guest}")["cell"], "the cell")
    for change in ({"source_pool": "none"}, {"source_cell": "none"}, {"target_cell": body["source_cell"]},
                   {"instances": ["jhfguf85-34uyf-4t4tghjh"]}):
        fails(t, t("POST", "/migrations/", {**move(t, guest), **change,
                                            **({"source_cell": "none"} if "target_cell" in change else {})}))
    fails(t, t("POST", "/migrations/", without(body, "source_cell")))


@line("003", "GET", "/migrations/{id}", at="/migrations/{migration}")
def migration(t):
    sample = t.samples["GET /migrations/{id}"]
    guest = make_guest(t, name="moving")
    moving = ok(t, t("POST", "/migrations/", move(t, guest)), 202)["id"]
    first = t("GET", f"/migrations/{moving}")
    if first.status == 201:
        t.same(merged(sample.data_of(201), progress=NUMBER), ok(t, first, 201))
    t.same(sample.data_of(200), ended(t, f"/migrations/{moving}", 201))
    fails(t, t("GET", "/migrations/none"), "invalid migration 'none'")


@line("003", "GET", "/migrations/")
def migrations(t):
    guest = make_guest(t, name="moved")
    moved = ok(t, t("POST", "/migrations/", move(t, guest)), 202)["id"]
    ended(t, f"/migrations/{moved}", 201)
    done_one = t.samples["GET /migrations/"].data[1]
    given = get(t, "/migrations/")
    t.same([merged(done_one, id=moved)], [one for one in given if one["id"] == moved])
