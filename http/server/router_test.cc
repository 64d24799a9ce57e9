// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/router.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/http/http1/request_head.h"
#include "ringway/http/message/target.h"
#include "ringway/http/server/exchange.h"

namespace ringway::http {
namespace {

// Keeps what is sent as a whole.
class SentExchange final : public internal::Exchange {
 public:
  Task<absl::StatusOr<size_t>> ReadBody(std::span<std::byte>) override {
    co_return 0;
  }
  const Headers& trailers() const override { return trailers_; }
  const net::SocketAddress& peer() override { return peer_; }
  bool is_secure() const override { return false; }

  Task<absl::Status> Send(int status_code, const Headers& headers,
                          std::string_view body) override {
    sent = absl::StrCat(status_code, " ", body);
    if (headers.Has("Allow"))
      absl::StrAppend(&sent, "[", *headers.Find("Allow"), "]");
    co_return absl::OkStatus();
  }
  Task<absl::Status> SendFile(int, const Headers&, int, int64_t,
                              uint64_t) override {
    co_return absl::UnimplementedError("");
  }
  Task<absl::Status> Start(int, const Headers&) override {
    co_return absl::UnimplementedError("");
  }
  Task<absl::Status> Write(std::span<const std::byte>) override {
    co_return absl::UnimplementedError("");
  }
  Task<absl::Status> Finish(const Headers&) override {
    co_return absl::UnimplementedError("");
  }
  Task<absl::Status> SendInformational(int, const Headers&) override {
    co_return absl::UnimplementedError("");
  }
  Task<absl::StatusOr<Tunnel*>> Upgrade(std::string_view,
                                        const Headers&) override {
    co_return absl::UnimplementedError("");
  }

  std::string sent;

 private:
  Headers trailers_;
  net::SocketAddress peer_;
};

// Answers with its name, and the parameters x, y and rest.
Handler Named(std::string name) {
  return [name = std::move(name)](
             Request& request, ResponseWriter& response) -> Task<absl::Status> {
    std::string text = name;
    for (const std::string_view param : {"x", "y", "rest"}) {
      if (!request.Param(param).empty())
        absl::StrAppend(&text, " ", param, "=", request.Param(param));
    }
    co_return co_await response.Send(200, text);
  };
}

class RouterTest : public TaskTest {
 protected:
  std::string Ask(Method method, std::string_view target) {
    SentExchange exchange;
    RequestHead head;
    head.method = method;
    head.target_text = target;
    head.target = ParseTarget(method, head.target_text).value();
    Request request(head, exchange);
    ResponseWriter response(exchange);
    const absl::Status served =
        executor().Run(router_.Serve(request, response));
    EXPECT_TRUE(served.ok()) << served;
    return exchange.sent;
  }
  std::string Get(std::string_view target) { return Ask(Method::kGet, target); }

