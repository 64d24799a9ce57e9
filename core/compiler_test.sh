#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A file compiled without the required options fails with one clear line, with
# both compilers.
set -euo pipefail

fail() {
  echo "$1" >&2
  exit 1
}

# compile COMPILER OPTIONS...: in the runfiles our folder is called `ringway`.
compile() {
  "$@" -I .. -fsyntax-only -x c++ - <<<'#include "ringway/core/check.h"' 2>&1
}

expect_refusal() {
  local said line=$1
  shift
  said=$(compile "$@") && fail "$* compiles"
  [[ $said == *"$line"* ]] || fail "$* said: $said"
  (($(grep -c 'error:' <<<"$said") == 1)) || fail "more than one error: $said"
}

for compiler in g++ clang++-19; do
  compile "$compiler" -std=c++20 || fail "$compiler does not compile at all"
  compile "$compiler" -std=c++20 -fno-rtti || fail "$compiler needs RTTI"
  expect_refusal 'Ringway needs exceptions: compile this file without -fno-exceptions' \
    "$compiler" -std=c++20 -fno-exceptions
  expect_refusal 'Ringway needs C++20: compile this file with -std=c++20' \
    "$compiler" -std=c++17
done
echo PASS
