// SPDX-License-Identifier: Apache-2.0
//
// Operations on paths: open, stat, rename, link and their kin, each with the
// exact errno of what cannot be done.

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/operation_fixture.h"

namespace ringway::testing {
namespace {

class PathConformance : public OperationConformance {
 protected:
  void SetUp() override {
    OperationConformance::SetUp();
    if (!IsSkipped()) directory_ = system().Directory();
  }

  std::string Path(std::string_view name) const {
    return directory_ + "/" + std::string(name);
  }

  int32_t Open(const std::string& path, int flags, mode_t mode = 0600) {
    PrepareOpenAt(op_, AT_FDCWD, path.c_str(), flags, mode);
    return Run();
  }

  void MakeFile(std::string_view name, std::string_view content = "") {
    TestFd file = system().Own(Open(Path(name), O_WRONLY | O_CREAT | O_EXCL));
    ASSERT_TRUE(file.valid());
    PrepareWrite(op_, file.get(), AsBytes(content), 0);
    ASSERT_EQ(Run(), static_cast<int32_t>(content.size()));
  }

  int32_t Mkdir(std::string_view name, mode_t mode = 0700) {
    const std::string path = Path(name);
    PrepareMkdir(op_, AT_FDCWD, path.c_str(), mode);
    return Run();
  }

  int32_t Rmdir(std::string_view name) {
    const std::string path = Path(name);
    PrepareRmdir(op_, AT_FDCWD, path.c_str());
    return Run();
  }

  int32_t Unlink(std::string_view name) {
    const std::string path = Path(name);
    PrepareUnlink(op_, AT_FDCWD, path.c_str());
    return Run();
  }

  int32_t Rename(std::string_view from, std::string_view to,
                 unsigned flags = 0) {
    const std::string old_path = Path(from), new_path = Path(to);
    PrepareRename(op_, AT_FDCWD, old_path.c_str(), AT_FDCWD, new_path.c_str(),
                  flags);
    return Run();
  }

  int32_t Link(std::string_view from, std::string_view to, int flags = 0) {
    const std::string old_path = Path(from), new_path = Path(to);
    PrepareLink(op_, AT_FDCWD, old_path.c_str(), AT_FDCWD, new_path.c_str(),
                flags);
    return Run();
  }

  int32_t Symlink(const char* target, std::string_view name) {
    const std::string path = Path(name);
    PrepareSymlink(op_, target, AT_FDCWD, path.c_str());
    return Run();
  }

  int32_t Stat(const std::string& path, int flags = 0) {
    status_ = {};
    PrepareStatx(op_, AT_FDCWD, path.c_str(), flags, STATX_BASIC_STATS,
                 &status_);
    return Run();
  }

  int32_t Lstat(const std::string& path) {
    status_ = {};
    PrepareLstat(op_, path.c_str(), &status_);
    return Run();
  }

  // The content of a file, or "-errno".
  std::string Content(std::string_view name) {
    const int32_t fd = Open(Path(name), O_RDONLY);
    if (fd < 0) return std::to_string(fd);
    TestFd file = system().Own(fd);
    return system().Content(file.get());
  }

  bool Exists(std::string_view name) { return Lstat(Path(name)) == 0; }

