#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The UDP echo servers answer a load that compares every reply.
set -euo pipefail
ringway=$1
load=$2
by_hand=("$3" "$4")
output=$(mktemp)
server=
trap '[[ -z $server ]] || kill "$server"; rm -f "$output"' EXIT

# echo_by SERVER...
echo_by() {
  : >"$output"  # it was once read before the server had opened it
  "$@" --listen=127.0.0.1:0 >"$output" 2>&1 &
  server=$!
  local address=
  for ((i = 0; i < 500; ++i)); do
    address=$(sed -n 's/^listening on \(udp \)\?//p' "$output" | head -n 1)
    [[ -z $address ]] || break
    sleep 0.02
  done
  [[ -n $address ]] || { cat "$output" && exit 1; }
  local said size
  for size in 64 1400 60000; do
    said=$("$load" --connect="$address" --connections=8 --size="$size" --duration=100ms --warmup=0ms)
    echo "$* $size: $said"
    [[ $said == *'"errors": 0,'* && $said != *'"requests_per_second": 0.0,'* ]] || exit 1
  done
  kill "$server"
  wait "$server" || [[ $? == 143 ]]
  server=
}

echo_by "$ringway"
echo_by "$ringway" --workers=2 --backend=epoll
for server_by_hand in "${by_hand[@]}"; do echo_by "$server_by_hand"; done
echo PASS
