// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/script.h"

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/sim/sim_backend.h"
#include "ringway/backends/sim/world.h"

namespace ringway::sim {
namespace {

using ::testing::ElementsAre;

struct OneShot : Operation {
  OneShot() : Operation([](Runnable&) {}) {}
};

class ScriptTest : public ::testing::Test {
 protected:
  void Start(Operation& op) {
    op.state = OpState::kQueued;
    pending_.PushBack(op);
    backend_->Submit(pending_, done_);
  }
  void Finish(Operation& op) {
    while (op.state != OpState::kDone) {
      backend_->Wait(MonotonicTime::Infinite(), done_);
      while (Runnable* entry = done_.PopFront()) entry->Run();
    }
  }
  int32_t Receive(int fd) {
    OneShot recv;
    PrepareRecv(recv, fd, buffer_);
    Start(recv);
    Finish(recv);
    return recv.result;
  }

  World world_;
  std::unique_ptr<SimBackend> backend_ = world_.MakeBackend();
  OperationList pending_;
  RunnableList done_;
  std::array<std::byte, 4> buffer_ = {};
};

TEST_F(ScriptTest, ResultsComeInTheOrderLaidDown) {
  world_.script().Expect(OpCode::kRecv).Return(3);
  world_.script().Expect(OpCode::kRecv).ReturnError(ECONNRESET);
  EXPECT_EQ(Receive(5), 3);
  EXPECT_EQ(Receive(5), -ECONNRESET);
  EXPECT_EQ(Receive(5), -EBADF) << "the third was not expected";
}

TEST_F(ScriptTest, AnExpectationCanBeOfOneFd) {
  world_.script().Expect(OpCode::kRecv).OnFd(6).Return(6);
  world_.script().Expect(OpCode::kRecv).Return(5);
  EXPECT_EQ(Receive(5), 5);
  EXPECT_EQ(Receive(6), 6);
}

TEST_F(ScriptTest, BytesAreDeliveredAsFarAsTheyFit) {
  world_.script().Expect(OpCode::kRecv).Deliver("hello");
  EXPECT_EQ(Receive(5), 4);
  EXPECT_EQ(std::string(reinterpret_cast<char*>(buffer_.data()), 4), "hell");
}

TEST_F(ScriptTest, ResultsCanTakeTime) {
  world_.script().Expect(OpCode::kRecv).After(absl::Seconds(7));
  const MonotonicTime start = world_.environment().now();
  EXPECT_EQ(Receive(5), 0);
  EXPECT_EQ(world_.environment().now() - start, absl::Seconds(7));
}

TEST_F(ScriptTest, WhatTakesTimeCanBeCancelled) {
  world_.script().Expect(OpCode::kRecv).After(absl::Seconds(7)).Return(1);
  OneShot recv;
  PrepareRecv(recv, 5, buffer_);
  Start(recv);
  backend_->Cancel(recv, done_);
  Finish(recv);
  EXPECT_EQ(recv.result, -ECANCELED);
}

TEST_F(ScriptTest, StrictMeansThatNothingElseIsDone) {
  std::vector<std::string> failures;
  world_.script().SetStrict(
      [&](const std::string& what) { failures.push_back(what); });
  world_.script().Expect(OpCode::kRecv).OnFd(6);
  Receive(6);
  Receive(5);
  EXPECT_THAT(failures, ElementsAre("unexpected recv on fd 5"));
}

TEST_F(ScriptTest, StrictAbortsByDefault) {
  EXPECT_DEATH(
      {
        World world;
        world.script().SetStrict();
        auto backend = world.MakeBackend();
        OneShot nop;
        PrepareNop(nop);
        nop.state = OpState::kQueued;
        pending_.PushBack(nop);
        backend->Submit(pending_, done_);
      },
      "unexpected nop");
}

TEST(Script, WhatHasNotComeFailsAtTheWorldsEnd) {
  std::string failure;
  {
    World world;
    world.script().SetStrict([&](const std::string& what) { failure = what; });
    world.script().Expect(OpCode::kRecv).OnFd(6);
  }
  EXPECT_EQ(failure, "expected, but never started: recv on fd 6\n");
}

TEST_F(ScriptTest, WhatHasNotComeIsNamed) {
  world_.script().Expect(OpCode::kRecv).OnFd(6);
  world_.script().Expect(OpCode::kNop);
  EXPECT_EQ(world_.script().Unmet(), "recv on fd 6\nnop\n");
}

}  // namespace
}  // namespace ringway::sim
