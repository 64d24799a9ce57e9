// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <random>
#include <vector>

#include "benchmark/benchmark.h"
#include "ringway/core/containers/slab.h"

namespace ringway {
namespace {

struct Task {
  char state[192];
};

// One element comes and goes while `range` others live.
void BM_EmplaceErase(benchmark::State& state) {
  Slab<Task> slab(state.range(0) + 1);
  for (int64_t i = 0; i < state.range(0); ++i) slab.Emplace();
  for (auto _ : state) {
    Task* task = slab.Emplace();
    benchmark::DoNotOptimize(task);
    slab.Erase(slab.KeyOf(*task));
  }
}
BENCHMARK(BM_EmplaceErase)->Arg(100)->Arg(1'000'000);

// Look-ups by key, in random order.
void BM_Get(benchmark::State& state) {
  Slab<Task> slab(state.range(0));
  std::vector<SlabKey> keys;
  keys.reserve(state.range(0));
  for (int64_t i = 0; i < state.range(0); ++i) {
    keys.push_back(slab.KeyOf(*slab.Emplace()));
  }
  std::shuffle(keys.begin(), keys.end(), std::mt19937(1));
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(slab.Get(keys[i]));
    if (++i == keys.size()) i = 0;
  }
}
BENCHMARK(BM_Get)->Arg(100)->Arg(1'000'000);

}  // namespace
}  // namespace ringway
