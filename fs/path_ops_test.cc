// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/path_ops.h"

#include <limits.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::AsString;
using testing::FsTest;
using testing::ValueOf;

using PathOpsTest = FsTest;

TEST_P(PathOpsTest, ARenameReplacesAtOnce) {
  auto main = [&]() -> Task<void> {
    const std::string from = co_await Make("from", "new");
    const std::string to = co_await Make("to", "old");
    File open = ValueOf(co_await File::Open(to));
    EXPECT_TRUE((co_await Rename(from, to)).ok());
    EXPECT_EQ(co_await ContentOf(to), "new");
    EXPECT_EQ(ErrnoOf((co_await Stat(from)).status()), ENOENT);
    std::vector<std::byte> buffer(8);
    EXPECT_EQ(ValueOf(co_await open.Read(buffer)), 3u) << "it is still there";
    EXPECT_EQ(AsString(buffer).substr(0, 3), "old");
  };
  Run(main());
}

TEST_P(PathOpsTest, ARenameThatMustNotReplaceDoesNot) {
  auto main = [&]() -> Task<void> {
    const std::string from = co_await Make("from", "new");
    const std::string to = co_await Make("to", "old");
    const absl::Status status = co_await RenameUnlessThere(from, to);
    EXPECT_EQ(ErrnoOf(status), EEXIST) << status;
    EXPECT_TRUE(
        absl::StrContains(status.message(), absl::StrCat(from, " to ", to)))
        << status;
    EXPECT_EQ(co_await ContentOf(to), "old");
    EXPECT_TRUE((co_await RenameUnlessThere(from, PathOf("third"))).ok());
    EXPECT_EQ(co_await ContentOf(PathOf("third")), "new");
  };
  Run(main());
}

TEST_P(PathOpsTest, DirectoriesAreMadeAndRemoved) {
  auto main = [&]() -> Task<void> {
    const std::string path = PathOf("directory");
    EXPECT_TRUE((co_await MakeDirectory(path)).ok());
    EXPECT_EQ(ErrnoOf(co_await MakeDirectory(path)), EEXIST);
    EXPECT_TRUE(ValueOf(co_await Stat(path)).is_directory());
    EXPECT_EQ(ErrnoOf(co_await RemoveFile(path)), EISDIR);
    {
      OpenOptions make = OpenOptions::ForWriting();
      File inside = ValueOf(co_await File::Open(path + "/inside", make));
      EXPECT_TRUE((co_await inside.Close()).ok());
    }
    EXPECT_EQ(ErrnoOf(co_await RemoveDirectory(path)), ENOTEMPTY);
    EXPECT_EQ(ErrnoOf(co_await RemoveDirectory(path + "/inside")), ENOTDIR);
    EXPECT_TRUE((co_await RemoveFile(path + "/inside")).ok());
    EXPECT_TRUE((co_await RemoveDirectory(path)).ok());
    EXPECT_EQ(ErrnoOf(co_await RemoveDirectory(path)), ENOENT);
  };
  Run(main());
}

TEST_P(PathOpsTest, AFileThatMayOnlyBeReadIsRemoved) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "content");
    EXPECT_TRUE((co_await SetPermissions(path, 0400)).ok());
    EXPECT_TRUE((co_await RemoveFile(path)).ok());
    EXPECT_EQ(ErrnoOf((co_await Stat(path)).status()), ENOENT);
  };
  Run(main());
}

TEST_P(PathOpsTest, TheRootIsADirectory) {
  auto main = [&]() -> Task<void> {
    EXPECT_TRUE(ValueOf(co_await Stat("/")).is_directory());
    EXPECT_TRUE(ValueOf(co_await StatLink("/")).is_directory());
    EXPECT_EQ(ErrnoOf(co_await MakeDirectory("/")), EEXIST);
  };
  Run(main());
}

