"""Dialect 003: what the zone, its pools and cells have and do, and which guests are where."""
from matcher import NUMBER, merged
from nano_parts import ADDRESS, GUEST_MORE, ID, TIME, each, fails, get, make_guest, ok
from registry import line

COUNTERS = ["pools", "cells", "instances", "cpu_usage", "max_cpu", "available_memory", "max_memory",
            "available_disk", "max_disk", "read_speed", "write_speed", "receive_speed", "send_speed"]
SHARED = {"shared": True}


def lengths(t, sample, given):
    """[disabled, enabled] and such have a number for each."""
    for name in ("pools", "cells", "instances"):
        if name in sample:
            t.equal(len(sample[name]), len(given[name]), f"numbers of {name}")


@line("003", "GET", "/compute_zone_status/", **SHARED)
def zone(t):
    sample, given = t.samples["GET /compute_zone_status/"].data, get(t, "/compute_zone_status/")
    t.same(merged(sample, start_time=TIME), given, free=[*COUNTERS, "name"])
    lengths(t, sample, given)
    make_guest(t, name="counted")
    now = get(t, "/compute_zone_status/")
    t.true(now["instances"][1] > given["instances"][1], "a guest that runs is not counted")
    t.true(now["available_memory"] < given["available_memory"], "its memory is still there")


@line("003", "GET", "/compute_pool_status/", **SHARED)
def pools_status(t):
    sample, given = t.samples["GET /compute_pool_status/"].data[0], get(t, "/compute_pool_status/")
    each(t, sample, given, free=[*COUNTERS, "name", "enabled"])
    lengths(t, sample, given[0])


@line("003", "GET", "/compute_pool_status/{pool}", **SHARED)
def pool_status(t):
    sample, given = t.samples["GET /compute_pool_status/{pool}"].data, get(t, "/compute_pool_status/default")
    t.same(sample, given, free=COUNTERS)
    lengths(t, sample, given)
    fails(t, t("GET", "/compute_pool_status/nowhere"), "invalid pool 'nowhere'")


@line("003", "GET", "/compute_cell_status/{pool}/", **SHARED)
def cells_status(t):
    sample, given = t.samples["GET /compute_cell_status/{pool}/"].data[0], get(t, "/compute_cell_status/default/")
    each(t, sample, given, free=[*COUNTERS, "name", "enabled"])
    lengths(t, sample, given[0])


@line("003", "GET", "/compute_cell_status/{pool}/{cell}", **SHARED)
def cell_status(t):
    sample = t.samples["GET /compute_cell_status/{pool}/{cell}"].data
    given = get(t, "/compute_cell_status/default/sim-host-1")
    t.same(merged(sample, name="sim-host-1"), given, free=COUNTERS)
    fails(t, t("GET", "/compute_cell_status/default/no-cell"))


# ---- guests by place

PLACES = {"network_address": ADDRESS, "display_address": ADDRESS}


def listed(sample, **more):
    """The sample's guest with what no two runs share."""
    changed = dict(id=ID, create_time=TIME, internal=merged(PLACES, allocated_address=ADDRESS), external=PLACES)
    return merged(sample, {name: value for name, value in changed.items() if name in sample}, more)


FREE = ["running", "cores", "memory", "disks", "auto_start", "media_attached", "media_source", "monitor_secret",
        "system"]


@line("003", "GET", "/instance_status/{pool}/")
def status_of_pool(t):
    guest, waiting = make_guest(t, name="in_a_pool"), t.world["waiting_vm"]
    made, unmade = t.samples["GET /instance_status/{pool}/"].data
    given = {one["id"]: one for one in get(t, "/instance_status/default/")}
    t.same(listed(made, name="in_a_pool"), given[guest], free=FREE, extra=GUEST_MORE)
    # One that is still being made shows how far.
    t.same(listed(unmade, name="hallmark-cancelled", progress=NUMBER), given[waiting], free=FREE,
           extra=[*GUEST_MORE, "internal", "external", "create_time", "display_protocol"])
    fails(t, t("GET", "/instance_status/nowhere/"), "invalid pool 'nowhere'")


@line("003", "GET", "/instance_status/{pool}/{cell}")
def status_of_cell(t):
    guest = make_guest(t, name="in_a_cell")
    cell = get(t, f"/guests/{guest}")["cell"]
    given = [one for one in get(t, f"/instance_status/default/{cell}") if one["id"] == guest]
    sample = t.samples["GET /instance_status/{pool}/{cell}"].data[0]
    t.same([listed(sample, name="in_a_cell")], given, free=FREE, extra=GUEST_MORE)
    fails(t, t("GET", "/instance_status/default/no-cell"))


@line("003", "GET", "/guest_search/", at="/guest_search/?pool={pool}")
def search(t):
    guest = make_guest(t, name="searched", owner="searcher")
    found = get(t, "/guest_search/?pool=default&owner=searcher&group=manager&status=1&created=true")
    sample = t.samples["GET /guest_search/"].data[0]
    t.same([listed(sample, name="searched", owner="searcher", group="manager", pool="default", running=True)], found,
           free=[*FREE, "total_disk", "cell"], extra=GUEST_MORE)
    t.equal(guest, found[0]["id"], "the guest")
    cell = found[0]["cell"]
    by_cell = get(t, f"/guest_search/?pool=default&cell={cell}&owner=searcher")
    t.equal([guest], [one["id"] for one in by_cell], "by cell")
    t.equal([], get(t, "/guest_search/?pool=default&owner=searcher&status=0"), "stopped ones")
    fails(t, t("GET", "/guest_search/"), "pool required")


@line("003+", "POST", "/search/guests/", body={"pool": "{pool}"})
def paged_search(t):
    ids = {make_guest(t, name=f"paged_{n}", owner="pager") for n in range(3)}
    pages = [ok(t, t("POST", "/search/guests/", {"pool": "default", "owner": "pager", "offset": n, "limit": 1}))
             for n in range(3)]
    for n, page in enumerate(pages):
        t.equal((3, n, 1), (page["total"], page["offset"], page["limit"]), "the page")
    t.equal(ids, {page["result"][0]["id"] for page in pages}, "the guests of all pages")
