// SPDX-License-Identifier: Apache-2.0
//
// Operations that deliver many times: every byte and every connection arrives,
// in order, and each operation ends once.

#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <deque>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/conformance/multishot_fixture.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

TEST_P(MultishotConformance, DataOverManyBuffersArrivesInOrder) {
  Receiver receiver(system());
  BackendDriver driver(MakeForTest(WithBuffers(4, 256)));
  const std::string sent = Pattern(256 * 1024);
  size_t n_sent = 0;
  CountedOperation send;
  PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
  driver.Start(receiver.op);

  EXPECT_TRUE(driver.RunUntil([&] {
    if (!send.active() && n_sent < sent.size()) {
      if (send.done()) n_sent += static_cast<size_t>(send.result);
      send.completions = 0;
      if (n_sent < sent.size()) {
        PrepareSend(send, receiver.sockets.second.get(),
                    AsBytes(sent).subspan(n_sent));
        driver.Start(send);
      }
    }
    receiver.Take(driver);
    return receiver.received.size() >= sent.size();
  }));

  EXPECT_TRUE(receiver.received == sent);
  EXPECT_FALSE(receiver.op.ended());
}

TEST_P(MultishotConformance, EndOfStreamComesAfterTheDataAsZero) {
  Receiver receiver(system());
  BackendDriver driver(MakeForTest(WithBuffers(4, 64)));
  const std::string sent = Pattern(1'000);
  SendAll(receiver.sockets.second.get(), sent);
  receiver.sockets.second.Reset();
  PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
  driver.Start(receiver.op);

  EXPECT_TRUE(driver.RunUntil([&] {
    receiver.Take(driver);
    return receiver.op.ended();
  }));

  receiver.Take(driver);
  EXPECT_EQ(receiver.op.result, 0);
  EXPECT_TRUE(receiver.received == sent);
  EXPECT_EQ(driver->stats().in_flight, 0u);
}

TEST_P(MultishotConformance, ClosingAfterACancelGivesThePeerDataThenTheEnd) {
  Receiver receiver(system());
  BackendDriver driver(MakeForTest());
  PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
  driver.Start(receiver.op);
  CountedOperation send, close;
  PrepareSend(send, receiver.sockets.first.get(), AsBytes("last words"));
  EXPECT_EQ(driver.RunToEnd(send), 10);

  EXPECT_EQ(driver->CancelFd(receiver.sockets.first.get(), driver.ready()), 1u);
  EXPECT_TRUE(driver.RunUntil([&] { return receiver.op.ended(); }));
  PrepareClose(close, receiver.sockets.first.Release());
  EXPECT_EQ(driver.RunToEnd(close), 0);

  EXPECT_EQ(receiver.op.result, -ECANCELED);
  EXPECT_EQ(system().Receive(receiver.sockets.second.get(), 64), "last words");
  EXPECT_TRUE(system().AtEnd(receiver.sockets.second.get()));
}

TEST_P(MultishotConformance, ShutdownEndsAnArmedReceive) {
  Receiver receiver(system());
  BackendDriver driver(MakeForTest());
  PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
  driver.Start(receiver.op);
  driver.TurnWithoutBlocking();
  CountedOperation shutdown;
  PrepareShutdown(shutdown, receiver.sockets.first.get(), SHUT_RDWR);
  EXPECT_EQ(driver.RunToEnd(shutdown), 0);
  EXPECT_TRUE(driver.RunUntil([&] { return receiver.op.ended(); }));
  EXPECT_EQ(receiver.op.result, 0);
  EXPECT_TRUE(system().AtEnd(receiver.sockets.second.get()));
}

TEST_P(MultishotConformance, ResetEndsAnArmedReceiveOnce) {
  TestFd listener = system().TcpListener(1);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  CountedMultishot op;
  BackendDriver driver(MakeForTest());
  PrepareRecvMultishot(op, client.get());
  driver.Start(op);
  driver.TurnWithoutBlocking();
  system().ResetPeer(system().Accept(listener.get()));
  EXPECT_TRUE(driver.RunUntil([&] { return op.ended(); }));
  driver.TurnWithoutBlocking();
  EXPECT_EQ(op.result, -ECONNRESET);
  EXPECT_EQ(op.told, 1);
}

TEST_P(MultishotConformance, OverflowingCompletionQueueKeepsStreamsInOrder) {
  // A full completion queue ends multishot operations in the kernel.
  constexpr size_t kConnections = 32, kRounds = 20;
  BackendOptions options = WithBuffers(256, 64);
  options.submission_entries = 2;
  options.completion_entries = 4;
  std::deque<Receiver> receivers = MakeReceivers(kConnections);
  BackendDriver driver(MakeForTest(options));
  for (Receiver& receiver : receivers) {
    PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
    driver.Start(receiver.op);
  }
  driver.StartEverything();
  const std::string sent = Pattern(400 * kRounds);
  for (size_t round = 0; round < kRounds; ++round) {
    for (Receiver& receiver : receivers) {
      SendAll(receiver.sockets.second.get(), sent.substr(round * 400, 400));
    }
    ASSERT_TRUE(driver.RunUntil([&] {
      size_t n_bytes = 0;
      for (Receiver& receiver : receivers) {
        receiver.Take(driver);
        n_bytes += receiver.received.size();
      }
      return n_bytes == kConnections * 400 * (round + 1);
    }));
  }
  for (Receiver& receiver : receivers) {
    EXPECT_TRUE(receiver.received == sent);
    EXPECT_FALSE(receiver.op.ended());
  }
}

TEST_P(MultishotConformance, AcceptsAThousandConnections) {
  constexpr size_t kConnections = 1'000;
  BackendOptions options = Options();
  options.submission_entries = 16;
  options.completion_entries = 16;
  const size_t fds_before = system().OpenFds();
  {
    TestFd listener = system().TcpListener(kConnections);
    const sockaddr_in address = system().AddressOf(listener.get());
    CountedMultishot op;
    BackendDriver driver(MakeForTest(options));
    PrepareAcceptMultishot(op, listener.get());
    driver.Start(op);
    std::vector<TestFd> clients, servers;
    for (size_t i = 0; i < kConnections; ++i) {
      clients.push_back(system().ConnectTo(address));
      if (i % 100 == 0) driver.TurnWithoutBlocking(1);
    }

    EXPECT_TRUE(driver.RunUntil([&] {
      for (Delivery delivery; driver->TakeDelivery(op, delivery);) {
        EXPECT_EQ(delivery.data, nullptr);
        servers.push_back(system().Own(delivery.result));
      }
      return servers.size() >= kConnections;
    }));

    EXPECT_EQ(servers.size(), kConnections);
    EXPECT_FALSE(op.ended());
    EXPECT_TRUE(system().IsCloseOnExec(servers.front().get()));
  }
  EXPECT_EQ(system().OpenFds(), fds_before);
}

TEST_P(MultishotConformance, DroppedAcceptsAreClosed) {
  TestFd listener = system().TcpListener(16);
  const sockaddr_in address = system().AddressOf(listener.get());
  CountedMultishot op;
  BackendDriver driver(MakeForTest());
  PrepareAcceptMultishot(op, listener.get());
  driver.Start(op);
  std::vector<TestFd> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(system().ConnectTo(address));
  ASSERT_TRUE(
      driver.RunUntil([&] { return driver->stats().deliveries == 10; }));
  driver.Cancel(op);
  ASSERT_TRUE(driver.RunUntil([&] { return op.ended(); }));
  const size_t fds = system().OpenFds();

  driver->DropDeliveries(op);

  EXPECT_EQ(system().OpenFds(), fds - 10);
  for (TestFd& client : clients) {
    EXPECT_TRUE(system().AtEnd(client.get())) << "its peer lives on";
  }
}

TEST_P(MultishotConformance, ListenerClosesAfterItsAcceptsAreCancelled) {
  TestFd listener = system().TcpListener(16);
  const sockaddr_in address = system().AddressOf(listener.get());
  CountedMultishot op;
  CountedOperation close, connect;
  BackendDriver driver(MakeForTest());
  PrepareAcceptMultishot(op, listener.get());
  driver.Start(op);
  driver.TurnWithoutBlocking();
  TestFd taken = system().ConnectTo(address);

  EXPECT_EQ(driver->CancelFd(listener.get(), driver.ready()), 1u);
  EXPECT_TRUE(driver.RunUntil([&] { return op.ended(); }));
  driver->DropDeliveries(op);
  PrepareClose(close, listener.Release());
  EXPECT_EQ(driver.RunToEnd(close), 0);

  TestFd late = system().TcpSocket();
  PrepareConnect(connect, late.get(), AsSockaddr(address), sizeof(address));
  EXPECT_EQ(driver.RunToEnd(connect), -ECONNREFUSED);
}

TEST_P(MultishotConformance, AcceptWithoutFdsLeftEndsWithEmfileOnce) {
  RINGWAY_REQUIRES_KERNEL("limit on fds");
  TestFd listener = system().TcpListener(16);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  CountedMultishot op;
  BackendDriver driver(MakeForTest());
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none_left = {0, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none_left), 0);
  PrepareAcceptMultishot(op, listener.get());
  driver.Start(op);

  EXPECT_TRUE(driver.RunUntil([&] { return op.ended(); }));

  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(op.result, -EMFILE);
  EXPECT_EQ(op.told, 1);
  EXPECT_EQ(driver->stats().rearms, 0u) << "it was tried again for nothing";
}

TEST_P(MultishotConformanceDeathTest, DeliveriesThatNobodyTookAbort) {
  EXPECT_DEATH(
      {
        BackendDriver driver(MakeForTest());
        Receiver receiver(system());
        SendAll(receiver.sockets.second.get(), "x");
        PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
        driver.Start(receiver.op);
        static_cast<void>(driver.RunUntil(
            [&] { return receiver.op.first_delivery != nullptr; }));
        driver.DestroyBackend();
      },
      "multishot recv operation was destroyed with deliveries that were not "
      "taken");
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(MultishotConformance);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(MultishotConformanceDeathTest);

}  // namespace
}  // namespace ringway::testing
