#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A program with objects of both g++ and clang would hang silently: the compilers
# transfer control between coroutines differently (control_transfer.h), and the
# linker keeps one of two template instances of the same name. Linking it must
# fail with a symbol that explains the reason, also if unused sections are
# dropped, in shared objects and with every installed linker.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The name of the folder that this runs in depends on how Bazel is used.
ln -s "$PWD" "$folder/ringway"

clang=clang++-19
[[ -n $(type -P "$clang") ]] || clang=clang++

fail() {
  echo "$1" >&2
  exit 1
}

# compile COMPILER OPTIONS...
compile() {
  "$@" -std=c++20 -fPIC -ffunction-sections -fdata-sections -I "$folder" -c
}

for compiler in g++ "$clang"; do
  compile "$compiler" -O2 executor/task/control_transfer.cc -o "$folder/ringway.o"
  ar rcs "$folder/ringway-$compiler.a" "$folder/ringway.o"
  for level in O0 O2; do
    compile "$compiler" "-$level" -x c++ - -o "$folder/user-$compiler-$level.o" <<'END'
#include "ringway/executor/task/control_transfer.h"
int main() { return 0; }
END
  done
done

linkers=(bfd)
for linker in gold lld; do
  [[ -z $(type -p "ld.$linker") ]] || linkers+=("$linker")
done

# expect_link USER RINGWAY LEVEL OPTIONS...
expect_link() {
  local said missing=Gcc program=("$folder/user-$1-$3.o" "$folder/ringway-$2.a")
  [[ $1 == g++ ]] || missing=Clang
  # The linker of the compiler that made the user's objects.
  said=$("$1" "${@:4}" "${program[@]}" -o "$folder/program" 2>&1) && {
    [[ $1 == "$2" ]] || fail "$1 links against Ringway by $2 (${*:3})"
    return
  }
  [[ $1 != "$2" ]] || fail "$1 does not link (${*:3}): $said"
  grep -q "undefined.*ringway::internal::kRingwayCompiledBy$missing" <<<"$said" ||
    fail "$1 against $2 (${*:3}) said: $said"
}

for user in g++ "$clang"; do
  for ringway in g++ "$clang"; do
    for level in O0 O2; do
      for linker in "${linkers[@]}"; do
        expect_link "$user" "$ringway" "$level" -fuse-ld="$linker"
        expect_link "$user" "$ringway" "$level" -fuse-ld="$linker" -Wl,--gc-sections
        expect_link "$user" "$ringway" "$level" -fuse-ld="$linker" -shared -Wl,-z,defs
      done
    done
  done
done
echo PASS
