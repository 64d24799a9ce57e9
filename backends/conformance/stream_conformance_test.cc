// SPDX-License-Identifier: Apache-2.0
//
// One-shot transfers on stream sockets: recv, recvmsg, send and sendmsg, with
// what their flags mean, and how streams end.

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/operation_fixture.h"

namespace ringway::testing {
namespace {

// More than any socket pair holds, so that a transfer of it has to wait.
constexpr size_t kMoreThanFits = 4 * 1024 * 1024;

std::string Pattern(size_t n_bytes) {
  std::string pattern(n_bytes, '\0');
  for (size_t i = 0; i < n_bytes; ++i) {
    pattern[i] = static_cast<char>(i * 31 + i / 251);
  }
  return pattern;
}

// A message of one part.
struct OnePart {
  OnePart(void* data, size_t n_bytes) : part{data, n_bytes} {
    message.msg_iov = &part;
    message.msg_iovlen = 1;
  }
  OnePart(const OnePart&) = delete;
  OnePart& operator=(const OnePart&) = delete;

  iovec part;
  msghdr message = {};
};

class StreamConformance : public OperationConformance {
 protected:
  void SetUp() override {
    OperationConformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    auto [near, far] = system().SocketPair();
    near_ = std::move(near);
    far_ = std::move(far);
  }

  // Turns until `op_`, which sends, is done, with the peer reading all along.
  std::string ReceiveUntilSent() {
    std::string received;
    CountedOperation readable;
    while (!op_.done() && !HasFailure()) {
      readable.completions = 0;
      PreparePoll(readable, far_.get(), POLLIN);
      driver().Start(readable);
      EXPECT_TRUE(
          driver().RunUntil([&] { return op_.done() || readable.done(); }));
      received += system().Receive(far_.get(), kMoreThanFits);
    }
    driver().Cancel(readable);
    EXPECT_TRUE(driver().RunUntil([&] { return readable.done(); }));
    return received + system().Receive(far_.get(), kMoreThanFits);
  }

