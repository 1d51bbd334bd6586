"""The lines of endpoints.tsv and the check that each of them has."""
import csv
import dataclasses
import pathlib
import re

TSV = pathlib.Path(__file__).resolve().parent / "endpoints.tsv"


@dataclasses.dataclass(frozen=True)
class Line:
    seed: str     # "003" or "003+"
    method: str
    path: str     # with {parameters}
    codes: tuple  # of success
    kind: str     # query, command, admin

    @property
    def dialect(self):
        return self.seed.rstrip("+")

    @property
    def key(self):
        return self.seed, self.method, self.path

    def __str__(self):
        return f"{self.seed:5}{self.method:7}{self.path}"

    def covers(self, method, path):
        """Whether a request was one to this line."""
        pattern = re.sub(r"\{/\w+\}", "(/[^/]+)?", re.sub(r"\{\w+\}", "[^/]+", self.path))
        return method == self.method and re.fullmatch(pattern.rstrip("/") + "/?", path.partition("?")[0])


def read_lines():
    with open(TSV, newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Line(row["seed"], row["method"], row["path"],
                     tuple(int(code) for code in row["success_codes"].split(",")), row["kind"])
                for row in rows]


@dataclasses.dataclass
class Check:
    """How a line is asked for and what its answers must be.

    `run(trial)` makes what it needs, asks, and compares. The rest is for the questions that all lines are
    asked (rules.py, tenant_test.py): `at` is the path, and `body` what is sent, with the names of
    fixtures in braces ({vm}, {task}, ...); see fixtures.py."""
    run: object
    at: str
    body: object = None       # a value for JSON, bytes; None: the line takes no body
    unknown: object = None    # how an unknown id is answered, if not as the dialect does; "nothing":
                              # there is no such id
    theirs: object = None     # how another tenant's is answered, if not as an unknown id
    malformed: object = None  # the same of broken JSON; "nothing": the body is not looked at
    wrong_verb: str = ""      # the verb to try; "": one that the file has not for this path
    task: bool = True         # a success of the command names its task
    public: bool = False      # asked without identity it answers all the same
    closed: bool = False      # even where the dialect lets everybody in, this line wants to know who asks
    shared: bool = False      # what it shows or changes is not a tenant's
    own_role: str = ""        # the role that it needs where the kind does not say it


CHECKS = {}


def line(seed, method, path, at=None, **about):
    """Declares the check of exactly that line."""
    def declare(run):
        key = seed, method, path
        if key in CHECKS:
            raise ValueError(f"two checks of {key}")
        CHECKS[key] = Check(run, at or path, **about)
        return run
    return declare


def uncovered(lines):
    """What is wrong between the file and the checks: lines without a check, checks without a line."""
    known = {one.key for one in lines}
    return ([f"no check: {one}" for one in lines if one.key not in CHECKS] +
            [f"no line: {' '.join(key)}" for key in CHECKS if key not in known] +
            [f"twice: {one}" for one in lines if lines.count(one) > 1])
