#!/usr/bin/env python3
"""A tenant's things are its own, on every line of endpoints.tsv: somebody of another tenant neither sees nor
changes nor counts them, a viewer changes nothing, and who does not say who he is is refused.

The lines are asked as the checks declare them (registry.py): for the things of the tenant "alpha", by all who
may not have them. Afterwards alpha has what it had."""
import json
import secrets
import sys
import traceback

import conformance_test
import fixtures
import registry
from dialects import DIALECTS, refusal_of
from harness_path import harness
from service import IN_MEMORY, Failed, Service, filled, names_in, refusal_differences

PASSWORD = "Passw0rd-of-theirs"
OWNER, VIEWER, STRANGER, NOBODY = "owner", "viewer", "stranger", "nobody"
PEOPLE = {OWNER: ("alpha", "operator"), VIEWER: ("alpha", "viewer"), STRANGER: ("beta", "operator"),
          "newcomer": ("gamma", "operator")}


class Town:
    """A server that knows people of several tenants, and the headers by which each dialect knows them."""

    def __init__(self, where, seed):
        token = secrets.token_urlsafe(24)
        file = where / "admin-token"
        file.write_text(token)
        file.chmod(0o600)
        self.seed = seed
        self.service = Service(where, [seed], f"--auth.admin_token_file={file}")
        self.service.admin = {"Authorization": f"Bearer {token}"}
        self.headers = {NOBODY: {}}
        self.bearer = {}
        if seed == "003":
            self.found_groups()
        for who, (tenant, role) in PEOPLE.items():
            self.add(who, tenant, role)

    def found_groups(self):
        """Dialect 003 lets in who is in a group, which is his tenant."""
        service = self.service
        answer = service.ask("nano_user", "POST", "/system/", {
            "user": "root", "password": PASSWORD, "menu": ALL_MENUS})
        if answer.json()["error_code"] != 0:
            raise Failed(f"the system was not founded: {answer}")
        service.operator = ("root", PASSWORD)
        session = harness.wait_until(lambda: self.try_log_in(*service.operator), "the first user to be known")
        service.ask("nano_user", "POST", "/roles/members", {"menu": ["policy_group"]}, session)
        for group in {tenant for tenant, _ in PEOPLE.values()}:
            service.ask("nano_user", "POST", f"/user_groups/{group}", {"display": group, "role": ["members"]}, session)

    def try_log_in(self, user, password):
        try:
            return self.service.log_in(user, password)
        except Failed:
            return None

    def add(self, who, tenant, role):
        core = self.service.core
        made = core("POST", "/core/v1/tokens", {"name": who, "tenant": tenant, "role": role})
        token = made.json()["token"]
        made = core("POST", "/core/v1/users", {"name": who, "tenant": tenant, "role": role, "password": PASSWORD})
        core("GET", "/core/v1/users", headers={"Slipway-Min-Seq": made.headers["Slipway-Seq"]})
        self.bearer[who] = {"Authorization": f"Bearer {token}"}
        self.headers[who] = {
            "000": lambda: {"user": who, "password": PASSWORD},
            "001": lambda: {"X-Auth-Token": token}, "002": lambda: {"X-Auth-Token": token},
            "003": lambda: harness.wait_until(lambda: self.try_log_in(who, PASSWORD), f"{who} to be known"),
        }.get(self.seed, lambda: self.bearer[who])()

    def ask(self, who, method, path, body=None, headers=None, listener=None):
        listener = DIALECTS[self.seed].listener if listener is None else listener
        return self.service.ask(listener, method, path, body, {**self.headers[who], **(headers or {})})


ALL_MENUS = ["dashboard", "compute_pool", "address_pool", "storage_pool", "instance", "user", "log", "visibility",
             "template", "policy_group", "media_image", "disk_image"]


# ---- what each may expect

def refusals(line, check, who):
    """The refusals of which the answer must be one; [] if it may be anything that tells nothing."""
    changes = line.kind != "query" or check.own_role
    if who is NOBODY:
        return [] if check.public else [refusal_of(line, "anonymous")]
    if check.public:
        return []
    forbidden = refusal_of(line, "forbidden")
    if who is VIEWER:
        return [forbidden] if changes else []
    if line.kind == "admin" or check.own_role:
        return [forbidden, *unknown(line, check)]
    return unknown(line, check) if not check.shared else []


def unknown(line, check):
    theirs = (names_in(check.at) | names_in(check.body)) - fixtures.SHARED_NAMES
    if not theirs or check.unknown == "nothing":
        return []
    return [check.theirs or check.unknown or refusal_of(line, "unknown")]


def telling(world, request, answer):
    """What of the tenant's is in the answer that was not in the request."""
    text = answer.body.decode(errors="replace")
    asked = json.dumps([str(part) for part in request])
    return [mark for mark in fixtures.marks(world) if mark in text and mark not in asked]


