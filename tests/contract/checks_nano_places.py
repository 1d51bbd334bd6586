"""Dialect 003: compute pools, cells, storage and address pools."""
from matcher import TEXT, Any, Like, merged, without
from nano_parts import done, each, fails, fresh, get, move_cell, ok
from registry import line

SHARED = {"shared": True}
BY_MENU = {"shared": True, "own_role": "menu"}  # who has not the menu may not


# ---- compute pools

@line("003", "GET", "/compute_pools/", **SHARED)
def pools(t):
    each(t, t.samples["GET /compute_pools/"].data[0], get(t, "/compute_pools/"),
         free=["name", "enabled", "cells", "storage", "network", "failover"])
    t.true("default" in [pool["name"] for pool in get(t, "/compute_pools/")], "no pool 'default'")


@line("003", "GET", "/compute_pools/{pool}", **SHARED)
def pool(t):
    t.same(merged(t.samples["GET /compute_pools/{pool}"].data, enabled=True, failover=False),
           get(t, "/compute_pools/default"), free=["cells", "storage", "network"])
    fails(t, t("GET", "/compute_pools/nowhere"), "invalid pool 'nowhere'")


@line("003", "POST", "/compute_pools/{pool}", body={}, unknown="nothing", **BY_MENU)
def create_pool(t):
    for cell in ("sim-host-3", "sim-host-4"):
        move_cell(t, cell)
    fresh(t, "/storage_pools/some_ceph_cluster", {"type": "ceph"})
    fresh(t, "/address_pools/nat_address_pool_1", {"gateway": "172.16.9.254", "dns": []})
    sample = t.samples["POST /compute_pools/{pool}"]
    # The cells of the sample are of another zone.
    body = sample.body.replace("cell1", "sim-host-3").replace("cell2", "sim-host-4")
    done(t, t("POST", "/compute_pools/fast_instance", body))
    printed = t.samples["GET /compute_pools/"].data[0]
    t.same(merged(printed, name="fast_instance", cells=2), get(t, "/compute_pools/fast_instance"))
    done(t, t("POST", "/compute_pools/bare_pool"))
    fails(t, t("POST", "/compute_pools/bare_pool"))
    fails(t, t("POST", "/compute_pools/no%20name"))
    fails(t, t("POST", "/compute_pools/odd", {"network_mode": "odd"}))
    for cell in ("sim-host-3", "sim-host-4"):
        move_cell(t, cell)


@line("003", "DELETE", "/compute_pools/{pool}", **BY_MENU)
def delete_pool(t):
    fresh(t, "/compute_pools/to_delete")
    move_cell(t, "sim-host-3", "to_delete")
    fails(t, t("DELETE", "/compute_pools/to_delete"))  # it has a cell
    move_cell(t, "sim-host-3")
    done(t, t("DELETE", "/compute_pools/to_delete"))
    fails(t, t("GET", "/compute_pools/to_delete"), "invalid pool 'to_delete'")
    fails(t, t("DELETE", "/compute_pools/default"))


@line("003", "PUT", "/compute_pools/{pool}", body={"enable": True}, **BY_MENU)
def update_pool(t):
    fresh(t, "/compute_pools/to_change")
    fresh(t, "/storage_pools/nfs-poo1", {"type": "nfs"})  # as the sample spells it
    done(t, t("PUT", "/compute_pools/to_change", t.samples["PUT /compute_pools/{pool}"].body))
    now = get(t, "/compute_pools/to_change")
    t.equal((True, "nfs-poo1"), (now["failover"], now["storage"]), "what was changed")
    done(t, t("PUT", "/compute_pools/to_change", {"enable": False}))
    t.equal(False, get(t, "/compute_pools/to_change")["enabled"], "enabled")
    fails(t, t("PUT", "/compute_pools/to_change", {"storage": "none"}))


# ---- cells

@line("003", "GET", "/compute_pool_cells/", **SHARED)
def free_cells(t):
    move_cell(t, "sim-host-3")
    given = get(t, "/compute_pool_cells/")
    each(t, t.samples["GET /compute_pool_cells/"].data[0], given, free=["name", "enabled"])
    t.true("sim-host-3" in [cell["name"] for cell in given], "the free cell is not listed")


