#!/usr/bin/env bash
# Installs the Debian 12 packages that building and testing need; quick when they are there.
# `install_deps.sh bench` adds what only `make bench` needs: the peer's, and valgrind.
set -euo pipefail
packages=(
  g++ cmake make ninja-build pkg-config ccache git
  librocksdb-dev libpistache-dev cppzmq-dev libzmq3-dev libsimdjson-dev prometheus-cpp-dev
  libsqlite3-dev rapidjson-dev libboost1.81-dev libsodium-dev libssl-dev libexpected-dev libfmt-dev
  libcli11-dev libtomlplusplus-dev libre2-dev libcurl4-openssl-dev libsystemd-dev
  libhowardhinnant-date-dev nlohmann-json3-dev libgtest-dev libgmock-dev libbenchmark-dev zlib1g-dev
  libvirt-dev libpugixml-dev libarchive-dev libfuse3-dev fuse3
  clang clang-tidy clang-format libclang-rt-14-dev curl jq python3 python3-yaml procps prometheus systemd
)
missing=()
for p in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
if [ "${1:-}" = bench ]; then
  # By command: Node may have come with npm from elsewhere, and Debian's packages exclude that one.
  for tool in node:nodejs npm:npm redis-server:redis-server valgrind:valgrind findmnt:util-linux; do
    command -v "${tool%%:*}" > /dev/null || missing+=("${tool##*:}")
  done
fi
[ ${#missing[@]} -eq 0 ] && exit 0
sudo=""
[ "$(id -u)" -eq 0 ] || sudo="sudo"
echo "installing: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q >&2
# Packages start their servers where there is an init system (prometheus, redis-server); only their
# programs are wanted.
$sudo env RUNLEVEL=1 apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
