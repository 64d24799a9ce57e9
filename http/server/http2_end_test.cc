// SPDX-License-Identifier: Apache-2.0
//
// How requests and connections of HTTP/2 end before their time: resets,
// deadlines, drains, clients that have gone or misbehave.

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/http/http2/client_preface.h"
#include "ringway/http/server/testing/http2_fixture.h"

namespace ringway::http {
namespace {

using testing::FieldsOf;
using testing::ResponseForTest;

constexpr absl::Duration kMoment = absl::Milliseconds(20);

class Http2End : public testing::Http2ServerTest {
 protected:
  // Waits for a release that may never come; counts.
  Handler Waiting() {
    return [this](Request& request,
                  ResponseWriter& response) -> Task<absl::Status> {
      if (request.path() == "/now")
        co_return co_await response.Send(200, "now");
      ++n_begun_;
      const absl::Status released = co_await release_.Wait();
      if (absl::IsCancelled(released)) ++n_cancelled_;
      if (!released.ok()) co_return released;
      co_return co_await response.Send(200, "released");
    };
  }

  Task<void> UntilBegun(Connected& c, int n) {
    // Each answer of "/now" comes after what was asked before has begun.
    const int32_t id = c.client.Get("/now");
    Task<void> until =
        Until(c, [&c, id] { return c.client.response(id).closed; });
    co_await std::move(until);
    EXPECT_EQ(n_begun_, n);
  }

  // What the server sends, without an answer of the client.
  static Task<std::string> ReadToEnd(Connected& c) {
    Task<absl::StatusOr<std::string>> read = net::testing::ReadToEnd(c.stream);
    co_return net::testing::ValueOf(co_await std::move(read));
  }

  Event release_;
  int n_begun_ = 0;
  int n_cancelled_ = 0;
};

TEST_P(Http2End, AResetCancelsItsHandlerOnly) {
  Serve(Waiting());
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    const int32_t first = c->client.Get("/1");
    const int32_t second = c->client.Get("/2");
    co_await UntilBegun(*c, 2);
    c->client.Reset(first);
    co_await UntilBegun(*c, 2);
    EXPECT_EQ(n_cancelled_, 1);
    release_.Set();
    co_await UntilClosed(*c);
    EXPECT_EQ(c->client.response(second).body, "released");
  };
  RunServed(main());
  for (const Ended& end : ended) {
    if (end.target == "/1") {
      EXPECT_EQ(end.status_code, 0);
    }
  }
  EXPECT_EQ(ended.size(), 4u);
}

TEST_P(Http2End, TheEndOfTheConnectionCancelsAllHandlers) {
  Serve(Waiting());
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    for (int i = 0; i < 10; ++i) c->client.Get("/");
    co_await UntilBegun(*c, 10);
    c->stream.Reset();
    co_await UntilOpen(0);
    EXPECT_EQ(n_cancelled_, 10);
    EXPECT_EQ(ended.size(), 11u);
  };
  RunServed(main());
}

TEST_P(Http2End, AClientThatEndsItsSideIsGone) {
  Serve(Waiting());
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    c->client.Get("/");
    co_await UntilBegun(*c, 1);
    EXPECT_TRUE((co_await c->stream.ShutdownWrite()).ok());
    co_await UntilEnd(*c);
    co_await UntilOpen(0);
    EXPECT_EQ(n_cancelled_, 1);
  };
  RunServed(main());
}

TEST_P(Http2End, AClientThatEndsItsSideMayWaitIfItIsLet) {
  ServerOptions options;
  options.client_end_cancels = false;
  Serve(Waiting(), options);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    const int32_t id = c->client.Get("/");
    co_await UntilBegun(*c, 1);
    EXPECT_TRUE((co_await c->stream.ShutdownWrite()).ok());
    (co_await Sleep(kMoment)).IgnoreError();
    release_.Set();
    co_await Until(*c, [&] { return c->client.response(id).closed; });
    EXPECT_EQ(c->client.response(id).body, "released");
    c->stream.Reset();
    co_await UntilOpen(0);
  };
  RunServed(main());
}

