"""Dialect 002: the requests of its specification, their dates moved to when the test runs."""
import datetime
import re

from dialects import triple
from matcher import ID, NUMBER, TEXT, Any, Exact, Like, merged, without
from registry import line

HOSTS = "/v1/os-hosts"
STAMP = Like(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
MAYBE = Any(str, type(None))
THEN = datetime.datetime(2017, 2, 21, 14, 50)  # when the samples were made
DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})([ T])(\d\d):(\d\d)")
# The sample's host is one of another cloud.
SAMPLE_HOST, HOST = r'\"compute\"', r'\"sim-host-{}\"'
NO_LEASE = triple(404, Exact("Object with {'lease_id': '6ee55c78-ac52-41a6-99af-2d2d73bcc466'} not found"))
INVALID_DATE = "{} is an invalid date. Required format: %Y-%m-%d %H:%M"


class Clock:
    """Moves the samples' times: to now, and by whole days more, so that checks do not book the same."""

    def __init__(self, days=0):
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, second=0, microsecond=0)
        self.offset = now - THEN + datetime.timedelta(days=days)

    def moved(self, text):
        """Every date of a text, each in the way it is written."""
        def move(found):
            year, month, day, joint, hour, minute = found.groups()
            when = datetime.datetime(int(year), int(month), int(day), int(hour), int(minute)) + self.offset
            month = f"{when.month:0{len(month)}d}"
            return f"{when.year}-{month}-{when.day:02d}{joint}{when:%H:%M}"
        return DATE.sub(move, text)

    def lease(self, sample, **changes):
        """The sample's lease as it must be answered: dates moved, what was asked instead of what the
        sample says of the time before the end."""
        lease = merged(sample, start_date=self.exact(sample["start_date"]), end_date=self.exact(sample["end_date"]))
        lease["events"] = [merged(event, time=self.exact(event["time"])) for event in sample["events"]]
        # The sample does not say who asked; that is told here.
        return merged(lease, user_id=MAYBE, **changes)

    def exact(self, text):
        return Exact(self.moved(text))


def enrolled(t, number):
    """The id of sim-host-<number>, enrolled if it is not yet."""
    name = f"sim-host-{number}"
    found = [h["id"] for h in t.get(HOSTS)["hosts"] if h["hypervisor_hostname"] == name]
    return found[0] if found else t.json(t("POST", HOSTS, {"name": name}), 202)["host"]["id"]


def withdrawn(t, number):
    for host in t.get(HOSTS)["hosts"]:
        if host["hypervisor_hostname"] == f"sim-host-{number}":
            t.equal(204, t("DELETE", f"{HOSTS}/{host['id']}").status, "the withdrawal")


def make_lease(t, days, name, host=2):
    """By the sample's request: (clock, wanted lease, answered lease, answer)."""
    enrolled(t, host)
    clock, sample = Clock(days), t.samples["POST /v1/leases"]
    method, path, _, _ = sample.http
    body = clock.moved(sample.body.replace(SAMPLE_HOST, HOST.format(host))).replace("lease_foo", name)
    answer = t(method, path, body, {"Content-Type": "application/json"})
    t.equal(202, answer.status, f"the status of {answer.body[:200]!r}")
    printed = sample.answer()["lease"]
    wanted = clock.lease(printed, name=name)
    asked = clock.exact("2017-02-24T19:00:00.000000")
    wanted["events"][2]["time"] = asked
    properties = Exact(f'["==", "$hypervisor_hostname", "sim-host-{host}"]')
    wanted["reservations"] = [merged(one, hypervisor_properties=properties) for one in printed["reservations"]]
    return clock, wanted, answer.json()["lease"], answer


def same_lease(t, wanted, given):
    t.same(wanted, given, free=["resource_id"])


@line("002", "GET", "/v1/leases")
def list_leases(t):
    _, wanted, lease, _ = make_lease(t, 10, "lease_listed")
    for path in ("/v1/leases", "/v1/leases.json", "/v1/leases?any=thing"):
        body = t.get(path)
        t.equal(["leases"], list(body), "the members")
        same_lease(t, [wanted], [one for one in body["leases"] if one["id"] == lease["id"]])
    versions = {"OpenStack-API-Version": "reservation 9.9"}
    t.refused(t("GET", "/v1/leases", None, versions), triple(406))


@line("002", "POST", "/v1/leases", body={
    "name": "anybodys", "start_date": "2995-01-01 00:00", "end_date": "2995-01-02 00:00", "reservations": []},
    unknown="nothing")
