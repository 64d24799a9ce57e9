// SPDX-License-Identifier: Apache-2.0
//
// Cancelling operations, one at a time, by fd or all at once: each still ends
// exactly once, and nothing is touched afterwards.

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/views.h"
#include "ringway/core/time/clock.h"

namespace ringway::testing {
namespace {

using CancelConformance = BackendConformance;

// Starts `op`, sees it pend, cancels it and expects one end as cancelled.
template <typename Op>
void ExpectCancelled(BackendDriver& driver, Op& op, const int& ends) {
  SCOPED_TRACE(OpCodeName(op.opcode));
  driver.Start(op);
  driver.TurnWithoutBlocking();
  ASSERT_EQ(op.state, OpState::kInFlight);
  const MonotonicTime asked = driver->clock().Now();

  EXPECT_EQ(driver.Cancel(op), CancelOutcome::kRequested);
  EXPECT_EQ(driver.Cancel(op), CancelOutcome::kRequested) << "asking twice";

  EXPECT_TRUE(driver.RunUntil([&] { return op.state == OpState::kDone; }));
  EXPECT_LT(driver->clock().Now() - asked, absl::Seconds(1));
  driver.TurnWithoutBlocking();
  EXPECT_EQ(ends, 1);
  EXPECT_EQ(op.result, -ECANCELED);
  EXPECT_EQ(driver.Cancel(op), CancelOutcome::kNotFound);
}

void ExpectCancelled(BackendDriver& driver, CountedOperation& op) {
  ExpectCancelled(driver, op, op.completions);
}

// Sends until `fd` takes no more.
void Fill(System& system, int fd) {
  const std::string block(4096, 'x');
  while (system.Send(fd, block) > 0) {
  }
}

TEST_P(CancelConformance, PendingRecvEndsCancelled) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  CountedOperation op;
  std::byte byte;
  PrepareRecv(op, sockets.first.get(), {&byte, 1});
  ExpectCancelled(driver, op);
}

// io_uring gives a send that it has tried 128 times to a thread that blocks in
// it; interrupted after a part, that one goes on with the rest.
TEST_P(CancelConformance, SendThatWasTriedOftenAndMovedAPartEnds) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  const std::string bytes(4 << 20, 'x');
  for (int round = 0; round < 5; ++round) {
    CountedOperation op;
    PrepareSend(op, sockets.first.get(), AsBytes(bytes), MSG_WAITALL);
    driver.Start(op);
    for (int i = 0; i < 200; ++i) {
      driver.TurnWithoutBlocking(1);
      system().Receive(sockets.second.get(), 4096);
    }
    ASSERT_EQ(op.state, OpState::kInFlight);
    EXPECT_EQ(driver.Cancel(op), CancelOutcome::kRequested);
    // A part may leave while it is being cancelled, and again.
    system().Receive(sockets.second.get(), 4096);
    ASSERT_TRUE(driver.RunUntil([&] { return op.done(); }));
    EXPECT_EQ(op.completions, 1);
    EXPECT_TRUE(op.result == -ECANCELED || op.result > 0) << op.result;
  }
}

// The least of many: one may meet a busy machine.
TEST_P(CancelConformance, CancelTakesEffectWithinMilliseconds) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  TestFd listener = system().TcpListener(1);
  std::byte byte;
  CountedOperation recv, accept, poll;
  const std::array<CountedOperation*, 3> all = {&recv, &accept, &poll};
  absl::Duration least = absl::InfiniteDuration();
  for (int round = 0; round < 20; ++round) {
    PrepareRecv(recv, sockets.first.get(), {&byte, 1});
    PrepareAccept(accept, listener.get(), nullptr, nullptr);
    PreparePoll(poll, sockets.second.get(), POLLIN);
    for (CountedOperation* op : all) {
      op->completions = 0;
      driver.Start(*op);
    }
    driver.TurnWithoutBlocking();
    const MonotonicTime asked = driver->clock().Now();
    for (CountedOperation* op : all) driver.Cancel(*op);
    ASSERT_TRUE(driver.RunUntil(
        [&] { return recv.done() && accept.done() && poll.done(); }));
    least = std::min(least, driver->clock().Now() - asked);
    for (CountedOperation* op : all) EXPECT_EQ(op->result, -ECANCELED);
  }
  EXPECT_LT(least, absl::Milliseconds(10));
}

TEST_P(CancelConformance, PendingRecvMsgEndsCancelled) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  CountedOperation op;
  char byte;
  iovec part = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  PrepareRecvMsg(op, sockets.first.get(), message);
  ExpectCancelled(driver, op);
}

