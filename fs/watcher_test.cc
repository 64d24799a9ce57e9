// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/watcher.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
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

using testing::FsTest;
using testing::ValueOf;

class WatcherTest : public FsTest {
 protected:
  Task<Watcher> Create() {
    Task<absl::StatusOr<Watcher>> create = Watcher::Create();
    co_return ValueOf(co_await std::move(create));
  }

  // A watched directory.
  Task<std::string> MakeIt() {
    const std::string path = PathOf("directory");
    EXPECT_TRUE((co_await MakeDirectory(path)).ok());
    co_return path;
  }
};

TEST_P(WatcherTest, EventsHaveNamesAndKinds) {
  RINGWAY_REQUIRES_KERNEL("inotify");
  auto main = [&]() -> Task<void> {
    const std::string path = co_await MakeIt();
    Watcher watcher = co_await Create();
    const uint32_t mask =
        IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE;
    const int watch = ValueOf(co_await watcher.Add(path, mask));
    co_await Make("directory/a", "x");
    EXPECT_TRUE((co_await Rename(path + "/a", path + "/b")).ok());
    EXPECT_TRUE((co_await RemoveFile(path + "/b")).ok());
    const std::pair<uint32_t, const char*> expected[] = {
        {IN_CREATE, "a"},   {IN_CLOSE_WRITE, "a"}, {IN_MOVED_FROM, "a"},
        {IN_MOVED_TO, "b"}, {IN_DELETE, "b"},
    };
    uint32_t cookie = 0;
    for (const auto& [kind, name] : expected) {
      const WatchEvent event = ValueOf(co_await watcher.Next());
      EXPECT_EQ(event.watch, watch);
      EXPECT_EQ(event.mask, kind);
      EXPECT_EQ(event.name, name);
      EXPECT_FALSE(event.overflow() || event.ended());
      if (kind == IN_MOVED_FROM) cookie = event.cookie;
      if (kind == IN_MOVED_TO) {
        EXPECT_EQ(event.cookie, cookie);
      }
    }
  };
  Run(main());
}

TEST_P(WatcherTest, ANextWaitsForItsEvent) {
  RINGWAY_REQUIRES_KERNEL("inotify");
  auto main = [&]() -> Task<void> {
    const std::string path = co_await MakeIt();
    Watcher watcher = co_await Create();
    ValueOf(co_await watcher.Add(path, IN_CREATE));
    auto next = [&]() -> Task<absl::StatusOr<WatchEvent>> {
      co_return co_await watcher.Next();
    };
    JoinHandle<absl::StatusOr<WatchEvent>> waiting = Spawn(next());
    for (int i = 0; i < 5; ++i)
      (co_await Sleep(absl::ZeroDuration())).IgnoreError();
    EXPECT_TRUE((co_await MakeDirectory(path + "/new")).ok());
    EXPECT_EQ(ValueOf(co_await waiting).name, "new");
    waiting = Spawn(next());
    for (int i = 0; i < 5; ++i)
      (co_await Sleep(absl::ZeroDuration())).IgnoreError();
    waiting.Cancel();
    EXPECT_TRUE(absl::IsCancelled((co_await waiting).status()));
    EXPECT_TRUE((co_await MakeDirectory(path + "/later")).ok());
    EXPECT_EQ(ValueOf(co_await watcher.Next()).name, "later");
  };
  Run(main());
}

