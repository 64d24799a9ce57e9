// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/message/url.h"

#include <string_view>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace ringway::http {
namespace {

TEST(Url, HasItsParts) {
  const Url url = *ParseUrl("HTTPS://Example.ORG:8443/a/b?c=d#part");
  EXPECT_TRUE(url.secure);
  EXPECT_EQ(url.host, "example.org");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.authority, "example.org:8443");
  EXPECT_EQ(url.target, "/a/b?c=d");
  EXPECT_EQ(url.ToString(), "https://example.org:8443/a/b?c=d");
}

TEST(Url, LeavesTheDefaultPortOut) {
  for (const std::string_view text :
       {"http://a", "http://a/", "http://a:80/", "http://a:/", "http://a#x"}) {
    const Url url = *ParseUrl(text);
    EXPECT_EQ(url.port, 80) << text;
    EXPECT_EQ(url.ToString(), "http://a/") << text;
  }
  EXPECT_EQ(ParseUrl("https://a:80/")->authority, "a:80");
  EXPECT_EQ(ParseUrl("https://a:443/")->authority, "a");
  EXPECT_EQ(ParseUrl("http://a?b=/c")->target, "/?b=/c");
}

TEST(Url, HasAnAddressWithoutBrackets) {
  const Url url = *ParseUrl("http://[::1]:8080/x");
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, 8080);
  EXPECT_EQ(url.authority, "[::1]:8080");
  EXPECT_EQ(ParseUrl("http://[::1]")->authority, "[::1]");
}

TEST(Url, RefusesWhatIsNone) {
  for (const std::string_view text : {"",
                                      "a",
                                      "/a",
                                      "http:",
                                      "http:/a",
                                      "http://",
                                      "http:///a",
                                      "ftp://a/",
                                      "http://a b/",
                                      "http://a/b c",
                                      "http://a/\r\nX: y",
                                      "http://u@a/",
                                      "http://u:p@a/",
                                      "http://a:x/",
                                      "http://a:65536/",
                                      "http://a:0/",
                                      "http://[::1/",
                                      "http://[::g]/",
                                      "http://a/%zz",
                                      "http://:80/",
                                      "javascript:alert(1)",
                                      "http://a\\b/",
                                      "http://a/\xc3\xa4"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseUrl(text).status())) << text;
  }
}

TEST(Url, ResolvesReferences) {
  // RFC 3986, section 5.4, as far as it is about http.
  const Url base = *ParseUrl("http://a/b/c/d;p?q");
  struct Case {
    std::string_view reference;
    std::string_view url;
  };
  for (const Case& c : {
           Case{"g", "http://a/b/c/g"},
           Case{"./g", "http://a/b/c/g"},
           Case{"g/", "http://a/b/c/g/"},
           Case{"/g", "http://a/g"},
           Case{"//g", "http://g/"},
           Case{"?y", "http://a/b/c/d;p?y"},
           Case{"g?y", "http://a/b/c/g?y"},
           Case{"#s", "http://a/b/c/d;p?q"},
           Case{"g#s", "http://a/b/c/g"},
           Case{"g?y#s", "http://a/b/c/g?y"},
           Case{";x", "http://a/b/c/;x"},
           Case{"g;x", "http://a/b/c/g;x"},
           Case{"", "http://a/b/c/d;p?q"},
           Case{".", "http://a/b/c/"},
           Case{"./", "http://a/b/c/"},
           Case{"..", "http://a/b/"},
           Case{"../", "http://a/b/"},
           Case{"../g", "http://a/b/g"},
           Case{"../..", "http://a/"},
           Case{"../../", "http://a/"},
           Case{"../../g", "http://a/g"},
           Case{"../../../g", "http://a/g"},
           Case{"../../../../g", "http://a/g"},
           Case{"/./g", "http://a/g"},
           Case{"/../g", "http://a/g"},
           Case{"g.", "http://a/b/c/g."},
           Case{".g", "http://a/b/c/.g"},
           Case{"g..", "http://a/b/c/g.."},
           Case{"..g", "http://a/b/c/..g"},
           Case{"./../g", "http://a/b/g"},
           Case{"./g/.", "http://a/b/c/g/"},
           Case{"g/./h", "http://a/b/c/g/h"},
           Case{"g/../h", "http://a/b/c/h"},
           Case{"g?y/../x", "http://a/b/c/g?y/../x"},
           Case{"https://x:1/y", "https://x:1/y"},
       }) {
    const absl::StatusOr<Url> url = ResolveUrl(base, c.reference);
    ASSERT_TRUE(url.ok()) << c.reference << url.status();
    EXPECT_EQ(url->ToString(), c.url) << c.reference;
  }
  EXPECT_EQ(ResolveUrl(*ParseUrl("https://a:1/"), "//b/c")->ToString(),
            "https://b/c");
}

TEST(Url, RefusesReferencesThatLeadNowhere) {
  const Url base = *ParseUrl("http://a/b");
  for (const std::string_view reference :
       {"mailto:x@y", "javascript:alert(1)", "ftp://a/", "//", "//u@a/", "a b",
        "a\r\nX: y"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ResolveUrl(base, reference).status()))
        << reference;
  }
}

}  // namespace
}  // namespace ringway::http
