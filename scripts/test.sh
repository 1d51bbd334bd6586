#!/usr/bin/env bash
# Builds with a sanitizer and runs every test: scripts/test.sh asan|tsan [ctest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:suppressions=$PWD/tests/tsan.supp
cmake --preset "$preset" > /dev/null
cmake --build --preset "$preset" -j "${JOBS:-$(nproc)}"
ctest --preset "$preset" -j 2 "$@"
