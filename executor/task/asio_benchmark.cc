// SPDX-License-Identifier: Apache-2.0
//
// The same work as in executor_benchmark.cc with Asio, for comparison in the
// same binary and run.

#include <chrono>
#include <coroutine>  // asio 1.22 relies on others to include it
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

// Asio does not detect C++20 coroutines with clang.
#ifndef ASIO_HAS_CO_AWAIT
#define ASIO_HAS_CO_AWAIT 1
#endif
#ifndef ASIO_HAS_STD_COROUTINE
#define ASIO_HAS_STD_COROUTINE 1
#endif
#include "asio.hpp"
#include "benchmark/benchmark.h"
#include "ringway/executor/testing/benchmark_support.h"

namespace ringway {
namespace {

using benchmarks::ItemReport;

asio::awaitable<int> Give(int value) { co_return value; }

void BM_Asio_SpawnAndJoin(benchmark::State& state) {
  asio::io_context context(1);
  ItemReport report(state, state.range(0));
  for (auto _ : state) {
    int64_t sum = 0;
    for (int64_t i = 0; i < state.range(0); ++i) {
      asio::co_spawn(
          context, Give(1),
          [&sum](const std::exception_ptr&, int value) { sum += value; });
    }
    context.run();
    context.restart();
    benchmark::DoNotOptimize(sum);
  }
  report.Finish();
}
BENCHMARK(BM_Asio_SpawnAndJoin)->Arg(1024)->Arg(4096)->Arg(65536)->Arg(1 << 20);

// Runs `body(state)` as Asio's coroutine.
template <typename Body>
void RunOnAsio(benchmark::State& state, int64_t items_per_iteration,
               Body body) {
  asio::io_context context(1);
  ItemReport report(state, items_per_iteration);
  asio::co_spawn(context, body(state), asio::detached);
  context.run();
  report.Finish();
}

asio::awaitable<void> YieldOften(benchmark::State& state) {
  for (auto _ : state) {
    for (int i = 0; i < 1000; ++i) co_await asio::post(asio::use_awaitable);
  }
}
void BM_Asio_Yield(benchmark::State& state) {
  RunOnAsio(state, 1000, YieldOften);
}
BENCHMARK(BM_Asio_Yield);

asio::awaitable<void> CallChildren(benchmark::State& state) {
  for (auto _ : state) {
    for (int i = 0; i < 1000; ++i) {
      const int value = co_await Give(i);
      benchmark::DoNotOptimize(value);
    }
  }
}
void BM_Asio_CallChild(benchmark::State& state) {
  RunOnAsio(state, 1000, CallChildren);
}
BENCHMARK(BM_Asio_CallChild);

// Arms a timer, cancels it and takes its completion, with many others armed.
void BM_Asio_ArmAndCancelTimer(benchmark::State& state) {
  constexpr int kPerIteration = 100;
  asio::io_context context(1);
  std::vector<std::unique_ptr<asio::steady_timer>> armed;
  for (int64_t i = 0; i < state.range(0); ++i) {
    armed.push_back(std::make_unique<asio::steady_timer>(
        context, std::chrono::hours(1) + std::chrono::microseconds(i)));
    armed.back()->async_wait([](const asio::error_code&) {});
  }
  asio::steady_timer timer(context);
  ItemReport report(state, kPerIteration);
  for (auto _ : state) {
    for (int i = 0; i < kPerIteration; ++i) {
      timer.expires_after(std::chrono::minutes(1));
      timer.async_wait([](const asio::error_code&) {});
      timer.cancel();
      context.poll();
    }
  }
  report.Finish();
}
BENCHMARK(BM_Asio_ArmAndCancelTimer)->Arg(100)->Arg(1'000'000);

}  // namespace
}  // namespace ringway
