// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/directory/directory.h"

#include <cerrno>
#include <functional>
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
#include "ringway/fs/path_ops.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::FsTest;
using testing::ValueOf;

class DirectoryTest : public FsTest {
 protected:
  // The directory "root" of the test's own, and beside it the file "secret" and
  // the directory "outside" with a file in it. In the root there is the
  // directory "d", and links that lead out.
  Task<Directory> MakeRoot() {
    co_await Make("secret", "secret");
    for (const char* name : {"root", "root/d", "outside"})
      EXPECT_TRUE((co_await MakeDirectory(PathOf(name))).ok());
    co_await Make("outside/file", "outside");
    co_await Make("root/file", "inside");
    EXPECT_TRUE((co_await Symlink("..", PathOf("root/up"))).ok());
    EXPECT_TRUE((co_await Symlink("../outside", PathOf("root/out"))).ok());
    EXPECT_TRUE(
        (co_await Symlink(PathOf("outside"), PathOf("root/absolute"))).ok());
    EXPECT_TRUE((co_await Symlink("../../secret", PathOf("root/d/link"))).ok());
    Task<absl::StatusOr<Directory>> open = Directory::Open(PathOf("root"));
    co_return ValueOf(co_await std::move(open));
  }

  Task<void> Write(Directory& directory, std::string path, std::string text) {
    Task<absl::StatusOr<File>> open =
        directory.OpenFile(std::move(path), OpenOptions::ForWriting());
    File file = ValueOf(co_await std::move(open));
    EXPECT_TRUE((co_await file.WriteAll(Bytes(text))).ok());
  }

  Task<std::string> Read(Directory& directory, std::string path) {
    File file = ValueOf(co_await directory.OpenFile(std::move(path)));
    std::vector<std::byte> buffer(100);
    const size_t n = ValueOf(co_await file.Read(buffer));
    co_return AsString(buffer).substr(0, n);
  }

  Task<std::vector<std::string>> NamesIn(DirectoryReader reader) {
    std::vector<std::string> names;
    while (true) {
      auto entry = ValueOf(co_await reader.Next());
      if (!entry.has_value()) break;
      names.push_back(entry->name);
    }
    std::sort(names.begin(), names.end());
    co_return names;
  }

  Task<void> ExpectOutsideUntouched() {
    EXPECT_EQ(co_await ContentOf(PathOf("secret")), "secret");
    EXPECT_EQ(co_await ContentOf(PathOf("outside/file")), "outside");
    const std::vector<std::string> expected = {"file"};
    DirectoryReader reader = ValueOf(co_await ReadDirectory(PathOf("outside")));
    EXPECT_EQ(co_await NamesIn(std::move(reader)), expected);
  }
};

TEST_P(DirectoryTest, NamesBelowItAreUsedInEveryWay) {
  auto main = [&]() -> Task<void> {
    Directory root = co_await MakeRoot();
    EXPECT_TRUE((co_await root.MakeDirectory("d/new/")).ok());
    co_await Write(root, "d/new/a", "hello");
    EXPECT_EQ(ValueOf(co_await root.Stat("d/new/a")).size, 5);
    EXPECT_TRUE((co_await root.Rename("d/new/a", "b")).ok());
    EXPECT_TRUE((co_await root.Link("b", "d/c")).ok());
    EXPECT_EQ(ValueOf(co_await root.Stat("b")).links, 2u);
    EXPECT_TRUE((co_await root.Symlink("d/c", "link")).ok());
    EXPECT_EQ(ValueOf(co_await root.ReadLink("link")), "d/c");
    EXPECT_EQ(co_await Read(root, "link"), "hello");
    EXPECT_TRUE(ValueOf(co_await root.StatLink("link")).is_symbolic_link());
    EXPECT_TRUE(ValueOf(co_await root.Stat("link")).is_regular());
    EXPECT_TRUE((co_await root.RemoveFile("link")).ok());
    EXPECT_TRUE((co_await root.RemoveDirectory("d/new")).ok());
    EXPECT_EQ(co_await Read(root, "./d/../d/c"), "hello");
    EXPECT_TRUE((co_await root.Sync()).ok());
    EXPECT_TRUE((co_await root.RemoveAll("d")).ok());
    EXPECT_EQ(ErrnoOf((co_await root.Stat("d")).status()), ENOENT);
    co_await ExpectOutsideUntouched();
  };
  Run(main());
}

