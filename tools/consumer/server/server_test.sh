#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The README's server sends back what it is sent, and ends in order when asked.
set -euo pipefail

server=$1
log=$(mktemp)
pid=
trap 'rm -f "$log"; [[ -z $pid ]] || kill -9 $pid' EXIT

fail() {
  echo "$1" >&2
  cat "$log" >&2
  exit 1
}

# Whether a socket that listens on port 7878 (1EC6) is the server's: another
# program's would answer, too. Each of its workers has one.
listens() {
  local inode files
  files=$(ls -l "/proc/$pid/fd" 2>/dev/null) || return
  for inode in $(awk '$2 == "0100007F:1EC6" && $4 == "0A" { print $10 }' /proc/net/tcp); do
    [[ $files != *"socket:[$inode]"* ]] || return 0
  done
  return 1
}

# The port may be in another program's hands for a while.
start() {
  local try
  for try in {1..100}; do
    "$server" 2>"$log" &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
      listens && return
      sleep 0.02
    done
    wait $pid || true
    pid=
    grep -q 'Address already in use' "$log" || fail "the server did not start"
    sleep 0.3
  done
  fail "port 7878 stays in use"
}

start
exec 3<>/dev/tcp/127.0.0.1/7878
printf 'hello\n' >&3
read -r -t 10 -u 3 reply || fail "no reply"
[[ $reply == hello ]] || fail "the reply is '$reply'"
exec 3>&-

kill -TERM $pid
wait $pid || fail "the server ended with $?"
pid=
echo PASS
