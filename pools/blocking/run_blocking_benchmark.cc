// SPDX-License-Identifier: Apache-2.0
//
// How long it takes from asking for a call until it runs, and until the caller
// has its result, beside a plain pool: a queue of functions with a mutex and a
// condition variable, whose caller waits for a promise. The medians are
// `run_us` and `back_us`. One call at a time, so each wakes a thread; figures
// are only meaningful on a machine with two free cores.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <queue>
#include <thread>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "ringway/executor/task/executor.h"
#include "ringway/pools/blocking/run_blocking.h"
#include "ringway/pools/thread_pool.h"

namespace ringway {
namespace {

using Clock = std::chrono::steady_clock;

// Medians of the times of each call.
class Times {
 public:
  void Add(Clock::time_point asked, Clock::time_point ran,
           Clock::time_point back) {
    run_.push_back(std::chrono::duration<double, std::micro>(ran - asked));
    back_.push_back(std::chrono::duration<double, std::micro>(back - asked));
  }
  void Report(benchmark::State& state) {
    state.counters["run_us"] = Median(run_);
    state.counters["back_us"] = Median(back_);
  }

 private:
  using Microseconds = std::chrono::duration<double, std::micro>;
  static double Median(std::vector<Microseconds>& times) {
    std::ranges::sort(times);
    return times.empty() ? 0 : times[times.size() / 2].count();
  }

  std::vector<Microseconds> run_, back_;
};

class PlainPool {
 public:
  PlainPool() : thread_(&PlainPool::Work, this) {}
  ~PlainPool() {
    Run([this] { ending_ = true; });
    thread_.join();
  }

  void Run(std::function<void()> function) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      queue_.push(std::move(function));
    }
    there_is_one_.notify_one();
  }

 private:
  void Work() {
    while (!ending_) {
      std::unique_lock<std::mutex> lock(mutex_);
      there_is_one_.wait(lock, [this] { return !queue_.empty(); });
      std::function<void()> function = std::move(queue_.front());
      queue_.pop();
      lock.unlock();
      function();
    }
  }

  std::mutex mutex_;
  std::condition_variable there_is_one_;
  std::queue<std::function<void()>> queue_;
  bool ending_ = false;
  std::thread thread_;
};

void BM_PlainPool(benchmark::State& state) {
  PlainPool pool;
  Times times;
  for (auto _ : state) {
    std::promise<Clock::time_point> ran;
    std::future<Clock::time_point> result = ran.get_future();
    const Clock::time_point asked = Clock::now();
    pool.Run([&ran] { ran.set_value(Clock::now()); });
    const Clock::time_point ran_at = result.get();
    times.Add(asked, ran_at, Clock::now());
  }
  times.Report(state);
}
BENCHMARK(BM_PlainPool)->UseRealTime();

void BM_RunBlocking(benchmark::State& state) {
  const std::unique_ptr<ThreadPool> pool = *ThreadPool::Create();
  const std::unique_ptr<Executor> executor = *Executor::Create();
  Times times;
  auto run = [&]() -> Task<void> {
    for (auto _ : state) {
      const Clock::time_point asked = Clock::now();
      const absl::StatusOr<Clock::time_point> ran =
          co_await RunBlockingOn(pool->jobs(), &Clock::now);
      times.Add(asked, *ran, Clock::now());
    }
  };
  if (!executor->Run(run()).ok()) state.SkipWithError("the task failed");
  times.Report(state);
}
BENCHMARK(BM_RunBlocking)->UseRealTime();

}  // namespace
}  // namespace ringway
