#!/usr/bin/env python3
"""The orchestrator dialect's simulated cloud beside the driver that its samples were made with:
Debian's python3-libcloud, provider "dummy". The same is asked of both, and the answers compared;
what the service shows of a node is what its original made of the driver's."""
import pathlib
import sys
import tempfile
import unittest

from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState, Provider

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402

# The numbers of the samples, of libcloud's own early days; it has words for them now.
STATES = {NodeState.RUNNING: 0, NodeState.REBOOTING: 1, NodeState.TERMINATED: 2,
          NodeState.PENDING: 3, NodeState.UNKNOWN: 4, NodeState.STOPPED: 5}


def cloud(thing):
    return {"provider": thing.driver.type, "cloud_type": thing.driver.name}


def node(thing):
    return {"id": thing.id, "name": thing.name, "uuid": thing.get_uuid(),
            "state": STATES[thing.state], "public_ips": thing.public_ips,
            "private_ips": thing.private_ips, "extra": thing.extra, **cloud(thing)}


def image(thing):
    return {"id": thing.id, "name": thing.name, **cloud(thing)}


def size(thing):
    return {"id": thing.id, "name": thing.name, "ram": thing.ram, "disk": thing.disk,
            "cpu": getattr(thing, "cpu", 0), **cloud(thing)}


class QuickDummy(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        port = harness.free_port()
        self.server = harness.Server(self.directory.name, "--listeners=main,orchestrator",
                                     f"--orchestrator.listen=127.0.0.1:{port}",
                                     "--simulated.create_latency=50ms",
                                     "--simulated.operation_latency=20ms")
        self.client = harness.Client("127.0.0.1", port)
        self.driver = get_driver(Provider.DUMMY)(0)

    def tearDown(self):
        self.client.close()
        self.server.terminate()
        self.directory.cleanup()

    def ask(self, method, path, body=None):
        answer = self.client(method, f"/api/v1{path}/fake_driver", body)
        self.assertEqual(answer.status, 200, answer)
        answer = answer.json()
        self.assertEqual(answer.pop("status"), "ok")
        return answer

    def test_images_and_sizes_are_the_drivers(self):
        self.assertEqual(self.ask("GET", "/images"),
                         {"images": [image(i) for i in self.driver.list_images()]})
        sizes = {"flavors": [size(s) for s in self.driver.list_sizes()]}
        self.assertEqual(self.ask("GET", "/sizes"), sizes)
        self.assertEqual(self.ask("GET", "/flavors"), sizes)

    def test_a_life_of_nodes_is_the_drivers(self):
        def nodes():
            return [node(n) for n in self.driver.list_nodes()]

        def same():
            shown = self.ask("GET", "/nodes")["nodes"]
            self.assertEqual(sorted(shown, key=lambda n: int(n["id"])),
                             sorted(nodes(), key=lambda n: int(n["id"])))

        same()
        for _ in range(2):
            made = self.ask("POST", "/vm/start", {"name": "cloud_test", "image": "1", "size": "1"})
            self.assertEqual(made["nodes"], node(self.driver.create_node(name=None, size=self.driver.list_sizes()[0],
                                                                          image=self.driver.list_images()[0])))
            same()
        victim = next(n for n in self.driver.list_nodes() if n.id == "4")
        self.assertEqual(self.ask("PUT", "/vm/stop", {"node": "4"}), {"result": "Node 4 deleted"})
        self.assertTrue(self.driver.destroy_node(victim))
        gone = [n for n in nodes() if n["state"] != STATES[NodeState.TERMINATED]]
        shown = self.ask("GET", "/nodes")["nodes"]
        self.assertEqual([n["id"] for n in shown], [n["id"] for n in gone])

    def test_numbers_outlive_the_server(self):
        first = {"name": "a", "image": "1", "size": "1"}
        self.assertEqual(self.ask("POST", "/vm/start", first)["nodes"]["id"], "3")
        self.ask("PUT", "/vm/stop", {"node": "3"})
        self.ask("PUT", "/vm/stop", {"node": "1"})
        self.client.close()
        self.server.kill()
        port = self.client.port
        self.server = harness.Server(self.directory.name, "--listeners=main,orchestrator",
                                     f"--orchestrator.listen=127.0.0.1:{port}")
        self.assertEqual([n["id"] for n in self.ask("GET", "/nodes")["nodes"]], ["2"])
        self.assertEqual(self.ask("POST", "/vm/start", first)["nodes"]["id"], "4")


if __name__ == "__main__":
    unittest.main()
