// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/files/file_store.h"

#include <fcntl.h>
#include <linux/falloc.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "ringway/backends/sim/environment/environment.h"
#include "ringway/backends/sim/files/open_file.h"

namespace ringway::sim {
namespace {

class FileStoreTest : public ::testing::Test {
 protected:
  std::shared_ptr<OpenFile> Open(std::string_view path, int flags) {
    std::shared_ptr<OpenFile> file;
    EXPECT_EQ(files_.Open({nullptr, path}, flags, 0600, &file), 0) << path;
    return file;
  }
  int OpenError(std::string_view path, int flags) {
    std::shared_ptr<OpenFile> file;
    return files_.Open({nullptr, path}, flags, 0600, &file);
  }
  std::shared_ptr<OpenFile> Create(std::string_view path,
                                   std::string_view content = "") {
    auto file = Open(path, O_RDWR | O_CREAT);
    Write(*file, content, 0);
    return file;
  }
  static int64_t Write(OpenFile& file, std::string_view text, int64_t offset) {
    Buffers from(const_cast<char*>(text.data()), text.size());
    return file.Write(from, offset);
  }
  static std::string Content(OpenFile& file) {
    std::string content(file.inode()->content.size(), '\0');
    Buffers to(content.data(), content.size());
    EXPECT_EQ(file.Read(to, 0), static_cast<int64_t>(content.size()));
    return content;
  }
  struct statx Stat(std::string_view path, int flags = 0) {
    struct statx status;
    EXPECT_EQ(files_.Stat({nullptr, path}, flags, &status), 0) << path;
    return status;
  }
  void MakeSafe(std::string_view path) {
    EXPECT_EQ(Open(path, O_RDONLY)->Sync(), 0);
  }

