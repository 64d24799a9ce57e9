// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/scheduler.h"

#include <array>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/sim/network/stream_socket.h"
#include "ringway/backends/sim/sim_backend.h"
#include "ringway/backends/sim/world.h"

namespace ringway::sim {
namespace {

using ::testing::HasSubstr;

constexpr MonotonicTime kNoLimit =
    MonotonicTime::FromNanoseconds(int64_t{1} << 62);

struct OneShot : Operation {
  OneShot() : Operation([](Runnable&) {}) {}
};

// A minimal loop: waits until `deadline` for its operations.
class SmallLoop {
 public:
  SmallLoop(World& world, Scheduler& scheduler, char name, std::string& log)
      : backend_(world.MakeBackend()) {
    scheduler.Add(*backend_, [this, name, &log] {
      log += name;
      backend_->Submit(pending_, done_);
      backend_->Wait(deadline, done_);
      while (Runnable* entry = done_.PopFront()) entry->Run();
      return true;
    });
  }
  // Cancels its operations.
  void End() {
    backend_->Quiesce(done_);
    while (Runnable* entry = done_.PopFront()) entry->Run();
  }

  void Start(Operation& op) {
    op.state = OpState::kQueued;
    pending_.PushBack(op);
  }
  SimBackend& backend() { return *backend_; }

  MonotonicTime deadline = MonotonicTime::Infinite();

 private:
  std::unique_ptr<SimBackend> backend_;
  OperationList pending_;
  RunnableList done_;
};

class SchedulerTest : public ::testing::Test {
 protected:
  MonotonicTime now() { return world_.environment().now(); }

  World world_;
  Scheduler scheduler_{world_};
  std::string log_;
  SmallLoop a_{world_, scheduler_, 'a', log_};
  SmallLoop b_{world_, scheduler_, 'b', log_};
};

TEST_F(SchedulerTest, WakesEachLoopAtItsDeadlineAndNotBefore) {
  const MonotonicTime start = now();
  a_.deadline = start + absl::Seconds(2);
  b_.deadline = start + absl::Seconds(5);
  const auto at = [&](absl::Duration d) {
    return [&, d] { return now() >= start + d; };
  };
  ASSERT_TRUE(scheduler_.Run(at(absl::Seconds(2)), kNoLimit, 100).ok());
  EXPECT_EQ(log_.size(), 2u) << log_;  // each went to sleep
  a_.deadline = MonotonicTime::Infinite();
  ASSERT_TRUE(scheduler_.Run(at(absl::Seconds(5)), kNoLimit, 100).ok());
  EXPECT_EQ(now(), start + absl::Seconds(5));
}

TEST_F(SchedulerTest, ANotificationWakesASleeper) {
  ASSERT_TRUE(absl::IsFailedPrecondition(
      scheduler_.Run([] { return false; }, kNoLimit, 100)));
  log_.clear();
  b_.backend().Notify();
  ASSERT_TRUE(scheduler_
                  .Run([&] { return log_.find('b') != std::string::npos; },
                       kNoLimit, 100)
                  .ok());
  EXPECT_EQ(b_.backend().stats().notifications, 1u);
}

TEST_F(SchedulerTest, NamesWhatADeadlockWaitsFor) {
  auto [near, far] =
      StreamSocket::MakePair(world_.environment(), world_.network(), 0);
  OneShot recv;
  std::array<std::byte, 1> byte;
  PrepareRecv(recv, world_.fds().Open(near, "the test"), byte);
  a_.Start(recv);
  const absl::Status ended =
      scheduler_.Run([] { return false; }, kNoLimit, 100);
  EXPECT_TRUE(absl::IsFailedPrecondition(ended)) << ended;
  EXPECT_THAT(std::string(ended.message()),
              HasSubstr("recv on fd 1048576, a Unix stream socket"));
  a_.End();
}

TEST_F(SchedulerTest, GivesUpWhenTheTimeIsUp) {
  a_.deadline = now() + absl::Hours(2);
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      scheduler_.Run([] { return false; }, now() + absl::Hours(1), 100)));
}

TEST_F(SchedulerTest, GivesUpOnLoopsThatNeverSleep) {
  a_.deadline = MonotonicTime::FromNanoseconds(0);
  EXPECT_TRUE(absl::IsResourceExhausted(
      scheduler_.Run([] { return false; }, kNoLimit, 100)));
  EXPECT_EQ(scheduler_.turns(), 100u);
}

std::string OrderWithSeed(uint64_t seed) {
  World world(seed);
  Scheduler scheduler(world);
  std::string log;
  SmallLoop a(world, scheduler, 'a', log), b(world, scheduler, 'b', log);
  a.deadline = b.deadline = MonotonicTime::FromNanoseconds(0);
  EXPECT_FALSE(scheduler.Run([] { return false; }, kNoLimit, 40).ok());
  return log;
}

TEST(Scheduler, TurnsLoopsInAnOrderOfTheSeed) {
  EXPECT_EQ(OrderWithSeed(1), OrderWithSeed(1));
  EXPECT_NE(OrderWithSeed(1), OrderWithSeed(2));
}

}  // namespace
}  // namespace ringway::sim
