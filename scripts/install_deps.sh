#!/usr/bin/env bash
# Installs the Debian 12 packages that building and testing need; quick when they are there.
set -euo pipefail
packages=(
  g++ cmake make ninja-build pkg-config ccache git
  librocksdb-dev libpistache-dev cppzmq-dev libzmq3-dev libsimdjson-dev prometheus-cpp-dev
  libsqlite3-dev rapidjson-dev libboost1.81-dev libsodium-dev libssl-dev libexpected-dev libfmt-dev
  libcli11-dev libtomlplusplus-dev libre2-dev libcurl4-openssl-dev libsystemd-dev
  libhowardhinnant-date-dev nlohmann-json3-dev libgtest-dev libgmock-dev libbenchmark-dev zlib1g-dev
  clang clang-tidy clang-format libclang-rt-14-dev curl jq python3 python3-yaml procps prometheus systemd
)
missing=()
for p in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0
sudo=""
[ "$(id -u)" -eq 0 ] || sudo="sudo"
echo "installing: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q >&2
# The prometheus package starts a server where there is an init system; only its promtool is wanted.
$sudo env RUNLEVEL=1 apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
