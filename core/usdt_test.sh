#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A probe costs one nop, and leaves a note that says where its arguments are,
# with both compilers and every linker.
set -euo pipefail

# The name of the folder that this runs in depends on how Bazel is used.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ln -s "$PWD" "$folder/ringway"

clang=clang++-19
[[ -n $(type -P "$clang") ]] || clang=clang++

fail() {
  echo "$1" >&2
  exit 1
}

cat >"$folder/code.cc" <<'END'
// Nothing calls them: a linker may drop them.
#include "ringway/core/usdt.h"
#ifndef WITH_PROBES
#undef RINGWAY_PROBE
#undef RINGWAY_PROBE1
#undef RINGWAY_PROBE2
#define RINGWAY_PROBE(name) static_cast<void>(0)
#define RINGWAY_PROBE1(name, a) static_cast<void>(0)
#define RINGWAY_PROBE2(name, a, b) static_cast<void>(0)
#endif
void Work(void* p, unsigned long n);
void Both(void* p, unsigned long n) {
  RINGWAY_PROBE2(two__arguments, p, n);
  Work(p, n);
}
void Loop(void* p, unsigned long n) {
  for (unsigned long i = 0; i < n; ++i) {
    RINGWAY_PROBE1(one__argument, i);
    Work(p, i);
  }
  RINGWAY_PROBE(without__arguments);
  Work(p, 0);
}
inline void Inlined(void* p) {
  RINGWAY_PROBE1(constant, 7UL);
  Work(p, 1);
}
void Twice(void* p) {
  Inlined(p);
  Inlined(p);
}
END

# compile COMPILER OUTPUT OPTIONS...
compile() {
  local compiler=$1 output=$2
  shift 2
  "$compiler" -std=c++20 -Wall -Wextra -Wpedantic -Werror -I "$folder" \
    -c "$folder/code.cc" -o "$folder/$output" "$@"
}

# The instructions in any order, without addresses, nops and padding.
instructions() {
  objdump -d --no-addresses --no-show-raw-insn "$folder/$1" |
    awk '$1 != "nop" && $1 !~ /^(nopw|nopl|cs|data16|xchg|file|.*:)$/ { print $1 }' | sort
}

# arguments OBJECT NAME: of each probe of that name.
arguments() {
  readelf --notes "$folder/$1" | grep -A 2 "Name: $2\$" | sed -n 's/.*Arguments: //p'
}

expect_probes() {
  local n
  n=$(readelf --notes "$folder/$1" | grep -c 'Provider: ringway')
  ((n == $2)) || fail "$1 has $n probes"
}

# expect_arguments OBJECT NAME PATTERN, in which each probe ends with ";"
expect_arguments() {
  [[ $(arguments "$1" "$2" | tr '\n' ';') =~ ^$3$ ]] ||
    fail "$1: the arguments of $2 are: $(arguments "$1" "$2")"
}

for compiler in g++ "$clang"; do
  compile "$compiler" plain.o -O2
  compile "$compiler" probed.o -O2 -DWITH_PROBES
  compile "$compiler" unoptimised.o -O0 -DWITH_PROBES
  compile "$compiler" sections.o -O2 -ffunction-sections -DWITH_PROBES
  expect_probes probed.o 5
  expect_probes unoptimised.o 4 # inlines nothing
  expect_probes sections.o 5
  case $(uname -m) in
    x86_64)
      register='8@%r[a-z0-9]+'
      constant='8@[$]7'
      ;;
    *)
      register='8@x[0-9]+'
      constant='8@7'
      ;;
  esac
  expect_arguments probed.o two__arguments "$register $register;"
  expect_arguments probed.o one__argument "$register;"
  expect_arguments probed.o without__arguments ';'
  expect_arguments probed.o constant "$constant;$constant;"

  diff <(instructions plain.o) <(instructions probed.o) ||
    fail "$compiler: the code with probes differs by more than nops"
  probes=$(objdump -d "$folder/probed.o" | awk '$NF == "nop"' | wc -l)
  plain=$(objdump -d "$folder/plain.o" | awk '$NF == "nop"' | wc -l)
  ((probes - plain == 5)) || fail "$compiler: $((probes - plain)) nops for 5 probes"
done

cat >"$folder/main.cc" <<'END'
void Work(void*, unsigned long) {}
int main() {}
END

# expect_places LINKER: the notes of a program refer to as many places in it.
expect_places() {
  local places code
  code=$(objdump -d "$folder/program")
  places=$(readelf --notes "$folder/program" |
    sed -n 's/.*Location: 0x0*\([0-9a-f]*\),.*/\1/p' | sort -u)
  (($(wc -l <<<"$places") == 5)) || fail "$1: the places of 5 probes: $places"
  local place
  for place in $places; do
    grep -q "^ *$place:.*nop" <<<"$code" ||
      fail "$1: there is no nop at $place"
  done
}

for linker in gold bfd lld; do
  [[ -n $(type -P "ld.$linker") ]] || continue
  for compiler in g++ "$clang"; do
    compile "$compiler" sections.o -O2 -ffunction-sections -DWITH_PROBES
    "$compiler" "$folder/sections.o" "$folder/main.cc" -o "$folder/program" \
      "-fuse-ld=$linker" -Wl,--gc-sections || fail "$compiler and $linker"
    expect_places "$compiler and $linker"
  done
done
echo PASS
