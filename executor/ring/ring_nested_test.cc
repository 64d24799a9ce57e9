// SPDX-License-Identifier: Apache-2.0
//
// A ring inside another loop: another ring, or an epoll loop.

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/ring/ring.h"
#include "ringway/executor/ring/ring_fixture.h"

namespace ringway {
namespace {

using testing::BytesOf;
using testing::Log;
using testing::Once;
using testing::TestFdPair;

// Runs a ring from another one, for as long as it has tasks.
class Nested {
 public:
  Nested(Ring& outer, Ring& inner) : inner_(inner) { PollFrom(outer); }

  uint64_t times_run() const { return times_run_; }

 private:
  enum class Message : uint16_t { kReadable, kDue };

  void PollFrom(Ring& outer) {
    const MonotonicTime due = inner_.PrepareToPoll();
    if (inner_.stats().tasks_active == 0) return;
    poll_ = outer.Poll(inner_.PollableFd(), POLLIN,
                       Context(this, &OnDone, Message::kReadable));
    // Its timers are not the fd's business.
    timer_ =
        outer.Timer(due - outer.Now(), Context(this, &OnDone, Message::kDue));
  }

  // The first of the two cancels the other.
  static void OnDone(Ring& outer, Nested& self, Message which, Completion) {
    if (++self.ended_ == 1) {
      outer.Cancel(which == Message::kReadable ? self.timer_ : self.poll_);
      return;
    }
    self.ended_ = 0;
    ++self.times_run_;
    EXPECT_EQ(self.inner_.Run(RunMode::kNoWait), absl::OkStatus());
    self.PollFrom(outer);
  }

