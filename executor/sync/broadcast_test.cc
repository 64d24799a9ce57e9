// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/sync/broadcast.h"

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using Text = Broadcast<std::string>;
using TextReceiver = BroadcastReceiver<std::string>;

std::string Next(TextReceiver& receiver) {
  absl::StatusOr<std::string> next = receiver.TryReceive();
  return next.ok() ? *next : std::string(next.status().message().substr(0, 9));
}

TEST(Broadcast, GivesEachReceiverWhatIsSentFromItsSubscriptionOn) {
  Text text(4);
  EXPECT_TRUE(text.TrySend("before").ok()) << "without receivers: dropped";
  TextReceiver first = text.Subscribe();
  EXPECT_TRUE(text.TrySend("a").ok());
  TextReceiver second = text.Subscribe();
  EXPECT_TRUE(text.TrySend("b").ok());
  EXPECT_EQ(text.size(), 2u);
  EXPECT_EQ(text.n_receivers(), 2u);
  EXPECT_EQ(Next(first), "a");
  EXPECT_EQ(text.size(), 1u) << "nobody else wants it";
  EXPECT_EQ(Next(second), "b");
  EXPECT_EQ(Next(first), "b");
  EXPECT_TRUE(absl::IsNotFound(first.TryReceive().status()));
  EXPECT_FALSE(first.ready());
  EXPECT_EQ(text.size(), 0u);
}

TEST(Broadcast, CopiesForAllButTheLastReceiver) {
  Broadcast<std::shared_ptr<int>> values(1);
  auto first = values.Subscribe(), second = values.Subscribe();
  auto value = std::make_shared<int>(7);
  const std::weak_ptr<int> watch = value;
  EXPECT_TRUE(values.TrySend(std::move(value)).ok());
  EXPECT_EQ(**first.TryReceive(), 7);
  EXPECT_EQ(watch.use_count(), 1);  // the ring's
  std::shared_ptr<int> last = *second.TryReceive();
  EXPECT_EQ(watch.use_count(), 1);  // moved out of it
}

RINGWAY_TEST(BroadcastTasks, WakesReceiversThatWait) {
  Text text(1);
  struct Local {
    static Task<std::string> Receive(TextReceiver receiver) {
      absl::StatusOr<std::string> value = co_await receiver.Receive();
      co_return *value;
    }
  };
  JoinHandle<std::string> first = Spawn(Local::Receive(text.Subscribe()));
  JoinHandle<std::string> second = Spawn(Local::Receive(text.Subscribe()));
  co_await Yield();
  RINGWAY_ASSERT_OK(co_await text.Send("hello"));
  EXPECT_EQ(*co_await first, "hello");
  EXPECT_EQ(*co_await second, "hello");
}

// --- Lag.

TEST(Broadcast, ThatBlocksItsSenderRefusesUntilTheSlowestHasCaughtUp) {
  Text text(2, LagPolicy::kBlockSender);
  TextReceiver slow = text.Subscribe(), fast = text.Subscribe();
  EXPECT_TRUE(text.TrySend("a").ok());
  EXPECT_TRUE(text.TrySend("b").ok());
  Next(fast);
  Next(fast);
  std::string refused = "c";
  EXPECT_TRUE(absl::IsResourceExhausted(text.TrySend(std::move(refused))));
  EXPECT_EQ(refused, "c");
  Next(slow);
  EXPECT_TRUE(text.TrySend(std::move(refused)).ok());
}

RINGWAY_TEST(BroadcastTasks, SendersThatWaitGoOnInOrderWhenThereIsRoom) {
  Text text(1);
  TextReceiver receiver = text.Subscribe();
  struct Local {
    static Task<absl::Status> Send(Text* text, std::string value) {
      co_return co_await text->Send(std::move(value));
    }
  };
  std::vector<JoinHandle<absl::Status>> sends;
  for (const char* value : {"a", "b", "c"})
    sends.push_back(Spawn(Local::Send(&text, value)));
  co_await Yield();
  EXPECT_EQ(text.size(), 1u);
  for (const char* value : {"a", "b", "c"}) {
    absl::StatusOr<std::string> got = co_await receiver.Receive();
    EXPECT_EQ(*got, value);
  }
  for (JoinHandle<absl::Status>& send : sends) RINGWAY_ASSERT_OK(co_await send);
}

TEST(Broadcast, ThatDropsTheOldestSaysHowManyWereMissed) {
  Text text(2, LagPolicy::kDropOldest);
  TextReceiver slow = text.Subscribe(), fast = text.Subscribe();
  for (const char* value : {"a", "b", "c", "d"}) {
    EXPECT_TRUE(text.TrySend(value).ok());
    EXPECT_EQ(Next(fast), value);
  }
  EXPECT_EQ(fast.TakeMissed(), 0u);
  EXPECT_EQ(Next(slow), "c");
  EXPECT_EQ(slow.TakeMissed(), 2u);
  EXPECT_EQ(slow.TakeMissed(), 0u) << "told once";
  EXPECT_EQ(Next(slow), "d");
}