def create_lease(t):
    clock, wanted, lease, answer = make_lease(t, 20, "lease_foo")
    same_lease(t, {"lease": wanted}, answer.json())
    t.equal("application/json", answer.headers["Content-Type"], "the type")
    t.equal("reservation", t.done(answer)["dialect"], "the task's dialect")
    t.equal([lease["id"]] * 3, [event["lease_id"] for event in lease["events"]], "the timers' lease")
    good = {"name": "x", "start_date": clock.moved("2017-2-25 20:00"), "end_date": clock.moved("2017-2-26 20:00")}
    host = {"resource_type": "physical:host", "min": 1, "max": 1}
    for change, status, message in (
            ({"name": None}, 400, "Missing parameter name"),
            ({"start_date": None}, 400, "Missing parameter start_date"),
            ({"end_date": None}, 400, "Missing parameter end_date"),
            ({"start_date": "tomorrow"}, 400, INVALID_DATE.format("tomorrow")),
            ({"start_date": "2017-2-21 20:00"}, 400, "Start date must be later than current date"),
            ({"start_date": good["end_date"], "end_date": good["start_date"]}, 400,
             "End date must be later than start date."),
            ({"name": "lease_foo"}, 409, "The lease with name: lease_foo already exists"),
            ({"reservations": [{"min": 1, "max": 1}]}, 400, "Missing parameter resource_type"),
            ({"reservations": [merged(host, resource_properties='["==", "$rack", "9"]')]}, 409,
             "Not enough hosts available")):
        body = {k: v for k, v in {**good, **change}.items() if v is not None}
        t.refused(t("POST", "/v1/leases", body), triple(status, message))
    t.refused(t("POST", "/v1/leases", "name=x", {"Content-Type": "text/plain"}), triple(400))
    now = t.json(t("POST", "/v1/leases", {**good, "name": "begun", "start_date": "now"}), 202)["lease"]
    # Profile doc: null while it is pending, the name of the state from then on.
    t.eventually(lambda: t.get(f"/v1/leases/{now['id']}")["lease"]["status"] == "ACTIVE", "the lease to start")


@line("002", "GET", "/v1/leases/{lease_id}", at="/v1/leases/{lease}")
def get_lease(t):
    _, wanted, lease, _ = make_lease(t, 30, "lease_shown")
    sample = t.samples["GET /v1/leases/{lease_id}"]
    method, path, _, _ = sample.http
    t.refused(t(method, path), NO_LEASE)
    mine = path.replace(wanted["id"], lease["id"])
    same_lease(t, {"lease": wanted}, t.get(mine))
    t.equal(t.get(mine), t.get(mine + ".json"), "with .json")
    t.equal(sample.answer()["lease"].keys(), lease.keys(), "the members")
    t.refused(t("GET", "/v1/leases/no-id"), triple(404, Exact("Object with {'lease_id': 'no-id'} not found")))


@line("002", "PUT", "/v1/leases/{lease_id}", at="/v1/leases/{lease}", body={"name": "anybodys"})
def update_lease(t):
    clock, wanted, lease, _ = make_lease(t, 60, "lease_old")
    sample = t.samples["PUT /v1/leases/{lease_id}"]
    method, path, _, _ = sample.http
    mine = path.replace(wanted["id"], lease["id"])
    # Printed with a comma before the bracket, which is no JSON.
    t.refused(t(method, mine, sample.printed_body), triple(400, "the body is not valid JSON"))
    answer = t(method, mine, clock.moved(sample.body))
    printed = sample.answer()["lease"]
    changed = clock.lease(printed)
    changed["reservations"] = wanted["reservations"]
    t.same({"lease": changed}, t.json(answer, 202), free=["resource_id", "updated_at"])
    given = answer.json()["lease"]
    t.true(given["updated_at"], "updated_at is null after a change")
    t.equal([event["id"] for event in lease["events"]], [event["id"] for event in given["events"]], "the timers")
    for body, message in (({"end_date": "soon"}, INVALID_DATE.format("soon")),
                          ({"start_date": "2017-2-21 20:00"}, TEXT)):
        t.refused(t("PUT", mine, body), triple(400, message))
    t.refused(t(method, path, {"name": "x"}), NO_LEASE)


@line("002", "DELETE", "/v1/leases/{lease_id}", at="/v1/leases/{lease}")
def delete_lease(t):
    _, wanted, lease, _ = make_lease(t, 90, "lease_gone")
    method, path, _, _ = t.samples["DELETE /v1/leases/{lease_id}"].http
    t.refused(t(method, path), NO_LEASE)
    answer = t(method, path.replace(wanted["id"], lease["id"]))
    t.equal((204, b""), (answer.status, answer.body), "the answer")
    t.equal(404, t("GET", f"/v1/leases/{lease['id']}").status, "afterwards")
    t.equal(404, t(method, path.replace(wanted["id"], lease["id"])).status, "once more")


# ---- hosts

