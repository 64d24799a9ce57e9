// SPDX-License-Identifier: Apache-2.0
//
// Files that lie beside others, compressed, and what gzip makes of them.

#include <zlib.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/fs/path_ops.h"
#include "ringway/http/files/testing/files_fixture.h"

namespace ringway::http {
namespace {

using testing::Answer;
using testing::Fields;

std::string Gunzip(const std::string& compressed) {
  z_stream stream = {};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  std::string text(8 << 20, '\0');
  std::string from = compressed;
  stream.next_in = reinterpret_cast<Bytef*>(from.data());
  stream.avail_in = static_cast<uInt>(from.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

class FilesCodingTest : public testing::FilesTest {
 protected:
  Task<Answer> GetCoded(std::string target, std::string accept) {
    Fields fields = {{"Accept-Encoding", std::move(accept)}};
    return Get(std::move(target), std::move(fields));
  }
};

TEST_P(FilesCodingTest, SendsWhatLiesBesideTheFile) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("a.js", "plain");
    co_await Put("a.js.gz", "as gzip");
    co_await Put("a.js.br", "as brotli");
    co_await Put("b.js", "b");
    FilesOptions options;
    options.precompressed = true;
    for (const bool kept : {true, false}) {
      if (!kept) options.max_kept_files = 0;
      co_await Serve(options);
      for (int i = 0; i < 2; ++i) {
        Answer answer = co_await GetCoded("/a.js", "gzip, br, zstd");
        EXPECT_EQ(answer.body, "as brotli");
        EXPECT_EQ(answer.Field("Content-Encoding"), "br");
        EXPECT_EQ(answer.Field("Vary"), "Accept-Encoding");
        EXPECT_EQ(answer.Field("Content-Type"),
                  "text/javascript; charset=utf-8");
        const std::string tag = answer.Field("ETag");
        answer = co_await GetCoded("/a.js", "zstd, gzip");
        EXPECT_EQ(answer.body, "as gzip");
        EXPECT_NE(answer.Field("ETag"), tag);
        answer = co_await GetCoded("/a.js", "zstd");
        EXPECT_EQ(answer.body, "plain");
        EXPECT_EQ(answer.Field("Content-Encoding"), "none");
        EXPECT_EQ(answer.Field("Vary"), "Accept-Encoding");
        answer = co_await Get("/a.js");
        EXPECT_EQ(answer.body, "plain");
        answer = co_await GetCoded("/b.js", "gzip");
        EXPECT_EQ(answer.body, "b");
        EXPECT_EQ(answer.Field("Vary"), "Accept-Encoding");
        // By its own name it is a file like any other.
        answer = co_await GetCoded("/a.js.gz", "gzip");
        EXPECT_EQ(answer.Field("Content-Type"), "application/gzip");
        EXPECT_EQ(answer.Field("Content-Encoding"), "none");
        // Ranges are of what is sent.
        const Fields range = {{"Accept-Encoding", "br"}, {"Range", "bytes=3-"}};
        answer = co_await Get("/a.js", range);
        EXPECT_EQ(answer.body, "brotli");
        EXPECT_EQ(answer.Field("Content-Range"), "bytes 3-8/9");
      }
      co_await End();
    }
  };
  Run(main());
}

TEST_P(FilesCodingTest, AVariantOlderThanItsFileIsNotSent) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("a.js.gz", "old");
    co_await Put("a.js", "plain");
    fs::FileTimes times;
    times.modified = absl::FromUnixMillis(1);
    const absl::Status set = co_await fs::SetTimes(Below("a.js.gz"), times);
    EXPECT_TRUE(set.ok()) << set;
    times.modified = absl::FromUnixMillis(2);
    EXPECT_TRUE((co_await fs::SetTimes(Below("a.js"), times)).ok());
    FilesOptions options;
    options.precompressed = true;
    options.validity = absl::Milliseconds(1);
    co_await Serve(options);
    EXPECT_EQ((co_await GetCoded("/a.js", "gzip")).body, "plain");
    // It is looked for again.
    co_await Put("a.js.gz", "newer");
    (co_await Sleep(absl::Milliseconds(2))).IgnoreError();
    EXPECT_EQ((co_await GetCoded("/a.js", "gzip")).body, "newer");
    co_await End();
  };
  Run(main());
}