  Router router_;
};

TEST_F(RouterTest, ComparesLiteralPaths) {
  router_.Get("/", Named("root")).Get("/a/b", Named("ab"));
  EXPECT_EQ(Get("/"), "200 root");
  EXPECT_EQ(Get("/?x=1"), "200 root");
  EXPECT_EQ(Get("/a/b"), "200 ab");
  for (const char* other :
       {"/a", "/a/b/", "/a//b", "//", "/A/b", "/a/b/c", "/%61/b"}) {
    EXPECT_EQ(Get(other), "404 Not Found\n") << other;
  }
}

TEST_F(RouterTest, DecodesNamedSegments) {
  router_.Get("/users/:x/posts/:y", Named("post"));
  EXPECT_EQ(Get("/users/1/posts/2"), "200 post x=1 y=2");
  EXPECT_EQ(Get("/users/a%20b%2Fc/posts/%c3%a9"),
            "200 post x=a b/c y=\xc3\xa9");
  EXPECT_EQ(Get("/users//posts/2"), "404 Not Found\n");
  EXPECT_EQ(Get("/users/1/posts/"), "404 Not Found\n");
  EXPECT_EQ(Get("/users/1/posts/2/3"), "404 Not Found\n");
}

TEST_F(RouterTest, RefusesAnEncodedNulInAParameter) {
  router_.Get("/:x", Named("one")).Get("/all/*rest", Named("all"));
  EXPECT_EQ(Get("/a%00b"), "404 Not Found\n");
  EXPECT_EQ(Get("/all/a%00b"), "404 Not Found\n");
}

TEST_F(RouterTest, TakesTheRestOfAPath) {
  router_.Get("/files/*rest", Named("file"));
  EXPECT_EQ(Get("/files/a/b//c%2Fd"), "200 file rest=a/b//c/d");
  EXPECT_EQ(Get("/files/"), "200 file");
  EXPECT_EQ(Get("/files"), "404 Not Found\n");
}

TEST_F(RouterTest, PrefersTheLongestLiteralBeginning) {
  router_.Get("/*rest", Named("any"))
      .Get("/a/:x", Named("one"))
      .Get("/a/*rest", Named("all"))
      .Get("/a/b", Named("literal"))
      .Get("/:x/b", Named("second"));
  EXPECT_EQ(Get("/a/b"), "200 literal");
  EXPECT_EQ(Get("/a/c"), "200 one x=c");
  EXPECT_EQ(Get("/a/c/d"), "200 all rest=c/d");
  EXPECT_EQ(Get("/z/b"), "200 second x=z");
  EXPECT_EQ(Get("/z"), "200 any rest=z");
}

TEST_F(RouterTest, TriesWhatIsLessExact) {
  router_.Get("/a/b/c", Named("abc"))
      .Get("/a/:x/d", Named("named"))
      .Get("/:x/:y/e", Named("both"))
      .Get("/*rest", Named("any"));
  EXPECT_EQ(Get("/a/b/c"), "200 abc");
  EXPECT_EQ(Get("/a/b/d"), "200 named x=b");
  EXPECT_EQ(Get("/a/b/e"), "200 both x=a y=b");
  EXPECT_EQ(Get("/a/b/f"), "200 any rest=a/b/f");
}

TEST_F(RouterTest, SendsHeadToTheHandlerOfGet) {
  router_.Get("/a", Named("get"));
  EXPECT_EQ(Ask(Method::kHead, "/a"), "200 get");
  router_.Add(Method::kHead, "/a", Named("head"));
  EXPECT_EQ(Ask(Method::kHead, "/a"), "200 head");
}

TEST_F(RouterTest, SaysWhichMethodsAPathHas) {
  router_.Get("/a", Named("get")).Post("/a", Named("post"));
  router_.Delete("/b/:x", Named("delete"));
  EXPECT_EQ(Ask(Method::kPost, "/a"), "200 post");
  EXPECT_EQ(Ask(Method::kPut, "/a"),
            "405 Method Not Allowed\n[GET, HEAD, POST, OPTIONS]");
  EXPECT_EQ(Ask(Method::kOptions, "/a"), "204 [GET, HEAD, POST, OPTIONS]");
  EXPECT_EQ(Ask(Method::kHead, "/b/1"),
            "405 Method Not Allowed\n[DELETE, OPTIONS]");
  EXPECT_EQ(Ask(Method::kOptions, "/c"), "404 Not Found\n");
}

// RFC 9110, section 9.3.7: a ping of the server.
TEST_F(RouterTest, AnswersOptionsOfTheServer) {
  router_.Get("/a", Named("get"));
  EXPECT_EQ(Ask(Method::kOptions, "*"), "204 ");
  EXPECT_EQ(Ask(Method::kOptions, "http://a"), "204 ");
}

TEST_F(RouterTest, ReplacesARoute) {
  router_.Get("/a/:x", Named("old")).Get("/a/:x", Named("new"));
  EXPECT_EQ(Get("/a/1"), "200 new x=1");
}

TEST_F(RouterTest, MatchesTheAbsoluteForm) {
  router_.Get("/a/:x", Named("a"));
  EXPECT_EQ(Get("http://host/a/1?b"), "200 a x=1");
}

TEST(RouterDeathTest, TakesNoMalformedPattern) {
  Router router;
  for (const char* bad : {"", "a", "/:", "/a/:/b", "/*", "/*a/b"})
    EXPECT_DEATH(router.Get(bad, Named("x")), "the route") << bad;
}

}  // namespace
}  // namespace ringway::http
