#!/usr/bin/env bash
# OpenStack on a real control plane: starts the test bed beside this project, if there is one (the first
# start takes minutes, and 2 GB of memory), then runs on it every command and failure of the client, the
# quick part of the contract of backends, and with JOBS_TOO=1 the main job (50 VMs), the drills, and a worker killed at
# each call of a create.
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
ends=$OPENSTACK_STATE/endpoints.json
cmake --preset "$preset" > /dev/null
cmake --build --preset "$preset" -j "${JOBS:-$(nproc)}" \
  --target openstack_bed openstack_throughput backends_test slipway
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1
"build/$preset/openstack_bed" "$@"
SLIPWAY_TEST_OPENSTACK=$ends "build/$preset/backends_test" \
  --gtest_filter='*Command.DoesWhatItSays*OpenstackBed*' --gtest_brief=1
[ -z "$throughput" ] || "build/$preset/openstack_throughput"
[ -n "${JOBS_TOO:-}" ] || exit 0
export SLIPWAY=$PWD/build/$preset/slipway
python3 tests/real_clouds/main_job.py openstack "$ends"
python3 tests/real_clouds/drills.py openstack "$ends"
python3 tests/real_clouds/kill_job.py openstack "$ends"
