// SPDX-License-Identifier: Apache-2.0
//
// Opening below a directory, reading directories and symbolic links.

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/conformance/directory_fixture.h"
#include "ringway/backends/prepare.h"

namespace ringway::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class DirectoryConformance : public NamedFilesConformance {
 protected:
  // openat2 of `path` relative to the directory `name`.
  int32_t OpenBelow(std::string_view name, const char* path, uint64_t resolve,
                    uint64_t flags = O_RDONLY, uint64_t mode = 0) {
    TestFd directory = OpenDirectory(name);
    open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    PrepareOpenAt2(op_, directory.get(), path, how);
    const int32_t result = Run();
    if (result < 0) return result;
    TestFd opened = system().Own(result);
    return 0;
  }

  std::string ReadLink(std::string_view name, size_t room = 100) {
    const std::string path = Path(name);
    std::string target(room, '\0');
    PrepareReadLink(op_, AT_FDCWD, path.c_str(), target);
    const int32_t n = Run();
    if (n < 0) return std::to_string(n);
    return target.substr(0, static_cast<size_t>(n));
  }

  // The entries that one call returns, with their types.
  std::map<std::string, int> ReadOnce(int fd, size_t room) {
    std::vector<std::byte> bytes(room);
    PrepareGetDents(op_, fd, bytes);
    const int32_t n = Run();
    std::map<std::string, int> entries;
    EXPECT_GE(n, 0);
    for (int32_t at = 0; at < n;) {
      dirent64 entry;
      const size_t left = static_cast<size_t>(n - at);
      memcpy(&entry, &bytes[static_cast<size_t>(at)],
             std::min(sizeof(entry), left));
      EXPECT_TRUE(entries.emplace(entry.d_name, entry.d_type).second);
      at += entry.d_reclen;
    }
    return entries;
  }

  std::map<std::string, int> ReadAll(int fd, size_t room = 32 * 1024) {
    std::map<std::string, int> all;
    while (true) {
      const std::map<std::string, int> some = ReadOnce(fd, room);
      if (some.empty()) return all;
      for (const auto& [name, type] : some)
        EXPECT_TRUE(all.emplace(name, type).second) << name << " comes twice";
    }
  }
};

// --- Without a loop

TEST_P(DirectoryConformance, WhatRunsNowHasTheResultOfItsCall) {
  MakeFile("a", "hello");
  op_.completions = 0;
  const std::string path = Path("a");
  PrepareOpenAt(op_, AT_FDCWD, path.c_str(), O_RDONLY);
  TestFd file = system().Own(driver()->RunNow(op_));
  ASSERT_TRUE(file.valid());
  PrepareRead(op_, file.get(), buffer_, 1);
  EXPECT_EQ(driver()->RunNow(op_), 4);
  EXPECT_EQ(Text(4), "ello");
  PrepareUnlink(op_, AT_FDCWD, path.c_str());
  EXPECT_EQ(driver()->RunNow(op_), 0);
  EXPECT_EQ(driver()->RunNow(op_), -ENOENT);
  EXPECT_EQ(op_.completions, 0) << "only its result is there";
}

// --- openat2

TEST_P(DirectoryConformance, OpenBeneathFindsWhatIsThere) {
  MakeDirectory("root");
  MakeDirectory("root/d");
  MakeFile("root/d/a", "hello");
  MakeLink("d/a", "root/link");
  for (const char* path : {"d/a", "./d/../d/a", "link", "d//a"})
    EXPECT_EQ(OpenBelow("root", path, RESOLVE_BENEATH), 0) << path;
  EXPECT_EQ(OpenBelow("root", "new", RESOLVE_BENEATH, O_RDWR | O_CREAT, 0600),
            0);
  EXPECT_TRUE(Exists("root/new"));
}

TEST_P(DirectoryConformance, OpenBeneathNeverLeavesTheDirectory) {
  MakeDirectory("root");
  MakeDirectory("root/d");
  MakeFile("secret", "x");
  const std::string absolute = Path("secret");
  MakeLink(absolute.c_str(), "root/absolute");
  MakeLink("../secret", "root/up");
  MakeLink("..", "root/parent");
  MakeLink("../..", "root/d/grandparent");
  const std::vector<std::string> paths = {
      absolute, "../secret",     "..",          "d/../../secret",
      "up",     "absolute",      "../root/d",   "parent/secret",
      "/",      "d/grandparent", "parent/root", "d/grandparent/secret",
  };
  for (const std::string& path : paths)
    EXPECT_EQ(OpenBelow("root", path.c_str(), RESOLVE_BENEATH), -EXDEV) << path;
  EXPECT_EQ(OpenBelow("root", "up", RESOLVE_BENEATH, O_WRONLY | O_CREAT, 0600),
            -EXDEV);
}

TEST_P(DirectoryConformance, OpenInRootTakesTheDirectoryForTheRoot) {
  MakeDirectory("root");
  MakeFile("root/a", "hello");
  MakeLink("/a", "root/absolute");
  for (const char* path : {"/a", "../../a", "absolute", "/../a"})
    EXPECT_EQ(OpenBelow("root", path, RESOLVE_IN_ROOT), 0) << path;
}

TEST_P(DirectoryConformance, OpenWithoutSymlinksRefusesThemAnywhere) {
  MakeDirectory("root");
  MakeDirectory("root/d");
  MakeFile("root/d/a", "hello");
  MakeLink("d", "root/link");
  EXPECT_EQ(OpenBelow("root", "d/a", RESOLVE_NO_SYMLINKS), 0);
  EXPECT_EQ(OpenBelow("root", "link/a", RESOLVE_NO_SYMLINKS), -ELOOP);
}

