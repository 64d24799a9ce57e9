// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/copying/copy_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::AsString;
using testing::FsTest;
using testing::Pattern;
using testing::ValueOf;

constexpr int64_t kMebibyte = 1 << 20;

class CopyFileTest : public FsTest {
 protected:
  Task<absl::Status> Copy(std::string from, std::string to,
                          CopyOptions options = CopyOptions()) {
    Task<absl::Status> copy =
        CopyFile(std::move(from), std::move(to), std::move(options));
    co_return co_await std::move(copy);
  }

  // Removes `names`, which spaces separate, from the directory and then it: so
  // nothing else was in it.
  Task<void> ExpectOnly(std::string directory, std::string names) {
    for (std::string_view name :
         absl::StrSplit(names, ' ', absl::SkipEmpty())) {
      const absl::Status removed =
          co_await RemoveFile(absl::StrCat(directory, "/", name));
      EXPECT_TRUE(removed.ok()) << removed;
    }
    const absl::Status removed = co_await RemoveDirectory(directory);
    EXPECT_TRUE(removed.ok()) << removed;
  }

  Task<std::string> MakeIt() {
    const std::string path = PathOf("directory");
    EXPECT_TRUE((co_await MakeDirectory(path)).ok());
    co_return path;
  }
};

TEST_P(CopyFileTest, ContentsOfAnySizeAreCopied) {
  auto main = [&]() -> Task<void> {
    for (const size_t n :
         {0, 1, 4'095, 4'096, 4'097, 65'536, 65'537, 300'001, 5'000'000}) {
      const std::string content = AsString(Pattern(n, 1));
      const std::string from = co_await Make("from", content);
      const absl::Status status = co_await Copy(from, PathOf("to"));
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_TRUE(co_await ContentOf(PathOf("to")) == content) << n;
      EXPECT_TRUE(co_await ContentOf(from) == content) << n;
    }
  };
  Run(main());
}

