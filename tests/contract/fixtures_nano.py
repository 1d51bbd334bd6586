"""Dialect 003's part of the fixtures: see fixtures.py."""
FILE = (b"--xyz\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\niso\r\n--xyz--\r\n",
        {"Content-Type": "multipart/form-data; boundary=xyz"})
# Places and roles are nobody's own.
CONSTANT = {"pool": "default", "cell": "sim-host-1", "storage_pool": "fixture_storage",
            "address_pool": "fixture_addresses", "start": "172.16.31.1", "role": "fixture_role",
            "unknown_user": "nobody-at-all"}
NAMED = {"user", "group", "session", "snapshot", "channel", "log"}


def nano(service, method, path, body=None, headers=None):
    """The data of a success, asked for by whoever is logged in."""
    answer = service.ask("nano_user", method, path, body, {**service.identity["003"], **(headers or {})})
    given = answer.json()
    if given["error_code"] != 0:
        raise RuntimeError(f"{method} {path}: {answer}")
    return given["data"]


def cells(service, world, headers):
    """Before anything runs there: the cells that the checks may move."""
    service.log_in(*service.operator)
    for cell in ("sim-host-3", "sim-host-4"):
        nano(service, "DELETE", f"/compute_pool_cells/default/{cell}")


def things(service, world, headers):
    service.log_in(*service.operator)
    places(service)
    people(service, world)
    session = service.log_in(*service.tenant)
    world["session"] = session["Nano-Session"]
    guest, waits = world["vm"], lambda task: service.succeeded(task)
    image = {"name": "hallmark-media", "owner": "hallmark", "group": "hallmark"}
    world["media"] = nano(service, "POST", "/media_images/", image)["id"]
    nano(service, "POST", f"/media_image_files/{world['media']}", *FILE)
    world["disk_image"] = nano(service, "POST", "/disk_images/", image)["id"]
    nano(service, "POST", f"/disk_images/{world['disk_image']}/file/", *FILE)
    world["snapshot"] = "hallmark-snapshot-1"
    nano(service, "POST", f"/instances/{guest}/snapshots/", {"name": world["snapshot"]})
    world["channel"] = nano(service, "POST", "/monitor_channels/", {"guest": guest})["id"]
    order = {"name_rule": "order", "name_prefix": "hallmark", "owner": "o", "group": "g", "pool": "default", "count": 1,
             "cores": 1, "memory": 64, "disks": [1024], "auto_start": False}
    world["create_batch"] = nano(service, "POST", "/batch/create_guest/", order)["id"]
    waits(world["create_batch"])
    made = nano(service, "GET", f"/batch/create_guest/{world['create_batch']}")[0]["id"]
    for kind in ("stop", "delete"):
        world[f"{kind}_batch"] = nano(service, "POST", f"/batch/{kind}_guest/", {"guest": [made], "force": True})["id"]
        waits(world[f"{kind}_batch"])
    cell = nano(service, "GET", f"/guests/{guest}")["cell"]
    world["migration"] = nano(service, "POST", "/migrations/", {
        "source_pool": "default", "source_cell": cell, "instances": [guest]})["id"]
    waits(world["migration"])
    world["security_group"] = nano(service, "POST", "/security_policy_groups/", {
        "name": "hallmark", "default_action": "accept"})["id"]
    nano(service, "POST", "/logs/", {"content": "hallmark"})
    world["log"] = nano(service, "GET", "/api/v1/logs/?limit=1")["logs"][0]["id"]


def places(service):
    nano(service, "POST", "/storage_pools/fixture_storage", {"type": "nfs"})
    nano(service, "POST", "/address_pools/fixture_addresses", {"gateway": "172.16.31.254", "dns": []})
    nano(service, "POST", "/address_pools/fixture_addresses/internal/ranges/172.16.31.1",
         {"end": "172.16.31.9", "netmask": "255.255.255.0"})


def people(service, world):
    nano(service, "POST", "/roles/fixture_role", {"menu": []})
    world["user"], world["group"] = "hallmark_user", "hallmark_group"
    nano(service, "POST", "/users/hallmark_user", {"password": "abcdefg"})
    nano(service, "POST", "/user_groups/hallmark_group", {"display": "hallmark"})
    nano(service, "POST", "/user_groups/hallmark_group/members/hallmark_user")
