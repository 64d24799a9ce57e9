// SPDX-License-Identifier: Apache-2.0
//
// FsTest: tasks with files on every backend. FsEndTest: what is left of them
// when their executor ends.

#ifndef RINGWAY_FS_TESTING_FS_FIXTURE_H_
#define RINGWAY_FS_TESTING_FS_FIXTURE_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/fs/file.h"
#include "ringway/net/testing/net_fixture.h"  // IWYU pragma: export

namespace ringway::fs::testing {

using net::testing::AsString;
using net::testing::Bytes;
using net::testing::Pattern;
using net::testing::ValueOf;

// Fails a test that leaves an fd open.
class FsTest : public net::testing::NetTest {
 protected:
  using net::testing::NetTest::NetTest;

  // Makes the file `name` in the test's directory and returns its path.
  Task<std::string> Make(std::string_view name, std::string_view content) {
    const std::string path = PathOf(name);
    File file = ValueOf(co_await File::Open(path, OpenOptions::ForWriting()));
    const absl::Status written = co_await file.WriteAll(Bytes(content));
    EXPECT_TRUE(written.ok()) << written;
    EXPECT_TRUE((co_await file.Close()).ok());
    co_return path;
  }

  static Task<std::string> ContentOf(std::string path) {
    File file = ValueOf(co_await File::Open(path));
    std::string content;
    std::vector<std::byte> buffer(64 * 1024);
    while (true) {
      const size_t n = ValueOf(co_await file.Read(buffer));
      if (n == 0) co_return content;
      content += AsString(std::span(buffer).first(n));
    }
  }
};

// Executors that end without grace: frames are destroyed where they wait.
class FsEndTest : public FsTest {
 protected:
  FsEndTest() : FsTest(NoGrace()) {}

  // Ends an executor after no turn of the task that `make` makes, after one,
  // and so on, and expects that no fd is left.
  template <typename Make>
  void EndAfterEachTurn(Make make) {
    const size_t before = OpenFds();
    for (int n_turns = 0; n_turns < 12; ++n_turns) {
      Run(Begin(make, n_turns));
      DestroyExecutor();
      MakeExecutor();
      EXPECT_EQ(OpenFds(), before) << "after " << n_turns << " turns";
    }
  }

 private:
  static ExecutorOptions NoGrace() {
    ExecutorOptions options;
    options.shutdown_grace = absl::ZeroDuration();
    return options;
  }
  template <typename Make>
  static Task<void> Begin(Make& make, int n_turns) {
    Spawn(make()).Detach();
    co_await net::testing::TurnTimes(n_turns);
  }
};

}  // namespace ringway::fs::testing

#endif  // RINGWAY_FS_TESTING_FS_FIXTURE_H_
