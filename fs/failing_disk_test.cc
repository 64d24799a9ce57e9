// SPDX-License-Identifier: Apache-2.0
//
// File systems of the kernel that fail, are full, or may only be read.

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/log/append_log.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/path_queries.h"
#include "ringway/fs/testing/fs_fixture.h"
#include "ringway/fs/testing/mounts.h"
#include "ringway/fs/testing/stalled_file_system.h"
#include "ringway/fs/whole_file.h"

namespace ringway::fs {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::Pattern;
using testing::SmallFileSystem;
using testing::StalledFileSystem;
using testing::ValueOf;

bool Names(const absl::Status& status, std::string_view what) {
  return absl::StrContains(status.message(), what);
}

class FailingDiskTest : public testing::FsTest {
 protected:
  std::string MountPoint() {
    const std::string path = PathOf("mounted");
    EXPECT_TRUE(std::filesystem::create_directory(path));
    return path;
  }
};

// --- One that fails

TEST_P(FailingDiskTest, EachErrorNamesCallFileAndOffset) {
  RINGWAY_REQUIRES_KERNEL("file systems");
  const absl::StatusOr<std::unique_ptr<StalledFileSystem>> mount =
      StalledFileSystem::Mount(MountPoint(), absl::ZeroDuration());
  if (!mount.ok()) GTEST_SKIP() << "needs FUSE: " << mount.status();
  StalledFileSystem& disk = **mount;
  auto main = [&]() -> Task<void> {
    OpenOptions options;
    options.write = true;
    File file = ValueOf(co_await File::Open(disk.file(), options));
    const std::vector<std::byte> bytes = Pattern(8'192, 1);
    EXPECT_TRUE((co_await file.WriteAllAt(bytes, 0)).ok());
    disk.Fail(StalledFileSystem::kWrite, ENOSPC);
    const absl::Status full = co_await file.WriteAllAt(bytes, 8'192);
    disk.Fail(StalledFileSystem::kWrite, 0);
    EXPECT_EQ(ErrnoOf(full), ENOSPC) << full;
    EXPECT_TRUE(
        Names(full, absl::StrCat("write to ", disk.file(), " at offset 8192")))
        << full;
    std::vector<std::byte> read(100);
    File other = ValueOf(co_await File::Open(disk.file()));
    disk.Fail(StalledFileSystem::kRead, EIO);
    const absl::Status unread = co_await other.ReadExactlyAt(read, 4'096);
    disk.Fail(StalledFileSystem::kRead, 0);
    EXPECT_EQ(ErrnoOf(unread), EIO) << unread;
    EXPECT_TRUE(
        Names(unread, absl::StrCat("read of ", disk.file(), " at offset 4096")))
        << unread;
    EXPECT_TRUE((co_await other.ReadExactlyAt(read, 4'096)).ok());
    disk.Fail(StalledFileSystem::kClose, EDQUOT);
    const absl::Status closed = co_await other.Close();
    disk.Fail(StalledFileSystem::kClose, 0);
    EXPECT_EQ(ErrnoOf(closed), EDQUOT) << closed;
    EXPECT_TRUE(Names(closed, "close of " + disk.file())) << closed;
    EXPECT_TRUE((co_await file.Close()).ok());
  };
  Run(main());
  DestroyExecutor();  // nothing of it is open when it is unmounted
}

// The kernel itself would report success the second time.
TEST_P(FailingDiskTest, ASyncThatFailedStaysFailed) {
  RINGWAY_REQUIRES_KERNEL("file systems");
  const absl::StatusOr<std::unique_ptr<StalledFileSystem>> mount =
      StalledFileSystem::Mount(MountPoint(), absl::ZeroDuration());
  if (!mount.ok()) GTEST_SKIP() << "needs FUSE: " << mount.status();
  StalledFileSystem& disk = **mount;
  auto main = [&]() -> Task<void> {
    OpenOptions options;
    options.write = true;
    File file = ValueOf(co_await File::Open(disk.file(), options));
    EXPECT_TRUE((co_await file.WriteAllAt(Bytes("lost"), 0)).ok());
    disk.Fail(StalledFileSystem::kSync, EIO);
    const absl::Status failed = co_await file.SyncData();
    disk.Fail(StalledFileSystem::kSync, 0);
    EXPECT_EQ(ErrnoOf(failed), EIO) << failed;
    EXPECT_TRUE(Names(failed, "sync of " + disk.file())) << failed;
    EXPECT_EQ(co_await file.Sync(), failed);
    EXPECT_EQ(co_await file.SyncData(), failed);
    File anew = ValueOf(co_await File::Open(disk.file(), options));
    EXPECT_TRUE((co_await anew.WriteAllAt(Bytes("anew"), 0)).ok());
    EXPECT_TRUE((co_await anew.Sync()).ok());
    EXPECT_TRUE((co_await anew.Close()).ok());
    EXPECT_TRUE((co_await file.Close()).ok());
  };
  Run(main());
  DestroyExecutor();
}

// --- One that is full

TEST_P(FailingDiskTest, AFullOneIsNamedWithTheOffset) {
  RINGWAY_REQUIRES_KERNEL("file systems");
  constexpr size_t kRoom = 256 * 1024;
  const std::string folder = MountPoint();
  const absl::StatusOr<std::unique_ptr<SmallFileSystem>> mount =
      SmallFileSystem::Mount(folder, kRoom);
  if (!mount.ok()) GTEST_SKIP() << "needs root: " << mount.status();
  auto main = [&]() -> Task<void> {
    const std::string path = folder + "/file";
    EXPECT_EQ(ValueOf(co_await StatFileSystem(folder)).total_bytes, kRoom);
    File file = ValueOf(co_await File::Open(path, OpenOptions::ForUpdating()));
    const std::vector<std::byte> bytes = Pattern(kRoom + 10'000, 1);
    const absl::Status full = co_await file.WriteAllAt(bytes, 0);
    EXPECT_EQ(ErrnoOf(full), ENOSPC) << full;
    EXPECT_TRUE(
        Names(full, absl::StrCat("write to ", path, " at offset ", kRoom)))
        << full;
    EXPECT_EQ(ValueOf(co_await StatFileSystem(folder)).available_bytes, 0u);
    std::vector<std::byte> read(kRoom);
    EXPECT_TRUE((co_await file.ReadExactlyAt(read, 0)).ok());
    EXPECT_TRUE(std::equal(read.begin(), read.end(), bytes.begin()));
    const absl::Status reserved = co_await file.Allocate(0, 2 * kRoom);
    EXPECT_EQ(ErrnoOf(reserved), ENOSPC) << reserved;
    EXPECT_TRUE(Names(reserved, path)) << reserved;
    // A replacement that does not fit leaves what there was, and nothing else.
    EXPECT_TRUE((co_await file.Truncate(100)).ok());
    Task<absl::Status> replace =
        WriteFileAtomically(path, std::string(kRoom + 1, 'x'));
    const absl::Status replaced = co_await std::move(replace);
    EXPECT_EQ(ErrnoOf(replaced), ENOSPC) << replaced;
    EXPECT_EQ(ValueOf(co_await Stat(path)).size, 100);
    EXPECT_TRUE((co_await RemoveFile(path)).ok());
    EXPECT_TRUE((co_await file.Close()).ok());
    EXPECT_EQ(ValueOf(co_await StatFileSystem(folder)).available_bytes, kRoom);
  };
  Run(main());
  DestroyExecutor();
}

// io_uring leaves a file's position where it was if a write ends early: what
// follows must not overwrite what was written (file_position.h).
TEST_P(FailingDiskTest, AWriteThatEndsEarlyMovesThePosition) {
  RINGWAY_REQUIRES_KERNEL("file systems");
  constexpr size_t kRoom = 64 * 1024;
  const std::string folder = MountPoint();
  const absl::StatusOr<std::unique_ptr<SmallFileSystem>> mount =
      SmallFileSystem::Mount(folder, kRoom);
  if (!mount.ok()) GTEST_SKIP() << "needs root: " << mount.status();
  auto main = [&]() -> Task<void> {
    const std::vector<std::byte> bytes = Pattern(kRoom + 10'000, 1);
    for (const bool append : {false, true}) {
      SCOPED_TRACE(append);
      const std::string path = folder + "/file";
      File file = ValueOf(
          co_await File::Open(path, append ? OpenOptions::ForAppending()
                                           : OpenOptions::ForWriting()));
      EXPECT_TRUE((co_await file.WriteAll(std::span(bytes).first(100))).ok());
      // In two buffers, and in one.
      std::vector<std::span<const std::byte>> parts;
      parts.push_back(std::span(bytes).subspan(100, 1'000));
      parts.push_back(std::span(bytes).subspan(1'100));
      const absl::Status full =
          append ? co_await file.WriteAll(std::span(bytes).subspan(100))
                 : co_await file.WritevAll(parts);
      EXPECT_EQ(ErrnoOf(full), ENOSPC) << full;
      EXPECT_EQ(lseek(file.fd(), 0, SEEK_CUR), static_cast<off_t>(kRoom));
      EXPECT_EQ(ErrnoOf(co_await file.WriteAll(bytes)), ENOSPC);
      EXPECT_TRUE((co_await file.Close()).ok());
      const std::string content = co_await ContentOf(path);
      EXPECT_EQ(content, AsString(std::span(bytes).first(kRoom)));
      EXPECT_TRUE((co_await RemoveFile(path)).ok());
    }
  };
  Run(main());
  DestroyExecutor();
}

TEST_P(FailingDiskTest, AFullOneEndsALogButNotItsRecords) {
  RINGWAY_REQUIRES_KERNEL("file systems");
  const std::string folder = MountPoint();
  const absl::StatusOr<std::unique_ptr<SmallFileSystem>> mount =
      SmallFileSystem::Mount(folder, 128 * 1024);
  if (!mount.ok()) GTEST_SKIP() << "needs root: " << mount.status();
  auto main = [&]() -> Task<void> {
    Task<absl::StatusOr<AppendLog>> open = AppendLog::Open(folder + "/log");
    AppendLog log = ValueOf(co_await std::move(open));
    absl::Status status;
    uint64_t n_records = 0;
    while (status.ok()) {
      status = (co_await log.Append(std::string(1'000, 'x'))).status();
      if (status.ok()) ++n_records;
    }
    EXPECT_EQ(ErrnoOf(status), ENOSPC) << status;
    EXPECT_TRUE(Names(status, folder + "/log/")) << status;
    EXPECT_GT(n_records, 50u);
    EXPECT_EQ(co_await log.Close(), status);
    Task<absl::StatusOr<AppendLog>> again = AppendLog::Open(folder + "/log");
    AppendLog recovered = ValueOf(co_await std::move(again));
    EXPECT_EQ(recovered.recovered().records, n_records);
    EXPECT_TRUE((co_await recovered.Close()).ok());
  };
  Run(main());
  DestroyExecutor();
}

// --- One that may only be read

TEST_P(FailingDiskTest, WhatMayOnlyBeReadIsErofs) {
  RINGWAY_REQUIRES_KERNEL("file systems");
  const std::string folder = MountPoint();
  const absl::StatusOr<std::unique_ptr<SmallFileSystem>> mount =
      SmallFileSystem::Mount(folder, 64 * 1024);
  if (!mount.ok()) GTEST_SKIP() << "needs root: " << mount.status();
  auto main = [&]() -> Task<void> {
    const std::string path = folder + "/file";
    {
      File file = ValueOf(co_await File::Open(path, OpenOptions::ForWriting()));
      EXPECT_TRUE((co_await file.WriteAll(Bytes("content"))).ok());
      EXPECT_TRUE((co_await file.Close()).ok());
    }
    EXPECT_TRUE((*mount)->SetReadOnly(true).ok());
    std::vector<absl::Status> refused;
    refused.push_back(
        (co_await File::Open(path, OpenOptions::ForUpdating())).status());
    refused.push_back(co_await RemoveFile(path));
    refused.push_back(co_await Rename(path, folder + "/other"));
    refused.push_back(co_await MakeDirectory(folder + "/other"));
    refused.push_back(co_await SetPermissions(path, 0600));
    refused.push_back(co_await Access(path, W_OK));
    Task<absl::Status> replace = WriteFileAtomically(path, "new");
    refused.push_back(co_await std::move(replace));
    for (const absl::Status& status : refused) {
      EXPECT_EQ(ErrnoOf(status), EROFS) << status;
      EXPECT_TRUE(Names(status, folder)) << status;
    }
    EXPECT_TRUE(ValueOf(co_await StatFileSystem(folder)).read_only);
    EXPECT_EQ(co_await ContentOf(path), "content");
  };
  Run(main());
  DestroyExecutor();
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FailingDiskTest);

}  // namespace
}  // namespace ringway::fs
