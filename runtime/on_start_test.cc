// SPDX-License-Identifier: Apache-2.0
//
// OnStart(): several handlers, reports of failures, and handlers that a
// launch depends on.

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

using OnStartTest = RuntimeTest;

Task<absl::Status> CountTo(std::atomic<int>& n) {
  ++n;
  co_return absl::OkStatus();
}

TEST_F(OnStartTest, RunsAllThatWereGivenOnEachWorker) {
  std::atomic<int> first{0}, second{0}, required{0};
  Runtime::Builder builder = OneWorker();
  builder.Workers(2)
      .OnStart([&] { return CountTo(first); })
      .OnStart([&] { return CountTo(required); }, OnStartFailure::kFailLaunch)
      .OnStart([&] { return CountTo(second); });
  std::unique_ptr<Runtime> runtime = Launch(builder);
  EXPECT_EQ(required, 2) << "Launch() waits for what it depends on";
  while (first + second < 4) std::this_thread::yield();
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().start_failed, 0u);
}

TEST_F(OnStartTest, AFailureIsToldWithItsMessage) {
  std::atomic<int> n{0};
  Runtime::Builder builder = OneWorker();
  builder
      .OnStart([&]() -> Task<absl::Status> {
        ++n;
        co_return absl::NotFoundError("no table of prices");
      })
      .OnStart([&]() -> Task<absl::Status> {
        ++n;
        throw std::runtime_error("no licence");
        co_return absl::OkStatus();
      });
  ::testing::internal::CaptureStderr();
  std::unique_ptr<Runtime> runtime = Launch(builder);
  while (n < 2) std::this_thread::yield();
  // A turn of the worker's later both have ended.
  std::promise<void> turned;
  ASSERT_TRUE(runtime->workers()[0].Post([&] { turned.set_value(); }).ok());
  turned.get_future().wait();
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().start_failed, 2u);
  const std::string output = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(
      absl::StrContains(output, "worker 0: OnStart failed: no table of prices"))
      << output;
  EXPECT_TRUE(absl::StrContains(output, "no licence")) << output;
}

TEST_F(OnStartTest, ALaunchThatDependsOnItFailsWithItsStatus) {
  for (const bool throws : {false, true}) {
    std::atomic<int> served{0};
    Runtime::Builder builder = OneWorker();
    builder.Workers(3)
        .Listen("127.0.0.1:0",
                [&](net::TcpStream) -> Task<absl::Status> {
                  ++served;
                  co_return absl::OkStatus();
                })
        .OnStart([&] { return CountTo(served); })
        .OnStart(
            [&]() -> Task<absl::Status> {
              if (CurrentWorker() != 1) co_return absl::OkStatus();
              if (throws) throw std::runtime_error("no table of prices");
              co_return absl::NotFoundError("no table of prices");
            },
            OnStartFailure::kFailLaunch);
    const absl::Status failed = builder.Launch().status();
    EXPECT_EQ(failed.code(), throws ? absl::StatusCode::kInternal
                                    : absl::StatusCode::kNotFound);
    EXPECT_TRUE(absl::StrContains(failed.message(), "OnStart on worker 1: "))
        << failed;
    EXPECT_TRUE(absl::StrContains(failed.message(), "no table of prices"))
        << failed;
    EXPECT_EQ(served, 0) << "nothing is served by a launch that fails";
    ExpectNothingIsLeft();
  }
}

// One worker's handler waits forever; that of another has failed.
TEST_F(OnStartTest, AFailureDoesNotWaitForTheOtherWorkers) {
  Runtime::Builder builder = OneWorker();
  builder.Workers(2).OnStart(
      []() -> Task<absl::Status> {
        if (CurrentWorker() == 1) co_return absl::AbortedError("not today");
        co_return co_await Sleep(absl::Hours(1));
      },
      OnStartFailure::kFailLaunch);
  EXPECT_TRUE(absl::IsAborted(builder.Launch().status()));
}

TEST_F(OnStartTest, OneAfterTheOtherUntilOneFails) {
  std::mutex mutex;
  std::vector<int> order;
  const auto step = [&](int i, const absl::Status& result) {
    return [&, i, result]() -> Task<absl::Status> {
      (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
      std::lock_guard<std::mutex> lock(mutex);
      order.push_back(i);
      co_return result;
    };
  };
  Runtime::Builder builder = OneWorker();
  builder.OnStart(step(1, absl::OkStatus()), OnStartFailure::kFailLaunch)
      .OnStart(step(2, absl::AbortedError("two")), OnStartFailure::kFailLaunch)
      .OnStart(step(3, absl::OkStatus()), OnStartFailure::kFailLaunch);
  EXPECT_TRUE(absl::IsAborted(builder.Launch().status()));
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace ringway
