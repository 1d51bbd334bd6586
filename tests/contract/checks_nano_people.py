"""Dialect 003: roles, groups, users, sessions, logs, the system, and who sees what."""
import json
import time
import urllib.parse

from matcher import NUMBER, TEXT, Any, Like, merged
from nano_parts import AT_ONCE, ID, TIME, done, each, fails, fresh, get, ok
from registry import line

ADMIN = {"shared": True, "own_role": "admin"}  # people are the operator's
DEMO_GROUP = "demo"


def user(t, name, group=None, password="abcdefg"):
    fresh(t, f"/users/{name}", {"password": password})
    if group:
        fresh(t, f"/user_groups/{group}", {"display": group})
        done(t, t("POST", f"/user_groups/{group}/members/{name}"))
    return f"/users/{name}"


# ---- roles

@line("003", "GET", "/roles/", shared=True)
def roles(t):
    fresh(t, "/roles/auditor", {"menu": []})
    given = get(t, "/roles/")
    each(t, Any(str), given)
    t.true("auditor" in given, "the role is not listed")


@line("003", "GET", "/roles/{role_name}", at="/roles/{role}", shared=True)
def role(t):
    sample = t.samples["GET /roles/{role_name}"].data
    fresh(t, "/roles/shown", {"menu": sample["menu"]})
    t.same(sample, get(t, "/roles/shown"))
    fails(t, t("GET", "/roles/none"), "invalid role 'none'")


@line("003", "POST", "/roles/{role_name}", at="/roles/{role}", body={"menu": []}, unknown="nothing", **ADMIN)
def create_role(t):
    done(t, t("POST", "/roles/manager", t.samples["POST /roles/{role_name}"].body))
    t.same(t.samples["GET /roles/{role_name}"].data, get(t, "/roles/manager"))
    fails(t, t("POST", "/roles/manager", {"menu": []}), "role 'manager' already exists")
    fails(t, t("POST", "/roles/no%20name", {"menu": []}))
    fails(t, t("POST", "/roles/odd", {"menu": "all"}))


@line("003", "PUT", "/roles/{role_name}", at="/roles/{role}", body={"menu": []}, **ADMIN)
def update_role(t):
    fresh(t, "/roles/to_change", {"menu": ["dashboard"]})
    done(t, t("PUT", "/roles/to_change", t.samples["PUT /roles/{role_name}"].body))
    t.same(t.samples["GET /roles/{role_name}"].data, get(t, "/roles/to_change"))


@line("003", "DELETE", "/roles/{role_name}", at="/roles/{role}", **ADMIN)
def delete_role(t):
    fresh(t, "/roles/to_delete", {"menu": []})
    fresh(t, "/user_groups/has_role", {"display": "H", "role": ["to_delete"]})
    fails(t, t("DELETE", "/roles/to_delete"))  # a group has it
    done(t, t("PUT", "/user_groups/has_role", {"role": []}))
    done(t, t("DELETE", "/roles/to_delete"))
    fails(t, t("GET", "/roles/to_delete"), "invalid role 'to_delete'")


# ---- groups

@line("003", "GET", "/user_groups/")
def groups(t):
    fresh(t, "/user_groups/listed", {"display": "Group of Listed"})
    given = get(t, "/user_groups/")
    each(t, t.samples["GET /user_groups/"].data[0], given, free=["name", "display", "member"])
    t.true({"name": "listed", "display": "Group of Listed", "member": 0} in given, "the group is not listed")


@line("003", "GET", "/user_groups/{group_name}", at="/user_groups/{group}")
def group(t):
    sample = t.samples["GET /user_groups/{group_name}"].data
    for name in sample["role"]:
        fresh(t, f"/roles/{name}_of_group", {"menu": []})
    fresh(t, "/user_groups/manager_group", {"display": sample["display"],
                                            "role": [f"{name}_of_group" for name in sample["role"]]})
    for name in ("admin_a", "nano_a", "akumas_a"):
        user(t, name)
        done(t, t("POST", f"/user_groups/manager_group/members/{name}"))
    given = get(t, "/user_groups/manager_group")
    t.same(merged(sample, role=["manager_of_group", "user_of_group"], member=["admin_a", "akumas_a", "nano_a"]),
           {**given, "member": sorted(given["member"])})
    fails(t, t("GET", "/user_groups/none"), "invalid group 'none'")


