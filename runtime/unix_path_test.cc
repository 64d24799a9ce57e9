// SPDX-License-Identifier: Apache-2.0
//
// The path of a Unix socket is removed by the runtime that listens on it, and
// by no other.

#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/net/testing/kernel_peer.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

class UnixPathTest : public RuntimeTest {
 protected:
  UnixPathTest() : path_(directory_.PathOf("s")) {}

  std::unique_ptr<Runtime> LaunchOnPath(int workers = 1) {
    Runtime::Builder builder = OneWorker();
    builder.Workers(workers).Listen(absl::StrCat("unix:", path_), Echo);
    return Launch(builder);
  }
  bool IsThere() const { return access(path_.c_str(), F_OK) == 0; }

  net::testing::ShortDirectory directory_;
  const std::string path_;
};

TEST_F(UnixPathTest, IsRemovedAtTheEnd) {
  for (const int workers : {1, 3}) {
    std::unique_ptr<Runtime> runtime = LaunchOnPath(workers);
    EXPECT_TRUE(IsThere());
    runtime->Shutdown();
    runtime->Wait();
    EXPECT_FALSE(IsThere());
  }
}

TEST_F(UnixPathTest, IsRemovedByTheDestructor) {
  LaunchOnPath().reset();
  EXPECT_FALSE(IsThere());
}

TEST_F(UnixPathTest, IsRemovedByALaunchThatFails) {
  Runtime::Builder builder = OneWorker();
  builder.Listen(absl::StrCat("unix:", path_), Echo)
      .Listen("192.0.2.1:1", Echo);
  EXPECT_FALSE(builder.Launch().ok());
  EXPECT_FALSE(IsThere());
}

TEST_F(UnixPathTest, OfAnotherServerStays) {
  std::unique_ptr<Runtime> first = LaunchOnPath();
  ASSERT_EQ(unlink(path_.c_str()), 0);  // by a clean-up script
  std::unique_ptr<Runtime> second = LaunchOnPath();
  first.reset();
  EXPECT_TRUE(IsThere());
  EXPECT_EQ(Ask(ConnectTo(second->addresses()[0]).get(), "x"), "x");
}

}  // namespace
}  // namespace ringway
