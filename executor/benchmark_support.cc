// SPDX-License-Identifier: Apache-2.0

#include "executor/benchmark_support.h"

#include <cstdlib>
#include <new>

namespace {
thread_local uint64_t heap_allocations = 0;
}  // namespace

void* operator new(size_t n_bytes) {
  ++heap_allocations;
  void* p = malloc(n_bytes > 0 ? n_bytes : 1);
  if (p == nullptr) abort();
  return p;
}
void operator delete(void* p) noexcept { free(p); }
void operator delete(void* p, size_t) noexcept { free(p); }

namespace ringway::benchmarks {

uint64_t HeapAllocations() { return heap_allocations; }

void ItemReport::Finish() {
  const int64_t items = state_.iterations() * items_per_iteration_;
  state_.SetItemsProcessed(items);
  state_.counters["allocs"] =
      static_cast<double>(HeapAllocations() - allocations_before_) /
      static_cast<double>(items);
  state_.counters["per_item"] = benchmark::Counter(
      static_cast<double>(items),
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

}  // namespace ringway::benchmarks