@line("003", "POST", "/user_groups/{group_name}", at="/user_groups/{group}", body={"display": "x"},
      unknown="nothing", **ADMIN)
def create_group(t):
    for name in ("manager", "user"):
        t("POST", f"/roles/{name}", {"menu": []})
    done(t, t("POST", "/user_groups/made", t.samples["POST /user_groups/{group_name}"].body))
    t.same({"name": "made", "display": "Group of Manager", "role": ["manager", "user"], "member": []},
           get(t, "/user_groups/made"))
    fails(t, t("POST", "/user_groups/made", {"display": "again"}))
    fails(t, t("POST", "/user_groups/no_role", {"display": "x", "role": ["none"]}))


@line("003", "PUT", "/user_groups/{group_name}", at="/user_groups/{group}", body={"display": "anybodys"}, **ADMIN)
def update_group(t):
    for name in ("manager", "user"):
        t("POST", f"/roles/{name}", {"menu": []})
    fresh(t, "/user_groups/to_change", {"display": "before"})
    done(t, t("PUT", "/user_groups/to_change", t.samples["PUT /user_groups/{group_name}"].body))
    now = get(t, "/user_groups/to_change")
    t.equal(("Group of Manager", ["manager", "user"]), (now["display"], now["role"]), "what was changed")


@line("003", "DELETE", "/user_groups/{group_name}", at="/user_groups/{group}", **ADMIN)
def delete_group(t):
    user(t, "member_b", "to_delete")
    fails(t, t("DELETE", "/user_groups/to_delete"))  # it has a member
    done(t, t("DELETE", "/user_groups/to_delete/members/member_b"))
    done(t, t("DELETE", "/user_groups/to_delete"))
    fails(t, t("GET", "/user_groups/to_delete"), "invalid group 'to_delete'")


@line("003", "GET", "/user_groups/{group_name}/members/", at="/user_groups/{group}/members/")
def members(t):
    user(t, "member_c", "with_members")
    t.equal(["member_c"], get(t, "/user_groups/with_members/members/"), "the members")
    fails(t, t("GET", "/user_groups/none/members/"))


@line("003", "POST", "/user_groups/{group_name}/members/{user_name}", at="/user_groups/{group}/members/{unknown_user}",
      **ADMIN)
def add_member(t):
    user(t, "member_d", "first_group")
    t.equal(["member_d"], get(t, "/user_groups/first_group/members/"), "the members")
    fails(t, t("POST", f"/user_groups/{DEMO_GROUP}/members/member_d"), Like(".*already belongs.*"))
    fails(t, t("POST", "/user_groups/first_group/members/nobody"))


@line("003", "DELETE", "/user_groups/{group_name}/members/{user_name}", at="/user_groups/{group}/members/{user}",
      **ADMIN)
def remove_member(t):
    user(t, "member_e", "second_group")
    done(t, t("DELETE", "/user_groups/second_group/members/member_e"))
    t.equal([], get(t, "/user_groups/second_group/members/"), "the members")
    fails(t, t("DELETE", "/user_groups/second_group/members/member_e"))


# ---- users

@line("003", "GET", "/users/")
def users(t):
    user(t, "listed_user")
    given = get(t, "/users/")
    each(t, Any(str), given)
    t.true("listed_user" in given, "the user is not listed")


@line("003", "GET", "/users/{user_name}", at="/users/{user}")
def show_user(t):
    sample = t.samples["GET /users/{user_name}"].data
    fresh(t, "/users/shown_user", {**sample, "password": "abcdefg"})
    t.same(sample, get(t, "/users/shown_user"), extra=["name"])
    fails(t, t("GET", "/users/nobody"), "invalid user 'nobody'")


@line("003", "POST", "/users/{user_name}", at="/users/{user}", body={"password": "abcdefg"}, unknown="nothing", **ADMIN)
def create_user(t):
    done(t, t("POST", "/users/alex", t.samples["POST /users/{user_name}"].body))
    t.same(t.samples["GET /users/{user_name}"].data, get(t, "/users/alex"), extra=["name"])
    fails(t, t("POST", "/users/alex", {"password": "abcdefg"}))
    fails(t, t("POST", "/users/no%20name", {"password": "abcdefg"}))
    fails(t, t("POST", "/users/no_password", {}))


