// SPDX-License-Identifier: Apache-2.0
//
// The examples of docs/tasks.md, compiled and run.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/yield_if_needed.h"
#include "ringway/executor/testing/quoted_examples.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using ::testing::HasSubstr;

// --- Calling and spawning.

Task<absl::StatusOr<int>> Price(std::string item) {
  absl::Status waited = co_await Sleep(absl::Milliseconds(20));
  if (!waited.ok()) co_return waited;
  co_return static_cast<int>(item.size());
}

Task<absl::StatusOr<int>> Total(std::vector<std::string> items) {
  int total = 0;
  for (const std::string& item : items) {
    absl::StatusOr<int> price = co_await Price(item);
    if (!price.ok()) co_return price.status();
    total += *price;
  }
  co_return total;
}

Task<absl::StatusOr<int>> TotalAtOnce(std::vector<std::string> items) {
  std::vector<JoinHandle<absl::StatusOr<int>>> prices;
  for (const std::string& item : items)
    prices.push_back(Spawn(Price(item), item));
  int total = 0;
  for (JoinHandle<absl::StatusOr<int>>& each : prices) {
    absl::StatusOr<int> price = co_await each;
    if (!price.ok()) co_return price.status();
    total += *price;
  }
  co_return total;
}

TEST(Examples, TotalTakesAsLongAsAllPricesAndTotalAtOnceAsTheLongest) {
  VirtualTimeExecutor executor;
  const MonotonicTime began = executor.Now();
  EXPECT_EQ(*executor->Run(Total({"tea", "milk", "sugar"})), 12);
  const MonotonicTime between = executor.Now();
  EXPECT_EQ(*executor->Run(TotalAtOnce({"tea", "milk", "sugar"})), 12);
  EXPECT_EQ(between - began, absl::Milliseconds(60));
  EXPECT_EQ(executor.Now() - between, absl::Milliseconds(20));
}

// --- Exceptions.

Task<int> Parse(std::string text) {
  co_return std::stoi(text);  // throws
}

Task<std::string> ParseOrSayWhy(std::string text) {
  JoinHandle<int> parsed = Spawn(Parse(text));
  try {
    absl::StatusOr<int> value = co_await parsed;
    co_return std::to_string(*value + 1);
  } catch (const std::invalid_argument&) {
    co_return "not a number";
  }
}

TEST(Examples, AnExceptionReachesWhoeverJoins) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(ParseOrSayWhy("41")), "42");
  EXPECT_EQ(*executor->Run(ParseOrSayWhy("many")), "not a number");
}

// --- Computing.

Task<uint64_t> Sum(std::span<const uint32_t> numbers) {
  uint64_t sum = 0;
  while (!numbers.empty()) {
    const size_t n = std::min<size_t>(numbers.size(), 4'096);
    for (uint32_t number : numbers.first(n)) sum += number;
    numbers = numbers.subspan(n);
    co_await YieldIfNeeded();
  }
  co_return sum;
}

TEST(Examples, SumGivesWayAndComesToItsEnd) {
  VirtualTimeExecutor executor;
  const std::vector<uint32_t> ones(100'000, 1);
  EXPECT_EQ(*executor->Run(Sum(ones)), 100'000u);
}

// --- Looking.

Task<std::string> WhyDoesNothingHappen() {
  JoinHandle<absl::StatusOr<int>> tea = Spawn(Price("tea"), "price of tea");
  static_cast<void>(co_await Sleep(absl::Milliseconds(10)));
  std::string answer = Executor::Current()->DumpTasks();
  static_cast<void>(co_await tea);
  co_return answer;
}

TEST(Examples, TheDumpOfTheDocumentIsWhatIsPrinted) {
  VirtualTimeExecutor executor;
  const absl::StatusOr<std::string> dump =
      executor->Run(WhyDoesNothingHappen());
  const std::string document = testing::ContentsOf("docs/tasks.md");
  EXPECT_THAT(document, HasSubstr("```text\n" + *dump + "```\n"));
}

TEST(Examples, OfTheDocumentAreTheseHere) {
  testing::ExpectQuotes("docs/tasks.md", "executor/task/task_examples_test.cc",
                        5);
}

}  // namespace
}  // namespace ringway
