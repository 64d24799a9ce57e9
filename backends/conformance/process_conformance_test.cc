// SPDX-License-Identifier: Apache-2.0
//
// What belongs to one kernel: waiting for processes, commands to its drivers.

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/operation_fixture.h"
#include "ringway/core/unique_fd.h"

namespace ringway::testing {
namespace {

// A child that ends with `exit_code` when its pipe is closed.
struct Child {
  Child(System& system, int exit_code) : pipe(system.Pipe()) {
    pid = fork();
    if (pid != 0) {
      pidfd =
          UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, /*flags=*/0)));
      return;
    }
    close(pipe.second.get());
    char byte;
    while (read(pipe.first.get(), &byte, 1) > 0) {
    }
    _exit(exit_code);
  }
  ~Child() {
    if (kill(pid, SIGKILL) == 0) waitpid(pid, nullptr, 0);
  }
  void LetGo() { pipe.second.Reset(); }

  TestFdPair pipe;
  pid_t pid;
  UniqueFd pidfd;
};

class ProcessConformance : public OperationConformance {
 protected:
  void SetUp() override {
    OperationConformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    RINGWAY_REQUIRES_KERNEL("processes");
  }

  siginfo_t info_ = {};
};

TEST_P(ProcessConformance, WaitTellsTheExitCodeAndReaps) {
  Child child(system(), 3);
  PrepareWaitPid(op_, child.pidfd.get(), &info_);
  StartAndPend();
  child.LetGo();
  EXPECT_EQ(Finish(), 0);
  EXPECT_EQ(info_.si_code, CLD_EXITED);
  EXPECT_EQ(info_.si_status, 3);
  EXPECT_EQ(info_.si_pid, child.pid);
  EXPECT_EQ(waitpid(child.pid, nullptr, WNOHANG), -1) << "it is still there";
  EXPECT_EQ(errno, ECHILD);
}

TEST_P(ProcessConformance, WaitForAChildThatHasEndedIsDoneAtOnce) {
  Child child(system(), 4);
  child.LetGo();
  siginfo_t peeked;
  ASSERT_EQ(
      waitid(P_PID, static_cast<id_t>(child.pid), &peeked, WEXITED | WNOWAIT),
      0);
  PrepareWaitPid(op_, child.pidfd.get(), &info_);
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(info_.si_status, 4);
}

TEST_P(ProcessConformance, WaitTellsTheSignalThatKilled) {
  Child child(system(), 0);
  PrepareWaitPid(op_, child.pidfd.get(), &info_);
  StartAndPend();
  ASSERT_EQ(kill(child.pid, SIGTERM), 0);
  EXPECT_EQ(Finish(), 0);
  EXPECT_EQ(info_.si_code, CLD_KILLED);
  EXPECT_EQ(info_.si_status, SIGTERM);
}

TEST_P(ProcessConformance, WaitNeedsNowhereToTell) {
  Child child(system(), 5);
  PrepareWaitPid(op_, child.pidfd.get(), nullptr);
  child.LetGo();
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(waitpid(child.pid, nullptr, WNOHANG), -1);
}

TEST_P(ProcessConformance, CancelledWaitLeavesTheChildToBeWaitedFor) {
  Child child(system(), 6);
  PrepareWaitPid(op_, child.pidfd.get(), &info_);
  StartAndPend();
  EXPECT_EQ(driver().Cancel(op_), CancelOutcome::kRequested);
  EXPECT_EQ(Finish(), -ECANCELED);
  child.LetGo();
  PrepareWaitPid(op_, child.pidfd.get(), &info_);
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(info_.si_status, 6);
}

// --- Commands

// SOCKET_URING_OP_SIOCINQ, Linux 6.7: how many bytes a socket has for us.
constexpr uint32_t kQueuedBytes = 0;

TEST_P(ProcessConformance, DriverCommandIsCarriedOutOrUnimplemented) {
  TestFd listener = system().TcpListener(1);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  TestFd server = system().Accept(listener.get());
  SendAll(server.get(), "hello");
  PrepareRecv(op_, client.get(), buffer_, MSG_PEEK);
  ASSERT_EQ(Run(), 5);
  PrepareUringCommand(op_, client.get(), kQueuedBytes);
  const bool implemented =
      driver()->support(OpCode::kUringCommand) != Support::kUnimplemented;
  EXPECT_EQ(implemented, IsUring() && Options().uring.masked_opcodes == 0);
  const int32_t result = Run();
  if (implemented && result == -EOPNOTSUPP) {
    GTEST_SKIP() << "sockets take commands from Linux 6.7 on";
  }
  EXPECT_EQ(result, implemented ? 5 : -EOPNOTSUPP);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(ProcessConformance);

}  // namespace
}  // namespace ringway::testing
