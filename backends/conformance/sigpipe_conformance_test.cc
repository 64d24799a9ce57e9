// SPDX-License-Identifier: Apache-2.0
//
// Writing to a closed peer is an error and never raises a signal, with every
// operation.
//
// MSG_NOSIGNAL exists for sends only. A splice to a closed socket on the
// loop's thread raised SIGPIPE and ended the process. Tests of closed peers
// used sends, and processes that ignore the signal, as many test runners do,
// do not show it. So each case runs in a separate process, in which the
// signal has its default action.

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/functional/function_ref.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

sigset_t SigPipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

bool IsBlocked() {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, SIGPIPE) == 1;
}

bool IsPending() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

class SigPipeConformance : public BackendConformance {
 protected:
  // Runs what `prepare` fills in in another process. Expects that it is -EPIPE
  // there and leaves neither a signal nor a mask behind. `pending`: one is
  // blocked and pending.
  void ExpectEpipe(absl::FunctionRef<void(Operation&)> prepare,
                   bool pending = false) {
    EXPECT_EXIT(
        {
          signal(SIGPIPE, SIG_DFL);
          const sigset_t set = SigPipe();
          pthread_sigmask(pending ? SIG_BLOCK : SIG_UNBLOCK, &set, nullptr);
          if (pending) raise(SIGPIPE);
          BackendDriver driver(MakeForTest());
          CountedOperation op;
          prepare(op);
          const int32_t result = driver.RunToEnd(op);
          fprintf(stderr, "result %d, blocked %d, pending %d", result,
                  IsBlocked(), IsPending());
          _exit(result == -EPIPE && IsBlocked() == pending &&
                        IsPending() == pending
                    ? 0
                    : 1);
        },
        ::testing::ExitedWithCode(0), "");
  }

  // A socket whose peer is gone.
  TestFd WithoutPeer() {
    TestFdPair sockets = system().SocketPair();
    sockets.second.Reset();
    return std::move(sockets.first);
  }
};

TEST_P(SigPipeConformance, SpliceToAClosedSocketIsEpipe) {
  RINGWAY_REQUIRES_KERNEL("signals");
  const TestFd socket = WithoutPeer();
  TestFdPair pipe = system().Pipe();
  SendAll(pipe.second.get(), "hello");
  ExpectEpipe([&](Operation& op) {
    PrepareSplice(op, pipe.first.get(), kCurrentPosition, socket.get(),
                  kCurrentPosition, 5);
  });
}

TEST_P(SigPipeConformance, SpliceToAClosedPipeIsEpipe) {
  RINGWAY_REQUIRES_KERNEL("signals");
  TestFdPair from = system().Pipe(), to = system().Pipe();
  to.first.Reset();
  SendAll(from.second.get(), "hello");
  ExpectEpipe([&](Operation& op) {
    PrepareSplice(op, from.first.get(), kCurrentPosition, to.second.get(),
                  kCurrentPosition, 5);
  });
}

TEST_P(SigPipeConformance, SpliceOfAFileToAClosedPipeIsEpipe) {
  RINGWAY_REQUIRES_KERNEL("signals");
  const TestFd file = system().File("hello");
  TestFdPair to = system().Pipe();
  to.first.Reset();
  ExpectEpipe([&](Operation& op) {
    PrepareSplice(op, file.get(), 0, to.second.get(), kCurrentPosition, 5);
  });
}

TEST_P(SigPipeConformance, SendFileToAClosedSocketIsEpipe) {
  RINGWAY_REQUIRES_KERNEL("signals");
  const TestFd file = system().File("hello");
  const TestFd socket = WithoutPeer();
  ExpectEpipe([&](Operation& op) {
    PrepareSendFile(op, socket.get(), file.get(), 0, 5);
  });
}

TEST_P(SigPipeConformance, SendToAClosedSocketIsEpipe) {
  RINGWAY_REQUIRES_KERNEL("signals");
  const TestFd socket = WithoutPeer();
  ExpectEpipe(
      [&](Operation& op) { PrepareSend(op, socket.get(), AsBytes("hello")); });
}

TEST_P(SigPipeConformance, WriteToAClosedSocketIsEpipe) {
  RINGWAY_REQUIRES_KERNEL("signals");
  if (IsUring()) GTEST_SKIP() << "io_uring's writes raise the signal";
  const TestFd socket = WithoutPeer();
  ExpectEpipe([&](Operation& op) {
    PrepareWrite(op, socket.get(), AsBytes("hello"), kCurrentPosition);
  });
}

TEST_P(SigPipeConformance, SignalThatWasPendingStaysPending) {
  RINGWAY_REQUIRES_KERNEL("signals");
  const TestFd socket = WithoutPeer();
  TestFdPair pipe = system().Pipe();
  SendAll(pipe.second.get(), "hello");
  ExpectEpipe(
      [&](Operation& op) {
        PrepareSplice(op, pipe.first.get(), kCurrentPosition, socket.get(),
                      kCurrentPosition, 5);
      },
      /*pending=*/true);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SigPipeConformance);

}  // namespace
}  // namespace ringway::testing
