#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The echo server and the load generator as their users meet them: a second of
# load, verified, by a closed loop and by an open one; and what they say to bad
# input.

set -euo pipefail

readonly echo_server=$1
readonly loadgen=$2
readonly scratch=${TEST_TMPDIR:-$(mktemp -d)}

servers=()
cleanup() {
  local server
  for server in "${servers[@]}"; do
    kill -KILL "$server" 2>/dev/null || true
  done
}
trap cleanup EXIT

failures=0
fail() {
  echo "FAIL: $*" >&2
  failures=$((failures + 1))
}

# start_server NAME FLAGS...: leaves its process in $server and what it listens
# on in $address.
start_server() {
  local name=$1 tries
  shift
  : >"$scratch/$name"  # it may be read before the server has opened it
  "$echo_server" "$@" >"$scratch/$name" 2>&1 &
  server=$!
  servers+=("$server")
  for ((tries = 0; tries < 300; ++tries)); do
    address=$(sed -n 's/^listening on //p' "$scratch/$name")
    [[ -n $address ]] && grep -q '^backend: ' "$scratch/$name" && return
    sleep 0.1
  done
  fail "the server did not start: $(cat "$scratch/$name")"
  exit 1
}

# stop_server NAME CONNECTIONS
stop_server() {
  local name=$1 expected
  kill -TERM "$server"
  wait "$server" || fail "$name: exit code $? after SIGTERM"
  expected="connections: $2 accepted, $2 ended well, 0 with an error, 0 by an exception, \
0 refused, 0 cut"
  grep -qxF "$expected" "$scratch/$name" || fail "$name: not '$expected': $(cat "$scratch/$name")"
  grep -qx drained "$scratch/$name" || fail "$name: it did not drain"
}

# check_exit CODE LINE COMMAND...: fails with CODE, nothing on stdout, and LINE
# (a regular expression) as the one line on stderr.
check_exit() {
  local code=$1 line=$2 status=0
  shift 2
  timeout 20 "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
  ((status == code)) || fail "$*: exit code $status, must be $code"
  [[ ! -s $scratch/out ]] || fail "$*: printed $(cat "$scratch/out")"
  (($(wc -l <"$scratch/err") == 1)) || fail "$*: not one line: $(cat "$scratch/err")"
  grep -qE -e "$line" "$scratch/err" || fail "$*: not '$line': $(cat "$scratch/err")"
}

# ---- a second of load --------------------------------------------------------

start_server own --listen=127.0.0.1:0 --receive=own
"$loadgen" --connect="$address" --connections=8 --size=50000 --duration=300ms --warmup=0 \
  >"$scratch/own_table" || fail "loadgen against --receive=own: exit code $?"
stop_server own 8

start_server epoll --listen=127.0.0.1:0 --backend=epoll
grep -q '^backend: epoll' "$scratch/epoll" || fail "not epoll: $(cat "$scratch/epoll")"
"$loadgen" --connect="$address" --connections=8 --duration=300ms --warmup=0 \
  >"$scratch/epoll_table" || fail "loadgen against --backend=epoll: exit code $?"
stop_server epoll 8

start_server one --listen=127.0.0.1:0
"$loadgen" --connect="$address" --connections=8 --duration=1s --warmup=100ms >"$scratch/table" ||
  fail "loadgen: exit code $?"
cat "$scratch/table"
for row in 'requests +[1-9]' 'requests/s +[1-9]' 'MB/s +[0-9.]+' 'p50 +[0-9.]+ us' \
  'p99\.9 +[0-9.]+ us' 'max +[0-9.]+ us' 'errors +0$'; do
  grep -qE "^  $row" "$scratch/table" || fail "the table has no row like '$row'"
done

"$loadgen" --connect="$address" --connections=4 --size=100000 --pipeline=3 --duration=300ms \
  --warmup=0 --json >"$scratch/json" || fail "loadgen --json: exit code $?"
python3 - "$scratch/json" <<'END' || fail "the JSON is not as promised: $(cat "$scratch/json")"
import json, sys
with open(sys.argv[1]) as file:
    figures = json.load(file)
for name in ('requests_per_second megabytes_per_second p50_us p90_us p99_us p999_us max_us '
             'requests duration_s client_cpu_us_per_request').split():
    assert figures[name] > 0, name
assert figures['errors'] == 0
assert (figures['connections'], figures['size'], figures['pipeline']) == (4, 100000, 3)
assert figures['p50_us'] <= figures['p90_us'] <= figures['p99_us'] <= figures['max_us']
END

# ---- bad input ---------------------------------------------------------------

for program in "$echo_server" "$loadgen"; do
  check_exit 2 'unknown flag --unknown' "$program" --unknown
  check_exit 2 'unexpected argument stray' "$program" stray
  check_exit 2 '--pin needs a value' "$program" --pin
  check_exit 2 '--pin=x: expected a whole number' "$program" --pin=x
  check_exit 2 '--duration=5: expected a duration' "$program" --duration=5
