"""Dialect 003: media and disk images, and their bytes."""
import json

from matcher import merged
from nano_parts import ID, TIME, done, each, fails, get, make_guest, ok
from registry import line

BOUNDARY = {"Content-Type": "multipart/form-data; boundary=xyz"}
IMAGE_MORE = ["id", "created", "progress", "owner", "group", "error", "size", "create_time", "modify_time"]
FREE = ["name", "description", "size", "tags"]


def make_image(t, path="/media_images/"):
    """By the sample's request (of a disk image: without the guest that it is made of); its id."""
    body = json.loads(t.samples["POST /media_images/"].body)
    return ok(t, t("POST", path, body))["id"]


def upload(t, path, data=b"iso bytes"):
    return t("POST", path, b"\r\n".join([
        b"--xyz", b'Content-Disposition: form-data; name="image"; filename="a"', b"", data, b"--xyz--", b""]), BOUNDARY)


def image_sample(sample, **more):
    changed = {"id": ID, "create_time": TIME, "modify_time": TIME}
    return merged(sample, {name: value for name, value in changed.items() if name in sample}, more)


def listing(t, title, *queries, path="/media_images/"):
    """The image that the sample's request made is in each of the lists, as the sample shows it."""
    made, sample = make_image(t, path), t.samples[title].data[0]
    for query in queries:
        given = get(t, query)
        each(t, image_sample(sample), given, free=FREE, extra=IMAGE_MORE)
        mine = [one for one in given if one["id"] == made]
        t.same([image_sample(sample, size=0)], mine, extra=IMAGE_MORE)
    return made


@line("003", "GET", "/media_images/")
def media_images(t):
    listing(t, "GET /media_images/", "/media_images/")


@line("003", "POST", "/media_images/", body={"name": "anybodys", "owner": "o", "group": "g"}, unknown="nothing")
def create_media(t):
    sample = t.samples["POST /media_images/"]
    # Of the sample's list of one, the one.
    t.same(merged(sample.data[0], id=ID), ok(t, t("POST", "/media_images/", sample.body)))
    for name in ("name", "owner", "group"):
        body = {k: v for k, v in json.loads(sample.body).items() if k != name}
        fails(t, t("POST", "/media_images/", body))


def update(t, path, title):
    made = make_image(t, path)
    done(t, t("PUT", f"{path}{made}", {"name": "other", "description": "other", "tags": []}))
    t.equal("other", get(t, f"{path}{made}")["name"], "the name")
    sample = t.samples[title]
    done(t, t("PUT", f"{path}{made}", sample.body))
    now, asked = get(t, f"{path}{made}"), json.loads(sample.body)
    t.equal({name: asked[name] for name in FREE if name in asked}, {name: now[name] for name in FREE if name in asked},
            "what was changed")
    fails(t, t("PUT", f"{path}{made}", {"tags": "linux"}))
    fails(t, t("PUT", f"{path}no-image", {"name": "x"}), "invalid image 'no-image'")


@line("003", "PUT", "/media_images/{id}", at="/media_images/{media}", body={"name": "anybodys"})
def update_media(t):
    update(t, "/media_images/", "PUT /media_images/{id}")


def delete(t, path):
    made = make_image(t, path)
    done(t, t("DELETE", f"{path}{made}"))
    fails(t, t("GET", f"{path}{made}"))
    fails(t, t("DELETE", f"{path}{made}"))


@line("003", "DELETE", "/media_images/{id}", at="/media_images/{media}")
def delete_media(t):
    delete(t, "/media_images/")


def bytes_go_round(t, kind, up, down):
    made = make_image(t, kind)
    fails(t, t("GET", down.format(made)))  # none yet
    data = bytes(range(256)) * 999
    done(t, upload(t, up.format(made), data))
    answer = t("GET", down.format(made))
    t.equal((200, data), (answer.status, answer.body), "what comes back")
    t.equal(len(data), get(t, f"{kind}{made}")["size"], "the size")
    part = t("GET", down.format(made), None, {"Range": "bytes=5-9"})
    t.equal((206, data[5:10]), (part.status, part.body), "a part")
    fails(t, t("POST", up.format(made), b"--xyz\r\nhalf", BOUNDARY))


FILE = b"--xyz\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\nbytes\r\n--xyz--\r\n"


@line("003", "GET", "/media_image_files/{id}", at="/media_image_files/{media}")
def download_media(t):
    bytes_go_round(t, "/media_images/", "/media_image_files/{}", "/media_image_files/{}")


@line("003", "POST", "/media_image_files/{id}", at="/media_image_files/{media}", body=FILE)
def upload_media(t):
    bytes_go_round(t, "/media_images/", "/media_image_files/{}", "/media_images/{}/file/")


# ---- disk images

@line("003", "GET", "/disk_image_search", at="/disk_image_search?group=manager")
def search_disks(t):
    made = listing(t, "GET /disk_image_search", "/disk_image_search?group=manager",
                   "/disk_image_search/?group=manager&tags=linux&tags=64bit", path="/disk_images/")
    for query in ("?group=manager&tags=linux&tags=windows", "?group=others"):
        t.true(made not in [one["id"] for one in get(t, f"/disk_image_search{query}")], f"found with {query}")