  Ring& inner_;
  RingTask poll_, timer_;
  int ended_ = 0;
  uint64_t times_run_ = 0;
};

class RingNestedTest : public testing::RingConformance {
 protected:
  static BackendOptions Pollable() {
    BackendOptions options = Options();
    options.pollable = true;
    return options;
  }
};

TEST_P(RingNestedTest, OneRingRunsSeveralOthers) {
  RINGWAY_REQUIRES_KERNEL("poll, of the fds of rings");
  constexpr int kInner = 3;
  std::vector<TestFdPair> pairs;
  std::deque<Ring> inner;
  std::deque<Nested> nested;
  Log log;
  std::array<std::byte, 8> buffer;
  for (uint16_t i = 0; i < kInner; ++i) {
    pairs.push_back(system().SocketPair());
    inner.emplace_back(NewLoop(Pollable()));
    inner.back().Recv(pairs[i].first.get(), buffer, log.At(2 * i));
    inner.back().Timer(absl::Milliseconds(i), log.At(2 * i + 1));
    nested.emplace_back(ring(), inner.back());
  }
  for (uint16_t i = 0; i < kInner; ++i) {
    // Not before the ring has nothing left but to wait for this.
    while (log.Finals(2 * i + 1).empty()) {
      ASSERT_EQ(ring().Run(RunMode::kOnce), absl::OkStatus());
    }
    SendAll(pairs[i].second.get(), "x");
  }
  RunUntilDone();
  for (uint16_t i = 0; i < kInner; ++i) {
    EXPECT_EQ(log.Finals(2 * i), Once(1)) << i;
    EXPECT_EQ(log.Finals(2 * i + 1), Once(0)) << i;
    EXPECT_LE(nested[i].times_run(), 8u) << "it spins";
  }
  EXPECT_LE(ring().stats().loop.turns, 100u) << "it spins";
}

// To senders a nested ring counts as blocked.
TEST_P(RingNestedTest, MessagesOfAnotherThreadWakeANestedRing) {
  RINGWAY_REQUIRES_KERNEL("poll, of the fds of rings");
  constexpr int kMessages = 200;
  Ring inner(NewLoop(Pollable()));
  struct Receiver {
    static void OnMessage(Ring& ring, Receiver& self, Completion) {
      if (++self.received == kMessages) ring.Cancel(self.keep_alive);
      self.received.notify_one();
    }
    std::atomic<int> received{0};
    RingTask keep_alive;
  } receiver;
  Log log;
  inner.OnMessage(Context(&receiver, &Receiver::OnMessage));
  receiver.keep_alive = inner.Timer(absl::InfiniteDuration(), log.At(0));
  Nested nested(ring(), inner);
  std::thread sender([&, address = inner.address()] {
    for (int i = 0; i < kMessages; ++i) {
      EXPECT_EQ(address.Send(uint64_t{1}), absl::OkStatus());
      receiver.received.wait(i);
    }
  });
  RunUntilDone();  // forever if a wake-up is lost
  sender.join();
  EXPECT_EQ(receiver.received, kMessages);
  EXPECT_LE(nested.times_run(), 3u * kMessages);
}

// Whole milliseconds, rounded up: it must not spin.
int Milliseconds(absl::Duration left) {
  return static_cast<int>(absl::ToInt64Milliseconds(
      std::clamp(absl::Ceil(left, absl::Milliseconds(1)), absl::ZeroDuration(),
                 absl::Hours(1))));
}

// As docs/ring.md shows it. Returns the turns it took.
int RunFromEpoll(Ring& ring) {
  const UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event = {};
  event.events = EPOLLIN;
  epoll_ctl(epoll.get(), EPOLL_CTL_ADD, ring.PollableFd(), &event);
  int turns = 0;
  while (ring.stats().tasks_active > 0) {
    const absl::Duration left = ring.PrepareToPoll() - ring.Now();
    // The kernel may interrupt it, as when it takes another ring down.
    if (epoll_wait(epoll.get(), &event, 1, Milliseconds(left)) >= 0) ++turns;
    ring.Run(RunMode::kNoWait).IgnoreError();  // it is in no other Run()
  }
  return turns;
}

TEST_P(RingNestedTest, AForeignEpollLoopRunsARing) {
  RINGWAY_REQUIRES_KERNEL("epoll, of the fds of rings");
  MakeRing(RingOptions(), Pollable());
  TestFdPair pair = system().SocketPair();
  std::array<std::byte, 8> buffer;
  Log log;
  log.then = [&](Ring&, uint16_t which, Completion&) {
    if (which == 0) SendAll(pair.second.get(), "x");
  };
  ring().Timer(absl::Milliseconds(3), log.At(0));
  ring().Recv(pair.first.get(), buffer, log.At(1));
  EXPECT_LE(RunFromEpoll(ring()), 10) << "it spins";
  EXPECT_EQ(log.Finals(0), Once(0));
  EXPECT_EQ(log.Finals(1), Once(1));
}

TEST_P(RingNestedTest, MessagesOfAnotherThreadWakeAForeignLoop) {
  RINGWAY_REQUIRES_KERNEL("poll, of the fds of rings");
  MakeRing(RingOptions(), Pollable());
  constexpr int kMessages = 200;
  std::atomic<int> received{0};
  struct Receiver {
    static void OnMessage(Ring&, std::atomic<int>& n, Completion) {
      ++n;
      n.notify_one();
    }
  };
  ring().OnMessage(Context(&received, &Receiver::OnMessage));
  std::thread sender([&, address = ring().address()] {
    for (int i = 0; i < kMessages; ++i) {
      EXPECT_EQ(address.Send(uint64_t{1}), absl::OkStatus());
      received.wait(i);
    }
  });
  int turns = 0;
  while (received < kMessages) {
    ++turns;
    pollfd readable = {ring().PollableFd(), POLLIN, 0};
    // For ever, if a wake-up is lost.
    if (ring().PrepareToPoll().is_infinite()) poll(&readable, 1, -1);
    RunWithoutWaiting();
  }
  sender.join();
  EXPECT_LE(turns, 3 * kMessages) << "it spins";
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(RingNestedTest);

}  // namespace
}  // namespace ringway
