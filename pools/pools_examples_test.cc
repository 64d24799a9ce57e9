// SPDX-License-Identifier: Apache-2.0
//
// The examples of docs/pools.md and of the pools' headers.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/testing/quoted_examples.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/pools/blocking/run_blocking.h"
#include "ringway/pools/blocking/run_blocking_each.h"
#include "ringway/pools/simulated_pool.h"
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

namespace {

class PoolsExamples : public TaskTest {};

RINGWAY_KERNEL_TEST_F(PoolsExamples, Work) {
  EXPECT_GT(*co_await CountLinesSoon("/proc/self/status"), 10u);
  EXPECT_TRUE(absl::IsNotFound((co_await CountLinesSoon("/none")).status()));
  EXPECT_EQ(*co_await SumOfSquares({1, 2, 3}), 14u);
  ThreadPoolOptions options;
  options.name = "hash";
  options.max_threads = 4;
  absl::StatusOr<std::unique_ptr<ThreadPool>> pool =
      ThreadPool::Create(options);
  EXPECT_GT(*co_await CountOnAPoolOfItsOwn(**pool, "/proc/self/status"), 10u);
}

RINGWAY_TEST_F(PoolsExamples, Simulated) {
  SimulatedPoolOptions options;
  options.seed = 7;
  ringway::SetBlockingPool(executor(),
                           ringway::SimulatedPool::Create(loop(), options));
  EXPECT_EQ(*co_await RunBlocking([] { return 1; }), 1);
}

TEST(PoolsDocument, QuotesThisFile) {
  testing::ExpectQuotes("docs/pools.md", "pools/pools_examples_test.cc", 3);
}

}  // namespace
}  // namespace ringway
