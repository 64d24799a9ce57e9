#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Only programs that depend on //net/tls need OpenSSL's libraries.
#
# Usage: needed_libraries_test.sh WITH WITHOUT...

set -euo pipefail

# Not by `ldd | grep -q`, which ends while ldd writes: that is a failure, too.
needs_openssl() {
  local libraries
  libraries=$(ldd "$1")
  [[ $libraries =~ lib(ssl|crypto)\. ]]
}

# Otherwise the others prove nothing.
needs_openssl "$1" || { echo "$1 needs no OpenSSL" && exit 1; }
shift
for program; do
  ! needs_openssl "$program" || { echo "$program needs OpenSSL" && exit 1; }
done
