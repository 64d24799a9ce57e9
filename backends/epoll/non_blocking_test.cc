// SPDX-License-Identifier: Apache-2.0
//
// The O_NONBLOCK mode of fds.
//
// O_NONBLOCK belongs to the open file description. It was set while an
// accept, connect, splice or sendfile was in flight and cleared after the
// last one on the same fd. That also cleared it for duplicates in other
// workers, which then blocked in accept4 for a connection that another worker
// had taken. Tests of one backend never share a description, and a lost race
// is rare.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/backends/epoll/epoll_backend.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/unique_fd.h"

namespace ringway::epoll {
namespace {

using ::ringway::testing::AddressOf;
using ::ringway::testing::AsBytes;
using ::ringway::testing::AsSockaddr;
using ::ringway::testing::BackendDriver;
using ::ringway::testing::ConnectTo;
using ::ringway::testing::CountedMultishot;
using ::ringway::testing::CountedOperation;
using ::ringway::testing::FdPair;
using ::ringway::testing::Listen;
using ::ringway::testing::MakePipe;
using ::ringway::testing::MakeSocketPair;
using ::ringway::testing::MakeTcpSocket;

bool IsNonBlocking(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

class NonBlockingTest : public ::testing::Test {
 protected:
  BackendDriver driver_{*EpollBackend::Create(BackendOptions())};
  std::array<std::byte, 64> buffer_ = {};
  CountedOperation op_;
};

TEST_F(NonBlockingTest, EndOfOneAcceptLeavesASharedListenerNonBlocking) {
  UniqueFd listener = Listen(4);
  const UniqueFd duplicate(dup(listener.get()));
  BackendDriver other(*EpollBackend::Create(BackendOptions()));
  CountedMultishot first, second;
  PrepareAcceptMultishot(first, listener.get());
  PrepareAcceptMultishot(second, duplicate.get());
  driver_.Start(first);
  other.Start(second);
  driver_.TurnWithoutBlocking();
  other.TurnWithoutBlocking();

  driver_.Cancel(first);
  EXPECT_TRUE(driver_.RunUntil([&] { return first.ended(); }));

  ASSERT_TRUE(IsNonBlocking(duplicate.get())) << "the next line would block";
  // The other backend has an event for a connection that is gone.
  UniqueFd client = ConnectTo(AddressOf(listener.get()));
  const UniqueFd taken(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  other.TurnWithoutBlocking();
  EXPECT_EQ(second.delivery_count, 0u);
  other.Cancel(second);
  EXPECT_TRUE(other.RunUntil([&] { return second.ended(); }));
}

TEST_F(NonBlockingTest, EndOfAStrandedAcceptLeavesTheNextFileAsItIs) {
  UniqueFd listener = Listen(4);
  const int fd = listener.get();
  CountedMultishot stranded, accepts;
  PrepareAcceptMultishot(stranded, fd);
  driver_.Start(stranded);
  driver_.TurnWithoutBlocking();
  PrepareClose(op_, listener.Release());
  ASSERT_EQ(driver_.RunToEnd(op_), 0);
  UniqueFd next = Listen(4);
  ASSERT_EQ(next.get(), fd) << "the lowest number was not taken";
  PrepareAcceptMultishot(accepts, fd);
  driver_.Start(accepts);
  driver_.TurnWithoutBlocking();

  driver_.Cancel(stranded);
  EXPECT_TRUE(driver_.RunUntil([&] { return stranded.ended(); }));

  EXPECT_TRUE(IsNonBlocking(fd));
  driver_.Cancel(accepts);
  EXPECT_TRUE(driver_.RunUntil([&] { return accepts.ended(); }));
}

TEST_F(NonBlockingTest, NumberThatComesBackAsABlockingListenerIsSetAgain) {
  UniqueFd listener = Listen(4);
  for (int round = 0; round < 2; ++round) {
    PrepareAccept(op_, listener.get(), nullptr, nullptr);
    op_.completions = 0;
    driver_.Start(op_);
    driver_.TurnWithoutBlocking();
    EXPECT_TRUE(IsNonBlocking(listener.get()));
    driver_.Cancel(op_);
    EXPECT_TRUE(driver_.RunUntil([&] { return op_.done(); }));
    // Closed and opened by its owner, without the backend's knowledge.
    UniqueFd next = Listen(4);
    ASSERT_EQ(dup3(next.get(), listener.get(), O_CLOEXEC), listener.get());
    ASSERT_FALSE(IsNonBlocking(listener.get()));
  }
}

TEST_F(NonBlockingTest, ConnectedSocketStaysNonBlocking) {
  UniqueFd listener = Listen(4);
  const sockaddr_in address = AddressOf(listener.get());
  UniqueFd client = MakeTcpSocket();
  PrepareConnect(op_, client.get(), AsSockaddr(address), sizeof(address));
  EXPECT_EQ(driver_.RunToEnd(op_), 0);
  EXPECT_TRUE(IsNonBlocking(client.get()));
}

TEST_F(NonBlockingTest, SpliceChangesTheModeOfItsSocketAndNotOfItsPipe) {
  FdPair sockets = MakeSocketPair();
  FdPair pipe = MakePipe();
  ASSERT_EQ(write(pipe.second.get(), "x", 1), 1);
  PrepareSplice(op_, pipe.first.get(), kCurrentPosition, sockets.first.get(),
                kCurrentPosition, 16);
  EXPECT_EQ(driver_.RunToEnd(op_), 1);
  EXPECT_TRUE(IsNonBlocking(sockets.first.get()));
  EXPECT_FALSE(IsNonBlocking(pipe.first.get()));
}

TEST_F(NonBlockingTest, TransfersLeaveTheModeAlone) {
  FdPair sockets = MakeSocketPair();
  PrepareSend(op_, sockets.first.get(), AsBytes("x"));
  EXPECT_EQ(driver_.RunToEnd(op_), 1);
  PrepareRecv(op_, sockets.second.get(), buffer_);
  EXPECT_EQ(driver_.RunToEnd(op_), 1);
  EXPECT_FALSE(IsNonBlocking(sockets.first.get()));
  EXPECT_FALSE(IsNonBlocking(sockets.second.get()));
}

}  // namespace
}  // namespace ringway::epoll
