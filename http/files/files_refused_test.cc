// SPDX-License-Identifier: Apache-2.0
//
// What must not be served: whatever is outside of the folder, or no regular
// file.

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/core/unique_fd.h"
#include "ringway/fs/path_ops.h"
#include "ringway/http/files/testing/files_fixture.h"

namespace ringway::http {
namespace {

using testing::Answer;
using testing::ValueOf;

class FilesRefusedTest : public testing::FilesTest {
 protected:
  // The folder, with links, and beside it secrets.
  Task<void> MakeTree() {
    co_await MakeRoot();
    co_await MakeFolder("d");
    co_await Put("file", "public");
    co_await Put("d/file", "public, too");
    co_await Put(".hidden", "secret");
    EXPECT_TRUE((co_await fs::MakeDirectory(PathOf("outside"))).ok());
    const std::string secret = "outside/secret";
    co_await Make(secret, "secret");
    co_await Link("..", "up");
    co_await Link("../outside", "out");
    co_await Link("../outside/secret", "secret");
    co_await Link(PathOf("outside"), "absolute");
    co_await Link(Below("file"), "absolute-inside");
    co_await Link("../../outside/secret", "d/secret");
    co_await Link("file", "inside");
    co_await Link("d/../file", "around");
    co_await Link("d", "folder");
    co_await Link("nothing", "dangling");
    co_await Link("loop", "loop");
    co_await Link("/proc/self/root", "proc");
    co_await Link("/etc", "etc");
  }
};

// Percent-encoded once more by the route, or not; as file, folder and listing.
TEST_P(FilesRefusedTest, NothingOutsideOfTheFolderIsServed) {
  constexpr std::string_view kAttempts[] = {
      "/../outside/secret",
      "/./../outside/secret",
      "/d/../../outside/secret",
      "/d/../file",
      "/./file",
      "/%2e%2e/outside/secret",
      "/%2E%2E/outside/secret",
      "/.%2e/outside/secret",
      "/%2e./outside/secret",
      "/%2e%2e%2foutside%2fsecret",
      "/..%2foutside/secret",
      "/..%2Foutside/secret",
      "/d%2f..%2f..%2foutside/secret",
      "/d%2ffile",
      "/%252e%252e/outside/secret",
      "/..%252foutside/secret",
      "/..%5coutside/secret",
      "/%5c..%5coutside%5csecret",
      "/..%c0%afoutside/secret",
      "/%c0%ae%c0%ae/outside/secret",
      "/..;/outside/secret",
      "/....//outside/secret",
      "/.../outside/secret",
      "//etc/passwd",
      "///etc/passwd",
      "/%2fetc/passwd",
      "/%2Fetc%2Fpasswd",
      "/d//file",
      "/d/%2e/file",
      "/file%00",
      "/file%00.html",
      "/%00/../outside/secret",
      "/file%0a",
      "/up/outside/secret",
      "/up/",
      "/up",
      "/out/secret",
      "/out/",
      "/secret",
      "/absolute/secret",
      "/absolute-inside",
      "/d/secret",
      "/folder/secret",
      "/folder/../../outside/secret",
      "/proc/etc/passwd",
      "/etc/passwd",
      "/loop",
      "/dangling",
      "/.hidden",
      "/d/..",
      "/..",
      "/../",
      "/file/../../outside/secret",
      "http://a/../outside/secret",
      "http://a/%2e%2e/outside/secret",
      "/\\..\\outside\\secret",
      "../outside/secret",
      "/%u002e%u002e/outside/secret",
      "/%zz",
  };
  auto main = [&]() -> Task<void> {
    co_await MakeTree();
    for (const bool listing : {false, true}) {
      FilesOptions options;
      options.listing = listing;
      for (const std::string_view attempt : kAttempts) {
        co_await Serve(options);
        const Answer answer = co_await Get(std::string(attempt));
        EXPECT_TRUE(answer.code == 404 || answer.code == 400)
            << attempt << ": " << answer.code;
        EXPECT_FALSE(absl::StrContains(answer.body, "secret")) << attempt;
        co_await End();
      }
    }
  };
  Run(main());
}

TEST_P(FilesRefusedTest, LinksThatStayInsideAreFollowed) {
  auto main = [&]() -> Task<void> {
    co_await MakeTree();
    FilesOptions options;
    options.hidden = true;
    co_await Serve(options);
    EXPECT_EQ(co_await Brief("/inside"), "200 public");
    EXPECT_EQ(co_await Brief("/around"), "200 public");
    EXPECT_EQ(co_await Brief("/folder/file"), "200 public, too");
    EXPECT_EQ(co_await Brief("/folder"), "301");
    EXPECT_EQ(co_await Brief("/.hidden"), "200 secret");
    EXPECT_EQ(co_await Brief("/..hidden"), "404");
    EXPECT_EQ(co_await Brief("/.."), "404");
    co_await End();
  };
  Run(main());
}

TEST_P(FilesRefusedTest, ALongNameIsNotThere) {
  auto main = [&]() -> Task<void> {
    co_await MakeTree();
    co_await Serve();
    EXPECT_EQ(co_await Brief(absl::StrCat("/", std::string(300, 'x'))), "404");
    std::string deep;
    for (int i = 0; i < 2500; ++i) deep += "/d";
    EXPECT_EQ(co_await Brief(deep), "404");
    co_await End();
  };
  Run(main());
}

// An open of a FIFO waits for a writer.
TEST_P(FilesRefusedTest, WhatIsNoRegularFileIsNotThere) {
  RINGWAY_REQUIRES_KERNEL("FIFOs");
  auto main = [&]() -> Task<void> {
    co_await MakeTree();
    EXPECT_EQ(mkfifo(Below("fifo").c_str(), 0666), 0);
    co_await MakeFolder("e");
    EXPECT_EQ(mkfifo(Below("e/index.html").c_str(), 0666), 0);
    const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const std::string path = Below("socket");
    const bool fits = path.size() < sizeof(address.sun_path);
    if (fits) {
      path.copy(address.sun_path, path.size());
      EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address),
                     sizeof(address)),
                0);
    }
    FilesOptions options;
    options.precompressed = true;
    co_await Put("text.txt", "text");
    EXPECT_EQ(mkfifo(Below("text.txt.gz").c_str(), 0666), 0);
    co_await Serve(options);
    EXPECT_EQ(co_await Brief("/fifo"), "404");
    EXPECT_EQ(co_await Brief("/e/"), "404");
    if (fits) {
      EXPECT_EQ(co_await Brief("/socket"), "404");
    }
    const testing::Fields gzip = {{"Accept-Encoding", "gzip"}};
    EXPECT_EQ((co_await Get("/text.txt", gzip)).body, "text");
    // Where devices can be made.
    if (mknod(Below("zero").c_str(), S_IFCHR | 0666, makedev(1, 5)) == 0) {
      EXPECT_EQ(co_await Brief("/zero"), "404");
    }
    co_await End();
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FilesRefusedTest);

}  // namespace
}  // namespace ringway::http
