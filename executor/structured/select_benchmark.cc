// SPDX-License-Identifier: Apache-2.0
//
// The cost of races, scopes, deadlines and tokens, compared with plain tasks.
// `allocs` is heap allocations per item; it is 0 except for the first
// iteration.

#include <utility>

#include "benchmark/benchmark.h"
#include "ringway/executor/structured/select.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/structured/when.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/benchmark_support.h"

namespace ringway {
namespace {

Task<int> Give(int value) { co_return value; }

// Runs `once`, a task without arguments, for each iteration.
void Run(benchmark::State& state, Task<void> (*once)()) {
  struct Local {
    static Task<void> Repeat(benchmark::State& state, Task<void> (*once)()) {
      for (auto _ : state) co_await once();
    }
  };
  benchmarks::RunOnExecutor(
      state, 1, [once](benchmark::State& s) { return Local::Repeat(s, once); });
}

// The baseline: four tasks, spawned and joined.
Task<void> JoinFour() {
  JoinHandle<int> a = Spawn(Give(1)), b = Spawn(Give(2));
  JoinHandle<int> c = Spawn(Give(3)), d = Spawn(Give(4));
  static_cast<void>(co_await a);
  static_cast<void>(co_await b);
  static_cast<void>(co_await c);
  static_cast<void>(co_await d);
}

Task<void> AllOfFour() {
  static_cast<void>(co_await WhenAll(Give(1), Give(2), Give(3), Give(4)));
}

Task<void> AnyOfFour() {
  static_cast<void>(co_await WhenAny(Give(1), Give(2), Give(3), Give(4)));
}

// Three have to be cancelled.
Task<void> SelectOfFour() {
  Event never, set;
  set.Set();
  static_cast<void>(co_await Select(
      set.Wait(), never.Wait(), Sleep(absl::Hours(1)), Sleep(absl::Hours(2))));
}

Task<void> ScopeOfFour() {
  TaskScope scope;
  for (int i = 0; i < 4; ++i) scope.Spawn(Give(i)).Detach();
  static_cast<void>(co_await scope.Join());
}

Task<void> InTime() {
  static_cast<void>(co_await WithTimeout(absl::Hours(1), Give(1)));
}

Task<void> UnderAToken() {
  CancelSource source;
  static_cast<void>(co_await WithToken(source.token(), Give(1)));
}

BENCHMARK_CAPTURE(Run, JoinFour, JoinFour);
BENCHMARK_CAPTURE(Run, WhenAllOfFour, AllOfFour);
BENCHMARK_CAPTURE(Run, WhenAnyOfFour, AnyOfFour);
BENCHMARK_CAPTURE(Run, SelectOfFour, SelectOfFour);
BENCHMARK_CAPTURE(Run, ScopeOfFour, ScopeOfFour);
BENCHMARK_CAPTURE(Run, WithTimeout, InTime);
BENCHMARK_CAPTURE(Run, WithToken, UnderAToken);

}  // namespace
}  // namespace ringway