@line("003", "GET", "/disk_images/{id}", at="/disk_images/{disk_image}")
def disk_image(t):
    made = make_image(t, "/disk_images/")
    unmade, whole = (answer[0]["data"] for answer in t.samples["GET /disk_images/{id}"].answers())
    t.same(merged(unmade, progress=0), get(t, f"/disk_images/{made}"), extra=IMAGE_MORE)
    done(t, upload(t, f"/disk_images/{made}/file/"))
    t.same(image_sample(whole, size=9), get(t, f"/disk_images/{made}"), extra=IMAGE_MORE)
    fails(t, t("GET", "/disk_images/no-image"), "invalid image 'no-image'")


@line("003", "POST", "/disk_images/", body={"name": "anybodys", "guest": "{vm}", "owner": "o", "group": "g"})
def create_disk(t):
    sample, guest = t.samples["POST /disk_images/"], make_guest(t, name="to_capture")
    fails(t, t("POST", "/disk_images/", sample.body))  # of no guest of this zone
    answer = t("POST", "/disk_images/", sample.body.replace("dir723rgfyu-rre67grg-efw", guest))
    given = ok(t, answer, 202)
    t.same(merged(sample.data[0], id=ID), given)
    t.done(answer)
    t.eventually(lambda: get(t, f"/disk_images/{given['id']}")["created"], "the image to be made")
    # Without a guest there is nothing to wait for: its bytes will be sent.
    ok(t, t("POST", "/disk_images/", {k: v for k, v in json.loads(sample.body).items() if k != "guest"}))


@line("003", "PUT", "/disk_images/{id}", at="/disk_images/{disk_image}", body={"name": "anybodys"})
def update_disk(t):
    update(t, "/disk_images/", "PUT /disk_images/{id}")


@line("003", "DELETE", "/disk_images/{id}", at="/disk_images/{disk_image}")
def delete_disk(t):
    delete(t, "/disk_images/")


# ---- what the portal asks besides

@line("003+", "GET", "/media_image_search/", at="/media_image_search/?owner=admin")
def search_media(t):
    listing(t, "GET /media_images/", "/media_image_search/?owner=admin&group=manager")
    t.equal([], get(t, "/media_image_search/?owner=nobody"), "of nobody")


@line("003+", "GET", "/media_images/{id}", at="/media_images/{media}")
def media_image(t):
    made = make_image(t)
    whole = t.samples["GET /disk_images/{id}"].answers()[1][0]["data"]
    t.same(image_sample(whole, created=False, size=0), get(t, f"/media_images/{made}"), extra=IMAGE_MORE)


def sync(t, kind, ending):
    """Files that an operator put into the image folder are taken in."""
    folder = t.service.server.data / "images"
    (folder / f"synced{ending}").write_bytes(b"put there")
    done(t, t("PATCH", kind, {"owner": "admin", "group": "manager"}))
    lists = get(t, "/media_images/") if "media" in kind else get(t, "/disk_image_search?group=manager")
    t.equal([9], [one["size"] for one in lists if one["name"] == "synced"], "sizes of the file")
    fails(t, t("PATCH", kind, {"owner": 1}))


@line("003+", "PATCH", "/media_images/", body={"owner": "o", "group": "g"}, wrong_verb="DELETE", unknown="nothing")
def sync_media(t):
    sync(t, "/media_images/", ".iso")


@line("003+", "PATCH", "/disk_images/", body={"owner": "o", "group": "g"}, wrong_verb="DELETE", unknown="nothing")
def sync_disks(t):
    sync(t, "/disk_images/", ".qcow2")


@line("003+", "POST", "/media_images/{id}/file/", at="/media_images/{media}/file/", body=FILE)
def upload_media_later(t):
    bytes_go_round(t, "/media_images/", "/media_images/{}/file/", "/media_image_files/{}")


@line("003+", "GET", "/disk_images/{id}/file/", at="/disk_images/{disk_image}/file/")
def download_disk(t):
    bytes_go_round(t, "/disk_images/", "/disk_images/{}/file/", "/disk_images/{}/file/")


@line("003+", "POST", "/disk_images/{id}/file/", at="/disk_images/{disk_image}/file/", body=FILE)
def upload_disk(t):
    bytes_go_round(t, "/disk_images/", "/disk_images/{}/file/", "/disk_images/{}/file/")


# ---- templates

TEMPLATE = {"name": "CentOS 7", "admin": "root", "operating_system": "linux", "disk": "scsi", "network": "virtio",
            "display": "vga", "control": "vnc", "usb": "", "tablet": "usb"}


@line("003+", "GET", "/templates/", shared=True)
def templates(t):
    made = ok(t, t("POST", "/templates/", TEMPLATE))["id"]
    listed = {"id": ID, "name": "CentOS 7", "operating_system": "linux", "created_time": TIME, "modified_time": TIME}
    t.same([listed], [one for one in get(t, "/templates/") if one["id"] == made])
    t.same({**TEMPLATE, **listed}, get(t, f"/templates/{made}"))
    done(t, t("PUT", f"/templates/{made}", {**TEMPLATE, "name": "CentOS 8"}))
    t.equal("CentOS 8", get(t, f"/templates/{made}")["name"], "the name")
    fails(t, t("POST", "/templates/", {"name": "x"}))
    done(t, t("DELETE", f"/templates/{made}"))
    fails(t, t("GET", f"/templates/{made}"))
