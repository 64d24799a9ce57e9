// SPDX-License-Identifier: Apache-2.0
//
// Ranges of files, and files that change while they are sent.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/fs/file.h"
#include "ringway/http/files/testing/files_fixture.h"

namespace ringway::http {
namespace {

using testing::Answer;
using testing::Fields;
using testing::ValueOf;

class FilesRangeTest : public testing::FilesTest {
 protected:
  Task<Answer> GetRange(std::string target, std::string range) {
    Fields fields = {{"Range", std::move(range)}};
    return Get(std::move(target), std::move(fields));
  }
  // Cuts a file off, or extends it by zeros.
  Task<void> Resize(std::string name, int64_t n_bytes) {
    const std::string path = Below(name);
    fs::File file =
        ValueOf(co_await fs::File::Open(path, fs::OpenOptions::ForUpdating()));
    EXPECT_TRUE((co_await file.Truncate(n_bytes)).ok());
  }
};

TEST_P(FilesRangeTest, SendsWhatIsAskedFor) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    std::string content;
    for (int i = 0; content.size() < 200'000; ++i)
      absl::StrAppend(&content, i, " ");
    co_await Put("f", content);
    co_await Put("small", "0123456789");
    for (const bool kept : {true, false}) {
      FilesOptions options;
      if (!kept) options.max_kept_bytes = options.max_kept_files = 0;
      co_await Serve(options);
      Answer answer = co_await GetRange("/small", "bytes=2-4");
      EXPECT_EQ(answer.code, 206);
      EXPECT_EQ(answer.body, "234");
      EXPECT_EQ(answer.Field("Content-Range"), "bytes 2-4/10");
      EXPECT_EQ(answer.Field("Content-Length"), "3");
      answer = co_await GetRange("/f", "bytes=100-149999");
      EXPECT_EQ(answer.code, 206);
      EXPECT_TRUE(answer.body == content.substr(100, 149'900));
      answer = co_await GetRange("/f", "bytes=-5");
      EXPECT_EQ(answer.body, content.substr(content.size() - 5));
      answer = co_await GetRange("/small", "bytes=10-");
      EXPECT_EQ(answer.code, 416);
      EXPECT_EQ(answer.Field("Content-Range"), "bytes */10");
      answer = co_await GetRange("/small", "bytes=5-2");
      EXPECT_EQ(answer.code, 200);
      EXPECT_EQ(answer.body, "0123456789");
      co_await End();
    }
  };
  Run(main());
}

TEST_P(FilesRangeTest, SendsSeveralAsMultipart) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    const std::string content =
        fs::testing::AsString(fs::testing::Pattern(500'000, 3));
    co_await Put("f.png", content);
    co_await Serve();
    const Answer answer =
        co_await GetRange("/f.png", "bytes=0-1,-2,1000-200999,300000-300000");
    EXPECT_EQ(answer.code, 206);
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.Field("Content-Range"), "none");
    const std::string type = answer.Field("Content-Type");
    constexpr std::string_view kType = "multipart/byteranges; boundary=";
    EXPECT_TRUE(absl::StartsWith(type, kType)) << type;
    const std::string line = absl::StrCat("\r\n--", type.substr(kType.size()));
    const auto part = [&](size_t offset, size_t n) {
      return absl::StrCat(line, "\r\nContent-Type: image/png\r\n",
                          "Content-Range: bytes ", offset, "-", offset + n - 1,
                          "/500000\r\n\r\n", content.substr(offset, n));
    };
    EXPECT_TRUE(answer.body == part(0, 2) + part(499'998, 2) +
                                   part(1000, 200'000) + part(300'000, 1) +
                                   line + "--\r\n");
    // The connection is still in step.
    EXPECT_EQ((co_await GetRange("/f.png", "bytes=0-0")).code, 206);
    co_await End();
  };
  Run(main());
}

TEST_P(FilesRangeTest, SendsTheWholeForTooManyAndForHead) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("f", std::string(5000, 'x'));
    FilesOptions options;
    options.max_ranges = 2;
    co_await Serve(options);
    EXPECT_EQ((co_await GetRange("/f", "bytes=0-0,1000-,9-9")).code, 200);
    const Fields range = {{"Range", "bytes=0-0"}};
    EXPECT_EQ((co_await Ask("HEAD", "/f", range)).code, 200);
    const Fields twice = {{"Range", "bytes=0-0"}, {"Range", "bytes=1-1"}};
    EXPECT_EQ((co_await Get("/f", twice)).code, 200);
    co_await End();
  };
  Run(main());
}

TEST_P(FilesRangeTest, IfRangeSendsTheWholeOfAnotherVersion) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("f", "0123456789");
    co_await Serve();
    const std::string tag = (co_await Get("/f")).Field("ETag");
    const Fields same = {{"Range", "bytes=0-0"}, {"If-Range", tag}};
    EXPECT_EQ((co_await Get("/f", same)).code, 206);
    const Fields other = {{"Range", "bytes=0-0"}, {"If-Range", "\"x\""}};
    const Answer whole = co_await Get("/f", other);
    EXPECT_EQ(whole.code, 200);
    EXPECT_EQ(whole.body, "0123456789");
    // Conditions go first.
    const Fields known = {{"Range", "bytes=0-0"}, {"If-None-Match", tag}};
    EXPECT_EQ((co_await Get("/f", known)).code, 304);
    co_await End();
  };
  Run(main());
}

