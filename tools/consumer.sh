# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The consumer test, for tools/dev: a user's workspace elsewhere on disk, which
# knows Ringway by its public targets, built with none of our options.

# What users compile their own code with, on Ringway as it is. Cheap: Ringway is
# built once for each compiler.
user_variants=(no-rtti c++23 fortify lto static)
# What changes all of the build.
whole_variants=(gcc-lto clang-thin-lto clang-libc++ gcc-opt)

# Bitcode is for lld, of clang's own version; gold and GNU ld want a plugin.
clang_linker=lld
[[ -z $(type -P ld.lld-19) ]] || clang_linker=lld-19

# What clang and g++ compile most differently. Here the library is built by g++
# anyway.
coroutines_by_gcc=(
  @ringway//executor/task:compiler_conformance_test{,_o0,_o2}
  @ringway//executor/task:task_test{,_o2}
)

consumer=$scratch/consumer
# What is left to chance, by clang: without a sanitizer it meets other schedules,
# and more of them.
tests_of_chance() {
  find_targets \
    'attr("deps", "//backends/testing:(test_scale|cancel_race)\b", kind("cc_test rule", //...))' |
    sed 's/^/@ringway/'
}

# Without the examples of docs/targets.md, which only compile.
consumer_programs='//:all //server:all'
consumer_table=()
consumer_overrides=()

# README's blocks say where Ringway comes from, and the distribution's Bazel
# needs the stand-ins there too: both come from the command line, so that the
# files are what a user writes. So do warnings for README's server.
prepare_consumer() {
  python3 tools/consumer_workspace.py "$consumer"
  consumer_overrides=(
    --override_repository=ringway="$PWD"
    --per_file_copt='^//server.*@-Wall,-Wextra,-Werror,-Wno-deprecated-builtins'
    # The dependencies' objects are then those which the tests have compiled.
    --incompatible_strict_action_env
    --test_env=RINGWAY_TEST_SCALE=0.25
  )
  if is_debian_12; then
    consumer_overrides+=(
      --override_repository=bazel_skylib=/usr/share/bazel/tools/skylib
      --override_repository=platforms=/usr/share/bazel/tools/platforms
      --override_repository=remote_coverage_tools="$PWD/third_party/bazel_compat/remote_coverage_tools"
      --override_repository=rules_cc="$PWD/third_party/bazel_compat/rules_cc"
      --override_repository=rules_java=/usr/share/bazel/rules/java
      --override_repository=rules_proto=/usr/share/bazel/rules/proto
    )
  fi
}

consumer_bazel() {
  (cd "$consumer" && bazel --output_base="$scratch/consumer-output" --max_idle_secs=60 "$@")
}

# test_consumer NAME TARGETS FLAGS...: TARGETS may be several words.
test_consumer() {
  local name=$1 targets status=0 result start=$SECONDS
  read -ra targets <<<"$2"
  shift 2
  phase "consumer: $name"
  consumer_bazel test --disk_cache="$cache/disk" "${consumer_overrides[@]}" "$@" --keep_going \
    --test_output=errors --test_summary=terse --noshow_loading_progress \
    --build_event_json_file="$events/consumer-$name.json" -- "${targets[@]}" || status=$?
  echo "$status" >"$events/consumer-$name.exit"
  # A failure is report_tests' to end with, after the other variants.
  result=$(python3 tools/count_tests.py "$events/consumer-$name.json" "$status" | tail -n 1) || true
  consumer_table+=("$(printf '%-16s %-36s %5d s' "$name" "$result" $((SECONDS - start)))")
  phase_done "$result"
}

# A user's own files are those of the main repository.
on_user_code() {
  echo "--per_file_copt=^//.*@$1"
}

# test_user_variant COMPILER VARIANT
test_user_variant() {
  local flags=()
  case $2 in
    no-rtti) flags=("$(on_user_code -fno-rtti)") ;;
    c++23) flags=("$(on_user_code -std=c++23)") ;;
    fortify) flags=("$(on_user_code -O2,-U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=3)") ;;
    lto)
      case $1 in
        clang*)
          flags=("$(on_user_code -O2,-flto=thin)" --linkopt=-flto=thin
            --linkopt=-fuse-ld="$clang_linker")
          ;;
        *) flags=("$(on_user_code -O2,-flto)" --linkopt=-flto) ;;
      esac
      ;;
    static)
      flags=(--dynamic_mode=off --linkopt=-static
        --build_tag_filters=-dynamic --test_tag_filters=-dynamic)
      ;;
  esac
  test_consumer "$1-$2" "$consumer_programs" --repo_env=CC="$1" "${flags[@]}"
}

test_whole_variant() {
  case $1 in
    gcc-lto)
      test_consumer "$1" "$consumer_programs" --repo_env=CC=gcc --dynamic_mode=off --copt=-O2 \
        --copt=-flto --linkopt=-flto
      ;;
    clang-thin-lto)
      test_consumer "$1" "$consumer_programs" --repo_env=CC=clang-19 --dynamic_mode=off --copt=-O2 \
        --copt=-flto=thin --linkopt=-flto=thin --linkopt=-fuse-ld="$clang_linker"
      ;;
    clang-libc++)
      if [[ $(clang-19 -print-file-name=libc++.a) != */* ]]; then
        consumer_table+=("$(printf '%-16s %s' "$1" "not run: needs libc++-19-dev, libc++abi-19-dev")")
        return
      fi
      test_consumer "$1" "$consumer_programs" --repo_env=CC=clang-19 --repo_env=BAZEL_LINKLIBS=-lc++:-lm \
        --cxxopt=-stdlib=libc++ --linkopt=-stdlib=libc++
      ;;
    gcc-opt) test_consumer "$1" "$consumer_programs" --repo_env=CC=gcc --compilation_mode=opt ;;
  esac
}

# run_consumer [--all]
run_consumer() {
  local compiler variant by_chance programs=$consumer_programs
  [[ ${1:-} != --all ]] || programs=//...
  prepare_consumer
  # The output folder is that of .bazelrc.
  test_consumer gcc "//... ${coroutines_by_gcc[*]}" --repo_env=CC=gcc --platform_suffix=gcc
  by_chance=$(tests_of_chance)
  [[ $by_chance == *:stream_model_test* ]] || die "bazel query finds no test of what is left to chance"
  test_consumer clang-19 "$programs ${by_chance//$'\n'/ }" --repo_env=CC=clang-19
  if [[ ${1:-} == --all ]]; then
    for compiler in gcc clang-19; do
      for variant in "${user_variants[@]}"; do
        test_user_variant "$compiler" "$variant"
      done
    done
    for variant in "${whole_variants[@]}"; do
      test_whole_variant "$variant"
    done
  fi
  consumer_bazel shutdown
  # Bazel's folders cannot be written to, and so not be removed.
  chmod -R u+w "$scratch/consumer-output"
  echo "consumer:"
  printf '  %s\n' "${consumer_table[@]}"
}
