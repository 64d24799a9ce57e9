// SPDX-License-Identifier: Apache-2.0
//
// An http::Server with clients of HTTP/2.

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/http/server/testing/http2_fixture.h"

namespace ringway::http {
namespace {

using testing::ClientForTest;
using testing::Fields;
using testing::FieldsOf;
using testing::ResponseForTest;

using Http2Server = testing::Http2ServerTest;

std::string Content(size_t n_bytes, size_t seed) {
  std::string text;
  for (size_t i = 0; text.size() < n_bytes; ++i)
    text += absl::StrCat(i * 7 + seed, " ");
  text.resize(n_bytes);
  return text;
}

Task<absl::Status> Hello(Request& request, ResponseWriter& response) {
  EXPECT_EQ(request.version(), Version::kHttp2);
  EXPECT_EQ(request.host(), "test");
  EXPECT_FALSE(request.is_secure());
  co_return co_await response.Send(200, "hello");
}

// Sends back what it reads.
Task<absl::Status> Echo(Request& request, ResponseWriter& response) {
  absl::Status sent = co_await response.Start(200);
  std::array<std::byte, 5000> buffer;
  while (sent.ok()) {
    Task<absl::StatusOr<size_t>> read = request.Read(buffer);
    const absl::StatusOr<size_t> n = co_await std::move(read);
    if (!n.ok()) co_return n.status();
    if (*n == 0) break;
    Task<absl::Status> write = response.Write(std::span(buffer).first(*n));
    sent = co_await std::move(write);
  }
  co_return sent;
}

TEST_P(Http2Server, AnswersClientsWithPriorKnowledge) {
  Serve(Hello);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    const int32_t id = c->client.Get("/a?b");
    co_await UntilClosed(*c);
    const ResponseForTest& response = c->client.response(id);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "hello");
    EXPECT_EQ(response.headers.at("server"), "ringway");
    EXPECT_EQ(response.headers.at("content-length"), "5");
    EXPECT_EQ(response.headers.at("content-type"), "text/plain; charset=utf-8");
    EXPECT_EQ(response.headers.count("date"), 1u);
    EXPECT_EQ(response.close_code, NGHTTP2_NO_ERROR);
    EXPECT_EQ(ended.size(), 1u);
    EXPECT_EQ(ended.at(0).target, "/a?b");
    EXPECT_EQ(ended.at(0).status_code, 200);
    EXPECT_EQ(ended.at(0).body_bytes, 5u);
  };
  RunServed(main());
}

TEST_P(Http2Server, AnswersHttp1OnTheSamePort) {
  Serve([](Request&, ResponseWriter& response) -> Task<absl::Status> {
    co_return co_await response.Send(200, "one");
  });
  auto main = [&]() -> Task<void> {
    net::TcpStream stream = co_await Join();
    // "Upgrade: h2c" is ignored.
    const std::string text =
        "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade, HTTP2-Settings, "
        "close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    EXPECT_TRUE((co_await stream.Write(net::testing::Bytes(text))).ok());
    Task<absl::StatusOr<std::string>> read = net::testing::ReadToEnd(stream);
    const std::string answer = net::testing::ValueOf(co_await std::move(read));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\none")) << answer;
  };
  RunServed(main());
}

TEST_P(Http2Server, TakesThePrefaceInPieces) {
  Serve(Hello);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    const int32_t id = c->client.Get("/");
    for (const char byte : c->client.Send()) {
      const std::string piece(1, byte);
      EXPECT_TRUE((co_await c->stream.Write(net::testing::Bytes(piece))).ok());
      co_await Yield();
    }
    co_await UntilClosed(*c);
    EXPECT_EQ(c->client.response(id).body, "hello");
  };
  RunServed(main());
}

