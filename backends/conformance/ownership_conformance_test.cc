// SPDX-License-Identifier: Apache-2.0
//
// Ownership of a backend and its operations: only its own thread may use it,
// not a forked child; an operation in flight must not be used.

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"

namespace ringway::testing {
namespace {

using OwnershipConformanceDeathTest = BackendConformance;

TEST_P(OwnershipConformanceDeathTest, UseFromAForeignThreadAborts) {
  EXPECT_DEATH(
      {
        BackendDriver driver(MakeForTest());
        std::thread([&] { driver.Turn(); }).join();
      },
      "foreign thread");
}

TEST_P(OwnershipConformanceDeathTest,
       UseInAForkedChildAbortsAndTheParentGoesOn) {
  RINGWAY_REQUIRES_KERNEL("processes");
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  CountedOperation recv, nop;
  std::byte byte;
  PrepareRecv(recv, sockets.first.get(), {&byte, 1});
  driver.Start(recv);
  driver.TurnWithoutBlocking();
  PrepareNop(nop);
  driver.Start(nop);  // queued: a careless child would submit it

  EXPECT_DEATH(driver.TurnWithoutBlocking(1), "belongs to the parent process");

  SendAll(sockets.second.get(), "x");
  EXPECT_TRUE(driver.RunUntil([&] { return recv.done() && nop.done(); }));
  EXPECT_EQ(recv.result, 1);
  EXPECT_EQ(recv.completions, 1);
  EXPECT_EQ(nop.completions, 1);
}

TEST_P(OwnershipConformanceDeathTest,
       DestroyingItInAForkedChildTouchesNothing) {
  RINGWAY_REQUIRES_KERNEL("processes");
  auto driver = std::make_unique<BackendDriver>(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  CountedOperation recv, queued;
  CountedMultishot multishot;
  std::byte byte, other_byte;
  PrepareRecv(recv, sockets.first.get(), {&byte, 1});
  driver->Start(recv);
  PrepareRecvMultishot(multishot, sockets.second.get());
  driver->Start(multishot);
  driver->TurnWithoutBlocking();

  EXPECT_EXIT(
      {
        // New mappings take the addresses that the parent's ring has there.
        std::vector<char*> maps(256);
        for (char*& map : maps) {
          map = static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        }
        driver.reset();
        for (char* map : maps) *map = 1;
        _exit(7);
      },
      ::testing::ExitedWithCode(7), "");

  SendAll(sockets.second.get(), "x");
  EXPECT_TRUE(driver->RunUntil([&] { return recv.done(); }));
  EXPECT_EQ(recv.result, 1);
  EXPECT_FALSE(multishot.ended());
  PrepareRecv(queued, sockets.first.get(), {&other_byte, 1});
  driver->Start(queued);
  driver->DestroyBackend();
}

TEST_P(OwnershipConformanceDeathTest, ForkedChildCanMakeItsOwn) {
  RINGWAY_REQUIRES_KERNEL("processes");
  BackendDriver driver(MakeForTest());
  driver.TurnWithoutBlocking();

  EXPECT_EXIT(
      {
        BackendDriver own(MakeForTest());
        CountedOperation nop;
        PrepareNop(nop);
        _exit(own.RunToEnd(nop) == 0 ? 7 : 1);
      },
      ::testing::ExitedWithCode(7), "");
}

TEST_P(OwnershipConformanceDeathTest,
       DestroyingAnActiveOperationAbortsNamingIt) {
  EXPECT_DEATH(
      {
        BackendDriver driver(MakeForTest());
        TestFdPair sockets = system().SocketPair();
        std::byte byte;
        auto recv = std::make_unique<CountedOperation>();
        PrepareRecv(*recv, sockets.first.get(), {&byte, 1});
        driver.Start(*recv);
        driver.TurnWithoutBlocking();
        recv.reset();
      },
      "a recv operation on fd [0-9]+ was destroyed before it completed");
}

TEST_P(OwnershipConformanceDeathTest, PreparingAnActiveOperationAborts) {
  EXPECT_DEATH(
      {
        BackendDriver driver(MakeForTest());
        CountedOperation nop;
        PrepareNop(nop);
        driver.Start(nop);
        PrepareNop(nop);
      },
      "prepared again while active");
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(OwnershipConformanceDeathTest);

}  // namespace
}  // namespace ringway::testing
