#!/usr/bin/env bash
# Cuts the power of the server's machine at random points, then looks for what was lost, and shows with
# a control run that it would have noticed: scripts/power_loss.sh CYCLES [options of power_loss.py].
# With --control only that run.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 tests/crash/power_loss.py "$@"
case " $* " in *" --control"*) exit 0 ;; esac
python3 tests/crash/power_loss.py 10 --control sync
