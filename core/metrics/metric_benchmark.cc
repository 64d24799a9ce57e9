// SPDX-License-Identifier: Apache-2.0

#include "benchmark/benchmark.h"
#include "ringway/core/metrics/metric_registry.h"

namespace ringway {
namespace {

void BM_Increment(benchmark::State& state) {
  static MetricRegistry registry;
  static Counter counter = *registry.AddCounter("a_total", "A.");
  for (auto _ : state) counter.Increment();
}
BENCHMARK(BM_Increment)->Threads(1)->Threads(2);

void BM_GaugeAdd(benchmark::State& state) {
  static MetricRegistry registry;
  static Gauge gauge = *registry.AddGauge("g", "G.");
  for (auto _ : state) gauge.Add();
}
BENCHMARK(BM_GaugeAdd)->Threads(1)->Threads(2);

void BM_Record(benchmark::State& state) {
  static MetricRegistry registry;
  static Distribution waits = *registry.AddDistribution("w_seconds", "Waits.");
  double value = 1e-7;
  for (auto _ : state) {
    waits.Record(value);
    value = value > 20 ? 1e-7 : value * 1.7;
  }
}
BENCHMARK(BM_Record)->Threads(1)->Threads(2);

void BM_WritePage(benchmark::State& state) {
  MetricRegistry registry;
  Distribution waits = *registry.AddDistribution("w_seconds", "Waits.");
  waits.Record(1.0);
  for (auto _ : state) {
    MetricsText page;
    registry.WriteTo(page);
    benchmark::DoNotOptimize(page);
  }
}
BENCHMARK(BM_WritePage);

}  // namespace
}  // namespace ringway
