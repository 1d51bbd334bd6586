#!/usr/bin/env bash
# Debian's own clients of the APIs that are spoken here, against a server: that of the release build,
# or the binary that SLIPWAY names. With --quick the short tests alone.
set -euo pipefail
cd "$(dirname "$0")/.."
# Only here: neither the service nor its other tests need them.
packages=(python3-blazarclient python3-openstackclient python3-libcloud)
missing=()
for p in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
  sudo=""
  [ "$(id -u)" -eq 0 ] || sudo="sudo"
  echo "installing: ${missing[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -q >&2
  $sudo apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
fi
tests=()
[ "${1:-}" != --quick ] || tests=(-k Quick)
for test in tests/clients/*_test.py; do
  PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$test" -v "${tests[@]}"
done