TEST_P(CancelConformance, PendingSendEndsCancelled) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  Fill(system(), sockets.first.get());
  CountedOperation op;
  PrepareSend(op, sockets.first.get(), AsBytes("x"));
  ExpectCancelled(driver, op);
}

TEST_P(CancelConformance, PendingSendMsgEndsCancelled) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  Fill(system(), sockets.first.get());
  CountedOperation op;
  char byte = 'x';
  iovec part = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  PrepareSendMsg(op, sockets.first.get(), message);
  ExpectCancelled(driver, op);
}

TEST_P(CancelConformance, PendingAcceptEndsCancelled) {
  BackendDriver driver(MakeForTest());
  TestFd listener = system().TcpListener(1);
  CountedOperation op;
  PrepareAccept(op, listener.get(), nullptr, nullptr);
  ExpectCancelled(driver, op);
}

TEST_P(CancelConformance, ConnectIntoABlackHoleEndsCancelled) {
  BackendDriver driver(MakeForTest());
  TestFd listener = system().TcpListener(1);
  TestFdPair queue = system().FillAcceptQueue(listener.get());
  const sockaddr_in address = system().AddressOf(listener.get());
  TestFd client = system().TcpSocket();
  CountedOperation op;
  PrepareConnect(op, client.get(), AsSockaddr(address), sizeof(address));
  ExpectCancelled(driver, op);
}

TEST_P(CancelConformance, PendingPollEndsCancelled) {
  BackendDriver driver(MakeForTest());
  TestFdPair pipe = system().Pipe();
  CountedOperation op;
  PreparePoll(op, pipe.first.get(), POLLIN);
  ExpectCancelled(driver, op);
}

TEST_P(CancelConformance, ReadFromAnEmptyPipeEndsCancelled) {
  BackendDriver driver(MakeForTest());
  TestFdPair pipe = system().Pipe();
  CountedOperation op;
  std::byte byte;
  PrepareRead(op, pipe.first.get(), {&byte, 1}, kCurrentPosition);
  ExpectCancelled(driver, op);
}

TEST_P(CancelConformance, WriteToAFullPipeEndsCancelled) {
  BackendDriver driver(MakeForTest());
  TestFdPair pipe = system().Pipe();
  Fill(system(), pipe.second.get());
  CountedOperation op;
  PrepareWrite(op, pipe.second.get(), AsBytes("x"), kCurrentPosition);
  ExpectCancelled(driver, op);
}

TEST_P(CancelConformance, MultishotRecvEndsCancelled) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  CountedMultishot op;
  PrepareRecvMultishot(op, sockets.first.get());
  ExpectCancelled(driver, op, op.told);
}

TEST_P(CancelConformance, MultishotAcceptEndsCancelled) {
  BackendDriver driver(MakeForTest());
  TestFd listener = system().TcpListener(1);
  CountedMultishot op;
  PrepareAcceptMultishot(op, listener.get());
  ExpectCancelled(driver, op, op.told);
}

TEST_P(CancelConformance, WhatMultishotsDeliveredBeforeTheCancelIsKept) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  CountedMultishot op;
  PrepareRecvMultishot(op, sockets.first.get());
  driver.Start(op);
  driver.TurnWithoutBlocking();
  SendAll(sockets.second.get(), "hello");

  EXPECT_EQ(driver.Cancel(op), CancelOutcome::kRequested);
  EXPECT_TRUE(driver.RunUntil([&] { return op.ended(); }));

  std::string received;
  for (Delivery delivery; driver->TakeDelivery(op, delivery);) {
    received.append(reinterpret_cast<char*>(delivery.data),
                    static_cast<size_t>(delivery.result));
    driver->ReturnBuffer(delivery.buffer_id);
  }
  received += system().Receive(sockets.first.get(), 8);
  EXPECT_EQ(received, "hello") << "the bytes are delivered or still queued";
}

// --- All at once

