// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/directory/directory_reader.h"

#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::FsTest;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using testing::ValueOf;

class DirectoryReaderTest : public FsTest {
 protected:
  Task<DirectoryReader> Open(std::string path) {
    Task<absl::StatusOr<DirectoryReader>> open = ReadDirectory(std::move(path));
    co_return ValueOf(co_await std::move(open));
  }

  Task<std::map<std::string, FileType>> ReadAll(DirectoryReader& reader) {
    std::map<std::string, FileType> all;
    while (true) {
      std::optional<DirectoryEntry> entry = ValueOf(co_await reader.Next());
      if (!entry.has_value()) co_return all;
      EXPECT_GT(entry->inode, 0u);
      EXPECT_TRUE(all.emplace(entry->name, entry->type).second)
          << entry->name << " comes twice";
    }
  }

  Task<absl::Status> ErrorOf(std::string path) {
    Task<absl::StatusOr<DirectoryReader>> open = ReadDirectory(std::move(path));
    co_return (co_await std::move(open)).status();
  }

  Task<std::string> MakeIt() {
    const std::string path = PathOf("directory");
    EXPECT_TRUE((co_await MakeDirectory(path)).ok());
    co_return path;
  }
};

TEST_P(DirectoryReaderTest, AnEmptyOneEndsAtOnce) {
  auto main = [&]() -> Task<void> {
    DirectoryReader reader = co_await Open(co_await MakeIt());
    EXPECT_THAT(co_await ReadAll(reader), IsEmpty());
    EXPECT_THAT(co_await ReadAll(reader), IsEmpty()) << "and stays there";
  };
  Run(main());
}

TEST_P(DirectoryReaderTest, EntriesHaveNamesAndTypes) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await MakeIt();
    co_await Make("directory/file", "x");
    EXPECT_TRUE((co_await MakeDirectory(path + "/below")).ok());
    EXPECT_TRUE((co_await Symlink("nowhere", path + "/link")).ok());
    const std::string long_name(255, 'n');
    co_await Make(absl::StrCat("directory/", long_name), "x");
    DirectoryReader reader = co_await Open(path);
    EXPECT_EQ(reader.path(), path);
    EXPECT_THAT(co_await ReadAll(reader),
                UnorderedElementsAre(Pair("file", FileType::kRegular),
                                     Pair("below", FileType::kDirectory),
                                     Pair("link", FileType::kSymbolicLink),
                                     Pair(long_name, FileType::kRegular)));
  };
  Run(main());
}

// Several times what is in memory at once.
TEST_P(DirectoryReaderTest, ALargeOneComesWhole) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await MakeIt();
    const std::string first = co_await Make("directory/file", "x");
    const std::string stem(100, 'n');
    constexpr int kFiles = 1'000;
    for (int i = 1; i < kFiles; ++i) {
      const std::string name = absl::StrCat(path, "/", stem, i);
      EXPECT_TRUE((co_await Link(first, name)).ok());
    }
    DirectoryReader reader = co_await Open(path);
    EXPECT_EQ((co_await ReadAll(reader)).size(), size_t{kFiles});
  };
  Run(main());
}

TEST_P(DirectoryReaderTest, WhatCannotBeReadIsNamedExactly) {
  auto main = [&]() -> Task<void> {
    const std::string file = co_await Make("file", "x");
    EXPECT_EQ(ErrnoOf(co_await ErrorOf(file)), ENOTDIR);
    EXPECT_EQ(ErrnoOf(co_await ErrorOf(PathOf("missing"))), ENOENT);
  };
  Run(main());
}

// TearDown() counts the fds.
TEST_P(DirectoryReaderTest, OneMayStopEarly) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await MakeIt();
    co_await Make("directory/a", "x");
    co_await Make("directory/b", "x");
    DirectoryReader reader = co_await Open(path);
    EXPECT_TRUE(ValueOf(co_await reader.Next()).has_value());
  };
  Run(main());
}

TEST_P(DirectoryReaderTest, ARemovedOneHasNoEntries) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await MakeIt();
    DirectoryReader reader = co_await Open(path);
    EXPECT_TRUE((co_await RemoveDirectory(path)).ok());
    EXPECT_THAT(co_await ReadAll(reader), IsEmpty());
  };
  Run(main());
}

TEST_P(DirectoryReaderTest, OneThatWasMovedFromIsRefused) {
  auto main = [&]() -> Task<void> {
    DirectoryReader reader = co_await Open(co_await MakeIt());
    DirectoryReader other = std::move(reader);
    const absl::Status status = (co_await reader.Next()).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_FALSE(ValueOf(co_await other.Next()).has_value());
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DirectoryReaderTest);

}  // namespace
}  // namespace ringway::fs
