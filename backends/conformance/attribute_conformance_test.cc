// SPDX-License-Identifier: Apache-2.0
//
// What a file has beside its content: its mode, its owner, its times.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "ringway/backends/conformance/directory_fixture.h"
#include "ringway/backends/prepare.h"

namespace ringway::testing {
namespace {

class AttributeConformance : public NamedFilesConformance {
 protected:
  int32_t Chmod(std::string_view name, mode_t mode, int flags = 0) {
    const std::string path = Path(name);
    PrepareChmod(op_, AT_FDCWD, path.c_str(), mode, flags);
    return Run();
  }

  int32_t Chown(std::string_view name, uid_t uid, gid_t gid, int flags = 0) {
    const std::string path = Path(name);
    PrepareChown(op_, AT_FDCWD, path.c_str(), uid, gid, flags);
    return Run();
  }

  int32_t SetTimes(std::string_view name, timespec accessed, timespec modified,
                   int flags = 0) {
    const std::string path = Path(name);
    times_ = {accessed, modified};
    PrepareSetTimes(op_, AT_FDCWD, path.c_str(), times_, flags);
    return Run();
  }

  mode_t ModeOf(std::string_view name) {
    EXPECT_EQ(Stat(name), 0);
    return status_.stx_mode & 07777;
  }