TEST_P(CopyFileTest, ACopyReplacesALongerFile) {
  auto main = [&]() -> Task<void> {
    const std::string directory = co_await MakeIt();
    const std::string from = co_await Make("directory/from", "short");
    const std::string to =
        co_await Make("directory/to", std::string(100'000, 'x'));
    EXPECT_TRUE((co_await Copy(from, to)).ok());
    EXPECT_EQ(co_await ContentOf(to), "short");
    co_await ExpectOnly(directory, "from to");
  };
  Run(main());
}

TEST_P(CopyFileTest, PermissionsAndTimesAreKeptIfAsked) {
  auto main = [&]() -> Task<void> {
    const std::string from = co_await Make("from", "x");
    FileTimes times;
    times.modified = absl::FromUnixSeconds(1'000);
    times.accessed = absl::FromUnixSeconds(2'000'000'000);
    EXPECT_TRUE((co_await SetTimes(from, times)).ok());
    EXPECT_TRUE((co_await SetPermissions(from, 0751)).ok());
    CopyOptions options;
    options.keep_times = true;
    options.durable = true;
    EXPECT_TRUE((co_await Copy(from, PathOf("to"), options)).ok());
    FileInfo info = ValueOf(co_await Stat(PathOf("to")));
    EXPECT_EQ(info.permissions, 0751u);
    EXPECT_EQ(info.modified, *times.modified);
    EXPECT_EQ(info.accessed, *times.accessed);
    options.keep_permissions = options.keep_times = false;
    options.mode = 0600;
    EXPECT_TRUE((co_await Copy(from, PathOf("to"), options)).ok());
    info = ValueOf(co_await Stat(PathOf("to")));
    EXPECT_EQ(info.permissions, 0600u);
    EXPECT_NE(info.modified, *times.modified);
  };
  Run(main());
}

TEST_P(CopyFileTest, HolesStayHoles) {
  auto main = [&]() -> Task<void> {
    const std::string path = PathOf("from");
    {
      File file = ValueOf(co_await File::Open(path, OpenOptions::ForWriting()));
      const std::vector<std::byte> bytes = Pattern(100'000, 1);
      EXPECT_TRUE((co_await file.WriteAllAt(bytes, 8 * kMebibyte)).ok());
      EXPECT_TRUE((co_await file.WriteAllAt(bytes, 20 * kMebibyte)).ok());
      EXPECT_TRUE((co_await file.Truncate(64 * kMebibyte)).ok());
      EXPECT_TRUE((co_await file.Sync()).ok());
    }
    std::vector<int64_t> reached;
    CopyOptions options;
    options.durable = true;  // blocks are allocated when they are written
    options.on_progress = [&](int64_t offset, int64_t size) {
      EXPECT_EQ(size, 64 * kMebibyte);
      reached.push_back(offset);
    };
    EXPECT_TRUE((co_await Copy(path, PathOf("to"), options)).ok());
    const FileInfo info = ValueOf(co_await Stat(PathOf("to")));
    EXPECT_EQ(info.size, 64 * kMebibyte);
    EXPECT_LT(info.allocated, 2u * kMebibyte);
    EXPECT_TRUE(std::is_sorted(reached.begin(), reached.end()));
    EXPECT_GE(reached.size(), 3u);
    EXPECT_EQ(reached.back(), 64 * kMebibyte);
    File from = ValueOf(co_await File::Open(path));
    File to = ValueOf(co_await File::Open(PathOf("to")));
    std::vector<std::byte> a(200'000), b(200'000);
    for (const int64_t at : {0, 8, 20, 50}) {
      EXPECT_TRUE((co_await from.ReadExactlyAt(a, at * kMebibyte)).ok());
      EXPECT_TRUE((co_await to.ReadExactlyAt(b, at * kMebibyte)).ok());
      EXPECT_EQ(a, b) << at;
    }
  };
  Run(main());
}

TEST_P(CopyFileTest, ASmallFileOfHolesStaysOne) {
  auto main = [&]() -> Task<void> {
    File file =
        ValueOf(co_await File::Open(PathOf("from"), OpenOptions::ForWriting()));
    EXPECT_TRUE((co_await file.Truncate(60'000)).ok());
    EXPECT_TRUE((co_await file.Close()).ok());
    EXPECT_TRUE((co_await Copy(PathOf("from"), PathOf("to"))).ok());
    const FileInfo info = ValueOf(co_await Stat(PathOf("to")));
    EXPECT_EQ(info.size, 60'000);
    EXPECT_EQ(info.allocated, 0u);
  };
  Run(main());
}

TEST_P(CopyFileTest, WhatMustBeNewReplacesNothing) {
  auto main = [&]() -> Task<void> {
    const std::string directory = co_await MakeIt();
    const std::string from = co_await Make("directory/from", "new");
    const std::string to = co_await Make("directory/to", "old");
    CopyOptions options;
    options.must_be_new = true;
    EXPECT_EQ(ErrnoOf(co_await Copy(from, to, options)), EEXIST);
    EXPECT_EQ(ErrnoOf(co_await Copy(from, from, options)), EEXIST);
    EXPECT_EQ(co_await ContentOf(to), "old");
    EXPECT_TRUE((co_await Copy(from, directory + "/third", options)).ok());
    co_await ExpectOnly(directory, "from third to");
  };
  Run(main());
}

TEST_P(CopyFileTest, ACopyToItselfDoesNothing) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "content");
    EXPECT_TRUE((co_await Link(path, PathOf("name"))).ok());
    EXPECT_TRUE((co_await Symlink("file", PathOf("link"))).ok());
    for (const std::string& to : {path, PathOf("name"), PathOf("link")}) {
      EXPECT_TRUE((co_await Copy(path, to)).ok());
      EXPECT_EQ(co_await ContentOf(path), "content");
    }
    EXPECT_TRUE(ValueOf(co_await StatLink(PathOf("link"))).is_symbolic_link());
  };
  Run(main());
}

TEST_P(CopyFileTest, ACopyThatFailsNamesItAndLeavesNothing) {
  auto main = [&]() -> Task<void> {
    const std::string directory = co_await MakeIt();
    const std::string from = co_await Make("directory/from", "x");
    const std::string below = directory + "/below";
    EXPECT_TRUE((co_await MakeDirectory(below)).ok());
    EXPECT_EQ(ErrnoOf(co_await Copy(from, below)), EISDIR);
    EXPECT_EQ(ErrnoOf(co_await Copy(below, PathOf("to"))), EISDIR);
    EXPECT_EQ(ErrnoOf(co_await Copy(from, below + "/none/to")), ENOENT);
    const absl::Status missing =
        co_await Copy(directory + "/missing", PathOf("to"));
    EXPECT_EQ(ErrnoOf(missing), ENOENT);
    EXPECT_TRUE(absl::StrContains(missing.message(), "/missing")) << missing;
    EXPECT_TRUE((co_await RemoveDirectory(below)).ok());
    co_await ExpectOnly(directory, "from");
  };
  Run(main());
}

TEST_P(CopyFileTest, EachOfSeveralHasItsOwnResult) {
  auto main = [&]() -> Task<void> {
    const std::string directory = co_await MakeIt();
    std::vector<CopyNames> files;
    std::vector<std::string> contents;
    for (size_t i = 0; i < 40; ++i) {
      contents.push_back(AsString(Pattern(i % 8 == 0 ? 200'000 : i * 50, i)));
      files.push_back({co_await Make(absl::StrCat(i), contents.back()),
                       absl::StrCat(directory, "/", i)});
    }
    files[11].from = PathOf("missing");
    files[12].to = directory + "/missing/12";
    files[13].from = directory;
    files[14] = files[15];  // the same once more
    int64_t begun = 0, copied = 0;
    bool is_whole = false;
    CopyOptions options;
    options.on_progress = [&](int64_t reached, int64_t size) {
      begun += reached == 0;
      if (reached == 0) is_whole = false;
      if (reached == size && !std::exchange(is_whole, true)) copied += size;
    };
    Task<std::vector<absl::Status>> copy = CopyFiles(files, options);
    const std::vector<absl::Status> results = co_await std::move(copy);
    EXPECT_EQ(results.size(), files.size());
    int64_t expected = 0;
    std::string there;
    for (size_t i = 0; i < files.size(); ++i) {
      const int errnum = i == 11 || i == 12 ? ENOENT : i == 13 ? EISDIR : 0;
      EXPECT_EQ(ErrnoOf(results[i]), errnum) << i << " " << results[i];
      if (errnum != 0) continue;
      const size_t source = i == 14 ? 15 : i;
      EXPECT_EQ(co_await ContentOf(files[i].to), contents[source]) << i;
      expected += static_cast<int64_t>(contents[source].size());
      if (i != 14) absl::StrAppend(&there, i, " ");
    }
    EXPECT_EQ(copied, expected);
    EXPECT_GE(begun, 37);
    co_await ExpectOnly(directory, there);
  };
  Run(main());
}

TEST_P(CopyFileTest, APathWithANulByteIsNoShorterPath) {
  auto main = [&]() -> Task<void> {
    const std::string from = co_await Make("from", "x");
    const std::string bad = from + std::string("\0x", 2);
    absl::Status status = co_await Copy(from, bad);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    status = co_await Copy(bad, PathOf("to"));
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_EQ(co_await ContentOf(from), "x");
  };
  Run(main());
}

TEST_P(CopyFileTest, ACancelLeavesNoOtherFile) {
  auto main = [&]() -> Task<void> {
    const std::string directory = co_await MakeIt();
    std::string from;
    for (int turns = 0; turns < 60; ++turns) {
      // One that goes through the loop, or one that a thread copies.
      const size_t n_bytes = turns % 2 == 0 ? 100'000 : 100;
      from = co_await Make("from", std::string(n_bytes, 'x'));
      JoinHandle<absl::Status> copying = Spawn(Copy(from, directory + "/to"));
      for (int i = 0; i < turns / 2; ++i)
        (co_await Sleep(absl::ZeroDuration())).IgnoreError();
      copying.Cancel();
      const absl::Status status = co_await copying;
      EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
    }
    const absl::Status removed = co_await RemoveFile(directory + "/to");
    EXPECT_TRUE(removed.ok() || ErrnoOf(removed) == ENOENT) << removed;
    co_await ExpectOnly(directory, "");
  };
  Run(main());
}

// Their size is 0, and the kernel copies nothing of them.
TEST_P(CopyFileTest, FilesOfProcAreCopied) {
  RINGWAY_REQUIRES_KERNEL("/proc");
  auto main = [&]() -> Task<void> {
    EXPECT_TRUE((co_await Copy("/proc/self/status", PathOf("to"))).ok());
    const std::string status = co_await ContentOf(PathOf("to"));
    EXPECT_TRUE(absl::StrContains(status, "VmRSS")) << status;
  };
  Run(main());
}

// There copy_file_range(2) may be EXDEV.
TEST_P(CopyFileTest, OtherFileSystemsAreCopiedTo) {
  RINGWAY_REQUIRES_KERNEL("file systems");
  struct stat here, there;
  if (stat("/tmp", &here) != 0 || stat("/dev/shm", &there) != 0 ||
      here.st_dev == there.st_dev) {
    GTEST_SKIP() << "needs two file systems";
  }
  auto main = [&]() -> Task<void> {
    const std::string content = AsString(Pattern(400'000, 1));
    const std::string from = co_await Make("from", content);
    const std::string to = absl::StrCat("/dev/shm/ringway.copy.", getpid());
    EXPECT_TRUE((co_await Copy(from, to)).ok());
    EXPECT_TRUE(co_await ContentOf(to) == content);
    EXPECT_TRUE((co_await Copy(to, PathOf("back"))).ok());
    EXPECT_TRUE(co_await ContentOf(PathOf("back")) == content);
    EXPECT_TRUE((co_await RemoveFile(to)).ok());
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(CopyFileTest);

}  // namespace
}  // namespace ringway::fs