TEST_P(DirectoryTest, NothingOpenedLiesOutside) {
  auto main = [&]() -> Task<void> {
    Directory root = co_await MakeRoot();
    const std::vector<std::string> paths = {"..",
                                            "../secret",
                                            "../root/file",
                                            "d/../../secret",
                                            "up",
                                            "up/secret",
                                            "up/root/file",
                                            "out",
                                            "out/file",
                                            "absolute",
                                            "absolute/file",
                                            "d/link",
                                            PathOf("secret"),
                                            "/"};
    for (const std::string& path : paths) {
      SCOPED_TRACE(path);
      EXPECT_EQ(ErrnoOf((co_await root.OpenFile(path)).status()), EXDEV);
      Task<absl::StatusOr<File>> write =
          root.OpenFile(path, OpenOptions::ForWriting());
      EXPECT_EQ(ErrnoOf((co_await std::move(write)).status()), EXDEV);
      EXPECT_EQ(ErrnoOf((co_await root.OpenDirectory(path)).status()), EXDEV);
      EXPECT_EQ(ErrnoOf((co_await root.Read(path)).status()), EXDEV);
      EXPECT_EQ(ErrnoOf((co_await root.Stat(path)).status()), EXDEV);
    }
    co_await ExpectOutsideUntouched();
  };
  Run(main());
}

TEST_P(DirectoryTest, NothingOutsideIsMadeChangedOrRemoved) {
  auto main = [&]() -> Task<void> {
    Directory root = co_await MakeRoot();
    const std::vector<std::string> paths = {"../new",
                                            "up/new",
                                            "out/file",
                                            "absolute/file",
                                            PathOf("outside/file"),
                                            "d/../../outside/file"};
    for (const std::string& path : paths) {
      SCOPED_TRACE(path);
      EXPECT_EQ(ErrnoOf(co_await root.MakeDirectory(path)), EXDEV);
      EXPECT_EQ(ErrnoOf(co_await root.RemoveFile(path)), EXDEV);
      EXPECT_EQ(ErrnoOf(co_await root.RemoveDirectory(path)), EXDEV);
      EXPECT_EQ(ErrnoOf(co_await root.RemoveAll(path)), EXDEV);
      EXPECT_EQ(ErrnoOf(co_await root.Rename("file", path)), EXDEV);
      EXPECT_EQ(ErrnoOf(co_await root.Rename(path, "mine")), EXDEV);
      EXPECT_EQ(ErrnoOf(co_await root.Link("file", path)), EXDEV);
      EXPECT_EQ(ErrnoOf(co_await root.Link(path, "mine")), EXDEV);
      EXPECT_EQ(ErrnoOf(co_await root.Symlink("x", path)), EXDEV);
      EXPECT_EQ(ErrnoOf((co_await root.StatLink(path)).status()), EXDEV);
      EXPECT_EQ(ErrnoOf((co_await root.ReadLink(path)).status()), EXDEV);
    }
    // The links themselves are inside.
    EXPECT_TRUE((co_await root.RemoveAll("out")).ok());
    EXPECT_TRUE((co_await root.RemoveFile("absolute")).ok());
    EXPECT_EQ(co_await Read(root, "file"), "inside");
    co_await ExpectOutsideUntouched();
  };
  Run(main());
}

TEST_P(DirectoryTest, WhatIsNoNameIsRefused) {
  auto main = [&]() -> Task<void> {
    Directory root = co_await MakeRoot();
    const std::vector<std::string> paths = {
        "", "/", ".", "..", "d/.", "d/..", "./", std::string("a\0b", 3)};
    for (const std::string& path : paths) {
      SCOPED_TRACE(path);
      const absl::Status status = co_await root.MakeDirectory(path);
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
      EXPECT_TRUE(absl::IsInvalidArgument(co_await root.RemoveAll(path)));
      EXPECT_TRUE(absl::IsInvalidArgument(co_await root.Rename("file", path)));
    }
    EXPECT_EQ(ErrnoOf((co_await root.OpenFile("")).status()), ENOENT);
    const std::string nul("a\0b", 3);
    EXPECT_TRUE(
        absl::IsInvalidArgument((co_await root.OpenFile(nul)).status()));
  };
  Run(main());
}

