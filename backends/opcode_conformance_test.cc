// SPDX-License-Identifier: Apache-2.0
//
// Every opcode once as it should go and once as it should not, with the result
// of the system call of the same name or its exact errno.

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "backends/prepare.h"
#include "backends/testing/operation_fixture.h"
#include "backends/testing/views.h"
#include "gtest/gtest.h"

namespace ringway::testing {
namespace {

using OpCodeConformance = OperationConformance;

TEST_P(OpCodeConformance, NopDoesNothingWell) {
  PrepareNop(op_);
  EXPECT_EQ(Run(), 0);
}

TEST_P(OpCodeConformance, RecvTakesWhatThereIs) {
  TestFdPair sockets = system().SocketPair();
  SendAll(sockets.second.get(), "hello");
  PrepareRecv(op_, sockets.first.get(), buffer_);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(Text(5), "hello");
}

TEST_P(OpCodeConformance, RecvWaitsForTheFirstByte) {
  TestFdPair sockets = system().SocketPair();
  PrepareRecv(op_, sockets.first.get(), buffer_);
  driver().Start(op_);
  driver().TurnWithoutBlocking();
  ASSERT_EQ(op_.completions, 0);
  SendAll(sockets.second.get(), "h");
  EXPECT_TRUE(driver().RunUntil([&] { return op_.done(); }));
  EXPECT_EQ(op_.result, 1);
}

TEST_P(OpCodeConformance, RecvAtTheEndOfAStreamIsZero) {
  TestFdPair sockets = system().SocketPair();
  sockets.second.Reset();
  PrepareRecv(op_, sockets.first.get(), buffer_);
  EXPECT_EQ(Run(), 0);
}

TEST_P(OpCodeConformance, RecvOnAPipeIsEnotsock) {
  TestFdPair pipe = system().Pipe();
  PrepareRecv(op_, pipe.first.get(), buffer_);
  EXPECT_EQ(Run(), -ENOTSOCK);
}

TEST_P(OpCodeConformance, RecvAfterAResetIsEconnreset) {
  TestFd listener = system().TcpListener(1);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  TestFd server = system().Accept(listener.get());
  system().ResetPeer(std::move(server));
  PrepareRecv(op_, client.get(), buffer_);
  EXPECT_EQ(Run(), -ECONNRESET);
}

TEST_P(OpCodeConformance, SendReachesThePeer) {
  TestFdPair sockets = system().SocketPair();
  PrepareSend(op_, sockets.first.get(), AsBytes("hello"));
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(system().Receive(sockets.second.get(), 64), "hello");
}

TEST_P(OpCodeConformance, SendToAClosedPeerIsEpipeWithoutASignal) {
  TestFdPair sockets = system().SocketPair();
  sockets.second.Reset();
  PrepareSend(op_, sockets.first.get(), AsBytes("hello"));
  EXPECT_EQ(Run(), -EPIPE);  // SIGPIPE would have ended this process
}

TEST_P(OpCodeConformance, RecvMsgFillsItsPartsInOrder) {
  TestFdPair sockets = system().SocketPair();
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
  TestFd receiver = system().UdpSocket(), sender = system().UdpSocket();
  const sockaddr_in address = system().AddressOf(receiver.get());
  ASSERT_EQ(system().SendTo(sender.get(), "hello", address), 5);
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
  EXPECT_EQ(from.sin_port, system().AddressOf(sender.get()).sin_port);
}

TEST_P(OpCodeConformance, RecvMsgOnAPipeIsEnotsock) {
  TestFdPair pipe = system().Pipe();
  msghdr message = {};
  PrepareRecvMsg(op_, pipe.first.get(), message);
  EXPECT_EQ(Run(), -ENOTSOCK);
}

TEST_P(OpCodeConformance, SendMsgGathersItsParts) {
  TestFdPair sockets = system().SocketPair();
  char first[] = "he", second[] = "llo";
  iovec parts[] = {{first, 2}, {second, 3}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  PrepareSendMsg(op_, sockets.first.get(), message);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(system().Receive(sockets.second.get(), 64), "hello");
}

TEST_P(OpCodeConformance, SendMsgToAClosedPeerIsEpipeWithoutASignal) {
  TestFdPair sockets = system().SocketPair();
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
  TestFd sender = system().UdpSocket();
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
  TestFd listener = system().TcpListener(1);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  sockaddr_in peer = {};
  socklen_t length = sizeof(peer);
  PrepareAccept(op_, listener.get(), reinterpret_cast<sockaddr*>(&peer),
                &length);
  TestFd accepted = system().Own(Run());
  ASSERT_TRUE(accepted.valid());
  EXPECT_TRUE(system().IsCloseOnExec(accepted.get()));
  EXPECT_EQ(length, sizeof(peer));
  EXPECT_EQ(peer.sin_port, system().AddressOf(client.get()).sin_port);
}

TEST_P(OpCodeConformance, AcceptOnASocketThatDoesNotListenIsEinval) {
  TestFd socket = system().TcpSocket();
  PrepareAccept(op_, socket.get(), nullptr, nullptr);
  EXPECT_EQ(Run(), -EINVAL);
}

TEST_P(OpCodeConformance, ConnectEstablishes) {
  TestFd listener = system().TcpListener(1);
  TestFd client = system().TcpSocket();
  const sockaddr_in address = system().AddressOf(listener.get());
  PrepareConnect(op_, client.get(), AsSockaddr(address), sizeof(address));
  EXPECT_EQ(Run(), 0);
  TestFd server = system().Accept(listener.get());
  EXPECT_TRUE(server.valid());
}

TEST_P(OpCodeConformance, ConnectWhereNobodyListensIsEconnrefused) {
  TestFd listener = system().TcpListener(1);
  const sockaddr_in address = system().AddressOf(listener.get());
  listener.Reset();
  TestFd client = system().TcpSocket();
  PrepareConnect(op_, client.get(), AsSockaddr(address), sizeof(address));
  EXPECT_EQ(Run(), -ECONNREFUSED);
}

TEST_P(OpCodeConformance, ConnectOfAConnectedSocketIsEisconn) {
  TestFd listener = system().TcpListener(1);
  const sockaddr_in address = system().AddressOf(listener.get());
  TestFd client = system().ConnectTo(address);
  PrepareConnect(op_, client.get(), AsSockaddr(address), sizeof(address));
  EXPECT_EQ(Run(), -EISCONN);
}

TEST_P(OpCodeConformance, SocketGivesAnFdThatIsNotInherited) {
  PrepareSocket(op_, AF_INET, SOCK_STREAM, 0);
  TestFd made = system().Own(Run());
  ASSERT_TRUE(made.valid());
  EXPECT_TRUE(system().IsCloseOnExec(made.get()));
}

TEST_P(OpCodeConformance, SocketOfAnUnknownFamilyIsEafnosupport) {
  PrepareSocket(op_, /*domain=*/40'000, SOCK_STREAM, 0);
  EXPECT_EQ(Run(), -EAFNOSUPPORT);
}

TEST_P(OpCodeConformance, ShutdownEndsTheStreamForThePeer) {
  TestFdPair sockets = system().SocketPair();
  PrepareShutdown(op_, sockets.first.get(), SHUT_WR);
  EXPECT_EQ(Run(), 0);
  EXPECT_TRUE(system().AtEnd(sockets.second.get()));
  SendAll(sockets.second.get(), "still");
  EXPECT_EQ(system().Receive(sockets.first.get(), 64), "still");
}

TEST_P(OpCodeConformance, ShutdownOfAnUnconnectedSocketIsEnotconn) {
  TestFd socket = system().TcpSocket();
  PrepareShutdown(op_, socket.get(), SHUT_WR);
  EXPECT_EQ(Run(), -ENOTCONN);
}

TEST_P(OpCodeConformance, CloseGivesTheFdBack) {
  TestFdPair pipe = system().Pipe();
  const int fd = pipe.first.Release();
  PrepareClose(op_, fd);
  EXPECT_EQ(Run(), 0);
  EXPECT_FALSE(system().IsOpen(fd));
}

TEST_P(OpCodeConformance, CloseOfABadFdIsEbadf) {
  PrepareClose(op_, 19'999);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(OpCodeConformance, PollTellsWhatBecameReady) {
  TestFdPair sockets = system().SocketPair();
  PreparePoll(op_, sockets.first.get(), POLLIN | POLLOUT);
  EXPECT_EQ(Run(), POLLOUT);
  SendAll(sockets.second.get(), "x");
  PreparePoll(op_, sockets.first.get(), POLLIN);
  EXPECT_EQ(Run(), POLLIN);
}

TEST_P(OpCodeConformance, PollTellsOfAHangUpUnasked) {
  TestFdPair pipe = system().Pipe();
  pipe.second.Reset();
  PreparePoll(op_, pipe.first.get(), POLLIN);
  EXPECT_EQ(Run() & POLLHUP, POLLHUP);
}

TEST_P(OpCodeConformance, PollOfABadFdIsEbadf) {
  PreparePoll(op_, -1, POLLIN);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(OpCodeConformance, MultishotRecvOnAPipeIsEnotsock) {
  TestFdPair pipe = system().Pipe();
  CountedMultishot recv;
  PrepareRecvMultishot(recv, pipe.first.get());
  EXPECT_EQ(driver().RunToEnd(recv), -ENOTSOCK);
}

TEST_P(OpCodeConformance, MultishotAcceptOnASocketThatDoesNotListenIsEinval) {
  TestFd socket = system().TcpSocket();
  CountedMultishot accepts;
  PrepareAcceptMultishot(accepts, socket.get());
  EXPECT_EQ(driver().RunToEnd(accepts), -EINVAL);
}

TEST_P(OpCodeConformance, OneBadOperationHoldsUpNoneOfItsBatch) {
  CountedOperation before, after;
  PrepareNop(before);
  PrepareRead(op_, -1, buffer_, 0);
  PrepareNop(after);
  for (CountedOperation* op : {&before, &op_, &after}) driver().Start(*op);
  EXPECT_TRUE(driver().RunUntil(
      [&] { return before.done() && op_.done() && after.done(); }));
  EXPECT_EQ(op_.result, -EBADF);
  EXPECT_EQ(after.result, 0);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(OpCodeConformance);

}  // namespace
}  // namespace ringway::testing
