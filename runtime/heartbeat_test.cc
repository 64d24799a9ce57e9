// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/heartbeat.h"

#include <future>
#include <memory>
#include <thread>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway::internal {
namespace {

using HeartbeatTest = RuntimeTest;

constexpr absl::Duration kInterval = absl::Seconds(1);

// Times are the test's own.
TEST_F(HeartbeatTest, BeatsAtItsIntervalWhileAllWorkersAnswer) {
  Runtime::Builder builder;
  builder.Workers(2);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  Heartbeat heartbeat(runtime->workers(), kInterval);
  MonotonicTime now = heartbeat.next();
  EXPECT_FALSE(heartbeat.Beat(now + absl::Nanoseconds(-1)));
  EXPECT_TRUE(heartbeat.Beat(now));
  EXPECT_FALSE(heartbeat.Beat(now));
  EXPECT_EQ(heartbeat.next(), now + kInterval);
  for (int i = 0; i < 5; ++i) {
    // All have answered: messages arrive in order.
    for (const ExecutorHandle& worker : runtime->workers()) {
      std::promise<void> done;
      ASSERT_TRUE(worker.Post([&] { done.set_value(); }).ok());
      done.get_future().wait();
    }
    now = heartbeat.next();
    EXPECT_TRUE(heartbeat.Beat(now));
  }
}

TEST_F(HeartbeatTest, StopsWhileAWorkerHangs) {
  Runtime::Builder builder;
  builder.Workers(2);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  std::promise<void> release;
  std::shared_future<void> released(release.get_future());
  ASSERT_TRUE(runtime->workers()[1].Post([released] { released.wait(); }).ok());
  Heartbeat heartbeat(runtime->workers(), kInterval);
  EXPECT_TRUE(heartbeat.Beat(heartbeat.next()));  // asks for the first time
  EXPECT_FALSE(heartbeat.Beat(heartbeat.next()));
  EXPECT_FALSE(heartbeat.Beat(heartbeat.next()));
  release.set_value();
  while (!heartbeat.Beat(heartbeat.next())) std::this_thread::yield();
}

TEST_F(HeartbeatTest, OfWorkersThatHaveEndedThereIsNone) {
  Runtime::Builder builder = OneWorker();
  std::unique_ptr<Runtime> runtime = Launch(builder);
  Heartbeat heartbeat(runtime->workers(), kInterval);
  runtime->Shutdown();
  runtime->Wait();
  EXPECT_FALSE(heartbeat.Beat(heartbeat.next()));
}

TEST_F(HeartbeatTest, WithoutAWatchdogItIsNeverDue) {
  Runtime::Builder builder = OneWorker();
  std::unique_ptr<Runtime> runtime = Launch(builder);
  Heartbeat heartbeat(runtime->workers(), absl::InfiniteDuration());
  EXPECT_TRUE(heartbeat.next().is_infinite());
}

}  // namespace
}  // namespace ringway::internal
