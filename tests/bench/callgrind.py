"""Reads what callgrind writes: instructions of each function, alone and with all it calls."""
import collections
import functools
import pathlib
import re

# A thread is known by a function at its bottom.
THREADS = [("sequencer", "Sequencer::run"), ("projector", "Projector::Impl::run"),
           ("HTTP I/O", "IoThread::"), ("HTTP I/O", "Reactor::"), ("broker", "Broker::"),
           ("worker", "Worker::"), ("simulated cloud", "simulated::"), ("query pool", "QueryPool"),
           ("snapshotter", "Snapshotter"), ("RocksDB", "rocksdb::")]


class Profile:
    """Of one thread between two dumps, or the sum of several."""

    def __init__(self):
        self.own = collections.Counter()
        self.inclusive = collections.Counter()

    @property
    def total(self):
        return sum(self.own.values())

    def add(self, other):
        self.own.update(other.own)
        self.inclusive.update(other.inclusive)

    def thread(self):
        for name, sign in THREADS:
            if any(sign in function for function in self.inclusive):
                return name
        return "other"


class Names:
    """callgrind names a thing once, with a number, and from then on by the number."""

    def __init__(self):
        self.known = {}

    def of(self, text):
        number, _, name = text.partition(" ")
        if name:
            self.known[number] = name
        return self.known[number]


def read(path):
    """One file of callgrind's format. Recursion counts twice in `inclusive`; `own` is exact."""
    objects, functions, profile = Names(), Names(), Profile()
    own_object = called_object = function = called = ""
    is_call = False
    with open(path, errors="replace") as lines:
        for line in lines:
            key, equals, rest = line.rstrip("\n").partition("=")
            if line[0] in "0123456789+-*":
                cost = int(line.split()[1])
                if not is_call:
                    profile.own[function] += cost
                    profile.inclusive[function] += cost
                elif called != function:
                    profile.inclusive[function] += cost
                is_call = False
            elif key == "ob" and equals:
                own_object = called_object = objects.of(rest)
            elif key == "cob":
                called_object = objects.of(rest)
            elif key == "fn":
                function = short(functions.of(rest), own_object)
            elif key == "cfn":
                called = short(functions.of(rest), called_object)
                called_object = own_object
            elif key == "calls":
                is_call = True
    return profile


@functools.cache
def short(name, owner):
    """Without arguments and templates: what a reader knows it by. What a library has no name for is
    the library's."""
    if name.startswith("0x"):
        return f"[{pathlib.Path(owner).name.split('.')[0]}, functions without a name]"
    name = name.replace("(anonymous namespace)::", "").replace("(below main)", "below main")
    while (plain := re.sub(r"<[^<>]*>", "", name)) != name:
        name = plain
    name = re.sub(r"\(.*", "", name).split("'")[0]
    return name.split(" ")[-1].removeprefix("slipway::")


def read_dump(directory, pid, number):
    """All threads of one dump, by name; those of one name are one."""
    out = {}
    for path in sorted(pathlib.Path(directory).glob(f"callgrind.out.{pid}.{number}-*")):
        profile = read(path)
        if profile.total > 0:
            out.setdefault(profile.thread(), Profile()).add(profile)
    if not out:
        raise AssertionError(f"no dump {number} of process {pid} in {directory}")
    return out