// By their whole paths, not by their last parts.
TEST_P(DirectoryTest, ErrorsNameWhatTheCallerNamed) {
  auto main = [&]() -> Task<void> {
    Directory root = co_await MakeRoot();
    const std::string none = PathOf("root") + "/d/none";
    std::vector<absl::Status> failed;
    failed.push_back(co_await root.RemoveFile("d/none"));
    failed.push_back(co_await root.RemoveDirectory("d/none"));
    failed.push_back(co_await root.Rename("d/none", "other"));
    failed.push_back(co_await root.Link("d/none", "other"));
    failed.push_back((co_await root.Stat("d/none")).status());
    failed.push_back((co_await root.StatLink("d/none")).status());
    failed.push_back((co_await root.ReadLink("d/none")).status());
    failed.push_back((co_await root.OpenFile("d/none")).status());
    for (const absl::Status& status : failed) {
      EXPECT_EQ(ErrnoOf(status), ENOENT) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), none)) << status;
    }
    EXPECT_TRUE(absl::StrContains(
        failed[2].message(),
        absl::StrCat("rename of ", none, " to ", PathOf("root"), "/other")))
        << failed[2];
    const absl::Status there = co_await root.MakeDirectory("d/link");
    EXPECT_EQ(ErrnoOf(there), EEXIST);
    EXPECT_TRUE(absl::StrContains(there.message(), PathOf("root") + "/d/link"))
        << there;
    Directory below = ValueOf(co_await root.OpenDirectory("d"));
    const absl::Status moved = co_await root.RenameInto("no", below, "x/");
    EXPECT_TRUE(absl::StrContains(
        moved.message(), absl::StrCat("rename of ", PathOf("root"), "/no to ",
                                      PathOf("root"), "/d/x/")))
        << moved;
  };
  Run(main());
}

TEST_P(DirectoryTest, DirectoriesBelowItHaveTheirOwnLimits) {
  auto main = [&]() -> Task<void> {
    Directory root = co_await MakeRoot();
    Directory below = ValueOf(co_await root.OpenDirectory("d"));
    EXPECT_EQ(ErrnoOf((co_await below.OpenFile("../file")).status()), EXDEV);
    EXPECT_TRUE((co_await root.RenameInto("file", below, "moved")).ok());
    EXPECT_EQ(co_await Read(below, "moved"), "inside");
    DirectoryReader reader = ValueOf(co_await below.Read());
    const std::vector<std::string> expected = {"link", "moved"};
    EXPECT_EQ(co_await NamesIn(std::move(reader)), expected);
  };
  Run(main());
}

TEST_P(DirectoryTest, AClosedOneIsRefused) {
  auto main = [&]() -> Task<void> {
    Directory root = co_await MakeRoot();
    EXPECT_TRUE((co_await root.Close()).ok());
    EXPECT_EQ(root.fd(), -1);
    const absl::Status opened = (co_await root.OpenFile("file")).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(opened)) << opened;
    const absl::Status removed = co_await root.RemoveFile("file");
    EXPECT_TRUE(absl::IsFailedPrecondition(removed)) << removed;
    EXPECT_TRUE(absl::IsFailedPrecondition(co_await root.Rename("file", "b")));
  };
  Run(main());
}

TEST_P(DirectoryTest, WhatIsNoDirectoryIsNotOpened) {
  auto main = [&]() -> Task<void> {
    const std::string file = co_await Make("file", "x");
    Task<absl::StatusOr<Directory>> open = Directory::Open(file);
    EXPECT_EQ(ErrnoOf((co_await std::move(open)).status()), ENOTDIR);
    open = Directory::Open(PathOf("missing"));
    EXPECT_EQ(ErrnoOf((co_await std::move(open)).status()), ENOENT);
  };
  Run(main());
}

using DirectoryEndTest = testing::FsEndTest;

TEST_P(DirectoryEndTest, LeavesNoFdHoweverFarItHasCome) {
  const std::string path = PathOf("directory");
  EndAfterEachTurn([&]() -> Task<void> {
    (co_await MakeDirectory(path)).IgnoreError();
    Task<absl::StatusOr<Directory>> open = Directory::Open(path);
    absl::StatusOr<Directory> directory = co_await std::move(open);
    if (!directory.ok()) co_return;  // it was cancelled
    Task<absl::StatusOr<File>> make =
        directory->OpenFile("file", OpenOptions::ForWriting());
    const absl::StatusOr<File> file = co_await std::move(make);
  });
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DirectoryTest);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DirectoryEndTest);

}  // namespace
}  // namespace ringway::fs
