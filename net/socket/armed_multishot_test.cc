// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/armed_multishot.h"

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/net/testing/scripted_backend.h"

namespace ringway::net::internal {
namespace {

using State = ArmedMultishot::State;
using testing::ScriptedBackend;

struct CountedMultishot : ArmedMultishot {
  explicit CountedMultishot(Loop& loop)
      : ArmedMultishot(loop, [](ArmedMultishot& self) {
          ++static_cast<CountedMultishot&>(self).told;
        }) {}
  int told = 0;
};

class ArmedMultishotTest : public ::testing::Test {
 protected:
  void Arm() { multishot_.Arm(/*fd=*/0, &PrepareRecvMultishot); }
  // The two halves of a turn.
  void Collect() { loop_->Wait(MonotonicTime::FromNanoseconds(0)); }
  void RunReady() { loop_->Work(); }
  void Turn() {
    Collect();
    RunReady();
  }

  std::string TakeBytes() {
    Delivery delivery;
    if (!multishot_.Take(delivery)) return "";
    std::string bytes(reinterpret_cast<const char*>(delivery.data),
                      static_cast<size_t>(delivery.result));
    backend_.ReturnBuffer(delivery.buffer_id);
    return bytes;
  }

  std::unique_ptr<ScriptedBackend> owned_ = std::make_unique<ScriptedBackend>();
  ScriptedBackend& backend_ = *owned_;
  std::unique_ptr<Loop> loop_ = std::make_unique<Loop>(std::move(owned_));
  CountedMultishot multishot_{*loop_};
};

TEST_F(ArmedMultishotTest, IsIdleUntilItIsArmed) {
  EXPECT_EQ(multishot_.state(), State::kIdle);
  EXPECT_FALSE(multishot_.in_progress());
  multishot_.Stop();
  EXPECT_EQ(multishot_.state(), State::kIdle);
  Arm();
  EXPECT_EQ(multishot_.state(), State::kArmed);
  EXPECT_TRUE(multishot_.in_progress());
  multishot_.Stop();
  Turn();
}

TEST_F(ArmedMultishotTest, StaysArmedThroughDeliveries) {
  Arm();
  backend_.Arrive("one");
  backend_.Arrive("two");
  Turn();
  EXPECT_EQ(multishot_.told, 1) << "once for what came together";
  EXPECT_EQ(multishot_.untaken(), 2u);
  EXPECT_EQ(TakeBytes(), "one");
  EXPECT_EQ(multishot_.untaken(), 1u);
  EXPECT_EQ(multishot_.state(), State::kArmed);
  multishot_.Stop();
  Turn();
  EXPECT_EQ(TakeBytes(), "two") << "stays to be taken";
}

// The kernel has ended it but the owner's callback has not run: the owner
// used to overwrite the result.
TEST_F(ArmedMultishotTest, StaysArmedUntilItsOwnerIsToldOfTheEnd) {
  Arm();
  backend_.Arrive("last");
  backend_.ArriveEnd(-ECONNRESET);
  Collect();
  EXPECT_EQ(multishot_.state(), State::kArmed);
  multishot_.Stop();  // comes too late
  EXPECT_EQ(multishot_.state(), State::kArmed);
  RunReady();
  EXPECT_EQ(multishot_.state(), State::kEnded);
  EXPECT_EQ(TakeBytes(), "last");
  EXPECT_EQ(multishot_.state(), State::kEnded);
  EXPECT_EQ(multishot_.TakeEnd(), -ECONNRESET);
  EXPECT_EQ(multishot_.state(), State::kIdle);
}

TEST_F(ArmedMultishotTest, IsIdleAgainWhenAStopHasTakenEffect) {
  for (const auto when : {ScriptedBackend::Cancels::kBeforeArrivals,
                          ScriptedBackend::Cancels::kLate}) {
    backend_.SetCancels(when);
    Arm();
    Turn();
    multishot_.Stop();
    EXPECT_EQ(multishot_.state(), State::kStopping);
    Collect();
    EXPECT_EQ(multishot_.state(), State::kStopping);
    while (multishot_.in_progress()) {
      RunReady();
      Collect();
    }
    EXPECT_EQ(multishot_.state(), State::kIdle);
  }
}

TEST_F(ArmedMultishotTest, CanBeStoppedBeforeTheKernelHasIt) {
  Arm();
  multishot_.Stop();
  EXPECT_EQ(multishot_.state(), State::kStopping);
  RunReady();
  EXPECT_EQ(multishot_.state(), State::kIdle);
  EXPECT_EQ(multishot_.told, 1);
}

TEST_F(ArmedMultishotTest, AnEndThatOvertakesTheStopIsGiven) {
  backend_.SetCancels(ScriptedBackend::Cancels::kAfterArrivals);
  Arm();
  Turn();
  multishot_.Stop();
  backend_.ArriveEnd(-ECONNRESET);
  Turn();
  EXPECT_EQ(multishot_.state(), State::kEnded);
  EXPECT_EQ(multishot_.TakeEnd(), -ECONNRESET);
}

// A stop applies only to the current arming.
TEST_F(ArmedMultishotTest, ACancelThatIsNotItsOwnIsAnEnd) {
  backend_.SetCancels(ScriptedBackend::Cancels::kAfterArrivals);
  Arm();
  Turn();
  multishot_.Stop();
  backend_.ArriveEnd(-ENOMEM);
  Turn();
  EXPECT_EQ(multishot_.TakeEnd(), -ENOMEM);
  Arm();
  Turn();
  loop_->CancelAll();
  Turn();
  EXPECT_EQ(multishot_.state(), State::kEnded);
  EXPECT_EQ(multishot_.TakeEnd(), -ECANCELED);
}

TEST_F(ArmedMultishotTest, DropsWhatNobodyTakes) {
  Arm();
  backend_.Arrive("one");
  backend_.Arrive("two");
  Turn();
  EXPECT_EQ(backend_.buffers_lent(), 2u);
  multishot_.DropUntaken();
  EXPECT_EQ(backend_.buffers_lent(), 0u);
  backend_.Arrive("three");
  multishot_.Stop();
  backend_.SetCancels(ScriptedBackend::Cancels::kAfterArrivals);
  Turn();
  EXPECT_EQ(backend_.buffers_lent(), 1u) << "the destructor returns it";
}

// Quiesce() ends all operations without running their functions.
TEST_F(ArmedMultishotTest, IsIdleOnceItsLoopHasBeenQuiesced) {
  Arm();
  Turn();
  loop_->Quiesce();
  EXPECT_EQ(multishot_.state(), State::kIdle);
  EXPECT_EQ(multishot_.told, 0);
}

using ArmedMultishotDeathTest = ArmedMultishotTest;

TEST_F(ArmedMultishotDeathTest, DiesIfArmedBeforeItsEndWasHandled) {
  Arm();
  Turn();
  EXPECT_DEATH(Arm(), "fd 0 was armed before its end was handled");
  backend_.ArriveEnd(0);
  Collect();
  EXPECT_DEATH(Arm(), "was armed before its end was handled");
  RunReady();
  EXPECT_DEATH(Arm(), "was armed before its end was handled");
  EXPECT_EQ(multishot_.TakeEnd(), 0);
  EXPECT_DEATH(multishot_.TakeEnd(), "has no end to take");
}

}  // namespace
}  // namespace ringway::net::internal
