#!/usr/bin/env bash
# Four workers against one; then with two killed and one drained on the way. Prints figures.
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 tests/e2e/scale.py "$@"
