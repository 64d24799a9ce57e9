// SPDX-License-Identifier: Apache-2.0
//
// What files have beside their content, by path and by File: permissions,
// times, the text of links, advice.

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::FsTest;
using testing::ValueOf;

using AttributeTest = FsTest;

FileTimes Times(std::optional<absl::Time> modified,
                std::optional<absl::Time> accessed) {
  FileTimes times;
  times.modified = modified;
  times.accessed = accessed;
  return times;
}

TEST_P(AttributeTest, PermissionsAreSetByPathAndByFile) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "x");
    EXPECT_TRUE((co_await SetPermissions(path, 0640)).ok());
    EXPECT_EQ(ValueOf(co_await Stat(path)).permissions, 0640u);
    File file = ValueOf(co_await File::Open(path));
    EXPECT_TRUE((co_await file.SetPermissions(04755)).ok());
    EXPECT_EQ(ValueOf(co_await file.Stat()).permissions, 04755u);
    const absl::Status missing =
        co_await SetPermissions(PathOf("missing"), 0600);
    EXPECT_EQ(ErrnoOf(missing), ENOENT);
    EXPECT_TRUE(absl::StrContains(missing.message(), PathOf("missing")));
  };
  Run(main());
}

TEST_P(AttributeTest, TheOwnerIsSetByPathAndByFile) {
  constexpr uid_t kSameUid = static_cast<uid_t>(-1);
  constexpr gid_t kSameGid = static_cast<gid_t>(-1);
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "x");
    const FileInfo made = ValueOf(co_await Stat(path));
    // What anybody may do.
    EXPECT_TRUE((co_await SetOwner(path, made.uid, kSameGid)).ok());
    EXPECT_TRUE((co_await SetOwner(path, kSameUid, made.gid)).ok());
    const absl::Status missing =
        co_await SetOwner(PathOf("missing"), made.uid, made.gid);
    EXPECT_EQ(ErrnoOf(missing), ENOENT) << missing;
    EXPECT_TRUE(absl::StrContains(missing.message(), PathOf("missing")));
    File file = ValueOf(co_await File::Open(path));
    if (system().is_kernel() && geteuid() != 0) {
      EXPECT_EQ(ErrnoOf(co_await file.SetOwner(0, 0)), EPERM);
      co_return;
    }
    EXPECT_TRUE((co_await SetOwner(path, 12, kSameGid)).ok());
    EXPECT_TRUE((co_await file.SetOwner(kSameUid, 34)).ok());
    EXPECT_TRUE((co_await Symlink("file", PathOf("link"))).ok());
    EXPECT_TRUE((co_await SetLinkOwner(PathOf("link"), 56, 78)).ok());
    const FileInfo now = ValueOf(co_await file.Stat());
    EXPECT_EQ(now.uid, 12u);
    EXPECT_EQ(now.gid, 34u);
    EXPECT_EQ(ValueOf(co_await StatLink(PathOf("link"))).uid, 56u);
    EXPECT_EQ(ValueOf(co_await StatLink(PathOf("link"))).gid, 78u);
  };
  Run(main());
}

TEST_P(AttributeTest, TimesAreSetByPathAndByFile) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "x");
    const absl::Time before_1970 =
        absl::UnixEpoch() - absl::Seconds(1000) + absl::Nanoseconds(7);
    const absl::Time later = absl::FromUnixSeconds(2'000'000'000);
    EXPECT_TRUE((co_await SetTimes(path, Times(before_1970, later))).ok());
    FileInfo info = ValueOf(co_await Stat(path));
    EXPECT_EQ(info.modified, before_1970);
    EXPECT_EQ(info.accessed, later);
    File file = ValueOf(co_await File::Open(path));
    EXPECT_TRUE((co_await file.SetTimes(Times(later, std::nullopt))).ok());
    info = ValueOf(co_await file.Stat());
    EXPECT_EQ(info.modified, later);
    EXPECT_EQ(info.accessed, later) << "what has no value stays";
  };
  Run(main());
}

