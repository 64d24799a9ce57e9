// SPDX-License-Identifier: Apache-2.0
//
// What clients of a server see of requests and responses; server_limits_test.cc
// has deadlines, ends and refusals.

#include "ringway/http/server/server.h"

#include <array>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/http/testing/http_fixture.h"

namespace ringway::http {
namespace {

using HttpServerTest = testing::HttpTest;
using testing::RawClient;
using testing::RawResponse;

Task<absl::Status> Hello(Request& /*request*/, ResponseWriter& response) {
  co_return co_await response.Send(200, "Hello, World!\n");
}

// Sends back the body, and what it was told.
Task<absl::Status> EchoBody(Request& request, ResponseWriter& response) {
  Task<absl::StatusOr<std::string>> read = request.ReadAll(1 << 20);
  const absl::StatusOr<std::string> body = co_await std::move(read);
  if (!body.ok()) co_return body.status();
  response.headers().Set("X-Method", MethodName(request.method()));
  response.headers().Set("X-Trailers", absl::StrCat(request.trailers().size()));
  co_return co_await response.Send(200, *body);
}

TEST_P(HttpServerTest, AnswersRequestsOnOneConnection) {
  Serve(Hello);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    for (int i = 0; i < 3; ++i) {
      co_await client.Say(Get("/"));
      const RawResponse response = co_await client.Next();
      EXPECT_EQ(response.code, 200);
      EXPECT_EQ(response.body, "Hello, World!\n");
      EXPECT_EQ(response.Field("Content-Length"), "14");
      EXPECT_EQ(response.Field("Content-Type"), "text/plain; charset=utf-8");
      EXPECT_EQ(response.Field("Server"), "ringway");
      EXPECT_EQ(response.Field("Connection"), std::nullopt);
      EXPECT_EQ(response.Field("Date").value_or("").size(), 29u);
    }
    co_await client.Say(Get("/", "Connection: close\r\n"));
    const RawResponse last = co_await client.Next();
    EXPECT_EQ(last.Field("Connection"), "close");
    EXPECT_TRUE(co_await client.AtEnd());
  };
  Run(main());
}

// What has ended for both sides is closed at once; a client that may have sent
// more is waited for, as it would lose the response by a reset.
TEST_P(HttpServerTest, WaitsForClientsThatHaveNotAnnouncedTheEnd) {
  ServerOptions options;
  options.max_requests = 2;
  Serve(Hello, options);
  auto main = [&]() -> Task<void> {
    const auto is_closed = [&]() -> Task<bool> {
      for (int i = 0; i < 100 && server().connections() > 0; ++i)
        (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
      co_return server().connections() == 0;
    };
    RawClient client = co_await Visit();
    co_await client.Say(Get("/", "Connection: close\r\n"));
    EXPECT_EQ((co_await client.Next()).code, 200);
    EXPECT_TRUE(co_await client.AtEnd());
    EXPECT_TRUE(co_await is_closed());

    client = co_await Visit();
    co_await client.Say("GET / HTTP/1.0\r\n\r\n");
    EXPECT_EQ((co_await client.Next()).code, 200);
    EXPECT_TRUE(co_await is_closed());

    client = co_await Visit();
    co_await client.Say(Get("/") + Get("/", "Connection: close\r\n") + "more");
    EXPECT_EQ((co_await client.Next()).code, 200);
    EXPECT_EQ((co_await client.Next()).code, 200);
    EXPECT_TRUE(co_await client.AtEnd());
    EXPECT_FALSE(co_await is_closed());

    client = co_await Visit();
    co_await client.Say(Get("/") + Get("/"));
    EXPECT_EQ((co_await client.Next()).code, 200);
    const RawResponse last = co_await client.Next();
    EXPECT_EQ(last.Field("Connection"), "close");
    EXPECT_TRUE(co_await client.AtEnd());
    EXPECT_FALSE(co_await is_closed());
  };
  Run(main());
}

TEST_P(HttpServerTest, AnswersPipelinedRequestsInTheirOrder) {
  Serve(EchoBody);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    std::string all;
    for (int i = 0; i < 20; ++i)
      all += i % 2 == 0 ? Post("/", absl::StrCat("body ", i)) : Get("/");
    co_await client.Say(all);
    for (int i = 0; i < 20; ++i) {
      const RawResponse response = co_await client.Next();
      EXPECT_EQ(response.code, 200);
      EXPECT_EQ(response.body, i % 2 == 0 ? absl::StrCat("body ", i) : "");
      EXPECT_EQ(response.Field("X-Method"), i % 2 == 0 ? "POST" : "GET");
    }
  };
  Run(main());
}

TEST_P(HttpServerTest, ARequestMayComeByteByByte) {
  Serve(EchoBody);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    const std::string request =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;name=value\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 6\r\n\r\n";
    for (const char byte : request) {
      co_await client.Say(std::string(1, byte));
      co_await net::testing::TurnTimes(1);
    }
    const RawResponse response = co_await client.Next();
    EXPECT_EQ(response.code, 200);
    EXPECT_EQ(response.body, "hello!");
    EXPECT_EQ(response.Field("X-Trailers"), "1");
  };
  Run(main());
}