TEST_P(DirectoryConformance, OpenChecksItsArguments) {
  MakeDirectory("root");
  MakeFile("root/a", "hello");
  EXPECT_EQ(OpenBelow("root", "a", /*resolve=*/1 << 20), -EINVAL);
  EXPECT_EQ(OpenBelow("root", "a", RESOLVE_BENEATH | RESOLVE_IN_ROOT), -EINVAL);
  EXPECT_EQ(OpenBelow("root", "a", 0, O_RDONLY, /*mode=*/0600), -EINVAL);
  EXPECT_EQ(OpenBelow("root", "missing", RESOLVE_BENEATH), -ENOENT);
  EXPECT_EQ(OpenBelow("root", "a/b", RESOLVE_BENEATH), -ENOTDIR);
}

TEST_P(DirectoryConformance, OpenedBelowIsNotInherited) {
  MakeDirectory("root");
  MakeFile("root/a", "hello");
  TestFd directory = OpenDirectory("root");
  open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_BENEATH};
  PrepareOpenAt2(op_, directory.get(), "a", how);
  TestFd file = system().Own(Run());
  ASSERT_TRUE(file.valid());
  EXPECT_TRUE(system().IsCloseOnExec(file.get()));
  EXPECT_EQ(system().Content(file.get()), "hello");
}

// --- readlink

TEST_P(DirectoryConformance, ReadLinkIsItsTarget) {
  MakeLink("anything at all", "link");
  EXPECT_EQ(ReadLink("link"), "anything at all");
  EXPECT_EQ(ReadLink("link", 8), "anything");
}

TEST_P(DirectoryConformance, ReadLinkOfOtherThingsHasItsErrno) {
  MakeFile("a", "x");
  EXPECT_EQ(ReadLink("a"), std::to_string(-EINVAL));
  EXPECT_EQ(ReadLink(""), std::to_string(-EINVAL)) << "a directory";
  EXPECT_EQ(ReadLink("missing"), std::to_string(-ENOENT));
  EXPECT_EQ(ReadLink("a/b"), std::to_string(-ENOTDIR));
}

// --- getdents

TEST_P(DirectoryConformance, EntriesHaveTheirTypes) {
  MakeDirectory("root");
  MakeFile("root/file", "x");
  MakeDirectory("root/directory");
  MakeLink("nowhere", "root/link");
  TestFd directory = OpenDirectory("root");
  EXPECT_THAT(ReadAll(directory.get()),
              UnorderedElementsAre(
                  std::pair(".", DT_DIR), std::pair("..", DT_DIR),
                  std::pair("file", DT_REG), std::pair("directory", DT_DIR),
                  std::pair("link", DT_LNK)));
  EXPECT_THAT(ReadOnce(directory.get(), 1024), IsEmpty()) << "after the end";
}

TEST_P(DirectoryConformance, SmallBuffersReadEverythingOnce) {
  MakeDirectory("root");
  for (int i = 0; i < 100; ++i) MakeFile("root/file" + std::to_string(i), "");
  TestFd directory = OpenDirectory("root");
  EXPECT_EQ(ReadAll(directory.get(), 64).size(), 102u);
}

TEST_P(DirectoryConformance, WhatIsRemovedMeanwhileHidesNothingElse) {
  MakeDirectory("root");
  for (int i = 0; i < 50; ++i) MakeFile("root/file" + std::to_string(i), "");
  TestFd directory = OpenDirectory("root");
  int n_files = 0;
  while (true) {
    const std::map<std::string, int> some = ReadOnce(directory.get(), 128);
    if (some.empty()) break;
    for (const auto& [name, type] : some) {
      if (type != DT_REG) continue;
      PrepareUnlink(op_, directory.get(), name.c_str());
      ASSERT_EQ(Run(), 0) << name;
      ++n_files;
    }
  }
  EXPECT_EQ(n_files, 50);
}

TEST_P(DirectoryConformance, SeekToTheStartReadsAgain) {
  MakeDirectory("root");
  MakeFile("root/a", "");
  TestFd directory = OpenDirectory("root");
  EXPECT_EQ(ReadAll(directory.get()).size(), 3u);
  int64_t position = -1;
  PrepareSeek(op_, directory.get(), 0, SEEK_SET, &position);
  ASSERT_EQ(Run(), 0);
  EXPECT_EQ(position, 0);
  EXPECT_EQ(ReadAll(directory.get()).size(), 3u);
}

TEST_P(DirectoryConformance, EntriesThatCannotBeReadHaveTheirErrno) {
  MakeFile("a", "x");
  TestFd file = system().Own(Open(Path("a"), O_RDONLY));
  std::array<std::byte, 1024> bytes;
  PrepareGetDents(op_, file.get(), bytes);
  EXPECT_EQ(Run(), -ENOTDIR);
  MakeDirectory("root");
  TestFd directory = OpenDirectory("root");
  PrepareGetDents(op_, directory.get(), std::span(bytes).first(8));
  EXPECT_EQ(Run(), -EINVAL);
  const std::string path = Path("root");
  PrepareRmdir(op_, AT_FDCWD, path.c_str());
  ASSERT_EQ(Run(), 0);
  PrepareGetDents(op_, directory.get(), bytes);
  EXPECT_EQ(Run(), -ENOENT) << "it was removed";
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DirectoryConformance);

}  // namespace
}  // namespace ringway::testing
