"""Compares an answer with a sample, member by member, and says where they differ."""
import re

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# What no two runs have the same: a text of the sample in one of these forms asks for one in the same form.
FORMS = [re.compile(form) for form in (
    UUID, r"[0-9a-f]{32}", r"[0-9a-f]{56}",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}",
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d\[\w+/\w+\]",
    r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", r"\d+\.\d+\.\d+\.\d+", r"\d+\.\d+\.\d+\.\d+:\d+")]
HOST = re.compile(r"http://(<(REST_)?API_HOST>|[\w.]+(:\d+)?)")


class Like(str):
    """A pattern, where the sample's own value is of no use."""


class Exact(str):
    """A text that must be just that, whatever its form."""


class Any:
    """A value of that type, whichever."""

    def __init__(self, *types):
        self.types = types

    def __repr__(self):
        return "/".join(t.__name__ for t in self.types)


ID = Like(UUID)
TEXT, NUMBER, FLAG = Any(str), Any(int, float), Any(bool)


def differences(sample, given, free=(), extra=(), where=""):
    """What is not as in the sample, one line each; [] if nothing. Members named in `free` may have any
    value of the sample's type (a list: of any length, its elements of the first one's shape);
    members named in `extra` may be there besides."""
    out = []
    compare(sample, given, set(free), set(extra), where or "body", out)
    return out


def compare(sample, given, free, extra, where, out):
    if isinstance(sample, Like):
        if not isinstance(given, str) or not re.fullmatch(sample, given):
            out.append(f"{where}: {given!r} is not like {str(sample)!r}")
    elif isinstance(sample, Exact):
        if sample != given:
            out.append(f"{where}: {given!r}, not {str(sample)!r}")
    elif isinstance(sample, Any):
        if not isinstance(given, sample.types) or isinstance(given, bool) != (bool in sample.types):
            out.append(f"{where}: {given!r} is no {sample}")
    elif isinstance(sample, dict):
        compare_members(sample, given, free, extra, where, out)
    elif isinstance(sample, list):
        compare_elements(sample, given, free, extra, where, out)
    else:
        compare_value(sample, given, where, out)


def compare_members(sample, given, free, extra, where, out):
    if not isinstance(given, dict):
        out.append(f"{where}: {given!r} is no object")
        return
    for name in sample.keys() - given.keys():
        out.append(f"{where}: '{name}' is missing")
    for name in given.keys() - sample.keys() - extra:
        out.append(f"{where}: '{name}' is not in the sample ({given[name]!r})")
    for name in sample.keys() & given.keys():
        here = f"{where}/{name}"
        if name in free:
            compare_shape(sample[name], given[name], free, extra, here, out)
        else:
            compare(sample[name], given[name], free, extra, here, out)


def compare_elements(sample, given, free, extra, where, out):
    if not isinstance(given, list):
        out.append(f"{where}: {given!r} is no list")
    elif len(given) != len(sample):
        out.append(f"{where}: {len(given)} elements, not {len(sample)}: {given!r}"[:300])
    else:
        for n, (one, other) in enumerate(zip(sample, given)):
            compare(one, other, free, extra, f"{where}/{n}", out)


def compare_shape(sample, given, free, extra, where, out):
    if isinstance(sample, list) and isinstance(given, list):
        for n, element in enumerate(given if sample else ()):
            compare_shape(sample[0], element, free, extra, f"{where}/{n}", out)
    elif isinstance(sample, dict) or isinstance(sample, (Like, Exact, Any)):
        compare(sample, given, free, extra, where, out)
    elif kind_of(sample) != kind_of(given):
        out.append(f"{where}: {given!r} is no {kind_of(sample)}")


def compare_value(sample, given, where, out):
    if kind_of(sample) != kind_of(given):
        out.append(f"{where}: {given!r} is no {kind_of(sample)}")
    elif isinstance(sample, str):
        sample, given = HOST.sub("", sample), HOST.sub("", given)
        form = next((f for f in FORMS if f.fullmatch(sample)), None)
        if form:
            if not form.fullmatch(given):
                out.append(f"{where}: {given!r} has not the form of {sample!r}")
        elif re.sub(UUID, "<id>", sample) != re.sub(UUID, "<id>", given):
            out.append(f"{where}: {given!r}, not {sample!r}")
    elif sample != given:
        out.append(f"{where}: {given!r}, not {sample!r}")


def kind_of(value):
    if isinstance(value, bool) or value is None:
        return "boolean" if value is not None else "null"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def merged(sample, *changes, **more):
    """The sample with other values for some members, nested objects member by member."""
    out = dict(sample)
    for change in (*changes, more):
        for name, value in change.items():
            nested = isinstance(value, dict) and isinstance(out.get(name), dict)
            out[name] = merged(out[name], value) if nested else value
    return out


def without(sample, *names):
    return {name: value for name, value in sample.items() if name not in names}