TEST(Broadcast, ThatDisconnectsEndsTheSlowestAndNoOther) {
  Text text(2, LagPolicy::kDisconnect);
  TextReceiver slow = text.Subscribe(), fast = text.Subscribe();
  for (const char* value : {"a", "b", "c"}) {
    EXPECT_TRUE(text.TrySend(value).ok());
    EXPECT_EQ(Next(fast), value);
  }
  EXPECT_EQ(text.n_receivers(), 1u);
  EXPECT_TRUE(slow.ready());
  EXPECT_TRUE(absl::IsResourceExhausted(slow.TryReceive().status()));
  EXPECT_TRUE(absl::IsResourceExhausted(slow.TryReceive().status()));
  slow = text.Subscribe();
  EXPECT_TRUE(text.TrySend("d").ok());
  EXPECT_EQ(Next(slow), "d");
}

TEST(Broadcast, EachReceiverMayHaveAPolicyOfItsOwn) {
  Text text(2, LagPolicy::kDropOldest);
  TextReceiver display = text.Subscribe();
  TextReceiver log = text.Subscribe(LagPolicy::kBlockSender);
  TextReceiver peer = text.Subscribe(LagPolicy::kDisconnect);
  EXPECT_TRUE(text.TrySend("a").ok());
  EXPECT_TRUE(text.TrySend("b").ok());
  EXPECT_TRUE(absl::IsResourceExhausted(text.TrySend("c")));
  EXPECT_EQ(Next(log), "a");
  EXPECT_TRUE(text.TrySend("c").ok());
  EXPECT_EQ(Next(log), "b");
  EXPECT_EQ(Next(display), "b");
  EXPECT_EQ(display.TakeMissed(), 1u);
  EXPECT_TRUE(absl::IsResourceExhausted(peer.TryReceive().status()));
  EXPECT_EQ(text.n_receivers(), 2u);
}

Task<absl::Status> SendText(Text* text, std::string value) {
  co_return co_await text->Send(std::move(value));
}

// Others have yet to read what it has read, so no slot becomes free.
RINGWAY_TEST(BroadcastTasks, ASenderGoesOnWhenTheOneItWaitsForHasRead) {
  Text text(1);
  TextReceiver log = text.Subscribe();
  TextReceiver display = text.Subscribe(LagPolicy::kDropOldest);
  RINGWAY_ASSERT_OK(text.TrySend("a"));
  JoinHandle<absl::Status> sends = Spawn(SendText(&text, "b"));
  co_await Yield();
  EXPECT_FALSE(sends.done());
  EXPECT_EQ(Next(log), "a");
  RINGWAY_ASSERT_OK(co_await sends);
  EXPECT_EQ(Next(display), "b");
  EXPECT_EQ(display.TakeMissed(), 1u);
}

RINGWAY_TEST(BroadcastTasks, AReceiverThatGoesMakesRoom) {
  Text text(1);
  TextReceiver slow = text.Subscribe(), fast = text.Subscribe();
  RINGWAY_ASSERT_OK(co_await text.Send("a"));
  Next(fast);
  struct Local {
    static Task<absl::Status> Send(Text* text) {
      co_return co_await text->Send("b");
    }
  };
  JoinHandle<absl::Status> send = Spawn(Local::Send(&text));
  co_await Yield();
  EXPECT_FALSE(send.done());
  slow = TextReceiver();
  RINGWAY_ASSERT_OK(co_await send);
  EXPECT_EQ(Next(fast), "b");
}

// --- Ends.

RINGWAY_TEST(BroadcastTasks, CloseRefusesSendersAndLetsReceiversFinish) {
  Text text(1);
  TextReceiver receiver = text.Subscribe();
  RINGWAY_ASSERT_OK(co_await text.Send("last"));
  struct Local {
    static Task<absl::Status> Send(Text* text, std::string* value) {
      co_return co_await text->Send(std::move(*value));
    }
  };
  std::string kept = "kept";
  JoinHandle<absl::Status> send = Spawn(Local::Send(&text, &kept));
  co_await Yield();
  text.Close();
  absl::Status sent = co_await send;
  EXPECT_TRUE(absl::IsUnavailable(sent));
  EXPECT_EQ(kept, "kept");
  EXPECT_TRUE(absl::IsUnavailable(text.TrySend("late")));
  absl::StatusOr<std::string> got = co_await receiver.Receive();
  EXPECT_EQ(*got, "last");
  got = co_await receiver.Receive();
  EXPECT_TRUE(absl::IsUnavailable(got.status()));
  TextReceiver late = text.Subscribe();
  got = co_await late.Receive();
  EXPECT_TRUE(absl::IsUnavailable(got.status()));
}