TEST_P(Http2Server, EchoesLargeBodiesOfManyRequests) {
  Serve(Echo);
  auto main = [&]() -> Task<void> {
    constexpr size_t kRequests = 30;
    auto c = co_await Open();
    std::vector<int32_t> ids;
    for (size_t i = 0; i < kRequests; ++i) {
      ids.push_back(
          c->client.Request(FieldsOf("POST", "/"), Content(i * 10'007, i)));
    }
    co_await UntilClosed(*c);
    for (size_t i = 0; i < kRequests; ++i)
      EXPECT_TRUE(c->client.response(ids[i]).body == Content(i * 10'007, i));
  };
  RunServed(main());
}

TEST_P(Http2Server, SendsALargeBodyAtOnceAndWithALength) {
  Serve([](Request&, ResponseWriter& response) -> Task<absl::Status> {
    const std::string body = Content(3'000'000, 1);
    co_return co_await response.Send(200, body);
  });
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    const int32_t id = c->client.Get("/");
    const int32_t head = c->client.Request(FieldsOf("HEAD", "/"));
    co_await UntilClosed(*c);
    EXPECT_TRUE(c->client.response(id).body == Content(3'000'000, 1));
    EXPECT_EQ(c->client.response(head).body, "");
    EXPECT_EQ(c->client.response(head).headers.at("content-length"), "3000000");
  };
  RunServed(main());
}

TEST_P(Http2Server, SendsFiles) {
  const std::string content = Content(300'000, 2);
  const ringway::testing::TestFd file = system().File(content);
  Serve([&](Request& request, ResponseWriter& response) -> Task<absl::Status> {
    const uint64_t more = request.path() == "/short" ? 1 : 0;
    co_return co_await response.SendFile(200, file.get(), 1000,
                                         content.size() - 1000 + more);
  });
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    const int32_t id = c->client.Get("/");
    const int32_t shorter = c->client.Get("/short");
    co_await UntilClosed(*c);
    EXPECT_TRUE(c->client.response(id).body == content.substr(1000));
    EXPECT_EQ(c->client.response(shorter).close_code, NGHTTP2_INTERNAL_ERROR);
  };
  RunServed(main());
}

TEST_P(Http2Server, CarriesTrailersAndInformationalResponses) {
  Serve([](Request& request, ResponseWriter& response) -> Task<absl::Status> {
    Headers hints;
    hints.Set("Link", "</a>");
    absl::Status sent = co_await response.SendInformational(103, hints);
    if (!sent.ok()) co_return sent;
    Task<absl::StatusOr<std::string>> read = request.ReadAll(1000);
    const absl::StatusOr<std::string> body = co_await std::move(read);
    if (!body.ok()) co_return body.status();
    response.trailers().Set("X-Sum", request.trailers().Find("x-sum").value());
    sent = co_await response.Start(200);
    if (!sent.ok()) co_return sent;
    co_return co_await response.Write(*body);
  });
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    Fields fields = FieldsOf("POST", "/");
    fields.emplace_back("expect", "100-continue");
    const int32_t id = c->client.Request(fields, "body", {{"x-sum", "9"}});
    co_await UntilClosed(*c);
    const ResponseForTest& response = c->client.response(id);
    EXPECT_EQ(response.informational.at(0), 103);
    EXPECT_EQ(response.body, "body");
    EXPECT_EQ(response.trailers.at("x-sum"), "9");
  };
  RunServed(main());
}

TEST_P(Http2Server, SendsContinueAtTheFirstRead) {
  Serve(Echo);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    // The body comes only after the 100.
    Fields fields = FieldsOf("POST", "/");
    fields.emplace_back("expect", "100-continue");
    const std::string out =
        c->client.Send() +
        testing::Bytes({testing::kHeaders, testing::kEndHeaders, 1,
                        testing::Block(fields)});
    EXPECT_TRUE((co_await c->stream.Write(net::testing::Bytes(out))).ok());
    std::string in;
    // ":status: 100" is not in the table of HPACK: it is sent as text.
    while (in.find("100") == std::string::npos) {
      Task<absl::StatusOr<std::string>> receive =
          net::testing::ReceiveSome(c->stream);
      const absl::StatusOr<std::string> some = co_await std::move(receive);
      if (!some.ok() || some->empty()) break;
      in += *some;
      if (testing::Parse(in).size() >= 4) break;
    }
    EXPECT_FALSE(in.empty());
    const std::string body =
        testing::Bytes({testing::kData, testing::kEndStream, 1, "late"});
    EXPECT_TRUE((co_await c->stream.Write(net::testing::Bytes(body))).ok());
    while (in.find("late") == std::string::npos) {
      Task<absl::StatusOr<std::string>> receive =
          net::testing::ReceiveSome(c->stream);
      const absl::StatusOr<std::string> some = co_await std::move(receive);
      if (!some.ok() || some->empty()) break;
      in += *some;
    }
    EXPECT_NE(in.find("late"), std::string::npos);
  };
  RunServed(main());
}

TEST_P(Http2Server, AnswersRefusedRequestsAndErrors) {
  ServerOptions options;
  options.max_body_bytes = 100;
  options.request.target_bytes = 50;
  options.request.header_bytes = 500;
  Serve(
      [](Request& request, ResponseWriter&) -> Task<absl::Status> {
        if (request.path() == "/throw") throw std::runtime_error("oops");
        if (request.path() == "/nothing") co_return absl::OkStatus();
        if (request.path() == "/none") co_return absl::NotFoundError("none");
        Task<absl::StatusOr<std::string>> read = request.ReadAll(1000);
        co_return (co_await std::move(read)).status();
      },
      options);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    std::vector<std::pair<int32_t, int>> expected;
    const auto request = [&](const Fields& fields, int status,
                             std::optional<std::string> body = std::nullopt) {
      expected.emplace_back(c->client.Request(fields, std::move(body)), status);
    };
    const auto plus = [](Fields fields, std::string name, std::string value) {
      fields.emplace_back(std::move(name), std::move(value));
      return fields;
    };
    const Fields get = FieldsOf("GET", "/");
    request(FieldsOf("GET", "/none"), 404);
    request(FieldsOf("GET", "/throw"), 500);
    request(FieldsOf("GET", "/nothing"), 500);
    request(FieldsOf("BREW", "/"), 501);
    request({{":method", "CONNECT"}, {":authority", "test:1"}}, 501);
    request(FieldsOf("GET", "/" + std::string(50, 'a')), 414);
    request(plus(get, "long", std::string(500, 'a')), 431);
    request(plus(get, "host", "other"), 400);
    request(plus(get, "expect", "more"), 417);
    request(FieldsOf("GET", "/%zz"), 400);
    request({{":method", "GET"},
             {":scheme", "http"},
             {":path", "/"},
             {":authority", "test:99999"}},
            400);
    request({{":method", "GET"},
             {":scheme", "ftp"},
             {":path", "x"},
             {":authority", "test"}},
            400);
    request(FieldsOf("POST", "/"), 413, std::string(101, 'x'));
    request(plus(FieldsOf("POST", "/"), "content-length", "101"), 413,
            std::string(101, 'x'));
    co_await UntilClosed(*c);
    for (const auto& [id, status] : expected)
      EXPECT_EQ(c->client.response(id).status, status) << id;
    EXPECT_EQ(ended.size(), expected.size());
  };
  RunServed(main());
}

// The client goes on sending a body that is not read: it gets the response.
TEST_P(Http2Server, AnswersBeforeTheBodyHasArrived) {
  Serve(Hello);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    const int32_t id =
        c->client.Request(FieldsOf("POST", "/"), Content(2'000'000, 1));
    co_await UntilClosed(*c);
    EXPECT_EQ(c->client.response(id).body, "hello");
    EXPECT_EQ(c->client.response(id).close_code, NGHTTP2_NO_ERROR);
    const int32_t next = c->client.Get("/");
    co_await UntilClosed(*c);
    EXPECT_EQ(c->client.response(next).body, "hello");
  };
  RunServed(main());
}

