#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs an echo server under load for a few seconds and checks its output and
# counters. `tools/dev demo` builds the two programs and runs
# this; RINGWAY_BIN says where they are.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly bin=${RINGWAY_BIN:-bazel-bin}
readonly echo_server=$bin/tools/samples/echo_server
readonly loadgen=$bin/tools/loadgen/loadgen
readonly connections=32
readonly seconds=5

fail() {
  echo "demo: $*" >&2
  if [[ -s ${scratch:-}/server ]]; then
    echo "demo: the server said:" >&2
    sed 's/^/  /' "$scratch/server" >&2
  fi
  exit 1
}

for program in "$echo_server" "$loadgen"; do
  [[ -x $program ]] || fail "$program is not there: run tools/dev demo, or set RINGWAY_BIN"
done

scratch=$(mktemp -d)
server=
load=

# Ends what this script started and nothing else.
cleanup() {
  local process
  for process in $load $server; do
    kill -KILL "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null || true
  done
  rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

pin_server=-1
pin_load=-1
if (($(nproc) >= 2)); then
  mapfile -t cpus < <(taskset --cpu-list --pid $$ 2>/dev/null | sed 's/.*: //' | tr ',' '\n' |
    while IFS=- read -r from to; do seq "$from" "${to:-$from}"; done)
  pin_server=${cpus[0]:-0}
  pin_load=${cpus[1]:-1}
fi

# ---- serve -------------------------------------------------------------------

: >"$scratch/server"  # it may be read before the server has opened it
"$echo_server" --listen=127.0.0.1:0 --pin="$pin_server" >"$scratch/server" 2>&1 &
server=$!

address=
for ((tries = 0; tries < 100; ++tries)); do
  address=$(sed -n 's/^listening on //p' "$scratch/server")
  backend=$(sed -n 's/^backend: //p' "$scratch/server")
  [[ -n $address && -n $backend ]] && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
[[ -n $address && -n $backend ]] || fail "the server did not start within 10 s"
echo "demo: echo_server listens on $address, backend: $backend"

# ---- load --------------------------------------------------------------------

# In the background, and waited for, so that the traps are heard at once.
"$loadgen" --connect="$address" --connections=$connections --size=64 --duration="${seconds}s" \
  --pin="$pin_load" --server-pid="$server" --verify >"$scratch/load" &
load=$!
load_exit=0
wait "$load" || load_exit=$?
load=
cat "$scratch/load"
((load_exit == 0)) || fail "the load generator ended with exit code $load_exit"

requests=$(sed -n 's/^ *requests  *\([0-9,]*\)$/\1/p' "$scratch/load" | tr -d ,)
[[ ${requests:-0} -gt 0 ]] || fail "no request was answered"
grep -q '^ *errors  *0$' "$scratch/load" || fail "there were errors"

# ---- stop and check ----------------------------------------------------------

kill -TERM "$server"
server_exit=0
wait "$server" || server_exit=$?
server=
((server_exit == 0)) || fail "the server ended with exit code $server_exit after SIGTERM"
grep -qx 'drained' "$scratch/server" || fail "the server did not say that it drained"

expected="connections: $connections accepted, $connections ended well, 0 with an error, \
0 by an exception, 0 refused, 0 cut"
grep -qxF "$expected" "$scratch/server" || fail "the server's counters must be: $expected"

# A request is a read and a write; and one system call serves many.
read -r operations turns spins calls < <(
  sed -nE 's/^operations: ([0-9]+) in ([0-9]+) turns, ([0-9]+) with a spin, and ([0-9]+) system calls$/\1 \2 \3 \4/p' \
    "$scratch/server"
) || fail "the server printed no operations"
((operations >= 2 * requests)) || fail "$operations operations cannot have answered $requests requests"
# A turn makes one, and one more if it spins in between.
((calls <= turns + spins)) ||
  fail "$calls system calls in $turns turns with $spins spins is more than one each"

echo "demo: $operations operations in $calls system calls; stopped by SIGTERM, drained: all is well"
