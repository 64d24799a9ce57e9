// SPDX-License-Identifier: Apache-2.0
//
// Polls: events that are ready, that become ready and, for multishot polls,
// that become ready again.

#include <poll.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/operation_fixture.h"

namespace ringway::testing {
namespace {

class PollConformance : public OperationConformance {
 protected:
  void TearDown() override {
    if (!multishot_.active()) return;
    driver().Cancel(multishot_);
    EXPECT_TRUE(driver().RunUntil([&] { return multishot_.ended(); }));
    driver()->DropDeliveries(multishot_);
  }

  void Arm(int fd, uint32_t events) {
    PreparePollMultishot(multishot_, fd, events);
    driver().Start(multishot_);
    driver().TurnWithoutBlocking();
  }

  // The next mask delivered. Waits for it.
  int32_t Next() {
    EXPECT_TRUE(driver().RunUntil(
        [&] { return multishot_.first_delivery != nullptr; }));
    Delivery delivery;
    return driver()->TakeDelivery(multishot_, delivery) ? delivery.result : 0;
  }

  CountedMultishot multishot_;
};

TEST_P(PollConformance, TellsWhatIsReady) {
  TestFdPair sockets = system().SocketPair();
  PreparePoll(op_, sockets.first.get(), POLLIN | POLLOUT);
  EXPECT_EQ(Run(), POLLOUT);
  SendAll(sockets.second.get(), "x");
  PreparePoll(op_, sockets.first.get(), POLLIN);
  EXPECT_EQ(Run(), POLLIN);
}

TEST_P(PollConformance, WaitsUntilItIsReady) {
  TestFdPair sockets = system().SocketPair();
  PreparePoll(op_, sockets.first.get(), POLLIN);
  StartAndPend();
  SendAll(sockets.second.get(), "x");
  EXPECT_EQ(Finish(), POLLIN);
  EXPECT_EQ(system().Receive(sockets.first.get(), 1), "x");
}

TEST_P(PollConformance, WaitsForRoom) {
  TestFdPair pipe = system().Pipe();
  const std::string block(4096, 'x');
  size_t n_filled = 0;
  for (int64_t n; (n = system().Send(pipe.second.get(), block)) > 0;) {
    n_filled += static_cast<size_t>(n);
  }
  PreparePoll(op_, pipe.second.get(), POLLOUT);
  StartAndPend();
  EXPECT_EQ(system().Receive(pipe.first.get(), n_filled).size(), n_filled);
  EXPECT_EQ(Finish(), POLLOUT);
}

TEST_P(PollConformance, TellsOfAHangUpUnasked) {
  TestFdPair pipe = system().Pipe();
  pipe.second.Reset();
  PreparePoll(op_, pipe.first.get(), POLLIN);
  EXPECT_EQ(Run() & POLLHUP, POLLHUP);
}

TEST_P(PollConformance, TellsOfAnErrorUnasked) {
  TestFdPair pipe = system().Pipe();
  pipe.first.Reset();
  PreparePoll(op_, pipe.second.get(), POLLOUT);
  EXPECT_EQ(Run() & POLLERR, POLLERR);
}

TEST_P(PollConformance, HalfClosedStreamIsRdhupIfAsked) {
  TestFdPair sockets = system().SocketPair();
  PreparePoll(op_, sockets.first.get(), POLLRDHUP);
  StartAndPend();
  CountedOperation shutdown;
  PrepareShutdown(shutdown, sockets.second.get(), SHUT_WR);
  EXPECT_EQ(driver().RunToEnd(shutdown), 0);
  EXPECT_EQ(Finish(), POLLRDHUP);
}

TEST_P(PollConformance, FileIsReadyAtOnce) {
  TestFd file = system().File("");
  PreparePoll(op_, file.get(), POLLIN | POLLOUT);
  EXPECT_EQ(Run(), POLLIN | POLLOUT);
}

TEST_P(PollConformance, ListenerIsReadableWithAConnection) {
  TestFd listener = system().TcpListener(1);
  PreparePoll(op_, listener.get(), POLLIN);
  StartAndPend();
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  EXPECT_EQ(Finish(), POLLIN);
}

TEST_P(PollConformance, BadFdIsEbadf) {
  PreparePoll(op_, -1, POLLIN);
  EXPECT_EQ(Run(), -EBADF);
  PreparePollMultishot(multishot_, -1, POLLIN);
  EXPECT_EQ(driver().RunToEnd(multishot_), -EBADF);
}

TEST_P(PollConformance, SeveralPollsOfOneFdAreAllTold) {
  TestFdPair sockets = system().SocketPair();
  std::vector<CountedOperation> others(5);
  for (CountedOperation& op : others) {
    PreparePoll(op, sockets.first.get(), POLLIN);
    driver().Start(op);
  }
  PreparePoll(op_, sockets.first.get(), POLLIN);
  StartAndPend();
  SendAll(sockets.second.get(), "x");
  EXPECT_EQ(Finish(), POLLIN);
  for (CountedOperation& op : others) {
    EXPECT_TRUE(driver().RunUntil([&] { return op.done(); }));
    EXPECT_EQ(op.result, POLLIN);
  }
}

// --- Multishot

TEST_P(PollConformance, MultishotTellsAtOnceWhatIsReady) {
  TestFdPair sockets = system().SocketPair();
  SendAll(sockets.second.get(), "x");
  Arm(sockets.first.get(), POLLIN);
  EXPECT_EQ(Next(), POLLIN);
  EXPECT_FALSE(multishot_.ended());
}

TEST_P(PollConformance, MultishotTellsWheneverItBecomesReadyAgain) {
  TestFdPair sockets = system().SocketPair();
  Arm(sockets.first.get(), POLLIN);
  EXPECT_EQ(multishot_.told, 0);
  for (int round = 0; round < 100; ++round) {
    SendAll(sockets.second.get(), "x");
    ASSERT_EQ(Next(), POLLIN);
    ASSERT_EQ(system().Receive(sockets.first.get(), 64), "x");
    driver().TurnWithoutBlocking();
    // A second telling of the same byte is allowed; of none it would be a lie.
    driver()->DropDeliveries(multishot_);
  }
  EXPECT_FALSE(multishot_.ended());
}

TEST_P(PollConformance, MultishotDoesNotRepeatItself) {
  TestFdPair sockets = system().SocketPair();
  Arm(sockets.first.get(), POLLIN);
  SendAll(sockets.second.get(), "x");
  ASSERT_EQ(Next(), POLLIN);
  const uint64_t events = driver()->stats().deliveries;
  driver().TurnWithoutBlocking(100);
  EXPECT_EQ(driver()->stats().deliveries, events) << "it tells of old news";
}

TEST_P(PollConformance, MultishotTellsOfAHangUp) {
  TestFdPair pipe = system().Pipe();
  Arm(pipe.first.get(), POLLIN);
  pipe.second.Reset();
  EXPECT_EQ(Next() & POLLHUP, POLLHUP);
}

TEST_P(PollConformance, MultishotEndsCancelled) {
  TestFdPair sockets = system().SocketPair();
  Arm(sockets.first.get(), POLLIN);
  EXPECT_EQ(driver().Cancel(multishot_), CancelOutcome::kRequested);
  EXPECT_TRUE(driver().RunUntil([&] { return multishot_.ended(); }));
  driver().TurnWithoutBlocking();
  EXPECT_EQ(multishot_.result, -ECANCELED);
  EXPECT_EQ(multishot_.told, 1);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(PollConformance);

}  // namespace
}  // namespace ringway::testing
