// SPDX-License-Identifier: Apache-2.0
//
// Transfers between two fds: splice through pipes, sendfile to sockets.

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/operation_fixture.h"

namespace ringway::testing {
namespace {

std::string Pattern(size_t n_bytes) {
  std::string pattern(n_bytes, '\0');
  for (size_t i = 0; i < n_bytes; ++i) {
    pattern[i] = static_cast<char>(i * 13 + i / 509);
  }
  return pattern;
}

class SpliceConformance : public OperationConformance {
 protected:
  int32_t Splice(int from, int64_t from_offset, int to, int64_t to_offset,
                 size_t n_bytes, unsigned flags = 0) {
    PrepareSplice(op_, from, from_offset, to, to_offset, n_bytes, flags);
    return Run();
  }

  int32_t SendFile(int to, int from, int64_t offset, size_t n_bytes) {
    PrepareSendFile(op_, to, from, offset, n_bytes);
    return Run();
  }
};

// --- splice

TEST_P(SpliceConformance, FileToPipeStartsAtTheOffset) {
  TestFd file = system().File("hello, world");
  TestFdPair pipe = system().Pipe();
  EXPECT_EQ(Splice(file.get(), 7, pipe.second.get(), kCurrentPosition, 3), 3);
  EXPECT_EQ(system().Receive(pipe.first.get(), 64), "wor");
  EXPECT_EQ(system().Position(file.get()), 0);
}

TEST_P(SpliceConformance, FileToPipeAtTheCurrentPositionMovesIt) {
  TestFd file = system().File("hello");
  TestFdPair pipe = system().Pipe();
  for (const char* expected : {"hel", "lo"}) {
    const int32_t n = static_cast<int32_t>(strlen(expected));
    EXPECT_EQ(Splice(file.get(), kCurrentPosition, pipe.second.get(),
                     kCurrentPosition, 3),
              n);
    EXPECT_EQ(system().Receive(pipe.first.get(), 64), expected);
  }
  EXPECT_EQ(system().Position(file.get()), 5);
}

TEST_P(SpliceConformance, FileAtItsEndGivesZero) {
  TestFd file = system().File("hello");
  TestFdPair pipe = system().Pipe();
  EXPECT_EQ(Splice(file.get(), 5, pipe.second.get(), kCurrentPosition, 3), 0);
}

TEST_P(SpliceConformance, PipeToFilePutsAtTheOffset) {
  TestFd file = system().File("hello, world");
  TestFdPair pipe = system().Pipe();
  SendAll(pipe.second.get(), "WORLD");
  EXPECT_EQ(Splice(pipe.first.get(), kCurrentPosition, file.get(), 7, 64), 5);
  EXPECT_EQ(system().Content(file.get()), "hello, WORLD");
}

TEST_P(SpliceConformance, PipeToPipeMovesTheBytes) {
  TestFdPair from = system().Pipe(), to = system().Pipe();
  SendAll(from.second.get(), "hello");
  EXPECT_EQ(Splice(from.first.get(), kCurrentPosition, to.second.get(),
                   kCurrentPosition, 4),
            4);
  EXPECT_EQ(system().Receive(to.first.get(), 64), "hell");
  EXPECT_EQ(system().Receive(from.first.get(), 64), "o");
}

TEST_P(SpliceConformance, SocketToPipeTakesWhatThereIs) {
  TestFdPair sockets = system().SocketPair(), pipe = system().Pipe();
  SendAll(sockets.second.get(), "hello");
  EXPECT_EQ(Splice(sockets.first.get(), kCurrentPosition, pipe.second.get(),
                   kCurrentPosition, 64),
            5);
  EXPECT_EQ(system().Receive(pipe.first.get(), 64), "hello");
}

TEST_P(SpliceConformance, PipeToSocketReachesThePeer) {
  TestFdPair sockets = system().SocketPair(), pipe = system().Pipe();
  SendAll(pipe.second.get(), "hello");
  EXPECT_EQ(Splice(pipe.first.get(), kCurrentPosition, sockets.first.get(),
                   kCurrentPosition, 64),
            5);
  EXPECT_EQ(ReceiveAll(sockets.second.get(), 5), "hello");
}

TEST_P(SpliceConformance, EmptyPipeWaitsForBytes) {
  TestFdPair sockets = system().SocketPair(), pipe = system().Pipe();
  PrepareSplice(op_, pipe.first.get(), kCurrentPosition, sockets.first.get(),
                kCurrentPosition, 64);
  StartAndPend();
  SendAll(pipe.second.get(), "hello");
  EXPECT_EQ(Finish(), 5);
  EXPECT_EQ(ReceiveAll(sockets.second.get(), 5), "hello");
}

TEST_P(SpliceConformance, SilentSocketWaitsForBytes) {
  TestFdPair sockets = system().SocketPair(), pipe = system().Pipe();
  PrepareSplice(op_, sockets.first.get(), kCurrentPosition, pipe.second.get(),
                kCurrentPosition, 64);
  StartAndPend();
  SendAll(sockets.second.get(), "hello");
  EXPECT_EQ(Finish(), 5);
  EXPECT_EQ(system().Receive(pipe.first.get(), 64), "hello");
}

TEST_P(SpliceConformance, PipeThatNobodyWritesGivesZero) {
  TestFdPair sockets = system().SocketPair(), pipe = system().Pipe();
  pipe.second.Reset();
  EXPECT_EQ(Splice(pipe.first.get(), kCurrentPosition, sockets.first.get(),
                   kCurrentPosition, 64),
            0);
}

TEST_P(SpliceConformance, SocketAtTheEndOfItsStreamGivesZero) {
  TestFdPair sockets = system().SocketPair(), pipe = system().Pipe();
  sockets.second.Reset();
  EXPECT_EQ(Splice(sockets.first.get(), kCurrentPosition, pipe.second.get(),
                   kCurrentPosition, 64),
            0);
}

TEST_P(SpliceConformance, WithoutAPipeItIsEinval) {
  TestFdPair sockets = system().SocketPair();
  TestFd file = system().File("hello");
  EXPECT_EQ(Splice(file.get(), 0, sockets.first.get(), kCurrentPosition, 5),
            -EINVAL);
}

TEST_P(SpliceConformance, BadFdIsEbadf) {
  TestFdPair pipe = system().Pipe();
  EXPECT_EQ(
      Splice(-1, kCurrentPosition, pipe.second.get(), kCurrentPosition, 5),
      -EBADF);
  EXPECT_EQ(Splice(pipe.first.get(), kCurrentPosition, -1, kCurrentPosition, 5),
            -EBADF);
}

// --- sendfile

TEST_P(SpliceConformance, SendFileSendsAWholeFile) {
  TestFdPair sockets = system().SocketPair();
  TestFd file = system().File("hello, world");
  EXPECT_EQ(SendFile(sockets.first.get(), file.get(), 0, 12), 12);
  EXPECT_EQ(ReceiveAll(sockets.second.get(), 12), "hello, world");
  EXPECT_EQ(system().Position(file.get()), 0);
}

TEST_P(SpliceConformance, SendFileStartsAtItsOffsetAndEndsAfterItsBytes) {
  TestFdPair sockets = system().SocketPair();
  TestFd file = system().File("hello, world");
  EXPECT_EQ(SendFile(sockets.first.get(), file.get(), 7, 3), 3);
  EXPECT_EQ(ReceiveAll(sockets.second.get(), 3), "wor");
}

TEST_P(SpliceConformance, SendFileEndsWithTheFile) {
  TestFdPair sockets = system().SocketPair();
  TestFd file = system().File("hello, world");
  EXPECT_EQ(SendFile(sockets.first.get(), file.get(), 7, 100), 5);
  EXPECT_EQ(SendFile(sockets.first.get(), file.get(), 12, 100), 0);
  EXPECT_EQ(SendFile(sockets.first.get(), file.get(), 1'000, 100), 0);
}

TEST_P(SpliceConformance, SendFileReachesASlowReaderWhole) {
  constexpr size_t kBytes = 1 << 20, kSip = 10'000;
  const std::string content = Pattern(kBytes);
  TestFdPair sockets = system().SocketPair();
  system().Shrink(sockets.first.get());
  TestFd file = system().File(content);
  std::string received;
  size_t n_sent = 0;
  while (n_sent < kBytes && !HasFailure()) {
    op_.completions = 0;
    PrepareSendFile(op_, sockets.first.get(), file.get(),
                    static_cast<int64_t>(n_sent), kBytes - n_sent);
    driver().Start(op_);
    while (!op_.done() && !HasFailure()) {
      received += ReceiveAll(sockets.second.get(), 1);
      received += system().Receive(sockets.second.get(), kSip);
      driver().TurnWithoutBlocking(1);
    }
    ASSERT_GT(op_.result, 0);
    n_sent += static_cast<size_t>(op_.result);
  }
  received += ReceiveAll(sockets.second.get(), kBytes - received.size());
  EXPECT_EQ(n_sent, kBytes);
  EXPECT_TRUE(received == content);
}

TEST_P(SpliceConformance, SendFileThatIsCancelledTellsWhatItSent) {
  constexpr size_t kBytes = 1 << 20;
  const std::string content = Pattern(kBytes);
  TestFdPair sockets = system().SocketPair();
  system().Shrink(sockets.first.get());
  TestFd file = system().File(content);
  size_t n_sent = 0;
  int32_t result;
  do {  // until one has to wait
    op_.completions = 0;
    PrepareSendFile(op_, sockets.first.get(), file.get(),
                    static_cast<int64_t>(n_sent), kBytes - n_sent);
    driver().Start(op_);
    driver().TurnWithoutBlocking(64);
    driver().Cancel(op_);
    result = Finish();
    if (result > 0) n_sent += static_cast<size_t>(result);
  } while (result > 0 && n_sent < kBytes);
  EXPECT_EQ(result, -ECANCELED);
  std::string received;
  for (std::string part;
       !(part = system().Receive(sockets.second.get(), 65'536)).empty();) {
    received += part;
  }
  EXPECT_EQ(received.size(), n_sent) << "every byte sent is accounted for";
  EXPECT_TRUE(received == content.substr(0, received.size()));
}

TEST_P(SpliceConformance, SendFileToAClosedPeerIsEpipeWithoutASignal) {
  TestFdPair sockets = system().SocketPair();
  TestFd file = system().File("hello");
  sockets.second.Reset();
  EXPECT_EQ(SendFile(sockets.first.get(), file.get(), 0, 5), -EPIPE);
}

TEST_P(SpliceConformance, SendFileOfABadFdIsEbadf) {
  TestFdPair sockets = system().SocketPair();
  TestFd file = system().File("hello");
  EXPECT_EQ(SendFile(sockets.first.get(), -1, 0, 5), -EBADF);
  EXPECT_EQ(SendFile(-1, file.get(), 0, 5), -EBADF);
}

TEST_P(SpliceConformance, WaitingSpliceEndsCancelled) {
  TestFdPair sockets = system().SocketPair(), pipe = system().Pipe();
  PrepareSplice(op_, pipe.first.get(), kCurrentPosition, sockets.first.get(),
                kCurrentPosition, 64);
  StartAndPend();
  EXPECT_EQ(driver().Cancel(op_), CancelOutcome::kRequested);
  EXPECT_EQ(Finish(), -ECANCELED);
  SendAll(pipe.second.get(), "kept");
  EXPECT_EQ(system().Receive(pipe.first.get(), 64), "kept");
}

TEST_P(SpliceConformance, SpliceThatMustNotWaitIsEagain) {
  TestFdPair from = system().Pipe(), to = system().Pipe();
  EXPECT_EQ(Splice(from.first.get(), kCurrentPosition, to.second.get(),
                   kCurrentPosition, 64, SPLICE_F_NONBLOCK),
            -EAGAIN);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SpliceConformance);

}  // namespace
}  // namespace ringway::testing
