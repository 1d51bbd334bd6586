"""A slipway with all its listeners, and the trials that checks are run in."""
import contextlib
import json
import os
import re

import matcher
import nano_signature
import samples
from dialects import DIALECTS
from harness_path import harness

FAST = ["--simulated.create_latency=20ms", "--simulated.operation_latency=10ms", "--log.burst=0",
        "--http.idle_timeout=10m"]  # connections are kept, however slow the machine is
VM = {"flavor": "m1.nano", "image": "cirros-0.5.1-x86_64-disk"}


# What a disk does to an answer is asked elsewhere; a slow one would only make this slow.
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Failed(AssertionError):
    """An answer was not as it must be: what differed, one line each."""

    def __init__(self, what):
        super().__init__("; ".join(what) if isinstance(what, list) else what)


class Service:
    """One server of this test. `served`: the dialects whose own listeners are opened."""

    def __init__(self, directory, served, *flags):
        own = [DIALECTS[seed].listener for seed in served if DIALECTS[seed].listener]
        listeners = [f"--{DIALECTS[seed].listen}=127.0.0.1:0" for seed in served if DIALECTS[seed].listen]
        if "003" in served:
            own.append(nano_signature.LISTENER)
            listeners += nano_signature.flags(directory)
        self.server = harness.Server(directory, *FAST, *listeners, *flags,
                                     listeners=",".join(["main", *own]))
        self.ports = {"": self.server.port, **self.own_ports()}
        self.clients, self.seq = {}, 0
        self.operator = self.tenant = ("demo", "test")  # who logs in for places and people, and for the rest
        self.admin = {}     # headers of who may do anything
        # By dialect, the headers of the tenant whose things are asked for.
        self.identity = {"000": {"user": "demo", "password": "test", "project_name": "demo"}}

    def own_ports(self):
        found = {}
        for text in self.server.log.read_text().splitlines():
            entry = json.loads(text) if text.startswith("{") else {}
            if entry.get("message") == "a dialect listens":
                found[entry["listener"]] = int(entry["address"].rsplit(":", 1)[1])
        return found

    def ask(self, listener, method, path, body=None, headers=None):
        """Over a kept connection to that listener."""
        client = self.clients.setdefault(listener, harness.Client("127.0.0.1", self.ports[listener]))
        # Names what was seen last: without it a read waits for that too, but not long on a busy machine.
        answer = client(method, path, body, {"Slipway-Min-Seq": str(self.seq), **(headers or {})})
        self.seq = max(self.seq, int(answer.headers["Slipway-Seq"] or 0))
        return answer

    def core(self, method, path, body=None, headers=None):
        answer = self.ask("", method, path, body, {**self.admin, **(headers or {})})
        if answer.status >= 400:
            raise Failed(f"{method} {path}: {answer}")
        return answer

    def finished(self, task):
        """The task's body once it has ended."""
        def ended():
            answer = self.ask("", "GET", f"/core/v1/tasks/{task}?wait=10s", headers=self.admin)
            return answer.status == 200 and answer.json()
        return harness.wait_until(ended, f"the end of task {task}")

    def succeeded(self, task):
        body = self.finished(task)
        if body["state"] != "SUCCEEDED":
            raise Failed(f"task {task} ended {body['state']}: {body['error']}")
        return body

    def log_in(self, user="demo", password="test"):
        """To dialect 003, if it is served: it asks for a session."""
        if "nano_user" in self.ports:
            body = {"user": user, "password": password, "nonce": "1"}
            answer = self.ask("nano_user", "POST", "/sessions/", body)
            if answer.json()["error_code"] != 0:
                raise Failed(f"{user} is not let in: {answer}")
            self.identity["003"] = {"Nano-Session": answer.json()["data"]["session"]}
        return self.identity.get("003", {})

    def make_vm(self, name="a-vm", headers=None, **args):
        """A VM that runs; its id."""
        answer = self.core("POST", "/core/v1/vms", {"name": name, **VM, **args}, headers)
        return self.succeeded(answer.headers["X-Task-Id"])["resources"][0]["id"]

    def close(self):
        for client in self.clients.values():
            client.close()
        code = self.server.terminate()
        if code != 0:
            raise Failed(f"the server ended with {code}: {self.server.tail()}")


