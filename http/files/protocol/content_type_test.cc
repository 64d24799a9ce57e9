// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/content_type.h"

#include "gtest/gtest.h"

namespace ringway::http::internal {
namespace {

TEST(ContentType, IsKnownByTheExtension) {
  struct Row {
    std::string_view path;
    std::string_view type;
    bool compressible;
  };
  const Row rows[] = {
      {"index.html", "text/html; charset=utf-8", true},
      {"a/b.c/INDEX.HTML", "text/html; charset=utf-8", true},
      {"app.js", "text/javascript; charset=utf-8", true},
      {"app.min.css", "text/css; charset=utf-8", true},
      {"data.json", "application/json", true},
      {"x.svg", "image/svg+xml", true},
      {"x.png", "image/png", false},
      {"x.7z", "application/x-7z-compressed", false},
      {"x.zst", "application/zstd", false},
      {"x.woff2", "font/woff2", false},
      {"x.webmanifest", "application/manifest+json", true},
      {"x.tar.gz", "application/gzip", false},
  };
  for (const Row& row : rows) {
    const ContentType type = ContentTypeOf(row.path, "other");
    EXPECT_EQ(type.value, row.type) << row.path;
    EXPECT_EQ(type.compressible, row.compressible) << row.path;
  }
}

TEST(ContentType, IsTheOtherOneForWhatIsUnknown) {
  for (const std::string_view path :
       {"", "README", "x.", "x.unknown", ".html", "a/.zip", "html", "a.html/b",
        "x.averylongextensionindeed", "x.htm\xff"}) {
    const ContentType type = ContentTypeOf(path, "other");
    EXPECT_EQ(type.value, "other") << path;
    EXPECT_FALSE(type.compressible) << path;
  }
}

}  // namespace
}  // namespace ringway::http::internal