FACTS = ["memory_mb", "vcpus", "local_gb", "hypervisor_version", "cpu_info", "service_name", "id"]


def same_host(t, printed, given, number, extra=()):
    t.same(merged(printed, hypervisor_hostname=f"sim-host-{number}"), given, free=FACTS, extra=["rack", *extra])
    t.true(given["id"].isdecimal(), f"{given['id']!r} is no number")


@line("002", "GET", "/v1/os-hosts", shared=True)
def list_hosts(t):
    enrolled(t, 1)
    method, path, _, _ = t.samples["GET /v1/os-hosts"].http
    body = t.json(t(method, path))
    t.equal(["hosts"], list(body), "the members")
    printed = t.samples["GET /v1/os-hosts"].answer()["hosts"][0]
    first = next(h for h in body["hosts"] if h["hypervisor_hostname"] == "sim-host-1")
    t.same(merged(printed, hypervisor_hostname="sim-host-1"), first, free=[*FACTS, "updated_at"],
           extra=["rack", "banana"])


@line("002", "POST", "/v1/os-hosts", body={"name": "sim-host-1"}, unknown="nothing", shared=True, own_role="admin")
def enroll_host(t):
    withdrawn(t, 4)
    sample = t.samples["POST /v1/os-hosts"]
    method, path, _, _ = sample.http
    t.refused(t(method, path, sample.body), triple(404))  # a host that this cloud has not
    answer = t(method, path, sample.body.replace("compute", "sim-host-4"))
    given = t.json(answer, 202)
    t.equal(["host"], list(given), "the members")
    same_host(t, sample.answer()["host"], given["host"], 4)
    t.refused(t(method, path, {}), triple(400))
    t.refused(t(method, path, {"colour": "red"}), triple(400, "Missing parameter name"))
    t.refused(t(method, path, {"name": "sim-host-3", "k" * 65: "v"}), triple(400, "Extra capability key too long"))
    t.refused(t(method, path, sample.body.replace("compute", "sim-host-4")), triple(409))
    withdrawn(t, 4)
    coloured = t.json(t(method, path, {"name": "sim-host-4", "colour": "red", "gpus": 2}), 202)["host"]
    t.equal(("red", "2"), (coloured["colour"], coloured["gpus"]), "extra capabilities, as text")


@line("002", "GET", "/v1/os-hosts/{host_id}", at="/v1/os-hosts/{host}", shared=True)
def get_host(t):
    host = enrolled(t, 2)
    sample = t.samples["GET /v1/os-hosts/{host_id}"]
    method, path, _, _ = sample.http
    same_host(t, sample.answer()["host"], t.json(t(method, path.replace("/1", f"/{host}")))["host"], 2)
    t.equal(host, t.get(f"{HOSTS}/{host}.json")["host"]["id"], "with .json")
    t.refused(t("GET", f"{HOSTS}/999"), triple(404, Exact("Object with {'host_id': '999'} not found")))


@line("002", "PUT", "/v1/os-hosts/{host_id}", at="/v1/os-hosts/{host}", body={"rack": "one"}, shared=True,
      own_role="admin")
def update_host(t):
    host = enrolled(t, 3)
    sample = t.samples["PUT /v1/os-hosts/{host_id}"]
    method, path, _, _ = sample.http
    mine = path.replace("/1", f"/{host}")
    given = t.json(t(method, mine, sample.body), 202)
    t.equal("false", given["host"]["banana"], "the capability, in the host")
    t.equal(given["host"], without(given, "host"), "the members beside the host")
    t.same(merged(sample.answer(), hypervisor_hostname="sim-host-3", updated_at=STAMP), given, free=FACTS,
           extra=["host", "trust_id", "service_name", "rack"])
    plain = t.json(t(method, mine, {"banana": "true"}), 202)
    t.equal("true", plain["host"]["banana"], "the capability without a wrapper")
    t.refused(t(method, mine, ""), triple(400))


@line("002", "DELETE", "/v1/os-hosts/{host_id}", at="/v1/os-hosts/{host}", shared=True, own_role="admin")
def withdraw_host(t):
    host = enrolled(t, 4)
    method, path, _, _ = t.samples["DELETE /v1/os-hosts/{host_id}"].http
    _, _, lease, _ = make_lease(t, 120, "lease_holding", host=4)
    t.refused(t(method, path.replace("/1", f"/{host}")), triple(409))
    t.equal(204, t("DELETE", f"/v1/leases/{lease['id']}").status, "the lease")
    answer = t(method, path.replace("/1", f"/{host}"))
    t.equal((204, b""), (answer.status, answer.body), "the answer")
    t.equal(404, t("GET", f"{HOSTS}/{host}").status, "afterwards")


# ---- what clients of the service ask besides