TEST_P(WatcherTest, WatchesEndAndSaySo) {
  RINGWAY_REQUIRES_KERNEL("inotify");
  auto main = [&]() -> Task<void> {
    const std::string file = co_await Make("file", "x");
    const std::string path = co_await MakeIt();
    Watcher watcher = co_await Create();
    const int first = ValueOf(co_await watcher.Add(file, IN_ATTRIB));
    const int second = ValueOf(co_await watcher.Add(path, IN_DELETE_SELF));
    EXPECT_NE(first, second);
    EXPECT_TRUE((co_await watcher.Remove(first)).ok());
    WatchEvent event = ValueOf(co_await watcher.Next());
    EXPECT_EQ(event.watch, first);
    EXPECT_TRUE(event.ended());
    EXPECT_TRUE((co_await RemoveDirectory(path)).ok());
    event = ValueOf(co_await watcher.Next());
    EXPECT_EQ(event.mask & IN_DELETE_SELF, uint32_t{IN_DELETE_SELF});
    EXPECT_EQ(event.name, "");
    event = ValueOf(co_await watcher.Next());
    EXPECT_EQ(event.watch, second);
    EXPECT_TRUE(event.ended());
    EXPECT_EQ(ErrnoOf(co_await watcher.Remove(second)), EINVAL);
  };
  Run(main());
}

TEST_P(WatcherTest, LostEventsAreReported) {
  RINGWAY_REQUIRES_KERNEL("inotify");
  size_t most = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> most;
  if (most == 0 || most > 50'000) GTEST_SKIP() << "the queue holds " << most;
  auto main = [&]() -> Task<void> {
    const std::string path = co_await MakeIt();
    const std::string a = co_await Make("directory/a", "x");
    Watcher watcher = co_await Create();
    ValueOf(co_await watcher.Add(path, IN_MOVED_FROM | IN_MOVED_TO));
    for (size_t i = 0; i < most / 4 + 10; ++i) {
      EXPECT_TRUE((co_await Rename(a, path + "/b")).ok());
      EXPECT_TRUE((co_await Rename(path + "/b", a)).ok());
    }
    size_t n_events = 0;
    while (true) {
      const WatchEvent event = ValueOf(co_await watcher.Next());
      if (event.overflow()) break;
      ++n_events;
    }
    EXPECT_EQ(n_events, most);
    EXPECT_TRUE((co_await Rename(a, path + "/b")).ok());
    EXPECT_EQ(ValueOf(co_await watcher.Next()).name, "a") << "it goes on";
  };
  Run(main());
}

TEST_P(WatcherTest, WhatCannotBeWatchedIsNamedExactly) {
  RINGWAY_REQUIRES_KERNEL("inotify");
  auto main = [&]() -> Task<void> {
    Watcher watcher = co_await Create();
    const absl::Status missing =
        (co_await watcher.Add(PathOf("missing"), IN_CREATE)).status();
    EXPECT_EQ(ErrnoOf(missing), ENOENT);
    EXPECT_TRUE(absl::StrContains(missing.message(), PathOf("missing")));
    const std::string file = co_await Make("file", "x");
    EXPECT_EQ(
        ErrnoOf((co_await watcher.Add(file, IN_CREATE | IN_ONLYDIR)).status()),
        ENOTDIR);
    const std::string nul("a\0b", 3);
    EXPECT_TRUE(absl::IsInvalidArgument(
        (co_await watcher.Add(nul, IN_CREATE)).status()));
    Watcher moved = std::move(watcher);
    EXPECT_TRUE(absl::IsFailedPrecondition((co_await watcher.Next()).status()));
  };
  Run(main());
}

TEST_P(WatcherTest, TheSimulatorHasNone) {
  if (system().is_kernel()) GTEST_SKIP() << "it is not simulated";
  auto main = [&]() -> Task<void> {
    Task<absl::StatusOr<Watcher>> create = Watcher::Create();
    const absl::Status status = (co_await std::move(create)).status();
    EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
  };
  Run(main());
}

using WatcherEndTest = testing::FsEndTest;

TEST_P(WatcherEndTest, LeavesNoFdHoweverFarItHasCome) {
  RINGWAY_REQUIRES_KERNEL("inotify");
  EndAfterEachTurn([]() -> Task<void> {
    Task<absl::StatusOr<Watcher>> create = Watcher::Create();
    absl::StatusOr<Watcher> watcher = co_await std::move(create);
    if (!watcher.ok()) co_return;  // it was cancelled
    (co_await watcher->Next()).status().IgnoreError();
  });
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(WatcherTest);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(WatcherEndTest);

}  // namespace
}  // namespace ringway::fs