done
for bad in nowhere 127.0.0.1 127.0.0.1:99999 1.2.3:80 '[::1]' unix: ''; do
  check_exit 2 'is not an address|is empty|path' "$echo_server" --listen="$bad"
  check_exit 2 'is not an address|is empty|path' "$loadgen" --connect="$bad"
done
check_exit 2 '--workers=0: expected' "$echo_server" --workers=0
check_exit 2 'backend' "$echo_server" --backend=kqueue
check_exit 2 'neither own nor lent' "$echo_server" --receive=borrowed
check_exit 2 '--size=0: expected' "$loadgen" --size=0
check_exit 2 '--verify=maybe: expected' "$loadgen" --verify=maybe
check_exit 2 '--rate=many: expected a whole number' "$loadgen" --rate=many
check_exit 2 "the phase '100' is not RATExDURATION" "$loadgen" --phases=100x1s,100
check_exit 2 'leave --rate out' "$loadgen" --phases=100x1s --rate=5
check_exit 2 'more than 2 GiB' "$loadgen" --connections=100000 --size=1000000

# What only trying can tell.
check_exit 1 "$address.*[Aa]ddress already in use" "$echo_server" --listen="$address"
check_exit 1 'CPU 1000' "$echo_server" --listen=127.0.0.1:0 --pin=1000
check_exit 1 'CPU 1000' "$loadgen" --connect="$address" --pin=1000

for program in "$echo_server" "$loadgen"; do
  "$program" --help >"$scratch/out" || fail "$program --help: exit code $?"
  grep -q -- --pin=-1 "$scratch/out" || fail "$program --help does not list its flags"
done

# Who was refused the port has not disturbed who has it.
stop_server one 12

# Nobody listens there any more.
check_exit 1 "loadgen: no reply came, and there were 3 errors; the first: connection [0-2]: \
.*Connection refused" "$loadgen" --connect="$address" --connections=3 --duration=1s

# ---- an open loop, and short connections -------------------------------------

# check_figures NAME CONDITION...: Python expressions about the JSON in
# $scratch/NAME, whose members are variables.
check_figures() {
  local name=$1
  shift
  python3 - "$scratch/$name" "$@" <<'END' || fail "$name: $(cat "$scratch/$name")"
import json, sys
with open(sys.argv[1]) as file:
    figures = json.load(file)
for condition in sys.argv[2:]:
    assert eval(condition, {}, figures), condition
END
}

for backend in auto epoll; do
  for listen in 127.0.0.1:0 "unix:@ringway-smoke-$$-$backend"; do
    start_server open --listen="$listen" --backend="$backend"
    load=(env RINGWAY_BACKEND="$backend" "$loadgen" --connect="$address" --warmup=0 --json)

    "${load[@]}" --rate=2000 --duration=300ms --connections=8 --server-pid="$server" \
      >"$scratch/rate" || fail "loadgen --rate, $backend, $listen: exit code $?"
    check_figures rate 'offered == sent == answered == 600' 'dropped == lost == unanswered == 0' \
      'errors == 0' 'goodput_per_second > 0' '0 < p50_us <= p99_us <= max_us' \
      'send_delay_max_us <= max_us' 'server_cpu_share > 0' 'len(phases) == 1' 'not short'

    "${load[@]}" --phases=500x200ms,1000x200ms --arrivals=poisson --seed=7 --connections=8 \
      --server-pid="$server" >"$scratch/phases" || fail "loadgen --phases: exit code $?"
    check_figures phases 'errors == 0' 'seed == 7' '[p["rate"] for p in phases] == [500, 1000]' \
      'offered == sum(p["offered"] for p in phases)' 'answered == offered' \
      'all(p["server_rss_bytes"] > 1 << 20 for p in phases)' \
      'all("recovered_after_s" in p for p in phases)'

    # A connection for each request: as many as the server accepts.
    "${load[@]}" --short --rate=500 --duration=200ms --connections=100 >"$scratch/short" ||
      fail "loadgen --short --rate: exit code $?"
    check_figures short 'offered == answered == 100' 'errors == 0' 'short'
    stop_server open 116

    start_server shorts --listen="$listen" --backend="$backend"
    "${load[@]}" --connect="$address" --short --duration=200ms --connections=8 \
      >"$scratch/closed" || fail "loadgen --short: exit code $?"
    check_figures closed 'requests > 0' 'errors == 0' 'short'
    kill -TERM "$server"
    wait "$server" || fail "shorts: exit code $? after SIGTERM"
    grep -qE '^connections: ([0-9]+) accepted, \1 ended well, 0 with an error' "$scratch/shorts" ||
      fail "short connections did not end well: $(cat "$scratch/shorts")"

    # The server is gone.
    check_exit 1 'no reply came, and there were 20 errors; the first: connection [0-9]: .*refused' \
      "$loadgen" --connect="$address" --short --rate=100 --duration=200ms --warmup=0
  done
done

((failures == 0)) || exit 1
echo "all is well"
