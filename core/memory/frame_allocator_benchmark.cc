// SPDX-License-Identifier: Apache-2.0
//
// FrameAllocator compared with malloc, freeing in the order of ending frames.

#include <cstdlib>
#include <thread>
#include <vector>

#include "benchmark/benchmark.h"
#include "ringway/core/memory/frame_allocator.h"

namespace ringway {
namespace {

struct Malloc {
  static void* Allocate(size_t n_bytes) { return malloc(n_bytes); }
  static void Free(void* p) { free(p); }
};

// One block comes and goes.
template <typename Allocator>
void BM_AllocateFree(benchmark::State& state) {
  FrameAllocator frames;
  FrameAllocator::Scope scope(frames);
  size_t n_bytes = state.range(0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(n_bytes);
    void* block = Allocator::Allocate(n_bytes);
    benchmark::DoNotOptimize(block);
    Allocator::Free(block);
  }
}
BENCHMARK_TEMPLATE(BM_AllocateFree, FrameAllocator)->Arg(200)->Arg(2000);
BENCHMARK_TEMPLATE(BM_AllocateFree, Malloc)->Arg(200)->Arg(2000);

// 1,000 blocks of mixed sizes are allocated, then freed first to last.
template <typename Allocator>
void BM_AllocateFreeMany(benchmark::State& state) {
  FrameAllocator frames;
  FrameAllocator::Scope scope(frames);
  std::vector<void*> blocks(1000);
  for (auto _ : state) {
    size_t n_bytes = 64;
    for (void*& block : blocks) {
      block = Allocator::Allocate(n_bytes);
      n_bytes = n_bytes * 5 % 1021;
    }
    for (void* block : blocks) Allocator::Free(block);
  }
  state.SetItemsProcessed(state.iterations() * blocks.size());
}
BENCHMARK_TEMPLATE(BM_AllocateFreeMany, FrameAllocator);
BENCHMARK_TEMPLATE(BM_AllocateFreeMany, Malloc);

// 1,000 blocks are allocated here and freed on another thread.
template <typename Allocator>
void BM_FreeOnAnotherThread(benchmark::State& state) {
  FrameAllocator frames;
  FrameAllocator::Scope scope(frames);
  std::vector<void*> blocks(1000);
  for (auto _ : state) {
    for (void*& block : blocks) block = Allocator::Allocate(200);
    std::jthread([&] {
      for (void* block : blocks) Allocator::Free(block);
    }).join();
  }
  state.SetItemsProcessed(state.iterations() * blocks.size());
}
BENCHMARK_TEMPLATE(BM_FreeOnAnotherThread, FrameAllocator)->UseRealTime();
BENCHMARK_TEMPLATE(BM_FreeOnAnotherThread, Malloc)->UseRealTime();

}  // namespace
}  // namespace ringway
