// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/ring/ring.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/ring/ring_fixture.h"

namespace ringway {
namespace {

using testing::BytesOf;
using testing::Log;
using testing::Once;
using testing::TestFdPair;

class RingTest : public testing::RingConformance {};

// --- Contexts

struct Greeter {
  enum class Message : uint8_t { kHello = 3, kGoodbye = 250 };
  static void OnDone(Ring& ring, Greeter& self, Message which,
                     Completion done) {
    self.ring = &ring;
    self.messages.push_back(which);
    EXPECT_EQ(done.status(), absl::OkStatus());
  }
  static void OnOnly(Ring&, Greeter& self, Completion) { ++self.only; }

  Ring* ring = nullptr;
  std::vector<Message> messages;
  int only = 0;
};

TEST_P(RingTest, TellsTheObjectWithTheMessageOfTheContext) {
  Greeter greeter;
  ring().Nop(Context(&greeter, &Greeter::OnDone, Greeter::Message::kGoodbye));
  ring().Nop(Context(&greeter, &Greeter::OnDone, Greeter::Message::kHello));
  ring().Nop(Context(&greeter, &Greeter::OnOnly));
  RunUntilDone();
  std::sort(greeter.messages.begin(), greeter.messages.end());
  EXPECT_EQ(greeter.messages, (std::vector{Greeter::Message::kHello,
                                           Greeter::Message::kGoodbye}));
  EXPECT_EQ(greeter.only, 1);
  EXPECT_EQ(greeter.ring, &ring());
}

TEST_P(RingTest, CallbacksComeLaterNeverFromInsideTheCall) {
  Log log;
  ring().Nop(log.At(0));
  ring().Timer(-absl::Seconds(1), log.At(1));
  EXPECT_TRUE(log.entries().empty());
  RunUntilDone();
  EXPECT_EQ(log.Finals(0), Once(0));
  EXPECT_EQ(log.Finals(1), Once(0));
}

TEST_P(RingTest, IsHeldByValueAndGivesCallbacksTheRingAsItIsNow) {
  Greeter greeter;
  Ring first(NewLoop());
  first.Nop(Context(&greeter, &Greeter::OnDone, Greeter::Message::kHello));
  Ring second = std::move(first);
  EXPECT_EQ(second.Run(RunMode::kUntilDone), absl::OkStatus());
  EXPECT_EQ(greeter.ring, &second);
}

// --- Operations

TEST_P(RingTest, WritesAndReads) {
  TestFdPair pair = system().SocketPair();
  Log log;
  std::array<std::byte, 16> buffer = {};
  ring().Recv(pair.second.get(), buffer, log.At(0));
  ring().Write(pair.first.get(), BytesOf("five5"), log.At(1));
  RunUntilDone();
  EXPECT_EQ(log.Finals(0), Once(5));
  EXPECT_EQ(log.Finals(1), Once(5));
  EXPECT_EQ(std::string(reinterpret_cast<char*>(buffer.data()), 5), "five5");
}

TEST_P(RingTest, ErrorsNameTheOperationAndKeepTheErrno) {
  Log log;
  absl::Status status;
  log.then = [&](Ring&, uint16_t, Completion& done) { status = done.status(); };
  ring().Write(/*fd=*/-1, BytesOf("x"), log.At(0));
  RunUntilDone();
  EXPECT_EQ(log.Finals(0), Once(-EBADF));
  EXPECT_TRUE(absl::StrContains(status.message(), "write")) << status;
}

// Each operation is the next link of the chain, started by the callback of the
// one before.
struct Chain {
  static void OnDone(Ring& ring, Chain& self, Completion) {
    const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    self.lowest = std::min(self.lowest, here);
    self.highest = std::max(self.highest, here);
    if (--self.left > 0) ring.Nop(Context(&self, &OnDone));
  }
  int left = 0;
  uintptr_t lowest = UINTPTR_MAX;
  uintptr_t highest = 0;
};

TEST_P(RingTest, AChainOfAHundredThousandKeepsTheStackFlat) {
  Chain chain;
  chain.left = 100'000;
  ring().Nop(Context(&chain, &Chain::OnDone));
  RunUntilDone();
  EXPECT_EQ(chain.left, 0);
  EXPECT_EQ(chain.lowest, chain.highest);
}

TEST_P(RingTest, OneEntryTakesTenTimersAndTenReceivesQueuedAtOnce) {
  BackendOptions tiny = Options();
  tiny.submission_entries = 1;
  tiny.completion_entries = 2;
  MakeRing(RingOptions(), tiny);
  TestFdPair pair = system().SocketPair();
  std::array<std::byte, 1> buffer;
  Log log;
  for (uint16_t i = 0; i < 20; ++i) {
    if (i % 2 == 0) {
      ring().Timer(absl::Milliseconds(i), log.At(i));
    } else {
      const RingTask task = ring().Recv(pair.first.get(), buffer, log.At(i));
      EXPECT_TRUE(
          ring().SetDeadline(task, ring().Now() + absl::Milliseconds(5)));
    }
  }
  RunUntilDone();
  for (uint16_t i = 0; i < 20; ++i) {
    EXPECT_EQ(log.Finals(i), Once(i % 2 == 0 ? 0 : -ETIME)) << i;
  }
}

TEST_P(RingTest, SixteenEntriesTakeTenThousandNopsInOneTurn) {
  BackendOptions small = Options();
  small.submission_entries = 16;
  small.completion_entries = 16;
  MakeRing(RingOptions(), small);
  Log log;
  for (uint16_t i = 0; i < 10'000; ++i) {
    const RingTask task = ring().Nop(log.At(i));
    if (i % 2 == 0) ring().SetDeadline(task, ring().Now() + absl::Hours(1));
  }
  RunUntilDone();
  std::vector<int> told(10'000);
  for (const Log::Entry& entry : log.entries()) {
    EXPECT_EQ(entry.result, 0);
    ++told[entry.which];
  }
  EXPECT_EQ(told, std::vector<int>(10'000, 1));
}

// --- Limits

TEST_P(RingTest, ATaskBeyondTheLimitIsToldSoByNameAndDisturbsNoOther) {
  RingOptions options;
  options.max_tasks = 2;
  MakeRing(options);
  Log log;
  absl::Status status;
  std::string back;
  log.then = [&](Ring&, uint16_t which, Completion& done) {
    if (which == 2) status = done.status();
    if (which == 3) back = std::get<std::string>(*done.payload);
  };
  EXPECT_TRUE(ring().Nop(log.At(0)).valid());
  EXPECT_TRUE(ring().Timer(absl::ZeroDuration(), log.At(1)).valid());
  EXPECT_FALSE(ring().Nop(log.At(2)).valid());
  EXPECT_FALSE(
      ring().Message(ring().address(), std::string("mine"), log.At(3)).valid());
  EXPECT_EQ(ring().stats().tasks_refused, 2u);
  RunUntilDone();
  EXPECT_EQ(log.Finals(0), Once(0));
  EXPECT_EQ(log.Finals(1), Once(0));
  EXPECT_EQ(log.Finals(2), Once(-ENOBUFS));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(absl::StrContains(status.message(), "RingOptions::max_tasks"))
      << status;
  EXPECT_EQ(back, "mine");
  EXPECT_TRUE(ring().Nop(log.At(4)).valid()) << "there is room again";
  RunUntilDone();
  EXPECT_EQ(log.Finals(4), Once(0));
}

// The task has ended when its callback runs, so even at the limit each can
// start the next.
TEST_P(RingTest, ACallbackFindsThePlaceOfItsTaskFree) {
  RingOptions options;
  options.max_tasks = 1;
  MakeRing(options);
  Chain chain;
  chain.left = 10;
  ring().Nop(Context(&chain, &Chain::OnDone));
  RunUntilDone();
  EXPECT_EQ(chain.left, 0);
  EXPECT_EQ(ring().stats().tasks_refused, 0u);
}

TEST(RingOptionsTest, ALimitOfNothingIsRefused) {
  RingOptions options;
  options.max_tasks = 0;
  EXPECT_EQ(Ring::Create(options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// --- Exceptions

// The backend gives one notice for a delivery and an end that arrive
// together; the ring reports one a turn and must schedule the other.
TEST_P(RingTest, AMultishotThatEndsWithItsLastDeliveryIsToldOfBoth) {
  TestFdPair pair = system().SocketPair();
  SendAll(pair.second.get(), "last");
  pair.second.Reset();
  Log log;
  ring().RecvMultishot(pair.first.get(), log.At(0));
  while (log.entries().empty()) {
    ASSERT_EQ(ring().Run(RunMode::kOnce), absl::OkStatus());
  }
  // Everything outstanding has arrived by then.
  for (int i = 0; i < 8; ++i) RunWithoutWaiting();
  ASSERT_EQ(log.entries().size(), 2u);
  EXPECT_EQ(log.entries()[0].bytes, "last");
  EXPECT_FALSE(log.entries()[0].is_final);
  EXPECT_EQ(log.Finals(0), Once(0));
}

TEST_P(RingTest, ACallbackThatThrowsLosesNoOtherOfItsBatch) {
  RingOptions options;
  std::vector<std::string> caught;
  options.on_exception = [&](std::exception_ptr exception) {
    try {
      std::rethrow_exception(std::move(exception));
    } catch (const std::exception& e) {
      caught.emplace_back(e.what());
    }
  };
  MakeRing(options);
  Log log;
  log.then = [](Ring&, uint16_t which, Completion&) {
    if (which % 10 == 3) throw std::runtime_error("on purpose");
  };
  for (uint16_t i = 0; i < 100; ++i) ring().Nop(log.At(i));
  RunUntilDone();
  for (uint16_t i = 0; i < 100; ++i) EXPECT_EQ(log.Finals(i), Once(0)) << i;
  EXPECT_EQ(caught, std::vector<std::string>(10, "on purpose"));
  EXPECT_EQ(ring().stats().exceptions, 10u);
}

TEST_P(RingTest, WithoutAHandlerAnExceptionIsReported) {
  Log log;
  log.then = [](Ring&, uint16_t which, Completion&) {
    if (which == 0) throw std::runtime_error("on purpose");
    throw which;
  };
  ring().Nop(log.At(0));
  ring().Nop(log.At(1));
  ::testing::internal::CaptureStderr();
  RunUntilDone();
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(absl::StrContains(said, "a callback of a ring threw: on purpose"))
      << said;
  EXPECT_TRUE(absl::StrContains(said, "threw an unknown type")) << said;
}

// --- Running

TEST_P(RingTest, UntilDoneWithNothingQueuedReturnsAtOnce) {
  const MonotonicTime begin = ring().Now();
  RunUntilDone();
  EXPECT_EQ(ring().Run(RunMode::kOnce), absl::OkStatus());
  EXPECT_LT(ring().Now() - begin, absl::Seconds(10));
  EXPECT_EQ(ring().stats().callbacks, 0u);
}

TEST_P(RingTest, OnceWaitsForOneTurnThatRunsSomething) {
  Log log;
  ring().Timer(absl::Milliseconds(2), log.At(0));
  ring().Timer(absl::Hours(1), log.At(1));
  EXPECT_EQ(ring().Run(RunMode::kOnce), absl::OkStatus());
  EXPECT_EQ(log.Finals(0), Once(0));
  EXPECT_EQ(log.entries().size(), 1u);
  EndRing();
}

TEST_P(RingTest, NoWaitDoesWhatCanBeDoneAndNeverBlocks) {
  Log log;
  ring().Nop(log.At(0));
  ring().Timer(absl::Hours(1), log.At(1));
  RunWithoutWaiting();
  EXPECT_EQ(log.Finals(0), Once(0));
  EXPECT_EQ(ring().stats().loop.backend.waits, 0u);
  EndRing();
}

TEST_P(RingTest, ForAWhileLastsThatLong) {
  const MonotonicTime begin = ring().Now();
  EXPECT_EQ(ring().RunFor(absl::Milliseconds(5)), absl::OkStatus());
  EXPECT_GE(ring().Now() - begin, absl::Milliseconds(5));
}

TEST_P(RingTest, StopFromACallbackEndsARunForEver) {
  Log log;
  log.then = [](Ring& ring, uint16_t, Completion&) { ring.Stop(); };
  ring().Timer(absl::Hours(1), log.At(1));
  ring().Nop(log.At(0));
  EXPECT_EQ(ring().Run(RunMode::kForever), absl::OkStatus());
  EXPECT_EQ(log.Finals(0), Once(0));
  EndRing();
}

TEST_P(RingTest, ARunInsideARunIsAnError) {
  Log log;
  absl::Status inner;
  log.then = [&](Ring& ring, uint16_t, Completion&) {
    inner = ring.Run(RunMode::kNoWait);
  };
  ring().Nop(log.At(0));
  RunUntilDone();
  EXPECT_EQ(inner.code(), absl::StatusCode::kFailedPrecondition);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(RingTest);

}  // namespace
}  // namespace ringway