@line("003", "GET", "/compute_pool_cells/{pool}", **SHARED)
def cells_of_pool(t):
    each(t, t.samples["GET /compute_pool_cells/{pool}"].data[0], get(t, "/compute_pool_cells/default"),
         free=["name", "enabled"])
    fails(t, t("GET", "/compute_pool_cells/nowhere"), "invalid pool 'nowhere'")


@line("003", "POST", "/compute_pool_cells/{pool}/{cell}", **BY_MENU)
def attach_cell(t):
    move_cell(t, "sim-host-3")
    done(t, t("POST", "/compute_pool_cells/default/sim-host-3"))
    t.true("sim-host-3" in [c["name"] for c in get(t, "/compute_pool_cells/default")], "not attached")
    fails(t, t("POST", "/compute_pool_cells/default/sim-host-3"))  # it is in a pool
    fails(t, t("POST", "/compute_pool_cells/default/no-cell"))
    move_cell(t, "sim-host-3")


@line("003", "DELETE", "/compute_pool_cells/{pool}/{cell}", **BY_MENU)
def detach_cell(t):
    move_cell(t, "sim-host-3", "default")
    done(t, t("DELETE", "/compute_pool_cells/default/sim-host-3"))
    t.true("sim-host-3" in [c["name"] for c in get(t, "/compute_pool_cells/")], "not detached")
    fails(t, t("DELETE", "/compute_pool_cells/default/sim-host-3"))


@line("003", "PUT", "/compute_pool_cells/{pool}/{cell}", body={"enable": True}, **BY_MENU)
def enable_cell(t):
    fresh(t, "/compute_pools/of_disabled")
    move_cell(t, "sim-host-4", "of_disabled")
    path = "/compute_pool_cells/of_disabled/sim-host-4"
    done(t, t("PUT", path, t.samples["PUT /compute_pool_cells/{pool}/{cell}"].body))
    t.equal(False, get(t, path)["enabled"], "enabled")
    done(t, t("PUT", path, {"enable": True}))
    t.equal(True, get(t, path)["enabled"], "enabled again")
    fails(t, t("PUT", path, {}))
    fails(t, t("PUT", "/compute_pool_cells/default/sim-host-4", {"enable": True}))
    move_cell(t, "sim-host-4")


@line("003", "GET", "/compute_pool_cells/{pool}/{cell}", **SHARED)
def show_cell(t):
    fresh(t, "/storage_pools/nfs_of_cell", {"type": "nfs"})
    fresh(t, "/compute_pools/with_storage", {"storage": "nfs_of_cell"})
    move_cell(t, "sim-host-4", "with_storage")
    sample = t.samples["GET /compute_pool_cells/{pool}/{cell}"].data
    wanted = merged(sample, name="sim-host-4", storage=[{"name": "nfs_of_cell", "attached": True}])
    t.same(wanted, get(t, "/compute_pool_cells/with_storage/sim-host-4"))
    fails(t, t("GET", "/compute_pool_cells/default/sim-host-4"))
    move_cell(t, "sim-host-4")


# ---- storage pools

@line("003", "GET", "/storage_pools/", **SHARED)
def storage_pools(t):
    sample = t.samples["GET /storage_pools/"].data[0]
    fresh(t, "/storage_pools/nfspool1", without(sample, "name"))
    given = get(t, "/storage_pools/")
    t.same([sample], [one for one in given if one["name"] == "nfspool1"])
    each(t, sample, given, free=list(sample))


@line("003", "GET", "/storage_pools/{pool}", at="/storage_pools/{storage_pool}", **SHARED)
def storage_pool(t):
    sample = t.samples["GET /storage_pools/{pool}"].data
    fresh(t, "/storage_pools/nfspool2", sample)
    t.same(sample, get(t, "/storage_pools/nfspool2"))
    fails(t, t("GET", "/storage_pools/none"), "invalid storage pool 'none'")