class Trial:
    """What a check is given: it asks as the dialect's client, and all that is answered is kept."""

    def __init__(self, service, line, world):
        self.service, self.line, self.world = service, line, world
        self.dialect = DIALECTS[line.dialect]
        self.samples = samples.of(self.dialect.name)
        self.answers = []  # (method, path, answer)

    def __call__(self, method, path, body=None, headers=None, identity=True, host=None):
        mine = self.service.identity.get(self.line.dialect, {}) if identity else {}
        more = {"Host": host} if host else {}
        answer = self.service.ask(self.dialect.listener, method, path, body,
                                  {**mine, **more, **(headers or {})})
        self.answers.append((method, path, answer))
        return answer

    def get(self, path, code=200, **more):
        """The answer's JSON."""
        return self.json(self("GET", path, **more), code)

    def json(self, answer, code=200):
        if answer.status != code:
            raise Failed(f"{answer.status} {answer.body[:300]!r}, not {code}")
        try:
            return answer.json()
        except ValueError as e:
            raise Failed(f"no JSON: {answer.body[:200]!r}") from e

    def core(self, *request, **more):
        return self.service.core(*request, **more)

    def done(self, answer):
        """The body of the task that the answer names, which must succeed."""
        task = answer.headers["X-Task-Id"]
        if not task:
            raise Failed(f"no X-Task-Id: {answer}")
        return self.service.succeeded(task)

    def same(self, sample, given, free=(), extra=()):
        found = matcher.differences(sample, given, free, extra)
        if found:
            raise Failed(found)

    @contextlib.contextmanager
    def idle(self, *flags):
        """A trial on a server of its own at which nobody works: what is asked for there stays so."""
        with harness.directory(parent=IN_MEMORY) as where:
            service = Service(where, [self.line.dialect], "--workers=0", *flags)
            try:
                if not flags:
                    service.log_in()
                yield Trial(service, self.line, {})
            finally:
                service.close()

    def equal(self, wanted, given, what):
        if wanted != given:
            raise Failed(f"{what}: {given!r}, not {wanted!r}")

    def true(self, condition, what):
        if not condition:
            raise Failed(what)

    def refused(self, answer, refusal):
        """In that form; see dialects.py."""
        found = refusal_differences(refusal, answer)
        if found:
            raise Failed(found)

    def eventually(self, condition, what):
        return harness.wait_until(condition, what)


def refusal_differences(refusal, answer):
    status, content_type, body = refusal
    out = []
    if answer.status != status:
        out.append(f"status {answer.status}, not {status}")
    given_type = answer.headers["Content-Type"] or ""
    if given_type.partition(";")[0] != content_type:
        out.append(f"content type {given_type!r}, not {content_type!r}")
    text = answer.body.decode(errors="replace")
    if content_type == "text/plain" or body == "":
        return out + matcher.differences(body, text)
    try:
        return out + matcher.differences(body, json.loads(text))
    except ValueError:
        return out + [f"no JSON: {text[:200]!r}"]


def filled(template, world):
    """The template with the names in braces replaced by what the world has under them."""
    if isinstance(template, str):
        whole = re.fullmatch(r"\{(\w+)\}", template)
        if whole:
            return world[whole[1]]
        return re.sub(r"\{(\w+)\}", lambda m: str(world[m[1]]), template)
    if isinstance(template, list):
        return [filled(one, world) for one in template]
    if isinstance(template, dict):
        return {filled(name, world): filled(value, world) for name, value in template.items()}
    return template


def names_in(template):
    """The fixtures that a template names."""
    if isinstance(template, str):
        return set(re.findall(r"\{(\w+)\}", template))
    if isinstance(template, list):
        return set().union(*map(names_in, template))
    if isinstance(template, dict):
        return names_in(list(template)) | names_in(list(template.values()))
    return set()
