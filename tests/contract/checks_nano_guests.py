"""Dialect 003: guests, the instances that they run as, snapshots and their screens."""
import json

from checks_nano_status import listed
from matcher import NUMBER, TEXT, Like, merged
from nano_parts import GUEST_MORE, ID, TIME, done, fails, get, make_guest, ok, stop_guest
from registry import line
from websocket import UPGRADE, upgraded

IMAGE = "e892c826-c836-48bf-bb28-bdb0c2e382cf"


def sample_guest(t):
    """The sample's request; its pool is one of another zone."""
    return t.samples["POST /guests/"].body.replace("pool_1", "default")


# ---- guests

@line("003", "GET", "/guests/{id}", at="/guests/{vm}")
def guest(t):
    sample = t.samples["GET /guests/{id}"]
    making = ok(t, t("GET", f"/guests/{t.world['waiting_vm']}"), 201)
    t.same(merged(sample.data_of(201), name="hallmark-cancelled", progress=NUMBER), making)
    made = ok(t, t("POST", "/guests/", sample_guest(t)), 202)["id"]
    t.eventually(lambda: t("GET", f"/guests/{made}").status == 200, "the guest to be made")
    wanted = listed(sample.data_of(200), name="some_instance", running=True, pool="default", cores=8, memory=4048,
                    total_disk=4048 + 38443, disks=[4048, 38443])
    t.same(wanted, get(t, f"/guests/{made}"), free=["cell", "monitor_secret"], extra=GUEST_MORE)
    t.equal(get(t, f"/guests/{made}"), get(t, f"/guest/{made}"), "/guest/ against /guests/")
    fails(t, t("GET", "/guests/no-guest"), "invalid guest 'no-guest'")


@line("003", "POST", "/guests/", body={"name": "anybodys", "owner": "o", "group": "g", "pool": "{pool}", "cores": 1,
                                       "memory": 64, "disks": [1024]})
def create_guest(t):
    answer = t("POST", "/guests/", sample_guest(t))
    given = ok(t, answer, 202)
    t.same(merged(t.samples["POST /guests/"].data, id=ID), given)
    task = t.done(answer)
    t.equal(("nano", given["id"]), (task["dialect"], task["resources"][0]["id"]), "the task")
    body = json.loads(sample_guest(t))
    fails(t, t("POST", "/guests/", {**body, "name": "no spaces"}), "only '0~9a~Z_-' allowed in name")
    for name in ("name", "owner", "group", "pool", "cores", "memory", "disks"):
        fails(t, t("POST", "/guests/", {k: v for k, v in body.items() if k != name}), Like(f".*{name}.*"))
    fails(t, t("POST", "/guests/", {**body, "from_image": "0123456789-abcdef"}))
    vm = t.core("GET", f"/core/v1/vms/{given['id']}").json()
    t.equal("c8m4048d42", vm["flavor"] or "c8m4048d42", "the private flavor")
    # A body inside a list is taken too, as every sample is printed.
    ok(t, t("POST", "/guests/", [{**body, "name": "in_a_list"}]), 202)


@line("003", "DELETE", "/guests/{id}", at="/guests/{vm}")
def delete_guest(t):
    made = make_guest(t, name="to_delete")
    fails(t, t("DELETE", f"/guests/{made}", {"force": False}), f"instance '{made}' is still running")
    fails(t, t("DELETE", f"/guests/{made}"), f"instance '{made}' is still running")
    done(t, t("DELETE", f"/guests/{made}", t.samples["DELETE /guests/{id}"].body))
    fails(t, t("GET", f"/guests/{made}"), f"invalid guest '{made}'")
    stopped = make_guest(t, name="to_delete_stopped")
    stop_guest(t, stopped)
    done(t, t("DELETE", f"/guests/{stopped}", {}))


def changed(t, rest, *missing, at_guest="guest"):
    """A guest after the sample's change below its path, asked for under both spellings."""
    made = make_guest(t, name="to_change", cores=8, memory=4048, disks=[4048, 38443])
    title = f"PUT /{at_guest}/{{id}}{rest}"
    sample = t.samples[title.replace("/0", "/{disk}")]
    done(t, t("PUT", f"/guest/{made}{rest}", sample.body))
    done(t, t("PUT", f"/guests/{made}{rest}", sample.body))
    for body in missing:
        fails(t, t("PUT", f"/guest/{made}{rest}", body))
    return made, get(t, f"/guests/{made}")


@line("003", "PUT", "/guest/{id}/cores", at="/guest/{vm}/cores", body={"cores": 1})
def cores(t):
    _, now = changed(t, "/cores", {}, {"cores": 0}, {"cores": "four"})
    t.equal(4, now["cores"], "cores")


