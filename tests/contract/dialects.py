"""What the dialects are to their clients: where they are, who asks, and how each refuses."""
import dataclasses

from matcher import TEXT, Any, Like

JSON = "application/json"
ANY_ID = "0197f3a0-0000-7000-8000-000000000000"  # of nothing


@dataclasses.dataclass(frozen=True)
class Dialect:
    name: str
    prefix: str = ""     # on the main listener; own paths of the file come behind it
    base: str = ""       # what the prefix stands for
    listener: str = ""   # of its own
    listen: str = ""     # the key that says where
    open: bool = False   # who says nothing there acts for the tenant that the settings name
    refusals: dict = dataclasses.field(default_factory=dict)
    headers: dict = dataclasses.field(default_factory=dict)  # that every answer has

    def under_prefix(self, path):
        return self.prefix + path.removeprefix(self.base)


# ---- refusals: kind -> (status, content type, body)

def problem(status, code):
    return status, "application/problem+json", {
        "type": f"/problems/{code}", "title": TEXT, "status": status, "code": code, "detail": TEXT,
        "instance": Like("urn:request:.+"), "request_id": TEXT, "trace_id": Like("[0-9a-f]{32}"),
        "retryable": Any(bool), "retry_after_seconds": None, "errors": Any(list)}


def error_member(status):
    return status, JSON, {"error": TEXT}


SHORT = {400: "Bad Request", 403: "Forbidden", 500: "Internal Server Error", 501: "Not Implemented"}
LONG = {400: "Bad request syntax or unsupported method",
        403: "Request forbidden -- authorization will not help",
        500: "Server got itself in trouble", 501: "Server does not support this operation"}


def orchestrator_error(status, message=TEXT):
    return status, JSON, {"message": message, "status": "error", "status_code": status,
                          "status_short_message": SHORT[status], "status_long_message": LONG[status]}


def triple(status, message=TEXT):
    return status, JSON, {"error_code": status, "error_message": message, "error_name": status}


def envelope(message=TEXT, status=200):
    return status, JSON, {"error_code": 500, "message": message, "data": {}}


def plain(status, text=TEXT):
    return status, "text/plain", text


DIALECTS = {
    "core": Dialect("core", refusals={
        "malformed": problem(400, "malformed-json"), "unknown": problem(404, "not-found"),
        "wrong-verb": problem(405, "method-not-allowed"),
        "anonymous": problem(401, "unauthenticated"), "forbidden": problem(403, "forbidden")}),
    "000": Dialect("vmfront", "/d/vmfront", "/api", refusals={
        "malformed": (400, JSON, {"error": "the request body is not valid JSON"}),
        "unknown": (404, JSON, {"error": Like("resource .+ not found")}),
        "wrong-verb": error_member(405),
        "anonymous": (400, JSON, {"error": "user was not provided"}),
        "forbidden": error_member(403)}),
    "001": Dialect("orchestrator", "/d/orchestrator", "", "orchestrator", "orchestrator.listen", open=True, refusals={
        "malformed": orchestrator_error(400, "Malformed JSON stream"),
        "unknown": orchestrator_error(500, "Cloud not valid or wrong path"),
        "wrong-verb": orchestrator_error(501, "Not implemented"),
        "anonymous": orchestrator_error(403, "Forbidden"),
        "forbidden": orchestrator_error(403, "Forbidden")}),
    "002": Dialect("reservation", "/d/reservation", "", "reservation", "reservation.listen", headers={
        "Vary": "OpenStack-API-Version", "OpenStack-API-Version": "reservation 1.0"}, refusals={
        "malformed": triple(400, "the body is not valid JSON"),
        "unknown": triple(404, Like(r"Object with \{'\w+': '.+'\} not found")),
        "wrong-verb": (405, JSON, {"error": 405, "error_message": TEXT}),
        "anonymous": triple(401), "forbidden": triple(403)}),
    "003": Dialect("nano", "/d/nano", "", "nano_user", "nano.user_listen", refusals={
        "malformed": envelope(), "unknown": envelope(), "wrong-verb": envelope(status=405),
        "anonymous": envelope("unauthenticated request"), "forbidden": envelope()}),
    "004": Dialect("perspective", "/d/perspective", "", "perspective", "perspective.listen", open=True, refusals={
        "malformed": plain(400, Like("the body: .+")),
        "unknown": plain(404, Like(r"\w+ with id = .+ not found")),
        "wrong-verb": plain(405), "anonymous": plain(401), "forbidden": plain(403)}),
}

# 004: what is not known is passed over without a word, and no task is made.
SKIPPED = (200, JSON, "")


def refusal_of(line, kind):
    return DIALECTS[line.dialect].refusals[kind]
