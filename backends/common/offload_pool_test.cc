// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/offload_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/common/cancel_in.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/unique_fd.h"

namespace ringway {
namespace {

// A read that blocks its thread until the test writes.
struct BlockingRead {
  BlockingRead() {
    int fds[2];
    EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
    reader = UniqueFd(fds[0]);
    writer = UniqueFd(fds[1]);
    PrepareRead(op, reader.get(), {&byte, 1}, kCurrentPosition);
  }
  void Release() { EXPECT_EQ(write(writer.get(), "x", 1), 1); }

  UniqueFd reader, writer;
  std::byte byte{};
  Operation op{nullptr};
};

class OffloadPoolTest : public ::testing::Test {
 protected:
  void Make(uint32_t max_threads) {
    pool_ = std::make_unique<OffloadPool>(max_threads, doorbell_.get());
  }

  void Start(Operation& op) {
    op.state = OpState::kInFlight;
    pool_->Start(op);
  }

  // Blocks until the doorbell is readable; collects ended operations.
  void Collect() {
    pollfd doorbell = {doorbell_.get(), POLLIN, 0};
    ASSERT_EQ(poll(&doorbell, 1, /*timeout=*/30'000), 1) << "it never rang";
    eventfd_t rings;
    ASSERT_EQ(eventfd_read(doorbell_.get(), &rings), 0);
    OperationList ended;
    pool_->Collect(ended);
    while (Operation* op = ended.PopFront()) {
      EXPECT_FALSE(op->backend.offloaded);
      End(*op);
    }
  }

  void CollectAll() {
    while (pool_->in_flight() > 0) Collect();
  }

  void End(Operation& op) {
    op.state = OpState::kDone;
    order_.push_back(&op);
  }

  UniqueFd doorbell_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::unique_ptr<OffloadPool> pool_;
  std::vector<Operation*> order_;
};

TEST_F(OffloadPoolTest, ResultsAreThoseOfTheSystemCall) {
  Make(1);
  Operation bad(nullptr);
  PrepareFsync(bad, -1);
  BlockingRead good;
  good.Release();
  Start(bad);
  Start(good.op);

  CollectAll();

  EXPECT_EQ(bad.result, -EBADF);
  EXPECT_EQ(good.op.result, 1);
}

TEST_F(OffloadPoolTest, OneThreadKeepsTheOrder) {
  Make(1);
  std::vector<std::unique_ptr<Operation>> nops;
  std::vector<Operation*> started;
  for (int i = 0; i < 1'000; ++i) {
    nops.push_back(std::make_unique<Operation>(nullptr));
    PrepareNop(*nops.back());
    Start(*nops.back());
    started.push_back(nops.back().get());
  }

  CollectAll();

  EXPECT_EQ(order_, started);
}

TEST_F(OffloadPoolTest, BlockedThreadDelaysNobodyWhileThereAreMore) {
  Make(3);
  BlockingRead first, second;
  Operation nop(nullptr);
  PrepareNop(nop);
  Start(first.op);
  Start(second.op);
  Start(nop);

  Collect();

  EXPECT_EQ(order_, std::vector<Operation*>{&nop});
  first.Release();
  second.Release();
  CollectAll();
}

TEST_F(OffloadPoolTest, WhatHasNotBegunComesBackFromACancel) {
  Make(1);
  BlockingRead running;
  Operation queued(nullptr), behind(nullptr);
  PrepareNop(queued);
  PrepareNop(behind);
  Start(running.op);
  Start(queued);
  Start(behind);

  EXPECT_TRUE(pool_->Cancel(queued));  // the only thread is busy or not there

  EXPECT_FALSE(queued.linked());
  EXPECT_FALSE(queued.backend.offloaded);
  EXPECT_EQ(pool_->in_flight(), 2u);
  queued.state = OpState::kDone;
  running.Release();
  CollectAll();
  EXPECT_EQ(order_, (std::vector<Operation*>{&running.op, &behind}));
}

TEST_F(OffloadPoolTest, WhatRunsKeepsItsResultThroughACancel) {
  Make(2);
  BlockingRead running;
  Operation after(nullptr);
  PrepareNop(after);
  Start(running.op);
  Start(after);
  Collect();  // so the first has begun: operations begin in order

  EXPECT_FALSE(pool_->Cancel(running.op));

  running.Release();
  CollectAll();
  EXPECT_EQ(running.op.result, 1);
  EXPECT_EQ(order_.size(), 2u);
}

TEST_F(OffloadPoolTest, CancelUsingFindsWhatUsesTheFd) {
  Make(2);
  BlockingRead running;
  Operation after(nullptr);
  PrepareNop(after);
  Start(running.op);
  Start(after);
  Collect();
  BlockingRead other;
  Start(other.op);  // runs, or will before what follows
  Operation same_fd(nullptr), other_fd(nullptr);
  PrepareFsync(same_fd, running.reader.get());
  PrepareFsync(other_fd, other.reader.get());
  Start(same_fd);
  Start(other_fd);
  OperationList not_begun;

  EXPECT_EQ(pool_->CancelUsing(running.reader.get(), not_begun), 2u);

  EXPECT_EQ(not_begun.PopFront(), &same_fd);
  EXPECT_TRUE(not_begun.empty());
  EXPECT_TRUE(running.op.cancel_requested);
  EXPECT_FALSE(other.op.cancel_requested);
  EXPECT_EQ(pool_->CancelUsing(running.reader.get(), not_begun), 0u);
  same_fd.state = OpState::kDone;

  EXPECT_EQ(pool_->CancelUsing(kAnyFd, not_begun), 2u);
  while (Operation* op = not_begun.PopFront()) op->state = OpState::kDone;
  running.Release();
  other.Release();
  CollectAll();
}

TEST_F(OffloadPoolTest, ThreadsLeaveSignalsToTheProgram) {
  Make(1);
  BlockingRead running;
  Start(running.op);
  // A write to a pipe without a reader raises SIGPIPE in the thread that does
  // it; unblocked, it would end this process.
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  UniqueFd writer(fds[1]);
  UniqueFd(fds[0]).Reset();
  Operation broken(nullptr);
  const std::byte byte{};
  PrepareWrite(broken, writer.get(), {&byte, 1}, kCurrentPosition);
  Start(broken);
  running.Release();

  CollectAll();

  EXPECT_EQ(broken.result, -EPIPE);
}

using OffloadPoolDeathTest = OffloadPoolTest;

TEST_F(OffloadPoolDeathTest, DestroyingItWithOperationsInFlightAborts) {
  EXPECT_DEATH(
      {
        Make(1);
        BlockingRead running;
        Start(running.op);
        pool_.reset();
      },
      "destroyed with 1 operations in flight");
}

}  // namespace
}  // namespace ringway
