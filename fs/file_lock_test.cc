// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/file_lock.h"

#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::FsTest;
using testing::ValueOf;

class FileLockTest : public FsTest {
 protected:
  Task<File> OpenIt() {
    const OpenOptions options = OpenOptions::ForUpdating();
    co_return ValueOf(co_await File::Open(PathOf("file"), options));
  }

  static Task<absl::Status> Lock(File& file, LockKind kind) {
    Task<absl::Status> lock = file.Lock(kind);
    co_return co_await std::move(lock);
  }
};

TEST_P(FileLockTest, OneFileHasAnExclusiveLock) {
  auto main = [&]() -> Task<void> {
    File first = co_await OpenIt(), second = co_await OpenIt();
    EXPECT_TRUE(ValueOf(co_await first.TryLock(LockKind::kExclusive)));
    EXPECT_FALSE(ValueOf(co_await second.TryLock(LockKind::kExclusive)));
    EXPECT_FALSE(ValueOf(co_await second.TryLock(LockKind::kShared)));
    EXPECT_TRUE((co_await first.Unlock()).ok());
    EXPECT_TRUE(ValueOf(co_await second.TryLock(LockKind::kShared)));
    EXPECT_TRUE(ValueOf(co_await first.TryLock(LockKind::kShared)));
    EXPECT_FALSE(ValueOf(co_await first.TryLock(LockKind::kExclusive)));
  };
  Run(main());
}

TEST_P(FileLockTest, LocksOfOtherBytesAreNotInTheWay) {
  auto main = [&]() -> Task<void> {
    File first = co_await OpenIt(), second = co_await OpenIt();
    EXPECT_TRUE(ValueOf(co_await first.TryLock(LockKind::kExclusive, 0, 10)));
    EXPECT_TRUE(ValueOf(co_await second.TryLock(LockKind::kExclusive, 10)));
    EXPECT_FALSE(ValueOf(co_await second.TryLock(LockKind::kShared, 9, 1)));
  };
  Run(main());
}

TEST_P(FileLockTest, AWaitEndsWithTheUnlock) {
  auto main = [&]() -> Task<void> {
    File first = co_await OpenIt(), second = co_await OpenIt();
    EXPECT_TRUE((co_await Lock(first, LockKind::kExclusive)).ok());
    bool locked = false;
    auto wait = [&]() -> Task<absl::Status> {
      const absl::Status status = co_await Lock(second, LockKind::kExclusive);
      locked = true;
      co_return status;
    };
    JoinHandle<absl::Status> waiting = Spawn(wait());
    (co_await Sleep(absl::Milliseconds(20))).IgnoreError();
    EXPECT_FALSE(locked);
    EXPECT_TRUE((co_await first.Unlock()).ok());
    const absl::Status status = co_await waiting;
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_FALSE(ValueOf(co_await first.TryLock(LockKind::kShared)));
  };
  Run(main());
}

TEST_P(FileLockTest, AWaitEndsWithTheCloseOfTheOther) {
  auto main = [&]() -> Task<void> {
    File first = co_await OpenIt(), second = co_await OpenIt();
    EXPECT_TRUE((co_await Lock(first, LockKind::kExclusive)).ok());
    JoinHandle<absl::Status> waiting =
        Spawn(Lock(second, LockKind::kExclusive));
    EXPECT_TRUE((co_await first.Close()).ok());
    EXPECT_TRUE((co_await waiting).ok());
  };
  Run(main());
}

TEST_P(FileLockTest, AWaitCanBeCancelled) {
  auto main = [&]() -> Task<void> {
    File first = co_await OpenIt(), second = co_await OpenIt();
    EXPECT_TRUE((co_await Lock(first, LockKind::kExclusive)).ok());
    JoinHandle<absl::Status> waiting =
        Spawn(Lock(second, LockKind::kExclusive));
    (co_await Sleep(absl::Milliseconds(5))).IgnoreError();
    waiting.Cancel();
    EXPECT_TRUE(absl::IsCancelled(co_await waiting));
    EXPECT_TRUE((co_await first.Unlock()).ok());
    EXPECT_TRUE(ValueOf(co_await first.TryLock(LockKind::kExclusive)))
        << "the cancelled wait has left no lock";
  };
  Run(main());
}

TEST_P(FileLockTest, ALockNeedsTheRightToIt) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "x");
    File reads = ValueOf(co_await File::Open(path));
    const absl::Status status =
        (co_await reads.TryLock(LockKind::kExclusive)).status();
    EXPECT_EQ(ErrnoOf(status), EBADF) << status;
    File moved = std::move(reads);
    EXPECT_TRUE(
        absl::IsFailedPrecondition(co_await Lock(reads, LockKind::kShared)));
    EXPECT_TRUE((co_await Lock(moved, LockKind::kShared)).ok());
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FileLockTest);

}  // namespace
}  // namespace ringway::fs
