// SPDX-License-Identifier: Apache-2.0
//
// What http::Files sends for files and folders, and what it refuses.

#include "ringway/http/files/files.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/fs/path_ops.h"
#include "ringway/http/files/testing/files_fixture.h"

namespace ringway::http {
namespace {

using testing::Answer;
using testing::Fields;
using testing::ValueOf;

using FilesTest = testing::FilesTest;

TEST_P(FilesTest, SendsAFileWithItsFields) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("a b.txt", "hello");
    FilesOptions options;
    options.cache_control = "max-age=60";
    co_await Serve(options, "/files/*path");
    const Answer answer = co_await Get("/files/a%20b.txt?x=1");
    EXPECT_EQ(answer.code, 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.Field("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(answer.Field("Content-Length"), "5");
    EXPECT_EQ(answer.Field("Accept-Ranges"), "bytes");
    EXPECT_EQ(answer.Field("Cache-Control"), "max-age=60");
    EXPECT_EQ(answer.Field("X-Content-Type-Options"), "nosniff");
    EXPECT_TRUE(absl::EndsWith(answer.Field("Last-Modified"), " GMT"));
    EXPECT_TRUE(absl::StartsWith(answer.Field("ETag"), "\"5-"));
    EXPECT_EQ(answer.Field("Vary"), "none");
    co_await End();
  };
  Run(main());
}

TEST_P(FilesTest, SendsFilesOfAllSizesAndTheirHeads) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    const std::vector<size_t> sizes = {0,     1,     2048,   2049,
                                       65536, 65537, 300000, 1 << 20};
    for (const size_t size : sizes) {
      const std::string content =
          fs::testing::AsString(fs::testing::Pattern(size, 1));
      co_await Put(absl::StrCat(size), content);
    }
    // Whether contents, files or nothing is kept.
    for (int kept = 0; kept < 3; ++kept) {
      FilesOptions options;
      if (kept < 2) options.max_kept_bytes = 0;
      if (kept < 1) options.max_kept_files = 0;
      co_await Serve(options);
      for (const size_t size : sizes) {
        const std::string content =
            fs::testing::AsString(fs::testing::Pattern(size, 1));
        for (int i = 0; i < 2; ++i) {
          SCOPED_TRACE(absl::StrCat(size, " bytes, kept ", kept, ", ", i));
          const Answer get = co_await Get(absl::StrCat("/", size));
          EXPECT_EQ(get.code, 200);
          EXPECT_TRUE(get.body == content);
          const Answer head = co_await Ask("HEAD", absl::StrCat("/", size));
          EXPECT_EQ(head.head, get.head);
        }
      }
      co_await End();
    }
  };
  Run(main());
}

TEST_P(FilesTest, TakesTheWholePathWithoutARoute) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await MakeFolder("d");
    co_await Put("d/f", "deep");
    co_await Put("index.html", "front");
    co_await Serve(FilesOptions(), "/d/:name");
    // The route has no part with the name "path".
    EXPECT_EQ(co_await Brief("/d/f"), "200 deep");
    EXPECT_EQ(co_await Brief("/d/%66"), "200 deep");
    co_await End();
  };
  Run(main());
}

TEST_P(FilesTest, AnswersForFolders) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await MakeFolder("with");
    co_await Put("with/index.html", "<p>index");
    co_await MakeFolder("without");
    co_await MakeFolder("odd");
    co_await MakeFolder("odd/index.html");
    co_await Put("file", "x");
    co_await Serve(FilesOptions(), "/a/*path");
    EXPECT_EQ(co_await Brief("/a/with/"), "200 <p>index");
    EXPECT_EQ(co_await Brief("/a/without/"), "404");
    EXPECT_EQ(co_await Brief("/a/odd/"), "404");
    EXPECT_EQ(co_await Brief("/a/none/"), "404");
    EXPECT_EQ(co_await Brief("/a/file/"), "404");
    EXPECT_EQ(co_await Brief("/a/"), "404");
    const Answer answer = co_await Get("/a/with?q=1");
    EXPECT_EQ(answer.code, 301);
    EXPECT_EQ(answer.Field("Location"), "/a/with/?q=1");
    const Answer index = co_await Get("/a/with/");
    EXPECT_EQ(index.Field("Content-Type"), "text/html; charset=utf-8");
    co_await End();
  };
  Run(main());
}

TEST_P(FilesTest, RedirectsToNoOtherHost) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await MakeFolder("example.com");
    co_await Serve();
    EXPECT_EQ(co_await Brief("//example.com"), "404");
    EXPECT_EQ((co_await Get("/example.com")).Field("Location"),
              "/example.com/");
    co_await End();
  };
  Run(main());
}