def wrong(town, line, check, world, who):
    """What is wrong with the answer of the line to somebody."""
    dialect = DIALECTS[line.dialect]
    path, body = filled(check.at, world), filled(check.body, world)
    request = line.method, path, body
    if who is NOBODY and dialect.open and not check.closed:
        # The own listener lets everybody in, for the tenant of the settings: as a stranger. Not so the main one.
        out = judged(line, check, world, STRANGER, request, town.ask(who, *request))
        answer = town.ask(who, line.method, dialect.under_prefix(path), body, listener="")
        return out + judged(line, check, world, who, request, answer)
    return judged(line, check, world, who, request, town.ask(who, *request))


def judged(line, check, world, who, request, answer):
    out = []
    allowed = refusals(line, check, who)
    if allowed:
        all_found = [refusal_differences(refusal, answer) for refusal in allowed]
        out += [] if [] in all_found else all_found[0]
    elif answer.status in (401, 403) and not check.public:
        out.append(f"refused: {answer}")
    if who is not VIEWER:
        out += [f"told of {mark!r}" for mark in telling(world, request, answer)]
    return [f"{who}: {what}" for what in out]


# ---- counting

def counts(town):
    """Who has nothing counts nothing, whatever others have."""
    service, found = town.service, []
    mine = town.bearer["newcomer"]

    def zero(what, value):
        if value not in (0, "0", [], [0, 0, 0, 0]):
            found.append(f"{what}: {value!r} of nothing")
    for path in ("vms", "tasks", "images"):
        body = service.core("GET", f"/core/v1/{path}?limit=500", headers=mine).json()
        zero(path, [one for one in body["items"] if one["tenant"] == "alpha"])
    for series in ("vms_existing", "vms_created", "vm_hours"):
        items = service.core("GET", f"/core/v1/stats/{series}", headers=mine).json()["items"]
        zero(series, sum(item["value"] for item in items))
    events = service.core("GET", "/core/v1/events?from=0", headers=mine).json()["items"]
    zero("events", [event for event in events if event["tenant"] != "gamma"])
    if town.seed == "000":
        hours = town.ask("newcomer", "GET", "/api/statistics/virtual_machines/number/per_day", headers={
            "Accept": "application/json"}).json()
        zero("VMs an hour", sum(hour["virtual_machines_number"] for hour in hours))
    if town.seed == "004":
        for table in ("instances", "tasks", "events", "stats_hourly", "batch_items"):
            result = town.ask("newcomer", "POST", "/query", [{"sql": f"select count(*) from {table}"}]).json()[0]
            zero(table, result["data"]["row"][0]["value"][0] if result["count"] else result["status"])
    if town.seed == "003":
        for path in ("/compute_zone_status/", "/compute_pool_status/default"):
            zero(path, town.ask("newcomer", "GET", path).json()["data"]["instances"])
    return found


# ---- the run

def run_dialect(seed, lines):
    results = {}
    with harness.directory(parent=IN_MEMORY) as where:
        town = Town(where, seed)
        try:
            town.service.tenant = (OWNER, PASSWORD)
            town.service.identity[seed] = town.headers[OWNER]
            world = fixtures.make(town.service, seed, town.bearer[OWNER])
            town.headers[OWNER] = town.service.identity[seed]
            before = belongings(town, lines, world)
            for line in lines:
                results[line] = run_line(town, line, world)
            results[f"{seed}: counts"] = counts(town)
            after = belongings(town, lines, world)
            results[f"{seed}: what alpha has"] = [
                f"{path} changed: {before[path]} -> {after[path]}" for path in before if before[path] != after[path]]
        finally:
            town.service.close()
    return results


def run_line(town, line, world):
    check, found = registry.CHECKS[line.key], []
    for who in (NOBODY, STRANGER, VIEWER):
        try:
            found += wrong(town, line, check, world, who)
        except Exception:  # the line's own trouble: the others go on
            found += [f"{who}: {text}" for text in traceback.format_exc().strip().split("\n")[-3:]]
    return found


def belongings(town, lines, world):
    """All that the owner can read, line by line."""
    out = dict(fixtures.dumped(town.service, town.bearer[OWNER]))
    for line in lines:
        check = registry.CHECKS[line.key]
        if line.method != "GET" or check.shared or line.path in CHANGING or 101 in line.codes:
            continue
        answer = town.ask(OWNER, "GET", filled(check.at, world))
        out[line.path] = f"{answer.status} {answer.body.decode(errors='replace')}"
    return out


# What is told of now, or of who asks.
CHANGING = {"/core/v1/stats/{series}", "/core/v1/events", "/api/token", "/sessions/", "/logs/",
            "/sessions/{session_id}", "/core/v1/workers"}


def main():
    conformance_test.load_checks()
    lines = [line for line in registry.read_lines() if line.key not in conformance_test.PENDING]
    served = sys.argv[1:] or conformance_test.SERVED
    failed = 0
    for seed in served:
        for what, found in run_dialect(seed, [line for line in lines if line.dialect == seed]).items():
            failed += bool(found)
            print(f"{'FAILED' if found else 'ok':7}{what}")
            for text in found:
                print(f"           {text}"[:500])
    print(f"{failed} failed; {sum(line.dialect not in served for line in lines)} lines NOT SERVED")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
