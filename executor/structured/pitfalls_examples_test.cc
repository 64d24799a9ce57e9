// SPDX-License-Identifier: Apache-2.0
//
// The good forms of docs/pitfalls.md, compiled and run.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/executor/sync/channel.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/yield_if_needed.h"
#include "ringway/executor/testing/quoted_examples.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

Task<absl::Status> Greet(std::string name, std::string* greeting) {
  co_await Yield();
  *greeting = "hello " + name;
  co_return absl::OkStatus();
}

Task<absl::Status> GreetBeside(int n, std::string* greeting) {
  std::string name = "a" + std::to_string(n);
  JoinHandle<absl::Status> greets = Spawn(Greet(std::move(name), greeting));
  co_return co_await greets;
}

TEST(Pitfalls, ArgumentsByValueOutliveTheExpression) {
  VirtualTimeExecutor executor;
  std::string greeting;
  EXPECT_TRUE(executor->Run(GreetBeside(7, &greeting)).ok());
  EXPECT_EQ(greeting, "hello a7");
}

Task<void> StartWith(std::string name, std::string* log) {
  auto body = [](std::string text, std::string* out) -> Task<void> {
    co_await Yield();
    *out += text;
  };
  JoinHandle<void> appended = Spawn(body(std::move(name), log));
  static_cast<void>(co_await appended);
}

TEST(Pitfalls, ArgumentsOfALambdaAreInTheFrame) {
  VirtualTimeExecutor executor;
  std::string log;
  EXPECT_TRUE(executor->Run(StartWith("a name", &log)).ok());
  EXPECT_EQ(log, "a name");
}

struct Holder {
  std::string text;
};

Task<std::string> Read() {
  co_await Yield();
  co_return "long enough to be on the heap and not inline";
}

Task<size_t> Hold() {
  std::string text = co_await Read();
  Holder holder{std::move(text)};
  co_return holder.text.size();
}

TEST(Pitfalls, ANamedResultIsHeldOnce) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(Hold()), 44u);
}

Task<absl::Status> SendAll(int n, Channel<int>* lines) {
  for (int i = 0; i < n; ++i) {
    absl::Status sent = co_await lines->Send(i);
    if (!sent.ok()) co_return sent;
  }
  lines->Close();
  co_return absl::OkStatus();
}

Task<int> CountAll(Channel<int>* lines) {
  int n = 0;
  while (true) {
    const absl::StatusOr<int> line = co_await lines->Receive();
    if (!line.ok()) co_return n;
    ++n;
  }
}

Task<int> TrySendAll(int n, Channel<int>* lines) {
  int lost = 0;
  for (int i = 0; i < n; ++i) lost += !lines->TrySend(i).ok();
  lines->Close();
  co_return lost;
}

TEST(Pitfalls, AProducerThatWaitsLosesNothingAndOneThatDoesNotLosesMost) {
  VirtualTimeExecutor executor;
  Channel<int> waits(8), does_not(8);
  JoinHandle<int> all = executor->Spawn(CountAll(&waits));
  EXPECT_TRUE(executor->Run(SendAll(6'000, &waits)).ok());
  while (!all.done()) executor->Turn(MonotonicTime::Infinite());
  EXPECT_EQ(*all.TakeResult(), 6'000);

  JoinHandle<int> few = executor->Spawn(CountAll(&does_not));
  const int lost = *executor->Run(TrySendAll(6'000, &does_not));
  while (!few.done()) executor->Turn(MonotonicTime::Infinite());
  EXPECT_GE(lost, 5'900);
  EXPECT_EQ(*few.TakeResult(), 6'000 - lost);
}

Task<uint64_t> CountTo(uint64_t n) {
  uint64_t count = 0;
  while (count < n) {
    ++count;
    if (count % 4'096 == 0) co_await YieldIfNeeded();
  }
  co_return count;
}

TEST(Pitfalls, WhatComputesGivesWay) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(CountTo(100'000)), 100'000u);
}

TEST(Pitfalls, OfTheDocumentAreTheseHere) {
  const std::vector<std::string> sources = {
      "executor/structured/pitfalls_examples_test.cc",
      "net/tcp_stream_drop_test.cc"};
  testing::ExpectQuotes("docs/pitfalls.md", sources, 6);
}

}  // namespace
}  // namespace ringway
