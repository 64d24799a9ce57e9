// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/folder_listing.h"

#include "gtest/gtest.h"

namespace ringway::http::internal {
namespace {

TEST(FolderListing, IsSortedAndEscaped) {
  const std::string page = ListingPage(
      "/a&b/",
      {{"z.txt"}, {"<script>\"'&.html"}, {"sub", true}, {"javascript:x"}},
      /*has_parent=*/true, /*complete=*/true);
  EXPECT_EQ(page,
            "<!DOCTYPE html>\n<html>\n"
            "<head><meta charset=\"utf-8\"><title>/a&amp;b/</title></head>\n"
            "<body>\n<h1>/a&amp;b/</h1>\n<ul>\n"
            "<li><a href=\"../\">../</a></li>\n"
            "<li><a href=\"sub/\">sub/</a></li>\n"
            "<li><a href=\"%3Cscript%3E%22%27%26.html\">"
            "&lt;script&gt;&quot;&#39;&amp;.html</a></li>\n"
            "<li><a href=\"javascript%3Ax\">javascript:x</a></li>\n"
            "<li><a href=\"z.txt\">z.txt</a></li>\n"
            "</ul>\n</body>\n</html>\n");
}

TEST(FolderListing, TellsThatThereAreMore) {
  const std::string page = ListingPage("/", {{"a"}}, /*has_parent=*/false,
                                       /*complete=*/false);
  EXPECT_NE(page.find("<p>There are more.</p>"), std::string::npos);
  EXPECT_EQ(page.find(".."), std::string::npos);
}

}  // namespace
}  // namespace ringway::http::internal