@line("003", "PUT", "/guest/{id}/memory", at="/guest/{vm}/memory", body={"memory": 536870912})
def memory(t):
    _, now = changed(t, "/memory", {}, {"memory": 0})
    t.equal(4294967296, now["memory"], "memory, as it was given")


@line("003", "PUT", "/guest/{id}/disks/resize/{disk}", at="/guest/{vm}/disks/resize/0", body={"size": 2147483648})
def resize_disk(t):
    made, now = changed(t, "/disks/resize/0", {})
    t.equal([42949672960, 38443], now["disks"], "disks")
    for disk in ("9", "x"):
        fails(t, t("PUT", f"/guest/{made}/disks/resize/{disk}", {"size": 42949672960}))


@line("003", "PUT", "/guest/{id}/disks/shrink/{disk}", at="/guest/{vm}/disks/shrink/0", body={})
def shrink_disk(t):
    made, now = changed(t, "/disks/shrink/0")
    t.equal([4048, 38443], now["disks"], "disks")
    fails(t, t("PUT", f"/guest/{made}/disks/shrink/9", {}))


@line("003", "PUT", "/guest/{id}/system/", at="/guest/{vm}/system/", body={"from_image": IMAGE})
def reset_system(t):
    made = make_guest(t, name="reset")
    body = t.samples["PUT /guest/{id}/system/"].body
    fails(t, t("PUT", f"/guest/{made}/system/", body))  # no image of this zone
    done(t, t("PUT", f"/guest/{made}/system/", body.replace("0123456789-abcdef", IMAGE)))
    fails(t, t("PUT", f"/guest/{made}/system/", {}))


@line("003", "PUT", "/guest/{id}/auth", at="/guest/{vm}/auth", body={})
def set_auth(t):
    made, sample = make_guest(t, name="authorised"), t.samples["PUT /guest/{id}/auth"]
    given = ok(t, t("PUT", f"/guest/{made}/auth", sample.body))
    t.same(merged(sample.data, **json.loads(sample.body)), given)
    generated = ok(t, t("PUT", f"/guest/{made}/auth", {}))
    t.same(sample.data, generated, free=["password"])
    t.true(generated["password"] != given["password"], "no new password")


@line("003", "GET", "/guest/{id}/auth", at="/guest/{vm}/auth")
def get_auth(t):
    made = ok(t, t("POST", "/guests/", sample_guest(t)), 202)["id"]
    t.eventually(lambda: t("GET", f"/guests/{made}").status == 200, "the guest to be made")
    asked = json.loads(sample_guest(t))["cloud_init"]
    t.same(merged(t.samples["GET /guest/{id}/auth"].data, password=asked["admin_secret"], user=asked["admin_name"]),
           get(t, f"/guest/{made}/auth"))


@line("003", "PUT", "/guest/{id}/name/", at="/guest/{vm}/name/", body={"name": "anybodys"})
def rename(t):
    made = make_guest(t, name="old_name")
    sample = t.samples["PUT /guest/{id}/name/"]
    fails(t, t("PUT", f"/guest/{made}/name/", sample.printed_body))  # a comma too many is no JSON
    done(t, t("PUT", f"/guest/{made}/name/", sample.body))
    t.equal("some_instance", get(t, f"/guests/{made}")["name"], "the name")
    fails(t, t("PUT", f"/guest/{made}/name/", {"name": "no spaces"}), "only '0~9a~Z_-' allowed in name")
    fails(t, t("PUT", f"/guest/{made}/name/", {}))


# ---- instances

@line("003", "GET", "/instances/{id}", at="/instances/{vm}")
def instance(t):
    made = make_guest(t, name="running", cores=4, memory=5120)
    sample = t.samples["GET /instances/{id}"].data
    measured = ["cpu_usage", "memory_available", "disk_available", "bytes_read", "bytes_written", "bytes_received",
                "bytes_sent"]
    t.same(listed(sample, name="running", pool="default", disks=[1024], total_disk=1024, cores=4, memory=5120,
                  auto_start=False, media_attached=False), get(t, f"/instances/{made}"),
           free=[*measured, "cell", "media_source"], extra=GUEST_MORE)


@line("003", "POST", "/instances/{id}", at="/instances/{vm}", body={})
def start(t):
    made = make_guest(t, name="started")
    fails(t, t("POST", f"/instances/{made}"))  # it runs
    stop_guest(t, made)
    done(t, t("POST", f"/instances/{made}"))
    t.equal(True, get(t, f"/instances/{made}")["running"], "running")
    stop_guest(t, made)
    sample = t.samples["POST /instances/{id}"].body
    fails(t, t("POST", f"/instances/{made}", sample))  # the sample's image is not of this zone
    done(t, t("POST", f"/instances/{made}", sample.replace("bd0fe127-a8db-4c89-98ea-9a5070b08aae", t.world["media"])))
    t.equal(True, get(t, f"/instances/{made}")["media_attached"], "media_attached")


