// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/directory/temporary.h"

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::Bytes;
using testing::FsTest;
using testing::ValueOf;

class TemporaryTest : public FsTest {
 protected:
  Task<TemporaryFile> MakeFile() {
    Task<absl::StatusOr<TemporaryFile>> make = MakeTemporaryFile(PathOf("."));
    co_return ValueOf(co_await std::move(make));
  }
  // With a file in it.
  Task<TemporaryDirectory> MakeIt() {
    Task<absl::StatusOr<TemporaryDirectory>> make =
        MakeTemporaryDirectory(PathOf("."), "work");
    TemporaryDirectory made = ValueOf(co_await std::move(make));
    EXPECT_TRUE((co_await MakeDirectory(made.path() + "/below")).ok());
    File file = ValueOf(co_await File::Open(made.path() + "/below/file",
                                            OpenOptions::ForWriting()));
    co_return made;
  }

  Task<bool> IsThere(std::string path) {
    co_return (co_await StatLink(std::move(path))).ok();
  }
  // Waits until it is gone.
  Task<void> ExpectGone(std::string path) {
    for (int i = 0; i < 5'000 && co_await IsThere(path); ++i)
      (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
    EXPECT_FALSE(co_await IsThere(path)) << path;
  }
};

TEST_P(TemporaryTest, AFileIsThereUntilItIsDropped) {
  auto main = [&]() -> Task<void> {
    std::string path;
    {
      TemporaryFile file = co_await MakeFile();
      path = file.path();
      EXPECT_TRUE((co_await file.file().WriteAll(Bytes("hello"))).ok());
      const FileInfo info = ValueOf(co_await Stat(path));
      EXPECT_EQ(info.size, 5);
      EXPECT_EQ(info.permissions, 0600u);
    }
    co_await ExpectGone(path);
  };
  Run(main());
}

TEST_P(TemporaryTest, ADirectoryGoesWithWhatIsInIt) {
  auto main = [&]() -> Task<void> {
    std::string path;
    {
      TemporaryDirectory directory = co_await MakeIt();
      path = directory.path();
      EXPECT_TRUE(absl::StrContains(path, "work"));
      EXPECT_EQ(ValueOf(co_await Stat(path)).permissions, 0700u);
    }
    co_await ExpectGone(path);
  };
  Run(main());
}

TEST_P(TemporaryTest, NamesDiffer) {
  auto main = [&]() -> Task<void> {
    TemporaryFile first = co_await MakeFile();
    const std::string path = first.path();
    TemporaryFile second = co_await MakeFile();
    EXPECT_NE(second.path(), path);
    first = std::move(second);
    co_await ExpectGone(path);
    EXPECT_TRUE(co_await IsThere(first.path()));
    EXPECT_TRUE((co_await first.Remove()).ok());
  };
  Run(main());
}

TEST_P(TemporaryTest, WhatIsKeptStays) {
  auto main = [&]() -> Task<void> {
    std::string path;
    {
      TemporaryFile file = co_await MakeFile();
      path = file.path();
      file.Keep();
      EXPECT_EQ(file.path(), "");
    }
    for (int i = 0; i < 10; ++i)
      (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
    EXPECT_TRUE(co_await IsThere(path));
  };
  Run(main());
}

TEST_P(TemporaryTest, ARemovalReportsItsEnd) {
  auto main = [&]() -> Task<void> {
    TemporaryDirectory directory = co_await MakeIt();
    const std::string path = directory.path();
    EXPECT_TRUE((co_await directory.Remove()).ok());
    EXPECT_FALSE(co_await IsThere(path));
    EXPECT_TRUE(absl::IsFailedPrecondition(co_await directory.Remove()));
  };
  Run(main());
}

TEST_P(TemporaryTest, WhatCannotBeMadeIsNamedExactly) {
  auto main = [&]() -> Task<void> {
    Task<absl::StatusOr<TemporaryFile>> make =
        MakeTemporaryFile(PathOf("missing"));
    EXPECT_EQ(ErrnoOf((co_await std::move(make)).status()), ENOENT);
    Task<absl::StatusOr<TemporaryDirectory>> make_directory =
        MakeTemporaryDirectory(PathOf("missing"));
    EXPECT_EQ(ErrnoOf((co_await std::move(make_directory)).status()), ENOENT);
  };
  Run(main());
}

// As of a program that ends: the task with the handle is the last one.
TEST_P(TemporaryTest, TheEndOfTheProgramRemovesThem) {
  std::string dropped, kept_open;
  std::optional<TemporaryDirectory> outlives;
  auto main = [&]() -> Task<void> {
    TemporaryDirectory directory = co_await MakeIt();
    dropped = directory.path();
    outlives = co_await MakeIt();
    kept_open = outlives->path();
  };
  Run(main());
  DestroyExecutor();
  MakeExecutor();
  auto check = [&]() -> Task<void> {
    EXPECT_FALSE(co_await IsThere(dropped));
    EXPECT_FALSE(co_await IsThere(kept_open));
  };
  Run(check());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(TemporaryTest);

}  // namespace
}  // namespace ringway::fs