TEST_P(Http2End, AHandlerThatTakesTooLongIs503) {
  ServerOptions options;
  options.request_timeout = kMoment;
  options.response_timeout = kMoment;
  Serve(
      [this](Request& request, ResponseWriter& response) -> Task<absl::Status> {
        if (request.path() == "/begun") {
          absl::Status sent = co_await response.Start(200);
          if (!sent.ok()) co_return sent;
        }
        co_return co_await release_.Wait();
      },
      options);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    const int32_t id = c->client.Get("/");
    const int32_t begun = c->client.Get("/begun");
    co_await UntilClosed(*c);
    EXPECT_EQ(c->client.response(id).status, 503);
    EXPECT_EQ(c->client.response(begun).close_code, NGHTTP2_INTERNAL_ERROR);
    EXPECT_FALSE(c->at_end);
  };
  RunServed(main());
}

// The response to a handler that was cancelled waits for a window: the end of
// the connection ends that, too.
TEST_P(Http2End, TheEndOfTheConnectionEndsAnswersAfterATimeout) {
  ServerOptions options;
  options.request_timeout = kMoment;
  Serve(Waiting(), options);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open(/*window=*/0, /*opens=*/false);
    const int32_t id = c->client.Get("/");
    co_await Until(*c, [&] { return c->client.response(id).status == 503; });
    c->stream.Reset();
    co_await UntilOpen(0);
    EXPECT_EQ(ended.size(), 1u);
  };
  RunServed(main());
}

TEST_P(Http2End, AClientThatOpensNoWindowIsReset) {
  ServerOptions options;
  options.write_timeout = kMoment;
  Serve(
      [](Request&, ResponseWriter& response) -> Task<absl::Status> {
        const std::string body(100'000, 'x');
        co_return co_await response.Send(200, body);
      },
      options);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open(/*window=*/1000, /*opens=*/false);
    const int32_t id = c->client.Get("/");
    co_await UntilClosed(*c);
    EXPECT_EQ(c->client.response(id).close_code, NGHTTP2_INTERNAL_ERROR);
    EXPECT_EQ(c->client.response(id).body.size(), 1000u);
    EXPECT_EQ(ended.at(0).code, absl::StatusCode::kDeadlineExceeded);
  };
  RunServed(main());
}

TEST_P(Http2End, ABodyThatStopsIs408) {
  ServerOptions options;
  options.body_timeout = kMoment;
  Serve(
      [](Request& request, ResponseWriter&) -> Task<absl::Status> {
        Task<absl::StatusOr<std::string>> read = request.ReadAll(1000);
        co_return (co_await std::move(read)).status();
      },
      options);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    const std::string out =
        c->client.Send() +
        testing::Bytes({testing::kHeaders, testing::kEndHeaders, 1,
                        testing::Block(FieldsOf("POST", "/"))}) +
        testing::Bytes({testing::kData, 0, 1, "some"});
    EXPECT_TRUE((co_await c->stream.Write(net::testing::Bytes(out))).ok());
    while (ended.empty()) (co_await Sleep(kMoment)).IgnoreError();
    EXPECT_EQ(ended.at(0).status_code, 408);
  };
  RunServed(main());
}

TEST_P(Http2End, AnIdleConnectionEnds) {
  ServerOptions options;
  options.idle_timeout = kMoment;
  Serve(Waiting(), options);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    const int32_t id = c->client.Get("/");
    co_await UntilBegun(*c, 1);
    (co_await Sleep(3 * kMoment)).IgnoreError();  // is not idle
    release_.Set();
    co_await UntilEnd(*c);
    EXPECT_EQ(c->client.response(id).body, "released");
    EXPECT_EQ(c->client.goaway(), NGHTTP2_NO_ERROR);
    c->stream.Reset();
    co_await UntilOpen(0);
    EXPECT_EQ(server().counts().ended_ok, 1u);
  };
  RunServed(main());
}