@line("002+", "GET", "/", public=True, shared=True)
def versions(t):
    for path in ("/", "/versions"):
        body = t.get(path, code=300)
        t.same({"versions": [{"id": "v1.0", "status": "CURRENT", "min_version": "1.0", "max_version": "1.0",
                              "links": [{"rel": "self", "href": Like("http://.+/v1")}]}]}, body)


BOOKING = {"id": ID, "lease_id": ID, "start_date": Like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.0{6}"),
           "end_date": Like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.0{6}")}


@line("002+", "GET", "/v1/os-hosts/allocations")
def allocations(t):
    _, _, lease, _ = make_lease(t, 150, "lease_allocated")
    for query in (f"?lease_id={lease['id']}", f"?reservation_id={lease['reservations'][0]['id']}"):
        t.same({"allocations": [{"resource_id": TEXT, "reservations": [BOOKING]}]},
               t.get(f"{HOSTS}/allocations{query}"))
    hosts = t.get(f"{HOSTS}/allocations")["allocations"]
    t.equal(len(t.get(HOSTS)["hosts"]), len(hosts), "hosts")


@line("002+", "GET", "/v1/os-hosts/{host_id}/allocation", at="/v1/os-hosts/{host}/allocation")
def allocation(t):
    _, _, lease, _ = make_lease(t, 180, "lease_of_host", host=3)
    host = enrolled(t, 3)
    body = t.get(f"{HOSTS}/{host}/allocation")
    t.equal(["allocation"], list(body), "the members")
    t.equal(host, body["allocation"]["resource_id"], "the host")
    mine = [b for b in body["allocation"]["reservations"] if b["lease_id"] == lease["id"]]
    t.same([BOOKING], mine)


@line("002+", "GET", "/v1/os-hosts/properties", shared=True)
def properties(t):
    t.json(t("PUT", f"{HOSTS}/{enrolled(t, 2)}", {"hue": "blue"}), 202)
    t.true({"property": "hue"} in t.get(f"{HOSTS}/properties")["resource_properties"], "the property is not listed")
    detailed = t.get(f"{HOSTS}/properties?detail=True&all=True")["resource_properties"]
    t.true({"property": "hue", "private": False, "values": ["blue"]} in detailed, f"not in {detailed}")
    t.json(t("PUT", f"{HOSTS}/{enrolled(t, 2)}", {"hue": None}), 400)


@line("002+", "PATCH", "/v1/os-hosts/properties/{property_name}", at="/v1/os-hosts/properties/{property}",
      body={"private": False}, wrong_verb="DELETE", shared=True, own_role="admin")
def set_property(t):
    t.json(t("PUT", f"{HOSTS}/{enrolled(t, 2)}", {"tone": "high"}), 202)
    path = f"{HOSTS}/properties/tone"
    t.same({"resource_property": {"property": "tone", "private": True}}, t.json(t("PATCH", path, {"private": True})))
    t.true({"property": "tone"} not in t.get(f"{HOSTS}/properties")["resource_properties"], "a private one is listed")
    t.refused(t("PATCH", path, {"public": True}), triple(400, "Missing parameter private"))


ADDRESS = {"id": ID, "floating_network_id": ID, "subnet_id": None, "floating_ip_address": TEXT,
           "reservable": True, "created_at": STAMP, "updated_at": None}


@line("002+", "GET", "/v1/floatingips", shared=True)
def floating_ips(t):
    body = {"floating_network_id": t.world["network"], "floating_ip_address": "172.24.4.2"}
    made = t.json(t("POST", "/v1/floatingips", body), 201)["floatingip"]
    t.same(merged(ADDRESS, floating_ip_address=Exact("172.24.4.2")), made)
    path = f"/v1/floatingips/{made['id']}"
    t.same({"floatingip": ADDRESS}, t.get(path))
    listed = t.get("/v1/floatingips")["floatingips"]
    t.same([ADDRESS], [one for one in listed if one["id"] == made["id"]])
    t.refused(t("POST", "/v1/floatingips", {"floating_ip_address": "172.24.4.3"}), triple(400, "Missing parameter floating_network_id"))
    t.equal(204, t("DELETE", path).status, "the delete")
    t.refused(t("GET", path), triple(404, Exact(f"Object with {{'floatingip_id': '{made['id']}'}} not found")))


@line("002+", "GET", "/compute/v2.1/os-hypervisors", shared=True)
def hypervisors(t):
    body = t.get("/compute/v2.1/os-hypervisors")
    t.equal(4, len(body["hypervisors"]), "hypervisors")
    for one in body["hypervisors"]:
        t.same({"id": NUMBER, "hypervisor_hostname": Like(r"sim-host-\d"), "state": Like("up|down"),
                "status": Like("enabled|disabled")}, one)
