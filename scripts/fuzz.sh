#!/usr/bin/env bash
# Builds the fuzzers and runs each for so many seconds from its committed corpus; what it finds new
# stays in a temporary directory. A crash leaves its input in build/fuzz and a non-zero exit code.
#   scripts/fuzz.sh SECONDS [NAME ...]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds="${1:-60}"
names=("${@:2}")
if [ ${#names[@]} -eq 0 ]; then
  for source in tests/fuzz/*_fuzz.cpp; do names+=("$(basename "$source" _fuzz.cpp)"); done
fi
cmake --preset fuzz > /dev/null
cmake --build --preset fuzz -j "${JOBS:-$(nproc)}" --target "${names[@]/%/_fuzz}"
found="$(mktemp -d)"
trap 'rm -rf "$found"' EXIT
cd build/fuzz
failed=()
for name in "${names[@]}"; do
  echo "fuzz: $name for $seconds s" >&2
  mkdir "$found/$name"
  "./${name}_fuzz" -max_total_time="$seconds" -timeout=10 -max_len=2048 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$name-" "$found/$name" "../../tests/fuzz/corpus/$name" \
    || failed+=("$name")
done
[ ${#failed[@]} -eq 0 ] || { echo "fuzz: failed: ${failed[*]}" >&2; exit 1; }