TEST_P(HttpServerTest, StreamsAResponseInChunks) {
  Serve(
      [](Request& /*request*/, ResponseWriter& response) -> Task<absl::Status> {
        response.headers().Set("Content-Type", "text/event-stream");
        absl::Status sent = co_await response.Start(200);
        for (int i = 0; i < 3 && sent.ok(); ++i) {
          const std::string text = absl::StrCat("event ", i, "\n");
          sent = co_await response.Write(text);
        }
        response.trailers().Add("X-Events", "3");
        co_return sent;
      });
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    for (int i = 0; i < 2; ++i) {
      co_await client.Say(Get("/"));
      const RawResponse response = co_await client.Next();
      EXPECT_EQ(response.body, "event 0\nevent 1\nevent 2\n");
      EXPECT_EQ(response.Field("Transfer-Encoding"), "chunked");
      EXPECT_EQ(response.trailers, "X-Events: 3\r\n");
      EXPECT_TRUE(response.whole);
    }
    // HTTP/1.0 knows no chunks.
    co_await client.Say("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const RawResponse response = co_await client.Next();
    EXPECT_EQ(response.body, "event 0\nevent 1\nevent 2\n");
    EXPECT_EQ(response.Field("Transfer-Encoding"), std::nullopt);
    EXPECT_TRUE(response.whole);
  };
  Run(main());
}

TEST_P(HttpServerTest, Http10KeepsAConnectionIfItIsAsked) {
  Serve(Hello);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    RawResponse response = co_await client.Next();
    EXPECT_EQ(response.Field("Connection"), "keep-alive");
    co_await client.Say("GET / HTTP/1.0\r\n\r\n");
    response = co_await client.Next();
    EXPECT_EQ(response.Field("Connection"), "close");
    EXPECT_EQ(response.body, "Hello, World!\n");
    EXPECT_TRUE(co_await client.AtEnd());
  };
  Run(main());
}

TEST_P(HttpServerTest, HeadHasTheHeadOfGet) {
  Router router;
  router.Get("/hello", Hello);
  router.Get(
      "/stream",
      [](Request& /*request*/, ResponseWriter& response) -> Task<absl::Status> {
        absl::Status sent = co_await response.Start(200);
        if (sent.ok()) sent = co_await response.Write("not sent");
        co_return sent;
      });
  router.Get("/none", [](Request& /*request*/, ResponseWriter& response) {
    return response.Send(204);
  });
  Serve(std::move(router));
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    for (const char* path : {"/hello", "/stream", "/none"}) {
      co_await client.Say(
          absl::StrCat("HEAD ", path, " HTTP/1.1\r\nHost: a\r\n\r\n"));
      const RawResponse head = co_await client.Next(/*to_head=*/true);
      co_await client.Say(Get(path));
      const RawResponse get = co_await client.Next();
      EXPECT_EQ(head.head, get.head);
      EXPECT_TRUE(get.whole);
    }
  };
  Run(main());
}

