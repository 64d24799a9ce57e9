// SPDX-License-Identifier: Apache-2.0
//
// What a power failure leaves of changes that were not made durable: exactly
// what the model allows, each of it with some seed.

#include <fcntl.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/sim/environment/environment.h"
#include "ringway/backends/sim/files/file_store.h"
#include "ringway/backends/sim/files/open_file.h"

namespace ringway::sim {
namespace {

using ::testing::UnorderedElementsAre;

struct Disk {
  std::shared_ptr<OpenFile> Open(std::string_view path, int flags) {
    std::shared_ptr<OpenFile> file;
    EXPECT_EQ(files.Open({nullptr, path}, flags, 0600, &file), 0) << path;
    return file;
  }
  static void Write(OpenFile& file, std::string_view text, int64_t offset) {
    Buffers from(const_cast<char*>(text.data()), text.size());
    EXPECT_EQ(file.Write(from, offset), static_cast<int64_t>(text.size()));
  }
  std::shared_ptr<OpenFile> Create(std::string_view path,
                                   std::string_view content) {
    auto file = Open(path, O_RDWR | O_CREAT);
    Write(*file, content, 0);
    return file;
  }
  void MakeSafe(std::string_view path) {
    EXPECT_EQ(Open(path, O_RDONLY)->Sync(), 0);
  }
  void CreateSafe(std::string_view path, std::string_view content) {
    EXPECT_EQ(Create(path, content)->Sync(), 0);
    MakeSafe("/");
  }
  void Move(std::string_view from, std::string_view to) {
    EXPECT_EQ(files.Rename({nullptr, from}, {nullptr, to}, 0), 0);
  }
  std::string Content(OpenFile& file) {
    std::string content(file.inode()->content.size(), '\0');
    Buffers to(content.data(), content.size());
    EXPECT_EQ(file.Read(to, 0), static_cast<int64_t>(content.size()));
    return content;
  }
  // Those of the paths that exist, with their contents.
  std::string Look(std::initializer_list<const char*> paths) {
    std::string found;
    for (const char* path : paths) {
      struct statx status;
      if (files.Stat({nullptr, path}, 0, &status) != 0) continue;
      absl::StrAppend(&found, path, "=", Content(*Open(path, O_RDONLY)), " ");
    }
    return found;
  }

  explicit Disk(uint64_t seed) : environment(seed) {}

  Environment environment;
  FileStore files{environment};
};

// What `look` finds after crashes with many seeds, each after `prepare`.
std::set<std::string> Outcomes(const std::function<void(Disk&)>& prepare,
                               const std::function<std::string(Disk&)>& look) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    Disk disk(seed);
    prepare(disk);
    disk.files.Crash(seed);
    outcomes.insert(look(disk));
  }
  return outcomes;
}

// The sectors of `content` that consist of one letter, by that letter; '?' for
// one of several.
std::string Sectors(const std::string& content) {
  std::string letters;
  for (size_t i = 0; i < content.size(); i += FileContent::kSectorBytes) {
    const std::string sector = content.substr(i, FileContent::kSectorBytes);
    const bool whole = sector.find_first_not_of(sector[0]) == sector.npos;
    letters += whole ? (sector[0] == '\0' ? '0' : sector[0]) : '?';
  }
  return letters;
}

