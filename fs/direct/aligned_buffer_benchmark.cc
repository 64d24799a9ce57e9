// SPDX-License-Identifier: Apache-2.0
//
// What buffers cost: new ones, those of a pool, views of them, and what huge
// pages save who walks through them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "benchmark/benchmark.h"
#include "ringway/fs/direct/aligned_buffer.h"
#include "ringway/fs/direct/aligned_buffer_pool.h"

namespace ringway::fs {
namespace {

// A buffer comes, its first byte is written, and it goes.
void BM_Create(benchmark::State& state) {
  const auto n_bytes = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    auto buffer = AlignedBuffer::Create(n_bytes, 4096);
    buffer->data()[0] = std::byte{1};
    benchmark::DoNotOptimize(buffer->data());
  }
}
BENCHMARK(BM_Create)->Arg(4096)->Arg(1 << 20);

void BM_TakeFromPool(benchmark::State& state) {
  AlignedBufferPoolOptions options;
  options.buffer_bytes = static_cast<size_t>(state.range(0));
  auto pool = AlignedBufferPool::Create(options);
  if (!pool.ok()) return state.SkipWithError("no pool");
  for (auto _ : state) {
    std::optional<AlignedBuffer> buffer = (*pool)->TryAcquire();
    buffer->data()[0] = std::byte{1};
    benchmark::DoNotOptimize(buffer->data());
  }
}
BENCHMARK(BM_TakeFromPool)->Arg(4096)->Arg(1 << 20);

void BM_View(benchmark::State& state) {
  auto buffer = AlignedBuffer::Create(1 << 16, 4096);
  if (!buffer.ok()) return state.SkipWithError("no buffer");
  size_t at = 0;
  for (auto _ : state) {
    at = (at + 512) % (1 << 15);
    benchmark::DoNotOptimize(at);
    const AlignedView view = buffer->view().Sub(at, 1 << 15);
    benchmark::DoNotOptimize(view.alignment());
  }
}
BENCHMARK(BM_View);

// A byte of each of 64 Ki pages, in an order that no prefetcher follows.
// `pages` in the output: 0 ordinary, 1 transparent, 2 reserved.
void BM_TouchPages(benchmark::State& state) {
  constexpr size_t kPages = 64 * 1024;
  AlignedBufferPoolOptions options;
  options.buffer_bytes = kPages * 4096;
  options.count = 1;
  options.huge_pages = state.range(0) != 0;
  auto pool = AlignedBufferPool::Create(options);
  if (!pool.ok()) return state.SkipWithError("no pool");
  std::optional<AlignedBuffer> buffer = (*pool)->TryAcquire();
  for (size_t i = 0; i < kPages; ++i) buffer->data()[i * 4096] = std::byte{1};
  uint64_t page = 1;
  for (auto _ : state) {
    page = page * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
    benchmark::DoNotOptimize(buffer->data()[(page >> 48) % kPages * 4096]);
  }
  state.counters["pages"] = static_cast<double>((*pool)->stats().pages);
}
BENCHMARK(BM_TouchPages)->ArgName("huge")->Arg(0)->Arg(1);

}  // namespace
}  // namespace ringway::fs