TEST_P(FilesTest, ListsAFolderOnDemand) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await MakeFolder("sub");
    co_await Put("<b>&.txt", "x");
    co_await Put(".hidden", "x");
    co_await Put("a", "x");
    FilesOptions options;
    options.listing = true;
    co_await Serve(options);
    const Answer answer = co_await Get("/");
    EXPECT_EQ(answer.code, 200);
    EXPECT_EQ(answer.Field("Content-Type"), "text/html; charset=utf-8");
    const std::string list = answer.body.substr(answer.body.find("<ul>"));
    EXPECT_EQ(list,
              "<ul>\n<li><a href=\"sub/\">sub/</a></li>\n"
              "<li><a href=\"%3Cb%3E%26.txt\">&lt;b&gt;&amp;.txt</a></li>\n"
              "<li><a href=\"a\">a</a></li>\n</ul>\n</body>\n</html>\n");
    EXPECT_EQ((co_await Ask("HEAD", "/")).head, answer.head);
    EXPECT_TRUE(absl::StrContains((co_await Get("/sub/")).body, "\"../\""));
    EXPECT_EQ(co_await Brief("/none/"), "404");
    co_await End();

    options.max_listed_files = 1;
    co_await Serve(options);
    EXPECT_TRUE(absl::StrContains((co_await Get("/")).body, "more"));
    co_await End();
  };
  Run(main());
}

TEST_P(FilesTest, OtherMethodsAreNotAllowed) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("a", "x");
    co_await Serve();
    const Answer answer = co_await Ask("DELETE", "/a");
    EXPECT_EQ(answer.code, 405);
    EXPECT_EQ(answer.Field("Allow"), "GET, HEAD, OPTIONS");
    co_await End();
  };
  Run(main());
}

TEST_P(FilesTest, WithoutARootEachRequestFailsUntilThereIsOne) {
  auto main = [&]() -> Task<void> {
    co_await Serve();
    EXPECT_EQ(co_await Brief("/a"), "500");
    co_await MakeRoot();
    co_await Put("a", "x");
    EXPECT_EQ(co_await Brief("/a"), "200 x");
    co_await End();
  };
  Run(main());
}

TEST_P(FilesTest, AnswersConditionalRequests) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("a.txt", "hello");
    FilesOptions options;
    options.cache_control = "no-cache";
    co_await Serve(options);
    const Answer whole = co_await Get("/a.txt");
    const std::string tag = whole.Field("ETag");
    const Fields same = {{"If-None-Match", absl::StrCat("\"x\", W/", tag)}};
    const Answer unchanged = co_await Get("/a.txt", same);
    EXPECT_EQ(unchanged.code, 304);
    EXPECT_EQ(unchanged.Field("ETag"), tag);
    EXPECT_EQ(unchanged.Field("Cache-Control"), "no-cache");
    EXPECT_EQ(unchanged.Field("Content-Type"), "none");
    EXPECT_EQ(unchanged.Field("Content-Length"), "none");
    EXPECT_EQ((co_await Ask("HEAD", "/a.txt", same)).head, unchanged.head);
    const Fields since = {{"If-Modified-Since", whole.Field("Last-Modified")}};
    EXPECT_EQ((co_await Get("/a.txt", since)).code, 304);
    const Fields other = {{"If-Match", "\"x\""}};
    EXPECT_EQ((co_await Get("/a.txt", other)).code, 412);
    const Fields match = {{"If-Match", tag}};
    EXPECT_EQ((co_await Get("/a.txt", match)).code, 200);
    EXPECT_EQ((co_await Get("/none", match)).code, 404);
    co_await End();
  };
  Run(main());
}

TEST_P(FilesTest, OptionsOutOfRangeAreNamed) {
  const auto refused = [](auto change) {
    FilesOptions options;
    change(options);
    return std::string(CheckFilesOptions(options).message());
  };
  using O = FilesOptions;
  EXPECT_EQ(refused([](O&) {}), "");
  EXPECT_TRUE(absl::StrContains(refused([](O& o) { o.index = "a/b"; }),
                                "FilesOptions::index"));
  EXPECT_NE(refused([](O& o) { o.index = ".."; }), "");
  EXPECT_NE(refused([](O& o) { o.default_type = ""; }), "");
  EXPECT_NE(refused([](O& o) { o.cache_control = "a\r\nb"; }), "");
  EXPECT_NE(refused([](O& o) { o.gzip_level = 10; }), "");
  EXPECT_NE(refused([](O& o) { o.max_ranges = 1001; }), "");
  EXPECT_NE(refused([](O& o) { o.validity = -absl::Seconds(1); }), "");
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FilesTest);

}  // namespace
}  // namespace ringway::http
