// SPDX-License-Identifier: Apache-2.0
//
// Limits, deadlines and ends of an http::Server.

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/event.h"
#include "ringway/http/server/server.h"
#include "ringway/http/testing/http_fixture.h"

namespace ringway::http {
namespace {

using HttpServerLimitsTest = testing::HttpTest;
using testing::RawClient;
using testing::RawResponse;

constexpr absl::Duration kSoon = absl::Milliseconds(150);

Task<absl::Status> Hello(Request& /*request*/, ResponseWriter& response) {
  co_return co_await response.Send(200, "hello");
}

Task<absl::Status> ReadBody(Request& request, ResponseWriter& response) {
  Task<absl::StatusOr<std::string>> read = request.ReadAll(1'000);
  const absl::StatusOr<std::string> body = co_await std::move(read);
  if (!body.ok()) co_return body.status();
  co_return co_await response.Send(200, *body);
}

ServerOptions Impatient() {
  ServerOptions options;
  options.head_timeout = kSoon;
  options.idle_timeout = kSoon;
  options.body_timeout = kSoon;
  options.write_timeout = kSoon;
  options.request_timeout = kSoon;
  options.goodbye_timeout = kSoon;
  options.drain_idle_time = kSoon;
  return options;
}

TEST_P(HttpServerLimitsTest, AHeadThatDoesNotEndIsAnsweredAndEnded) {
  Serve(Hello, Impatient());
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say("GET / HTTP/1.1\r\nHost: a\r\n");
    const RawResponse response = co_await client.Next();
    EXPECT_EQ(response.code, 408);
    EXPECT_EQ(response.Field("Connection"), "close");
    EXPECT_TRUE(co_await client.AtEnd());
  };
  Run(main());
}

// Slow-loris: each byte is progress, the head is not.
TEST_P(HttpServerLimitsTest, AHeadHasOneDeadlineForAllOfIt) {
  Serve(Hello, Impatient());
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    const MonotonicTime begun = loop().now();
    auto drip = [&]() -> Task<void> {
      co_await client.Say("GET / HTTP/1.1\r\nX: ");
      for (int i = 0; i < 100; ++i) {
        co_await client.Say("x");
        (co_await Sleep(absl::Milliseconds(20))).IgnoreError();
      }
    };
    JoinHandle<void> dripping = Spawn(drip());
    const RawResponse response = co_await client.Next();
    EXPECT_EQ(response.code, 408);
    EXPECT_LT(loop().now() - begun, absl::Seconds(1.5));
    dripping.Cancel();
    (co_await dripping).IgnoreError();
  };
  Run(main());
}

TEST_P(HttpServerLimitsTest, AnIdleConnectionIsClosed) {
  ServerOptions options = Impatient();
  options.head_timeout = absl::Seconds(30);
  Serve(Hello, options);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say(Get("/"));
    EXPECT_EQ((co_await client.Next()).code, 200);
    EXPECT_TRUE(co_await client.AtEnd());
  };
  Run(main());
}

TEST_P(HttpServerLimitsTest, ABodyThatDoesNotComeIs408) {
  Serve(ReadBody, Impatient());
  auto main = [&]() -> Task<void> {
    for (const char* framing :
         {"Content-Length: 10", "Transfer-Encoding: chunked"}) {
      RawClient client = co_await Visit();
      co_await client.Say(
          absl::StrCat("POST / HTTP/1.1\r\nHost: a\r\n", framing, "\r\n\r\n"));
      const RawResponse response = co_await client.Next();
      EXPECT_EQ(response.code, 408);
      EXPECT_TRUE(co_await client.AtEnd());
    }
  };
  Run(main());
}

TEST_P(HttpServerLimitsTest, AHandlerThatTakesTooLongIs503) {
  Event never;
  Serve(
      [&](Request&, ResponseWriter&) -> Task<absl::Status> {
        co_return co_await never.Wait();
      },
      Impatient());
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say(Get("/"));
    const RawResponse response = co_await client.Next();
    EXPECT_EQ(response.code, 503);
    EXPECT_EQ(response.Field("Connection"), "close");
    EXPECT_TRUE(co_await client.AtEnd());
  };
  Run(main());
}

// A download or events, to a client that reads.
TEST_P(HttpServerLimitsTest, AResponseThatHasBegunMayTakeItsTime) {
  Serve(
      [](Request& request, ResponseWriter& response) -> Task<absl::Status> {
        (co_await Sleep(absl::Milliseconds(100))).IgnoreError();
        absl::Status status = co_await response.Start(200);
        for (int i = 0; status.ok() && i < 6; ++i) {
          (co_await Sleep(absl::Milliseconds(60))).IgnoreError();
          status = co_await response.Write("x");
        }
        EXPECT_TRUE(status.ok()) << status;
        co_return status;
      },
      Impatient());
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    for (int i = 0; i < 2; ++i) {
      co_await client.Say(Get("/"));
      const RawResponse response = co_await client.Next();
      EXPECT_TRUE(response.whole);
      EXPECT_EQ(response.body, "xxxxxx");
    }
  };
  Run(main());
}

