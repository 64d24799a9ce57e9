// SPDX-License-Identifier: Apache-2.0
//
// No backend allocates per operation, whatever the operation.

#include <poll.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

using AllocationConformance = BackendConformance;

// These take seconds, and most of a minute with a sanitizer.
uint64_t Operations() { return Scaled(1'000'000); }

TEST(AllocationCounter, SeesAnAllocation) {
  const uint64_t before = CountAllocations();
  auto allocated = std::make_unique<std::string>(100, 'x');
  EXPECT_GE(CountAllocations() - before, 2u) << *allocated;
}

// One of each kind, started again and again.
struct MixedLoad {
  static constexpr int kOneShots = 6;

  MixedLoad(System& s, BackendDriver& d) : system(s), driver(d) {
    PrepareRecvMultishot(multishot, stream.first.get());
    driver.Start(multishot);
  }
  ~MixedLoad() {
    driver.Cancel(multishot);
    EXPECT_TRUE(driver.RunUntil([&] { return multishot.ended(); }));
    driver->DropDeliveries(multishot);
  }

  void StartAll() {
    const std::array<CountedOperation*, kOneShots> all = {&nop,  &read, &write,
                                                          &send, &recv, &poll};
    for (CountedOperation* op : all) op->completions = 0;
    PrepareNop(nop);
    PrepareRead(read, file.get(), block, 0);
    PrepareWrite(write, file.get(), written, 512);
    PrepareSend(send, sockets.first.get(), {written.data(), 64});
    PrepareRecv(recv, sockets.second.get(), received);
    PreparePoll(poll, sockets.first.get(), POLLOUT);
    for (CountedOperation* op : all) driver.Start(*op);
  }

  bool done() const {
    return nop.done() && read.done() && write.done() && send.done() &&
           recv.done() && poll.done();
  }

  void Deliver() {
    EXPECT_EQ(system.Send(stream.second.get(), "delivery"), 8);
    EXPECT_TRUE(
        driver.RunUntil([&] { return multishot.first_delivery != nullptr; }));
    for (Delivery delivery; driver->TakeDelivery(multishot, delivery);) {
      driver->ReturnBuffer(delivery.buffer_id);
    }
  }

  System& system;
  BackendDriver& driver;
  TestFdPair sockets = system.SocketPair();
  TestFdPair stream = system.SocketPair();
  TestFd file = system.File(std::string(1024, 'f'));
  // A helper thread may be reading one while another is received into.
  std::array<std::byte, 512> block = {}, written = {};
  std::array<std::byte, 64> received = {};
  CountedOperation nop, read, write, send, recv, poll;
  CountedMultishot multishot;
};

TEST_P(AllocationConformance, MixedOperationsAllocateNothing) {
  constexpr size_t kLoads = 16;
  BackendDriver driver(MakeForTest());
  std::vector<std::unique_ptr<MixedLoad>> loads;
  for (size_t i = 0; i < kLoads; ++i) {
    loads.push_back(std::make_unique<MixedLoad>(system(), driver));
  }
  const auto round = [&] {
    for (auto& load : loads) load->StartAll();
    for (auto& load : loads) {
      EXPECT_TRUE(driver.RunUntil([&] { return load->done(); }));
      load->Deliver();
    }
  };
  round();  // warm-up: buffers and the delivery pool are made by the first use
  const uint64_t allocations_before = CountAllocations();
  const uint64_t completed_before = driver->stats().completed;

  while (driver->stats().completed - completed_before < Operations()) round();

  EXPECT_EQ(CountAllocations() - allocations_before, 0u);
  std::cout << "[ COUNTED  ] " << driver->stats().completed - completed_before
            << " operations, " << driver->stats().deliveries << " deliveries, "
            << driver->name() << "\n";
}

TEST_P(AllocationConformance, CancelsAllocateNothing) {
  BackendDriver driver(MakeForTest());
  TestFdPair pipe = system().Pipe();
  std::vector<CountedOperation> polls(1'000);
  const auto round = [&] {
    for (CountedOperation& op : polls) {
      PreparePoll(op, pipe.first.get(), POLLIN);
      driver.Start(op);
    }
    driver.StartEverything();
    for (CountedOperation& op : polls) driver.Cancel(op);
    EXPECT_TRUE(
        driver.RunUntil([&] { return driver->stats().in_flight == 0; }));
  };
  round();
  const uint64_t allocations_before = CountAllocations();

  for (int i = 0; i < 10; ++i) round();

  EXPECT_EQ(CountAllocations() - allocations_before, 0u);
}

// A sendfile uses a buffer of its backend. A cancelled one must return it,
// whatever its step: otherwise the buffer is leaked unnoticed and the next
// sendfile allocates a new one.
TEST_P(AllocationConformance, CancelledSendFilesAllocateNothing) {
  BackendDriver driver(MakeForTest());
  TestFd file = system().File(std::string(1024, 'f'));
  TestFdPair sockets = system().SocketPair();
  const std::string filling(4096, 'f');
  while (system().Send(sockets.first.get(), filling) > 0) {
  }
  std::array<CountedOperation, 8> sends;
  const auto round = [&](int turns) {
    for (CountedOperation& op : sends) {
      op.completions = 0;
      PrepareSendFile(op, sockets.first.get(), file.get(), 0, 1024);
      driver.Start(op);
    }
    driver.StartEverything();
    driver.TurnWithoutBlocking(turns);
    for (CountedOperation& op : sends) driver.Cancel(op);
    for (CountedOperation& op : sends) {
      EXPECT_TRUE(driver.RunUntil([&] { return op.done(); }));
      EXPECT_EQ(op.result, -ECANCELED);
    }
  };
  // Something waits for the socket once, and the backend knows it from then on.
  CountedOperation send;
  PrepareSend(send, sockets.first.get(), std::as_bytes(std::span(filling)));
  driver.Start(send);
  driver.StartEverything();
  driver.Cancel(send);
  EXPECT_TRUE(driver.RunUntil([&] { return send.done(); }));
  round(0);
  const uint64_t allocations_before = CountAllocations();

  for (int turns = 0; turns < 10; ++turns) round(turns);

  EXPECT_EQ(CountAllocations() - allocations_before, 0u);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(AllocationConformance);

}  // namespace
}  // namespace ringway::testing