TEST_P(AttributeTest, TimesOfALinkAreItsOwn) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "x");
    const std::string link = PathOf("link");
    EXPECT_TRUE((co_await Symlink("file", link)).ok());
    const absl::Time first = absl::FromUnixSeconds(1);
    const absl::Time second = absl::FromUnixSeconds(2);
    EXPECT_TRUE((co_await SetTimes(link, Times(first, first))).ok());
    EXPECT_TRUE((co_await SetLinkTimes(link, Times(second, second))).ok());
    EXPECT_EQ(ValueOf(co_await Stat(path)).modified, first);
    EXPECT_EQ(ValueOf(co_await StatLink(link)).modified, second);
  };
  Run(main());
}

// A fraction of a second counts from the second before, also before 1970.
TEST_P(AttributeTest, FractionsOfSecondsAreKeptOnBothSidesOf1970) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "x");
    EXPECT_TRUE((co_await Symlink("file", PathOf("link"))).ok());
    File file = ValueOf(co_await File::Open(path));
    for (const double seconds : {-14'245'440.25, -0.25, 0.75, 4e9 + 0.5}) {
      SCOPED_TRACE(seconds);
      const absl::Time time = absl::UnixEpoch() + absl::Seconds(seconds);
      EXPECT_TRUE((co_await SetTimes(path, Times(time, time))).ok());
      EXPECT_EQ(ValueOf(co_await Stat(path)).modified, time);
      EXPECT_EQ(ValueOf(co_await Stat(path)).accessed, time);
      EXPECT_TRUE(
          (co_await SetTimes(path, Times(absl::UnixEpoch(), absl::UnixEpoch())))
              .ok());
      EXPECT_TRUE((co_await file.SetTimes(Times(time, time))).ok());
      EXPECT_EQ(ValueOf(co_await file.Stat()).modified, time);
      const std::string link = PathOf("link");
      EXPECT_TRUE((co_await SetLinkTimes(link, Times(time, time))).ok());
      EXPECT_EQ(ValueOf(co_await StatLink(link)).modified, time);
    }
  };
  Run(main());
}

TEST_P(AttributeTest, TimesThatAFileSystemHasNotBecomeItsLastOrFirst) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "x");
    const FileTimes ends = Times(absl::InfiniteFuture(), absl::InfinitePast());
    EXPECT_TRUE((co_await SetTimes(path, ends)).ok());
    const FileInfo info = ValueOf(co_await Stat(path));
    EXPECT_GT(info.modified, absl::FromUnixSeconds(2'000'000'000));
    EXPECT_LT(info.accessed, absl::FromUnixSeconds(-2'000'000'000));
  };
  Run(main());
}

TEST_P(AttributeTest, ALinkHasItsText) {
  auto main = [&]() -> Task<void> {
    const std::string text(4'000, 't');
    EXPECT_TRUE((co_await Symlink(text, PathOf("link"))).ok());
    EXPECT_EQ(ValueOf(co_await ReadLink(PathOf("link"))), text);
    const std::string file = co_await Make("file", "x");
    EXPECT_EQ(ErrnoOf((co_await ReadLink(file)).status()), EINVAL);
    EXPECT_EQ(ErrnoOf((co_await ReadLink(PathOf("no"))).status()), ENOENT);
  };
  Run(main());
}

TEST_P(AttributeTest, AdviceIsTaken) {
  auto main = [&]() -> Task<void> {
    File file = ValueOf(co_await File::Open(co_await Make("file", "x")));
    EXPECT_TRUE((co_await file.Advise(0, 0, POSIX_FADV_WILLNEED)).ok());
    const int64_t more_than_32_bits = int64_t{1} << 40;
    EXPECT_TRUE(
        (co_await file.Advise(0, more_than_32_bits, POSIX_FADV_DONTNEED)).ok());
    EXPECT_EQ(ErrnoOf(co_await file.Advise(0, 0, 77)), EINVAL);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(AttributeTest);

}  // namespace
}  // namespace ringway::fs