  std::array<timespec, 2> times_ = {};
};

// --- chmod

TEST_P(AttributeConformance, ChmodSetsTheMode) {
  MakeFile("a", "x");
  for (const mode_t mode : {0400u, 0755u, 04711u, 0u}) {
    EXPECT_EQ(Chmod("a", mode), 0);
    EXPECT_EQ(ModeOf("a"), mode);
  }
  MakeDirectory("d");
  EXPECT_EQ(Chmod("d", 01777), 0);
  EXPECT_EQ(ModeOf("d"), 01777u);
}

TEST_P(AttributeConformance, ChmodFollowsLinks) {
  MakeFile("a", "x");
  MakeLink("a", "link");
  EXPECT_EQ(Chmod("link", 0640), 0);
  EXPECT_EQ(ModeOf("a"), 0640u);
}

TEST_P(AttributeConformance, ChmodOfAnFdNeedsNoPath) {
  MakeFile("a", "x");
  TestFd file = system().Own(Open(Path("a"), O_RDONLY));
  PrepareChmod(op_, file.get(), "", 0604, AT_EMPTY_PATH);
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(ModeOf("a"), 0604u);
}

TEST_P(AttributeConformance, ChmodOfNothingIsEnoent) {
  EXPECT_EQ(Chmod("missing", 0600), -ENOENT);
}

// --- chown

TEST_P(AttributeConformance, ChownToOneselfChangesNothing) {
  MakeFile("a", "x");
  ASSERT_EQ(Stat("a"), 0);
  const uid_t uid = status_.stx_uid;
  const gid_t gid = status_.stx_gid;
  EXPECT_EQ(Chown("a", uid, static_cast<gid_t>(-1)), 0);
  EXPECT_EQ(Chown("a", static_cast<uid_t>(-1), gid), 0);
  ASSERT_EQ(Stat("a"), 0);
  EXPECT_EQ(status_.stx_uid, uid);
  EXPECT_EQ(status_.stx_gid, gid);
  EXPECT_EQ(Chown("missing", uid, gid), -ENOENT);
}

TEST_P(AttributeConformance, ChownSetsWhatIsGiven) {
  if (system().is_kernel() && geteuid() != 0) GTEST_SKIP() << "needs root";
  MakeFile("a", "x");
  MakeLink("a", "link");
  EXPECT_EQ(Chown("a", 1234, 5678), 0);
  EXPECT_EQ(Chown("link", static_cast<uid_t>(-1), 9, AT_SYMLINK_NOFOLLOW), 0);
  EXPECT_EQ(Chown("link", 77, static_cast<gid_t>(-1)), 0);
  ASSERT_EQ(Stat("a"), 0);
  EXPECT_EQ(status_.stx_uid, 77u);
  EXPECT_EQ(status_.stx_gid, 5678u);
  ASSERT_EQ(Lstat("link"), 0);
  EXPECT_EQ(status_.stx_gid, 9u);
}

// --- utimensat

TEST_P(AttributeConformance, TimesAreSetToTheNanosecond) {
  MakeFile("a", "x");
  EXPECT_EQ(SetTimes("a", {1'000, 1}, {2'000'000'000, 999'999'999}), 0);
  ASSERT_EQ(Stat("a"), 0);
  EXPECT_EQ(status_.stx_atime.tv_sec, 1'000);
  EXPECT_EQ(status_.stx_atime.tv_nsec, 1u);
  EXPECT_EQ(status_.stx_mtime.tv_sec, 2'000'000'000);
  EXPECT_EQ(status_.stx_mtime.tv_nsec, 999'999'999u);
}

TEST_P(AttributeConformance, TimesMayBeBefore1970) {
  MakeFile("a", "x");
  EXPECT_EQ(SetTimes("a", {-14'182'940, 0}, {-1, 500'000'000}), 0);
  ASSERT_EQ(Stat("a"), 0);
  EXPECT_EQ(status_.stx_atime.tv_sec, -14'182'940);
  EXPECT_EQ(status_.stx_mtime.tv_sec, -1);
  EXPECT_EQ(status_.stx_mtime.tv_nsec, 500'000'000u);
}

TEST_P(AttributeConformance, ATimeMayStayOrBeNow) {
  MakeFile("a", "x");
  ASSERT_EQ(SetTimes("a", {11, 0}, {22, 0}), 0);
  EXPECT_EQ(SetTimes("a", {0, UTIME_OMIT}, {33, 0}), 0);
  ASSERT_EQ(Stat("a"), 0);
  EXPECT_EQ(status_.stx_atime.tv_sec, 11);
  EXPECT_EQ(status_.stx_mtime.tv_sec, 33);
  MakeFile("new", "x");
  EXPECT_EQ(SetTimes("a", {0, UTIME_OMIT}, {0, UTIME_NOW}), 0);
  ASSERT_EQ(Stat("new"), 0);
  const int64_t now = status_.stx_mtime.tv_sec;
  ASSERT_EQ(Stat("a"), 0);
  EXPECT_EQ(status_.stx_atime.tv_sec, 11);
  EXPECT_GE(status_.stx_mtime.tv_sec, now);
}

TEST_P(AttributeConformance, TimesAreOfTheLinkIfAsked) {
  MakeFile("a", "x");
  MakeLink("a", "link");
  ASSERT_EQ(SetTimes("link", {1, 0}, {2, 0}), 0);
  ASSERT_EQ(SetTimes("link", {3, 0}, {4, 0}, AT_SYMLINK_NOFOLLOW), 0);
  ASSERT_EQ(Stat("a"), 0);
  EXPECT_EQ(status_.stx_mtime.tv_sec, 2);
  ASSERT_EQ(Lstat("link"), 0);
  EXPECT_EQ(status_.stx_mtime.tv_sec, 4);
}

TEST_P(AttributeConformance, TimesOfAnFdNeedNoPath) {
  TestFd file = system().File("hello");
  times_ = {timespec{5, 0}, timespec{6, 0}};
  PrepareSetTimes(op_, file.get(), "", times_, AT_EMPTY_PATH);
  EXPECT_EQ(Run(), 0);
  PrepareStatx(op_, file.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status_);
  ASSERT_EQ(Run(), 0);
  EXPECT_EQ(status_.stx_mtime.tv_sec, 6);
}

TEST_P(AttributeConformance, TimesThatCannotBeHaveTheirErrno) {
  MakeFile("a", "x");
  EXPECT_EQ(SetTimes("missing", {1, 0}, {2, 0}), -ENOENT);
  EXPECT_EQ(SetTimes("a", {1, 1'000'000'000}, {2, 0}), -EINVAL);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(AttributeConformance);

}  // namespace
}  // namespace ringway::testing