  std::string directory_;
  struct statx status_ = {};
};

// --- openat

TEST_P(PathConformance, OpenGivesAnFdThatIsNotInherited) {
  MakeFile("a", "hello");
  TestFd file = system().Own(Open(Path("a"), O_RDONLY));
  ASSERT_TRUE(file.valid());
  EXPECT_TRUE(system().IsCloseOnExec(file.get()));
  PrepareRead(op_, file.get(), buffer_, 0);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(Text(5), "hello");
}

TEST_P(PathConformance, OpenTakesPathsRelativeToADirectory) {
  MakeFile("a", "hello");
  TestFd directory = system().Own(Open(directory_, O_RDONLY | O_DIRECTORY));
  PrepareOpenAt(op_, directory.get(), "a", O_RDONLY);
  TestFd file = system().Own(Run());
  EXPECT_TRUE(file.valid());
}

TEST_P(PathConformance, OpenRelativeToABadFdIsEbadf) {
  PrepareOpenAt(op_, -1, "a", O_RDONLY);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(PathConformance, OpenRelativeToAFileIsEnotdir) {
  TestFd file = system().File("");
  PrepareOpenAt(op_, file.get(), "a", O_RDONLY);
  EXPECT_EQ(Run(), -ENOTDIR);
}

TEST_P(PathConformance, OpenOfNothingIsEnoent) {
  EXPECT_EQ(Open(Path("missing"), O_RDONLY), -ENOENT);
  EXPECT_EQ(Open("", O_RDONLY), -ENOENT);
  EXPECT_EQ(Open(Path("missing/a"), O_RDWR | O_CREAT), -ENOENT);
}

TEST_P(PathConformance, OpenThroughAFileIsEnotdir) {
  MakeFile("a");
  EXPECT_EQ(Open(Path("a/b"), O_RDONLY), -ENOTDIR);
  EXPECT_EQ(Open(Path("a"), O_RDONLY | O_DIRECTORY), -ENOTDIR);
}

TEST_P(PathConformance, OpenOfADirectoryForWritingIsEisdir) {
  EXPECT_EQ(Open(directory_, O_WRONLY), -EISDIR);
  EXPECT_EQ(Open(directory_, O_RDWR), -EISDIR);
}

TEST_P(PathConformance, OpenOfATooLongNameIsEnametoolong) {
  EXPECT_EQ(Open(Path(std::string(NAME_MAX + 1, 'n')), O_RDWR | O_CREAT),
            -ENAMETOOLONG);
  std::string long_path = directory_;
  while (long_path.size() <= PATH_MAX) long_path += "/.";
  EXPECT_EQ(Open(long_path, O_RDONLY), -ENAMETOOLONG);
}

TEST_P(PathConformance, OpenOfTheLongestNameWorks) {
  const std::string name(NAME_MAX, 'n');
  TestFd file = system().Own(Open(Path(name), O_RDWR | O_CREAT));
  EXPECT_TRUE(file.valid());
}

TEST_P(PathConformance, OpenOfALinkToItselfIsEloop) {
  ASSERT_EQ(Symlink("loop", "loop"), 0);
  EXPECT_EQ(Open(Path("loop"), O_RDONLY), -ELOOP);
}

TEST_P(PathConformance, OpenThatMustNotFollowALinkIsEloop) {
  MakeFile("a");
  ASSERT_EQ(Symlink("a", "link"), 0);
  EXPECT_EQ(Open(Path("link"), O_RDONLY | O_NOFOLLOW), -ELOOP);
}

TEST_P(PathConformance, OpenEndsThePathAtItsNul) {
  MakeFile("a", "hello");
  EXPECT_EQ(Content(std::string_view("a\0b", 3)), "hello");
}

TEST_P(PathConformance, ExclusiveCreationOfWhatExistsIsEexist) {
  MakeFile("a");
  EXPECT_EQ(Open(Path("a"), O_RDWR | O_CREAT | O_EXCL), -EEXIST);
}

TEST_P(PathConformance, OpenCanTruncate) {
  MakeFile("a", "hello");
  TestFd file = system().Own(Open(Path("a"), O_RDWR | O_TRUNC));
  EXPECT_TRUE(file.valid());
  EXPECT_EQ(Content("a"), "");
}

// --- statx

TEST_P(PathConformance, StatTellsTypeSizeModeAndLinks) {
  MakeFile("a", "hello");
  ASSERT_EQ(Stat(Path("a")), 0);
  EXPECT_EQ(status_.stx_mode, S_IFREG | 0600);
  EXPECT_EQ(status_.stx_size, 5u);
  EXPECT_EQ(status_.stx_nlink, 1u);
  ASSERT_EQ(Stat(directory_), 0);
  EXPECT_EQ(status_.stx_mode & S_IFMT, uint32_t{S_IFDIR});
}

TEST_P(PathConformance, StatOfAnFdNeedsNoPath) {
  TestFd file = system().File("hello");
  PrepareStatx(op_, file.get(), "", AT_EMPTY_PATH, STATX_SIZE, &status_);
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(status_.stx_size, 5u);
}

TEST_P(PathConformance, StatFollowsLinksAndLstatDoesNot) {
  MakeFile("a", "hello");
  ASSERT_EQ(Symlink("a", "link"), 0);
  ASSERT_EQ(Stat(Path("link")), 0);
  EXPECT_EQ(status_.stx_size, 5u);
  ASSERT_EQ(Lstat(Path("link")), 0);
  EXPECT_EQ(status_.stx_mode & S_IFMT, uint32_t{S_IFLNK});
  EXPECT_EQ(status_.stx_size, 1u) << "the length of its target's name";
}

TEST_P(PathConformance, StatOfWhatIsNotThereHasItsErrno) {
  ASSERT_EQ(Symlink("loop", "loop"), 0);
  MakeFile("a");
  EXPECT_EQ(Stat(Path("missing")), -ENOENT);
  EXPECT_EQ(Stat(""), -ENOENT);
  EXPECT_EQ(Stat(Path("a/b")), -ENOTDIR);
  EXPECT_EQ(Stat(Path("loop")), -ELOOP);
  EXPECT_EQ(Stat(Path(std::string(NAME_MAX + 1, 'n'))), -ENAMETOOLONG);
  EXPECT_EQ(Lstat(Path("missing")), -ENOENT);
}

// --- rename

TEST_P(PathConformance, RenameReplacesItsTarget) {
  MakeFile("a", "new");
  MakeFile("b", "old");
  EXPECT_EQ(Rename("a", "b"), 0);
  EXPECT_FALSE(Exists("a"));
  EXPECT_EQ(Content("b"), "new");
}

TEST_P(PathConformance, RenameMovesBetweenDirectories) {
  ASSERT_EQ(Mkdir("d"), 0);
  MakeFile("a", "hello");
  EXPECT_EQ(Rename("a", "d/b"), 0);
  EXPECT_EQ(Content("d/b"), "hello");
}

TEST_P(PathConformance, RenameTakesPathsRelativeToDirectories) {
  ASSERT_EQ(Mkdir("d"), 0);
  MakeFile("a", "hello");
  TestFd from = system().Own(Open(directory_, O_RDONLY | O_DIRECTORY));
  TestFd to = system().Own(Open(Path("d"), O_RDONLY | O_DIRECTORY));
  PrepareRename(op_, from.get(), "a", to.get(), "b");
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(Content("d/b"), "hello");
}

TEST_P(PathConformance, RenameThatMustNotReplaceIsEexist) {
  MakeFile("a", "new");
  MakeFile("b", "old");
  EXPECT_EQ(Rename("a", "b", RENAME_NOREPLACE), -EEXIST);
  EXPECT_EQ(Content("b"), "old");
}

TEST_P(PathConformance, RenameThatCannotBeHasItsErrno) {
  ASSERT_EQ(Mkdir("d"), 0);
  ASSERT_EQ(Mkdir("full"), 0);
  MakeFile("full/a");
  MakeFile("file");
  EXPECT_EQ(Rename("missing", "b"), -ENOENT);
  EXPECT_EQ(Rename("d", "full"), -ENOTEMPTY);
  EXPECT_EQ(Rename("d", "d/into_itself"), -EINVAL);
  EXPECT_EQ(Rename("d", "file"), -ENOTDIR);
  EXPECT_EQ(Rename("file", "d"), -EISDIR);
}

// --- unlink, mkdir, rmdir

TEST_P(PathConformance, UnlinkedFileLivesWhileItIsOpen) {
  MakeFile("a", "hello");
  TestFd file = system().Own(Open(Path("a"), O_RDONLY));
  EXPECT_EQ(Unlink("a"), 0);
  EXPECT_FALSE(Exists("a"));
  EXPECT_EQ(system().Content(file.get()), "hello");
}

TEST_P(PathConformance, UnlinkTakesTheLinkAndNotItsTarget) {
  MakeFile("a", "hello");
  ASSERT_EQ(Symlink("a", "link"), 0);
  EXPECT_EQ(Unlink("link"), 0);
  EXPECT_EQ(Content("a"), "hello");
}

TEST_P(PathConformance, UnlinkThatCannotBeHasItsErrno) {
  ASSERT_EQ(Mkdir("d"), 0);
  MakeFile("a");
  EXPECT_EQ(Unlink("missing"), -ENOENT);
  EXPECT_EQ(Unlink("d"), -EISDIR);
  EXPECT_EQ(Unlink("a/b"), -ENOTDIR);
}

TEST_P(PathConformance, MkdirMakesADirectoryWithItsMode) {
  EXPECT_EQ(Mkdir("d", 0710), 0);
  ASSERT_EQ(Stat(Path("d")), 0);
  EXPECT_EQ(status_.stx_mode, S_IFDIR | 0710);
}

TEST_P(PathConformance, MkdirThatCannotBeHasItsErrno) {
  MakeFile("a");
  EXPECT_EQ(Mkdir("a"), -EEXIST);
  EXPECT_EQ(Mkdir("missing/d"), -ENOENT);
  EXPECT_EQ(Mkdir("a/d"), -ENOTDIR);
}

TEST_P(PathConformance, RmdirTakesAnEmptyDirectory) {
  ASSERT_EQ(Mkdir("d"), 0);
  EXPECT_EQ(Rmdir("d"), 0);
  EXPECT_FALSE(Exists("d"));
}

TEST_P(PathConformance, RmdirThatCannotBeHasItsErrno) {
  ASSERT_EQ(Mkdir("full"), 0);
  MakeFile("full/a");
  MakeFile("file");
  EXPECT_EQ(Rmdir("full"), -ENOTEMPTY);
  EXPECT_EQ(Rmdir("file"), -ENOTDIR);
  EXPECT_EQ(Rmdir("missing"), -ENOENT);
}

// --- link, symlink

TEST_P(PathConformance, LinkIsASecondNameOfTheSameFile) {
  MakeFile("a", "hello");
  EXPECT_EQ(Link("a", "b"), 0);
  ASSERT_EQ(Stat(Path("b")), 0);
  EXPECT_EQ(status_.stx_nlink, 2u);
  EXPECT_EQ(Unlink("a"), 0);
  EXPECT_EQ(Content("b"), "hello");
}

TEST_P(PathConformance, LinkOfASymlinkFollowsItIfAsked) {
  MakeFile("a", "hello");
  ASSERT_EQ(Symlink("a", "link"), 0);
  EXPECT_EQ(Link("link", "second_link"), 0);
  EXPECT_EQ(Link("link", "second_name", AT_SYMLINK_FOLLOW), 0);
  ASSERT_EQ(Lstat(Path("second_link")), 0);
  EXPECT_EQ(status_.stx_mode & S_IFMT, uint32_t{S_IFLNK});
  ASSERT_EQ(Lstat(Path("second_name")), 0);
  EXPECT_EQ(status_.stx_mode & S_IFMT, uint32_t{S_IFREG});
}

TEST_P(PathConformance, LinkThatCannotBeHasItsErrno) {
  ASSERT_EQ(Mkdir("d"), 0);
  MakeFile("a");
  EXPECT_EQ(Link("missing", "b"), -ENOENT);
  EXPECT_EQ(Link("a", "d"), -EEXIST);
  EXPECT_EQ(Link("d", "b"), -EPERM);
}

TEST_P(PathConformance, SymlinkLeadsToItsTarget) {
  MakeFile("a", "hello");
  EXPECT_EQ(Symlink("a", "link"), 0);
  EXPECT_EQ(Content("link"), "hello");
}

TEST_P(PathConformance, SymlinkNeedsNoTarget) {
  EXPECT_EQ(Symlink("missing", "link"), 0);
  EXPECT_EQ(Content("link"), std::to_string(-ENOENT));
}

TEST_P(PathConformance, SymlinkThatCannotBeHasItsErrno) {
  MakeFile("a");
  EXPECT_EQ(Symlink("target", "a"), -EEXIST);
  EXPECT_EQ(Symlink("", "link"), -ENOENT);
  EXPECT_EQ(Symlink("target", "missing/link"), -ENOENT);
}

// --- Nothing leaks

TEST_P(PathConformance, CancelledOpensLeaveNoFdBehind) {
  MakeFile("a");
  const std::string path = Path("a");
  const size_t fds_before = system().OpenFds();
  for (int round = 0; round < 500; ++round) {
    PrepareOpenAt(op_, AT_FDCWD, path.c_str(), O_RDONLY);
    op_.completions = 0;
    driver().Start(op_);
    driver()->Submit(driver().pending(), driver().ready());
    driver().Cancel(op_);
    const int32_t result = Finish();
    if (result >= 0) {
      TestFd opened = system().Own(result);
    } else {
      ASSERT_EQ(result, -ECANCELED);
    }
  }
  EXPECT_EQ(system().OpenFds(), fds_before);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(PathConformance);

}  // namespace
}  // namespace ringway::testing
