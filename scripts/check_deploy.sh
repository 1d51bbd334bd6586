#!/usr/bin/env bash
# Everything under deploy/ that can be checked without a cluster; part of `make lint`. A tool that is
# not there is named and skipped; with CI set that is a failure.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# check NAME COMMAND...: quiet when it holds.
check() {
  local name=$1
  shift
  if "$@" > "$out" 2>&1; then
    echo "ok    $name"
  else
    echo "FAIL  $name"
    sed 's/^/      /' "$out"
    failed=1
  fi
}
skip() {
  echo "skip  $1: no $2 here"
  [ -z "${CI:-}" ] || failed=1
}
have() { command -v "$1" > /dev/null 2>&1; }

# The exposure of a unit, in tenths: 1.4 is 14.
exposure_at_most_20() {
  local unit=$1 level
  systemd-analyze security --offline=true --no-pager "$unit" | tee /dev/stderr |
    sed -n 's/.*exposure level for .*: \([0-9]*\)\.\([0-9]\).*/\1\2/p' > "$out.level"
  level=$(cat "$out.level")
  rm -f "$out.level"
  [ -n "$level" ] && [ "$level" -le 20 ]
}

# Seconds of a unit's stop timeout, which must be above the drain's 60.
stops_after_the_drain() {
  local seconds
  seconds=$(sed -n 's/^TimeoutStopSec=\([0-9]*\)s$/\1/p' "$1")
  [ -n "$seconds" ] && [ "$seconds" -gt 60 ] && grep -q '^Type=notify$' "$1" && grep -q '^WatchdogSec=' "$1"
}

if have promtool; then
  check "prometheus configuration and rules" promtool check config deploy/prometheus/prometheus.yml
  check "alerts fire and stay silent" promtool test rules deploy/prometheus/tests/*.yml
else
  skip "prometheus rules" "promtool (Debian package prometheus)"
fi

for python in python3 /usr/bin/python3 ""; do
  [ -n "$python" ] && "$python" -c 'import yaml' 2> /dev/null && break
done
if [ -n "$python" ] && have promtool; then
  check "dashboards, runbooks, manifests" "$python" scripts/check_rules.py
else
  skip "dashboards, runbooks, manifests" "python3-yaml"
fi

for unit in deploy/systemd/*.service; do
  check "$unit stops after the drain" stops_after_the_drain "$unit"
  if have systemd-analyze; then
    check "$unit exposure" exposure_at_most_20 "$unit"
  else
    skip "$unit exposure" systemd-analyze
  fi
done

if have kubectl; then
  check "kubernetes manifests build" kubectl kustomize deploy/kubernetes
else
  echo "skip  kubernetes manifests build: no kubectl here"
fi

exit "$failed"