@line("003", "DELETE", "/instances/{id}", at="/instances/{vm}")
def stop(t):
    made = make_guest(t, name="stopped")
    done(t, t("DELETE", f"/instances/{made}", {"reboot": True, "force": False}))
    t.equal(True, get(t, f"/instances/{made}")["running"], "running after a reboot")
    done(t, t("DELETE", f"/instances/{made}", t.samples["DELETE /instances/{id}"].body))
    t.equal(False, get(t, f"/instances/{made}")["running"], "running")
    fails(t, t("DELETE", f"/instances/{made}", {"reboot": False, "force": False}))


MEDIA = "bd0fe127-a8db-4c89-98ea-9a5070b08aae"


@line("003", "POST", "/instances/{id}/media", at="/instances/{vm}/media", body={"source": "{media}"})
def insert_media(t):
    made, sample = make_guest(t, name="with_media"), t.samples["POST /instances/{id}/media"]
    fails(t, t("POST", f"/instances/{made}/media", sample.body))  # not of this zone
    done(t, t("POST", f"/instances/{made}/media", sample.body.replace(MEDIA, t.world["media"])))
    now = get(t, f"/instances/{made}")
    t.equal((True, t.world["media"]), (now["media_attached"], now["media_source"]), "the media")
    fails(t, t("POST", f"/instances/{made}/media", {}))


@line("003", "DELETE", "/instances/{id}/media", at="/instances/{vm}/media")
def eject_media(t):
    made = make_guest(t, name="without_media")
    fails(t, t("DELETE", f"/instances/{made}/media"))  # there is none
    done(t, t("POST", f"/instances/{made}/media", {"source": t.world["media"]}))
    done(t, t("DELETE", f"/instances/{made}/media"))
    t.equal(False, get(t, f"/instances/{made}")["media_attached"], "media_attached")


# ---- snapshots

def with_snapshots(t):
    """The tree of the sample, made in its order."""
    made = make_guest(t, name="with_snapshots")
    path = f"/instances/{made}/snapshots/"
    for back, name in ((None, "origin"), (None, "another_branch"), (None, "another_end"), ("origin", "snapshot1"),
                       (None, "snapshot2"), (None, "snapshot3")):
        if back:
            done(t, t("PUT", path, {"target": back}))
        done(t, t("POST", path, {"name": name}))
    return path


@line("003", "GET", "/instances/{id}/snapshots/", at="/instances/{vm}/snapshots/")
def snapshots(t):
    path = with_snapshots(t)
    t.same(t.samples["GET /instances/{id}/snapshots/"].data, get(t, path))


@line("003", "POST", "/instances/{id}/snapshots/", at="/instances/{vm}/snapshots/", body={"name": "anybodys"})
def make_snapshot(t):
    path = f"/instances/{make_guest(t, name='to_keep')}/snapshots/"
    done(t, t("POST", path, t.samples["POST /instances/{id}/snapshots/"].body))
    t.equal({"snapshot1": {"is_root": True, "is_current": True}}, get(t, path), "the tree")
    fails(t, t("POST", path, {"name": "no spaces"}), "only '0~9a~Z_.-' allowed in snapshot name")
    fails(t, t("POST", path, {"name": "snapshot1"}))
    fails(t, t("POST", path, {}))


@line("003", "PUT", "/instances/{id}/snapshots/", at="/instances/{vm}/snapshots/", body={"target": "{snapshot}"})
def restore_snapshot(t):
    path = f"/instances/{make_guest(t, name='to_restore')}/snapshots/"
    sample = t.samples["PUT /instances/{id}/snapshots/"].body
    fails(t, t("PUT", path, sample))  # there is none yet
    for name in ("snapshot1", "later"):
        done(t, t("POST", path, {"name": name}))
    done(t, t("PUT", path, sample))
    t.equal(True, get(t, path)["snapshot1"].get("is_current"), "the current one")


@line("003", "GET", "/instances/{id}/snapshots/{name}", at="/instances/{vm}/snapshots/{snapshot}")
def snapshot(t):
    path = f"/instances/{make_guest(t, name='described')}/snapshots/"
    sample = t.samples["GET /instances/{id}/snapshots/{name}"].data
    done(t, t("POST", path, {"name": "one", "description": sample["description"]}))
    t.same(merged(sample, running=True, create_time=TIME), get(t, path + "one"))
    fails(t, t("GET", path + "two"))


@line("003", "DELETE", "/instances/{id}/snapshots/{name}", at="/instances/{vm}/snapshots/{snapshot}")
def delete_snapshot(t):
    path = f"/instances/{make_guest(t, name='to_forget')}/snapshots/"
    done(t, t("POST", path, {"name": "one"}))
    done(t, t("DELETE", path + "one"))
    t.equal({}, get(t, path), "the tree")
    fails(t, t("DELETE", path + "one"))


