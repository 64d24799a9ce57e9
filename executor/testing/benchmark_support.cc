// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/testing/benchmark_support.h"

namespace ringway::benchmarks {

void ItemReport::Finish() {
  const int64_t items = state_.iterations() * items_per_iteration_;
  state_.SetItemsProcessed(items);
  state_.counters["allocs"] =
      static_cast<double>(testing::CountAllocations() - allocations_before_) /
      static_cast<double>(items);
  state_.counters["per_item"] = benchmark::Counter(
      static_cast<double>(items),
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

}  // namespace ringway::benchmarks