RINGWAY_TEST(BroadcastTasks, CloseWakesReceiversThatWait) {
  Text text(1);
  struct Local {
    static Task<absl::Status> Receive(TextReceiver receiver) {
      absl::StatusOr<std::string> got = co_await receiver.Receive();
      co_return got.status();
    }
  };
  JoinHandle<absl::Status> waits = Spawn(Local::Receive(text.Subscribe()));
  co_await Yield();
  text.Close();
  absl::Status ended = co_await waits;
  EXPECT_TRUE(absl::IsUnavailable(ended)) << ended;
}

TEST(Broadcast, ThatIsGoneLeavesItsReceiversAtTheEnd) {
  TextReceiver receiver;
  EXPECT_TRUE(absl::IsUnavailable(receiver.TryReceive().status()));
  {
    Text text(1);
    receiver = text.Subscribe();
    EXPECT_TRUE(text.TrySend("unread").ok());
  }
  EXPECT_TRUE(receiver.ready());
  EXPECT_TRUE(absl::IsUnavailable(receiver.TryReceive().status()));
  TextReceiver moved = std::move(receiver);
  EXPECT_TRUE(absl::IsUnavailable(moved.TryReceive().status()));
}

TEST(Broadcast, AMovedReceiverGoesOnWhereItWas) {
  Text text(4, LagPolicy::kDropOldest);
  TextReceiver receiver = text.Subscribe();
  for (const char* value : {"a", "b", "c", "d", "e"})
    EXPECT_TRUE(text.TrySend(value).ok());
  TextReceiver moved = std::move(receiver);
  EXPECT_EQ(text.n_receivers(), 1u);
  EXPECT_EQ(Next(moved), "b");
  EXPECT_EQ(moved.TakeMissed(), 1u);
}

struct TwoWaits {
  Text full{1};
  TextReceiver never_reads = full.Subscribe();
  Text empty{1};
  TextReceiver waits = empty.Subscribe();
};

Task<void> WaitToSend(TwoWaits* both) {
  Shield shield;
  (co_await both->full.Send("b")).IgnoreError();
}
Task<void> WaitToReceive(TwoWaits* both) {
  Shield shield;
  (co_await both->waits.Receive()).status().IgnoreError();
}
Task<void> Pause() { (co_await Sleep(absl::Seconds(1))).IgnoreError(); }

// Frames, and objects in them, are destroyed in unspecified order.
TEST(Broadcast, MayGoBeforeOrAfterTheFramesThatWaitForIt) {
  for (bool first : {true, false}) {
    auto both = std::make_unique<TwoWaits>();
    EXPECT_TRUE(both->full.TrySend("a").ok());
    ExecutorOptions options;
    options.shutdown_grace = absl::ZeroDuration();
    struct Local {
      static Task<void> Own(std::unique_ptr<TwoWaits> waits) {
        Shield shield;
        static_cast<void>(waits);
        (co_await Sleep(absl::InfiniteDuration())).IgnoreError();
      }
    };
    VirtualTimeExecutor executor(options);
    TwoWaits* waits = both.get();
    if (first) executor->Spawn(Local::Own(std::move(both))).Detach();
    executor->Spawn(WaitToSend(waits)).Detach();
    executor->Spawn(WaitToReceive(waits)).Detach();
    if (!first) executor->Spawn(Local::Own(std::move(both))).Detach();
    EXPECT_TRUE(executor->Run(Pause()).ok());
  }
}

TEST(Broadcast, ServesTheNextExecutorOfItsThreadAndAnotherThreadLater) {
  Text text(1);
  TextReceiver receiver = text.Subscribe();
  struct Local {
    static Task<void> SendAndReceive(Text* text, TextReceiver* receiver) {
      RINGWAY_ASSERT_OK(co_await text->Send("a"));
      absl::StatusOr<std::string> got = co_await receiver->Receive();
      EXPECT_EQ(*got, "a");
    }
  };
  const auto use = [&] {
    for (int i = 0; i < 2; ++i) {
      VirtualTimeExecutor executor;
      EXPECT_TRUE(executor->Run(Local::SendAndReceive(&text, &receiver)).ok());
    }
  };
  std::thread(use).join();
  std::thread(use).join();
}

// --- Cost.

