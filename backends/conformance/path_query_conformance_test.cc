// SPDX-License-Identifier: Apache-2.0
//
// What is asked about a path: whether it may be used, where it leads, what file
// system it is on.

#include <fcntl.h>
#include <limits.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "ringway/backends/conformance/directory_fixture.h"
#include "ringway/backends/prepare.h"

namespace ringway::testing {
namespace {

class PathQueryConformance : public NamedFilesConformance {
 protected:
  int32_t Access(std::string_view name, int mode, int flags = 0) {
    const std::string path = Path(name);
    PrepareAccess(op_, AT_FDCWD, path.c_str(), mode, flags);
    return Run();
  }

  // The path that `path` leads to, or "-errno".
  std::string RealPath(const std::string& path) {
    std::array<char, PATH_MAX> resolved;
    PrepareRealPath(op_, path.c_str(), resolved);
    const int32_t result = Run();
    return result < 0 ? std::to_string(result)
                      : std::string(resolved.data(), result);
  }
};

// --- access

TEST_P(PathQueryConformance, AccessToWhatIsThere) {
  MakeFile("a", "x");
  MakeDirectory("d");
  EXPECT_EQ(Access("a", F_OK), 0);
  EXPECT_EQ(Access("a", R_OK | W_OK), 0);
  EXPECT_EQ(Access("a", X_OK), -EACCES) << "of mode 0600, even for root";
  EXPECT_EQ(Access("d", R_OK | W_OK | X_OK, AT_EACCESS), 0);
  const std::string path = Path("a");
  PrepareChmod(op_, AT_FDCWD, path.c_str(), 0700);
  ASSERT_EQ(Run(), 0);
  EXPECT_EQ(Access("a", X_OK), 0);
}

TEST_P(PathQueryConformance, AccessFollowsLinksUnlessAsked) {
  MakeLink("missing", "link");
  EXPECT_EQ(Access("link", F_OK), -ENOENT);
  EXPECT_EQ(Access("link", F_OK, AT_SYMLINK_NOFOLLOW), 0);
}

TEST_P(PathQueryConformance, AccessThatCannotBeAskedForHasItsErrno) {
  MakeFile("a", "x");
  EXPECT_EQ(Access("missing", F_OK), -ENOENT);
  EXPECT_EQ(Access("a/below", F_OK), -ENOTDIR);
  EXPECT_EQ(Access("a", 8), -EINVAL);
}

// --- realpath

TEST_P(PathQueryConformance, RealPathHasNoLinksAndNoDots) {
  const std::string base = RealPath(directory_);
  ASSERT_EQ(base[0], '/');
  MakeDirectory("d");
  MakeDirectory("d/e");
  MakeFile("d/e/a", "x");
  MakeLink("d/e", "link");
  MakeLink("../link/a", "d/to_a");
  for (const char* path : {"d/e/a", "link/a", "d/to_a", "d//./e/../e/a"})
    EXPECT_EQ(RealPath(Path(path)), base + "/d/e/a") << path;
  EXPECT_EQ(RealPath(Path("link/")), base + "/d/e");
  EXPECT_EQ(RealPath(Path("link/..")), base + "/d");
  EXPECT_EQ(RealPath("/"), "/");
  EXPECT_EQ(RealPath("/.."), "/");
}

TEST_P(PathQueryConformance, RealPathOfNothingHasItsErrno) {
  MakeFile("a", "x");
  MakeLink("missing", "link");
  MakeLink("loop", "loop");
  EXPECT_EQ(RealPath(Path("missing")), std::to_string(-ENOENT));
  EXPECT_EQ(RealPath(Path("link")), std::to_string(-ENOENT));
  EXPECT_EQ(RealPath(""), std::to_string(-ENOENT));
  EXPECT_EQ(RealPath(Path("a/below")), std::to_string(-ENOTDIR));
  EXPECT_EQ(RealPath(Path("loop")), std::to_string(-ELOOP));
}

TEST_P(PathQueryConformance, RealPathThatHasNoRoomIsEnametoolong) {
  const std::string base = RealPath(directory_);
  std::string resolved(base.size(), '\0');
  PrepareRealPath(op_, base.c_str(), resolved);
  EXPECT_EQ(Run(), static_cast<int32_t>(base.size()));
  EXPECT_EQ(resolved, base);
  PrepareRealPath(op_, base.c_str(), std::span(resolved).first(1));
  EXPECT_EQ(Run(), -ENAMETOOLONG);
}

// --- statfs

TEST_P(PathQueryConformance, AFileSystemHasItsSpace) {
  struct statfs info = {};
  PrepareStatFs(op_, directory_.c_str(), &info);
  ASSERT_EQ(Run(), 0);
  EXPECT_GT(info.f_bsize, 0);
  EXPECT_GT(info.f_blocks, 0u);
  EXPECT_LE(info.f_bfree, info.f_blocks);
  EXPECT_LE(info.f_bavail, info.f_bfree);
  EXPECT_EQ(info.f_namelen, NAME_MAX);
  const std::string missing = Path("missing");
  PrepareStatFs(op_, missing.c_str(), &info);
  EXPECT_EQ(Run(), -ENOENT);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(PathQueryConformance);

}  // namespace
}  // namespace ringway::testing