TEST_P(HttpServerLimitsTest, AResponseThatTakesTooLongIsCut) {
  Event never;
  ServerOptions options;
  options.response_timeout = kSoon;
  Serve(
      [&](Request&, ResponseWriter& response) -> Task<absl::Status> {
        (co_await Sleep(2 * kSoon)).IgnoreError();
        const absl::Status begun = co_await response.Start(200);
        if (!begun.ok()) co_return begun;
        co_return co_await never.Wait();
      },
      options);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say(Get("/"));
    const RawResponse response = co_await client.Next();
    EXPECT_EQ(response.code, 200);
    EXPECT_FALSE(response.whole);
  };
  Run(main());
}

TEST_P(HttpServerLimitsTest, AClientThatDoesNotReadIsCut) {
  absl::Status sent;
  Event ended;
  ServerOptions options = Impatient();
  options.request_timeout = absl::Seconds(30);
  Serve(
      [&](Request&, ResponseWriter& response) -> Task<absl::Status> {
        const std::string much(64 << 20, 'x');
        sent = co_await response.Send(200, much);
        ended.Set();
        co_return sent;
      },
      options);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say(Get("/"));
    EXPECT_TRUE((co_await ended.Wait()).ok());
    EXPECT_EQ(sent.code(), absl::StatusCode::kDeadlineExceeded) << sent;
  };
  Run(main());
}

