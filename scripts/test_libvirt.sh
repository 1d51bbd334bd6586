#!/usr/bin/env bash
# libvirt on two real cells: brings up a test bed of its own (root needed), runs the bed's suite, the
# contract of backends, the main job and the drills, and with JOBS_TOO=1 a worker killed at each call of a create; takes
# the bed down again. scripts/test_libvirt.sh [options of the test program]
set -euo pipefail
cd "$(dirname "$0")/.."
export LIBVIRT_BED=${LIBVIRT_BED:-$PWD/../shared/libvirt}
if [ ! -x "$LIBVIRT_BED/up" ]; then
  echo "no test bed at $LIBVIRT_BED: only libvirt's test driver is tried" >&2
fi
preset=${PRESET:-asan}
cmake --preset "$preset" > /dev/null
cmake --build --preset "$preset" -j "${JOBS:-$(nproc)}" \
  --target libvirt_test libvirt_bed backends_test slipway
"build/$preset/libvirt_test" --gtest_brief=1
[ -x "$LIBVIRT_BED/up" ] || exit 0

dir=$(mktemp -d /tmp/slipway-libvirt-XXXXXX)
export LIBVIRT_LOCAL_MB=${LIBVIRT_LOCAL_MB:-3072}  # room for a VM in what `fill` fills
export LIBVIRT_STATE=$dir/s LIBVIRT_NET=${LIBVIRT_NET:-10.79.0} LIBVIRT_BRIDGE=${LIBVIRT_BRIDGE:-slipway79}
trap '"$LIBVIRT_BED/down" --wipe > "$dir/down" 2>&1 || cat "$dir/down"; rm -rf "$dir"' EXIT
"$LIBVIRT_BED/up" > "$dir/up" 2>&1 || { tail -20 "$dir/up"; exit 1; }
"build/$preset/libvirt_bed" "$@"
SLIPWAY_TEST_LIBVIRT_CELLS=$LIBVIRT_STATE/cells.json "build/$preset/backends_test" \
  --gtest_filter='*LibvirtBed*' --gtest_brief=1
export SLIPWAY=$PWD/build/$preset/slipway
python3 tests/real_clouds/main_job.py libvirt "$LIBVIRT_STATE/cells.json"
python3 tests/real_clouds/drills.py libvirt "$LIBVIRT_STATE/cells.json"
[ -z "${JOBS_TOO:-}" ] || python3 tests/real_clouds/kill_job.py libvirt "$LIBVIRT_STATE/cells.json"
