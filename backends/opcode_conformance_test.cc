// SPDX-License-Identifier: Apache-2.0
//
// Every opcode once as it should go and once as it should not, with the result
// of the system call of the same name or its exact errno.

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>

#include "backends/prepare.h"
#include "backends/testing/backend_fixture.h"
#include "backends/testing/sockets.h"
#include "gtest/gtest.h"

namespace ringway::testing {
namespace {

using Buffer = std::array<std::byte, 64>;

std::string_view Text(const Buffer& buffer, int32_t n_bytes) {
  return {reinterpret_cast<const char*>(buffer.data()),
          static_cast<size_t>(n_bytes < 0 ? 0 : n_bytes)};
}

class OpCodeConformance : public BackendConformance {
 protected:
  void SetUp() override {
    BackendConformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    driver_ = std::make_unique<BackendDriver>(MakeForTest());
  }

  int32_t Run() { return driver_->RunToEnd(op_); }

  std::unique_ptr<BackendDriver> driver_;
  CountedOperation op_;
  Buffer buffer_ = {};
};

TEST_P(OpCodeConformance, NopDoesNothingWell) {
  PrepareNop(op_);
  EXPECT_EQ(Run(), 0);
}

TEST_P(OpCodeConformance, ReadTakesFromTheOffset) {
  UniqueFd file = MakeFile("hello, world");
  PrepareRead(op_, file.get(), buffer_, 7);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(Text(buffer_, 5), "world");
}

TEST_P(OpCodeConformance, ReadAtTheEndOfAFileIsZero) {
  UniqueFd file = MakeFile("hello");
  PrepareRead(op_, file.get(), buffer_, 5);
  EXPECT_EQ(Run(), 0);
}

TEST_P(OpCodeConformance, ReadAtTheCurrentPositionMovesIt) {
  UniqueFd file = MakeFile("hello, world");
  ASSERT_EQ(lseek(file.get(), 7, SEEK_SET), 7);
  PrepareRead(op_, file.get(), buffer_, kCurrentPosition);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(Text(buffer_, 5), "world");
  EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 12);
}

TEST_P(OpCodeConformance, ReadOfABadFdIsEbadf) {
  PrepareRead(op_, -1, buffer_, 0);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(OpCodeConformance, ReadOfADirectoryIsEisdir) {
  UniqueFd directory(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  PrepareRead(op_, directory.get(), buffer_, 0);
  EXPECT_EQ(Run(), -EISDIR);
}

TEST_P(OpCodeConformance, ReadIntoBadMemoryIsEfault) {
  UniqueFd file = MakeFile("hello");
  PrepareRead(op_, file.get(), {reinterpret_cast<std::byte*>(8), 5}, 0);
  EXPECT_EQ(Run(), -EFAULT);
}

TEST_P(OpCodeConformance, WritePutsAtTheOffset) {
  UniqueFd file = MakeFile("hello, world");
  PrepareWrite(op_, file.get(), AsBytes("W"), 7);
  EXPECT_EQ(Run(), 1);
  EXPECT_EQ(pread(file.get(), buffer_.data(), buffer_.size(), 0), 12);
  EXPECT_EQ(Text(buffer_, 12), "hello, World");
}

TEST_P(OpCodeConformance, WriteToAReadOnlyFdIsEbadf) {
  UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  PrepareWrite(op_, file.get(), AsBytes("x"), 0);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(OpCodeConformance, RecvTakesWhatThereIs) {
  FdPair sockets = MakeSocketPair();
  SendAll(sockets.second.get(), "hello");
  PrepareRecv(op_, sockets.first.get(), buffer_);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(Text(buffer_, 5), "hello");
}

TEST_P(OpCodeConformance, RecvWaitsForTheFirstByte) {
  FdPair sockets = MakeSocketPair();
  PrepareRecv(op_, sockets.first.get(), buffer_);
  driver_->Start(op_);
  driver_->TurnWithoutBlocking();
  ASSERT_EQ(op_.completions, 0);
  SendAll(sockets.second.get(), "h");
  EXPECT_TRUE(driver_->RunUntil([&] { return op_.done(); }));
  EXPECT_EQ(op_.result, 1);
}

TEST_P(OpCodeConformance, RecvAtTheEndOfAStreamIsZero) {
  FdPair sockets = MakeSocketPair();
  sockets.second.Reset();
  PrepareRecv(op_, sockets.first.get(), buffer_);
  EXPECT_EQ(Run(), 0);
}

TEST_P(OpCodeConformance, RecvOnAPipeIsEnotsock) {
  FdPair pipe = MakePipe();
  PrepareRecv(op_, pipe.first.get(), buffer_);
  EXPECT_EQ(Run(), -ENOTSOCK);
}

TEST_P(OpCodeConformance, RecvAfterAResetIsEconnreset) {
  UniqueFd listener = Listen(1);
  UniqueFd client = ConnectTo(AddressOf(listener.get()));
  UniqueFd server(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const linger reset = {1, 0};
  ASSERT_EQ(
      setsockopt(server.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)),
      0);
  server.Reset();
  PrepareRecv(op_, client.get(), buffer_);
  EXPECT_EQ(Run(), -ECONNRESET);
}

TEST_P(OpCodeConformance, SendReachesThePeer) {
  FdPair sockets = MakeSocketPair();
  PrepareSend(op_, sockets.first.get(), AsBytes("hello"));
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(read(sockets.second.get(), buffer_.data(), buffer_.size()), 5);
  EXPECT_EQ(Text(buffer_, 5), "hello");
}

TEST_P(OpCodeConformance, SendToAClosedPeerIsEpipeWithoutASignal) {
  FdPair sockets = MakeSocketPair();
  sockets.second.Reset();
  PrepareSend(op_, sockets.first.get(), AsBytes("hello"));
  EXPECT_EQ(Run(), -EPIPE);  // SIGPIPE would have ended this process
}

TEST_P(OpCodeConformance, RecvMsgFillsItsPartsInOrder) {
  FdPair sockets = MakeSocketPair();
  SendAll(sockets.second.get(), "hello");
  char first[2], second[8];
  iovec parts[] = {{first, sizeof(first)}, {second, sizeof(second)}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  PrepareRecvMsg(op_, sockets.first.get(), message);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(std::string_view(first, 2), "he");
  EXPECT_EQ(std::string_view(second, 3), "llo");
}

TEST_P(OpCodeConformance, RecvMsgTellsTheSenderAndTruncation) {
  UniqueFd receiver(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(receiver.get(), AsSockaddr(address), sizeof(address)), 0);
  address = AddressOf(receiver.get());
  UniqueFd sender(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(
      sendto(sender.get(), "hello", 5, 0, AsSockaddr(address), sizeof(address)),
      5);
  sockaddr_in from = {};
  iovec part = {buffer_.data(), 2};
  msghdr message = {};
  message.msg_name = &from;
  message.msg_namelen = sizeof(from);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  PrepareRecvMsg(op_, receiver.get(), message);
  EXPECT_EQ(Run(), 2);
  EXPECT_NE(message.msg_flags & MSG_TRUNC, 0);
  EXPECT_EQ(message.msg_namelen, sizeof(from));
  EXPECT_EQ(from.sin_port, AddressOf(sender.get()).sin_port);
}

TEST_P(OpCodeConformance, RecvMsgOnAPipeIsEnotsock) {
  FdPair pipe = MakePipe();
  msghdr message = {};
  PrepareRecvMsg(op_, pipe.first.get(), message);
  EXPECT_EQ(Run(), -ENOTSOCK);
}

TEST_P(OpCodeConformance, SendMsgGathersItsParts) {
  FdPair sockets = MakeSocketPair();
  char first[] = "he", second[] = "llo";
  iovec parts[] = {{first, 2}, {second, 3}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  PrepareSendMsg(op_, sockets.first.get(), message);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(read(sockets.second.get(), buffer_.data(), buffer_.size()), 5);
  EXPECT_EQ(Text(buffer_, 5), "hello");
}

TEST_P(OpCodeConformance, SendMsgToAClosedPeerIsEpipeWithoutASignal) {
  FdPair sockets = MakeSocketPair();
  sockets.second.Reset();
  char byte = 'x';
  iovec part = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  PrepareSendMsg(op_, sockets.first.get(), message);
  EXPECT_EQ(Run(), -EPIPE);
}

TEST_P(OpCodeConformance, SendMsgBeyondADatagramIsEmsgsize) {
  UniqueFd sender(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string payload(70'000, 'x');
  iovec part = {payload.data(), payload.size()};
  msghdr message = {};
  message.msg_name = &address;
  message.msg_namelen = sizeof(address);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  PrepareSendMsg(op_, sender.get(), message);
  EXPECT_EQ(Run(), -EMSGSIZE);
}

TEST_P(OpCodeConformance, AcceptGivesAnFdThatIsNotInherited) {
  UniqueFd listener = Listen(1);
  UniqueFd client = ConnectTo(AddressOf(listener.get()));
  sockaddr_in peer = {};
  socklen_t length = sizeof(peer);
  PrepareAccept(op_, listener.get(), reinterpret_cast<sockaddr*>(&peer),
                &length);
  UniqueFd accepted(Run());
  ASSERT_TRUE(accepted.valid());
  EXPECT_EQ(fcntl(accepted.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(length, sizeof(peer));
  EXPECT_EQ(peer.sin_port, AddressOf(client.get()).sin_port);
}

TEST_P(OpCodeConformance, AcceptOnASocketThatDoesNotListenIsEinval) {
  UniqueFd socket = MakeTcpSocket();
  PrepareAccept(op_, socket.get(), nullptr, nullptr);
  EXPECT_EQ(Run(), -EINVAL);
}

TEST_P(OpCodeConformance, ConnectEstablishes) {
  UniqueFd listener = Listen(1);
  UniqueFd client = MakeTcpSocket();
  const sockaddr_in address = AddressOf(listener.get());
  PrepareConnect(op_, client.get(), AsSockaddr(address), sizeof(address));
  EXPECT_EQ(Run(), 0);
  UniqueFd server(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_TRUE(server.valid());
}

TEST_P(OpCodeConformance, ConnectWhereNobodyListensIsEconnrefused) {
  UniqueFd listener = Listen(1);
  const sockaddr_in address = AddressOf(listener.get());
  listener.Reset();
  UniqueFd client = MakeTcpSocket();
  PrepareConnect(op_, client.get(), AsSockaddr(address), sizeof(address));
  EXPECT_EQ(Run(), -ECONNREFUSED);
}

TEST_P(OpCodeConformance, ConnectOfAConnectedSocketIsEisconn) {
  UniqueFd listener = Listen(1);
  const sockaddr_in address = AddressOf(listener.get());
  UniqueFd client = ConnectTo(address);
  PrepareConnect(op_, client.get(), AsSockaddr(address), sizeof(address));
  EXPECT_EQ(Run(), -EISCONN);
}

TEST_P(OpCodeConformance, SocketGivesAnFdThatIsNotInherited) {
  PrepareSocket(op_, AF_INET, SOCK_STREAM, 0);
  UniqueFd made(Run());
  ASSERT_TRUE(made.valid());
  EXPECT_EQ(fcntl(made.get(), F_GETFD), FD_CLOEXEC);
  int type = 0;
  socklen_t length = sizeof(type);
  ASSERT_EQ(getsockopt(made.get(), SOL_SOCKET, SO_TYPE, &type, &length), 0);
  EXPECT_EQ(type, SOCK_STREAM);
}

TEST_P(OpCodeConformance, SocketOfAnUnknownFamilyIsEafnosupport) {
  PrepareSocket(op_, /*domain=*/40'000, SOCK_STREAM, 0);
  EXPECT_EQ(Run(), -EAFNOSUPPORT);
}

TEST_P(OpCodeConformance, ShutdownEndsTheStreamForThePeer) {
  FdPair sockets = MakeSocketPair();
  PrepareShutdown(op_, sockets.first.get(), SHUT_WR);
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(read(sockets.second.get(), buffer_.data(), buffer_.size()), 0);
  SendAll(sockets.second.get(), "still");
  EXPECT_EQ(read(sockets.first.get(), buffer_.data(), buffer_.size()), 5);
}

TEST_P(OpCodeConformance, ShutdownOfAnUnconnectedSocketIsEnotconn) {
  UniqueFd socket = MakeTcpSocket();
  PrepareShutdown(op_, socket.get(), SHUT_WR);
  EXPECT_EQ(Run(), -ENOTCONN);
}

TEST_P(OpCodeConformance, CloseGivesTheFdBack) {
  FdPair pipe = MakePipe();
  const int fd = pipe.first.Release();
  PrepareClose(op_, fd);
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
  EXPECT_EQ(errno, EBADF);
}

TEST_P(OpCodeConformance, CloseOfABadFdIsEbadf) {
  PrepareClose(op_, 19'999);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(OpCodeConformance, PollTellsWhatBecameReady) {
  FdPair sockets = MakeSocketPair();
  PreparePoll(op_, sockets.first.get(), POLLIN | POLLOUT);
  EXPECT_EQ(Run(), POLLOUT);
  SendAll(sockets.second.get(), "x");
  PreparePoll(op_, sockets.first.get(), POLLIN);
  EXPECT_EQ(Run(), POLLIN);
}

TEST_P(OpCodeConformance, PollTellsOfAHangUpUnasked) {
  FdPair pipe = MakePipe();
  pipe.second.Reset();
  PreparePoll(op_, pipe.first.get(), POLLIN);
  EXPECT_EQ(Run() & POLLHUP, POLLHUP);
}

TEST_P(OpCodeConformance, PollOfABadFdIsEbadf) {
  PreparePoll(op_, -1, POLLIN);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(OpCodeConformance, MultishotRecvOnAPipeIsEnotsock) {
  FdPair pipe = MakePipe();
  CountedMultishot recv;
  PrepareRecvMultishot(recv, pipe.first.get());
  driver_->Start(recv);
  EXPECT_TRUE(driver_->RunUntil([&] { return recv.ended(); }));
  EXPECT_EQ(recv.result, -ENOTSOCK);
  EXPECT_EQ(recv.told, 1);
}

TEST_P(OpCodeConformance, MultishotAcceptOnASocketThatDoesNotListenIsEinval) {
  UniqueFd socket = MakeTcpSocket();
  CountedMultishot accepts;
  PrepareAcceptMultishot(accepts, socket.get());
  driver_->Start(accepts);
  EXPECT_TRUE(driver_->RunUntil([&] { return accepts.ended(); }));
  EXPECT_EQ(accepts.result, -EINVAL);
  EXPECT_EQ(accepts.told, 1);
}

TEST_P(OpCodeConformance, OneBadOperationHoldsUpNoneOfItsBatch) {
  CountedOperation before, after;
  PrepareNop(before);
  PrepareRead(op_, -1, buffer_, 0);
  PrepareNop(after);
  for (CountedOperation* op : {&before, &op_, &after}) driver_->Start(*op);
  EXPECT_TRUE(driver_->RunUntil(
      [&] { return before.done() && op_.done() && after.done(); }));
  EXPECT_EQ(op_.result, -EBADF);
  EXPECT_EQ(after.result, 0);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(OpCodeConformance);

}  // namespace
}  // namespace ringway::testing
