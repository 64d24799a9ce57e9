// SPDX-License-Identifier: Apache-2.0
//
// What the conformance suite cannot see of this backend: how often it asks the
// kernel, and what it does to fds.

#include "ringway/backends/epoll/epoll_backend.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/epoll/epoll_fixture.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/unique_fd.h"

namespace ringway::epoll {
namespace {

using ::ringway::testing::AddressOf;
using ::ringway::testing::AsBytes;
using ::ringway::testing::BackendDriver;
using ::ringway::testing::ConnectTo;
using ::ringway::testing::CountedMultishot;
using ::ringway::testing::CountedOperation;
using ::ringway::testing::FdPair;
using ::ringway::testing::Listen;
using ::ringway::testing::MakeSocketPair;
using ::ringway::testing::SendAll;

FdPair MakeTcpPair() {
  UniqueFd listener = Listen(1);
  UniqueFd client = ConnectTo(AddressOf(listener.get()));
  UniqueFd server(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return {std::move(client), std::move(server)};
}

TEST_F(EpollBackendTest, EchoCostsOneReceiveOneSendAndAShareOfAWait) {
  constexpr uint64_t kRounds = 1'000;
  FdPair sockets = MakeTcpPair();
  const int fd = sockets.second.get();
  const auto echo = [&] {
    StartRecv(fd);
    driver_.TurnWithoutBlocking(1);
    SendAll(sockets.first.get(), "ping");
    RunUntilDone(recv_);
    ASSERT_EQ(recv_.result, 4);
    PrepareSend(op_, fd, {buffer_.data(), 4}, MSG_WAITALL);
    ASSERT_EQ(driver_.RunToEnd(op_), 4);
    char reply[8];
    ASSERT_EQ(recv(sockets.first.get(), reply, sizeof(reply), 0), 4);
  };
  echo();
  const uint64_t before = driver_->stats().system_calls;

  for (uint64_t i = 0; i < kRounds; ++i) echo();

  // The turn that does not block asks once more than a loop would.
  EXPECT_LE(driver_->stats().system_calls - before, 4 * kRounds);
}

TEST_F(EpollBackendTest, NumberThatComesBackWithinATurnIsServed) {
  // A TCP socket is known to be empty after a short receive, until the next
  // event. Its number may be another socket's by then, whose events nobody has
  // asked for.
  FdPair first = MakeTcpPair();
  const int fd = first.second.get();
  StartRecv(fd);
  driver_.TurnWithoutBlocking();
  SendAll(first.first.get(), "x");
  RunUntilDone(recv_);
  FdPair second = MakeTcpPair();
  ASSERT_EQ(dup3(second.second.get(), fd, O_CLOEXEC), fd);
  second.second.Reset();

  StartRecv(fd);
  driver_.TurnWithoutBlocking();
  SendAll(second.first.get(), "yz");

  RunUntilDone(recv_);
  EXPECT_EQ(recv_.result, 2);
}

TEST_F(EpollBackendTest, AcceptedSocketInheritsNothingFromItsNumber) {
  UniqueFd listener = Listen(4);
  for (int round = 0; round < 20; ++round) {
    UniqueFd client = ConnectTo(AddressOf(listener.get()));
    PrepareAccept(op_, listener.get(), nullptr, nullptr);
    UniqueFd server(driver_.RunToEnd(op_));
    ASSERT_TRUE(server.valid());
    StartRecv(server.get());
    driver_.TurnWithoutBlocking();
    SendAll(client.get(), "x");
    RunUntilDone(recv_);
    ASSERT_EQ(recv_.result, 1);
    // Closed by its owner, without the backend's knowledge.
  }
}

TEST_F(EpollBackendTest, ShortPeekDoesNotMeanThatAllWasTaken) {
  FdPair sockets = MakeTcpPair();
  PrepareRecv(op_, sockets.second.get(), buffer_, MSG_PEEK);
  driver_.Start(op_);
  driver_.TurnWithoutBlocking();
  SendAll(sockets.first.get(), "hello");
  RunUntilDone(op_);
  ASSERT_EQ(op_.result, 5);

  StartRecv(sockets.second.get());
  driver_.TurnWithoutBlocking(1);

  EXPECT_TRUE(recv_.done());
  EXPECT_EQ(recv_.result, 5);
}

TEST_F(EpollBackendTest, HalfClosedPeerThatTakesNothingDoesNotSpin) {
  FdPair sockets = MakeSocketPair();
  FillSendBuffer(sockets.first.get());
  ASSERT_EQ(shutdown(sockets.second.get(), SHUT_WR), 0);
  PrepareSend(op_, sockets.first.get(), AsBytes("x"));
  driver_.Start(op_);
  PreparePoll(recv_, sockets.first.get(), POLLPRI);  // an interest, too
  driver_.Start(recv_);
  driver_.TurnWithoutBlocking();
  const BackendStats before = driver_->stats();

  driver_.Turn(driver_->clock().Now() + absl::Milliseconds(20));

  EXPECT_LE(driver_->stats().system_calls - before.system_calls, 4u);
  driver_.Turn(driver_->clock().Now() + absl::Milliseconds(20));
  EXPECT_LE(driver_->stats().system_calls - before.system_calls, 6u);
  EXPECT_FALSE(op_.done());
  driver_.Cancel(op_);
  driver_.Cancel(recv_);
  EXPECT_TRUE(driver_.RunUntil([&] { return op_.done() && recv_.done(); }));
}

// --- What no event tells of

TEST_F(EpollBackendTest, ConnectToAFullUnixListenerSucceedsWhenThereIsRoom) {
  UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address),
                 sizeof(sa_family_t)),
            0);  // the kernel chooses an abstract name
  socklen_t length = sizeof(address);
  ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address),
                        &length),
            0);
  ASSERT_EQ(listen(listener.get(), 0), 0);
  UniqueFd first(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(first.get(), reinterpret_cast<sockaddr*>(&address), length),
            0);
  UniqueFd second(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  PrepareConnect(op_, second.get(), reinterpret_cast<sockaddr*>(&address),
                 length);
  driver_.Start(op_);
  driver_.TurnWithoutBlocking();
  ASSERT_FALSE(op_.done());

  UniqueFd accepted(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));

  RunUntilDone(op_);
  EXPECT_EQ(op_.result, 0);
}