TEST_P(HttpServerTest, SaysContinueOnceTheBodyIsWanted) {
  Serve(EchoBody);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say(
        "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        "Content-Length: 4\r\n\r\n");
    const RawResponse go_on = co_await client.Next();
    EXPECT_EQ(go_on.code, 100);
    co_await client.Say("body");
    const RawResponse response = co_await client.Next();
    EXPECT_EQ(response.code, 200);
    EXPECT_EQ(response.body, "body");
  };
  Run(main());
}

// The client may send it all the same, or not: nobody knows.
TEST_P(HttpServerTest, ABodyThatWaitsForContinueInVainEndsTheConnection) {
  Serve(Hello);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say(
        "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        "Content-Length: 4\r\n\r\n");
    const RawResponse response = co_await client.Next();
    EXPECT_EQ(response.code, 200);
    EXPECT_EQ(response.Field("Connection"), "close");
    EXPECT_TRUE(co_await client.AtEnd());
  };
  Run(main());
}

TEST_P(HttpServerTest, AnUnreadBodyIsSkippedOrEndsTheConnection) {
  Serve(Hello);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say(Post("/", std::string(50'000, 'x')) + Get("/"));
    for (int i = 0; i < 2; ++i) {
      const RawResponse response = co_await client.Next();
      EXPECT_EQ(response.code, 200);
      EXPECT_EQ(response.Field("Connection"), std::nullopt);
    }
    // The answer arrives although the rest of the body was never read.
    co_await client.Say(Post("/", std::string(300'000, 'x')));
    const RawResponse response = co_await client.Next();
    EXPECT_EQ(response.code, 200);
    EXPECT_EQ(response.Field("Connection"), "close");
    EXPECT_EQ(response.body, "Hello, World!\n");
  };
  Run(main());
}

// How long it is nobody knows, so the connection is not promised to be kept. It
// was, and closed after 64 KiB: a client could have sent its next request.
TEST_P(HttpServerTest, AnUnreadChunkedBodyEndsTheConnectionAsAnnounced) {
  Serve(Hello);
  auto main = [&]() -> Task<void> {
    static constexpr size_t kSizes[] = {1, 300'000};
    for (const size_t n : kSizes) {
      RawClient client = co_await Visit();
      const std::string request = absl::StrCat(
          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
          absl::Hex(n), "\r\n", std::string(n, 'x'), "\r\n0\r\n\r\n");
      co_await client.Say(request);
      const RawResponse response = co_await client.Next();
      EXPECT_EQ(response.code, 200);
      EXPECT_EQ(response.Field("Connection"), "close");
      EXPECT_EQ(response.body, "Hello, World!\n");
      EXPECT_TRUE(co_await client.AtEnd());
    }
  };
  Run(main());
}

TEST_P(HttpServerTest, LargeBodiesGoBothWays) {
  Serve(EchoBody);
  auto main = [&]() -> Task<void> {
    const std::string body =
        net::testing::AsString(net::testing::Pattern(700'000, 7));
    RawClient client = co_await Visit();
    JoinHandle<bool> say = Spawn(client.Say(Post("/", body)));
    const RawResponse response = co_await client.Next();
    EXPECT_TRUE(response.body == body);
    EXPECT_TRUE((co_await say).ok());
  };
  Run(main());
}

TEST_P(HttpServerTest, ErrorsOfHandlersAreStatusCodes) {
  Router router;
  router.Get("/missing", [](Request&, ResponseWriter&) -> Task<absl::Status> {
    co_return absl::NotFoundError("a secret");
  });
  router.Get("/thrown", [](Request&, ResponseWriter&) -> Task<absl::Status> {
    throw std::runtime_error("a secret");
    co_return absl::OkStatus();
  });
  router.Get("/nothing", [](Request&, ResponseWriter&) -> Task<absl::Status> {
    co_return absl::OkStatus();
  });
  router.Get("/injected",
             [](Request&, ResponseWriter& response) -> Task<absl::Status> {
               response.headers().Set("X", "a\r\nSet-Cookie: b");
               co_return co_await response.Send(200, "never");
             });
  Serve(std::move(router));
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    for (const auto& [path, code] :
         std::vector<std::pair<std::string, int>>{{"/missing", 404},
                                                  {"/thrown", 500},
                                                  {"/nothing", 500},
                                                  {"/injected", 400},
                                                  {"/elsewhere", 404}}) {
      co_await client.Say(Get(path));
      const RawResponse response = co_await client.Next();
      EXPECT_EQ(response.code, code) << path;
      EXPECT_EQ(response.body.find("secret"), std::string::npos);
      EXPECT_EQ(response.Field("Set-Cookie"), std::nullopt);
      EXPECT_TRUE(response.whole);
    }
  };
  Run(main());
}

// A response that is not whole must not look whole.
TEST_P(HttpServerTest, AHandlerThatFailsAmidItsResponseCutsIt) {
  Router router;
  router.Get("/chunks",
             [](Request&, ResponseWriter& response) -> Task<absl::Status> {
               absl::Status sent = co_await response.Start(200);
               if (sent.ok()) sent = co_await response.Write("half");
               if (!sent.ok()) co_return sent;
               co_return absl::InternalError("the other half is lost");
             });
  router.Get("/length",
             [](Request&, ResponseWriter& response) -> Task<absl::Status> {
               response.headers().Set("Content-Length", "8");
               absl::Status sent = co_await response.Start(200);
               if (sent.ok()) sent = co_await response.Write("half");
               co_return sent;
             });
  router.Get("/more",
             [](Request&, ResponseWriter& response) -> Task<absl::Status> {
               response.headers().Set("Content-Length", "4");
               absl::Status sent = co_await response.Start(200);
               if (sent.ok()) sent = co_await response.Write("too much");
               EXPECT_EQ(sent.code(), absl::StatusCode::kFailedPrecondition);
               co_return sent;
             });
  Serve(std::move(router));
  auto main = [&]() -> Task<void> {
    for (const char* path : {"/chunks", "/length", "/more"}) {
      RawClient client = co_await Visit();
      co_await client.Say(Get(path));
      const RawResponse response = co_await client.Next();
      EXPECT_EQ(response.code, 200);
      EXPECT_FALSE(response.whole) << path;
      EXPECT_TRUE(co_await client.AtEnd());
    }
  };
  Run(main());
}

TEST_P(HttpServerTest, AResponseIsGivenOnce) {
  Serve([](Request&, ResponseWriter& response) -> Task<absl::Status> {
    EXPECT_FALSE(response.started());
    absl::Status sent = co_await response.Write("before");
    EXPECT_EQ(sent.code(), absl::StatusCode::kFailedPrecondition);
    sent = co_await response.Send(199, "no status");
    EXPECT_EQ(sent.code(), absl::StatusCode::kInvalidArgument);
    sent = co_await response.Send(200, "once");
    EXPECT_TRUE(response.started());
    absl::Status again = co_await response.Send(200, "twice");
    EXPECT_EQ(again.code(), absl::StatusCode::kFailedPrecondition);
    again = co_await response.Write("twice");
    EXPECT_EQ(again.code(), absl::StatusCode::kFailedPrecondition);
    co_return sent;
  });
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    for (int i = 0; i < 2; ++i) {
      co_await client.Say(Get("/"));
      EXPECT_EQ((co_await client.Next()).body, "once");
    }
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpServerTest);

}  // namespace
}  // namespace ringway::http
