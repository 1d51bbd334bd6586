"""The specifications' own requests and answers, read from samples/ as they are printed there.

A file is a list of samples: `=== METHOD path`, then `--- request` and `--- answer CODE` blocks, word for
word. What the printed JSON lacks (commas, closing brackets) or has too much (comments, a last comma) is
seen through by `read_json`; what is sent is not changed by it: see `Sample.body`."""
import functools
import json
import pathlib
import re
import shlex

FOLDER = pathlib.Path(__file__).resolve().parent / "samples"
TOKEN = re.compile(r'\s+|//[^\n]*|,|(?P<text>"(?:[^"\\]|\\.)*")|(?P<mark>[\[\]{}:])|(?P<word>[-\w.+]+)',
                   re.S)


class Sample:
    def __init__(self, title):
        self.title, self.blocks = title, []

    def block(self, kind):
        return next((text for name, text in self.blocks if name == kind), "")

    @property
    def request(self):
        return self.block("request")

    @property
    def curl(self):
        """(method, path, headers, body) of a request that is a line of curl."""
        return parse_curl(self.request, lambda name: self.block(name))

    @property
    def http(self):
        """(method, path, headers, body) of a request that is an HTTP message."""
        head, _, body = self.request.partition("\n\n")
        first, *lines = head.split("\n")
        method, path, _ = first.split()
        return method, path, dict(line.split(": ", 1) for line in lines), body

    @property
    def body(self):
        """What is posted, as printed but for a comma that stands before a closing bracket: with that
        one it would be no JSON (and is refused as such, see `printed_body`)."""
        return re.sub(r",(\s*[}\]])", r"\1", self.printed_body)

    @property
    def printed_body(self):
        text = self.request
        if text.startswith("curl "):
            return self.curl[3]
        return text if text.lstrip()[:1] in "[{" else self.http[3]

    def answer(self, code=None):
        """The printed body, the first or that with the code, as Python's values."""
        for kind, text in self.blocks:
            if kind.startswith("answer") and code in (None, int(kind.split()[1])):
                return read_json(text)
        raise KeyError(f"{self.title} has no answer {code or ''}")

    @property
    def data(self):
        """Of dialect 003: what the envelope holds; every sample stands in a list of one."""
        return unwrap(self.answer())

    def data_of(self, code):
        return unwrap(self.answer(code))

    def answers(self):
        return [read_json(text) for kind, text in self.blocks if kind.startswith("answer")]


def unwrap(answer):
    return (answer[0] if isinstance(answer, list) else answer)["data"]


def parse_curl(line, file):
    words = shlex.split(line.replace("\\\n", " "))
    method, headers, body, url = None, {}, "", ""
    words = iter(words[1:])
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(":")
            headers[name] = value.strip()
        elif word in ("-d", "--data"):
            body = next(words)
            body = file(body[1:]) if body.startswith("@") else body
        elif word == ";":
            break
        elif word.startswith("http://"):
            url = word
    path = re.sub(r"^http://[^/]*", "", url)
    return method or ("POST" if body else "GET"), path, headers, body


@functools.cache
def of(name):
    """All samples of a dialect, by their titles; the core has none."""
    return {"core": dict, "vmfront": load_vmfront}.get(name, lambda: load(name))()


def load(name):
    found, sample = {}, None
    for line in (FOLDER / f"{name}.txt").read_text().split("\n"):
        if line.startswith("=== "):
            sample = found[line[4:]] = Sample(line[4:])
        elif line.startswith("--- "):
            sample.blocks.append((line[4:], ""))
        elif sample and sample.blocks:
            kind, text = sample.blocks[-1]
            sample.blocks[-1] = (kind, text + ("\n" if text else "") + line)
    return found


def load_vmfront():
    """Dialect 000's text is one of headings, lines of curl and whole answers."""
    text = (FOLDER / "vmfront.txt").read_text().replace("\\\n", "")
    found = {}
    for title, section in re.findall(r"\n([^\n]+)\n-{3,}\n(curl .*?)(?=\n[^\n]+\n-{3,}\n|\Z)", text, re.S):
        curl, _, answer = section.partition("\n\n")
        head, _, body = answer.partition("\n\n")
        sample = found[title] = Sample(title)
        sample.blocks = [("request", curl), ("head", head), (f"answer {head.split()[1]}", body.strip())]
    return found


# ---- JSON as it is printed

def read_json(text):
    """The value that a printed sample means. Commas are blanks; comments are passed over; a member may
    stand in a list (which then is an object); a list may be printed in two parts; what is not closed
    is closed by the next line that is indented no deeper than the line that opened it."""
    reader = Reader(text)
    value = reader.members("") if reader.ahead_is_member() else reader.value()
    return value


class Reader:
    def __init__(self, text):
        self.tokens, self.at = list(tokens(text)), 0
        # Where a text closes everything, indentation says nothing that the brackets do not.
        self.by_indent = text.count("{") != text.count("}") or text.count("[") != text.count("]")

    def peek(self, ahead=0):
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else ("", None, 0, 0)

    def ahead_is_member(self):
        return self.peek()[0] == "text" and self.peek(1)[1] == ":"

    def value(self):
        kind, text, indent, _ = self.peek()
        self.at += 1
        if kind == "mark" and text in "[{":
            return self.inside("]" if text == "[" else "}", indent)
        if kind == "text":
            return json.loads(text, strict=False)
        return json.loads(text)

    def inside(self, closer, indent):
        """A list or an object, whichever its contents are."""
        if self.ahead_is_member():
            return self.members(closer, indent)
        out = []
        while not self.closes(closer, indent):
            out.append(self.value())
        return out if closer == "]" else {}

    def members(self, closer, indent=-1):
        out, last = {}, None
        while not self.closes(closer, indent):
            if not self.ahead_is_member():
                out[last] += self.value()  # the list goes on
                continue
            last = self.value()
            self.at += 1
            out[last] = self.value()
        return out

    def closes(self, closer, indent):
        kind, text, _, line_indent = self.peek()
        if not kind:
            return True
        if kind == "mark" and text in "]}":
            if text == closer:
                self.at += 1
            return True
        return self.by_indent and line_indent >= 0 and line_indent <= indent


def tokens(text):
    """(kind, text, indent of its line, that indent again if the line begins with it or else -1)."""
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise ValueError(f"no JSON at {text[at:at + 40]!r}")
        if found.lastgroup:
            start = text.rfind("\n", 0, at) + 1
            line = text[start:]
            indent = len(line) - len(line.lstrip())
            yield found.lastgroup, found.group(), indent, indent if start + indent == at else -1
        at = found.end()