TEST_P(FilesCodingTest, CompressesText) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    std::string text;
    for (int i = 0; text.size() < 5'000; ++i) absl::StrAppend(&text, i, "\n");
    std::string large;
    while (large.size() < 500'000) large += text;
    co_await Put("a.txt", text);
    co_await Put("large.txt", large);
    co_await Put("small.txt", "small");
    co_await Put("a.png", text);
    co_await Put("random.txt",
                 fs::testing::AsString(fs::testing::Pattern(3000, 7)));
    FilesOptions options;
    options.gzip = true;
    options.validity = absl::Hours(1);
    for (const bool kept : {true, false}) {
      if (!kept) options.max_kept_files = 0;
      co_await Serve(options);
      for (int i = 0; i < 2; ++i) {
        Answer answer = co_await GetCoded("/a.txt", "br, gzip;q=0.5");
        EXPECT_EQ(answer.Field("Content-Encoding"), "gzip");
        EXPECT_EQ(answer.Field("Vary"), "Accept-Encoding");
        EXPECT_EQ(answer.Field("Accept-Ranges"), "none");
        EXPECT_LT(answer.body.size(), text.size());
        EXPECT_TRUE(Gunzip(answer.body) == text);
        const Fields gzip = {{"Accept-Encoding", "br, gzip;q=0.5"}};
        EXPECT_EQ((co_await Ask("HEAD", "/a.txt", gzip)).head, answer.head);
        const std::string tag = answer.Field("ETag");
        answer = co_await Get("/a.txt");
        EXPECT_TRUE(answer.body == text);
        EXPECT_EQ(answer.Field("Vary"), "Accept-Encoding");
        EXPECT_EQ(tag, absl::StrCat("W/", answer.Field("ETag")));
        const Fields known = {{"Accept-Encoding", "gzip"},
                              {"If-None-Match", tag}};
        EXPECT_EQ((co_await Get("/a.txt", known)).code, 304);
        const Fields range = {{"Accept-Encoding", "gzip"},
                              {"Range", "bytes=0-1"}};
        answer = co_await Get("/a.txt", range);
        EXPECT_EQ(answer.body, "0\n");
        EXPECT_EQ(answer.Field("Content-Encoding"), "none");
        // Virtual time does not wait for the thread that compresses it.
        if (system().is_kernel()) {
          answer = co_await GetCoded("/large.txt", "gzip");
          EXPECT_TRUE(Gunzip(answer.body) == large);
        }
        for (const char* path : {"/small.txt", "/a.png", "/random.txt"}) {
          answer = co_await GetCoded(path, "gzip");
          EXPECT_EQ(answer.Field("Content-Encoding"), "none") << path;
        }
      }
      co_await End();
    }
  };
  Run(main());
}

TEST_P(FilesCodingTest, CompressesAFileOnce) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    const std::string text(10'000, 'x');
    co_await Put("a.txt", text);
    FilesOptions options;
    options.gzip = true;
    options.validity = absl::Hours(1);
    co_await Serve(options);
    Answer answer = co_await GetCoded("/a.txt", "gzip");
    EXPECT_TRUE(Gunzip(answer.body) == text);
    // Then it is not read again.
    EXPECT_TRUE(
        (co_await fs::File::Open(Below("a.txt"), fs::OpenOptions::ForWriting()))
            .ok());
    answer = co_await GetCoded("/a.txt", "gzip");
    EXPECT_TRUE(Gunzip(answer.body) == text);
    co_await End();
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FilesCodingTest);

}  // namespace
}  // namespace ringway::http
