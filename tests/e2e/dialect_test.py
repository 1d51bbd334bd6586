#!/usr/bin/env python3
"""Dialect 000 by its specification's own requests, answers compared field by field with the samples
printed there. Only ids, times, hosts, addresses and passwords of VMs may differ."""
import json
import re
import subprocess
import unittest

import harness

IDENTITY = '-H "Content-Type: application/json" -H "user: demo" -H "password: test" -H "project_name: demo"'
ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
HOST = r"http://127\.0\.0\.1:\d+"


class Like(str):
    """A text of the sample that may differ within its form."""


SERVER = {
    "id": Like(ID), "name": "test_13", "status": "ACTIVE",
    "tenant_id": "dd692832dba14016853a5e7582387a1d", "user_id": "83e000e6bd204329a6156b77fbf5a9db",
    "metadata": {}, "hostId": Like("[0-9a-f]{56}"),
    "image": {"id": "e892c826-c836-48bf-bb28-bdb0c2e382cf",
              "links": [{"rel": "bookmark",
                         "href": Like(HOST + "/compute/images/e892c826-c836-48bf-bb28-bdb0c2e382cf")}]},
    "flavor": {"id": "42", "links": [{"rel": "bookmark", "href": Like(HOST + "/compute/flavors/42")}]},
    "created": Like(TIME), "updated": Like(TIME),
    "addresses": {"shared": [{"version": 4, "addr": Like(r"\d+\.\d+\.\d+\.\d+"),
                              "OS-EXT-IPS:type": "fixed",
                              "OS-EXT-IPS-MAC:mac_addr": Like("fa:16:3e(:[0-9a-f]{2}){3}")}]},
    "accessIPv4": "", "accessIPv6": "",
    "links": [{"rel": "self", "href": Like(HOST + "/compute/v2.1/servers/" + ID)},
              {"rel": "bookmark", "href": Like(HOST + "/compute/servers/" + ID)}],
    "OS-DCF:diskConfig": "MANUAL", "progress": 0, "OS-EXT-AZ:availability_zone": "nova",
    "config_drive": "", "key_name": None,
    "OS-SRV-USG:launched_at": Like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"),
    "OS-SRV-USG:terminated_at": None, "OS-EXT-STS:task_state": None, "OS-EXT-STS:vm_state": "active",
    "OS-EXT-STS:power_state": 1, "os-extended-volumes:volumes_attached": [],
    "security_groups": [{"name": "default"}]}

CREATED = {"server": {
    "id": Like(ID), "links": SERVER["links"], "OS-DCF:diskConfig": "MANUAL",
    "security_groups": [{"name": "default"}], "adminPass": Like("[0-9A-Za-z]{12}")}}

SHARED, PRIVATE, PUBLIC = ("1edf997e-dcde-485b-ae55-c16588c1e4f6", "828603ef-f784-423b-a5c5-2f19a2cd8eba",
                           "f88b9acb-ced3-49f1-8522-604be33d8863")
ADMIN, DEMO = "1ff034b8d6da4d86add2963df3d217fc", "dd692832dba14016853a5e7582387a1d"


def network(id, name, tenant, mtu, subnets, shared, external, revision, default=False):
    return {"id": id, "name": name, "tenant_id": tenant, "admin_state_up": True, "mtu": mtu,
            "status": "ACTIVE", "subnets": subnets, "shared": shared, "availability_zone_hints": [],
            "availability_zones": ["nova"], "ipv4_address_scope": None, "ipv6_address_scope": None,
            "router:external": external, "description": "", "port_security_enabled": True,
            **({"is_default": True} if default else {}), "tags": [], "created_at": Like(TIME),
            "updated_at": Like(TIME), "revision_number": revision, "project_id": tenant}


NETWORKS = {"networks": [
    network(SHARED, "shared", ADMIN, 1450, ["e625d567-edd3-4489-ac6d-29c74a4fb289"], True, False, 2),
    network(PRIVATE, "private", DEMO, 1450, ["ade18bfa-6b75-4390-8df3-c3e42bfa6eed",
                                             "c14c83b7-67b6-4dbc-b8f6-59a5aaeeddb9"], False, False, 3),
    network(PUBLIC, "public", ADMIN, 1500, ["12bbd36e-5848-472d-ba98-2f4396e11905",
                                            "91ba8495-71fa-4d62-b228-81b8441d4e9f"], False, True, 3,
            default=True)]}

IMAGE = "e892c826-c836-48bf-bb28-bdb0c2e382cf"
IMAGES = {"images": [{
    "owner_specified.openstack.object": "images/cirros-0.5.1-x86_64-disk",
    "owner_specified.openstack.sha256": "", "owner_specified.openstack.md5": "",
    "hw_rng_model": "virtio", "name": "cirros-0.5.1-x86_64-disk", "disk_format": "qcow2",
    "container_format": "bare", "visibility": "public", "size": 16338944, "virtual_size": 117440512,
    "status": "active", "checksum": "1d3062cd89af34e419f7100277f38b2b", "protected": False,
    "min_ram": 0, "min_disk": 0, "owner": ADMIN, "os_hidden": False, "os_hash_algo": "sha512",
    "os_hash_value": "553d220ed58cfee7dafe003c446a9f197ab5edf8ffc09396c74187cf83873c87"
                     "7e7ae041cb80f3b91489acf687183adcd689b53b38e3ddd22e627e7f98a09c46",
    "id": IMAGE, "created_at": Like(TIME), "updated_at": Like(TIME), "tags": [],
    "self": f"/v2/images/{IMAGE}", "file": f"/v2/images/{IMAGE}/file",
    "schema": "/v2/schemas/image"}], "first": "/v2/images", "schema": "/v2/schemas/images"}

