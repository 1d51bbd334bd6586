#!/usr/bin/env bash
# Installs and builds what the benchmarks need, and runs them: scripts/bench.sh [--quick] [...]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install_deps.sh bench
cmake --preset release > /dev/null
cmake --build --preset release -j "${JOBS:-$(nproc)}" --target bench_programs
exec python3 tests/bench/bench.py "$@"
