// SPDX-License-Identifier: Apache-2.0
//
// Another thread exchanges a directory with a symbolic link that leads out,
// again and again: a name that is checked and then used, or followed once more,
// comes outside sooner or later. Only the kernel has threads.

#include <fcntl.h>
#include <stdio.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/directory/directory.h"
#include "ringway/fs/directory/remove_all.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::FsTest;
using testing::ValueOf;

// Exchanges two names during its lifetime, as fast as it can.
class Exchanger {
 public:
  Exchanger(std::string a, std::string b)
      : thread_([this, a = std::move(a), b = std::move(b)] {
          while (!stop_) {
            if (renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(),
                          RENAME_EXCHANGE) == 0) {
              ++n_exchanges_;
            }
          }
        }) {}
  ~Exchanger() {
    stop_ = true;
    thread_.join();
  }
  int n_exchanges() const { return n_exchanges_; }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<int> n_exchanges_{0};
  std::thread thread_;
};

void WriteText(const std::string& path, const char* text) {
  std::ofstream(path) << text;
}

std::string TextOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class DirectoryRaceTest : public FsTest {
 protected:
  void SetUp() override {
    FsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    RINGWAY_REQUIRES_KERNEL("threads");
    std::filesystem::create_directories(PathOf("outside/below"));
    WriteText(PathOf("outside/file"), "outside");
    WriteText(PathOf("outside/below/file"), "outside");
  }

  void TearDown() override {
    if (!IsSkipped()) ExpectOutsideUntouched();
    FsTest::TearDown();
  }

  void ExpectOutsideUntouched() {
    EXPECT_EQ(TextOf(PathOf("outside/file")), "outside");
    EXPECT_EQ(TextOf(PathOf("outside/below/file")), "outside");
    size_t n = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(PathOf("outside"))) {
      ++n;
      EXPECT_NE(entry.path().filename(), "new");
    }
    EXPECT_EQ(n, 3u);
  }

  static void ExpectRefused(const absl::Status& status) {
    const int errnum = ErrnoOf(status);
    EXPECT_TRUE(status.ok() || errnum == EXDEV || errnum == ENOENT ||
                errnum == EAGAIN)
        << status;
  }
};

TEST_P(DirectoryRaceTest, NothingOutsideIsOpenedMadeOrRemoved) {
  constexpr int kRounds = 3'500;  // of three operations each
  std::filesystem::create_directories(PathOf("root/d"));
  WriteText(PathOf("root/d/file"), "inside");
  std::filesystem::create_symlink("../outside", PathOf("root/link"));
  int n_opened = 0, n_refused = 0, n_led_out = 0;
  auto main = [&]() -> Task<void> {
    Task<absl::StatusOr<Directory>> open = Directory::Open(PathOf("root"));
    Directory root = ValueOf(co_await std::move(open));
    const Exchanger exchanger(PathOf("root/d"), PathOf("root/link"));
    std::vector<std::byte> buffer(100);
    for (int i = 0; i < kRounds; ++i) {
      // A plain path, to see that the link is there often enough.
      absl::StatusOr<File> plain = co_await File::Open(PathOf("root/d/file"));
      if (plain.ok()) {
        const size_t n = ValueOf(co_await plain->Read(buffer));
        if (AsString(buffer).substr(0, n) == "outside") ++n_led_out;
      }
      absl::StatusOr<File> file = co_await root.OpenFile("d/file");
      ExpectRefused(file.status());
      if (file.ok()) {
        ++n_opened;
        const size_t n = ValueOf(co_await file->Read(buffer));
        EXPECT_EQ(AsString(buffer).substr(0, n), "inside");
      } else {
        ++n_refused;
      }
      Task<absl::StatusOr<File>> make =
          root.OpenFile("d/new", OpenOptions::ForWriting());
      absl::StatusOr<File> made = co_await std::move(make);
      ExpectRefused(made.status());
      if (made.ok()) {
        EXPECT_TRUE((co_await made->WriteAll(Bytes("x"))).ok());
      }
      ExpectRefused(co_await root.RemoveFile("d/new"));
    }
    EXPECT_GT(exchanger.n_exchanges(), 100);
  };
  Run(main());
  EXPECT_GT(n_opened, 0);
  EXPECT_GT(n_refused, 0);
  EXPECT_GT(n_led_out, 10) << "the link is hardly ever there";
}

TEST_P(DirectoryRaceTest, NothingOutsideIsRemovedWithATree) {
  constexpr int kRounds = 400;  // of ten removals each
  auto main = [&]() -> Task<void> {
    for (int i = 0; i < kRounds; ++i) {
      const std::string top = PathOf("top");
      std::filesystem::create_directories(top + "/d/below");
      for (const char* name : {"/d/file", "/d/below/file", "/file"})
        WriteText(top + name, "inside");
      std::filesystem::create_symlink("../outside", top + "/link");
      std::filesystem::create_symlink("../../outside", top + "/d/link");
      const Exchanger outer(top + "/d", top + "/link");
      Task<absl::Status> remove = RemoveAll(top);
      const absl::Status removed = co_await std::move(remove);
      EXPECT_TRUE(removed.ok()) << removed;
      EXPECT_FALSE(std::filesystem::exists(top));
    }
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DirectoryRaceTest);

}  // namespace
}  // namespace ringway::fs
