#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Where tools/dev cannot work it ends with one line that says what to run.
set -euo pipefail

folder=$(mktemp -d -p /tmp)  # not below a home that others cannot enter
trap 'rm -rf "$folder"' EXIT
# A copy that other users can read.
mkdir "$folder/tools" "$folder/bin"
cp tools/dev tools/consumer.sh "$folder/tools"
chmod -R a+rX "$folder"
dev=$folder/tools/dev

fail() {
  echo "$1" >&2
  exit 1
}

# expect_line TEXT COMMAND...
expect_line() {
  local said text=$1
  shift
  said=$("$@" 2>&1) && fail "$* does not fail"
  [[ $said == *"$text"* ]] || fail "$* said: $said"
  (($(wc -l <<<"$said") == 1)) || fail "more than one line: $said"
}

# A PATH of these tools alone.
offer() {
  local tool
  for tool in "$@"; do
    ln -sf "$(type -P "$tool")" "$folder/bin/$tool"
  done
}

expect_line 'HOME is not set: run HOME=/a/folder/of/yours tools/dev test' \
  env -u HOME "$dev" test
expect_line 'HOME (/proc) cannot be written to: run HOME=/a/folder/of/yours tools/dev lint' \
  env HOME=/proc "$dev" lint
expect_line 'RINGWAY_CACHE (/proc/cache) cannot be written to: run RINGWAY_CACHE=' \
  env HOME="$folder" RINGWAY_CACHE=/proc/cache "$dev" setup
[[ $(env -u HOME "$dev" --help) == 'usage: tools/dev'* ]] || fail "--help needs a home"

offer env bash
expect_line "there is no 'awk' in PATH" env HOME="$folder" PATH="$folder/bin" "$dev" test

if [[ ! -r /etc/os-release ]] || ! grep -q '^VERSION_ID="12"' /etc/os-release; then
  echo "PASS, but for the packages of Debian 12"
  exit
fi
offer awk chmod comm cp find grep mkdir mktemp rm sed sha256sum sort tail xargs
# No package is installed.
printf '#!/bin/sh\n' >"$folder/bin/dpkg-query"
chmod a+x "$folder/bin/dpkg-query"
mkdir "$folder/home"
unprivileged=()
if ((EUID == 0)); then
  chown 65534 "$folder/home"
  unprivileged=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
said=$("${unprivileged[@]}" env HOME="$folder/home" TMPDIR="$folder/home" PATH="$folder/bin" \
  "$dev" test 2>&1) && fail "goes on without packages"
[[ $said == *'there is no sudo: run as root: apt-get install --yes bazel-bootstrap '* ]] ||
  fail "without packages it said: $said"

# All packages are installed, and PATH does not lead to them.
cat >"$folder/bin/dpkg-query" <<'END'
#!/bin/bash
for package in "${@:3}"; do echo "installed $package"; done
END
mkdir "$folder/home/sources"
printf '#!/bin/sh\n' >"$folder/bin/sha256sum.new"
chmod a+x "$folder/bin/sha256sum.new"
mv -f "$folder/bin/sha256sum.new" "$folder/bin/sha256sum"
expect_line "'bazel' is not in PATH" \
  env HOME="$folder/home" RINGWAY_SOURCES="$folder/home/sources" PATH="$folder/bin" "$dev" test

# Of three objects of half a GiB each the first made goes. (They are sparse.)
bound() {
  env HOME="$folder/home" RINGWAY_SOURCES="$folder/home/sources" PATH="$folder/bin" \
    RINGWAY_CACHE_GIB="$1" "$dev" gcc
}
objects=$folder/home/.cache/ringway/disk
mkdir -p "$objects"
for age in 1 2 3; do
  truncate -s 512M "$objects/$age"
  touch -d "-$age hours" "$objects/$age"
done
offer python3
for tool in bazel clang-19 g++; do
  printf '#!/bin/sh\nexit 2\n' >"$folder/bin/$tool"
  chmod a+x "$folder/bin/$tool"
done
expect_line 'RINGWAY_CACHE_GIB (none) is no number of GiB' bound none
bound 1 >"$folder/log" 2>&1 && fail "goes on without Bazel"
[[ $(ls "$objects") == $'1\n2' ]] || fail "of the objects these are left: $(ls "$objects")"

# A Bazel that fails without a word, where only its output is of interest.
said=$(env HOME="$folder/home" RINGWAY_SOURCES="$folder/home/sources" RINGWAY_CONFIG=ci \
  PATH="$folder/bin" "$dev" bench 2>&1) && fail "goes on without an answer from Bazel"
[[ $said == *'failed with exit code 2: bazel query'* ]] || fail "when Bazel fails it said: $said"
[[ $said != *'bazel query'*--config* ]] || fail "a query knows no --config: $said"
echo PASS
