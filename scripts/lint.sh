#!/usr/bin/env bash
# Formatting, clang's own warnings with the thread-safety analysis, clang-tidy, deployment files.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t sources < <(git ls-files '*.cpp' '*.hpp')
clang-format --dry-run -Werror "${sources[@]}"
cmake --preset lint > /dev/null
# Syntax only: clang++ checks -Wthread-safety on every file, clang-tidy the short list of .clang-tidy.
python3 scripts/clang_check.py build/lint "${JOBS:-$(nproc)}"
[ ! -x scripts/check_deploy.sh ] || scripts/check_deploy.sh
