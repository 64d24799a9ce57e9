// SPDX-License-Identifier: Apache-2.0

#include "benchmark/benchmark.h"
#include "ringway/core/histogram.h"

namespace ringway {
namespace {

void BM_Record(benchmark::State& state) {
  Histogram histogram;
  uint64_t value = 1;
  for (auto _ : state) {
    histogram.Record(value);
    value = value * 2862933555777941757 + 3037000493;
    value >>= 30;
  }
  benchmark::DoNotOptimize(histogram);
}
BENCHMARK(BM_Record);

void BM_ValueAtPercentile(benchmark::State& state) {
  Histogram histogram;
  for (uint64_t value = 1; value < 1'000'000'000; value *= 2) {
    histogram.Record(value);
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(histogram.ValueAtPercentile(99.9));
  }
}
BENCHMARK(BM_ValueAtPercentile);

}  // namespace
}  // namespace ringway
