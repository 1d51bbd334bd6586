# Shared by the scripts: starts a server on a free port with a data directory of its own.
slipway=${SLIPWAY:-build/release/slipway}

# start_server DIR [arguments]: sets server_pid and base (http://HOST:PORT); the log is in DIR/log.
start_server() {
  local dir=$1
  shift
  mkdir -p "$dir"
  : > "$dir/out"
  "$slipway" serve --data-dir "$dir/data" "$@" > "$dir/out" 2>> "$dir/log" &
  server_pid=$!
  base=""
  for _ in $(seq 200); do
    base=$(sed -n 's/^ready //p' "$dir/out")
    [ -n "$base" ] && return 0
    kill -0 "$server_pid" 2> /dev/null || break
    sleep 0.05
  done
  echo "the server did not start:" >&2
  tail -5 "$dir/log" >&2
  return 1
}

stop_server() {
  kill -TERM "$server_pid" 2> /dev/null || true
  wait "$server_pid" 2> /dev/null || true
}
