#!/usr/bin/env bash
# Builds the fuzzers and runs each for so many seconds, from its committed corpus; what it finds new
# stays in a temporary directory. A crash leaves its input in build/fuzz and a non-zero exit code.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds="${1:-60}"
cmake --preset fuzz > /dev/null
cmake --build --preset fuzz -j "$(nproc)" --target sql_fuzz
found="$(mktemp -d)"
trap 'rm -rf "$found"' EXIT
cd build/fuzz
./sql_fuzz -max_total_time="$seconds" -timeout=10 -max_len=2048 -rss_limit_mb=2048 \
  "$found" ../../tests/fuzz/corpus/sql