TEST_P(HttpServerLimitsTest, LargeHeadsAndBodiesHaveTheirStatus) {
  ServerOptions options;
  options.max_body_bytes = 2'000;
  Serve(ReadBody, options);
  auto main = [&]() -> Task<void> {
    const std::vector<std::pair<std::string, int>> requests = {
        {Get("/" + std::string(9'000, 'x')), 414},
        {Get("/", absl::StrCat("X: ", std::string(40'000, 'x'), "\r\n")), 431},
        {Post("/", std::string(1'001, 'x')), 413},  // the handler's limit
        {Post("/", std::string(2'001, 'x')), 413},  // the server's
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
         "800\r\n" +
             std::string(2'048, 'x') + "\r\n0\r\n\r\n",
         413},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505}};
    for (const auto& [request, code] : requests) {
      RawClient client = co_await Visit();
      co_await client.Say(request);
      const RawResponse response = co_await client.Next();
      EXPECT_EQ(response.code, code) << request.substr(0, 60);
    }
  };
  Run(main());
}

// The method of the request before it was still there, and its response to
// HEAD had no body, for which the client waited.
TEST_P(HttpServerLimitsTest, ARefusalAfterHeadHasItsBody) {
  Serve(Hello);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ((co_await client.Next(/*to_head=*/true)).code, 200);
    co_await client.Say("nonsense\r\n\r\n");
    const RawResponse response = co_await client.Next();
    EXPECT_EQ(response.code, 501);
    EXPECT_EQ(response.body, "Not Implemented");
    EXPECT_TRUE(co_await client.AtEnd());
  };
  Run(main());
}

TEST_P(HttpServerLimitsTest, AConnectionHasAMostOfRequests) {
  ServerOptions options;
  options.max_requests = 3;
  Serve(Hello, options);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    for (int i = 1; i <= 3; ++i) {
      co_await client.Say(Get("/"));
      const RawResponse response = co_await client.Next();
      EXPECT_EQ(response.Field("Connection").has_value(), i == 3);
    }
    EXPECT_TRUE(co_await client.AtEnd());
  };
  Run(main());
}

// By its end, by a reset, and with a request that was pipelined before.
TEST_P(HttpServerLimitsTest, AHandlerIsCancelledWhenItsClientGoes) {
  Event never;
  int n_cancelled = 0;
  Serve([&](Request&, ResponseWriter&) -> Task<absl::Status> {
    absl::Status waited = co_await never.Wait();
    n_cancelled += absl::IsCancelled(waited) ? 1 : 0;
    co_return waited;
  });
  auto main = [&]() -> Task<void> {
    for (int i = 1; i <= 3; ++i) {
      RawClient client = co_await Visit();
      co_await client.Say(i == 3 ? Get("/") + Get("/2") : Get("/"));
      (co_await Sleep(absl::Milliseconds(20))).IgnoreError();
      if (i == 2) {
        client.stream().Reset();
      } else {
        EXPECT_TRUE((co_await client.stream().Close()).ok());
      }
      for (int turn = 0; turn < 5'000 && n_cancelled < i; ++turn)
        (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
      EXPECT_EQ(n_cancelled, i);
    }
  };
  Run(main());
}

// The server looked once, 50 ms after the begin, and not at all if the body had
// not come by then.
TEST_P(HttpServerLimitsTest, AHandlerIsCancelledThatHadToWaitForItsBody) {
  Event never;
  bool cancelled = false;
  Serve([&](Request& request, ResponseWriter&) -> Task<absl::Status> {
    Task<absl::StatusOr<std::string>> read = request.ReadAll(1'000);
    const absl::StatusOr<std::string> body = co_await std::move(read);
    if (!body.ok()) co_return body.status();
    absl::Status waited = co_await never.Wait();
    cancelled = absl::IsCancelled(waited);
    co_return waited;
  });
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say(
        "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n");
    (co_await Sleep(absl::Milliseconds(120))).IgnoreError();
    co_await client.Say("body");
    (co_await Sleep(absl::Milliseconds(20))).IgnoreError();
    EXPECT_TRUE((co_await client.stream().Close()).ok());
    for (int turn = 0; turn < 5'000 && !cancelled; ++turn)
      (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
    EXPECT_TRUE(cancelled);
  };
  Run(main());
}

TEST_P(HttpServerLimitsTest, AClientThatEndsItsSideMayWaitForTheAnswer) {
  ServerOptions options;
  options.client_end_cancels = false;
  Serve(
      [](Request&, ResponseWriter& response) -> Task<absl::Status> {
        (co_await Sleep(absl::Milliseconds(120))).IgnoreError();
        co_return co_await response.Send(200, "late");
      },
      options);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say(Get("/"));
    EXPECT_TRUE((co_await client.stream().ShutdownWrite()).ok());
    EXPECT_EQ((co_await client.Next()).body, "late");
    EXPECT_TRUE(co_await client.AtEnd());
  };
  Run(main());
}

// What a client pipelines while the handler runs is not lost to the look at
// the client.
TEST_P(HttpServerLimitsTest, RequestsArriveDuringALongHandler) {
  Serve([](Request& request, ResponseWriter& response) -> Task<absl::Status> {
    if (request.path() == "/slow")
      (co_await Sleep(absl::Milliseconds(200))).IgnoreError();
    co_return co_await response.Send(200, request.path());
  });
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say(Get("/slow"));
    (co_await Sleep(absl::Milliseconds(80))).IgnoreError();
    for (int i = 0; i < 10; ++i) {
      co_await client.Say(Get(absl::StrCat("/", i)));
      (co_await Sleep(absl::Milliseconds(2))).IgnoreError();
    }
    EXPECT_EQ((co_await client.Next()).body, "/slow");
    for (int i = 0; i < 10; ++i)
      EXPECT_EQ((co_await client.Next()).body, absl::StrCat("/", i));
  };
  Run(main());
}

TEST_P(HttpServerLimitsTest, ADrainTellsBusyClientsAndWaitsForIdleOnes) {
  Event go;
  Serve(
      [&](Request& request, ResponseWriter& response) -> Task<absl::Status> {
        if (request.path() == "/busy") (co_await go.Wait()).IgnoreError();
        co_return co_await response.Send(200, "done");
      },
      [] {
        ServerOptions options;
        options.drain_idle_time = absl::Seconds(1);
        return options;
      }());
  auto main = [&]() -> Task<void> {
    RawClient busy = co_await Visit();
    RawClient late = co_await Visit();
    RawClient idle = co_await Visit();
    for (RawClient* client : {&busy, &late, &idle}) {
      co_await client->Say(Get("/"));
      EXPECT_EQ((co_await client->Next()).code, 200);
    }
    co_await busy.Say(Get("/busy"));
    co_await net::testing::TurnTimes(5);
    const MonotonicTime begun = loop().now();
    server().Shutdown();
    co_await net::testing::TurnTimes(5);
    go.Set();
    RawResponse response = co_await busy.Next();
    EXPECT_EQ(response.body, "done");
    EXPECT_EQ(response.Field("Connection"), "close");
    // One that was on its way when the drain began.
    co_await late.Say(Get("/"));
    response = co_await late.Next();
    EXPECT_EQ(response.body, "done");
    EXPECT_EQ(response.Field("Connection"), "close");
    EXPECT_TRUE(co_await idle.AtEnd());
    EXPECT_GE(loop().now() - begun, absl::Seconds(1));
  };
  Run(main());
}

TEST(HttpServerOptions, AreChecked) {
  EXPECT_TRUE(CheckServerOptions(ServerOptions()).ok());
  ServerOptions options;
  options.idle_timeout = absl::ZeroDuration();
  EXPECT_EQ(CheckServerOptions(options).message(),
            "http::ServerOptions::idle_timeout is not positive");
  options = ServerOptions();
  options.request.header_count = 0;
  EXPECT_EQ(CheckServerOptions(options).message(),
            "http::ServerOptions::request.header_count is not 1 to 100000");
  options = ServerOptions();
  options.server_name = "a\r\nb";
  EXPECT_FALSE(CheckServerOptions(options).ok());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpServerLimitsTest);

}  // namespace
}  // namespace ringway::http