@line("003", "POST", "/storage_pools/{pool}", at="/storage_pools/{storage_pool}", body={"type": "nfs"}, unknown="nothing", **BY_MENU)
def create_storage_pool(t):
    done(t, t("POST", "/storage_pools/nfspool3", t.samples["POST /storage_pools/{pool}"].body))
    t.same(t.samples["GET /storage_pools/{pool}"].data, get(t, "/storage_pools/nfspool3"))
    fails(t, t("POST", "/storage_pools/nfspool3", {"type": "nfs"}))
    fails(t, t("POST", "/storage_pools/nfspool4", {}))


@line("003", "PUT", "/storage_pools/{pool}", at="/storage_pools/{storage_pool}", body={"type": "nfs"}, **BY_MENU)
def update_storage_pool(t):
    fresh(t, "/storage_pools/nfspool5", {"type": "nfs"})
    done(t, t("PUT", "/storage_pools/nfspool5", t.samples["PUT /storage_pools/{pool}"].body))
    t.equal({"type": "nfs", "host": "another_nfs.nano.com", "target": "/var/nano/new_location"},
            get(t, "/storage_pools/nfspool5"), "the pool")


@line("003", "DELETE", "/storage_pools/{pool}", at="/storage_pools/{storage_pool}", **BY_MENU)
def delete_storage_pool(t):
    fresh(t, "/storage_pools/nfspool6", {"type": "nfs"})
    fresh(t, "/compute_pools/holds_storage", {"storage": "nfspool6"})
    fails(t, t("DELETE", "/storage_pools/nfspool6"))  # in use
    done(t, t("PUT", "/compute_pools/holds_storage", {"storage": ""}))
    done(t, t("DELETE", "/storage_pools/nfspool6"))
    fails(t, t("GET", "/storage_pools/nfspool6"))


# ---- address pools

RANGE = {"end": "172.16.3.18", "netmask": "255.255.255.0"}


def address_pool(t, name, with_range=None):
    path = fresh(t, f"/address_pools/{name}", t.samples["POST /address_pools/{name}"].body)
    if with_range:
        start, end = with_range
        fresh(t, f"{path}/internal/ranges/{start}", {**RANGE, "end": end})
    return path


@line("003", "GET", "/address_pools/", **SHARED)
def address_pools(t):
    address_pool(t, "address1", ("172.16.20.1", "172.16.20.120"))
    sample = t.samples["GET /address_pools/"].data[0]
    given = [one for one in get(t, "/address_pools/") if one["name"] == "address1"]
    t.same([merged(sample, allocated=0)], given)


@line("003", "GET", "/address_pools/{name}", at="/address_pools/{address_pool}", **SHARED)
def show_address_pool(t):
    path = address_pool(t, "address2", ("172.16.21.1", "172.16.21.18"))
    sample = t.samples["GET /address_pools/{name}"].data
    wanted = merged(sample, ranges=[merged(sample["ranges"][0])], allocated=[])
    t.same(wanted, get(t, path), extra=["type"])
    fails(t, t("GET", "/address_pools/none"), "invalid address pool 'none'")


@line("003", "POST", "/address_pools/{name}", at="/address_pools/{address_pool}", unknown="nothing",
      body={"gateway": "172.16.3.254", "dns": []}, **BY_MENU)
def create_address_pool(t):
    path = address_pool(t, "address3")
    sample = t.samples["GET /address_pools/{name}"].data
    t.same(merged(sample, ranges=[], allocated=[]), get(t, path))
    fails(t, t("POST", path, {"gateway": "172.16.3.254"}))
    fails(t, t("POST", "/address_pools/address4", {"gateway": "no address"}))
    fails(t, t("POST", "/address_pools/address4", {}))


@line("003", "PUT", "/address_pools/{name}", at="/address_pools/{address_pool}", body={"gateway": "172.16.31.254"},
      **BY_MENU)
def update_address_pool(t):
    path = address_pool(t, "address5")
    done(t, t("PUT", path, {"gateway": "172.16.3.253", "dns": ["9.9.9.9"]}))
    now = get(t, path)
    t.equal(("172.16.3.253", ["9.9.9.9"]), (now["gateway"], now["dns"]), "what was changed")


