// SPDX-License-Identifier: Apache-2.0
//
// Operations that deliver many times: every byte and every connection arrives,
// in order, through exhausted buffers and overflowing queues, without a spin.

#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

// Bytes whose order shows.
std::string Pattern(size_t n_bytes, unsigned seed = 0) {
  std::string pattern(n_bytes, '\0');
  uint32_t state = seed * 2654435761u + 1;
  for (char& c : pattern) {
    state = state * 1664525u + 1013904223u;
    c = static_cast<char>(state >> 24);
  }
  return pattern;
}

// One stream being received.
struct Receiver {
  explicit Receiver(System& system) : sockets(system.SocketPair()) {}

  TestFdPair sockets;
  CountedMultishot op;
  std::string received;

  // Takes everything delivered and gives the buffers back. Returns how many.
  size_t Take(BackendDriver& driver) {
    size_t n = 0;
    for (Delivery delivery; driver->TakeDelivery(op, delivery); ++n) {
      EXPECT_GT(delivery.result, 0);
      received.append(reinterpret_cast<char*>(delivery.data),
                      static_cast<size_t>(delivery.result));
      driver->ReturnBuffer(delivery.buffer_id);
    }
    return n;
  }
};

class MultishotConformance : public BackendConformance {
 protected:
  static BackendOptions WithBuffers(uint32_t count, uint32_t n_bytes) {
    BackendOptions options = Options();
    options.receive_buffer_count = count;
    options.receive_buffer_bytes = n_bytes;
    return options;
  }

  std::deque<Receiver> MakeReceivers(size_t n) {
    std::deque<Receiver> receivers;
    while (receivers.size() < n) receivers.emplace_back(system());
    return receivers;
  }
};

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

TEST_P(MultishotConformance, TwoBuffersServeFiftyConnections) {
  constexpr size_t kConnections = 50, kBytes = 1'024, kBuffer = 64;
  std::deque<Receiver> receivers = MakeReceivers(kConnections);
  BackendDriver driver(MakeForTest(WithBuffers(2, kBuffer)));
  for (size_t i = 0; i < kConnections; ++i) {
    SendAll(receivers[i].sockets.second.get(),
            Pattern(kBytes, static_cast<unsigned>(i)));
    PrepareRecvMultishot(receivers[i].op, receivers[i].sockets.first.get());
    driver.Start(receivers[i].op);
  }

  size_t n_bytes = 0;
  EXPECT_TRUE(driver.RunUntil([&] {
    n_bytes = 0;
    for (Receiver& receiver : receivers) {
      receiver.Take(driver);
      n_bytes += receiver.received.size();
    }
    return n_bytes >= kConnections * kBytes;
  }));

  EXPECT_EQ(n_bytes, kConnections * kBytes);
  for (size_t i = 0; i < kConnections; ++i) {
    EXPECT_TRUE(receivers[i].received ==
                Pattern(kBytes, static_cast<unsigned>(i)))
        << "stream " << i;
    EXPECT_FALSE(receivers[i].op.ended());
  }
  // Each re-arming takes a buffer's worth or ends the turn's supply.
  const BackendStats stats = driver->stats();
  EXPECT_LE(stats.rearms, 2 * stats.deliveries + kConnections);
  EXPECT_LE(stats.system_calls, 2 * stats.deliveries + 2 * kConnections);
}

