// SPDX-License-Identifier: Apache-2.0
//
// Memory runs out while a backend is in use: each allocation of a mixed load
// fails once, and then all of them. Every operation still ends once, and no
// fd, buffer or memory is leaked.
//
// The exception of a failed allocation used to propagate from Submit() or
// Wait() with completions half processed: ended operations were never
// reported, and accepted connections or receive buffers leaked. Other suites
// never run out of memory.

#include "ringway/backends/testing/failing_allocation.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

class FailingAllocationConformance : public BackendConformance {
 protected:
  void SetUp() override {
    BackendConformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    RINGWAY_REQUIRES_KERNEL(
        "memory: the simulator's objects are all on the heap");
  }

  // So that deliveries are copied.
  static BackendOptions WithFewBuffers() {
    BackendOptions options = Options();
    options.receive_buffer_count = 8;
    options.receive_low_water = 8;
    return options;
  }

  // Turns that never block, while allocations fail. False if one threw.
  static bool TurnWithout(BackendDriver& driver, uint64_t first, uint64_t last,
                          bool& happened) {
    FailingAllocation failure(first, last);
    bool threw = false;
    try {
      driver.TurnWithoutBlocking(4);
    } catch (const std::bad_alloc&) {
      threw = true;
    }
    happened = failure.happened();
    return !threw;
  }
};

// One of each kind that needs memory of its backend, with all that it waits
// for.
struct Load {
  Load(System& s, BackendDriver& d) : system(s), driver(d) {
    // An epoll backend knows these numbers from now on.
    for (int fd : {stream.first.get(), listener.get(), sockets.first.get()}) {
      PreparePoll(poll, fd, POLLIN);
      driver.Start(poll);
      driver.TurnWithoutBlocking();
      driver.Cancel(poll);
      EXPECT_TRUE(driver.RunUntil([&] { return !poll.active(); }));
    }
  }

  void Start() {
    system.Send(stream.second.get(), "delivered");
    client = system.ConnectTo(system.AddressOf(listener.get()));
    PrepareRecvMultishot(receive, stream.first.get());
    PrepareAcceptMultishot(accept, listener.get());
    PreparePollMultishot(readiness, sockets.second.get(), POLLOUT);
    PrepareSendZeroCopy(zero_copy, sockets.first.get(), AsBytes("zero"));
    PrepareSendFile(send_file, sockets.first.get(), file.get(), 0, 4);
    PrepareRead(read, file.get(), bytes, 0);
    PrepareMkdir(mkdir, AT_FDCWD, path.c_str(), 0700);
    for (Operation* op : all()) driver.Start(*op);
  }

  std::array<Operation*, 7> all() {
    return {&receive,   &accept, &readiness, &zero_copy,
            &send_file, &read,   &mkdir};
  }
  std::array<CountedMultishot*, 4> multishots() {
    return {&receive, &accept, &readiness, &zero_copy};
  }
  std::array<CountedOperation*, 3> one_shots() {
    return {&send_file, &read, &mkdir};
  }

  // Ends everything and expects that it did, once.
  void Finish() {
    EXPECT_TRUE(driver.RunUntil([&] {
      return send_file.done() && read.done() && mkdir.done() &&
             zero_copy.ended();
    }));
    for (CountedMultishot* op : multishots()) {
      driver.Cancel(*op);
      EXPECT_TRUE(driver.RunUntil([&] { return op->ended(); }));
      driver->DropDeliveries(*op);
      EXPECT_TRUE(op->result == -ECANCELED || op->result == -ENOMEM ||
                  op->result == 0)
          << OpCodeName(op->opcode) << " ended with " << op->result;
    }
    for (CountedOperation* op : one_shots()) {
      EXPECT_EQ(op->completions, 1) << OpCodeName(op->opcode);
      EXPECT_TRUE(op->result >= 0 || op->result == -ENOMEM ||
                  op->result == -EAGAIN)
          << OpCodeName(op->opcode) << " ended with " << op->result;
    }
    const BackendStats stats = driver->stats();
    EXPECT_EQ(stats.in_flight, 0u);
    EXPECT_EQ(stats.submitted, stats.completed);
  }

  System& system;
  BackendDriver& driver;
  TestFdPair stream = system.SocketPair();
  TestFdPair sockets = system.SocketPair();
  TestFd listener = system.TcpListener(/*backlog=*/4);
  TestFd client;
  TestFd file = system.File("file");
  std::string path = system.Directory() + "/made";
  std::array<std::byte, 4> bytes = {};
  CountedMultishot receive, accept, readiness, zero_copy;
  CountedOperation send_file, read, mkdir, poll;
};

