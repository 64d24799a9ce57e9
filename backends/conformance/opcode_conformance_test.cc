// SPDX-License-Identifier: Apache-2.0
//
// What holds for operations of every kind, and the kinds that belong to no
// family: no-ops and closes.

#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <array>
#include <cerrno>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/operation_fixture.h"

namespace ringway::testing {
namespace {

using OpCodeConformance = OperationConformance;

TEST_P(OpCodeConformance, NopDoesNothingWell) {
  PrepareNop(op_);
  EXPECT_EQ(Run(), 0);
}

// --- close

TEST_P(OpCodeConformance, CloseGivesTheFdBack) {
  TestFdPair pipe = system().Pipe();
  const int fd = pipe.first.Release();
  PrepareClose(op_, fd);
  EXPECT_EQ(Run(), 0);
  EXPECT_FALSE(system().IsOpen(fd));
}

TEST_P(OpCodeConformance, CloseTellsThePeer) {
  TestFdPair sockets = system().SocketPair();
  PrepareClose(op_, sockets.first.Release());
  EXPECT_EQ(Run(), 0);
  EXPECT_TRUE(system().AtEnd(sockets.second.get()));
}

TEST_P(OpCodeConformance, CloseOfABadFdIsEbadf) {
  TestFdPair pipe = system().Pipe();
  const int closed = pipe.first.get();
  pipe.first.Reset();
  PrepareClose(op_, closed);
  EXPECT_EQ(Run(), -EBADF);
  PrepareClose(op_, -1);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(OpCodeConformance, FdNumbersThatComeBackAreNewFds) {
  // What a backend remembers of an fd must go with it: the number returns at
  // once, for something else.
  for (int round = 0; round < 100; ++round) {
    TestFdPair sockets = system().SocketPair();
    PrepareRecv(op_, sockets.first.get(), buffer_);
    StartAndPend();
    SendAll(sockets.second.get(), "x");
    ASSERT_EQ(Finish(), 1);
    if (round % 2 == 0) continue;  // closed without the backend's knowledge
    for (TestFd* fd : {&sockets.first, &sockets.second}) {
      PrepareClose(op_, fd->Release());
      ASSERT_EQ(Run(), 0);
    }
  }
}

// --- All kinds

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

// Arguments that are valid except for the bad fd or the missing path.
struct Arguments {
  std::array<std::byte, 16> bytes = {};
  iovec part = {bytes.data(), bytes.size()};
  msghdr message = {};
  sockaddr_in address = {.sin_family = AF_INET};
  struct statx status = {};
  struct statfs file_system = {};
  open_how how = {};
  std::array<char, 16> target = {};
  std::array<timespec, 2> times = {};
  int64_t position = 0;
};

// Fills `op` in so that it cannot succeed, for its fd `bad` is closed.
void PrepareToFail(DeliveringOperation& op, OpCode opcode, int bad,
                   Arguments& a) {
  switch (opcode) {
    case OpCode::kNop:
      return PrepareNop(op);
    case OpCode::kRead:
      return PrepareRead(op, bad, a.bytes, 0);
    case OpCode::kReadv:
      return PrepareReadv(op, bad, {&a.part, 1}, 0);
    case OpCode::kWrite:
      return PrepareWrite(op, bad, a.bytes, 0);
    case OpCode::kWritev:
      return PrepareWritev(op, bad, {&a.part, 1}, 0);
    case OpCode::kClose:
      return PrepareClose(op, bad);
    case OpCode::kPoll:
      return PreparePoll(op, bad, POLLIN);
    case OpCode::kPollMultishot:
      return PreparePollMultishot(op, bad, POLLIN);
    case OpCode::kSplice:
      return PrepareSplice(op, bad, kCurrentPosition, bad, kCurrentPosition, 1);
    case OpCode::kSendFile:
      return PrepareSendFile(op, bad, bad, 0, 1);
    case OpCode::kSocket:
      return PrepareSocket(op, /*domain=*/40'000, SOCK_STREAM, 0);
    case OpCode::kBind:
      return PrepareBind(op, bad, AsSockaddr(a.address), sizeof(a.address));
    case OpCode::kListen:
      return PrepareListen(op, bad, 1);
    case OpCode::kAccept:
      return PrepareAccept(op, bad, nullptr, nullptr);
    case OpCode::kAcceptMultishot:
      return PrepareAcceptMultishot(op, bad);
    case OpCode::kConnect:
      return PrepareConnect(op, bad, AsSockaddr(a.address), sizeof(a.address));
    case OpCode::kShutdown:
      return PrepareShutdown(op, bad, SHUT_WR);
    case OpCode::kRecv:
      return PrepareRecv(op, bad, a.bytes);
    case OpCode::kRecvMsg:
      return PrepareRecvMsg(op, bad, a.message);
    case OpCode::kRecvMultishot:
      return PrepareRecvMultishot(op, bad);
    case OpCode::kRecvMsgMultishot:
      return PrepareRecvMsgMultishot(op, bad, a.message);
    case OpCode::kSend:
      return PrepareSend(op, bad, a.bytes);
    case OpCode::kSendMsg:
      return PrepareSendMsg(op, bad, a.message);
    case OpCode::kSendZeroCopy:
      return PrepareSendZeroCopy(op, bad, a.bytes);
    case OpCode::kSendMsgZeroCopy:
      return PrepareSendMsgZeroCopy(op, bad, a.message);
    case OpCode::kOpenAt:
      return PrepareOpenAt(op, bad, "a", O_RDONLY);
    case OpCode::kStatx:
      return PrepareStatx(op, bad, "a", 0, STATX_SIZE, &a.status);
    case OpCode::kFsync:
      return PrepareFsync(op, bad);
    case OpCode::kSyncFileRange:
      return PrepareSyncFileRange(op, bad, 0, 0, 0);
    case OpCode::kFallocate:
      return PrepareFallocate(op, bad, 0, 0, 1);
    case OpCode::kTruncate:
      return PrepareTruncate(op, bad, 0);
    case OpCode::kRename:
      return PrepareRename(op, bad, "a", bad, "b");
    case OpCode::kUnlink:
      return PrepareUnlink(op, bad, "a");
    case OpCode::kMkdir:
      return PrepareMkdir(op, bad, "a", 0700);
    case OpCode::kLink:
      return PrepareLink(op, bad, "a", bad, "b");
    case OpCode::kSymlink:
      return PrepareSymlink(op, "a", bad, "b");
    case OpCode::kOpenAt2:
      return PrepareOpenAt2(op, bad, "a", a.how);
    case OpCode::kReadLink:
      return PrepareReadLink(op, bad, "a", a.target);
    case OpCode::kGetDents:
      return PrepareGetDents(op, bad, a.bytes);
    case OpCode::kSeek:
      return PrepareSeek(op, bad, 0, SEEK_SET, &a.position);
    case OpCode::kCopyFileRange:
      return PrepareCopyFileRange(op, bad, 0, bad, 0, 1);
    case OpCode::kFadvise:
      return PrepareFadvise(op, bad, 0, 0, POSIX_FADV_NORMAL);
    case OpCode::kLock:
      return PrepareLock(op, bad, F_UNLCK, 0, 0);
    case OpCode::kChmod:
      return PrepareChmod(op, bad, "a", 0600);
    case OpCode::kChown:
      return PrepareChown(op, bad, "a", 0, 0);
    case OpCode::kSetTimes:
      return PrepareSetTimes(op, bad, "a", a.times);
    case OpCode::kAccess:
      return PrepareAccess(op, bad, "a", F_OK);
    case OpCode::kStatFs:
      return PrepareStatFs(op, "", &a.file_system);
    case OpCode::kRealPath:
      return PrepareRealPath(op, "", a.target);
    case OpCode::kMakeWatcher:
      return PrepareMakeWatcher(op, /*flags=*/1);
    case OpCode::kAddWatch:
      return PrepareAddWatch(op, bad, "/", IN_CREATE);
    case OpCode::kRemoveWatch:
      return PrepareRemoveWatch(op, bad, 1);
    case OpCode::kWaitPid:
      return PrepareWaitPid(op, bad, nullptr);
    case OpCode::kUringCommand:
      return PrepareUringCommand(op, bad, 0, a.bytes);
  }
}

int32_t ExpectedFailure(OpCode opcode) {
  if (opcode == OpCode::kNop) return 0;
  if (opcode == OpCode::kMakeWatcher) return -EINVAL;
  if (opcode == OpCode::kStatFs || opcode == OpCode::kRealPath) return -ENOENT;
  return opcode == OpCode::kSocket ? -EAFNOSUPPORT : -EBADF;
}

bool IsForSockets(OpCode opcode) {
  return opcode >= OpCode::kBind && opcode <= OpCode::kSendMsgZeroCopy;
}

bool IsForWatches(OpCode opcode) {
  return opcode >= OpCode::kMakeWatcher && opcode <= OpCode::kRemoveWatch;
}

// Runs `op` from start to end without running its function. Returns the
// number of times it was scheduled.
size_t EndsOf(BackendDriver& driver, DeliveringOperation& op) {
  OperationList pending;
  RunnableList done;
  op.state = OpState::kQueued;
  pending.PushBack(op);
  const MonotonicTime limit = driver->clock().Now() + absl::Seconds(10);
  while (op.state != OpState::kDone && driver->clock().Now() < limit) {
    driver->Submit(pending, done);
    driver->Wait(limit, done);
  }
  driver->Wait(MonotonicTime::FromNanoseconds(0), done);
  size_t n = 0;
  while (done.PopFront() != nullptr) ++n;
  return n;
}

// The result of an operation on `bad` that must fail and deliver nothing.
int32_t FailureOf(BackendDriver& driver, OpCode opcode, int bad) {
  DeliveringOperation op(nullptr);
  Arguments arguments;
  PrepareToFail(op, opcode, bad, arguments);
  EXPECT_EQ(EndsOf(driver, op), 1u);
  EXPECT_EQ(op.state, OpState::kDone);
  EXPECT_EQ(op.delivery_count, 0u);
  return op.result;
}

TEST_P(OpCodeConformance, WhatSupportSaysIsWhatHappens) {
  const int closed = system().Pipe().first.get();
  for (const int bad : {closed, -1}) {
    for (size_t i = 0; i < kOpCodeCount; ++i) {
      const OpCode opcode = static_cast<OpCode>(i);
      SCOPED_TRACE(::testing::Message() << OpCodeName(opcode) << " on " << bad);
      const bool exists = driver()->support(opcode) != Support::kUnimplemented;
      int32_t result = FailureOf(driver(), opcode, bad);
      // What waitid(2) says of a number that cannot be an fd.
      if (opcode == OpCode::kWaitPid && result == -EINVAL && bad < 0) {
        result = -EBADF;
      }
      EXPECT_EQ(result, exists ? ExpectedFailure(opcode) : -EOPNOTSUPP);
    }
  }
}

TEST_P(OpCodeConformance, SocketOperationsOnAPipeAreEnotsock) {
  TestFdPair pipe = system().Pipe();
  for (size_t i = 0; i < kOpCodeCount; ++i) {
    const OpCode opcode = static_cast<OpCode>(i);
    if (!IsForSockets(opcode)) continue;
    SCOPED_TRACE(OpCodeName(opcode));
    EXPECT_EQ(FailureOf(driver(), opcode, pipe.first.get()), -ENOTSOCK);
  }
}

TEST_P(OpCodeConformance, ReceiveThatFindsNoBufferHasItsBadFdToldAllTheSame) {
  // Where there is no buffer a receive is not tried at all: it was queued for
  // one under the number that it was given, and -1 is no index. With buffers
  // the call itself finds out, so no other test of bad fds came there.
  BackendOptions options = Options();
  options.receive_buffer_count = 1;
  options.receive_copy_bytes = 0;
  options.receive_own_bytes = 0;
  options.share_receive_buffers = false;
  MakeDriver(options);
  TestFdPair sockets = system().SocketPair();
  SendAll(sockets.second.get(), "x");
  CountedMultishot holder;
  PrepareRecvMultishot(holder, sockets.first.get());
  driver().Start(holder);
  ASSERT_TRUE(driver().RunUntil([&] { return holder.delivery_count == 1; }));

  const int closed = system().Pipe().first.get();
  for (const OpCode opcode :
       {OpCode::kRecvMultishot, OpCode::kRecvMsgMultishot}) {
    SCOPED_TRACE(OpCodeName(opcode));
    EXPECT_EQ(FailureOf(driver(), opcode, -1), -EBADF);
    EXPECT_EQ(FailureOf(driver(), opcode, closed), -EBADF);
  }
  driver()->DropDeliveries(holder);
  driver().Cancel(holder);
  EXPECT_TRUE(driver().RunUntil([&] { return holder.ended(); }));
}

TEST_P(OpCodeConformance, OnlyDeviceCommandsMayBeMissing) {
  for (size_t i = 0; i < kOpCodeCount; ++i) {
    const OpCode opcode = static_cast<OpCode>(i);
    if (opcode == OpCode::kUringCommand) continue;
    if (IsForWatches(opcode) && !system().is_kernel()) continue;
    EXPECT_NE(driver()->support(opcode), Support::kUnimplemented)
        << OpCodeName(opcode);
  }
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(OpCodeConformance);

}  // namespace
}  // namespace ringway::testing
