# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# `tools/dev modern`, which sources this file: the tests by MODULE.bazel, with the
# Bazel, the compilers and the dependencies of a later Debian. That system is a
# folder of the cache. What runs in it has namespaces of its own: no network but
# `lo`, this checkout read-only, and mounts and processes that end with it.

modern_cache=$cache/modern
modern_root=$modern_cache/root
modern_release=forky
modern_packages=(bazel-bootstrap bazel-rules-shell clang iproute2 mount)

# Module and source package: the releases' own files, MODULE.bazel and BUILD files
# included.
modern_sources=(abseil-cpp=abseil googletest=googletest google_benchmark=benchmark)

# The rules are the distribution's packages. Abseil asks for newer C++ rules, but
# only for the name of one more compiler.
modern_rules=(rules_cc=cc rules_shell=shell)
modern_more_compilers=(emscripten)

# Modules that something names and nothing here uses: empty stand-ins.
modern_stand_ins=(apple_support buildozer libpfm protobuf re2 rules_foreign_cc zlib)

# What --quick tests: something of each layer; the consumer is of the highest.
modern_quick=(//core/... //backends/uring/... //executor/loop/... //runtime/... //third_party/...)

# Those of them that a user of Ringway has not: Bazel refuses to override these.
modern_own=(google_benchmark libpfm rules_foreign_cc)

# modern_alone OPTIONS... COMMAND...: by unshare(1). What the command mounts and
# starts ends with it, and it ends with tools/dev, however that ends. For the
# background, so that tools/dev handles a signal at once, but with the signal
# dispositions of the foreground, which tests inherit.
modern_alone() {
  exec env --default-signal setpriv --pdeathsig KILL \
    unshare --mount --pid --fork --kill-child "$@" {modern_lock}>&-
}

# ---- the system --------------------------------------------------------------

# Where this machine's own packages come from, and whether it takes lists whose
# date has passed (frozen mirrors need that): the new system has the same.
modern_mirror() {
  apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' 'Label: Debian' 'Component: main' | head -n 1
}

modern_apt_settings() {
  apt-config dump Acquire::Check-Valid-Until
  apt-config dump Acquire::http::Proxy
  echo 'APT::Install-Recommends "false";'
}

# Prints the script that fills /modules in the new system: a folder for each
# module, under its name.
modern_write_modules() {
  local entry
  cat <<END
# ${modern_packages[*]}
set -eu
mkdir /modules /registry /ringway /sources /events
cd /modules
END
  for entry in "${modern_sources[@]}"; do
    cat <<END
apt-get -q -o APT::Sandbox::User= source --download-only ${entry#*=}
mkdir ${entry%%=*}
tar --extract --file ${entry#*=}_*.orig.tar.?z* --directory ${entry%%=*} --strip-components=1
rm ${entry#*=}_*
END
  done
  for entry in "${modern_rules[@]}"; do
    echo "cp -R /usr/share/bazel/rules/${entry#*=} ${entry%%=*}"
  done
  for entry in "${modern_more_compilers[@]}"; do
    cat <<END
cat >>rules_cc/cc/compiler/BUILD <<'BUILD'
config_setting(
    name = "$entry",
    flag_values = {"//cc/private/toolchain:compiler": "$entry"},
)
BUILD
END
  done
  for entry in "${modern_stand_ins[@]}"; do
    cat <<END
mkdir $entry
echo 'module(name = "$entry")' >$entry/MODULE.bazel
touch $entry/BUILD.bazel
END
  done
}

modern_setup() {
  ((EUID == 0)) ||
    die "modern makes a system of its own and mounts its /proc and /dev: please run it as root"
  command -v apt-get >/dev/null ||
    die "modern takes Bazel 7 from Debian $modern_release by mmdebstrap, which needs apt: this is no Debian"
  local tool
  for tool in flock pivot_root setpriv unshare; do
    command -v "$tool" >/dev/null || die "modern needs $tool, from the package util-linux"
  done
  if ! command -v mmdebstrap >/dev/null; then
    phase "modern: installing mmdebstrap"
    quietly apt-get -q update
    quietly env DEBIAN_FRONTEND=noninteractive \
      apt-get -q install --yes --no-install-recommends mmdebstrap
    phase_done
  fi

  # Another checkout's run would share the system and its build outputs.
  mkdir -p "$modern_cache"
  exec {modern_lock}>"$modern_cache/lock"
  if ! flock --nonblock "$modern_lock"; then
    echo "modern: waiting for another run to end"
    flock "$modern_lock"
  fi

  local recipe
  recipe=$(modern_write_modules)
  [[ $recipe == "$(cat "$modern_cache/recipe" 2>/dev/null)" ]] && return
  modern_make "$recipe"
}

modern_make() {
  local recipe=$1 mirror settings=() line
  mirror=$(modern_mirror)
  [[ -n $mirror ]] || die "apt names no Debian mirror: is apt-get update missing?"
  rm -rf --one-file-system "$modern_root" "$modern_cache/recipe"
  local free
  free=$(df --output=avail --block-size=1M "$modern_cache" | tail -n 1)
  ((free > 4000)) || die "modern needs 4 GB in $modern_cache, and there are ${free// /} MB"
  phase "modern: making a system with Bazel 7 (some minutes and 1.6 GB, once; log: $modern_cache/log)"
  while read -r line; do settings+=(--aptopt="$line"); done < <(modern_apt_settings)
  printf '%s\n' "deb $mirror $modern_release main" "deb-src $mirror $modern_release main" \
    >"$scratch/apt.list"
  echo "$recipe" >"$scratch/write_modules"
  modern_alone --mount-proc mmdebstrap --mode=root --variant=apt \
    --include="$(IFS=, && echo "${modern_packages[*]}")" \
    "${settings[@]}" --customize-hook="chroot \"\$1\" sh <'$scratch/write_modules'" \
    "$modern_release" "$modern_root" "$scratch/apt.list" >"$modern_cache/log" 2>&1 &
  while sleep 20 && kill -0 $! 2>/dev/null; do
    echo "modern: after $((SECONDS - phase_start)) s: $(tail -n 1 "$modern_cache/log" | cut -c 1-60)"
  done
  wait $! || {
    tail -n 20 "$modern_cache/log" >&2
    die "mmdebstrap failed (its log: $modern_cache/log)"
  }
  echo "$recipe" >"$modern_cache/recipe"
  phase_done
}

# ---- what runs in it ---------------------------------------------------------

# Runs a command in the system, and waits for it. Its root is a root of its own:
# chroot(2) would forbid tests their namespaces.
modern_inside() {
  local enter='
    set -eu
    mount --bind "$root" "$root"
    mount --types proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --options bind,ro "$checkout" "$root/ringway"
    mount --options bind,ro "$sources" "$root/sources"
    mount --bind "$events" "$root/events"
    cd "$root"
    pivot_root . mnt
    umount --lazy /mnt
    ip link set lo up
    cd /ringway
    exec "$@"'
  modern_alone --net env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root USER=root LANG=C.UTF-8 TERM="${TERM:-dumb}" RINGWAY_SOURCES=/sources \
    root="$modern_root" checkout="$PWD" sources="$RINGWAY_SOURCES" events="$events" \
    bash -c "$enter" enter "$@" &
  wait $!
}

# What is proven, with what: one line for each version.
modern_versions() {
  modern_inside bash -c 'bazel --version; clang --version; g++ --version' | grep -E '^bazel|version|^g\+\+'
  local entry module asked packaged
  for entry in "${modern_sources[@]}"; do
    module=${entry%%=*}
    asked=$(sed -n "s/^bazel_dep(name = \"$module\", version = \"\([^\"]*\)\".*/\1/p" MODULE.bazel)
    packaged=$(sed -n 's/^ *version = "\([^"]*\)".*/\1/p' "$modern_root/modules/$module/MODULE.bazel" | head -n 1)
    if [[ $packaged == "$asked" ]]; then
      echo "$module $packaged"
    else
      echo "$module $packaged, where MODULE.bazel names $asked"
    fi
  done
}

# Abseil asks for each of its headers to be compiled alone, some hundred actions.
modern_bazel_flags=(
  --features=-parse_headers
  --registry=file:///registry --lockfile_mode=off --noenable_workspace
  --symlink_prefix=/ --disk_cache= --nosandbox_debug --noshow_loading_progress
  --build_tests_only --keep_going --test_summary=terse
)
modern_runs=()

# modern_run NAME FOLDER OPTIONS...: `bazel test` in that folder of the checkout.
modern_run() {
  local name=$1 folder=$2 status=0 module flags=("${modern_bazel_flags[@]}")
  shift 2
  for module in "${modern_sources[@]%%=*}" "${modern_rules[@]%%=*}" "${modern_stand_ins[@]}"; do
    [[ $name == consumer && " ${modern_own[*]} " == *" $module "* ]] ||
      flags+=(--override_module="$module=/modules/$module")
  done
  # README's blocks say where Ringway comes from.
  [[ $name != consumer ]] || flags+=(--override_module=ringway=/ringway)
  [[ -t 2 ]] || flags+=(--curses=no --color=no --show_progress_rate_limit=20)
  phase "modern: $name"
  modern_inside bash -c 'cd "$1" && shift && status=0
    bazel test "$@" || status=$?
    bazel shutdown
    exit $status' bazel "$folder" "${flags[@]}" \
    --build_event_json_file="/events/$name.json" "$@" || status=$?
  modern_runs+=("/events/$name.json" "$status")
  phase_done "$(modern_inside python3 tools/count_tests.py "/events/$name.json" "$status" | tail -n 1)"
}

command_modern() {
  trap 'exit 130' INT
  trap 'exit 143' TERM
  local targets=("${operands[@]}")
  if ((${#targets[@]} == 0)); then
    if [[ $quick == yes ]]; then targets=("${modern_quick[@]}"); else targets=(//...); fi
  fi
  modern_setup
  modern_versions
  modern_inside python3 -B tools/consumer_workspace.py /events/consumer-workspace
  modern_run consumer /events/consumer-workspace --repo_env=CC=clang -- //...
  modern_run clang . --repo_env=CC=clang -- "${targets[@]}"
  [[ $quick == yes ]] || modern_run gcc . --config=gcc -- "${targets[@]}"
  modern_inside python3 tools/count_tests.py "${modern_runs[@]}"
}
