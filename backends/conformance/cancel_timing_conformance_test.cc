// SPDX-License-Identifier: Apache-2.0
//
// When a cancel comes: before its operation has started, in the turn that
// submits it, along with its completion, or by the thousand.

#include <poll.h>

#include <array>
#include <cerrno>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

// Instantiated in cancel_conformance_test.cc.
using CancelConformance = BackendConformance;

TEST_P(CancelConformance, QueuedOperationNeverStarts) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  CountedOperation send;
  PrepareSend(send, sockets.first.get(), AsBytes("x"));
  driver.Start(send);

  EXPECT_EQ(driver.Cancel(send), CancelOutcome::kNotStarted);
  EXPECT_EQ(driver.Cancel(send), CancelOutcome::kNotFound);
  EXPECT_EQ(send.completions, 0) << "resumed from inside Cancel()";
  driver.TurnWithoutBlocking();

  EXPECT_EQ(send.completions, 1);
  EXPECT_EQ(send.result, -ECANCELED);
  EXPECT_EQ(system().Receive(sockets.second.get(), 1), "")
      << "it was sent all the same";
  EXPECT_EQ(driver->stats().in_flight, 0u);
}

TEST_P(CancelConformance, QueuedMultishotNeverStarts) {
  BackendDriver driver(MakeForTest());
  TestFd listener = system().TcpListener(1);
  CountedMultishot op;
  PrepareAcceptMultishot(op, listener.get());
  driver.Start(op);

  EXPECT_EQ(driver.Cancel(op), CancelOutcome::kNotStarted);
  driver.TurnWithoutBlocking();

  EXPECT_EQ(op.told, 1);
  EXPECT_EQ(op.result, -ECANCELED);
}

TEST_P(CancelConformance, IdleOperationIsNotFound) {
  BackendDriver driver(MakeForTest());
  CountedOperation op;
  PrepareNop(op);

  EXPECT_EQ(driver.Cancel(op), CancelOutcome::kNotFound);
  EXPECT_EQ(driver.RunToEnd(op), 0);
}

TEST_P(CancelConformance, CancelInTheTurnThatSubmitsReachesTheOperation) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  CountedOperation op;
  std::byte byte;
  PrepareRecv(op, sockets.first.get(), {&byte, 1});
  driver.Start(op);
  driver->Submit(driver.pending(), driver.ready());  // not with the kernel yet

  EXPECT_EQ(driver.Cancel(op), CancelOutcome::kRequested);
  EXPECT_TRUE(driver.RunUntil([&] { return op.done(); }));

  EXPECT_EQ(op.result, -ECANCELED);
}

TEST_P(CancelConformance, ThousandsOfCancelsFitThroughATinyRing) {
  BackendOptions options = Options();
  options.submission_entries = 2;
  options.completion_entries = 4;
  BackendDriver driver(MakeForTest(options));
  TestFdPair pipe = system().Pipe();
  std::vector<CountedOperation> polls(3'000);
  for (CountedOperation& op : polls) {
    PreparePoll(op, pipe.first.get(), POLLIN);
    driver.Start(op);
  }
  driver.StartEverything();
  for (CountedOperation& op : polls) {
    EXPECT_EQ(driver.Cancel(op), CancelOutcome::kRequested);
  }

  EXPECT_TRUE(driver.RunUntil([&] { return driver->stats().in_flight == 0; }));

  driver.TurnWithoutBlocking();
  for (const CountedOperation& op : polls) {
    EXPECT_EQ(op.completions, 1);
    EXPECT_EQ(op.result, -ECANCELED);
  }
}

TEST_P(CancelConformance, NextOccupantOfTheSameMemoryIsUntouched) {
  // A cancel names its target by address. One that is overtaken by the
  // completion must not find the operation that lives there next.
  BackendOptions options = Options();
  options.submission_entries = 4;
  BackendDriver driver(MakeForTest(options));
  TestFdPair sockets = system().SocketPair();
  alignas(CountedOperation) std::array<std::byte, sizeof(CountedOperation)>
      memory;
  int cancelled = 0;
  for (int round = 0; round < 1'000; ++round) {
    SCOPED_TRACE(round);
    std::byte byte{};
    auto* first = new (memory.data()) CountedOperation;
    PrepareRecv(*first, sockets.first.get(), {&byte, 1});
    driver.Start(*first);
    driver.TurnWithoutBlocking(2);
    const bool send_first = round % 2 == 0;
    if (send_first) SendAll(sockets.second.get(), "1");
    driver.Cancel(*first);
    if (!send_first) SendAll(sockets.second.get(), "1");
    ASSERT_TRUE(driver.RunUntil([&] { return first->done(); }));
    ASSERT_EQ(first->completions, 1);
    const bool received = first->result == 1;
    if (!received) {
      ASSERT_EQ(first->result, -ECANCELED);
      ++cancelled;
    }
    EXPECT_EQ(driver.Cancel(*first), CancelOutcome::kNotFound);
    first->~CountedOperation();

    auto* second = new (memory.data()) CountedOperation;
    PrepareRecv(*second, sockets.first.get(), {&byte, 1});
    driver.Start(*second);
    driver.TurnWithoutBlocking(2);
    if (received) {
      ASSERT_EQ(second->completions, 0) << "result " << second->result;
      SendAll(sockets.second.get(), "2");
    }
    ASSERT_TRUE(driver.RunUntil([&] { return second->done(); }));
    ASSERT_EQ(second->result, 1) << "the byte was lost";
    ASSERT_EQ(byte, received ? std::byte{'2'} : std::byte{'1'});
    second->~CountedOperation();
  }
  RecordProperty("cancelled", cancelled);
}

TEST_P(CancelConformance, AcceptRacingItsCancelLeaksNoConnection) {
  BackendDriver driver(MakeForTest());
  TestFd listener = system().TcpListener(16);
  const sockaddr_in address = system().AddressOf(listener.get());
  CountedOperation op;
  for (int round = 0; round < 200; ++round) {
    op.completions = 0;
    PrepareAccept(op, listener.get(), nullptr, nullptr);
    driver.Start(op);
    driver.TurnWithoutBlocking(2);
    TestFd client = system().ConnectTo(address);
    driver.Cancel(op);
    ASSERT_TRUE(driver.RunUntil([&] { return op.done(); }));
    TestFd server = op.result == -ECANCELED  // then it must still be queued
                        ? system().Accept(listener.get())
                        : system().Own(op.result);
    ASSERT_TRUE(server.valid());
    SendAll(server.get(), "x");
    ASSERT_EQ(system().Receive(client.get(), 1), "x");
  }
}

}  // namespace
}  // namespace ringway::testing