TEST_P(CancelConformance, CancelByFdHitsBothDirectionsOfThatFdAndNoOther) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair(), others = system().SocketPair();
  const int fd = sockets.first.get();
  Fill(system(), fd);
  CountedOperation recv, send, poll, other_recv, peer_poll;
  CountedMultishot multishot, other_multishot;
  std::byte byte, other_byte;
  PrepareRecv(recv, fd, {&byte, 1});
  PrepareSend(send, fd, AsBytes("x"));
  PreparePoll(poll, fd, POLLIN);
  PreparePollMultishot(multishot, fd, POLLIN);
  PrepareRecv(other_recv, others.first.get(), {&other_byte, 1});
  PreparePoll(peer_poll, sockets.second.get(), POLLRDHUP);
  PreparePollMultishot(other_multishot, others.second.get(), POLLIN);
  for (Operation* op : std::initializer_list<Operation*>{
           &recv, &send, &poll, &multishot, &other_recv, &peer_poll,
           &other_multishot}) {
    driver.Start(*op);
  }
  driver.StartEverything();
  driver.TurnWithoutBlocking();

  EXPECT_EQ(driver->CancelFd(fd, driver.ready()), 4u);
  EXPECT_EQ(driver->CancelFd(fd, driver.ready()), 0u) << "asked twice";

  EXPECT_TRUE(driver.RunUntil([&] { return driver->stats().in_flight == 3; }));
  driver.TurnWithoutBlocking();
  for (const CountedOperation* op : {&recv, &send, &poll}) {
    EXPECT_EQ(op->completions, 1);
    EXPECT_EQ(op->result, -ECANCELED);
  }
  EXPECT_EQ(multishot.result, -ECANCELED);
  EXPECT_EQ(other_recv.state, OpState::kInFlight);
  EXPECT_EQ(peer_poll.state, OpState::kInFlight);
  EXPECT_EQ(other_multishot.state, OpState::kInFlight);
  EXPECT_EQ(driver->CancelAll(driver.ready()), 3u);
  EXPECT_TRUE(driver.RunUntil([&] { return driver->stats().in_flight == 0; }));
}

TEST_P(CancelConformance, CancelByFdFindsNothingOnAnIdleFd) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  CountedOperation queued;
  std::byte byte;
  PrepareRecv(queued, sockets.first.get(), {&byte, 1});
  driver.Start(queued);  // the loop's, not the backend's

  EXPECT_EQ(driver->CancelFd(sockets.first.get(), driver.ready()), 0u);
  EXPECT_EQ(driver->CancelFd(sockets.second.get(), driver.ready()), 0u);

  SendAll(sockets.second.get(), "x");
  EXPECT_TRUE(driver.RunUntil([&] { return queued.done(); }));
  EXPECT_EQ(queued.result, 1);
}

TEST_P(CancelConformance, CancelByFdReachesReceivesThatWaitForABuffer) {
  BackendOptions options = Options();
  options.receive_buffer_count = 1;
  options.receive_buffer_bytes = 64;
  options.receive_own_bytes = 0;
  options.share_receive_buffers = false;
  BackendDriver driver(MakeForTest(options));
  TestFdPair holder = system().SocketPair(), starved = system().SocketPair();
  CountedMultishot holding, waiting;
  PrepareRecvMultishot(holding, holder.first.get());
  driver.Start(holding);
  SendAll(holder.second.get(), "x");
  ASSERT_TRUE(driver.RunUntil([&] { return holding.delivery_count == 1; }));
  PrepareRecvMultishot(waiting, starved.first.get());
  driver.Start(waiting);
  SendAll(starved.second.get(), "kept");
  driver.TurnWithoutBlocking();

  EXPECT_EQ(driver->CancelFd(starved.first.get(), driver.ready()), 1u);

  EXPECT_TRUE(driver.RunUntil([&] { return waiting.ended(); }));
  EXPECT_EQ(waiting.result, -ECANCELED);
  EXPECT_EQ(system().Receive(starved.first.get(), 64), "kept");
  EXPECT_EQ(driver->CancelAll(driver.ready()), 1u);
  EXPECT_TRUE(driver.RunUntil([&] { return holding.ended(); }));
  driver->DropDeliveries(holding);
}

TEST_P(CancelConformance, CancelOfAllAsksEachOperationOnce) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  std::vector<CountedOperation> receives(500);
  std::byte byte;
  for (CountedOperation& op : receives) {
    PrepareRecv(op, sockets.first.get(), {&byte, 1});
    driver.Start(op);
  }
  driver.StartEverything();

  EXPECT_EQ(driver->CancelAll(driver.ready()), receives.size());
  EXPECT_EQ(driver->CancelAll(driver.ready()), 0u);

  EXPECT_TRUE(driver.RunUntil([&] { return driver->stats().in_flight == 0; }));
  driver.TurnWithoutBlocking();
  for (const CountedOperation& op : receives) {
    EXPECT_EQ(op.completions, 1);
    EXPECT_EQ(op.result, -ECANCELED);
  }
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(CancelConformance);

}  // namespace
}  // namespace ringway::testing