// --- Two fds

TEST_F(EpollBackendTest, SplicesFromOneSocketAreServedInTurn) {
  FdPair sockets = MakeSocketPair();
  FdPair pipe = ringway::testing::MakePipe();
  CountedOperation first, second;
  for (CountedOperation* splice : {&first, &second}) {
    PrepareSplice(*splice, sockets.first.get(), kCurrentPosition,
                  pipe.second.get(), kCurrentPosition, 16);
    driver_.Start(*splice);
  }
  driver_.TurnWithoutBlocking();
  SendAll(sockets.second.get(), "one");
  RunUntilDone(first);
  EXPECT_EQ(first.result, 3);
  driver_.TurnWithoutBlocking();
  ASSERT_FALSE(second.done());

  SendAll(sockets.second.get(), "more");

  RunUntilDone(second);
  EXPECT_EQ(second.result, 4);
}

TEST_F(EpollBackendTest, SpliceWaitsForOneSideAfterTheOther) {
  FdPair sockets = MakeSocketPair();
  FdPair pipe = ringway::testing::MakePipe();
  const int capacity = fcntl(pipe.second.get(), F_GETPIPE_SZ);
  const std::string block(static_cast<size_t>(capacity), 'x');
  ASSERT_EQ(write(pipe.second.get(), block.data(), block.size()), capacity);
  PrepareSplice(op_, sockets.first.get(), kCurrentPosition, pipe.second.get(),
                kCurrentPosition, 16);
  driver_.Start(op_);
  driver_.TurnWithoutBlocking();
  SendAll(sockets.second.get(), "hello");
  driver_.TurnWithoutBlocking();
  ASSERT_FALSE(op_.done());

  std::string drained(block.size(), '\0');
  ASSERT_EQ(read(pipe.first.get(), drained.data(), drained.size()), capacity);

  RunUntilDone(op_);
  EXPECT_EQ(op_.result, 5);
}