  TestFd near_, far_;
};

// --- recv

TEST_P(StreamConformance, RecvTakesWhatThereIs) {
  SendAll(far_.get(), "hello");
  PrepareRecv(op_, near_.get(), buffer_);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(Text(5), "hello");
}

TEST_P(StreamConformance, RecvWaitsForTheFirstByte) {
  PrepareRecv(op_, near_.get(), buffer_);
  StartAndPend();
  SendAll(far_.get(), "h");
  EXPECT_EQ(Finish(), 1);
}

TEST_P(StreamConformance, RecvLeavesWhatDoesNotFit) {
  SendAll(far_.get(), "hello");
  PrepareRecv(op_, near_.get(), std::span(buffer_).first(2));
  EXPECT_EQ(Run(), 2);
  EXPECT_EQ(system().Receive(near_.get(), 64), "llo");
}

TEST_P(StreamConformance, RecvThatPeeksLeavesTheBytes) {
  SendAll(far_.get(), "hello");
  for (int i = 0; i < 2; ++i) {
    PrepareRecv(op_, near_.get(), buffer_, MSG_PEEK);
    EXPECT_EQ(Run(), 5);
  }
  EXPECT_EQ(Text(5), "hello");
  EXPECT_EQ(system().Receive(near_.get(), 64), "hello");
}

TEST_P(StreamConformance, RecvOfAllWaitsUntilTheBufferIsFull) {
  PrepareRecv(op_, near_.get(), std::span(buffer_).first(6), MSG_WAITALL);
  StartAndPend();
  for (const char* part : {"ab", "cd"}) {
    SendAll(far_.get(), part);
    driver().TurnWithoutBlocking();
    ASSERT_EQ(op_.completions, 0);
  }
  SendAll(far_.get(), "efgh");
  EXPECT_EQ(Finish(), 6);
  EXPECT_EQ(Text(6), "abcdef");
  EXPECT_EQ(system().Receive(near_.get(), 64), "gh");
}

TEST_P(StreamConformance, RecvOfAllIsShortAtTheEndOfTheStream) {
  PrepareRecv(op_, near_.get(), buffer_, MSG_WAITALL);
  StartAndPend();
  SendAll(far_.get(), "abc");
  driver().TurnWithoutBlocking();
  far_.Reset();
  EXPECT_EQ(Finish(), 3);
  EXPECT_EQ(Text(3), "abc");
}

TEST_P(StreamConformance, RecvOfAllThatIsCancelledTellsWhatItHas) {
  PrepareRecv(op_, near_.get(), buffer_, MSG_WAITALL);
  StartAndPend();
  SendAll(far_.get(), "abc");
  driver().TurnWithoutBlocking();
  ASSERT_EQ(op_.completions, 0);
  EXPECT_EQ(driver().Cancel(op_), CancelOutcome::kRequested);
  EXPECT_EQ(Finish(), 3) << "received bytes are never lost";
  EXPECT_EQ(Text(3), "abc");
}

TEST_P(StreamConformance, RecvThatMustNotWaitIsEagain) {
  PrepareRecv(op_, near_.get(), buffer_, MSG_DONTWAIT);
  EXPECT_EQ(Run(), -EAGAIN);
}

TEST_P(StreamConformance, RecvAtTheEndOfAStreamIsZero) {
  SendAll(far_.get(), "last");
  far_.Reset();
  PrepareRecv(op_, near_.get(), buffer_);
  EXPECT_EQ(Run(), 4);
  for (int i = 0; i < 2; ++i) {
    PrepareRecv(op_, near_.get(), buffer_);
    EXPECT_EQ(Run(), 0);
  }
}

TEST_P(StreamConformance, WaitingRecvSeesTheEndOfTheStream) {
  PrepareRecv(op_, near_.get(), buffer_);
  StartAndPend();
  far_.Reset();
  EXPECT_EQ(Finish(), 0);
}

TEST_P(StreamConformance, RecvOnAPipeIsEnotsock) {
  TestFdPair pipe = system().Pipe();
  PrepareRecv(op_, pipe.first.get(), buffer_);
  EXPECT_EQ(Run(), -ENOTSOCK);
}

TEST_P(StreamConformance, RecvOnABadFdIsEbadf) {
  PrepareRecv(op_, -1, buffer_);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(StreamConformance, RecvAfterAResetIsEconnreset) {
  TestFd listener = system().TcpListener(1);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  system().ResetPeer(system().Accept(listener.get()));
  PrepareRecv(op_, client.get(), buffer_);
  EXPECT_EQ(Run(), -ECONNRESET);
}

TEST_P(StreamConformance, WaitingRecvSeesTheReset) {
  TestFd listener = system().TcpListener(1);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  TestFd server = system().Accept(listener.get());
  PrepareRecv(op_, client.get(), buffer_);
  StartAndPend();
  system().ResetPeer(std::move(server));
  EXPECT_EQ(Finish(), -ECONNRESET);
}

TEST_P(StreamConformance, RecvOnAnUnconnectedSocketIsEnotconn) {
  TestFd socket = system().TcpSocket();
  PrepareRecv(op_, socket.get(), buffer_);
  EXPECT_EQ(Run(), -ENOTCONN);
}

// --- recvmsg

TEST_P(StreamConformance, RecvMsgFillsItsPartsInOrder) {
  SendAll(far_.get(), "hello");
  char first[2], second[8];
  iovec parts[] = {{first, sizeof(first)}, {second, sizeof(second)}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  PrepareRecvMsg(op_, near_.get(), message);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(std::string_view(first, 2), "he");
  EXPECT_EQ(std::string_view(second, 3), "llo");
}

TEST_P(StreamConformance, RecvMsgThatPeeksLeavesTheBytes) {
  SendAll(far_.get(), "hello");
  OnePart part(buffer_.data(), buffer_.size());
  PrepareRecvMsg(op_, near_.get(), part.message, MSG_PEEK);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(system().Receive(near_.get(), 64), "hello");
}

TEST_P(StreamConformance, RecvMsgOfAllWaitsUntilItsPartsAreFull) {
  char first[2], second[4];
  iovec parts[] = {{first, sizeof(first)}, {second, sizeof(second)}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  PrepareRecvMsg(op_, near_.get(), message, MSG_WAITALL);
  StartAndPend();
  SendAll(far_.get(), "abc");
  driver().TurnWithoutBlocking();
  ASSERT_EQ(op_.completions, 0);
  SendAll(far_.get(), "defgh");
  EXPECT_EQ(Finish(), 6);
  EXPECT_EQ(std::string_view(first, 2), "ab");
  EXPECT_EQ(std::string_view(second, 4), "cdef");
}

TEST_P(StreamConformance, RecvMsgOnAPipeIsEnotsock) {
  TestFdPair pipe = system().Pipe();
  msghdr message = {};
  PrepareRecvMsg(op_, pipe.first.get(), message);
  EXPECT_EQ(Run(), -ENOTSOCK);
}

// --- send

TEST_P(StreamConformance, SendReachesThePeer) {
  PrepareSend(op_, near_.get(), AsBytes("hello"));
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(system().Receive(far_.get(), 64), "hello");
}

TEST_P(StreamConformance, SendOfMoreThanFitsSaysHowMuchItTook) {
  const std::string sent = Pattern(kMoreThanFits);
  PrepareSend(op_, near_.get(), AsBytes(sent));
  op_.completions = 0;
  driver().Start(op_);
  const std::string received = ReceiveUntilSent();
  EXPECT_GT(op_.result, 0);
  EXPECT_EQ(received.size(), static_cast<size_t>(op_.result));
  EXPECT_TRUE(received == sent.substr(0, received.size()));
}

TEST_P(StreamConformance, SendOfAllEndsWhenEverythingIsTaken) {
  const std::string sent = Pattern(kMoreThanFits);
  PrepareSend(op_, near_.get(), AsBytes(sent), MSG_WAITALL);
  StartAndPend();
  const std::string received = ReceiveUntilSent();
  EXPECT_EQ(op_.result, static_cast<int32_t>(sent.size()));
  EXPECT_TRUE(received == sent);
}

TEST_P(StreamConformance, SendOfAllThatIsCancelledTellsWhatWasTaken) {
  const std::string sent = Pattern(kMoreThanFits);
  PrepareSend(op_, near_.get(), AsBytes(sent), MSG_WAITALL);
  StartAndPend();
  EXPECT_EQ(driver().Cancel(op_), CancelOutcome::kRequested);
  const int32_t n_sent = Finish();
  ASSERT_GT(n_sent, 0);
  std::string received;
  for (std::string part; !(part = system().Receive(far_.get(), 65536)).empty();)
    received += part;
  EXPECT_EQ(received.size(), static_cast<size_t>(n_sent));
  EXPECT_TRUE(received == sent.substr(0, received.size()));
}

TEST_P(StreamConformance, SendToAClosedPeerIsEpipeWithoutASignal) {
  far_.Reset();
  PrepareSend(op_, near_.get(), AsBytes("hello"));
  EXPECT_EQ(Run(), -EPIPE);  // SIGPIPE would have ended this process
}

TEST_P(StreamConformance, WaitingSendSeesThePeerClose) {
  const std::string sent = Pattern(kMoreThanFits);
  while (system().Send(near_.get(), sent) > 0) {
  }
  PrepareSend(op_, near_.get(), AsBytes("x"));
  StartAndPend();
  far_.Reset();
  const int32_t result = Finish();
  // Unread bytes make the close a reset, which may be reported instead of
  // EPIPE.
  EXPECT_TRUE(result == -EPIPE || result == -ECONNRESET) << result;
}

TEST_P(StreamConformance, SendOnABadFdIsEbadf) {
  PrepareSend(op_, -1, AsBytes("x"));
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(StreamConformance, SendOnAPipeIsEnotsock) {
  TestFdPair pipe = system().Pipe();
  PrepareSend(op_, pipe.second.get(), AsBytes("x"));
  EXPECT_EQ(Run(), -ENOTSOCK);
}

// --- sendmsg

TEST_P(StreamConformance, SendMsgGathersItsParts) {
  char first[] = "he", second[] = "llo";
  iovec parts[] = {{first, 2}, {second, 3}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  PrepareSendMsg(op_, near_.get(), message);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(system().Receive(far_.get(), 64), "hello");
}

TEST_P(StreamConformance, SendMsgOfAllEndsWhenEveryPartIsTaken) {
  const std::string sent = Pattern(kMoreThanFits);
  std::string copy = sent;
  const size_t cut = 1'000'003;
  iovec parts[] = {
      {copy.data(), cut}, {copy.data(), 0}, {&copy[cut], copy.size() - cut}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 3;
  PrepareSendMsg(op_, near_.get(), message, MSG_WAITALL);
  StartAndPend();
  const std::string received = ReceiveUntilSent();
  EXPECT_EQ(op_.result, static_cast<int32_t>(sent.size()));
  EXPECT_TRUE(received == sent);
}

TEST_P(StreamConformance, SendMsgToAClosedPeerIsEpipeWithoutASignal) {
  far_.Reset();
  char byte = 'x';
  OnePart part(&byte, 1);
  PrepareSendMsg(op_, near_.get(), part.message);
  EXPECT_EQ(Run(), -EPIPE);
}

TEST_P(StreamConformance, FdsCanBePassedAndAreNotInherited) {
  RINGWAY_REQUIRES_KERNEL("passing of fds");
  TestFdPair pipe = system().Pipe();
  char byte = 'x';
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  OnePart sent(&byte, 1);
  sent.message.msg_control = control;
  sent.message.msg_controllen = sizeof(control);
  cmsghdr* rights = CMSG_FIRSTHDR(&sent.message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  const int passed = pipe.second.get();
  memcpy(CMSG_DATA(rights), &passed, sizeof(passed));
  PrepareSendMsg(op_, far_.get(), sent.message);
  ASSERT_EQ(Run(), 1);

  std::fill(std::begin(control), std::end(control), 0);
  OnePart received(&byte, 1);
  received.message.msg_control = control;
  received.message.msg_controllen = sizeof(control);
  PrepareRecvMsg(op_, near_.get(), received.message);
  ASSERT_EQ(Run(), 1);

  rights = CMSG_FIRSTHDR(&received.message);
  ASSERT_NE(rights, nullptr);
  int arrived;
  memcpy(&arrived, CMSG_DATA(rights), sizeof(arrived));
  TestFd copy = system().Own(arrived);
  EXPECT_TRUE(system().IsCloseOnExec(copy.get()));
  SendAll(copy.get(), "y");
  EXPECT_EQ(system().Receive(pipe.first.get(), 1), "y");
}

TEST_P(StreamConformance, ReaderAndWriterOfOneSocketWaitAtTheSameTime) {
  const std::string sent = Pattern(kMoreThanFits);
  CountedOperation recv;
  PrepareRecv(recv, near_.get(), buffer_);
  driver().Start(recv);
  PrepareSend(op_, near_.get(), AsBytes(sent), MSG_WAITALL);
  StartAndPend();
  ASSERT_FALSE(recv.done());
  SendAll(far_.get(), "hello");
  EXPECT_TRUE(driver().RunUntil([&] { return recv.done(); }));
  EXPECT_EQ(recv.result, 5);
  EXPECT_FALSE(op_.done());
  EXPECT_TRUE(ReceiveUntilSent() == sent);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(StreamConformance);

}  // namespace
}  // namespace ringway::testing