TEST_P(MultishotConformance, WithoutBuffersNothingSpinsUntilOneIsReturned) {
  constexpr size_t kConnections = 10;
  std::deque<Receiver> receivers = MakeReceivers(kConnections);
  BackendDriver driver(MakeForTest(WithBuffers(2, 64)));
  for (Receiver& receiver : receivers) {
    SendAll(receiver.sockets.second.get(), Pattern(64));
    PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
    driver.Start(receiver.op);
  }
  ASSERT_TRUE(driver.RunUntil(
      [&] { return driver->stats().buffer_starved >= kConnections - 2; }));
  std::vector<Delivery> held;
  for (Receiver& receiver : receivers) {
    for (Delivery delivery; driver->TakeDelivery(receiver.op, delivery);) {
      held.push_back(delivery);
    }
  }
  ASSERT_EQ(held.size(), 2u);
  const BackendStats before = driver->stats();

  driver.TurnWithoutBlocking(1'000);

  // Other backends than io_uring ask once a turn whether there is anything.
  EXPECT_LE(driver->stats().system_calls - before.system_calls,
            IsUring() ? 2u : 1'000u);
  EXPECT_EQ(driver->stats().rearms, before.rearms);

  driver.Turn(driver->clock().Now() + absl::Milliseconds(2));
  EXPECT_EQ(driver->stats().waits, before.waits + 1) << "it did not block";

  for (const Delivery& delivery : held)
    driver->ReturnBuffer(delivery.buffer_id);
  size_t n_events = held.size();
  EXPECT_TRUE(driver.RunUntil([&] {
    for (Receiver& receiver : receivers) n_events += receiver.Take(driver);
    return n_events == kConnections;
  }));
}

TEST_P(MultishotConformance, ReceiveThatWaitsForABufferCanBeCancelled) {
  Receiver holder(system()), starved(system());
  BackendDriver driver(MakeForTest(WithBuffers(1, 64)));
  for (Receiver* receiver : {&holder, &starved}) {
    SendAll(receiver->sockets.second.get(), "x");
    PrepareRecvMultishot(receiver->op, receiver->sockets.first.get());
    driver.Start(receiver->op);
  }
  ASSERT_TRUE(
      driver.RunUntil([&] { return driver->stats().buffer_starved > 0; }));
  driver.TurnWithoutBlocking();
  CountedMultishot& waiting =
      starved.op.first_delivery == nullptr ? starved.op : holder.op;

  EXPECT_EQ(driver.Cancel(waiting), CancelOutcome::kRequested);
  EXPECT_TRUE(driver.RunUntil([&] { return waiting.told > 0; }));

  EXPECT_EQ(waiting.result, -ECANCELED);
  EXPECT_EQ(driver.Cancel(waiting), CancelOutcome::kNotFound);
  driver->DropDeliveries(holder.op);
  driver->DropDeliveries(starved.op);
}

TEST_P(MultishotConformance, FourSmallBuffersServeTwoHundredConnections) {
  constexpr size_t kConnections = 200, kRounds = 5, kBytes = 4'000;
  std::deque<Receiver> receivers = MakeReceivers(kConnections);
  BackendDriver driver(MakeForTest(WithBuffers(4, 1'024)));
  for (Receiver& receiver : receivers) {
    PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
    driver.Start(receiver.op);
  }
  driver.StartEverything();
  for (size_t round = 1; round <= kRounds; ++round) {
    for (size_t i = 0; i < kConnections; ++i) {
      SendAll(receivers[i].sockets.second.get(),
              Pattern(kBytes, static_cast<unsigned>(i)));
    }
    ASSERT_TRUE(driver.RunUntil([&] {
      for (Receiver& receiver : receivers) receiver.Take(driver);
      return std::all_of(receivers.begin(), receivers.end(),
                         [&](const Receiver& receiver) {
                           return receiver.received.size() == round * kBytes;
                         });
    }));
  }
  for (size_t i = 0; i < kConnections; ++i) {
    const std::string sent = Pattern(kBytes, static_cast<unsigned>(i));
    for (size_t round = 0; round < kRounds; ++round) {
      EXPECT_TRUE(receivers[i].received.compare(round * kBytes, kBytes, sent) ==
                  0);
    }
  }
  const BackendStats stats = driver->stats();
  EXPECT_LE(stats.rearms, 2 * stats.deliveries + kConnections) << "it spun";
}

TEST_P(MultishotConformance, HoldersOfDeliveriesDoNotStarveOthers) {
  constexpr size_t kMessages = 100;
  Receiver holder(system()), other(system());
  BackendOptions options = WithBuffers(4, 1'024);
  options.receive_low_water = 2;
  BackendDriver driver(MakeForTest(options));
  std::vector<Delivery> held;
  for (Receiver* receiver : {&holder, &other}) {
    PrepareRecvMultishot(receiver->op, receiver->sockets.first.get());
    driver.Start(receiver->op);
  }
  driver.StartEverything();
  const auto take_and_hold = [&] {
    for (Delivery delivery; driver->TakeDelivery(holder.op, delivery);) {
      held.push_back(delivery);
    }
    return held.size();
  };

  for (size_t i = 0; i < kMessages; ++i) {
    SendAll(holder.sockets.second.get(),
            Pattern(100, static_cast<unsigned>(i)));
    ASSERT_TRUE(driver.RunUntil([&] { return take_and_hold() == i + 1; }));
    SendAll(other.sockets.second.get(), "x");
    ASSERT_TRUE(driver.RunUntil([&] {
      other.Take(driver);
      return other.received.size() == i + 1;
    }));
  }

  EXPECT_GE(driver->stats().buffers_copied, kMessages - 4);
  for (size_t i = 0; i < kMessages; ++i) {
    EXPECT_EQ(AsText({held[i].data, static_cast<size_t>(held[i].result)}),
              Pattern(100, static_cast<unsigned>(i)))
        << "delivery " << i << " did not stay as it was";
    driver->ReturnBuffer(held[i].buffer_id);
  }
}

TEST_P(MultishotConformance, CopiesEndAtTheirLimitAndReceivesWaitForABuffer) {
  constexpr size_t kMessages = 50;
  Receiver receiver(system());
  BackendOptions options = WithBuffers(4, 1'024);
  options.receive_low_water = 4;
  options.receive_copy_bytes = 2'000;
  BackendDriver driver(MakeForTest(options));
  PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
  driver.Start(receiver.op);
  driver.StartEverything();
  std::vector<Delivery> held;
  for (size_t i = 0; i < kMessages; ++i) {
    SendAll(receiver.sockets.second.get(), std::string(100, 'x'));
    driver.TurnWithoutBlocking();
    for (Delivery delivery; driver->TakeDelivery(receiver.op, delivery);) {
      held.push_back(delivery);
    }
  }
  const uint64_t copied = driver->stats().buffers_copied;
  EXPECT_GE(copied, 1u);
  EXPECT_LE(copied, 20u) << "copies take more than their limit";
  EXPECT_EQ(held.size(), copied + 4) << "then four buffers, then none";

  size_t n_bytes = 0;
  for (const Delivery& delivery : held) {
    n_bytes += static_cast<size_t>(delivery.result);
    driver->ReturnBuffer(delivery.buffer_id);
  }
  EXPECT_TRUE(driver.RunUntil([&] {
    receiver.Take(driver);
    return n_bytes + receiver.received.size() == kMessages * 100;
  }));
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

TEST_P(MultishotConformance, BuffersOfACancelledReceiveGoBackWhenDropped) {
  Receiver last(system());
  BackendDriver driver(MakeForTest(WithBuffers(2, 64)));
  for (int round = 0; round < 50; ++round) {
    Receiver receiver(system());
    SendAll(receiver.sockets.second.get(), Pattern(128));
    PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
    driver.Start(receiver.op);
    ASSERT_TRUE(
        driver.RunUntil([&] { return receiver.op.first_delivery != nullptr; }));
    driver.Cancel(receiver.op);
    ASSERT_TRUE(driver.RunUntil([&] { return receiver.op.ended(); }));
    driver->DropDeliveries(receiver.op);
  }
  // Had one been lost in a round, this one would get none.
  SendAll(last.sockets.second.get(), Pattern(128));
  PrepareRecvMultishot(last.op, last.sockets.first.get());
  driver.Start(last.op);
  EXPECT_TRUE(driver.RunUntil([&] {
    last.Take(driver);
    return last.received.size() == 128;
  }));
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

using MultishotConformanceDeathTest = MultishotConformance;

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

TEST_P(MultishotConformanceDeathTest, ReturningABufferThatIsNotLentAborts) {
  EXPECT_DEATH(
      {
        BackendDriver driver(MakeForTest());
        driver->ReturnBuffer(0);
      },
      "none was ever lent");
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(MultishotConformance);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(MultishotConformanceDeathTest);

}  // namespace
}  // namespace ringway::testing
