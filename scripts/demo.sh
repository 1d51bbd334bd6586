#!/usr/bin/env bash
# Starts the service with its simulated cloud, creates a VM by the specification's own curl, follows
# the task to its end, and shows what can be asked afterwards. Exits 0 when all of it worked.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
dir=$(mktemp -d)
trap 'stop_server; rm -rf "$dir"' EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
as_demo=(-H "Content-Type: application/json" -H "user: demo" -H "password: test" -H "project_name: demo")

say "1. start: slipway serve, with a simulated cloud and one worker in the process"
start_server "$dir" --listen 127.0.0.1:0 --listeners main
echo "listening at $base"

say "2. create a VM: the request of the specification, word for word"
curl -sS -i "${as_demo[@]}" \
  -d '{"flavor_name": "m1.nano", "image_name": "cirros-0.5.1-x86_64-disk",
 "network_id": "1edf997e-dcde-485b-ae55-c16588c1e4f6", "virtual_machine_name": "test_13"}' \
  "$base/api/virtual_machines" | tee "$dir/answer"
echo
task=$(sed -n 's/^[Xx]-[Tt]ask-[Ii]d: *\([0-9a-f-]*\).*/\1/p' "$dir/answer")
[ -n "$task" ] || { echo "no task id in the answer" >&2; exit 1; }

say "3. follow the task: GET /core/v1/tasks/$task"
version='"0"'
for _ in $(seq 200); do
  curl -sS -D "$dir/headers" -H "If-None-Match: $version" -o "$dir/task" \
    "$base/core/v1/tasks/$task?wait=200ms"
  version=$(sed -n 's/^[Ee][Tt]ag: *\("[^"]*"\).*/\1/p' "$dir/headers")
  [ -s "$dir/task" ] && jq -r '"\(.state)\t\(.progress.percent // "-")%\t\(.progress.step // "")"' "$dir/task"
  [ "$(jq -r .terminal "$dir/task" 2> /dev/null)" = true ] && break
done | uniq
state=$(curl -sS "$base/core/v1/tasks/$task" | jq -r .state)
[ "$state" = SUCCEEDED ] || { echo "the task ended $state" >&2; exit 1; }

say "4. a batch of twenty more, waited for"
curl -sS -H 'Content-Type: application/json' -H 'Prefer: wait=30' \
  -d '{"template":{"command":"vm.create","args":{"name":"web","flavor":"m1.nano","image":"cirros-0.5.1-x86_64-disk"}},"count":20}' \
  "$base/core/v1/batches" | jq -c '{id, command, state, items}'

say "5. the VMs"
curl -sS "${as_demo[@]}" "$base/api/virtual_machines" |
  jq -r '.servers[:6][] | [.id, .name, .status, (.addresses[][0].addr)] | @tsv'

say "6. VMs per hour"
curl -sS "${as_demo[@]}" "$base/api/statistics/virtual_machines/number/per_day"
echo

say "7. a few metrics"
curl -sS "$base/metrics" |
  grep -E '^slipway_(tasks_submitted_total|tasks_finished_total|vms\{|eventlog_head_seq|vms_created_total)' | grep -v ' 0$' | head -12

count=$(curl -sS "${as_demo[@]}" "$base/api/virtual_machines" | jq '.servers | length')
[ "$count" -eq 21 ] || { echo "expected 21 VMs, the list has $count" >&2; exit 1; }
say "done: 21 VMs, each by a durable task. 'make run' leaves the service running."