TEST_P(FailingAllocationConformance, CostsTheOperationThatNeededIt) {
  uint64_t n = 0;
  for (bool happened = true; happened && !HasFailure();) {
    SCOPED_TRACE(++n);
    const size_t fds_before = system().OpenFds();
    {
      BackendDriver driver(MakeForTest(WithFewBuffers()));
      Load load(system(), driver);
      load.Start();
      EXPECT_TRUE(TurnWithout(driver, n, n, happened)) << "it threw";
      load.Finish();
      EXPECT_EQ(driver->stats().deliveries_lost, 0u);
    }
    EXPECT_EQ(system().OpenFds(), fds_before);
  }
  EXPECT_GT(n, 2u) << "nothing was allocated";
}

TEST_P(FailingAllocationConformance, ThatLastsCostsTheOperationsThatNeedIt) {
  uint64_t n = 0;
  for (bool happened = true; happened && !HasFailure();) {
    SCOPED_TRACE(++n);
    const size_t fds_before = system().OpenFds();
    {
      BackendDriver driver(MakeForTest(WithFewBuffers()));
      Load load(system(), driver);
      load.Start();
      EXPECT_TRUE(TurnWithout(driver, n, kNever, happened)) << "it threw";
      load.Finish();
    }
    EXPECT_EQ(system().OpenFds(), fds_before);
  }
}

// More deliveries than there is memory for: the first ones are delivered
// without a gap, then the operation ends with the error, and the buffers of
// the others are not leaked.
TEST_P(FailingAllocationConformance, EndsAReceiveBehindWhatCame) {
  constexpr int kPackets = 150;
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair(SOCK_SEQPACKET);
  CountedMultishot receive;
  PrepareRecvMultishot(receive, sockets.first.get());
  driver.Start(receive);
  driver.TurnWithoutBlocking();
  for (int i = 0; i < kPackets; ++i) {
    SendAll(sockets.second.get(), std::to_string(i));
  }

  {
    FailingAllocation failure(1, kNever);
    ASSERT_NO_THROW(driver.TurnWithoutBlocking(4 * kPackets));
    EXPECT_TRUE(failure.happened());
  }

  ASSERT_TRUE(driver.RunUntil([&] { return receive.ended(); }));
  EXPECT_EQ(receive.result, -ENOMEM);
  int delivered = 0;
  for (Delivery delivery; driver->TakeDelivery(receive, delivery);) {
    EXPECT_EQ(AsText({delivery.data, static_cast<size_t>(delivery.result)}),
              std::to_string(delivered++));
    driver->ReturnBuffer(delivery.buffer_id);
  }
  EXPECT_GT(delivered, 0);
  EXPECT_LT(delivered, kPackets);
  EXPECT_EQ(driver->stats().deliveries_lost, 0u)
      << "nothing is taken that cannot be delivered";

  // All buffers are available for the next receive.
  PrepareRecvMultishot(receive, sockets.first.get());
  driver.Start(receive);
  SendAll(sockets.second.get(), "last");
  std::string last;
  ASSERT_TRUE(driver.RunUntil([&] {
    for (Delivery delivery; driver->TakeDelivery(receive, delivery);) {
      last = AsText({delivery.data, static_cast<size_t>(delivery.result)});
      driver->ReturnBuffer(delivery.buffer_id);
    }
    return last == "last";
  }));
  driver.Cancel(receive);
  ASSERT_TRUE(driver.RunUntil([&] { return receive.ended(); }));
}

// Accepted connections that cannot be delivered are closed, not leaked.
TEST_P(FailingAllocationConformance, EndsAnAcceptAndClosesWhatItCannotDeliver) {
  constexpr int kConnections = 100;
  BackendDriver driver(MakeForTest());
  TestFd listener = system().TcpListener(kConnections);
  CountedMultishot accept;
  PrepareAcceptMultishot(accept, listener.get());
  driver.Start(accept);
  driver.TurnWithoutBlocking();
  const size_t fds_before = system().OpenFds() + kConnections;
  std::vector<TestFd> clients;
  for (int i = 0; i < kConnections; ++i) {
    clients.push_back(system().ConnectTo(system().AddressOf(listener.get())));
  }

  {
    FailingAllocation failure(1, kNever);
    ASSERT_NO_THROW(driver.TurnWithoutBlocking(64));
  }

  ASSERT_TRUE(driver.RunUntil([&] { return accept.ended(); }));
  EXPECT_EQ(accept.result, -ENOMEM);
  EXPECT_EQ(system().OpenFds(), fds_before + accept.delivery_count);
  driver->DropDeliveries(accept);
  EXPECT_EQ(system().OpenFds(), fds_before);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FailingAllocationConformance);

}  // namespace
}  // namespace ringway::testing
