// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <random>
#include <vector>

#include "benchmark/benchmark.h"
#include "ringway/core/time/timer_wheel.h"

namespace ringway {
namespace {

MonotonicTime At(int64_t ns) { return MonotonicTime::FromNanoseconds(ns); }

// A wheel with `n` timers whose deadlines are spread evenly over 30 seconds.
class ArmedWheel {
 public:
  explicit ArmedWheel(size_t n) : wheel(At(0)), timers(n) {
    for (Timer& timer : timers) wheel.Arm(timer, At(RandomDelay()));
  }
  ~ArmedWheel() {
    for (Timer& timer : timers) wheel.Disarm(timer);
  }

  int64_t RandomDelay() {
    return static_cast<int64_t>(random() % 30'000'000'000);
  }

  std::mt19937_64 random{1};
  TimerWheel wheel;
  std::vector<Timer> timers;
};

// One deadline comes and goes, as around an operation that completes in time.
void BM_ArmDisarm(benchmark::State& state) {
  ArmedWheel armed(state.range(0));
  Timer timer;
  int64_t now = 0;
  for (auto _ : state) {
    armed.wheel.Arm(timer, At(now + 5'000'000'000));
    armed.wheel.Disarm(timer);
    now += 7;
  }
}
BENCHMARK(BM_ArmDisarm)->Arg(100)->Arg(1'000'000);

// The same for a timer picked at random: with many, none of it is in the cache.
void BM_RearmRandomTimer(benchmark::State& state) {
  ArmedWheel armed(state.range(0));
  for (auto _ : state) {
    Timer& timer = armed.timers[armed.random() % armed.timers.size()];
    armed.wheel.Disarm(timer);
    armed.wheel.Arm(timer, At(armed.RandomDelay()));
  }
}
BENCHMARK(BM_RearmRandomTimer)->Arg(100)->Arg(1'000'000);

// The cost per turn without due timers.
void BM_ExpireNothing(benchmark::State& state) {
  ArmedWheel armed(0);
  Timer timer;
  armed.wheel.Arm(timer, At(int64_t{1} << 60));
  IntrusiveList<Timer> fired;
  int64_t now = 0;
  for (auto _ : state) {
    armed.wheel.Expire(At(now += 20'000), fired);
    benchmark::DoNotOptimize(armed.wheel.NextDeadline());
  }
  armed.wheel.Disarm(timer);
}
BENCHMARK(BM_ExpireNothing);

// Per timer, from arming to firing: `range` timers over 100 ms, a turn every
// 20 us. Most of the time is spent moving down the levels.
void BM_ArmAndFire(benchmark::State& state) {
  ArmedWheel armed(0);
  std::vector<Timer> timers(state.range(0));
  IntrusiveList<Timer> fired;
  int64_t now = 0;
  for (auto _ : state) {
    for (Timer& timer : timers) {
      armed.wheel.Arm(timer, At(now + armed.RandomDelay() / 300));
    }
    while (armed.wheel.size() > 0) {
      armed.wheel.Expire(At(now += 20'000), fired);
      while (fired.PopFront() != nullptr) continue;
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_ArmAndFire)->Arg(1'000)->Arg(50'000);

// One Expire() that is a second late.
void BM_FireAllAtOnce(benchmark::State& state) {
  ArmedWheel armed(0);
  std::vector<Timer> timers(state.range(0));
  IntrusiveList<Timer> fired;
  int64_t now = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (Timer& timer : timers) {
      armed.wheel.Arm(timer, At(now + armed.RandomDelay() / 300));
    }
    state.ResumeTiming();
    armed.wheel.Expire(At(now += 1'000'000'000), fired);
    while (fired.PopFront() != nullptr) continue;
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_FireAllAtOnce)->Arg(50'000)->Arg(1'000'000);

}  // namespace
}  // namespace ringway
