// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/whole_file.h"

#include <cerrno>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::AsString;
using testing::FsTest;
using testing::Pattern;
using testing::ValueOf;

using WholeFileTest = FsTest;

Task<absl::Status> Write(std::string path, std::string content,
                         bool durable = true) {
  WriteFileOptions options;
  options.durable = durable;
  Task<absl::Status> write =
      WriteFileAtomically(std::move(path), std::move(content), options);
  co_return co_await std::move(write);
}

Task<absl::StatusOr<std::string>> Read(std::string path,
                                       size_t limit = 1 << 20) {
  Task<absl::StatusOr<std::string>> read = ReadFile(std::move(path), limit);
  co_return co_await std::move(read);
}

TEST_P(WholeFileTest, WhatIsWrittenIsReadWhateverItsSize) {
  auto main = [&]() -> Task<void> {
    for (const size_t n : {0, 1, 4'095, 4'096, 4'097, 65'536, 300'001}) {
      const std::string content = AsString(Pattern(n, 1));
      for (const bool durable : {true, false}) {
        EXPECT_TRUE((co_await Write(PathOf("file"), content, durable)).ok());
        EXPECT_EQ(ValueOf(co_await Read(PathOf("file"))), content) << n;
      }
    }
  };
  Run(main());
}

TEST_P(WholeFileTest, ALimitIsKept) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", std::string(10'000, 'x'));
    EXPECT_EQ(ValueOf(co_await Read(path, 10'000)).size(), 10'000u);
    EXPECT_EQ(ValueOf(co_await Read(path, SIZE_MAX)).size(), 10'000u);
    for (const size_t limit : {9'999, 5'000, 1, 0}) {
      const absl::Status status = (co_await Read(path, limit)).status();
      EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), path)) << status;
    }
    EXPECT_EQ(ValueOf(co_await Read(co_await Make("empty", ""), 0)), "");
  };
  Run(main());
}

// Their size is 0.
TEST_P(WholeFileTest, FilesOfProcAreRead) {
  RINGWAY_REQUIRES_KERNEL("/proc");
  auto main = [&]() -> Task<void> {
    const std::string status = ValueOf(co_await Read("/proc/self/status"));
    EXPECT_TRUE(absl::StrContains(status, "VmRSS")) << status;
  };
  Run(main());
}

TEST_P(WholeFileTest, AWriteThatFailsChangesNothingAndLeavesNothing) {
  auto main = [&]() -> Task<void> {
    const std::string directory = PathOf("directory");
    EXPECT_TRUE((co_await MakeDirectory(directory)).ok());
    const absl::Status over = co_await Write(directory, "content");
    EXPECT_EQ(ErrnoOf(over), EISDIR) << over;
    // Empty: no file beside it is left.
    EXPECT_TRUE((co_await RemoveDirectory(directory)).ok());
    EXPECT_EQ(ErrnoOf(co_await Write(PathOf("none/file"), "content")), ENOENT);
  };
  Run(main());
}

// At any moment a reader sees all of the old content or all of the new one.
TEST_P(WholeFileTest, ReadersSeeTheOldOrTheNew) {
  auto write = [](std::string path, const bool& stop) -> Task<int> {
    int n = 0;
    while (!stop) {
      const std::string content(20'000, static_cast<char>('a' + n % 26));
      EXPECT_TRUE((co_await Write(path, content, /*durable=*/false)).ok());
      ++n;
    }
    co_return n;
  };
  auto main = [&]() -> Task<void> {
    const std::string path = PathOf("file");
    EXPECT_TRUE((co_await Write(path, std::string(20'000, 'a'))).ok());
    bool stop = false;
    JoinHandle<int> writing = Spawn(write(path, stop));
    for (int i = 0; i < 100; ++i) {
      const std::string content = ValueOf(co_await Read(path));
      EXPECT_EQ(content, std::string(20'000, content[0]));
    }
    stop = true;
    EXPECT_GT(ValueOf(co_await writing), 0);
  };
  Run(main());
}

TEST_P(WholeFileTest, ACancelLeavesNoOtherFile) {
  auto main = [&]() -> Task<void> {
    const std::string directory = PathOf("directory");
    EXPECT_TRUE((co_await MakeDirectory(directory)).ok());
    const std::string path = directory + "/file";
    for (int turns = 0; turns < 30; ++turns) {
      JoinHandle<absl::Status> writing =
          Spawn(Write(path, std::string(10'000, 'x')));
      for (int i = 0; i < turns; ++i)
        (co_await Sleep(absl::ZeroDuration())).IgnoreError();
      writing.Cancel();
      const absl::Status status = co_await writing;
      EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
    }
    const absl::Status removed = co_await RemoveFile(path);
    EXPECT_TRUE(removed.ok() || ErrnoOf(removed) == ENOENT) << removed;
    EXPECT_TRUE((co_await RemoveDirectory(directory)).ok());
  };
  Run(main());
}

TEST_P(WholeFileTest, DirectoriesAreMadeWithThoseAbove) {
  auto make = [](std::string path) -> Task<absl::Status> {
    Task<absl::Status> made = MakeDirectories(std::move(path));
    co_return co_await std::move(made);
  };
  auto main = [&]() -> Task<void> {
    const std::string path = PathOf("a/b/c/d");
    EXPECT_TRUE((co_await make(path)).ok());
    EXPECT_TRUE((co_await make(path)).ok()) << "it is there";
    EXPECT_TRUE(ValueOf(co_await Stat(path)).is_directory());
    const std::string file = co_await Make("file", "x");
    EXPECT_EQ(ErrnoOf(co_await make(file)), EEXIST);
    EXPECT_EQ(ErrnoOf(co_await make(file + "/a/b")), ENOTDIR);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(WholeFileTest);

}  // namespace
}  // namespace ringway::fs
