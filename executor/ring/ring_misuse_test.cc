// SPDX-License-Identifier: Apache-2.0
//
// Every public member of a ring, called from a foreign thread and of a ring
// that was moved from.
//
// Both used to be checked only where a task is started: Stop() and
// OnMessage() wrote to a ring that was running on another core, and a
// moved-from ring was a null pointer.

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/ring/ring.h"
#include "ringway/executor/ring/ring_thread.h"

namespace ringway {
namespace {

// Arguments that are never used.
struct Arguments {
  std::array<std::byte, 8> buffer = {};
  sockaddr_in address = {};
  socklen_t length = sizeof(address);
  msghdr message = {};
  struct statx statx = {};
  siginfo_t info = {};
  MonotonicTime time;

  std::span<std::byte> bytes() { return buffer; }
  sockaddr* name() { return reinterpret_cast<sockaddr*>(&address); }
};

void Ignore(Ring&, Arguments&, uint16_t, Completion) {}

struct Call {
  const char* label;
  void (*call)(Ring&, Arguments&, const Context&);
};

void PrintTo(const Call& call, std::ostream* out) { *out << call.label; }

#define CALL(name, ...)                                             \
  {                                                                 \
#name, [](Ring & r, [[maybe_unused]] Arguments & a,             \
              [[maybe_unused]] const Context& c) { r.__VA_ARGS__; } \
  }

const Call kCalls[] = {
    CALL(Nop, Nop(c)),
    CALL(Read, Read(0, a.bytes(), c)),
    CALL(Write, Write(0, a.bytes(), c)),
    CALL(Readv, Readv(0, {}, c)),
    CALL(Writev, Writev(0, {}, c)),
    CALL(CloseFd, Close(0, c)),
    CALL(Poll, Poll(0, 0, c)),
    CALL(PollMultishot, PollMultishot(0, 0, c)),
    CALL(Splice, Splice(0, 0, 0, 0, 1, c)),
    CALL(SendFile, SendFile(0, 0, 0, 1, c)),
    CALL(Socket, Socket(0, 0, 0, c)),
    CALL(Bind, Bind(0, a.name(), a.length, c)),
    CALL(Listen, Listen(0, 1, c)),
    CALL(Accept, Accept(0, c)),
    CALL(AcceptMultishot, AcceptMultishot(0, c)),
    CALL(Connect, Connect(0, a.name(), a.length, c)),
    CALL(Shutdown, Shutdown(0, 0, c)),
    CALL(Recv, Recv(0, a.bytes(), c)),
    CALL(RecvMsg, RecvMsg(0, a.message, c)),
    CALL(RecvMultishot, RecvMultishot(0, c)),
    CALL(RecvMsgMultishot, RecvMsgMultishot(0, a.message, c)),
    CALL(Send, Send(0, a.bytes(), c)),
    CALL(SendMsg, SendMsg(0, a.message, c)),
    CALL(SendZeroCopy, SendZeroCopy(0, a.bytes(), c)),
    CALL(SendMsgZeroCopy, SendMsgZeroCopy(0, a.message, c)),
    CALL(OpenAt, OpenAt(AT_FDCWD, "", 0, 0, c)),
    CALL(Statx, Statx(AT_FDCWD, "", 0, 0, &a.statx, c)),
    CALL(Lstat, Lstat("", &a.statx, c)),
    CALL(Fsync, Fsync(0, c)),
    CALL(Fdatasync, Fdatasync(0, c)),
    CALL(SyncFileRange, SyncFileRange(0, 0, 1, 0, c)),
    CALL(Fallocate, Fallocate(0, 0, 0, 1, c)),
    CALL(Truncate, Truncate(0, 0, c)),
    CALL(Rename, Rename(AT_FDCWD, "", AT_FDCWD, "", c)),
    CALL(Unlink, Unlink(AT_FDCWD, "", c)),
    CALL(Rmdir, Rmdir(AT_FDCWD, "", c)),
    CALL(Mkdir, Mkdir(AT_FDCWD, "", 0, c)),
    CALL(Link, Link(AT_FDCWD, "", AT_FDCWD, "", c)),
    CALL(Symlink, Symlink("", AT_FDCWD, "", c)),
    CALL(WaitPid, WaitPid(0, &a.info, c)),
    CALL(UringCommand, UringCommand(0, 0, a.bytes(), c)),

    CALL(Timer, Timer(absl::ZeroDuration(), c)),
    CALL(ResetTimer, ResetTimer({}, absl::ZeroDuration())),
    CALL(Message, Message(RingAddress(), uint64_t{1}, c)),
    CALL(OnMessage, OnMessage(c)),
    CALL(Cancel, Cancel({})),
    CALL(CancelFd, CancelFd(0)),
    CALL(CancelAll, CancelAll()),
    CALL(SetDeadline, SetDeadline({}, a.time)),
    CALL(Now, Now()),
    CALL(Run, Run(RunMode::kNoWait).IgnoreError()),
    CALL(RunFor, RunFor(absl::ZeroDuration()).IgnoreError()),
    CALL(Stop, Stop()),
    CALL(PrepareToPoll, PrepareToPoll()),
    CALL(PollableFd, PollableFd()),
    CALL(Address, address()),
    CALL(Stats, stats()),
    {"Move", [](Ring& r, Arguments&, const Context&) { Ring(std::move(r)); }},
};

#undef CALL

class RingMisuseDeathTest : public testing::TestWithParam<Call> {};

TEST_P(RingMisuseDeathTest, NamesTheRingThatAForeignThreadUses) {
  Arguments arguments;
  const Context context(&arguments, &Ignore, uint16_t{0});
  EXPECT_DEATH(
      {
        Ring ring = *Ring::Create();
        std::thread([&] { GetParam().call(ring, arguments, context); }).join();
      },
      "a ring was used from a foreign thread");
}

TEST_P(RingMisuseDeathTest, NamesTheRingThatWasMovedFrom) {
  Arguments arguments;
  const Context context(&arguments, &Ignore, uint16_t{0});
  EXPECT_DEATH(
      {
        Ring ring = *Ring::Create();
        Ring moved = std::move(ring);
        GetParam().call(ring, arguments, context);
      },
      "a Ring was used after it was moved from");
}

INSTANTIATE_TEST_SUITE_P(Calls, RingMisuseDeathTest, testing::ValuesIn(kCalls),
                         [](const auto& param) { return param.param.label; });

TEST(RingMisuseDeathTest, NamesTheRingThatAForeignThreadDestroys) {
  EXPECT_DEATH(
      {
        std::optional<Ring> ring(*Ring::Create());
        std::thread([&] { ring.reset(); }).join();
      },
      "a ring was used from a foreign thread");
}

// An address whose ring has ended may be used on any thread; its calls fail.
TEST(MovedFromRingThread, IsAsOneThatHasEnded) {
  RingThread thread =
      *SpawnThread(RingOptions(), [](Ring&) { return absl::OkStatus(); });
  RingThread moved = std::move(thread);
  thread.Kill();
  thread.Join();
  EXPECT_TRUE(absl::IsUnavailable(thread.address().Post([](Ring&) {})));
  std::thread([address = moved.address()] { address.Stop(); }).join();
}

}  // namespace
}  // namespace ringway
