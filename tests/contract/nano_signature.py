"""The signed core side of dialect 003: what its clients put into their headers."""
import datetime
import hashlib
import hmac
import urllib.parse

METHOD, ID, SECRET = "Nano-HMAC-SHA256", "conform", "a-secret-of-these-tests"
LISTENER = "nano_core"
KEYS = f"{ID} {SECRET} demo\n"  # the key acts for that group


def flags(directory):
    """Opens the core side, which knows the key."""
    file = directory / "nano-keys"
    file.write_text(KEYS)
    file.chmod(0o600)
    return ["--nano.core_listen=127.0.0.1:0", f"--nano.core_keys_file={file}"]


def signed(path, secret=SECRET):
    """Headers of a GET."""
    path, _, query = path.partition("?")
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    scope = f"{date[:10].replace('-', '')}/default/nano_request"
    headers = {"Nano-Date": date, "Nano-Scope": scope}
    names = ";".join(sorted(name.lower() for name in headers))
    lines = "".join(f"{name.lower()}:{headers[name]}\n" for name in sorted(headers))
    request = "\n".join([twice(path), sorted_query(query), lines, names, sha256(b"")])
    text = "\n".join([METHOD, date, scope, sha256(request.encode())])
    key = hmac.digest(b"nano" + secret.encode(), scope.encode(), "sha256")
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    authorization = f"{METHOD} Credential={ID}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "Nano-Authorization": authorization}


def twice(path):
    return urllib.parse.quote_plus(urllib.parse.quote_plus(path))


def sorted_query(query):
    first = {}  # of a repeated one the first counts
    for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
        first.setdefault(name, value)
    return "&".join(f"{urllib.parse.quote_plus(name)}={urllib.parse.quote_plus(first[name])}" for name in sorted(first))


def sha256(data):
    return hashlib.sha256(data).hexdigest()
