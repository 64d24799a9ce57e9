// SPDX-License-Identifier: Apache-2.0

#include "backends/epoll/fd_watcher.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <utility>

#include "backends/testing/sockets.h"
#include "core/unique_fd.h"
#include "gtest/gtest.h"

namespace ringway::epoll {
namespace {

using ::ringway::testing::FdPair;
using ::ringway::testing::MakePipe;
using ::ringway::testing::MakeSocketPair;

class FdWatcherTest : public ::testing::Test {
 protected:
  ~FdWatcherTest() override {
    watcher_.table().ForEach([](FdEntry& entry) {
      while (Operation* op = entry.readers.PopFront()) static_cast<void>(op);
    });
  }

  FdEntry& Entry(int fd) { return watcher_.table().Get(fd); }

  // One operation waits for `fd` to become readable, as backends do it.
  int WaitFor(int fd, Operation& op) {
    FdEntry& entry = Entry(fd);
    const bool held = !entry.idle();
    entry.readers.PushBack(op);
    return watcher_.Watch(entry, EPOLLIN, held);
  }
  void Served(Operation& op) {
    const int fd = op.fd;
    op.Unlink();
    watcher_.OnTried(Entry(fd));
  }

  // The fds that have events now, in a new turn.
  int CountEvents(int fd) {
    watcher_.BeginTurn();
    const int n = watcher_.set().Poll(events_);
    int matching = 0;
    for (int i = 0; i < n; ++i) {
      FdEntry* entry = watcher_.EntryOf(events_[static_cast<size_t>(i)]);
      if (entry != nullptr && entry->fd == fd) ++matching;
    }
    return matching;
  }

  // Makes `pipe` another one, whose read end has the same number.
  static void Replace(FdPair& pipe) {
    FdPair other = MakePipe();
    ASSERT_EQ(dup3(other.first.get(), pipe.first.get(), O_CLOEXEC),
              pipe.first.get());
    pipe.second = std::move(other.second);
  }

  uint64_t system_calls_ = 0;
  FdWatcher watcher_{*EpollSet::Create(WaitMethod::kProbed), system_calls_};
  std::array<epoll_event, 8> events_ = {};
  Operation op_{nullptr}, other_{nullptr};
};

TEST_F(FdWatcherTest, RegistersOnceForMany) {
  FdPair pipe = MakePipe();
  ASSERT_EQ(WaitFor(pipe.first.get(), op_), 0);
  const uint64_t calls = system_calls_;

  ASSERT_EQ(WaitFor(pipe.first.get(), other_), 0);

  EXPECT_EQ(system_calls_, calls);
  ASSERT_EQ(write(pipe.second.get(), "x", 1), 1);
  EXPECT_EQ(CountEvents(pipe.first.get()), 1);
  EXPECT_EQ(CountEvents(pipe.first.get()), 0) << "an edge is told once";
}

TEST_F(FdWatcherTest, WaitingAgainBringsBackAnEdgeThatWentBy) {
  FdPair pipe = MakePipe();
  ASSERT_EQ(watcher_.WatchAnew(Entry(pipe.first.get()), EPOLLIN), 0);
  ASSERT_EQ(write(pipe.second.get(), "x", 1), 1);
  ASSERT_EQ(CountEvents(pipe.first.get()), 1);
  ASSERT_EQ(CountEvents(pipe.first.get()), 0);

  ASSERT_EQ(WaitFor(pipe.first.get(), op_), 0);

  EXPECT_EQ(CountEvents(pipe.first.get()), 1);
}

TEST_F(FdWatcherTest, NumberOfAnotherTurnIsRegisteredAgain) {
  FdPair pipe = MakePipe();
  ASSERT_EQ(WaitFor(pipe.first.get(), op_), 0);
  op_.Unlink();
  watcher_.BeginTurn();
  Replace(pipe);

  ASSERT_EQ(WaitFor(pipe.first.get(), op_), 0);

  ASSERT_EQ(write(pipe.second.get(), "x", 1), 1);
  EXPECT_EQ(CountEvents(pipe.first.get()), 1);
}

TEST_F(FdWatcherTest, NumberSeenInThisTurnIsAssumedAndCheckedLater) {
  FdPair pipe = MakePipe();
  op_.fd = pipe.first.get();
  ASSERT_EQ(WaitFor(pipe.first.get(), op_), 0);
  Served(op_);
  Replace(pipe);
  const uint64_t calls = system_calls_;

  ASSERT_EQ(WaitFor(pipe.first.get(), op_), 0);

  EXPECT_EQ(system_calls_, calls);
  EXPECT_TRUE(watcher_.assuming());
  ASSERT_EQ(write(pipe.second.get(), "x", 1), 1);
  ASSERT_EQ(CountEvents(pipe.first.get()), 0) << "the assumption was right";
  watcher_.CheckAssumptions();
  EXPECT_FALSE(watcher_.assuming());
  EXPECT_EQ(CountEvents(pipe.first.get()), 1);
}

TEST_F(FdWatcherTest, AssumptionIsCheckedOnALoopThatIsNeverIdle) {
  FdPair pipe = MakePipe();
  op_.fd = pipe.first.get();
  ASSERT_EQ(WaitFor(pipe.first.get(), op_), 0);
  Served(op_);
  ASSERT_EQ(WaitFor(pipe.first.get(), op_), 0);
  ASSERT_TRUE(watcher_.assuming());

  for (int turn = 0; turn < 100; ++turn) watcher_.BeginTurn();

  EXPECT_FALSE(watcher_.assuming());
}

TEST_F(FdWatcherTest, WhatWasServedNeedsNoCheck) {
  FdPair pipe = MakePipe();
  op_.fd = pipe.first.get();
  ASSERT_EQ(WaitFor(pipe.first.get(), op_), 0);
  Served(op_);
  ASSERT_EQ(WaitFor(pipe.first.get(), op_), 0);

  Served(op_);

  EXPECT_FALSE(watcher_.assuming());
}

TEST_F(FdWatcherTest, EventOfAnEarlierFileIsIgnored) {
  // A duplicate keeps the registration of a closed fd alive.
  FdPair pipe = MakePipe();
  ASSERT_EQ(WaitFor(pipe.first.get(), op_), 0);
  UniqueFd duplicate(dup(pipe.first.get()));
  const UniqueFd old_writer = std::move(pipe.second);
  OperationList stranded;
  watcher_.Forget(pipe.first.get(), stranded);
  EXPECT_EQ(stranded.PopFront(), &op_);
  Replace(pipe);
  ASSERT_EQ(WaitFor(pipe.first.get(), op_), 0);

  ASSERT_EQ(write(old_writer.get(), "x", 1), 1);

  EXPECT_EQ(CountEvents(pipe.first.get()), 0);
  ASSERT_EQ(write(pipe.second.get(), "x", 1), 1);
  EXPECT_EQ(CountEvents(pipe.first.get()), 1);
}

TEST_F(FdWatcherTest, DiskFilesCannotBeWatched) {
  const UniqueFd file = ringway::testing::MakeFile("x");
  EXPECT_EQ(watcher_.Watch(Entry(file.get()), EPOLLIN, false), -EPERM);
}

TEST_F(FdWatcherTest, ModeComesBackAfterTheLastUser) {
  FdPair sockets = MakeSocketPair();
  const int fd = sockets.first.get();
  watcher_.SetNonBlocking(fd);
  watcher_.SetNonBlocking(fd);
  EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);