Task<uint64_t> CountAllocationsOfSends(Broadcast<int>* numbers,
                                       BroadcastReceiver<int>* receiver) {
  const uint64_t before = testing::CountAllocations();
  for (int i = 0; i < 1'000; ++i) {
    (co_await numbers->Send(i)).IgnoreError();
    (co_await receiver->Receive()).status().IgnoreError();
  }
  co_return testing::CountAllocations() - before;
}

TEST(Broadcast, AllocatesNothingOnceItIsMade) {
  VirtualTimeExecutor executor;
  Broadcast<int> numbers(8);
  BroadcastReceiver<int> receiver = numbers.Subscribe();
  EXPECT_EQ(*executor->Run(CountAllocationsOfSends(&numbers, &receiver)), 0u);
}

// --- Misuse.

TEST(BroadcastDeathTest, OfNoRoomOrTooMuchIsRefused) {
  EXPECT_DEATH(Text text(0), "a Broadcast holds 1 to");
  EXPECT_DEATH(Text text(Text::kMostCapacity + 1), "a Broadcast holds 1 to");
}

struct Call {
  const char* label;
  const char* message;
  std::function<Task<void>()> misuse;
};
void PrintTo(const Call& call, std::ostream* out) { *out << call.label; }

Task<void> ReceiveFrom(TextReceiver* receiver) {
  (co_await receiver->Receive()).status().IgnoreError();
}
Task<void> AwaitTwice() {
  Text text(1);
  TextReceiver receiver = text.Subscribe();
  Spawn(ReceiveFrom(&receiver)).Detach();
  co_await Yield();
  co_await ReceiveFrom(&receiver);
}
Task<void> MoveAwaited() {
  Text text(1);
  TextReceiver receiver = text.Subscribe();
  Spawn(ReceiveFrom(&receiver)).Detach();
  co_await Yield();
  TextReceiver moved = std::move(receiver);
}
Task<void> DestroyAwaited() {
  auto text = std::make_unique<Text>(1);
  TextReceiver receiver = text->Subscribe();
  Spawn(ReceiveFrom(&receiver)).Detach();
  co_await Yield();
  text.reset();
}
using Use = void (*)(Text&, TextReceiver&);
Task<void> UseOnAnotherThread(Use use) {
  Text text(1);
  TextReceiver receiver = text.Subscribe();
  (co_await text.Send("a")).IgnoreError();
  std::thread([&] { use(text, receiver); }).join();
}
std::function<Task<void>()> UseElsewhere(Use use) {
  return [use] { return UseOnAnotherThread(use); };
}

class BroadcastMisuseDeathTest : public ::testing::TestWithParam<Call> {};

TEST_P(BroadcastMisuseDeathTest, Dies) {
  // In the child: a forked one may not use its parent's executor.
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        executor->Run(GetParam().misuse()).IgnoreError();
      },
      GetParam().message);
}

constexpr char kForeign[] = "a Broadcast";
INSTANTIATE_TEST_SUITE_P(
    , BroadcastMisuseDeathTest,
    ::testing::Values(
        Call{"AwaitTwice", "two tasks await the same BroadcastReceiver",
             AwaitTwice},
        Call{"MoveAwaited", "BroadcastReceiver was moved or dropped while",
             MoveAwaited},
        Call{"DestroyAwaited", "a Broadcast was destroyed while a task",
             DestroyAwaited},
        Call{"TrySend", kForeign, UseElsewhere([](Text& t, TextReceiver&) {
               t.TrySend("b").IgnoreError();
             })},
        Call{"Close", kForeign,
             UseElsewhere([](Text& t, TextReceiver&) { t.Close(); })},
        Call{"Closed", kForeign,
             UseElsewhere([](Text& t, TextReceiver&) { t.closed(); })},
        Call{"Size", kForeign,
             UseElsewhere([](Text& t, TextReceiver&) { t.size(); })},
        Call{"Count", kForeign,
             UseElsewhere([](Text& t, TextReceiver&) { t.n_receivers(); })},
        Call{"Subscribe", kForeign,
             UseElsewhere([](Text& t, TextReceiver&) { t.Subscribe(); })},
        Call{"TryReceive", kForeign, UseElsewhere([](Text&, TextReceiver& r) {
               r.TryReceive().status().IgnoreError();
             })},
        Call{"Ready", kForeign,
             UseElsewhere([](Text&, TextReceiver& r) { r.ready(); })},
        Call{"TakeMissed", kForeign,
             UseElsewhere([](Text&, TextReceiver& r) { r.TakeMissed(); })},
        Call{"Move", kForeign, UseElsewhere([](Text&, TextReceiver& r) {
               TextReceiver moved = std::move(r);
             })}),
    [](const auto& info) { return std::string(info.param.label); });

}  // namespace
}  // namespace ringway
