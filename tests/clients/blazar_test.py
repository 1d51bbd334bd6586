#!/usr/bin/env python3
"""Debian's own reservation clients against a running server: the `blazar` command and the
`openstack reservation` plugin, without authentication and with a token. What they print is what
they read; nothing here knows the wire."""
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

HOSTS = '["==", "$hypervisor_hostname", "sim-host-1"]'


def read(text):
    """The JSON that a client prints, behind the line in which it says what it has done."""
    return json.loads(text[min(at for at in (text.find("{"), text.find("[")) if at >= 0):])


def later(hours):
    when = datetime.datetime.utcnow() + datetime.timedelta(hours=hours)
    return when.strftime("%Y-%m-%d %H:%M")


class Clients(unittest.TestCase):
    """One server for all; each test has hosts and leases of its own and takes them away again."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        port = harness.free_port()
        cls.server = harness.Server(cls.directory.name, "--listeners=main,reservation",
                                    f"--reservation.listen=127.0.0.1:{port}")
        cls.endpoint = f"http://127.0.0.1:{port}/v1"

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

    def openstack(self, *words, ok=True):
        return self.run_client("openstack", "--os-auth-type", "none", "--os-endpoint", self.endpoint,
                               *words, ok=ok)

    def token(self):
        answer = self.server.get("/api/token", {"user": "demo", "password": "test",
                                                "project_name": "demo"})
        return answer.json()["token"]

    def with_token(self, *words, ok=True):
        return self.run_client("openstack", "--os-auth-type", "admin_token", "--os-token", self.token(),
                               "--os-endpoint", self.endpoint, *words, ok=ok)

    def test_blazar_leads_a_host_and_a_lease_through_their_lives(self):
        host = read(self.blazar("host-create", "--extra", "rack=r7", "sim-host-1", "-f", "json"))
        self.assertEqual(host["hypervisor_hostname"], "sim-host-1")
        self.assertEqual(host["rack"], "r7")
        hosts = read(self.blazar("host-list", "-f", "json"))
        self.assertEqual([h["hypervisor_hostname"] for h in hosts], ["sim-host-1"])
        self.blazar("host-update", "--extra", "gpu=1", "sim-host-1")
        self.assertEqual(read(self.blazar("host-show", "sim-host-1", "-f", "json"))["gpu"], "1")

        lease = read(self.blazar(
            "lease-create", "--physical-reservation",
            f"min=1,max=1,hypervisor_properties={HOSTS},before_end=email",
            "--start-date", later(24), "--end-date", later(48), "lease-1", "-f", "json"))
        self.assertEqual(lease["name"], "lease-1")
        self.assertIn("physical:host", json.dumps(lease["reservations"]))
        leases = read(self.blazar("lease-list", "-f", "json"))
        self.assertEqual([row["name"] for row in leases], ["lease-1"])
        self.blazar("lease-update", "--name", "lease-2", "--prolong-for", "1d", "lease-1")
        shown = read(self.blazar("lease-show", "lease-2", "-f", "json"))
        self.assertEqual(shown["end_date"][:16], later(72).replace(" ", "T"))
        self.assertIn("allocated to a reservation", self.blazar("host-delete", "sim-host-1", ok=False))
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
                run("reservation", "lease", "create", "--reservation",
                    'resource_type=physical:host,min=1,max=1,'
                    'resource_properties=["==", "$colour", "red"]',
                    "--start-date", later(24), "--end-date", later(30), f"on-{name}")
                self.assertIn(f"on-{name}", run("reservation", "lease", "list"))
                refused = run("reservation", "lease", "create", "--reservation",
                              'resource_type=physical:host,min=1,max=1,'
                              'resource_properties=["==", "$colour", "red"]',
                              "--start-date", later(25), "--end-date", later(26), "second", ok=False)
                self.assertIn("Not enough hosts available", refused)
                run("reservation", "lease", "delete", f"on-{name}")
                run("reservation", "host", "delete", name)

    def test_floating_ips(self):
        network = "f88b9acb-ced3-49f1-8522-604be33d8863"
        made = read(self.blazar("floatingip-create", network, "172.24.4.9", "-f", "json"))
        self.assertEqual(made["floating_ip_address"], "172.24.4.9")
        self.assertIn("172.24.4.9", self.blazar("floatingip-list"))
        self.blazar("floatingip-delete", made["id"])

    def test_blazar_takes_a_token_too(self):
        said = self.run_client("blazar", "--os-auth-type", "admin_token", "--os-token", self.token(),
                               "--os-endpoint", self.endpoint, "lease-list", "-f", "json")
        self.assertIsInstance(read(said), list)

    def test_a_wrong_token_is_refused(self):
        said = self.run_client("openstack", "--os-auth-type", "admin_token", "--os-token", "wrong",
                               "--os-endpoint", self.endpoint, "reservation", "lease", "list", ok=False)
        self.assertIn("identity", said)


if __name__ == "__main__":
    unittest.main()
