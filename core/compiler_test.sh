#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A file compiled without the required options fails with one clear line, with
# both compilers.
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

# compile COMPILER OPTIONS...
compile() {
  "$@" -I "$folder" -fsyntax-only -x c++ - <<<'#include "ringway/core/check.h"' 2>&1
}

expect_refusal() {
  local said line=$1
  shift
  said=$(compile "$@") && fail "$* compiles"
  [[ $said == *"$line"* ]] || fail "$* said: $said"
  (($(grep -c 'error:' <<<"$said") == 1)) || fail "more than one error: $said"
}

for compiler in g++ "$clang"; do
  compile "$compiler" -std=c++20 || fail "$compiler does not compile at all"
  compile "$compiler" -std=c++20 -fno-rtti || fail "$compiler needs RTTI"
  expect_refusal 'Ringway needs exceptions: compile this file without -fno-exceptions' \
    "$compiler" -std=c++20 -fno-exceptions
  expect_refusal 'Ringway needs C++20: compile this file with -std=c++20' \
    "$compiler" -std=c++17
done
echo PASS