FLAVORS = {"flavors": [
    {"id": id, "name": name, "ram": ram, "disk": disk, "swap": "", "OS-FLV-EXT-DATA:ephemeral": 0,
     "OS-FLV-DISABLED:disabled": False, "vcpus": vcpus, "os-flavor-access:is_public": True,
     "rxtx_factor": 1.0,
     "links": [{"rel": "self", "href": Like(f"{HOST}/compute/v2.1/flavors/{id}")},
               {"rel": "bookmark", "href": Like(f"{HOST}/compute/flavors/{id}")}]}
    for id, name, ram, disk, vcpus in (
        ("1", "m1.tiny", 512, 1, 1), ("2", "m1.small", 2048, 20, 1), ("3", "m1.medium", 4096, 40, 2),
        ("4", "m1.large", 8192, 80, 4), ("42", "m1.nano", 128, 1, 1), ("5", "m1.xlarge", 16384, 160, 8),
        ("84", "m1.micro", 192, 1, 1), ("c1", "cirros256", 256, 1, 1), ("d1", "ds512M", 512, 5, 1),
        ("d2", "ds1G", 1024, 10, 1), ("d3", "ds2G", 2048, 10, 2), ("d4", "ds4G", 4096, 20, 4))]}


class Specification(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.held = harness.directory()
        cls.server = harness.Server(cls.held.__enter__(), "--simulated.create_latency=50ms")

    @classmethod
    def tearDownClass(cls):
        assert cls.server.terminate() == 0
        cls.held.__exit__(None, None, None)

    def curl(self, path, data=""):
        done = subprocess.run(["bash", "-c", f"curl -s -i {IDENTITY} {data} '{self.server.url}{path}'"],
                              capture_output=True, timeout=harness.PATIENCE, check=True)
        head, _, body = done.stdout.decode().partition("\r\n\r\n")
        lines = head.split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        self.assertEqual(int(headers["content-length"]), len(body.encode()))
        self.assertIn("date", headers)
        return lines[0], headers, body

    def same(self, expected, given, where=""):
        if isinstance(expected, Like):
            self.assertRegex(given, f"^{expected}$", where)
        elif isinstance(expected, dict):
            self.assertEqual(list(expected), list(given), f"names, and their order, of {where}")
            for name in expected:
                self.same(expected[name], given[name], f"{where}/{name}")
        elif isinstance(expected, list):
            self.assertEqual(len(expected), len(given), where)
            for n, (e, g) in enumerate(zip(expected, given)):
                self.same(e, g, f"{where}/{n}")
        else:
            self.assertEqual((type(expected), expected), (type(given), given), where)

    def check(self, path, expected):
        status, headers, body = self.curl(path)
        self.assertEqual(status, "HTTP/1.1 200 OK")
        self.assertEqual(headers["content-type"], "application/json")
        self.same(expected, json.loads(body))
        # Written as its own server writes: a blank after each colon and comma.
        self.assertEqual(body, json.dumps(json.loads(body)))

    def test_networks(self):
        self.check("/api/networks", NETWORKS)

    def test_images(self):
        self.check("/api/images", IMAGES)

    def test_flavors(self):
        self.check("/api/flavors", FLAVORS)

    def test_create_list_and_count(self):
        """The request is the specification's, line break and all."""
        status, headers, body = self.curl("/api/virtual_machines", """\
 -d '{"flavor_name": "m1.nano", "image_name": "cirros-0.5.1-x86_64-disk",
 "network_id": "1edf997e-dcde-485b-ae55-c16588c1e4f6", "virtual_machine_name": "test_13"}'""")
        self.assertEqual(status, "HTTP/1.1 202 Accepted")
        self.assertEqual(headers["content-type"], "application/json")
        created = json.loads(body)
        self.same(CREATED, created)
        self.assertEqual(headers["location"], "/core/v1/tasks/" + headers["x-task-id"])
        task = self.server.finished(headers["x-task-id"])
        self.assertEqual((task["state"], task["dialect"]), ("SUCCEEDED", "vmfront"))
        self.check("/api/virtual_machines", {"servers": [SERVER]})
        listed = json.loads(self.curl("/api/virtual_machines")[2])["servers"][0]
        self.assertEqual(listed["id"], created["server"]["id"])
        self.assertEqual(listed["links"], created["server"]["links"])
        # Under its prefix, too.
        self.check("/d/vmfront/virtual_machines", {"servers": [SERVER]})

        status, headers, body = self.curl("/api/statistics/virtual_machines/number/per_day")
        self.assertEqual((status, headers["content-type"]),
                         ("HTTP/1.1 200 OK", "text/html; charset=utf-8"))
        self.assertRegex(body, r"^\[({'timestamp': '\d{4}-\d\d-\d\d \d\d:00:00', "
                               r"'virtual_machines_number': \d+}(, |(?=\])))+\]$")
        self.assertTrue(body.endswith("'virtual_machines_number': 1}]"), body)


if __name__ == "__main__":
    unittest.main()
