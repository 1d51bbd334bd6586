#!/usr/bin/env bash
# Leaves the service in the foreground, data under ./build/run, with requests to try on the screen.
set -euo pipefail
cd "$(dirname "$0")/.."
listen=${LISTEN:-127.0.0.1:8081}
cat <<TEXT
slipway at http://$listen (data in build/run; Ctrl-C drains and stops). Try:

  # create a VM: 202 with a task id
  curl -si http://$listen/core/v1/vms -H 'Content-Type: application/json' \\
    -d '{"name":"web-1","flavor":"m1.nano","image":"cirros-0.5.1-x86_64-disk"}'

  # wait for its task (put the id of the answer in)
  curl -s 'http://$listen/core/v1/tasks/TASK?wait=30s'

  # the same by the specification's dialect, with its demo user
  curl -s -H 'user: demo' -H 'password: test' -H 'project_name: demo' http://$listen/api/virtual_machines

  # VMs per hour, everything that happened, metrics
  curl -s 'http://$listen/core/v1/stats/vms_existing?step=1h'
  curl -sN -H 'Accept: text/event-stream' 'http://$listen/core/v1/events?from=0'
  curl -s http://$listen/metrics

TEXT
exec build/release/slipway serve --data-dir build/run --listen "$listen"