TEST_F(EpollBackendTest, SendFileBesideAReceiveSeesThatThereIsRoom) {
  // The receive keeps the fd registered, so nobody asks for the edge that went
  // by while a thread was trying.
  FdPair sockets = MakeSocketPair();
  FillSendBuffer(sockets.first.get());
  StartRecv(sockets.first.get());
  const UniqueFd file = ringway::testing::MakeFile("content");
  PrepareSendFile(op_, sockets.first.get(), file.get(), 0, 7);
  driver_.Start(op_);
  driver_.TurnWithoutBlocking(1);
  std::string drained(1 << 20, '\0');
  ASSERT_GT(recv(sockets.second.get(), drained.data(), drained.size(), 0), 0);

  RunUntilDone(op_);
  EXPECT_EQ(op_.result, 7);
  SendAll(sockets.second.get(), "x");
  RunUntilDone(recv_);
}

// --- Files that refuse RWF_NOWAIT

TEST_F(EpollBackendTest, NamedPipeTakesWhatFitsAndGivesAllThatIsThere) {
  // Its calls could block, so a write is no longer than what is sure to fit. A
  // read needs no such bound: this was found where the two were exchanged.
  const std::string path =
      ::testing::TempDir() + "/epoll_named_pipe." + std::to_string(getpid());
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const UniqueFd reader(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const UniqueFd writer(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  unlink(path.c_str());
  std::string there(2 * PIPE_BUF, 'x');
  ASSERT_EQ(write(writer.get(), there.data(), there.size()), 2 * PIPE_BUF);

  PrepareRead(op_, reader.get(), std::as_writable_bytes(std::span(there)),
              kCurrentPosition);
  EXPECT_EQ(driver_.RunToEnd(op_), 2 * PIPE_BUF);

  const std::string more(1 << 20, 'y');
  PrepareWrite(op_, writer.get(), AsBytes(more), kCurrentPosition);
  EXPECT_EQ(driver_.RunToEnd(op_), PIPE_BUF);
}

// --- Closing

TEST_F(EpollBackendTest, WhatWaitsForAClosedFdWaitsForItsCancel) {
  FdPair sockets = MakeSocketPair();
  const int fd = sockets.first.Release();
  StartRecv(fd);
  driver_.TurnWithoutBlocking();
  PrepareClose(op_, fd);
  ASSERT_EQ(driver_.RunToEnd(op_), 0);
  FdPair next = MakeSocketPair();
  ASSERT_EQ(next.first.get(), fd) << "the lowest number was not taken";
  SendAll(next.second.get(), "for the next one");
  driver_.TurnWithoutBlocking();
  EXPECT_FALSE(recv_.done());

  EXPECT_EQ(driver_.Cancel(recv_), CancelOutcome::kRequested);
  RunUntilDone(recv_);
  EXPECT_EQ(recv_.result, -ECANCELED);
}

// --- Fairness

class EpollFairnessTest : public EpollBackendTest {
 protected:
  static BackendOptions SmallBuffers() {
    BackendOptions options;
    options.receive_buffer_bytes = 64;
    return options;
  }
  EpollFairnessTest() : EpollBackendTest(SmallBuffers()) {}
};

TEST_F(EpollFairnessTest, StreamThatHasMuchLetsTheOthersIn) {
  FdPair busy = MakeSocketPair(), quiet = MakeSocketPair();
  SendAll(busy.second.get(), std::string(64 * 100, 'b'));
  CountedMultishot stream;
  PrepareRecvMultishot(stream, busy.first.get());
  driver_.Start(stream);
  StartRecv(quiet.first.get());
  driver_.TurnWithoutBlocking(1);
  EXPECT_LT(stream.delivery_count, 50u);
  SendAll(quiet.second.get(), "q");

  driver_.TurnWithoutBlocking(2);

  EXPECT_TRUE(recv_.done());
  EXPECT_LT(stream.delivery_count, 100u);
  EXPECT_TRUE(driver_.RunUntil([&] { return stream.delivery_count == 100; }))
      << "it was forgotten";
  driver_->DropDeliveries(stream);
  driver_.Cancel(stream);
  EXPECT_TRUE(driver_.RunUntil([&] { return stream.ended(); }));
}

TEST_F(EpollFairnessTest, StreamsThatFollowACancelledOneTakeItsPlace) {
  // A queue that was put aside may be in a list still when what was in it is
  // gone, and the next stream puts it aside again in the same turn.
  FdPair sockets = MakeSocketPair();
  SendAll(sockets.second.get(), std::string(64 * 100, 'b'));
  size_t n_events = 0;
  for (int round = 0; round < 3; ++round) {
    CountedMultishot stream;
    PrepareRecvMultishot(stream, sockets.first.get());
    driver_.Start(stream);
    driver_->Submit(driver_.pending(), driver_.ready());
    ASSERT_GT(stream.delivery_count, 0u);
    n_events += stream.delivery_count;
    driver_->DropDeliveries(stream);
    driver_.Cancel(stream);
    CountedMultishot next;
    PrepareRecvMultishot(next, sockets.first.get());
    driver_.Start(next);
    driver_->Submit(driver_.pending(), driver_.ready());
    EXPECT_TRUE(driver_.RunUntil([&] { return stream.ended(); }));
    n_events += next.delivery_count;
    driver_->DropDeliveries(next);
    driver_.Cancel(next);
    EXPECT_TRUE(driver_.RunUntil([&] { return next.ended(); }));
  }
  EXPECT_LE(n_events, 100u);
}

TEST_F(EpollFairnessTest, BusyStreamOnANumberThatCameBackIsServedToItsEnd) {
  FdPair first = MakeSocketPair();
  const int fd = first.first.get();
  StartRecv(fd);
  driver_.TurnWithoutBlocking();
  SendAll(first.second.get(), "x");
  RunUntilDone(recv_);
  FdPair second = MakeSocketPair();
  ASSERT_EQ(dup3(second.first.get(), fd, O_CLOEXEC), fd);
  second.first.Reset();
  SendAll(second.second.get(), std::string(64 * 40, 'b'));
  CountedMultishot stream;
  PrepareRecvMultishot(stream, fd);
  driver_.Start(stream);
  EXPECT_TRUE(driver_.RunUntil([&] { return stream.delivery_count == 40; }));
  driver_.TurnWithoutBlocking();

  SendAll(second.second.get(), "late");

  EXPECT_TRUE(driver_.RunUntil([&] { return stream.delivery_count == 41; }));
  driver_->DropDeliveries(stream);
  driver_.Cancel(stream);
  EXPECT_TRUE(driver_.RunUntil([&] { return stream.ended(); }));
}

// --- Kernels without epoll_pwait2

TEST(EpollBackendWithTimerFd, WaitsAndWakesAsWithoutIt) {
  BackendDriver driver(
      *EpollBackend::Create(BackendOptions(), WaitMethod::kTimerFd));
  EXPECT_NE(driver->description().find("timerfd"), std::string::npos);
  for (int i = 0; i < 10; ++i) {
    const MonotonicTime deadline =
        driver->clock().Now() + absl::Microseconds(300);
    driver.Turn(deadline);
    EXPECT_GE(driver->clock().Now(), deadline);
  }
  FdPair sockets = MakeSocketPair();
  CountedOperation op;
  std::byte byte;
  PrepareRecv(op, sockets.first.get(), {&byte, 1});
  driver.Start(op);
  driver.TurnWithoutBlocking();
  SendAll(sockets.second.get(), "x");
  EXPECT_TRUE(driver.RunUntil([&] { return op.done(); }));
  driver->Notify();
  driver->Wait(MonotonicTime::Infinite(), driver.ready());
  EXPECT_EQ(driver->stats().notifications, 1u);
}

}  // namespace
}  // namespace ringway::epoll
