#!/usr/bin/env python3
"""Debian's own clients against a running server: the `blazar` command, the `openstack reservation`
plugin and what else `openstack` has to ask here, without authentication and with a token. What they
print is what they read; nothing here knows the wire. `Quick` is what continuous integration runs."""
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402

NETWORK = "f88b9acb-ced3-49f1-8522-604be33d8863"


def read(text):
    """The JSON that a client prints, behind the line in which it says what it has done."""
    return json.loads(text[min(at for at in (text.find("{"), text.find("[")) if at >= 0):])


def later(hours):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return when.strftime("%Y-%m-%d %H:%M")


def on(host):
    return f'["==", "$hypervisor_hostname", "{host}"]'


class Clients(unittest.TestCase):
    """One server for all; each test has hosts and leases of its own and takes them away again."""
    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        port = harness.free_port()
        cls.server = harness.Server(cls.directory.name, "--listeners=main,reservation",
                                    f"--reservation.listen=127.0.0.1:{port}", *cls.flags)
        cls.root = f"http://127.0.0.1:{port}"
        cls.endpoint = cls.root + "/v1"

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.directory.cleanup()

    def run_client(self, *words, ok=True):
        env = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
        done = subprocess.run(words, capture_output=True, text=True, env=env, timeout=120)
        self.assertEqual(done.returncode == 0, ok, done.stdout + done.stderr)
        return done.stdout if ok else done.stdout + done.stderr

    def blazar(self, *words, ok=True):
        return self.run_client("blazar", "--os-auth-type", "none", "--os-endpoint", self.endpoint,
                               *words, ok=ok)

    def openstack(self, *words, endpoint=None, ok=True):
        return self.run_client("openstack", "--os-auth-type", "none", "--os-endpoint",
                               endpoint or self.endpoint, *words, ok=ok)

    def token(self):
        answer = self.server.get("/api/token", {"user": "demo", "password": "test",
                                                "project_name": "demo"})
        return answer.json()["token"]

    def with_token(self, *words, client="openstack", token=None, ok=True):
        return self.run_client(client, "--os-auth-type", "admin_token", "--os-token",
                               token or self.token(), "--os-endpoint", self.endpoint, *words, ok=ok)


class Quick(Clients):
    def test_blazar_books_a_host(self):
        host = read(self.blazar("host-create", "--extra", "rack=r7", "sim-host-1", "-f", "json"))
        self.assertEqual((host["hypervisor_hostname"], host["rack"]), ("sim-host-1", "r7"))
        lease = read(self.blazar(
            "lease-create", "--physical-reservation",
            f"min=1,max=1,hypervisor_properties={on('sim-host-1')},before_end=email",
            "--start-date", later(24), "--end-date", later(48), "lease-1", "-f", "json"))
        self.assertEqual(lease["name"], "lease-1")
        self.assertIn("physical:host", json.dumps(lease["reservations"]))
        self.assertIn("allocated to a reservation", self.blazar("host-delete", "sim-host-1", ok=False))
        self.blazar("lease-delete", "lease-1")
        self.blazar("host-delete", "sim-host-1")

    def test_openstack_reservation_takes_a_token(self):
        made = read(self.with_token("reservation", "host", "create", "sim-host-2", "-f", "json"))
        self.assertEqual(made["hypervisor_hostname"], "sim-host-2")
        self.assertIn("sim-host-2", self.openstack("reservation", "host", "list"))
        self.with_token("reservation", "host", "delete", "sim-host-2")
        said = self.with_token("reservation", "lease", "list", token="wrong", ok=False)
        self.assertIn("identity", said)

    def test_openstack_lists_the_hypervisors(self):
        rows = read(self.openstack("hypervisor", "list", "-f", "json",
                                   endpoint=self.root + "/compute/v2.1"))
        self.assertEqual([(r["Hypervisor Hostname"], r["State"]) for r in rows][0],
                         ("sim-host-1", "up"))
        self.assertEqual(len(rows), 4)