  Environment environment_{1};
  FileStore files_{environment_};
};

// --- Paths

TEST_F(FileStoreTest, PathsGoThroughDirectoriesDotsAndLinks) {
  ASSERT_EQ(files_.MakeDirectory({nullptr, "/a"}, 0700), 0);
  ASSERT_EQ(files_.MakeDirectory({nullptr, "a/b/"}, 0700), 0);
  Create("/a/b/file", "x");
  ASSERT_EQ(files_.SymbolicLink("../b/./file", {nullptr, "/a/b/near"}), 0);
  ASSERT_EQ(files_.SymbolicLink("/a", {nullptr, "/far"}), 0);
  const uint64_t number = Stat("/a/b/file").stx_ino;
  for (const char* path : {"//a//b/file", "/a/../a/./b/file", "/a/b/near",
                           "/far/b/near", "/../../far/b/file"}) {
    EXPECT_EQ(Stat(path).stx_ino, number) << path;
  }
  EXPECT_TRUE(S_ISLNK(Stat("/a/b/near", AT_SYMLINK_NOFOLLOW).stx_mode));
}

TEST_F(FileStoreTest, PathsFailAsInAKernel) {
  Create("/file");
  ASSERT_EQ(files_.MakeDirectory({nullptr, "/directory"}, 0700), 0);
  ASSERT_EQ(files_.SymbolicLink("/loop", {nullptr, "/loop"}), 0);
  EXPECT_EQ(OpenError("", O_RDONLY), -ENOENT);
  EXPECT_EQ(OpenError("/missing", O_RDONLY), -ENOENT);
  EXPECT_EQ(OpenError("/missing/x", O_RDONLY | O_CREAT), -ENOENT);
  EXPECT_EQ(OpenError("/file/x", O_RDONLY), -ENOTDIR);
  EXPECT_EQ(OpenError("/file/", O_RDONLY), -ENOTDIR);
  EXPECT_EQ(OpenError("/loop", O_RDONLY), -ELOOP);
  EXPECT_EQ(OpenError("/loop", O_RDONLY | O_NOFOLLOW), -ELOOP);
  EXPECT_EQ(OpenError("/directory", O_WRONLY), -EISDIR);
  EXPECT_EQ(OpenError("/file", O_RDONLY | O_DIRECTORY), -ENOTDIR);
  EXPECT_EQ(OpenError("/file", O_RDWR | O_CREAT | O_EXCL), -EEXIST);
  EXPECT_EQ(OpenError("/" + std::string(256, 'x'), O_RDONLY), -ENAMETOOLONG);
  EXPECT_EQ(OpenError(std::string(4096, '/'), O_RDONLY), -ENAMETOOLONG);
}

TEST_F(FileStoreTest, DirectoriesGoOnlyWhenEmpty) {
  ASSERT_EQ(files_.MakeDirectory({nullptr, "/a"}, 0700), 0);
  EXPECT_EQ(files_.MakeDirectory({nullptr, "/a"}, 0700), -EEXIST);
  Create("/a/file");
  EXPECT_EQ(files_.Unlink({nullptr, "/a"}, AT_REMOVEDIR), -ENOTEMPTY);
  EXPECT_EQ(files_.Unlink({nullptr, "/a"}, 0), -EISDIR);
  EXPECT_EQ(files_.Unlink({nullptr, "/a/file"}, AT_REMOVEDIR), -ENOTDIR);
  EXPECT_EQ(files_.Unlink({nullptr, "/a/file"}, 0), 0);
  EXPECT_EQ(files_.Unlink({nullptr, "/a"}, AT_REMOVEDIR), 0);
}

TEST_F(FileStoreTest, LinksAreCounted) {
  Create("/file");
  ASSERT_EQ(files_.Link({nullptr, "/file"}, {nullptr, "/other"}, 0), 0);
  EXPECT_EQ(Stat("/file").stx_nlink, 2u);
  EXPECT_EQ(files_.Link({nullptr, "/file"}, {nullptr, "/other"}, 0), -EEXIST);
  EXPECT_EQ(files_.Link({nullptr, "/"}, {nullptr, "/root"}, 0), -EPERM);
  ASSERT_EQ(files_.MakeDirectory({nullptr, "/a"}, 0700), 0);
  EXPECT_EQ(Stat("/").stx_nlink, 3u);
  EXPECT_EQ(Stat("/a").stx_nlink, 2u);
}

TEST_F(FileStoreTest, RenameReplacesButNotItsOwnParent) {
  Create("/from", "new");
  Create("/to", "old");
  EXPECT_EQ(files_.Rename({nullptr, "/from"}, {nullptr, "/to"}, 0), 0);
  EXPECT_EQ(Content(*Open("/to", O_RDONLY)), "new");
  EXPECT_EQ(OpenError("/from", O_RDONLY), -ENOENT);
  ASSERT_EQ(files_.MakeDirectory({nullptr, "/a"}, 0700), 0);
  ASSERT_EQ(files_.MakeDirectory({nullptr, "/a/b"}, 0700), 0);
  EXPECT_EQ(files_.Rename({nullptr, "/a"}, {nullptr, "/a/b/c"}, 0), -EINVAL);
  EXPECT_EQ(files_.Rename({nullptr, "/to"}, {nullptr, "/a"}, 0), -EISDIR);
  EXPECT_EQ(files_.Rename({nullptr, "/a"}, {nullptr, "/to"}, 0), -ENOTDIR);
  ASSERT_EQ(files_.MakeDirectory({nullptr, "/c"}, 0700), 0);
  EXPECT_EQ(files_.Rename({nullptr, "/c"}, {nullptr, "/a"}, 0), -ENOTEMPTY);
}

TEST_F(FileStoreTest, AFileLivesOnWithoutANameWhileItIsOpen) {
  auto file = Create("/file", "still here");
  ASSERT_EQ(files_.Unlink({nullptr, "/file"}, 0), 0);
  EXPECT_EQ(Content(*file), "still here");
  EXPECT_EQ(file->inode()->n_links, 0u);
}

// --- Content

TEST_F(FileStoreTest, HolesReadAsZerosAndTakeNoSpace) {
  auto file = Create("/file");
  EXPECT_EQ(Write(*file, "end", 1'000'000), 3);
  const std::string content = Content(*file);
  EXPECT_EQ(content.substr(0, 1'000'000), std::string(1'000'000, '\0'));
  EXPECT_EQ(content.substr(1'000'000), "end");
  EXPECT_EQ(Stat("/file").stx_blocks, 8u);
}

TEST_F(FileStoreTest, WhatWasCutOffDoesNotComeBack) {
  auto file = Create("/file", "secret");
  EXPECT_EQ(file->Truncate(2), 0);
  EXPECT_EQ(file->Truncate(6), 0);
  EXPECT_EQ(Content(*file), std::string("se\0\0\0\0", 6));
}

TEST_F(FileStoreTest, FallocateReservesExtendsAndPunches) {
  auto file = Create("/file", std::string(10'000, 'x'));
  EXPECT_EQ(file->Allocate(FALLOC_FL_KEEP_SIZE, 0, 100'000), 0);
  EXPECT_EQ(Stat("/file").stx_size, 10'000u);
  EXPECT_EQ(file->Allocate(0, 0, 20'000), 0);
  EXPECT_EQ(Stat("/file").stx_size, 20'000u);
  EXPECT_EQ(
      file->Allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1000, 8000),
      0);
  const std::string content = Content(*file);
  EXPECT_EQ(content.substr(0, 10'000), std::string(1000, 'x') +
                                           std::string(8000, '\0') +
                                           std::string(1000, 'x'));
}

TEST_F(FileStoreTest, AFullDiskTakesWhatFitsAndThenNothing) {
  files_.set_capacity(2 * FileContent::kBlockBytes);
  auto file = Create("/file");
  EXPECT_EQ(Write(*file, std::string(10'000, 'x'), 0), 8192);
  EXPECT_EQ(Write(*file, "x", 8192), -ENOSPC);
  EXPECT_EQ(Write(*file, "y", 0), 1) << "what it has it can change";
  auto other = Create("/other");
  EXPECT_EQ(other->Allocate(0, 0, 1), -ENOSPC);
  EXPECT_EQ(files_.Unlink({nullptr, "/file"}, 0), 0);
  file.reset();
  EXPECT_EQ(Write(*other, "x", 0), 1);
}

TEST_F(FileStoreTest, AppendingGoesToTheEnd) {
  Create("/file", "ab");
  auto file = Open("/file", O_WRONLY | O_APPEND);
  EXPECT_EQ(Write(*file, "c", 0), 1);
  EXPECT_EQ(Content(*Open("/file", O_RDONLY)), "abc");
}

TEST_F(FileStoreTest, TimesAreTheVirtualClocks) {
  Create("/file");
  environment_.clock.Advance(absl::Seconds(100));
  Write(*Open("/file", O_WRONLY), "x", 0);
  EXPECT_EQ(Stat("/file").stx_mtime.tv_sec, 101);
}

// --- O_DIRECT

TEST_F(FileStoreTest, DirectIoHasToBeAligned) {
  Create("/file", std::string(2'000, 'x'));
  auto file = Open("/file", O_RDWR | O_DIRECT);
  alignas(512) std::array<char, 2'048> memory;
  const auto read = [&](size_t at, size_t n_bytes, int64_t offset) {
    Buffers to(memory.data() + at, n_bytes);
    return file->Read(to, offset);
  };
  EXPECT_EQ(read(0, 1'024, 512), 1'024);
  EXPECT_EQ(read(512, 1'024, 1'024), 976) << "the end need not be aligned";
  EXPECT_EQ(read(1, 512, 0), -EINVAL);
  EXPECT_EQ(read(0, 513, 0), -EINVAL);
  EXPECT_EQ(read(0, 512, 1), -EINVAL);
  Buffers aligned(memory.data(), 512);
  EXPECT_EQ(file->Write(aligned, 512), 512);
  EXPECT_EQ(file->Shortened(1), 512u);
  EXPECT_EQ(file->Shortened(513), 1'024u);
  EXPECT_EQ(Open("/file", O_RDWR)->Shortened(513), 513u);
  Buffers odd(memory.data(), 100);
  EXPECT_EQ(file->Write(odd, 512), -EINVAL);
  EXPECT_EQ(Stat("/file").stx_size, 2'000u);
}

TEST_F(FileStoreTest, StatReportsTheAlignmentOfDirectIo) {
  Create("/file");
  EXPECT_NE(Stat("/file").stx_mask & STATX_DIOALIGN, 0u);
  EXPECT_EQ(Stat("/file").stx_dio_mem_align, 512u);
  EXPECT_EQ(Stat("/file").stx_dio_offset_align, 512u);
  EXPECT_EQ(Stat("/").stx_mask & STATX_DIOALIGN, 0u) << "a directory";
}

TEST_F(FileStoreTest, DirectIoMayBeRefusedOrIgnored) {
  char buffer[1];
  Create("/file", "content");
  files_.set_direct_io(DirectIo::kUnreported);
  EXPECT_EQ(Stat("/file").stx_mask & STATX_DIOALIGN, 0u);
  Buffers odd(buffer, 1);
  EXPECT_EQ(Open("/file", O_RDONLY | O_DIRECT)->Read(odd, 0), -EINVAL);
  files_.set_direct_io(DirectIo::kRefused);
  EXPECT_EQ(OpenError("/file", O_RDONLY | O_DIRECT), -EINVAL);
  EXPECT_EQ(OpenError("/file", O_RDONLY), 0);
  files_.set_direct_io(DirectIo::kIgnored);
  EXPECT_EQ(Content(*Open("/file", O_RDONLY | O_DIRECT)), "content");
  EXPECT_EQ(Stat("/file").stx_mask & STATX_DIOALIGN, 0u);
}

// --- Power failures

TEST_F(FileStoreTest, ACrashTakesWhatWasNotMadeSafe) {
  auto file = Create("/file", "safe");
  EXPECT_EQ(file->Sync(), 0);
  MakeSafe("/");
  Write(*file, "lost", 0);
  Create("/nameless", "safe content, unsafe name")->Sync();
  files_.Crash();
  EXPECT_EQ(Content(*Open("/file", O_RDONLY)), "safe");
  EXPECT_EQ(OpenError("/nameless", O_RDONLY), -ENOENT);
}

TEST_F(FileStoreTest, ASafeNameWithoutSafeContentIsAnEmptyFile) {
  Create("/file", "lost");
  MakeSafe("/");
  files_.Crash();
  EXPECT_EQ(Content(*Open("/file", O_RDONLY)), "");
}

TEST_F(FileStoreTest, ARenameThatWasNotMadeSafeIsUndone) {
  Create("/from", "content")->Sync();
  MakeSafe("/");
  ASSERT_EQ(files_.Rename({nullptr, "/from"}, {nullptr, "/to"}, 0), 0);
  files_.Crash();
  EXPECT_EQ(Content(*Open("/from", O_RDONLY)), "content");
  EXPECT_EQ(OpenError("/to", O_RDONLY), -ENOENT);
  EXPECT_EQ(Stat("/from").stx_nlink, 1u);
}

TEST_F(FileStoreTest, AFailedFsyncDropsTheDataAndStaysFailed) {
  auto file = Create("/file", "safe");
  EXPECT_EQ(file->Sync(), 0);
  Write(*file, "lost", 0);
  file->FailSync(EIO);
  EXPECT_EQ(Content(*file), "safe");
  EXPECT_EQ(file->Sync(), -EIO);
  EXPECT_EQ(file->Sync(), -EIO);
  EXPECT_EQ(Open("/file", O_RDWR)->Sync(), 0) << "another descriptor's";
}

TEST(FileStore, FreesDirectoriesThatHaveChangedPlaces) {
  // Current and durable entries then refer to each other in a cycle.
  Environment environment(1);
  auto files = std::make_unique<FileStore>(environment);
  ASSERT_EQ(files->MakeDirectory({nullptr, "/a"}, 0700), 0);
  ASSERT_EQ(files->MakeDirectory({nullptr, "/a/b"}, 0700), 0);
  std::shared_ptr<OpenFile> a;
  ASSERT_EQ(files->Open({nullptr, "/a"}, O_RDONLY, 0, &a), 0);
  ASSERT_EQ(a->Sync(), 0);
  const std::weak_ptr<Inode> inode = a->inode();
  a.reset();
  ASSERT_EQ(files->Rename({nullptr, "/a/b"}, {nullptr, "/b"}, 0), 0);
  ASSERT_EQ(files->Rename({nullptr, "/a"}, {nullptr, "/b/a"}, 0), 0);
  files.reset();
  EXPECT_TRUE(inode.expired());
}

}  // namespace
}  // namespace ringway::sim