TEST_P(PathOpsTest, AFileMayHaveTwoNames) {
  auto main = [&]() -> Task<void> {
    const std::string first = co_await Make("first", "content");
    const std::string second = PathOf("second");
    EXPECT_TRUE((co_await Link(first, second)).ok());
    const FileInfo info = ValueOf(co_await Stat(second));
    EXPECT_EQ(info.links, 2u);
    EXPECT_EQ(info.inode, ValueOf(co_await Stat(first)).inode);
    EXPECT_EQ(ErrnoOf(co_await Link(first, second)), EEXIST);
    EXPECT_TRUE((co_await RemoveFile(first)).ok());
    EXPECT_EQ(co_await ContentOf(second), "content");
  };
  Run(main());
}

TEST_P(PathOpsTest, SymbolicLinksAreFollowedUnlessAsked) {
  auto main = [&]() -> Task<void> {
    const std::string file = co_await Make("file", "content");
    const std::string link = PathOf("link");
    EXPECT_TRUE((co_await Symlink("file", link)).ok());
    EXPECT_EQ(co_await ContentOf(link), "content");
    EXPECT_TRUE(ValueOf(co_await Stat(link)).is_regular());
    EXPECT_TRUE(ValueOf(co_await StatLink(link)).is_symbolic_link());
    OpenOptions no_links;
    no_links.follow_link = false;
    EXPECT_EQ(ErrnoOf((co_await File::Open(link, no_links)).status()), ELOOP);
    // Two that refer to each other.
    EXPECT_TRUE((co_await Symlink("b", PathOf("a"))).ok());
    EXPECT_TRUE((co_await Symlink("a", PathOf("b"))).ok());
    EXPECT_EQ(ErrnoOf((co_await Stat(PathOf("a"))).status()), ELOOP);
    EXPECT_EQ(ErrnoOf((co_await File::Open(PathOf("a"))).status()), ELOOP);
    EXPECT_TRUE((co_await RemoveFile(link)).ok());
    EXPECT_EQ(co_await ContentOf(file), "content") << "the link was removed";
  };
  Run(main());
}

TEST_P(PathOpsTest, BadPathsAreErrorsOfTheirOwn) {
  auto main = [&]() -> Task<void> {
    const std::string file = co_await Make("file", "content");
    const std::string long_name = PathOf(std::string(NAME_MAX + 1, 'n'));
    const std::string nul("a\0b", 3);
    EXPECT_EQ(ErrnoOf(co_await MakeDirectory(long_name)), ENAMETOOLONG);
    EXPECT_EQ(ErrnoOf(co_await Rename(PathOf("none"), file)), ENOENT);
    EXPECT_EQ(ErrnoOf(co_await MakeDirectory(file + "/below")), ENOTDIR);
    EXPECT_EQ(ErrnoOf((co_await Stat("")).status()), ENOENT);
    for (const absl::Status& status :
         {co_await MakeDirectory(nul), co_await Rename(file, nul),
          co_await RemoveFile(nul), (co_await Stat(nul)).status()}) {
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "NUL")) << status;
    }
  };
  Run(main());
}

TEST_P(PathOpsTest, ManyAreInFlightAtATime) {
  auto make = [](std::string path) -> Task<absl::Status> {
    co_return co_await MakeDirectory(path);
  };
  auto is_directory = [](std::string path) -> Task<absl::Status> {
    const absl::StatusOr<FileInfo> info = co_await Stat(path);
    EXPECT_TRUE(info.ok() && info->is_directory()) << path;
    co_return info.status();
  };
  auto main = [&]() -> Task<void> {
    std::vector<JoinHandle<absl::Status>> all;
    for (int i = 0; i < 200; ++i)
      all.push_back(Spawn(make(PathOf(absl::StrCat("d", i)))));
    for (JoinHandle<absl::Status>& one : all) EXPECT_TRUE((co_await one).ok());
    all.clear();
    for (int i = 0; i < 200; ++i)
      all.push_back(Spawn(is_directory(PathOf(absl::StrCat("d", i)))));
    for (JoinHandle<absl::Status>& one : all) EXPECT_TRUE((co_await one).ok());
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(PathOpsTest);

}  // namespace
}  // namespace ringway::fs
