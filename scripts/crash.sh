#!/usr/bin/env bash
# Kills server and workers at random points, then looks for what was lost or done twice, and shows
# with two control runs that it would have noticed: scripts/crash.sh CYCLES [options of crash.py].
# With --control only that run.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 tests/crash/crash.py "$@"
case " $* " in *" --control"*) exit 0 ;; esac
python3 tests/crash/crash.py 20 --control sync
python3 tests/crash/crash.py 20 --control fence