# ---- screens

@line("003", "POST", "/monitor_channels/", body={"guest": "{vm}"}, task=False)
def open_channel(t):
    made, sample = make_guest(t, name="watched"), t.samples["POST /monitor_channels/"]
    fails(t, t("POST", "/monitor_channels/", sample.body), "invalid guest 'some_guest_id'")
    given = ok(t, t("POST", "/monitor_channels/", sample.body.replace("some_guest_id", made)))
    t.same(merged(sample.data, id=TEXT, password=get(t, f"/guests/{made}")["monitor_secret"]), given)
    fails(t, t("POST", "/monitor_channels/", {}))
    stop_guest(t, made)
    fails(t, t("POST", "/monitor_channels/", {"guest": made}), f"instance '{made}' is stopped")


@line("003", "GET", "/monitor_channels/{id}", at="/monitor_channels/{channel}", public=True, unknown="nothing")
def channel(t):
    made = make_guest(t, name="on_screen")
    opened = ok(t, t("POST", "/monitor_channels/", {"guest": made}))["id"]
    with upgraded(t, f"/monitor_channels/{opened}", Sec_WebSocket_Protocol="binary") as raw:
        t.equal("binary", t.answers[-1][2].headers["Sec-WebSocket-Protocol"], "the protocol")
        # The simulated cloud has no screen to show: the channel is closed, with a frame that says so.
        t.equal(b"\x88", raw.read(1), "the first byte")
    t.equal(426, t("GET", f"/monitor_channels/{opened}").status, "a plain request")
    fails(t, t("GET", "/monitor_channels/none", None, UPGRADE), "invalid channel")


# ---- what the portal asks besides

def guest_change(t, rest, body, name, wanted, wrong):
    made = make_guest(t, name="tuned")
    done(t, t("PUT", f"/guests/{made}/{rest}", body))
    given = get(t, f"/guests/{made}")
    t.equal(wanted, given["qos"][name] if rest.startswith("qos") else given[name], name)
    if wrong is not None:
        fails(t, t("PUT", f"/guests/{made}/{rest}", wrong))


@line("003+", "PUT", "/guests/{id}/auto_start", at="/guests/{vm}/auto_start", body={"enable": False})
def auto_start(t):
    guest_change(t, "auto_start", {"enable": True}, "auto_start", True, {})


@line("003+", "PUT", "/guests/{id}/qos/cpu", at="/guests/{vm}/qos/cpu", body={"priority": "medium"})
def cpu_limit(t):
    guest_change(t, "qos/cpu", {"priority": "high"}, "cpu_priority", "high", {"priority": "huge"})


@line("003+", "PUT", "/guests/{id}/qos/disk", at="/guests/{vm}/qos/disk", body={"read_speed": 0})
def disk_limit(t):
    guest_change(t, "qos/disk", {"read_speed": 1, "read_iops": 2}, "read_iops", 2, {"read_iops": -1})


@line("003+", "PUT", "/guests/{id}/qos/network", at="/guests/{vm}/qos/network", body={"receive_speed": 0})
def network_limit(t):
    guest_change(t, "qos/network", {"receive_speed": 3}, "receive_speed", 3, {"receive_speed": "fast"})


@line("003+", "PUT", "/guests/{id}/monitor/secret", at="/guests/{vm}/monitor/secret")
def monitor_secret(t):
    made = make_guest(t, name="secret")
    before = get(t, f"/guests/{made}")["monitor_secret"]
    ok(t, t("PUT", f"/guests/{made}/monitor/secret"))
    t.true(get(t, f"/guests/{made}")["monitor_secret"] != before, "the same secret")


RULE = {"action": "accept", "protocol": "tcp", "to_port": 22}


@line("003+", "GET", "/guests/{id}/security_policy/", at="/guests/{vm}/security_policy/")
def guest_security(t):
    path = f"/guests/{make_guest(t, name='secured')}/security_policy/"
    t.same({"default_action": "accept", "rules": []}, get(t, path))
    done(t, t("PUT", path + "default_action", {"action": "reject"}))
    for port in (22, 80):
        done(t, t("POST", path + "rules/", {**RULE, "to_port": port}))
    done(t, t("PUT", path + "rules/1/order", {"direction": "up"}))
    t.same({"default_action": "reject", "rules": [{**RULE, "to_port": 80}, RULE]}, get(t, path))
    done(t, t("PUT", path + "rules/0", {"action": "reject", "protocol": "udp"}))
    done(t, t("DELETE", path + "rules/1"))
    t.same([{"action": "reject", "protocol": "udp", "to_port": 0}], get(t, path)["rules"])
    fails(t, t("POST", path + "rules/", {"action": "maybe", "protocol": "tcp"}))
