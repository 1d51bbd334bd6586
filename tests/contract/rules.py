"""What holds for every line, whatever it does: headers, and the refusals of questions that are wrong."""
import re

import nano_signature
from dialects import JSON, refusal_of
from fixtures import NOWHERE
from matcher import UUID
from service import filled, names_in, refusal_differences

RETRY = r"\d+"
BROKEN = '{"broken": '


def header_differences(trial, method, path, answer, task=True):
    """Of one answer of the dialect."""
    out = []
    headers = answer.headers

    def wants(name, pattern):
        value = headers[name]
        if value is None or not re.fullmatch(pattern, value):
            out.append(f"{method} {path}: {answer.status} with {name}: {value!r}")
    wants("Date", r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
    wants("X-Request-Id", r"[A-Za-z0-9._-]{1,64}")
    for name, value in trial.dialect.headers.items():
        wants(name, re.escape(value))
    chunked = (headers["Transfer-Encoding"] or "").lower() == "chunked"
    if not chunked and answer.status not in (101, 204, 304):
        wants("Content-Length", str(len(answer.body)) if method != "HEAD" else r"\d+")
    if answer.body:
        wants("Content-Type", r"[\w.+-]+/[\w.+-]+(; ?[\w-]+=.*)?")
    if answer.status == 202 and task:
        wants("Retry-After", RETRY)
        wants("Location", f"/core/v1/tasks/{UUID}")
    if answer.status == 405:
        wants("Allow", r"[A-Z]+(, [A-Z]+)*")
    if answer.status == 429 or answer.status == 503 and b"authentication" not in answer.body:
        wants("Retry-After", RETRY)  # 000 says with 503 who is not let in: that is no overload
    return out


def asked_differences(trial, check):
    """The line itself must have been asked, over the socket, and have answered as the file says."""
    line = trial.line
    own = [a for method, path, a in trial.answers if line.covers(method, path)]
    if not own:
        return [f"the check never asked {line.method} {line.path}"]
    good = [a for a in own if a.status in line.codes and not is_failure(a)]
    out = []
    if not good:
        out.append(f"no answer with {line.codes}, but {sorted({a.status for a in own})}")
    if line.kind != "query" and check.task and good and not any(a.headers["X-Task-Id"] for a in good):
        out.append("a command, but no X-Task-Id")
    return out


def is_failure(answer):
    """The envelope of dialect 003 says by itself whether it is one."""
    return b'"error_code": 500' in answer.body[:40]


def probe(service, trial, check, verbs):
    """Asks the line what is wrong to ask. `verbs`: those that the file has for the path."""
    out = []
    for kind, (method, path, body), refusal in probes(trial.line, check, trial.world, verbs):
        answer = trial(method, path, body, {"Content-Type": JSON} if body == BROKEN else None)
        out += [f"{kind}: {what}" for what in refusal_differences(refusal, answer)]
        out += header_differences(trial, method, path, answer)
    return out + head_differences(trial, check) + elsewhere_differences(service, trial, check)


def probes(line, check, world, verbs):
    path, body = filled(check.at, world), filled(check.body, world)
    verb = check.wrong_verb or next(v for v in ("PATCH", "PUT", "POST", "DELETE") if v not in verbs)
    yield "wrong verb", (verb, path, body), refusal_of(line, "wrong-verb")
    if check.unknown != "nothing" and names_in(check.at) | names_in(check.body):
        nowhere = filled(check.at, NOWHERE), filled(check.body, NOWHERE)
        yield "unknown id", (line.method, *nowhere), check.unknown or refusal_of(line, "unknown")
    if check.body is not None and check.malformed != "nothing" and not isinstance(check.body, bytes):
        refusal = check.malformed or refusal_of(line, "malformed")
        yield "malformed", (line.method, path, BROKEN), refusal


def head_differences(trial, check):
    """HEAD is answered as GET, without the body."""
    line = trial.line
    if line.method != "GET" or 101 in line.codes:
        return []
    path = filled(check.at, trial.world)
    get, head = trial("GET", path), trial("HEAD", path)
    wanted, given = [(a.status, a.headers["Content-Type"]) for a in (get, head)]
    out = [] if wanted == given else [f"HEAD: {given}, not {wanted}"]
    return out + ([f"HEAD: a body of {len(head.body)} bytes"] if head.body else [])


def elsewhere_differences(service, trial, check):
    """A question is answered alike below the dialect's prefix on the main listener, and wherever else it
    may be asked."""
    dialect, line = trial.dialect, trial.line
    if not dialect.prefix or line.method != "GET" or 101 in line.codes:
        return []
    path = filled(check.at, trial.world)
    identity = service.identity.get(line.dialect, {})
    places = [(dialect.listener, path), ("", dialect.under_prefix(path)),
              *((dialect.listener, other) for other in also(line, path))]
    answers = [service.ask(listener, "GET", place, None, identity) for listener, place in places]
    if line.dialect == "003":
        places += signed_places(path)
        answers += [service.ask(listener, "GET", place, None, nano_signature.signed(place))
                    for listener, place in signed_places(path)]
        stranger = service.ask(nano_signature.LISTENER, "GET", path, None, nano_signature.signed(path, "wrong"))
        if not check.public:
            out = refusal_differences(refusal_of(line, "anonymous"), stranger)
            if out:
                return [f"wrongly signed: {what}" for what in out]
    wanted, *given = [(a.status, a.headers["Content-Type"], is_failure(a)) for a in answers]
    return [f"{place}: {one}, not {wanted}" for (_, place), one in zip(places[1:], given) if one != wanted]


def signed_places(path):
    """The signed core side of 003."""
    return [(nano_signature.LISTENER, path), (nano_signature.LISTENER, "/api/v1" + path)]


def also(line, path):
    """Other paths of the same."""
    path, mark, query = path.partition("?")
    slashed = path.rstrip("/") if path.endswith("/") else path + "/"
    others = {"002": ["/reservation" + path] if path.startswith("/v1/") else [],
              "003": [slashed, "/api/v1" + path], "000": [slashed]}
    return [other + mark + query for other in others.get(line.dialect, [])]
