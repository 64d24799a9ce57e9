// SPDX-License-Identifier: Apache-2.0
//
// Closing a stream does not wait for its peer.
//
// With SO_LINGER and a time the kernel's close waits until the peer has
// received everything, and io_uring's close does so on the submitting thread,
// which blocked the loop and every other connection. This only shows with a
// peer that does not read, and with the option set.

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/event.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::Peer;
using testing::PeerInput;
using testing::TurnTimes;
using testing::TurnUntil;

constexpr absl::Duration kLinger = absl::Seconds(10);

class LingerTest : public NetTest {
 protected:
  // A peer that does not read, and a linger time.
  void SetUp() override {
    NetTest::SetUp();
    if (IsSkipped()) return;
    Connected pair = ConnectedTcp(system());
    far_end_ = std::move(pair.far_end);
    near_end_ = Peer(system(), std::move(pair.near_end));
    n_sent_ = near_end_.Fill();
    SetLinger(kLinger);
    DestroyExecutor();
    began_ = Clock::Real().Now();
  }
  void TearDown() override {
    near_end_.Close();
    far_end_.Close();
    NetTest::TearDown();
  }

  void SetLinger(absl::Duration time) {
    const linger value = {
        .l_onoff = 1, .l_linger = static_cast<int>(time / absl::Seconds(1))};
    ASSERT_EQ(system().sockets().SetOption(near_end_.fd(), SOL_SOCKET,
                                           SO_LINGER, &value, sizeof(value)),
              0);
  }

  // Runs `main` in an executor, which then ends. On a separate thread,
  // because the end of an earlier ring leaves its thread with a pending
  // wake-up, like a signal, which would end the tested wait early.
  void RunOnItsThread(Task<void> main) {
    std::thread([&] {
      MakeExecutor();
      Run(std::move(main));
      DestroyExecutor();
    }).join();
  }

  void ExpectNoWait() { EXPECT_LT(Clock::Real().Now() - began_, kLinger / 2); }

  // The peer gets everything and then the end of the stream.
  Task<void> ExpectAllOfItArrives() {
    const PeerInput received = co_await far_end_.ReceiveAll();
    EXPECT_EQ(received.bytes.size(), n_sent_);
    EXPECT_EQ(received.errnum, 0);
  }

  Peer near_end_;
  Peer far_end_;
  size_t n_sent_ = 0;
  MonotonicTime began_;
};

TEST_P(LingerTest, DroppingAStreamDoesNotWait) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = OpenFds();
    { TcpStream stream = Adopt(near_end_.Release()); }
    co_await TurnUntil([&] { return OpenFds() == fds_before - 1; });
  };
  RunOnItsThread(main());
  ExpectNoWait();
  RunOnItsThread(ExpectAllOfItArrives());
}

TEST_P(LingerTest, ClosingAStreamDoesNotWait) {
  auto main = [&]() -> Task<void> {
    TcpStream stream = Adopt(near_end_.Release());
    EXPECT_TRUE((co_await stream.Close()).ok());
  };
  RunOnItsThread(main());
  ExpectNoWait();
  RunOnItsThread(ExpectAllOfItArrives());
}

TEST_P(LingerTest, TheEndOfAnExecutorDoesNotWait) {
  auto hold = [&]() -> Task<void> {
    TcpStream stream = Adopt(near_end_.Release());
    Event never;
    (co_await never.Wait()).IgnoreError();
  };
  auto main = [&]() -> Task<void> {
    Spawn(hold()).Detach();
    co_await TurnTimes(2);
  };
  RunOnItsThread(main());
  ExpectNoWait();
  RunOnItsThread(ExpectAllOfItArrives());
}

TEST_P(LingerTest, ALingerTimeOfZeroStaysAReset) {
  auto main = [&]() -> Task<void> {
    SetLinger(absl::ZeroDuration());
    TcpStream stream = Adopt(near_end_.Release());
    EXPECT_TRUE((co_await stream.Close()).ok());
    EXPECT_EQ((co_await far_end_.ReceiveAll()).errnum, ECONNRESET);
  };
  RunOnItsThread(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(LingerTest);

}  // namespace
}  // namespace ringway::net