@line("003", "PUT", "/users/{user_name}", at="/users/{user}", body={"nick": "anybodys"})
def update_user(t):
    fresh(t, "/users/changed_user", {"password": "abcdefg"})
    done(t, t("PUT", "/users/changed_user", t.samples["PUT /users/{user_name}"].body))
    t.same(t.samples["GET /users/{user_name}"].data, get(t, "/users/changed_user"), extra=["name"])


@line("003", "DELETE", "/users/{user_name}", at="/users/{user}", **ADMIN)
def delete_user(t):
    path = user(t, "deleted_user", "loses_one")
    done(t, t("DELETE", path))
    fails(t, t("GET", path), "invalid user 'deleted_user'")
    t.equal([], get(t, "/user_groups/loses_one/members/"), "the members of its group")


@line("003", "PUT", "/users/{user_name}/password/", at="/users/{user}/password/", body={"old": "x", "new": "y"})
def set_password(t):
    sample = json.loads(t.samples["PUT /users/{user_name}/password/"].body)
    path = user(t, "password_user", "password_group", sample["old"])
    fails(t, t("PUT", path + "/password/", {**sample, "old": "wrong"}), "invalid user or password")
    done(t, t("PUT", path + "/password/", sample))
    get(t, path)
    fails(t, login(t, "password_user", sample["old"]), "invalid user or password")
    ok(t, login(t, "password_user", sample["new"]))
    fails(t, t("PUT", path + "/password/", {"old": sample["new"]}))


@line("003", "GET", "/user_search/", at="/user_search/?group={group}", unknown="nothing")
def search_users(t):
    user(t, "found_user", "searched_group")
    t.equal(["found_user"], get(t, "/user_search/?group=searched_group"), "the group's users")
    t.true("found_user" in get(t, "/user_search/"), "not among all")


# ---- sessions

def login(t, name, password):
    sample = t.samples["POST /sessions/"]
    return t("POST", "/sessions/", {**json.loads(sample.body), "user": name, "password": password}, identity=False)


@line("003", "GET", "/sessions/")
def sessions(t):
    session = ok(t, login(t, "demo", "test"))["session"]
    given = ok(t, t("GET", "/sessions/", None, {"Nano-Session": session}))
    each(t, Any(str), given)
    t.true(session in given, "the own session is not listed")


@line("003", "POST", "/sessions/", body={"user": "demo", "password": "wrong", "nonce": "1"}, public=True, task=False)
def open_session(t):
    sample = t.samples["POST /sessions/"]
    user(t, "alex_s", "session_group", json.loads(sample.body)["password"])
    get(t, "/users/alex_s")
    answer = t("POST", "/sessions/", sample.body.replace("alex", "alex_s"), identity=False)
    t.same(merged(sample.data, session=TEXT), ok(t, answer), extra=["group", "menu", "address"])
    fails(t, t("POST", "/sessions/", sample.body.replace("alex", "nobody"), identity=False), "invalid user or password")
    user(t, "lone_user")
    get(t, "/users/lone_user")
    fails(t, login(t, "lone_user", "abcdefg"), Like(".*not belongs to any group.*"))


@line("003", "PUT", "/sessions/{session_id}", at="/sessions/{session}", task=False, public=True)
def renew_session(t):
    session = ok(t, login(t, "demo", "test"))["session"]
    done(t, t("PUT", f"/sessions/{session}"))
    fails(t, t("PUT", "/sessions/none"), "invalid session 'none'")


@line("003", "GET", "/sessions/{session_id}", at="/sessions/{session}", public=True)
def show_session(t):
    session = ok(t, login(t, "demo", "test"))["session"]
    t.same(merged(t.samples["GET /sessions/{session_id}"].data, user="demo"), get(t, f"/sessions/{session}"),
           free=["menu", "resource"], extra=["group"])
    fails(t, t("GET", "/sessions/none"), "invalid session 'none'")


# ---- logs

@line("003", "GET", "/logs/", at="/logs/?limit=10")
def logs(t):
    done(t, t("POST", "/logs/", {"content": "first"}))
    done(t, t("POST", "/logs/", {"content": "second"}))
    given = get(t, "/logs/?limit=2")
    each(t, t.samples["GET /logs/"].data[0], given, free=["content"])
    t.equal(["second", "first"], [one["content"] for one in given], "the newest first")
    t.equal("first", get(t, "/logs/?limit=1&start=1")[0]["content"], "the second entry")
    past = urllib.parse.quote("2001-01-01 00:00:00")
    t.equal([], get(t, f"/logs/?limit=5&before={past}"), "entries of the last century")
    t.true(get(t, f"/logs/?limit=5&after={past}"), "no entry since")
    fails(t, t("GET", "/logs/"))
    later = get(t, "/api/v1/logs/?limit=1")
    t.same({"logs": [{"id": TEXT, "time": TIME, "content": "second"}], "total": NUMBER}, later)