  watcher_.RestoreBlocking(fd);
  EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  watcher_.RestoreBlocking(fd);
  EXPECT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(FdWatcherTest, ModeThatItsOwnerChoseStays) {
  FdPair sockets = MakeSocketPair();
  const int fd = sockets.first.get();
  ASSERT_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
  watcher_.SetNonBlocking(fd);
  watcher_.RestoreBlocking(fd);
  EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(FdWatcherTest, ModeComesBackBeforeAClose) {
  FdPair sockets = MakeSocketPair();
  UniqueFd duplicate(dup(sockets.first.get()));
  OperationList stranded;
  watcher_.SetNonBlocking(sockets.first.get());

  watcher_.BeforeClose(sockets.first.get(), stranded);

  EXPECT_EQ(fcntl(duplicate.get(), F_GETFL) & O_NONBLOCK, 0);
}

// --- Drained sockets

TEST_F(FdWatcherTest, ShortReceiveDrainsATcpSocketForThisTurn) {
  UniqueFd listener = ringway::testing::Listen(1);
  UniqueFd client =
      ringway::testing::ConnectTo(ringway::testing::AddressOf(listener.get()));
  ASSERT_EQ(watcher_.WatchAnew(Entry(client.get()), EPOLLIN), 0);

  watcher_.OnShortReceive(client.get());

  EXPECT_TRUE(watcher_.IsDrained(client.get()));
  watcher_.BeginTurn();
  EXPECT_FALSE(watcher_.IsDrained(client.get()));
  watcher_.OnShortReceive(client.get());
  EXPECT_FALSE(watcher_.IsDrained(client.get())) << "it was not seen since";
}

TEST_F(FdWatcherTest, ShortReceiveFromAUnixSocketSaysNothing) {
  FdPair sockets = MakeSocketPair();
  ASSERT_EQ(watcher_.WatchAnew(Entry(sockets.first.get()), EPOLLIN), 0);
  watcher_.OnShortReceive(sockets.first.get());
  EXPECT_FALSE(watcher_.IsDrained(sockets.first.get()));
}

TEST_F(FdWatcherTest, ShortReceiveSaysNothingOnceThePeerHasClosed) {
  UniqueFd listener = ringway::testing::Listen(1);
  UniqueFd client =
      ringway::testing::ConnectTo(ringway::testing::AddressOf(listener.get()));
  UniqueFd server(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_EQ(WaitFor(client.get(), op_), 0);
  server.Reset();
  ASSERT_EQ(CountEvents(client.get()), 1);

  watcher_.OnShortReceive(client.get());

  EXPECT_FALSE(watcher_.IsDrained(client.get()));
}

}  // namespace
}  // namespace ringway::epoll