class Whole(Clients):
    def test_blazar_leads_a_host_and_a_lease_through_their_lives(self):
        self.blazar("host-create", "sim-host-1")
        hosts = read(self.blazar("host-list", "-f", "json"))
        self.assertEqual([h["hypervisor_hostname"] for h in hosts], ["sim-host-1"])
        self.blazar("host-update", "--extra", "gpu=1", "sim-host-1")
        self.assertEqual(read(self.blazar("host-show", "sim-host-1", "-f", "json"))["gpu"], "1")
        self.blazar("lease-create", "--physical-reservation",
                    f"min=1,max=1,hypervisor_properties={on('sim-host-1')}",
                    "--start-date", later(24), "--end-date", later(48), "lease-1")
        leases = read(self.blazar("lease-list", "-f", "json"))
        self.assertEqual([row["name"] for row in leases], ["lease-1"])
        before = read(self.blazar("lease-show", "lease-1", "-f", "json"))
        self.blazar("lease-update", "--name", "lease-2", "--prolong-for", "1d", "lease-1")
        after = read(self.blazar("lease-show", "lease-2", "-f", "json"))
        ends = [datetime.datetime.fromisoformat(x["end_date"]) for x in (before, after)]
        self.assertEqual(ends[1] - ends[0], datetime.timedelta(days=1))
        self.blazar("lease-delete", "lease-2")
        self.assertEqual(read(self.blazar("lease-list", "-f", "json")), [])
        self.blazar("host-delete", "sim-host-1")

    def test_openstack_reservation_does_the_same(self):
        for run, name in ((self.openstack, "sim-host-2"), (self.with_token, "sim-host-3")):
            with self.subTest(host=name):
                made = read(run("reservation", "host", "create", name, "-f", "json"))
                self.assertEqual(made["hypervisor_hostname"], name)
                run("reservation", "host", "set", "--extra", "colour=red", name)
                properties = read(run("reservation", "host", "property", "list", "-f", "json"))
                self.assertEqual([p["property"] for p in properties], ["colour"])
                red = ('resource_type=physical:host,min=1,max=1,'
                       'resource_properties=["==", "$colour", "red"]')
                run("reservation", "lease", "create", "--reservation", red,
                    "--start-date", later(24), "--end-date", later(30), f"on-{name}")
                self.assertIn(f"on-{name}", run("reservation", "lease", "list"))
                refused = run("reservation", "lease", "create", "--reservation", red,
                              "--start-date", later(25), "--end-date", later(26), "second", ok=False)
                self.assertIn("Not enough hosts available", refused)
                run("reservation", "lease", "delete", f"on-{name}")
                run("reservation", "host", "delete", name)

    def test_a_property_is_hidden_and_shown(self):
        self.blazar("host-create", "--extra", "vault=v1", "sim-host-4")
        self.blazar("host-property-set", "--private", "vault")
        self.assertEqual(read(self.blazar("host-property-list", "-f", "json")), [])
        self.blazar("host-property-set", "--public", "vault")
        shown = read(self.blazar("host-property-show", "vault", "-f", "json"))
        self.assertIn("v1", json.dumps(shown))
        self.blazar("host-delete", "sim-host-4")

    def test_floating_ips(self):
        made = read(self.blazar("floatingip-create", NETWORK, "172.24.4.9", "-f", "json"))
        self.assertEqual(made["floating_ip_address"], "172.24.4.9")
        self.assertIn("172.24.4.9", self.blazar("floatingip-list"))
        self.assertEqual(read(self.blazar("floatingip-show", made["id"], "-f", "json"))["id"],
                         made["id"])
        self.blazar("floatingip-delete", made["id"])

    def test_blazar_takes_a_token_too(self):
        said = self.with_token("lease-list", "-f", "json", client="blazar")
        self.assertIsInstance(read(said), list)


class Modern(Clients):
    """The profile of the later services: a lease says its state."""
    flags = ("--reservation.profile=modern",)

    def test_a_lease_from_now_on_starts(self):
        self.blazar("host-create", "sim-host-1")
        self.blazar("lease-create", "--physical-reservation",
                    f"min=1,max=1,hypervisor_properties={on('sim-host-1')}",
                    "--end-date", later(24), "lease-now")
        harness.wait_until(
            lambda: read(self.blazar("lease-show", "lease-now", "-f", "json"))["status"] == "ACTIVE",
            "the start of the lease")
        self.blazar("lease-delete", "lease-now")
        harness.wait_until(lambda: read(self.blazar("lease-list", "-f", "json")) == [],
                           "the end of the lease")
        self.blazar("host-delete", "sim-host-1")


del Clients  # only its descendants are run

if __name__ == "__main__":
    unittest.main()
