// SPDX-License-Identifier: Apache-2.0
//
// Watching files (inotify).

#include <fcntl.h>
#include <sys/inotify.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "gtest/gtest.h"
#include "ringway/backends/conformance/directory_fixture.h"
#include "ringway/backends/prepare.h"

namespace ringway::testing {
namespace {

class WatchConformance : public NamedFilesConformance {
 protected:
  void SetUp() override {
    NamedFilesConformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    RINGWAY_REQUIRES_KERNEL("inotify");
    PrepareMakeWatcher(op_);
    watcher_ = system().Own(Run());
    ASSERT_TRUE(watcher_.valid());
  }

  void TearDown() override {
    watcher_.Reset();
    NamedFilesConformance::TearDown();
  }

  int32_t Watch(const std::string& path, uint32_t mask) {
    PrepareAddWatch(op_, watcher_.get(), path.c_str(), mask);
    return Run();
  }

  void StartReading() { PrepareRead(op_, watcher_.get(), events_, -1); }

  inotify_event First() const {
    inotify_event event;
    memcpy(&event, events_.data(), sizeof(event));
    return event;
  }

  TestFd watcher_;
  std::array<std::byte, 4096> events_ = {};
};

TEST_P(WatchConformance, TheWatcherIsNotInherited) {
  EXPECT_TRUE(system().IsCloseOnExec(watcher_.get()));
}

TEST_P(WatchConformance, AReadWaitsForAnEvent) {
  const int32_t watch = Watch(directory_, IN_CREATE);
  ASSERT_GE(watch, 0);
  StartReading();
  StartAndPend();
  CountedOperation made;
  const std::string path = Path("new");
  PrepareMkdir(made, AT_FDCWD, path.c_str(), 0700);
  driver().Start(made);
  const int32_t n_bytes = Finish();
  ASSERT_TRUE(driver().RunUntil([&] { return made.done(); }));
  ASSERT_GT(n_bytes, static_cast<int32_t>(sizeof(inotify_event)));
  EXPECT_EQ(First().wd, watch);
  EXPECT_EQ(First().mask, uint32_t{IN_CREATE | IN_ISDIR});
  EXPECT_STREQ(reinterpret_cast<const char*>(&events_[sizeof(inotify_event)]),
               "new");
}

TEST_P(WatchConformance, AReadThatWaitsCanBeCancelled) {
  ASSERT_GE(Watch(directory_, IN_CREATE), 0);
  StartReading();
  StartAndPend();
  EXPECT_EQ(driver().Cancel(op_), CancelOutcome::kRequested);
  EXPECT_EQ(Finish(), -ECANCELED);
}

TEST_P(WatchConformance, ARemovedWatchSaysSo) {
  const int32_t watch = Watch(directory_, IN_CREATE);
  PrepareRemoveWatch(op_, watcher_.get(), watch);
  ASSERT_EQ(Run(), 0);
  MakeFile("unseen", "");
  StartReading();
  EXPECT_EQ(Run(), static_cast<int32_t>(sizeof(inotify_event)));
  EXPECT_EQ(First().wd, watch);
  EXPECT_EQ(First().mask, uint32_t{IN_IGNORED});
  PrepareRemoveWatch(op_, watcher_.get(), watch);
  EXPECT_EQ(Run(), -EINVAL);
}

TEST_P(WatchConformance, WatchesThatCannotBeHaveTheirErrno) {
  EXPECT_EQ(Watch(Path("missing"), IN_CREATE), -ENOENT);
  MakeFile("a", "x");
  EXPECT_EQ(Watch(Path("a"), IN_CREATE | IN_ONLYDIR), -ENOTDIR);
  EXPECT_EQ(Watch(Path("a"), 0), -EINVAL);
  TestFd file = system().File("");
  PrepareAddWatch(op_, file.get(), directory_.c_str(), IN_CREATE);
  EXPECT_EQ(Run(), -EINVAL);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(WatchConformance);

}  // namespace
}  // namespace ringway::testing
