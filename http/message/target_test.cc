// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/message/target.h"

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace ringway::http {
namespace {

// "scheme|authority|path|query", or "-" if it is refused.
std::string Parts(Method method, std::string_view text) {
  const absl::StatusOr<Target> target = ParseTarget(method, text);
  if (!target.ok()) {
    EXPECT_EQ(target.status().code(), absl::StatusCode::kInvalidArgument);
    return "-";
  }
  std::string parts(target->scheme);
  parts.append("|").append(target->authority);
  parts.append("|").append(target->path);
  parts.append("|").append(target->query);
  return parts;
}

TEST(ParseTarget, KnowsTheOriginForm) {
  EXPECT_EQ(Parts(Method::kGet, "/"), "||/|");
  EXPECT_EQ(Parts(Method::kGet, "/a/b?c/d?e"), "||/a/b|c/d?e");
  EXPECT_EQ(Parts(Method::kGet, "/?"), "||/|");
  EXPECT_EQ(Parts(Method::kGet, "//a"), "||//a|");
  EXPECT_EQ(Parts(Method::kGet, "/%c3%A9"), "||/%c3%A9|");
}

TEST(ParseTarget, KnowsTheAbsoluteForm) {
  EXPECT_EQ(Parts(Method::kGet, "http://a"), "http|a|/|");
  EXPECT_EQ(Parts(Method::kGet, "HTTPS://a:1/b?c"), "HTTPS|a:1|/b|c");
  EXPECT_EQ(Parts(Method::kGet, "http://a?c"), "http|a|/|c");
  EXPECT_EQ(Parts(Method::kGet, "http://[::1]/"), "http|[::1]|/|");
  EXPECT_EQ(Parts(Method::kOptions, "http://a"), "http|a|*|");
  EXPECT_EQ(Parts(Method::kOptions, "http://a/"), "http|a|/|");
  EXPECT_EQ(Parts(Method::kGet, "http:///a"), "-");
  EXPECT_EQ(Parts(Method::kGet, "http://u@a/"), "-");
  EXPECT_EQ(Parts(Method::kGet, "ftp://a/"), "-");
  EXPECT_EQ(Parts(Method::kGet, "http:/a"), "-");
  EXPECT_EQ(Parts(Method::kGet, "://a"), "-");
}

TEST(ParseTarget, KnowsTheAuthorityForm) {
  EXPECT_EQ(Parts(Method::kConnect, "a:443"), "|a:443||");
  EXPECT_EQ(Parts(Method::kConnect, "[::1]:443"), "|[::1]:443||");
  EXPECT_EQ(Parts(Method::kConnect, "a"), "-");
  EXPECT_EQ(Parts(Method::kConnect, "a:"), "-");
  EXPECT_EQ(Parts(Method::kConnect, ":443"), "-");
  EXPECT_EQ(Parts(Method::kConnect, "[::1]"), "-");
  EXPECT_EQ(Parts(Method::kConnect, "/"), "-");
  EXPECT_EQ(Parts(Method::kGet, "a:443"), "-");
}

TEST(ParseTarget, KnowsTheAsterisk) {
  EXPECT_EQ(Parts(Method::kOptions, "*"), "||*|");
  EXPECT_EQ(Parts(Method::kGet, "*"), "-");
  EXPECT_EQ(Parts(Method::kOptions, "**"), "-");
}

TEST(ParseTarget, RefusesWhatMustBeEncoded) {
  EXPECT_EQ(Parts(Method::kGet, ""), "-");
  EXPECT_EQ(Parts(Method::kGet, "a"), "-");
  EXPECT_EQ(Parts(Method::kGet, "?a"), "-");
  for (const char c : std::string_view(" \t\r\n\0#\"<>\\\x7f\x80\xff", 13)) {
    EXPECT_EQ(Parts(Method::kGet, std::string("/a") + c), "-") << int{c};
    EXPECT_EQ(Parts(Method::kGet, std::string("/?a") + c), "-") << int{c};
  }
  EXPECT_EQ(Parts(Method::kGet, "/%"), "-");
  EXPECT_EQ(Parts(Method::kGet, "/%1"), "-");
  EXPECT_EQ(Parts(Method::kGet, "/%g0"), "-");
  EXPECT_EQ(Parts(Method::kGet, "/%0g"), "-");
}

TEST(ParseTarget, LeavesAQueryToTheHandler) {
  EXPECT_EQ(Parts(Method::kGet, "/?100%"), "||/|100%");
  EXPECT_EQ(Parts(Method::kGet, "/?[{|}]^`"), "||/|[{|}]^`");
}

TEST(IsAuthority, IsForAHostAndPerhapsAPort) {
  for (const std::string_view good :
       {"", "a", "a.b-c_d~", "a:", "a:0", "a:65535", "1.2.3.4:80", "a%20b",
        "!$&'()*+,;=", "[::]", "[::1]:80", "[2001:db8::1:2]",
        "[::ffff:1.2.3.4]"}) {
    EXPECT_TRUE(IsAuthority(good)) << good;
  }
  for (const std::string_view bad :
       {" ",
        "a b",
        ":",
        ":80",
        "a:65536",
        "a:99999999999",
        "a:-1",
        "a:+1",
        "a:b",
        "a:1:2",
        "a/",
        "u@a",
        "a?",
        "a#",
        "a\\",
        "\xc3\xa9",
        "a%2",
        "a%zz",
        "[",
        "[]",
        "]",
        "[:",
        "[::1",
        "::1",
        "[::1]x",
        "[::1]]",
        "[::1]:x",
        "[:::]",
        "[1.2.3.4]",
        "[a]",
        "[1::2::3]",
        "[v1.a]",
        "[fe80::1%25lo]",
        "[fe80::1%lo]",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]"}) {
    EXPECT_FALSE(IsAuthority(bad)) << bad;
  }
  EXPECT_FALSE(IsAuthority(std::string_view("[::1\0]", 6)));
  EXPECT_FALSE(IsAuthority(std::string_view("a\0b", 3)));
}

TEST(PercentDecode, IsTheOppositeOfPercentEncode) {
  std::string all;
  for (int c = 1; c < 256; ++c) all.push_back(static_cast<char>(c));
  const std::string encoded = PercentEncode(all);
  for (const char c : encoded) EXPECT_TRUE(c > ' ' && c < '\x7f') << int{c};
  EXPECT_EQ(PercentDecode(encoded).value(), all);
}

TEST(PercentDecode, LeavesTheRestAsItIs) {
  EXPECT_EQ(PercentDecode("a+b/%2F%2f%C3%a9%25").value(), "a+b///\xc3\xa9%");
  EXPECT_EQ(PercentDecode("").value(), "");
}

TEST(PercentDecode, RefusesWhatIsNoByte) {
  for (const std::string_view bad : {"%", "%1", "%%", "%g1", "%1g", "a%", "%00",
                                     "a%00b", "%-1", "%+1", "% 1"}) {
    EXPECT_EQ(PercentDecode(bad).status().code(),
              absl::StatusCode::kInvalidArgument)
        << bad;
  }
}

TEST(PercentEncode, LeavesUnreservedCharacters) {
  EXPECT_EQ(PercentEncode("azAZ09-._~"), "azAZ09-._~");
  EXPECT_EQ(PercentEncode(std::string_view(" /%\0\xff", 5)), "%20%2F%25%00%FF");
}

TEST(FindInQuery, FindsTheFirstValue) {
  EXPECT_EQ(FindInQuery("a=1&b=2&a=3", "a"), "1");
  EXPECT_EQ(FindInQuery("a=1&b=2&a=3", "b"), "2");
  EXPECT_EQ(FindInQuery("a=1=2", "a"), "1=2");
  EXPECT_EQ(FindInQuery("a&b=", "a"), "");
  EXPECT_EQ(FindInQuery("a&b=", "b"), "");
  EXPECT_EQ(FindInQuery("&&a=1", "a"), "1");
  EXPECT_EQ(FindInQuery("=1", ""), "1");
}

TEST(FindInQuery, FindsNothingElse) {
  EXPECT_EQ(FindInQuery("", "a"), std::nullopt);
  EXPECT_EQ(FindInQuery("ab=1&xa=2&A=3", "a"), std::nullopt);
}

TEST(FindInQuery, Decodes) {
  EXPECT_EQ(FindInQuery("q=a+b%2Bc%26", "q"), "a b+c&");
  EXPECT_EQ(FindInQuery("a%20b=1", "a b"), "1");
  EXPECT_EQ(FindInQuery("a+b=1", "a b"), "1");
  EXPECT_EQ(FindInQuery("%=1&q=2", "q"), "2");
  EXPECT_EQ(FindInQuery("q=100%", "q"), std::nullopt);
  EXPECT_EQ(FindInQuery("q=%00", "q"), std::nullopt);
}

}  // namespace
}  // namespace ringway::http
