// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/directory/remove_all.h"

#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::FsTest;
using testing::ValueOf;

class RemoveAllTest : public FsTest {
 protected:
  Task<absl::Status> RemoveIt(std::string path) {
    Task<absl::Status> remove = RemoveAll(std::move(path));
    co_return co_await std::move(remove);
  }

  Task<bool> IsThere(std::string path) {
    co_return (co_await StatLink(std::move(path))).ok();
  }

  // "top" with files, links and directories in it.
  Task<std::string> MakeTree() {
    for (const char* name : {"top", "top/a", "top/a/b", "top/a/b/c", "top/d"})
      EXPECT_TRUE((co_await MakeDirectory(PathOf(name))).ok());
    for (const char* name : {"top/1", "top/a/2", "top/a/b/c/3", "top/a/b/4"})
      co_await Make(name, "x");
    EXPECT_TRUE((co_await Symlink("nowhere", PathOf("top/d/link"))).ok());
    co_return PathOf("top");
  }
};

TEST_P(RemoveAllTest, ATreeIsRemoved) {
  auto main = [&]() -> Task<void> {
    const std::string top = co_await MakeTree();
    EXPECT_TRUE((co_await RemoveIt(top + "/")).ok());
    EXPECT_FALSE(co_await IsThere(top));
  };
  Run(main());
}

TEST_P(RemoveAllTest, AFileIsRemovedAndNothingIsFine) {
  auto main = [&]() -> Task<void> {
    const std::string file = co_await Make("file", "x");
    EXPECT_TRUE((co_await RemoveIt(file)).ok());
    EXPECT_FALSE(co_await IsThere(file));
    EXPECT_TRUE((co_await RemoveIt(file)).ok());
    EXPECT_TRUE((co_await RemoveIt(PathOf("missing/too"))).ok());
  };
  Run(main());
}

TEST_P(RemoveAllTest, LinksAreRemovedThemselves) {
  auto main = [&]() -> Task<void> {
    const std::string top = co_await MakeTree();
    EXPECT_TRUE((co_await MakeDirectory(PathOf("outside"))).ok());
    const std::string file = co_await Make("outside/file", "x");
    EXPECT_TRUE((co_await Symlink("../outside", top + "/out")).ok());
    EXPECT_TRUE(
        (co_await Symlink(PathOf("outside"), top + "/a/b/absolute")).ok());
    EXPECT_TRUE((co_await Symlink("top", PathOf("link"))).ok());
    EXPECT_TRUE((co_await RemoveIt(PathOf("link"))).ok());
    EXPECT_TRUE(co_await IsThere(top)) << "a link to it was removed";
    EXPECT_TRUE((co_await RemoveIt(top)).ok());
    EXPECT_FALSE(co_await IsThere(top));
    EXPECT_EQ(co_await ContentOf(file), "x");
  };
  Run(main());
}

// Deeper than what is open at a time, several times, and than PATH_MAX.
TEST_P(RemoveAllTest, DepthNeedsNoMoreFds) {
  auto main = [&]() -> Task<void> {
    const std::string inner = PathOf("inner"), outer = PathOf("outer");
    EXPECT_TRUE((co_await MakeDirectory(inner)).ok());
    for (int i = 0; i < 150; ++i) {
      EXPECT_TRUE((co_await MakeDirectory(outer)).ok());
      co_await Make("outer/file", "x");
      const std::string below = absl::StrCat(outer, "/", std::string(30, 'n'));
      EXPECT_TRUE((co_await Rename(inner, below)).ok());
      EXPECT_TRUE((co_await Rename(outer, inner)).ok());
    }
    const size_t before = OpenFds();
    size_t most = 0;
    bool done = false;
    auto watch = [&]() -> Task<void> {
      while (!done) {
        most = std::max(most, OpenFds());
        co_await Yield();
      }
    };
    JoinHandle<void> watching = Spawn(watch());
    const absl::Status removed = co_await RemoveIt(inner);
    done = true;
    EXPECT_TRUE((co_await watching).ok());
    EXPECT_TRUE(removed.ok()) << removed;
    EXPECT_FALSE(co_await IsThere(inner));
    EXPECT_GT(most, before + 10);
    // Some that were closed are not closed yet.
    EXPECT_LE(most, before + 100);
  };
  Run(main());
}

TEST_P(RemoveAllTest, WhatIsNoNameIsRefused) {
  auto main = [&]() -> Task<void> {
    const std::string top = co_await MakeTree();
    for (const std::string& path :
         {std::string("/"), std::string(""), std::string("."), top + "/..",
          top + "/.", top + std::string("\0", 1)}) {
      const absl::Status status = co_await RemoveIt(path);
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << path << " " << status;
    }
    EXPECT_TRUE(co_await IsThere(top + "/a/b/c/3"));
    EXPECT_EQ(ErrnoOf(co_await RemoveIt(top + "/1/below")), ENOTDIR);
  };
  Run(main());
}

TEST_P(RemoveAllTest, ACancelLeavesTheRest) {
  auto main = [&]() -> Task<void> {
    for (int turns = 0; turns < 25; ++turns) {
      const std::string top = co_await MakeTree();
      JoinHandle<absl::Status> removing = Spawn(RemoveIt(top));
      for (int i = 0; i < turns; ++i)
        (co_await Sleep(absl::ZeroDuration())).IgnoreError();
      removing.Cancel();
      const absl::Status status = co_await removing;
      EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
      EXPECT_TRUE((co_await RemoveIt(top)).ok());
      EXPECT_FALSE(co_await IsThere(top));
    }
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(RemoveAllTest);

}  // namespace
}  // namespace ringway::fs