TEST_P(Http2End, AHeadThatDoesNotEndEndsTheConnection) {
  ServerOptions options;
  options.head_timeout = kMoment;
  Serve(Waiting(), options);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    const std::string out =
        c->client.Send() +
        testing::Bytes(
            {testing::kHeaders, 0, 1, testing::Block(FieldsOf("GET", "/"))});
    EXPECT_TRUE((co_await c->stream.Write(net::testing::Bytes(out))).ok());
    const std::string in = co_await ReadToEnd(*c);
    const std::vector<testing::Frame> frames = testing::Parse(in);
    EXPECT_EQ(frames.back().type, testing::kGoaway);
    EXPECT_EQ(testing::FromBig(frames.back().payload.substr(4, 4)),
              NGHTTP2_ENHANCE_YOUR_CALM);
    EXPECT_EQ(n_begun_, 0);
  };
  RunServed(main());
}

TEST_P(Http2End, APrefaceThatDoesNotGoOnEndsTheConnection) {
  ServerOptions options;
  options.head_timeout = kMoment;
  Serve(Waiting(), options);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    EXPECT_TRUE((co_await c->stream.Write(
                     net::testing::Bytes(internal::kClientPreface)))
                    .ok());
    (co_await ReadToEnd(*c)).clear();
  };
  RunServed(main());
}

TEST_P(Http2End, ADrainFinishesWhatWasAsked) {
  Serve(Waiting());
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    const int32_t id = c->client.Get("/");
    co_await UntilBegun(*c, 1);
    server().Shutdown();
    // Sent before the client knows.
    const int32_t late = c->client.Get("/now");
    co_await Until(*c, [&] { return c->client.response(late).closed; });
    EXPECT_EQ(c->client.response(late).body, "now");
    release_.Set();
    co_await UntilEnd(*c);
    EXPECT_EQ(c->client.response(id).body, "released");
    c->stream.Reset();
    EXPECT_EQ(n_cancelled_, 0);
  };
  RunServed(main());
}

TEST_P(Http2End, ADrainDoesNotWaitForSilentClients) {
  ServerOptions options;
  options.drain_idle_time = kMoment;
  Serve(Waiting(), options);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    co_await UntilBegun(*c, 0);
    server().Shutdown();
    // The client reads, and answers no PING.
    (co_await ReadToEnd(*c)).clear();
    c->stream.Reset();
  };
  RunServed(main());
}

TEST_P(Http2End, ACutCancelsHandlers) {
  Serve(Waiting());
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    c->client.Get("/");
    co_await UntilBegun(*c, 1);
    server().Cut();
    co_await UntilOpen(0);
    EXPECT_EQ(n_cancelled_, 1);
  };
  RunServed(main());
}

TEST_P(Http2End, RapidResetsEndTheConnection) {
  Serve(Waiting());
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    std::string out = c->client.Send();
    for (uint32_t id = 1; id < 20'000; id += 2) {
      out += testing::Bytes({testing::kHeaders,
                             testing::kEndHeaders | testing::kEndStream, id,
                             testing::Block(FieldsOf("GET", "/"))});
      out += testing::Bytes(
          {testing::kRstStream, 0, id, testing::Big(NGHTTP2_CANCEL, 4)});
    }
    (co_await c->stream.Write(net::testing::Bytes(out))).IgnoreError();
    co_await UntilEnd(*c);
    c->stream.Reset();
    co_await UntilOpen(0);
    EXPECT_LT(ended.size(), 5000u);
  };
  RunServed(main());
}

TEST_P(Http2End, TooManyRequestsEndTheConnectionWithoutLoss) {
  ServerOptions options;
  options.max_requests = 10;
  Serve(Waiting(), options);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    std::vector<int32_t> ids;
    for (int i = 0; i < 15; ++i) ids.push_back(c->client.Get("/now"));
    co_await UntilEnd(*c);
    for (const int32_t id : ids) EXPECT_EQ(c->client.response(id).body, "now");
    EXPECT_EQ(c->client.goaway(), NGHTTP2_NO_ERROR);
  };
  RunServed(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(Http2End);

}  // namespace
}  // namespace ringway::http
