#!/usr/bin/env bash
# Formatting, and everything under deploy/ that can be checked without a cluster. Clang's warnings and
# its thread-safety analysis are errors of `make test`'s build.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t sources < <(git ls-files '*.cpp' '*.hpp')
clang-format --dry-run -Werror "${sources[@]}"
python3 scripts/check_guarantees.py
scripts/check_deploy.sh