TEST_P(FilesRangeTest, OfAnEmptyFileThereIsNone) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("f", "");
    co_await Serve();
    const Answer answer = co_await GetRange("/f", "bytes=0-");
    EXPECT_EQ(answer.code, 416);
    EXPECT_EQ(answer.Field("Content-Range"), "bytes */0");
    EXPECT_EQ((co_await GetRange("/f", "bytes=-5")).code, 200);
    co_await End();
  };
  Run(main());
}

TEST_P(FilesRangeTest, BeyondFourGiB) {
  RINGWAY_REQUIRES_KERNEL("sparse files");
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("f", "");
    constexpr int64_t kSize = int64_t{5} << 30;
    co_await Resize("f", kSize - 3);
    const int fd = open(Below("f").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    EXPECT_EQ(write(fd, "end", 3), 3);
    close(fd);
    co_await Serve();
    const Answer head = co_await Ask("HEAD", "/f");
    EXPECT_EQ(head.Field("Content-Length"), "5368709120");
    Answer answer = co_await GetRange("/f", "bytes=5368709117-");
    EXPECT_EQ(answer.body, "end");
    EXPECT_EQ(answer.Field("Content-Range"),
              "bytes 5368709117-5368709119/5368709120");
    answer = co_await GetRange("/f", "bytes=-200000");
    EXPECT_EQ(answer.body.size(), 200'000u);
    EXPECT_TRUE(absl::EndsWith(answer.body, std::string("\0end", 4)));
    answer = co_await GetRange("/f", "bytes=4294967295-4294967296,-3");
    EXPECT_TRUE(absl::StrContains(answer.body,
                                  std::string_view("\r\n\r\n\0\0\r\n--", 10)));
    EXPECT_TRUE(absl::StrContains(answer.body, "\r\n\r\nend\r\n--"));
    answer = co_await GetRange("/f", "bytes=5368709120-");
    EXPECT_EQ(answer.code, 416);
    co_await End();
  };
  Run(main());
}

// What is not sent any more, a client must not take for the end.
TEST_P(FilesRangeTest, AFileThatShrinksWhileItIsSentCutsTheConnection) {
  RINGWAY_REQUIRES_KERNEL("buffers of sockets");
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("f", "");
    co_await Resize("f", 64 << 20);  // more than sockets buffer
    co_await Serve();
    const std::string request = "GET /f HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_TRUE((co_await client().Write(fs::testing::Bytes(request))).ok());
    EXPECT_TRUE(co_await Fill());
    co_await Resize("f", 100);
    const Answer answer = co_await Receive(/*head_only=*/false);
    EXPECT_EQ(answer.code, 200);
    EXPECT_FALSE(answer.whole);
    co_await End();
  };
  Run(main());
}

TEST_P(FilesRangeTest, AKeptFileThatHasShrunkIsUnavailable) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("f", "0123456789");
    FilesOptions options;
    options.max_kept_bytes = 0;
    options.validity = absl::Hours(1);
    co_await Serve(options);
    EXPECT_EQ(co_await Brief("/f"), "200 0123456789");
    co_await Resize("f", 4);
    EXPECT_EQ(co_await Brief("/f"), "503");
    EXPECT_EQ((co_await GetRange("/f", "bytes=0-3")).body, "0123");
    co_await End();
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FilesRangeTest);

}  // namespace
}  // namespace ringway::http