@line("003", "POST", "/logs/", body={"content": "anybodys"}, unknown="nothing")
def add_log(t):
    sample = t.samples["POST /logs/"]
    done(t, t("POST", "/logs/", sample.body))
    t.equal(json.loads(sample.body)["content"], get(t, "/logs/?limit=1")[0]["content"], "the entry")
    fails(t, t("POST", "/logs/", {}))


@line("003+", "DELETE", "/logs/", body={"entries": ["{log}"]}, own_role="admin", unknown="nothing")
def hide_logs(t):
    content = f"to hide {time.time_ns()}"
    done(t, t("POST", "/logs/", {"content": content}))
    entry = get(t, "/api/v1/logs/?limit=1")["logs"][0]
    t.equal(content, entry["content"], "the entry")
    done(t, t("DELETE", "/logs/", {"entries": [entry["id"]]}))
    t.true(content not in [one["content"] for one in get(t, "/logs/?limit=10")], "still listed")
    fails(t, t("DELETE", "/logs/", {"entries": []}))


# ---- the system

@line("003+", "GET", "/system/", public=True, shared=True)
def system(t):
    t.same({"ready": True, "max_cores": NUMBER, "max_memory": NUMBER, "max_disk": NUMBER}, get(t, "/system/"))


@line("003+", "POST", "/system/", body={"user": "root", "password": "abc", "menu": ["user"]}, unknown="nothing",
      public=True, shared=True, **AT_ONCE)
def found_system(t):
    body = {"user": "root", "password": "abc", "menu": ["user"]}
    fails(t, t("POST", "/system/", body), "system already initialed")
    with t.idle("--auth.demo=false") as fresh_one:  # nobody is known there
        t.equal(False, ok(t, fresh_one("GET", "/system/", identity=False))["ready"], "ready")
        fails(t, fresh_one("POST", "/system/", {**body, "menu": []}, identity=False))
        answer = fresh_one("POST", "/system/", body, identity=False)
        done(t, answer)
        t.answers.append(("POST", "/system/", answer))
        t.eventually(lambda: ok(t, fresh_one("GET", "/system/", identity=False))["ready"], "the system to be ready")
        ok(t, login(fresh_one, "root", "abc"))


@line("003+", "GET", "/resource_visibilities/")
def visibility(t):
    flags = {"instance_visible": False, "disk_image_visible": True, "media_image_visible": False}
    done(t, t("PUT", "/resource_visibilities/", flags))
    t.same(flags, get(t, "/resource_visibilities/"))


# ---- security policies

@line("003+", "GET", "/security_policy_groups/{id}", at="/security_policy_groups/{security_group}")
def security_group(t):
    made = ok(t, t("POST", "/security_policy_groups/", {"name": "web", "description": "d", "default_action": "reject"}))
    path = f"/security_policy_groups/{made['id']}"
    t.same({"id": ID, "name": "web", "description": "d", "user": TEXT, "group": TEXT, "enabled": True, "global": False,
            "default_action": "reject"}, get(t, path))
    rule = {"action": "accept", "protocol": "tcp", "to_port": 22}
    for port in (22, 53):
        done(t, t("POST", f"{path}/rules/", {**rule, "to_port": port}))
    done(t, t("PUT", f"{path}/rules/1/order", {"direction": "up"}))
    t.equal([53, 22], [one["to_port"] for one in get(t, f"{path}/rules/")], "the rules' order")
    done(t, t("PUT", f"{path}/rules/0", {"action": "reject", "protocol": "icmp"}))
    done(t, t("DELETE", f"{path}/rules/0"))
    t.same([rule], get(t, f"{path}/rules/"))
    done(t, t("PUT", path, {"name": "web2", "default_action": "accept"}))
    t.true("web2" in [one["name"] for one in get(t, "/search/security_policy_groups/")], "not found by the search")
    fails(t, t("POST", f"{path}/rules/", {"action": "maybe", "protocol": "tcp"}))
    done(t, t("DELETE", path))
    fails(t, t("GET", path))
