#!/usr/bin/env bash
# The OpenStack client on a real control plane: starts the test bed beside this project, if there is
# one (the first start takes minutes, and 2 GB of memory), and runs every command and failure on it.
#   scripts/test_openstack.sh [--no-throughput] [arguments of the tests, e.g. --gtest_filter=Life.*]
set -euo pipefail
cd "$(dirname "$0")/.."
bed=${OPENSTACK_BED:-../shared/openstack}
export OPENSTACK_STATE=${OPENSTACK_STATE:-/tmp/openstack}
preset=${PRESET:-asan}
throughput=1
if [ "${1:-}" = --no-throughput ]; then
  throughput=
  shift
fi
if [ -x "$bed/up" ]; then
  "$bed/up"
elif [ ! -e "$OPENSTACK_STATE/endpoints.json" ]; then
  echo "no test bed: neither $bed/up nor $OPENSTACK_STATE/endpoints.json" >&2
  exit 2
fi
cmake --preset "$preset" > /dev/null
cmake --build --preset "$preset" -j "${JOBS:-$(nproc)}" --target openstack_bed openstack_throughput
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1
"build/$preset/openstack_bed" "$@"
[ -z "$throughput" ] || "build/$preset/openstack_throughput"