@line("003", "DELETE", "/address_pools/{name}", at="/address_pools/{address_pool}", **BY_MENU)
def delete_address_pool(t):
    path = address_pool(t, "address6")
    done(t, t("DELETE", path))
    fails(t, t("GET", path), "invalid address pool 'address6'")


@line("003", "GET", "/address_pools/{name}/{type}/ranges/", at="/address_pools/{address_pool}/internal/ranges/",
      **SHARED)
def ranges(t):
    path = address_pool(t, "address7", ("172.16.22.1", "172.16.22.18"))
    sample = t.samples["GET /address_pools/{name}/{type}/ranges/"].data
    each(t, sample[0], get(t, f"{path}/internal/ranges/"), extra=["type"])
    t.equal([], get(t, f"{path}/external/ranges/"), "external ranges")
    fails(t, t("GET", f"{path}/odd/ranges/"), "invalid range type 'odd'")


@line("003", "GET", "/address_pools/{name}/{type}/ranges/{start}",
      at="/address_pools/{address_pool}/internal/ranges/{start}", **SHARED)
def show_range(t):
    path = address_pool(t, "address8", ("172.16.23.1", "172.16.23.18"))
    sample = t.samples["GET /address_pools/{name}/{type}/ranges/{start}"].data
    t.same(merged(sample, allocated=[]), get(t, f"{path}/internal/ranges/172.16.23.1"), extra=["type"])
    fails(t, t("GET", f"{path}/internal/ranges/172.16.23.2"))


@line("003", "POST", "/address_pools/{name}/{type}/ranges/{start}",
      at="/address_pools/{address_pool}/internal/ranges/172.16.31.200",
      body={"end": "172.16.31.201", "netmask": "255.255.255.0"}, **BY_MENU)
def add_range(t):
    path = address_pool(t, "address9")
    sample = t.samples["POST /address_pools/{name}/{type}/ranges/{start}"]
    done(t, t("POST", f"{path}/internal/ranges/172.16.3.1", sample.body))
    t.equal([{"start": "172.16.3.1", **RANGE}], get(t, f"{path}/internal/ranges/"), "the ranges")
    fails(t, t("POST", f"{path}/internal/ranges/172.16.3.10", {**RANGE, "end": "172.16.3.30"}),
          Like(".*overlaps.*"))
    fails(t, t("POST", f"{path}/internal/ranges/172.16.3.90", {"end": "172.16.3.30"}))
    fails(t, t("POST", f"{path}/odd/ranges/172.16.3.90", RANGE), "invalid range type 'odd'")
    done(t, t("DELETE", f"{path}/internal/ranges/172.16.3.1"))


@line("003", "DELETE", "/address_pools/{name}/{type}/ranges/{start}",
      at="/address_pools/{address_pool}/internal/ranges/{start}", **BY_MENU)
def remove_range(t):
    path = address_pool(t, "address10", ("172.16.24.1", "172.16.24.18"))
    done(t, t("DELETE", f"{path}/internal/ranges/172.16.24.1"))
    t.equal([], get(t, f"{path}/internal/ranges/"), "the ranges")
    fails(t, t("DELETE", f"{path}/internal/ranges/172.16.24.1"))


# ---- cells' own storage

@line("003+", "GET", "/compute_cell_status/{pool}/{cell}/storages/", **SHARED)
def storages(t):
    given = ok(t, t("GET", "/compute_cell_status/default/sim-host-1/storages/"))
    t.same({"mode": TEXT, "system": Any(list), "data": Any(list)}, given)
    fresh(t, "/storage_pools/of_a_cell", {"type": "nfs", "target": "/var/nano/of_a_cell"})
    fresh(t, "/compute_pools/of_a_cell", {"storage": "of_a_cell"})
    move_cell(t, "sim-host-4", "of_a_cell")
    path = "/compute_cell_status/of_a_cell/sim-host-4/storages/"
    done(t, t("PUT", path, {"default": "/var/nano/of_a_cell"}))
    t.equal(["/var/nano/of_a_cell"], get(t, path)["data"], "the cell's storage")
    fails(t, t("PUT", path, {"default": "/nowhere"}))
    move_cell(t, "sim-host-4")
