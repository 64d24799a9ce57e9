// SPDX-License-Identifier: Apache-2.0
//
// Closing a stream does not wait for its peer.
//
// With SO_LINGER and a time the kernel's close waits until the peer has
// everything, and io_uring's close does so on the thread that submits it: the
// loop stood still, and with it every other connection. Only with a peer that
// does not read, and the option set, does it show.

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/event.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/testing/kernel_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::CountOpenFds;
using testing::FillSendBuffer;
using testing::KernelNetTest;
using testing::KernelPair;
using testing::KernelTcp;
using testing::ReceiveAll;
using testing::ResetOnClose;
using testing::TurnUntil;

constexpr absl::Duration kLinger = absl::Seconds(10);

class LingerTest : public KernelNetTest {
 protected:
  // A peer that does not read what was sent to it, and a linger time.
  void SetUp() override {
    KernelNetTest::SetUp();
    pair_ = KernelTcp();
    n_sent_ = FillSendBuffer(pair_.near_end.get());
    const linger time = {
        .l_onoff = 1, .l_linger = static_cast<int>(kLinger / absl::Seconds(1))};
    ASSERT_EQ(setsockopt(pair_.near_end.get(), SOL_SOCKET, SO_LINGER, &time,
                         sizeof(time)),
              0);
    began_ = Clock::Real().Now();
  }

  void ExpectNoWait() { EXPECT_LT(Clock::Real().Now() - began_, kLinger / 2); }

  // The peer gets everything and then the end of the stream.
  void ExpectAllOfItArrives() {
    int errnum = 0;
    EXPECT_EQ(ReceiveAll(pair_.far_end.get(), &errnum).size(), n_sent_);
    EXPECT_EQ(errnum, 0);
  }

  KernelPair pair_;
  size_t n_sent_ = 0;
  MonotonicTime began_;
};

TEST_F(LingerTest, DroppingAStreamDoesNotWait) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = CountOpenFds();
    { TcpStream stream = Adopt(std::move(pair_.near_end)); }
    co_await TurnUntil([&] { return CountOpenFds() == fds_before - 1; });
  };
  Run(main());
  ExpectNoWait();
  ExpectAllOfItArrives();
  pair_.far_end.Reset();
}

TEST_F(LingerTest, ClosingAStreamDoesNotWait) {
  auto main = [&]() -> Task<void> {
    TcpStream stream = Adopt(std::move(pair_.near_end));
    EXPECT_TRUE((co_await stream.Close()).ok());
  };
  Run(main());
  ExpectNoWait();
  ExpectAllOfItArrives();
  pair_.far_end.Reset();
}

TEST_F(LingerTest, TheEndOfAnExecutorDoesNotWait) {
  auto hold = [&]() -> Task<void> {
    TcpStream stream = Adopt(std::move(pair_.near_end));
    Event never;
    (co_await never.Wait()).IgnoreError();
  };
  auto main = [&]() -> Task<void> {
    Spawn(hold()).Detach();
    co_await testing::TurnTimes(2);
  };
  Run(main());
  DestroyExecutor();
  ExpectNoWait();
  ExpectAllOfItArrives();
  pair_.far_end.Reset();
}

TEST_F(LingerTest, ALingerTimeOfZeroStaysAReset) {
  auto main = [&]() -> Task<void> {
    ResetOnClose(pair_.near_end.get());
    TcpStream stream = Adopt(std::move(pair_.near_end));
    EXPECT_TRUE((co_await stream.Close()).ok());
  };
  Run(main());
  int errnum = 0;
  ReceiveAll(pair_.far_end.get(), &errnum);
  EXPECT_EQ(errnum, ECONNRESET);
  pair_.far_end.Reset();
}

}  // namespace
}  // namespace ringway::net
