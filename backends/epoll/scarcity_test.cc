// SPDX-License-Identifier: Apache-2.0
//
// Memory or watches run out while an operation begins to wait: it ends with
// the error, and the others continue.
//
// The table of fds grows at the first wait for a high number, in the middle
// of Submit() or Wait(). It threw from there, with operations in no list. And
// if a number that was assumed to be registered was not, a refusal to
// register it was taken for a closed fd, whose operations wait to be
// cancelled.

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "gtest/gtest.h"
#include "ringway/backends/epoll/epoll_backend.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/failing_allocation.h"
#include "ringway/backends/testing/failing_calls.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/unique_fd.h"

namespace ringway::epoll {
namespace {

using ::ringway::testing::BackendDriver;
using ::ringway::testing::CountedMultishot;
using ::ringway::testing::CountedOperation;
using ::ringway::testing::FailingAllocation;
using ::ringway::testing::FailingCall;
using ::ringway::testing::FdPair;
using ::ringway::testing::Listen;
using ::ringway::testing::MakeSocketPair;
using ::ringway::testing::SendAll;
using ::ringway::testing::SystemCall;

// A number for which the table has no chunk yet.
constexpr int kHighFd = 5'000;

// Starts operations that wait for `fd` in each of the ways there are, while
// the `n`-th allocation fails. Returns how many ended for lack of memory; the
// rest must wait.
int Refused(int fd, uint64_t n) {
  BackendDriver driver(*EpollBackend::Create(BackendOptions()));
  CountedOperation recv, poll;
  CountedMultishot polls, accepts;
  std::array<std::byte, 16> buffer;
  PrepareRecv(recv, fd, buffer);
  PreparePoll(poll, fd, POLLPRI);
  PreparePollMultishot(polls, fd, POLLPRI);
  UniqueFd listener = Listen(1);
  PrepareAcceptMultishot(accepts, listener.get());
  const std::array<Operation*, 4> all = {&recv, &poll, &polls, &accepts};
  for (Operation* op : all) driver.Start(*op);
  {
    FailingAllocation failing(n);
    driver->Submit(driver.pending(), driver.ready());
  }
  driver.TurnWithoutBlocking();
  int refused = 0;
  for (Operation* op : all) {
    if (op->state == OpState::kInFlight) continue;
    EXPECT_EQ(op->result, -ENOMEM) << OpCodeName(op->opcode);
    ++refused;
  }
  for (Operation* op : all) driver.Cancel(*op);
  EXPECT_TRUE(driver.RunUntil([&] { return driver->stats().in_flight == 0; }));
  driver.TurnWithoutBlocking();
  return refused;
}

TEST(EpollScarcity, AllocationThatFailsCostsOneOperation) {
  FdPair sockets = MakeSocketPair();
  const UniqueFd high(fcntl(sockets.first.get(), F_DUPFD_CLOEXEC, kHighFd));
  ASSERT_TRUE(high.valid());
  int n = 1;
  while (Refused(high.get(), static_cast<uint64_t>(n)) == 1) ++n;
  EXPECT_GT(n, 2) << "nothing was made to fail";
  EXPECT_EQ(Refused(high.get(), static_cast<uint64_t>(n)), 0);
}

TEST(EpollScarcity, OperationThatCannotBeWatchedForIsToldInTheEnd) {
  BackendDriver driver(*EpollBackend::Create(BackendOptions()));
  CountedOperation recv;
  std::array<std::byte, 16> buffer;
  FdPair first = MakeSocketPair(), second = MakeSocketPair();
  const int fd = first.first.get();
  PrepareRecv(recv, fd, buffer);
  driver.Start(recv);
  driver.TurnWithoutBlocking();
  SendAll(first.second.get(), "x");
  ASSERT_TRUE(driver.RunUntil([&] { return recv.done(); }));
  // The number means another socket within the turn.
  ASSERT_EQ(dup3(second.first.get(), fd, O_CLOEXEC), fd);
  recv.completions = 0;
  PrepareRecv(recv, fd, buffer);
  driver.Start(recv);
  driver.TurnWithoutBlocking(1);

  // The first of the calls finds the number unknown.
  FailingCall failing(SystemCall::kEpollControl, 2, ENOSPC);
  ASSERT_TRUE(driver.RunUntil([&] { return recv.done(); }));

  EXPECT_TRUE(failing.happened());
  EXPECT_EQ(recv.result, -ENOSPC);
}

}  // namespace
}  // namespace ringway::epoll
