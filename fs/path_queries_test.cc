// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/path_queries.h"

#include <limits.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::FsTest;
using testing::ValueOf;

using PathQueriesTest = FsTest;

TEST_P(PathQueriesTest, AccessIsGrantedOrRefused) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "x");
    EXPECT_TRUE((co_await SetPermissions(path, 0600)).ok());
    EXPECT_TRUE((co_await Access(path)).ok());
    EXPECT_TRUE((co_await Access(path, R_OK | W_OK)).ok());
    const absl::Status refused = co_await Access(path, R_OK | X_OK);
    EXPECT_EQ(ErrnoOf(refused), EACCES) << refused;
    EXPECT_TRUE(absl::StrContains(refused.message(), "access to " + path))
        << refused;
    EXPECT_TRUE((co_await SetPermissions(path, 0700)).ok());
    EXPECT_TRUE((co_await Access(path, X_OK)).ok());
    EXPECT_EQ(ErrnoOf(co_await Access(path, 64)), EINVAL);
    EXPECT_EQ(ErrnoOf(co_await Access(PathOf("none"))), ENOENT);
    EXPECT_TRUE((co_await Symlink("none", PathOf("link"))).ok());
    EXPECT_EQ(ErrnoOf(co_await Access(PathOf("link"))), ENOENT)
        << "it is asked of what the link leads to";
  };
  Run(main());
}

TEST_P(PathQueriesTest, ARealPathHasNoLinksAndNoDots) {
  auto main = [&]() -> Task<void> {
    const std::string file = co_await Make("file", "x");
    const std::string real = ValueOf(co_await RealPath(file));
    const std::string base = real.substr(0, real.rfind('/'));
    EXPECT_TRUE((co_await MakeDirectory(PathOf("d"))).ok());
    EXPECT_TRUE((co_await Symlink("../file", PathOf("d/link"))).ok());
    EXPECT_TRUE((co_await Symlink("d", PathOf("to_d"))).ok());
    EXPECT_EQ(ValueOf(co_await RealPath(PathOf("to_d/.//../d/link"))), real);
    EXPECT_EQ(ValueOf(co_await RealPath(PathOf("to_d/"))), base + "/d");
    EXPECT_EQ(ValueOf(co_await RealPath(PathOf("to_d/.."))), base);
    EXPECT_EQ(ValueOf(co_await RealPath("/.")), "/");
  };
  Run(main());
}

TEST_P(PathQueriesTest, ARealPathIsOfWhatIsThere) {
  auto main = [&]() -> Task<void> {
    const std::string file = co_await Make("file", "x");
    EXPECT_TRUE((co_await Symlink("none", PathOf("link"))).ok());
    EXPECT_TRUE((co_await Symlink("loop", PathOf("loop"))).ok());
    const absl::Status missing = (co_await RealPath(PathOf("none"))).status();
    EXPECT_EQ(ErrnoOf(missing), ENOENT) << missing;
    EXPECT_TRUE(absl::StrContains(missing.message(), PathOf("none")));
    EXPECT_EQ(ErrnoOf((co_await RealPath(PathOf("link"))).status()), ENOENT);
    EXPECT_EQ(ErrnoOf((co_await RealPath(PathOf("loop"))).status()), ELOOP);
    EXPECT_EQ(ErrnoOf((co_await RealPath(file + "/below")).status()), ENOTDIR);
    EXPECT_EQ(ErrnoOf((co_await RealPath("")).status()), ENOENT);
    const std::string nul("/\0b", 3);
    EXPECT_TRUE(absl::IsInvalidArgument((co_await RealPath(nul)).status()));
  };
  Run(main());
}

TEST_P(PathQueriesTest, AFileSystemHasRoom) {
  auto main = [&]() -> Task<void> {
    const std::string file = co_await Make("file", "x");
    const FileSystemInfo info = ValueOf(co_await StatFileSystem(file));
    EXPECT_GT(info.block_bytes, 0u);
    EXPECT_GT(info.total_bytes, 0u);
    EXPECT_LE(info.free_bytes, info.total_bytes);
    EXPECT_LE(info.available_bytes, info.free_bytes);
    EXPECT_LE(info.free_inodes, info.total_inodes);
    EXPECT_EQ(info.max_name_bytes, uint64_t{NAME_MAX});
    EXPECT_FALSE(info.read_only);
    const absl::Status missing =
        (co_await StatFileSystem(PathOf("none"))).status();
    EXPECT_EQ(ErrnoOf(missing), ENOENT) << missing;
    EXPECT_TRUE(absl::StrContains(missing.message(), PathOf("none")));
  };
  Run(main());
}

TEST_P(PathQueriesTest, TheFileSystemOfProcIsAnotherOne) {
  RINGWAY_REQUIRES_KERNEL("/proc");
  auto main = [&]() -> Task<void> {
    constexpr int64_t kProc = 0x9fa0;  // PROC_SUPER_MAGIC
    EXPECT_EQ(ValueOf(co_await StatFileSystem("/proc")).type, kProc);
    EXPECT_EQ(ValueOf(co_await StatFileSystem("/proc")).total_bytes, 0u);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(PathQueriesTest);

}  // namespace
}  // namespace ringway::fs
