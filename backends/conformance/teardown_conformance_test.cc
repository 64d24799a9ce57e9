// SPDX-License-Identifier: Apache-2.0
//
// The end of operations in flight, with the backend or before it: each
// operation ends, no function runs, and nothing leaks or is accessed
// afterwards.

#include <netinet/in.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/core/time/clock.h"

namespace ringway::testing {
namespace {

using TeardownConformance = BackendConformance;

TEST_P(TeardownConformance, QuiesceEndsEverythingAndTheBackendWorksOn) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  std::vector<CountedOperation> receives(2'000);
  std::byte byte;
  for (CountedOperation& op : receives) {
    PrepareRecv(op, sockets.first.get(), {&byte, 1});
    driver.Start(op);
  }
  driver.StartEverything();

  driver->Quiesce(driver.ready());

  EXPECT_EQ(driver->stats().in_flight, 0u);
  for (const CountedOperation& op : receives) {
    EXPECT_EQ(op.state, OpState::kDone);
    EXPECT_EQ(op.result, -ECANCELED);
    EXPECT_EQ(op.completions, 0) << "Quiesce() resumed somebody";
  }
  driver.TurnWithoutBlocking();
  for (const CountedOperation& op : receives) EXPECT_EQ(op.completions, 1);
  PrepareNop(receives[0]);
  EXPECT_EQ(driver.RunToEnd(receives[0]), 0);
}

TEST_P(TeardownConformance, QuiesceEndsAMultishotWithDeliveriesYetToBeTold) {
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  CountedMultishot receive;
  PrepareRecvMultishot(receive, sockets.first.get());
  driver.Start(receive);
  driver.TurnWithoutBlocking();
  SendAll(sockets.second.get(), "untold");
  // Waits on the backend only: ready entries stay for the loop's next turn.
  const MonotonicTime limit = driver->clock().Now() + absl::Seconds(10);
  while (!receive.notice.linked() && driver->clock().Now() < limit) {
    driver->Wait(limit, driver.ready());
  }
  ASSERT_TRUE(receive.notice.linked());
  for (int i = 0; i < 8; ++i) {  // until there is nothing left to find
    driver->Wait(MonotonicTime::FromNanoseconds(0), driver.ready());
  }
  const uint64_t waits_before = driver->stats().waits;

  driver->Quiesce(driver.ready());

  // Only io_uring's answers come later. A signal may end a wait for nothing, so
  // that it passed is no proof.
  if (!IsUring()) {
    EXPECT_EQ(driver->stats().waits, waits_before);
  }

  EXPECT_EQ(driver->stats().in_flight, 0u);
  EXPECT_EQ(receive.state, OpState::kDone);
  EXPECT_EQ(receive.result, -ECANCELED);
  EXPECT_EQ(receive.told, 0) << "Quiesce() resumed somebody";
  driver.TurnWithoutBlocking();
  EXPECT_EQ(receive.told, 1);
  Delivery delivery;
  ASSERT_TRUE(driver->TakeDelivery(receive, delivery)) << "a delivery was lost";
  EXPECT_EQ(delivery.result, 6);
  driver->ReturnBuffer(delivery.buffer_id);
}

TEST_P(TeardownConformance, DestructionWithThousandsInFlightEndsThemAll) {
  constexpr size_t kPairs = 200, kPerPair = 10;
  const size_t fds_before = system().OpenFds();
  {
    std::vector<TestFdPair> sockets(kPairs);
    std::vector<CountedOperation> operations(kPairs * kPerPair * 2 + 100);
    std::vector<std::array<std::byte, 16>> buffers(operations.size());
    std::vector<std::unique_ptr<CountedMultishot>> multishots;
    TestFd listener = system().TcpListener(16);
    BackendOptions options = Options();
    options.submission_entries = 64;
    BackendDriver driver(MakeForTest(options));
    size_t next = 0;
    for (TestFdPair& pair : sockets) {
      pair = system().SocketPair();
      multishots.push_back(std::make_unique<CountedMultishot>());
      PrepareRecvMultishot(*multishots.back(), pair.second.get());
      driver.Start(*multishots.back());
      for (size_t i = 0; i < kPerPair; ++i, next += 2) {
        PrepareRecv(operations[next], pair.first.get(), buffers[next]);
        PreparePoll(operations[next + 1], pair.first.get(), POLLIN);
      }
    }
    multishots.push_back(std::make_unique<CountedMultishot>());
    PrepareAcceptMultishot(*multishots.back(), listener.get());
    driver.Start(*multishots.back());
    for (; next < operations.size(); ++next) {
      PrepareAccept(operations[next], listener.get(), nullptr, nullptr);
    }
    for (auto& buffer : buffers) buffer.fill(std::byte{0xab});
    for (CountedOperation& op : operations) driver.Start(op);
    // Most are in flight, some in the ring, some still queued.
    while (driver->stats().in_flight < operations.size() - 200) {
      driver.TurnWithoutBlocking(1);
    }
    driver->Submit(driver.pending(), driver.ready());

    driver.DestroyBackend();

    for (const CountedOperation& op : operations) {
      EXPECT_EQ(op.state, OpState::kDone);
      EXPECT_EQ(op.result, -ECANCELED);
      EXPECT_EQ(op.completions, 0) << "destruction resumed somebody";
    }
    for (const auto& op : multishots) {
      EXPECT_EQ(op->state, OpState::kDone);
      EXPECT_EQ(op->result, -ECANCELED);
    }
    for (TestFdPair& pair : sockets) SendAll(pair.second.get(), "late bytes");
    TestFd late_client = system().ConnectTo(system().AddressOf(listener.get()));
    for (const auto& buffer : buffers) {
      for (std::byte byte : buffer) ASSERT_EQ(byte, std::byte{0xab});
    }
  }
  EXPECT_EQ(system().OpenFds(), fds_before);
}

TEST_P(TeardownConformance, DestructionReturnsEveryFdOfTheBackend) {
  const size_t fds_before = system().OpenFds();
  for (int i = 0; i < 20; ++i) {
    BackendDriver driver(MakeForTest());
    driver.TurnWithoutBlocking();
  }
  EXPECT_EQ(system().OpenFds(), fds_before);
}

TEST_P(TeardownConformance, PortCanBeBoundAgainAtOnceAfterDestruction) {
  TestFd chosen = system().TcpListener(1);
  const uint16_t port = ntohs(system().AddressOf(chosen.get()).sin_port);
  chosen.Reset();
  for (int round = 0; round < 1'000; ++round) {
    SCOPED_TRACE(round);
    TestFd listener =
        system().TcpListener(16, port);  // aborts if the port is still taken
    CountedOperation accepts[2];
    CountedMultishot multishot;
    {
      BackendDriver driver(MakeForTest());
      for (CountedOperation& op : accepts) {
        PrepareAccept(op, listener.get(), nullptr, nullptr);
        driver.Start(op);
      }
      PrepareAcceptMultishot(multishot, listener.get());
      driver.Start(multishot);
      driver.TurnWithoutBlocking();
      // Either order must do: a listener that goes first, or last.
      if (round % 2 == 0) listener.Reset();
    }
  }
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(TeardownConformance);

}  // namespace
}  // namespace ringway::testing
