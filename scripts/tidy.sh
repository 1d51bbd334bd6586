#!/usr/bin/env bash
# clang-tidy's short list (.clang-tidy) over all sources; remembers what it has passed.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset lint > /dev/null
python3 scripts/clang_check.py build/lint "${JOBS:-$(nproc)}"
