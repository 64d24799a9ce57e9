// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/epoll/fd_watcher.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/epoll/registration_check.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/unique_fd.h"

namespace ringway::epoll {
namespace {

using ::ringway::testing::FdPair;
using ::ringway::testing::MakePipe;
using ::ringway::testing::MakeSocketPair;

FdPair MakeDatagramPair() {
  int fds[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

class FdWatcherTest : public ::testing::Test {
 protected:
  ~FdWatcherTest() override {
    watcher_.table().ForEach([](FdEntry& entry) {
      entry.ForEachList([](OperationList& list) {
        while (Operation* op = list.PopFront()) static_cast<void>(op);
      });
    });
  }

  FdEntry& Entry(int fd) {
    FdEntry& entry = *watcher_.table().Get(fd);
    EXPECT_TRUE(entry.MakeSeldom());
    return entry;
  }

  // One operation waits for `fd` to become readable, as backends do it.
  int WaitFor(int fd, Operation& op) {
    FdEntry& entry = Entry(fd);
    const bool held = !entry.idle();
    entry.readers.operations.PushBack(op);
    return watcher_.Watch(entry, held);
  }
  // The same for `op` to write.
  int WaitToWrite(int fd, Operation& op) {
    FdEntry& entry = Entry(fd);
    const bool held = !entry.idle();
    entry.seldom->writers.operations.PushBack(op);
    return watcher_.Watch(entry, held);
  }
  // How the kernel and the table differ; empty if they do not.
  std::string Difference() {
    return CompareRegistrations(watcher_.table(), watcher_.set().fd())
        .difference;
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

  // Replaces `pipe` by another one whose read end has the same number.
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
  ASSERT_EQ(WaitFor(pipe.first.get(), op_), 0);
  op_.Unlink();
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

// --- What is registered

TEST_F(FdWatcherTest, FdIsRegisteredForEverythingThatWaits) {
  FdPair sockets = MakeSocketPair();
  const int fd = sockets.first.get();
  ASSERT_EQ(WaitFor(fd, op_), 0);
  EXPECT_EQ(Entry(fd).registered & (EPOLLIN | EPOLLOUT), EPOLLIN);
  EXPECT_EQ(Difference(), "");

  ASSERT_EQ(WaitToWrite(fd, other_), 0);

  EXPECT_EQ(Entry(fd).registered & (EPOLLIN | EPOLLOUT), EPOLLIN | EPOLLOUT);
  EXPECT_EQ(Difference(), "");
}

TEST_F(FdWatcherTest, CheckedAssumptionRegistersTheNewFileForAllThatWaits) {
  FdPair sockets = MakeSocketPair(), next = MakeSocketPair();
  const int fd = op_.fd = sockets.first.get();
  ASSERT_EQ(WaitFor(fd, op_), 0);
  ASSERT_EQ(WaitToWrite(fd, other_), 0);
  other_.Unlink();
  Served(op_);
  ASSERT_EQ(dup3(next.first.get(), fd, O_CLOEXEC), fd);
  ASSERT_EQ(WaitToWrite(fd, other_), 0);
  ASSERT_TRUE(watcher_.assuming());
  ASSERT_EQ(WaitFor(fd, op_), 0);

  watcher_.CheckAssumptions();

  EXPECT_EQ(Difference(), "");
  EXPECT_EQ(CountEvents(fd), 1) << "there is room to write";
}

TEST_F(FdWatcherTest, ComparisonFindsAnEventThatIsNotRegistered) {
  FdPair sockets = MakeSocketPair();
  FdEntry& entry = Entry(sockets.first.get());
  ASSERT_EQ(WaitFor(entry.fd, op_), 0);
  entry.seldom->writers.operations.PushBack(other_);
  EXPECT_NE(Difference(), "") << "nothing watches for the writer";
  entry.registered |= EPOLLOUT;
  EXPECT_NE(Difference(), "") << "the kernel does not know";
  ASSERT_EQ(watcher_.WatchAnew(entry), 0);
  EXPECT_EQ(Difference(), "");
  ASSERT_EQ(watcher_.set().Control(EPOLL_CTL_DEL, entry.fd, 0, 0), 0);
  EXPECT_NE(Difference(), "") << "the kernel has forgotten it";
}

TEST_F(FdWatcherTest, DiskFilesCannotBeWatched) {
  const UniqueFd file = ringway::testing::MakeFile("x");
  EXPECT_EQ(WaitFor(file.get(), op_), -EPERM);
  EXPECT_EQ(Difference(), "");
}

// --- Drained sockets

TEST_F(FdWatcherTest, ShortReceiveDrainsATcpSocketForThisTurn) {
  UniqueFd listener = ringway::testing::Listen(1);
  UniqueFd client =
      ringway::testing::ConnectTo(ringway::testing::AddressOf(listener.get()));
  ASSERT_EQ(WaitFor(client.get(), op_), 0);

  watcher_.OnShortReceive(client.get());

  EXPECT_TRUE(watcher_.IsDrained(client.get()));
  watcher_.BeginTurn();
  EXPECT_FALSE(watcher_.IsDrained(client.get()));
  watcher_.OnShortReceive(client.get());
  EXPECT_FALSE(watcher_.IsDrained(client.get())) << "it was not seen since";
}

// It may have stopped at a passed fd: what is left comes in the next turn.
TEST_F(FdWatcherTest, WhatAShortReceiveFromAUnixSocketLeavesIsReportedAgain) {
  FdPair sockets = MakeSocketPair();
  const int fd = sockets.first.get();
  ASSERT_EQ(WaitFor(fd, op_), 0);
  ringway::testing::SendAll(sockets.second.get(), "left");
  EXPECT_EQ(CountEvents(fd), 1);
  EXPECT_EQ(CountEvents(fd), 0) << "an edge";
  watcher_.BeginTurn();
  Entry(fd).seen_in_turn = 0;
  watcher_.OnShortReceive(fd);
  EXPECT_FALSE(watcher_.IsDrained(fd)) << "it was not seen";
  ASSERT_EQ(watcher_.WatchAnew(Entry(fd)), 0);
  watcher_.OnShortReceive(fd);
  EXPECT_TRUE(watcher_.IsDrained(fd));
  EXPECT_EQ(Difference(), "");
  for (int turn = 0; turn < 3; ++turn) EXPECT_EQ(CountEvents(fd), 1);
  EXPECT_FALSE(watcher_.IsDrained(fd));
}

TEST_F(FdWatcherTest, WhatNoReceiveWaitsForIsReportedOnce) {
  std::vector<FdPair> pairs;  // so that no number comes back
  for (const bool put_aside : {false, true}) {
    pairs.push_back(MakeSocketPair());
    const int fd = pairs.back().first.get();
    FdEntry& entry = Entry(fd);
    Operation op(nullptr);
    IntrusiveList<WaitQueue> aside;
    ASSERT_EQ(WaitFor(fd, op), 0);
    watcher_.OnShortReceive(fd);
    ringway::testing::SendAll(pairs.back().second.get(), "x");
    for (int turn = 0; turn < 3; ++turn) EXPECT_EQ(CountEvents(fd), 1);
    if (put_aside) {
      aside.PushBack(entry.readers);
    } else {
      op.Unlink();
    }
    watcher_.OnEvent(entry, EPOLLIN);
    EXPECT_EQ(Difference(), "");
    EXPECT_EQ(CountEvents(fd), 1) << "the change reports it once more";
    EXPECT_EQ(CountEvents(fd), 0);
    watcher_.OnShortReceive(fd);
    EXPECT_FALSE(watcher_.IsDrained(fd)) << "for good";
    if (put_aside) {
      aside.PopFront();
      op.Unlink();
    }
  }
}

TEST_F(FdWatcherTest, WhatWouldBeReportedForEverIsReportedOnce) {
  std::vector<FdPair> pairs;  // so that no number comes back
  for (const uint32_t events :
       {uint32_t{EPOLLIN | EPOLLRDHUP}, uint32_t{EPOLLIN | EPOLLPRI},
        uint32_t{EPOLLIN | EPOLLHUP}}) {
    pairs.push_back(MakeSocketPair());
    const int fd = pairs.back().first.get();
    Operation op(nullptr);
    ASSERT_EQ(WaitFor(fd, op), 0);
    watcher_.OnShortReceive(fd);
    EXPECT_TRUE(Entry(fd).level);
    watcher_.OnEvent(Entry(fd), EPOLLIN);
    EXPECT_TRUE(Entry(fd).level);
    watcher_.OnEvent(Entry(fd), events);
    EXPECT_FALSE(Entry(fd).level);
    op.Unlink();
  }
}

TEST_F(FdWatcherTest, ShortReceiveFromADatagramSocketSaysNothing) {
  const FdPair sockets = MakeDatagramPair();
  const int fd = sockets.first.get();
  ASSERT_EQ(WaitFor(fd, op_), 0);
  watcher_.OnShortReceive(fd);
  EXPECT_FALSE(watcher_.IsDrained(fd));
  EXPECT_FALSE(Entry(fd).level);
}

// State of a file must be reset with the file. These tests cover three fields
// that only save system calls or are checked again elsewhere: unless the
// number is reused, a backend that does not reset them behaves the same.

TEST_F(FdWatcherTest, NewFileIsNotDrained) {
  UniqueFd listener = ringway::testing::Listen(1);
  UniqueFd client =
      ringway::testing::ConnectTo(ringway::testing::AddressOf(listener.get()));
  ASSERT_EQ(WaitFor(client.get(), op_), 0);
  watcher_.OnShortReceive(client.get());
  ASSERT_TRUE(watcher_.IsDrained(client.get()));

  OperationList stranded;
  watcher_.Forget(client.get(), stranded);
  while (Operation* op = stranded.PopFront()) static_cast<void>(op);

  EXPECT_FALSE(watcher_.IsDrained(client.get()));
}

TEST_F(FdWatcherTest, NewFileIsNotTakenForATcpSocketBecauseTheOldOneWas) {
  UniqueFd listener = ringway::testing::Listen(1);
  UniqueFd client =
      ringway::testing::ConnectTo(ringway::testing::AddressOf(listener.get()));
  const int fd = client.get();
  ASSERT_EQ(WaitFor(fd, op_), 0);
  watcher_.OnShortReceive(fd);
  ASSERT_TRUE(watcher_.IsDrained(fd));
  OperationList stranded;
  watcher_.BeforeClose(fd, stranded);
  EXPECT_EQ(stranded.PopFront(), &op_);
  FdPair sockets = MakeDatagramPair();
  ASSERT_EQ(dup3(sockets.first.get(), fd, O_CLOEXEC), fd);
  ASSERT_EQ(WaitFor(fd, op_), 0);

  watcher_.OnShortReceive(fd);

  EXPECT_FALSE(watcher_.IsDrained(fd));
}

TEST_F(FdWatcherTest, FileThatWasReplacedUnseenIsForgottenOnceTheKernelSaysSo) {
  UniqueFd listener = ringway::testing::Listen(1);
  UniqueFd client =
      ringway::testing::ConnectTo(ringway::testing::AddressOf(listener.get()));
  const int fd = client.get();
  ASSERT_EQ(WaitFor(fd, op_), 0);
  watcher_.OnShortReceive(fd);
  ASSERT_TRUE(watcher_.IsDrained(fd));
  op_.Unlink();
  watcher_.BeginTurn();
  FdPair sockets = MakeDatagramPair();
  ASSERT_EQ(dup3(sockets.first.get(), fd, O_CLOEXEC), fd);
  ASSERT_EQ(WaitFor(fd, op_), 0);

  watcher_.OnShortReceive(fd);

  EXPECT_FALSE(watcher_.IsDrained(fd)) << "it is taken for the TCP socket";
}

TEST_F(FdWatcherTest, NewFileDrainsThoughTheOldOneHadBeenClosedByItsPeer) {
  UniqueFd listener = ringway::testing::Listen(2);
  const sockaddr_in address = ringway::testing::AddressOf(listener.get());
  UniqueFd client = ringway::testing::ConnectTo(address);
  const int fd = client.get();
  UniqueFd server(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_EQ(WaitFor(fd, op_), 0);
  server.Reset();
  ASSERT_EQ(CountEvents(fd), 1);
  OperationList stranded;
  watcher_.BeforeClose(fd, stranded);
  EXPECT_EQ(stranded.PopFront(), &op_);
  UniqueFd next = ringway::testing::ConnectTo(address);
  ASSERT_EQ(dup3(next.get(), fd, O_CLOEXEC), fd);
  ASSERT_EQ(WaitFor(fd, op_), 0);

  watcher_.OnShortReceive(fd);

  EXPECT_TRUE(watcher_.IsDrained(fd));
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
