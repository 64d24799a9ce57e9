// SPDX-License-Identifier: Apache-2.0
//
// The examples of docs/pools.md and of the pools' headers.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/testing/quoted_examples.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/pools/blocking/blocking_pool.h"
#include "ringway/pools/blocking/run_blocking.h"
#include "ringway/pools/blocking/run_blocking_each.h"
#include "ringway/pools/job_pool.h"
#include "ringway/pools/resolver/host_resolver.h"
#include "ringway/pools/simulated_pool.h"
#include "ringway/pools/spawner/spawner_stats.h"
#include "ringway/pools/thread_pool.h"

namespace ringway {

// --- docs/pools.md

absl::StatusOr<size_t> CountLines(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(path);
  size_t n = 0;
  for (std::string line; std::getline(file, line);) ++n;
  return n;
}

Task<absl::StatusOr<size_t>> CountLinesSoon(std::string path) {
  co_return co_await WithTimeout(absl::Seconds(5),
                                 RunBlocking(CountLines, std::move(path)));
}

Task<absl::StatusOr<uint64_t>> SumOfSquares(std::vector<uint64_t> numbers) {
  auto sum = std::make_shared<std::atomic<uint64_t>>(0);
  absl::Status done = co_await RunBlockingEach(
      std::move(numbers), [sum](uint64_t n) { *sum += n * n; });
  if (!done.ok()) co_return done;
  co_return sum->load();
}

Task<absl::StatusOr<size_t>> CountOnAPoolOfItsOwn(ThreadPool& counters,
                                                  std::string path) {
  co_return co_await RunBlockingOn(counters.jobs(), CountLines,
                                   std::move(path));
}

std::string PoolMetrics(const HostResolver& resolver) {
  const JobPoolStats calls = SharedBlockingPool()->stats();
  const HostResolverStats hosts = resolver.stats();
  const SpawnerStats programs = GetSpawnerStats();
  return absl::StrCat("calls_queued ", calls.queued, "\n", "calls_running ",
                      calls.running, "\n", "calls_refused_total ",
                      calls.refused, "\n", "calls_longest_wait_seconds ",
                      absl::ToDoubleSeconds(calls.longest_wait), "\n",
                      "look_ups_waiting ", hosts.waiting, "\n",
                      "programs_running ", programs.running, "\n");
}

namespace {

class PoolsExamples : public TaskTest {};

RINGWAY_KERNEL_TEST_F(PoolsExamples, Work) {
  EXPECT_GT(*co_await CountLinesSoon("/proc/self/status"), 10u);
  EXPECT_TRUE(absl::IsNotFound((co_await CountLinesSoon("/none")).status()));
  std::vector<uint64_t> numbers = {1, 2, 3};
  EXPECT_EQ(*co_await SumOfSquares(std::move(numbers)), 14u);
  ThreadPoolOptions options;
  options.name = "hash";
  options.max_threads = 4;
  absl::StatusOr<std::unique_ptr<ThreadPool>> pool =
      ThreadPool::Create(options);
  EXPECT_GT(*co_await CountOnAPoolOfItsOwn(**pool, "/proc/self/status"), 10u);
}

RINGWAY_KERNEL_TEST_F(PoolsExamples, Counters) {
  const auto resolver = *HostResolver::Create();
  EXPECT_TRUE((co_await RunBlocking([] {})).ok());
  std::string metrics;
  std::thread([&] { metrics = PoolMetrics(*resolver); }).join();
  EXPECT_EQ(metrics.find("calls_queued 0\ncalls_running "), 0u) << metrics;
  EXPECT_EQ(metrics.find("wait_seconds 0\n"), std::string::npos) << metrics;
  EXPECT_GT(SharedBlockingPool()->stats().started, 0u);
}

RINGWAY_TEST_F(PoolsExamples, Simulated) {
  SimulatedPoolOptions options;
  options.seed = 7;
  ringway::SetBlockingPool(executor(),
                           ringway::SimulatedPool::Create(loop(), options));
  EXPECT_EQ(*co_await RunBlocking([] { return 1; }), 1);
}

TEST(PoolsDocument, QuotesThisFile) {
  testing::ExpectQuotes("docs/pools.md", "pools/pools_examples_test.cc", 4);
}

}  // namespace
}  // namespace ringway
