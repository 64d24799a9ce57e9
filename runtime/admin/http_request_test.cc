// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/admin/http_request.h"

#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace ringway::internal {
namespace {

// The code of a request with these lines.
int CodeOf(const std::vector<std::string_view>& lines,
           HttpRequest* parsed = nullptr) {
  HttpRequest request;
  int code = request.AddRequestLine(lines[0]);
  for (size_t i = 1; i < lines.size() && code == 0; ++i)
    code = request.AddHeaderLine(lines[i]);
  if (code == 0) code = request.EndHeader();
  if (parsed != nullptr) *parsed = request;
  return code;
}

int CodeOfLine(std::string_view line) { return CodeOf({line, "Host: a"}); }

TEST(HttpRequest, HasMethodAndPath) {
  HttpRequest request;
  EXPECT_EQ(CodeOf({"GET /metrics?name=a HTTP/1.1", "Host: a"}, &request), 0);
  EXPECT_EQ(request.method(), "GET");
  EXPECT_EQ(request.path(), "/metrics");
  EXPECT_TRUE(request.keeps_alive());
}

TEST(HttpRequest, TakesThePathOfAWholeUri) {
  const auto path_of = [](std::string_view target) {
    HttpRequest request;
    EXPECT_EQ(CodeOf({absl::StrCat("GET ", target, " HTTP/1.1"), "Host: a"},
                     &request),
              0)
        << target;
    return request.path();
  };
  EXPECT_EQ(path_of("http://a:90/tasks?x"), "/tasks");
  EXPECT_EQ(path_of("HTTP://a"), "/");
  EXPECT_EQ(path_of("http://a?x/y"), "/");
  EXPECT_EQ(path_of("/?"), "/");
  EXPECT_EQ(path_of("*"), "*");
}

TEST(HttpRequest, RefusesMalformedRequestLines) {
  for (const std::string_view line :
       {"GET", "GET /", " / HTTP/1.1", "GET  HTTP/1.1", "GET / HTTP/1.1 ",
        "GET / HTTP/1,1", "GET / http/1.1", "GET / HTTP/11.1", "GET / HTTP/1.",
        "GET /a b HTTP/1.1", "G(T / HTTP/1.1", "GET a HTTP/1.1",
        "GET /\x01 HTTP/1.1", "GET /\xC3\xA4 HTTP/1.1", "GET\t/ HTTP/1.1",
        "\x16\x03\x01\x02 / HTTP/1.1"}) {
    EXPECT_EQ(CodeOfLine(line), 400) << line;
  }
  EXPECT_EQ(CodeOfLine("PRI * HTTP/2.0"), 505);
}

TEST(HttpRequest, RefusesMalformedHeaders) {
  for (const std::string_view line :
       {"no colon", ": a", "Name : a", " folded: a", "Na\tme: a", "a: b\rc",
        "Content-Length: -1", "Content-Length: 1x",
        "Content-Length:", "Content-Length: 1, 1"}) {
    EXPECT_EQ(CodeOf({"GET / HTTP/1.1", "Host: a", line}), 400) << line;
  }
  EXPECT_EQ(
      CodeOf({"GET / HTTP/1.1", "Host: a", std::string_view("a: b\0c", 6)}),
      400);
  EXPECT_EQ(CodeOf({"GET / HTTP/1.1", "Host: a", "A:", "B:\t x \xFF "}), 0);
}

// RFC 9112, 3.2.
TEST(HttpRequest, HasOneHost) {
  EXPECT_EQ(CodeOf({"GET / HTTP/1.1"}), 400);
  EXPECT_EQ(CodeOf({"GET / HTTP/1.1", "host:"}), 0);
  EXPECT_EQ(CodeOf({"GET / HTTP/1.1", "Host: a", "HOST: a"}), 400);
  EXPECT_EQ(CodeOf({"GET / HTTP/1.0"}), 0);
  EXPECT_EQ(CodeOf({"GET / HTTP/1.0", "Host: a", "Host: b"}), 400);
}

bool KeepsAlive(std::string_view line, std::string_view header) {
  HttpRequest request;
  EXPECT_EQ(CodeOf({line, "Host: a", header}, &request), 0) << header;
  return request.keeps_alive();
}

TEST(HttpRequest, ClosesWhenTheClientDoes) {
  EXPECT_FALSE(KeepsAlive("GET / HTTP/1.1", "Connection: close"));
  EXPECT_FALSE(KeepsAlive("GET / HTTP/1.1", "connection: x ,\tCLOSE"));
  EXPECT_TRUE(KeepsAlive("GET / HTTP/1.1", "Connection: closed, x"));
  EXPECT_TRUE(KeepsAlive("GET / HTTP/1.2", "Connection: keep-alive"));
  EXPECT_FALSE(KeepsAlive("GET / HTTP/1.0", "Connection: keep-alive"));
}

// What follows would be taken for a request.
TEST(HttpRequest, ClosesAfterABody) {
  EXPECT_FALSE(KeepsAlive("GET / HTTP/1.1", "Content-Length: 5"));
  EXPECT_FALSE(
      KeepsAlive("GET / HTTP/1.1", "Content-Length: 99999999999999999999"));
  EXPECT_FALSE(KeepsAlive("GET / HTTP/1.1", "Transfer-Encoding: chunked"));
  EXPECT_TRUE(KeepsAlive("GET / HTTP/1.1", "Content-Length: 00"));
}

}  // namespace
}  // namespace ringway::internal
