// SPDX-License-Identifier: Apache-2.0
//
// RunBlockingEach: calls a function for each element of a range on the threads
// of a pool, several at a time: for work that is too much for one thread.
//
//   absl::Status done = co_await RunBlockingEach(
//       std::move(numbers), [sum](uint64_t n) { *sum += n * n; });

#ifndef RINGWAY_POOLS_BLOCKING_RUN_BLOCKING_EACH_H_
#define RINGWAY_POOLS_BLOCKING_RUN_BLOCKING_EACH_H_

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <ranges>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "ringway/executor/structured/when.h"
#include "ringway/executor/task/task.h"
#include "ringway/pools/blocking/blocking_pool.h"
#include "ringway/pools/blocking/run_blocking.h"
#include "ringway/pools/job_pool.h"

namespace ringway {
namespace internal {

// The elements that are left, shared by the jobs that take them.
class SharedElements {
 public:
  explicit SharedElements(size_t n_elements) : n_elements_(n_elements) {}

  // Calls `act` with the index of one element after the other.
  template <typename Act>
  void TakeAll(Act act) {
    while (!stopped_.load(std::memory_order_relaxed)) {
      const size_t i = next_.fetch_add(1, std::memory_order_relaxed);
      if (i >= n_elements_) return;
      act(i);
    }
  }
  // No more are taken.
  void Stop() { stopped_.store(true, std::memory_order_relaxed); }

 private:
  const size_t n_elements_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> stopped_{false};
};

// The outcome of jobs of which any one would have taken all elements.
absl::Status OutcomeOf(const std::vector<absl::Status>& jobs);

}  // namespace internal

// Calls `fn(element)` for each element of `range`, in no particular order, on
// up to `max_threads` threads of `pool` at a time; 0: as many as this process
// has processors.
//
// Result:       OK once `fn` has returned for every element. Rethrows one of
// its
//               exceptions; elements that were not begun by then are left out.
// Errors:       as RunBlocking(), if not a single call could be started.
// Ownership:    the range and the function are moved to where they are used,
// and
//               live until the last call has ended. `fn` gets references to the
//               elements, and must allow several calls at a time.
// Cancellation: no further element is begun; the task leaves those that are.
// Cost:         a task and a job for each thread; an atomic increment for each
//               element.
template <std::ranges::random_access_range Range, typename F>
requires std::ranges::sized_range<Range> &&
    std::invocable<F&, std::ranges::range_reference_t<Range>>
        Task<absl::Status> RunBlockingEachOn(std::shared_ptr<JobPool> pool,
                                             Range range, F fn,
                                             size_t max_threads = 0) {
  struct Work {
    Work(Range r, F f)
        : range(std::move(r)),
          fn(std::move(f)),
          elements(std::ranges::size(range)) {}
    Range range;
    F fn;
    internal::SharedElements elements;
  };
  // The jobs may outlive this task, which then stops them.
  struct StopAtEnd {
    ~StopAtEnd() { work->elements.Stop(); }
    std::shared_ptr<Work> work;
  };
  const StopAtEnd held{std::make_shared<Work>(std::move(range), std::move(fn))};
  const size_t n_elements = std::ranges::size(held.work->range);
  if (max_threads == 0)
    max_threads = std::max(std::thread::hardware_concurrency(), 1u);
  const size_t n_jobs =
      std::min<size_t>({n_elements, pool->max_threads(), max_threads});
  auto take = [](std::shared_ptr<JobPool> on,
                 std::shared_ptr<Work> work) -> Task<absl::Status> {
    co_return co_await RunBlockingOn(std::move(on), [work] {
      try {
        work->elements.TakeAll([&](size_t i) {
          std::invoke(work->fn,
                      std::ranges::begin(work->range)[static_cast<
                          std::ranges::range_difference_t<Range>>(i)]);
        });
      } catch (...) {
        work->elements.Stop();
        throw;
      }
    });
  };
  std::vector<Task<absl::Status>> jobs;
  for (size_t i = 0; i < n_jobs; ++i) jobs.push_back(take(pool, held.work));
  co_return internal::OutcomeOf(co_await WhenAll(std::move(jobs)));
}

// The same on the pool of the calling task's executor (blocking_pool.h).
template <std::ranges::random_access_range Range, typename F>
requires std::ranges::sized_range<Range> &&
    std::invocable<F&, std::ranges::range_reference_t<Range>>
        Task<absl::Status> RunBlockingEach(Range range, F fn,
                                           size_t max_threads = 0) {
  return RunBlockingEachOn(BlockingPool(), std::move(range), std::move(fn),
                           max_threads);
}

}  // namespace ringway

#endif  // RINGWAY_POOLS_BLOCKING_RUN_BLOCKING_EACH_H_