TEST(Crash, EachSectorOfAWriteIsThereOrNot) {
  const std::set<std::string> outcomes = Outcomes(
      [](Disk& at) {
        at.CreateSafe("/file", std::string(1'536, 'a'));
        at.Write(*at.Open("/file", O_RDWR), std::string(1'536, 'b'), 0);
      },
      [](Disk& at) {
        return Sectors(at.Content(*at.Open("/file", O_RDONLY)));
      });
  EXPECT_THAT(outcomes, UnorderedElementsAre("aaa", "aab", "aba", "abb", "baa",
                                             "bab", "bba", "bbb"));
}

TEST(Crash, AnyOfSeveralWritesOfASectorMayBeTheLast) {
  const std::set<std::string> outcomes = Outcomes(
      [](Disk& at) {
        at.CreateSafe("/file", "a");
        auto file = at.Open("/file", O_RDWR);
        for (const char* text : {"b", "c"}) at.Write(*file, text, 0);
      },
      [](Disk& at) { return at.Content(*at.Open("/file", O_RDONLY)); });
  EXPECT_THAT(outcomes, UnorderedElementsAre("a", "b", "c"));
}

TEST(Crash, AFileThatGrewHasItsBytesOrZerosOrNeither) {
  const std::set<std::string> outcomes = Outcomes(
      [](Disk& at) {
        at.CreateSafe("/file", std::string(512, 'a'));
        at.Write(*at.Open("/file", O_RDWR), std::string(1'024, 'b'), 512);
      },
      [](Disk& at) {
        return Sectors(at.Content(*at.Open("/file", O_RDONLY)));
      });
  EXPECT_THAT(outcomes,
              UnorderedElementsAre("a", "ab", "a0b", "ab0", "a00", "abb"));
}

TEST(Crash, ATruncateMayBeUndone) {
  const std::set<std::string> outcomes = Outcomes(
      [](Disk& at) {
        at.CreateSafe("/file", "abcd");
        EXPECT_EQ(at.Open("/file", O_RDWR)->Truncate(2), 0);
      },
      [](Disk& at) { return at.Content(*at.Open("/file", O_RDONLY)); });
  EXPECT_THAT(outcomes, UnorderedElementsAre("ab", "abcd"));
}

TEST(Crash, WhatIsSyncedIsThereWithItsSize) {
  const std::set<std::string> outcomes = Outcomes(
      [](Disk& at) {
        at.CreateSafe("/file", "");
        auto file = at.Open("/file", O_RDWR);
        at.Write(*file, std::string(9'000, 'a'), 0);
        file->Truncate(8'000);
        EXPECT_EQ(file->Sync(), 0);
        auto durable = at.Open("/file", O_RDWR | O_DSYNC);
        at.Write(*durable, std::string(1'000, 'b'), 8'000);
      },
      [](Disk& at) { return at.Content(*at.Open("/file", O_RDONLY)); });
  EXPECT_THAT(outcomes, UnorderedElementsAre(std::string(8'000, 'a') +
                                             std::string(1'000, 'b')));
}

TEST(Crash, ANewNameIsThereOrNotUntilItsDirectoryIsSynced) {
  for (const bool synced : {false, true}) {
    const std::set<std::string> outcomes = Outcomes(
        [&](Disk& at) {
          EXPECT_EQ(at.Create("/a", "1")->Sync(), 0);
          EXPECT_EQ(at.Create("/b", "2")->Sync(), 0);
          if (synced) at.MakeSafe("/");
        },
        [](Disk& at) {
          return at.Look({"/a", "/b"});
        });
    if (synced) {
      EXPECT_THAT(outcomes, UnorderedElementsAre("/a=1 /b=2 "));
    } else {
      EXPECT_THAT(outcomes,
                  UnorderedElementsAre("", "/a=1 ", "/b=2 ", "/a=1 /b=2 "));
    }
  }
}

TEST(Crash, ARenameShowsTheOldOrTheNewButNeverNeither) {
  const std::set<std::string> outcomes = Outcomes(
      [](Disk& at) {
        at.CreateSafe("/to", "old");
        EXPECT_EQ(at.Create("/from", "new")->Sync(), 0);
        at.Move("/from", "/to");
      },
      [](Disk& at) {
        return at.Look({"/from", "/to"});
      });
  EXPECT_THAT(outcomes, UnorderedElementsAre("/to=old ", "/from=new /to=old ",
                                             "/to=new "));
}

TEST(Crash, AnOperationComesWithThoseBeforeItOnItsNames) {
  const std::set<std::string> outcomes = Outcomes(
      [](Disk& at) {
        at.CreateSafe("/a", "x");
        at.Move("/a", "/b");
        at.Move("/b", "/c");
      },
      [](Disk& at) {
        return at.Look({"/a", "/b", "/c"});
      });
  EXPECT_THAT(outcomes, UnorderedElementsAre("/a=x ", "/b=x ", "/c=x "));
}

TEST(Crash, ARenameIsDurableWithEitherDirectory) {
  for (const char* synced : {"/one", "/other"}) {
    const std::set<std::string> outcomes = Outcomes(
        [&](Disk& at) {
          for (const char* path : {"/one", "/other"})
            EXPECT_EQ(at.files.MakeDirectory({nullptr, path}, 0700), 0);
          EXPECT_EQ(at.Create("/one/a", "x")->Sync(), 0);
          for (const char* path : {"/", "/one", "/other"}) at.MakeSafe(path);
          at.Move("/one/a", "/other/a");
          at.MakeSafe(synced);
        },
        [](Disk& at) {
          return at.Look({"/one/a", "/other/a"});
        });
    EXPECT_THAT(outcomes, UnorderedElementsAre("/other/a=x ")) << synced;
  }
}

TEST(Crash, AnUnlinkMayBeUndone) {
  const std::set<std::string> outcomes = Outcomes(
      [](Disk& at) {
        at.CreateSafe("/a", "x");
        EXPECT_EQ(at.files.Unlink({nullptr, "/a"}, 0), 0);
      },
      [](Disk& at) { return at.Look({"/a"}); });
  EXPECT_THAT(outcomes, UnorderedElementsAre("", "/a=x "));
}

TEST(Crash, LeavesTheSameWithTheSameSeed) {
  const auto once = [](uint64_t seed) {
    Disk disk(1);
    for (const char* path : {"/a", "/b", "/c", "/d", "/e", "/f"})
      disk.Create(path, std::string(10'000, path[1]));
    disk.files.Crash(seed);
    return disk.Look({"/a", "/b", "/c", "/d", "/e", "/f"});
  };
  EXPECT_EQ(once(7), once(7));
  EXPECT_NE(once(7), once(8));
}

TEST(Crash, DirectoriesThatHaveMovedAreWhereTheyAre) {
  const std::set<std::string> outcomes = Outcomes(
      [](Disk& at) {
        for (const char* path : {"/a", "/b"}) {
          EXPECT_EQ(at.files.MakeDirectory({nullptr, path}, 0700), 0);
        }
        at.Create("/a/../mark", "root")->Sync();
        for (const char* path : {"/", "/a", "/b"}) at.MakeSafe(path);
        at.Move("/a", "/b/a");
      },
      [](Disk& at) {
        return at.Look({"/a/../mark", "/b/a/../../mark"});
      });
  EXPECT_THAT(outcomes, UnorderedElementsAre("/a/../mark=root ",
                                             "/b/a/../../mark=root "));
}

}  // namespace
}  // namespace ringway::sim
