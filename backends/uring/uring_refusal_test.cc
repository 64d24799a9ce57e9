// SPDX-License-Identifier: Apache-2.0
//
// Operations while io_uring_enter refuses new work.

#include <cerrno>
#include <memory>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/failing_calls.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/backends/uring/uring_backend.h"

namespace ringway::uring {
namespace {

using testing::AsBytes;
using testing::BackendDriver;
using testing::CountedOperation;
using testing::FailingCall;
using testing::FdPair;
using testing::MakeSocketPair;
using testing::SendAll;
using testing::SystemCall;

constexpr MonotonicTime kPast = MonotonicTime::FromNanoseconds(0);

class UringRefusalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Backend>> backend =
        UringBackend::Create(BackendOptions());
    if (!backend.ok())
      GTEST_SKIP() << "the kernel refuses io_uring: " << backend.status();
    driver_ = std::make_unique<BackendDriver>(*std::move(backend));
  }

  std::unique_ptr<BackendDriver> driver_;
};

TEST_F(UringRefusalTest, WhatWasNotTakenIsTakenLater) {
  FdPair pair = MakeSocketPair();
  CountedOperation send;
  PrepareSend(send, pair.first.get(), AsBytes("later"));
  driver_->Start(send);
  {
    FailingCall refusal(SystemCall::kUringEnter, 1, EBUSY);
    driver_->Turn(kPast);
    ASSERT_TRUE(refusal.happened());
  }
  EXPECT_FALSE(send.done());
  ASSERT_TRUE(driver_->RunUntil([&] { return send.done(); }));
  EXPECT_EQ(send.result, 5);
}

// A cancel request identifies its target by address. It was written while the
// kernel accepted nothing, its target then completed, and another operation
// was started at the same address. The suite's cancels all reach the kernel
// in their turn, so they do not cover this.
TEST_F(UringRefusalTest, ACancelThatWasNotTakenNeverHitsTheNextOccupant) {
  FdPair pair = MakeSocketPair();
  std::byte buffer[8];
  CountedOperation recv;
  PrepareRecv(recv, pair.first.get(), buffer);
  driver_->Start(recv);
  driver_->Turn(kPast);
  ASSERT_FALSE(recv.done());

  driver_->Cancel(recv);
  SendAll(pair.second.get(), "data");
  {
    FailingCall refusal(SystemCall::kUringEnter, 1, EBUSY);
    driver_->Turn(kPast);
    ASSERT_TRUE(refusal.happened());
  }
  ASSERT_TRUE(recv.done()) << "the completion was collected all the same";
  EXPECT_EQ(recv.result, 4);

  PrepareRecv(recv, pair.first.get(), buffer);
  recv.completions = 0;
  driver_->Start(recv);
  driver_->TurnWithoutBlocking();
  EXPECT_FALSE(recv.done());
  SendAll(pair.second.get(), "more");
  ASSERT_TRUE(driver_->RunUntil([&] { return recv.done(); }));
  EXPECT_EQ(recv.result, 4);
}

}  // namespace
}  // namespace ringway::uring