TEST_P(Http2Server, AnswersManyShortRequests) {
  Serve(Hello);
  auto main = [&]() -> Task<void> {
    auto c = co_await Open();
    std::vector<int32_t> ids;
    for (int round = 0; round < 20; ++round) {
      for (int i = 0; i < 100; ++i) ids.push_back(c->client.Get("/"));
      co_await UntilClosed(*c);
    }
    for (const int32_t id : ids) EXPECT_EQ(c->client.response(id).status, 200);
  };
  RunServed(main());
}

// A response that waits for its client holds up no other.
TEST_P(Http2Server, ServesOthersWhileOneWindowIsClosed) {
  Serve([](Request& request, ResponseWriter& response) -> Task<absl::Status> {
    const std::string body =
        request.path() == "/long" ? Content(50'000, 1) : "";
    co_return co_await response.Send(200, body);
  });
  auto main = [&]() -> Task<void> {
    auto c = co_await Open(/*window=*/1000, /*opens=*/false);
    const int32_t longer = c->client.Get("/long");
    const int32_t other = c->client.Get("/");
    co_await Until(*c, [&] {
      return c->client.response(other).closed &&
             c->client.response(longer).body.size() == 1000;
    });
    EXPECT_EQ(c->client.response(other).status, 200);
    c->client.Open(longer, 1'000'000);
    co_await UntilClosed(*c);
    EXPECT_TRUE(c->client.response(longer).body == Content(50'000, 1));
  };
  RunServed(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(Http2Server);

}  // namespace
}  // namespace ringway::http
