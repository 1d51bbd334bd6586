"""What the checks of dialect 003 share."""
import json

from dialects import envelope
from matcher import TEXT, UUID, Exact, Like

ID = Like(UUID)
TIME = Like(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
ADDRESS = Like(r"(\d+\.\d+\.\d+\.\d+(:\d+)?)?")  # empty where a guest has none
# Not followed by a task: what founds the people, and sessions, which come and go by the thousand.
AT_ONCE = {"task": False}
NEW_GUEST = {"name": "guest", "owner": "admin", "group": "manager", "pool": "default", "cores": 1, "memory": 512,
             "disks": [1024], "auto_start": False, "system": "linux"}
# The answers' own members besides those of the samples: what every image and guest has.
GUEST_MORE = ["id", "media_attached", "media_source", "monitor_secret", "system_version", "qos", "error", "owner",
              "group", "pool", "cell", "total_disk", "ethernet_address", "system", "created"]


def ok(t, answer, code=200):
    """What the envelope of a success holds. It is written with two blanks an indent."""
    body = t.json(answer, code)
    t.equal((0, ""), (body.get("error_code"), body.get("message")), f"code and message of {body}")
    t.equal(["error_code", "message", "data"], list(body), "the members")
    t.equal(json.dumps(body, indent=2, ensure_ascii=False), answer.body.decode(), "the text")
    return body["data"]


def get(t, path, code=200):
    return ok(t, t("GET", path), code)


def done(t, answer):
    """A command without data."""
    t.equal("", ok(t, answer), "the data")
    return answer


def fails(t, answer, message=TEXT):
    t.refused(answer, envelope(Exact(message) if type(message) is str else message))


def each(t, sample, given, free=(), extra=()):
    """Every element is like the one of the sample."""
    t.true(given, "an empty list")
    t.same([sample] * len(given), given, free, extra)


def make_guest(t, **more):
    """A guest that runs; its id."""
    made = ok(t, t("POST", "/guests/", {**NEW_GUEST, **more}), 202)["id"]
    t.eventually(lambda: t("GET", f"/guests/{made}").status == 200, "the guest to be made")
    return made


def stop_guest(t, guest):
    done(t, t("DELETE", f"/instances/{guest}", {"reboot": False, "force": True}))


def where_is(t, cell):
    """The pool that the cell is in; None for none."""
    for pool in get(t, "/compute_pools/"):
        if cell in [one["name"] for one in get(t, f"/compute_pool_cells/{pool['name']}")]:
            return pool["name"]
    return None


def move_cell(t, cell, pool=None):
    """Into that pool, or out of all. Only sim-host-3 and -4 are moved: the others have the guests."""
    now = where_is(t, cell)
    if now and now != pool:
        done(t, t("DELETE", f"/compute_pool_cells/{now}/{cell}"))
    if pool and now != pool:
        done(t, t("POST", f"/compute_pool_cells/{pool}/{cell}"))


def fresh(t, path, body=""):
    """Makes what is not there yet, under a name of the check's own."""
    done(t, t("POST", path, body))
    return path
