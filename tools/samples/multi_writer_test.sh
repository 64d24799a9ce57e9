#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Both files have the whole text; a file that cannot be had is an error.
set -euo pipefail

multi_writer=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
text=$(printf 'line %d\n' {1..10000})

fail() {
  echo "$1" >&2
  exit 1
}

"$multi_writer" "$text" "$folder/one" "$folder/two"
for file in one two; do
  cmp "$folder/$file" <(printf '%s' "$text") || fail "$file is not the text"
done

said=$("$multi_writer" "$text" "$folder/no/where" "$folder/three" 2>&1) &&
  fail "no error for a file that cannot be made"
[[ $said == *'write: Bad file descriptor'* ]] || fail "said: $said"
cmp "$folder/three" <(printf '%s' "$text") || fail "the other is not the text"
echo PASS
