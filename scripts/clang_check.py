#!/usr/bin/env python3
"""Runs clang-tidy (with -Wthread-safety as errors) over our own sources, in parallel.

Each file's result is remembered under the hash of its preprocessed text, so that a second run looks
only at what has changed.
"""
import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys

build, jobs = sys.argv[1], int(sys.argv[2])
root = os.getcwd()
cache = os.path.join(build, "clang_check")
os.makedirs(cache, exist_ok=True)
with open(".clang-tidy", encoding="utf-8") as f:
    CONFIG = f.read()


def preprocessed(entry):
    words = [w for w in shlex.split(entry["command"]) if not w.endswith("ccache")]
    out = words.index("-o")
    words = words[:out] + words[out + 2:]
    words[words.index("-c")] = "-E"
    return subprocess.run(words, cwd=entry["directory"], capture_output=True, check=True).stdout


def check(entry):
    name = os.path.relpath(entry["file"], root)
    digest = hashlib.sha256(CONFIG.encode() + preprocessed(entry)).hexdigest()
    mark = os.path.join(cache, digest)
    if os.path.exists(mark):
        return name, True, ""
    done = subprocess.run(
        ["clang-tidy", "--quiet", "-p", build, "--extra-arg=-Wthread-safety",
         "--extra-arg=-Wno-unknown-warning-option", entry["file"]],
        capture_output=True, text=True)
    if done.returncode == 0:
        open(mark, "w", encoding="utf-8").close()
    return name, done.returncode == 0, done.stdout + done.stderr


with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
    entries = json.load(f)
bad = 0
with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
    for i, (name, ok, text) in enumerate(pool.map(check, entries), 1):
        print(f"\r{i}/{len(entries)} {name:<60.60}", end="", file=sys.stderr)
        if not ok:
            bad += 1
            print(f"\n{text}")
print(file=sys.stderr)
print(f"clang-tidy: {len(entries) - bad} files passed, {bad} failed")
sys.exit(1 if bad else 0)
