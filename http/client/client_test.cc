// SPDX-License-Identifier: Apache-2.0
//
// What users of a client see, by HTTP/1.1 and 2, with an http::Server at the
// other end;
// client_pool_test.cc has its connections, client_limits_test.cc what ends a
// request.

#include "ringway/http/client/client.h"

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/http/client/testing/client_fixture.h"

namespace ringway::http {
namespace {

using HttpClientTest = testing::ClientTest;
using testing::Fetch;
using testing::Fetched;

// Sends back the body, and what it was told.
Task<absl::Status> Echo(Request& request, ResponseWriter& response) {
  Task<absl::StatusOr<std::string>> read = request.ReadAll(16 << 20);
  const absl::StatusOr<std::string> body = co_await std::move(read);
  if (!body.ok()) co_return body.status();
  Headers& headers = response.headers();
  headers.Set("X-Method", MethodName(request.method()));
  headers.Set("X-Path", request.path());
  headers.Set("X-Query", request.query());
  headers.Set("X-Host", request.host());
  headers.Set("X-Agent", request.headers().Find("User-Agent").value_or("-"));
  headers.Set("X-Length",
              request.headers().Find("Content-Length").value_or("-"));
  headers.Set("X-Mine", request.headers().Find("Mine").value_or("-"));
  headers.Set("X-Sum", request.trailers().Find("Sum").value_or("-"));
  co_return co_await response.Send(200, *body);
}

TEST_P(HttpClientTest, GetsAResponse) {
  Serve(Echo);
  auto main = [&](Client& client) -> Task<void> {
    absl::StatusOr<Response> response =
        co_await client.Get(UrlOf("/a/b?c=d#part"));
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok()) co_return;
    EXPECT_EQ(response->status_code(), 200);
    EXPECT_EQ(response->version(), client.statistics().idle == 0
                                       ? Version::kHttp2
                                       : Version::kHttp11);
    EXPECT_EQ(response->url(), UrlOf("/a/b?c=d"));
    EXPECT_EQ(response->headers().Find("X-Method"), "GET");
    EXPECT_EQ(response->headers().Find("X-Path"), "/a/b");
    EXPECT_EQ(response->headers().Find("X-Query"), "c=d");
    EXPECT_EQ(response->headers().Find("X-Host"), address().ToString());
    EXPECT_EQ(response->headers().Find("X-Agent"), "ringway");
    EXPECT_EQ(response->headers().Find("X-Length"), "-");
    EXPECT_EQ(response->content_length(), 0u);
    std::array<std::byte, 8> buffer;
    EXPECT_EQ(*co_await response->Read(buffer), 0u);
    EXPECT_EQ(*co_await response->Read(buffer), 0u);
  };
  RunByBothVersions(main);
}

TEST_P(HttpClientTest, SendsEveryMethod) {
  Serve(Echo);
  auto main = [&](Client& client) -> Task<void> {
    for (const Method method :
         {Method::kGet, Method::kHead, Method::kPost, Method::kPut,
          Method::kDelete, Method::kOptions, Method::kPatch, Method::kTrace}) {
      ClientRequest request(method, UrlOf("/"));
      const Fetched fetched = co_await Fetch(client, std::move(request));
      EXPECT_EQ(fetched.status, absl::OkStatus()) << MethodName(method);
      EXPECT_EQ(fetched.Field("X-Method"), MethodName(method));
      const bool names_length = method == Method::kPost ||
                                method == Method::kPut ||
                                method == Method::kPatch;
      EXPECT_EQ(fetched.Field("X-Length"), names_length ? "0" : "-");
    }
    EXPECT_EQ(client.statistics().connections, 1u);
    ClientRequest connect(Method::kConnect, UrlOf("/"));
    EXPECT_TRUE(absl::IsUnimplemented(
        (co_await Fetch(client, std::move(connect))).status));
  };
  RunByBothVersions(main);
}

TEST_P(HttpClientTest, SendsHeadersAndABody) {
  Serve(Echo);
  auto main = [&](Client& client) -> Task<void> {
    ClientRequest request(Method::kPost, UrlOf("/"), "some bytes");
    request.headers.Set("User-Agent", "test");
    request.headers.Set("Mine", "yes");
    request.headers.Set("Host", "virtual:1");
    const Fetched fetched = co_await Fetch(client, std::move(request));
    EXPECT_EQ(fetched.body, "some bytes");
    EXPECT_EQ(fetched.Field("X-Agent"), "test");
    EXPECT_EQ(fetched.Field("X-Mine"), "yes");
    EXPECT_EQ(fetched.Field("X-Host"), "virtual:1");
    EXPECT_EQ(fetched.Field("X-Length"), "10");
  };
  RunByBothVersions(main);
}

// Up to 2 KiB are copied behind the head, up to 64 KiB are sent before the
// response is waited for, the rest beside that.
TEST_P(HttpClientTest, SendsBodiesOfAnySize) {
  Serve(Echo);
  auto main = [&](Client& client) -> Task<void> {
    for (const size_t n : {1, 2047, 2048, 2049, 65535, 65536, 65537, 131072,
                           1'000'000, 5'000'000}) {
      std::string body(n, 'x');
      for (size_t i = 0; i < n; i += 997)
        body[i] = static_cast<char>('a' + i % 26);
      ClientRequest request(Method::kPut, UrlOf("/"), body);
      const Fetched fetched = co_await Fetch(client, std::move(request));
      EXPECT_EQ(fetched.status, absl::OkStatus()) << n;
      EXPECT_TRUE(fetched.body == body) << n;
    }
    EXPECT_EQ(client.statistics().connections, 1u);
  };
  RunByBothVersions(main);
}

TEST_P(HttpClientTest, StreamsABodyInChunks) {
  Serve(Echo);
  auto main = [&](Client& client) -> Task<void> {
    ClientRequest request(Method::kPost, UrlOf("/"));
    request.write_body = [](BodyWriter& body) -> Task<absl::Status> {
      for (int i = 0; i < 100; ++i) {
        const std::string line = absl::StrCat("line ", i, "\n");
        absl::Status sent = co_await body.Write(line);
        if (!sent.ok()) co_return sent;
      }
      const std::string large(200'000, 'l');
      absl::Status sent = co_await body.Write(large);
      body.trailers().Set("Sum", "100");
      co_return sent;
    };
    std::string expected;
    for (int i = 0; i < 100; ++i) absl::StrAppend(&expected, "line ", i, "\n");
    expected.append(200'000, 'l');
    const Fetched fetched = co_await Fetch(client, std::move(request));
    EXPECT_EQ(fetched.status, absl::OkStatus());
    EXPECT_TRUE(fetched.body == expected);
    EXPECT_EQ(fetched.Field("X-Length"), "-");
    EXPECT_EQ(fetched.Field("X-Sum"), "100");
  };
  RunByBothVersions(main);
}

TEST_P(HttpClientTest, StreamsABodyWithALength) {
  Serve(Echo);
  auto main = [&](Client& client) -> Task<void> {
    for (const uint64_t n : {0, 6}) {
      ClientRequest request(Method::kPost, UrlOf("/"));
      request.content_length = n;
      request.write_body = [n](BodyWriter& body) -> Task<absl::Status> {
        for (uint64_t i = 0; i < n; i += 3) {
          absl::Status sent = co_await body.Write("abc");
          if (!sent.ok()) co_return sent;
        }
        co_return absl::OkStatus();
      };
      const Fetched fetched = co_await Fetch(client, std::move(request));
      EXPECT_EQ(fetched.status, absl::OkStatus());
      EXPECT_EQ(fetched.body, n == 0 ? "" : "abcabc");
      EXPECT_EQ(fetched.Field("X-Length"), absl::StrCat(n));
    }
  };
  RunByBothVersions(main);
}

TEST_P(HttpClientTest, RefusesBodiesOfAnotherLength) {
  Serve(Echo);
  auto main = [&](Client& client) -> Task<void> {
    for (const uint64_t n : {2, 4}) {
      ClientRequest request(Method::kPost, UrlOf("/"));
      request.content_length = n;
      request.write_body = [](BodyWriter& body) -> Task<absl::Status> {
        co_return co_await body.Write("abc");
      };
      const Fetched fetched = co_await Fetch(client, std::move(request));
      EXPECT_TRUE(absl::IsFailedPrecondition(fetched.status)) << fetched.status;
    }
  };
  RunByBothVersions(main);
}

TEST_P(HttpClientTest, ReturnsWhatTheFunctionOfABodyReturns) {
  Serve(Echo);
  auto main = [&](Client& client) -> Task<void> {
    ClientRequest fails(Method::kPost, UrlOf("/"));
    fails.write_body = [](BodyWriter& body) -> Task<absl::Status> {
      (co_await body.Write("abc")).IgnoreError();
      co_return absl::NotFoundError("no more bytes");
    };
    EXPECT_EQ((co_await Fetch(client, std::move(fails))).status,
              absl::NotFoundError("no more bytes"));
    ClientRequest throws(Method::kPost, UrlOf("/"));
    throws.write_body = [](BodyWriter& body) -> Task<absl::Status> {
      (co_await body.Write("abc")).IgnoreError();
      throw std::runtime_error("");
    };
    EXPECT_TRUE(
        absl::IsInternal((co_await Fetch(client, std::move(throws))).status));
    const Fetched next = co_await Fetch(client, UrlOf("/"));
    EXPECT_EQ(next.code, 200);
  };
  RunByBothVersions(main);
}

// Both sides at once: what the server sends back is read while the rest is
// still being written.
TEST_P(HttpClientTest, ReadsAResponseWhileItsRequestIsSent) {
  Serve([](Request& request, ResponseWriter& response) -> Task<absl::Status> {
    absl::Status status = co_await response.Start(200);
    std::array<std::byte, 1000> buffer;
    while (status.ok()) {
      const absl::StatusOr<size_t> n = co_await request.Read(buffer);
      if (!n.ok()) co_return n.status();
      if (*n == 0) break;
      status = co_await response.Write(std::span(buffer).first(*n));
    }
    co_return status;
  });
  auto main = [&](Client& client) -> Task<void> {
    auto n_acknowledged = std::make_shared<int>(0);
    ClientRequest request(Method::kPost, UrlOf("/"));
    request.write_body =
        [n_acknowledged](BodyWriter& body) -> Task<absl::Status> {
      for (int i = 0; i < 10; ++i) {
        absl::Status sent = co_await body.Write("x");
        if (!sent.ok()) co_return sent;
        for (int turns = 0; *n_acknowledged <= i && turns < 10'000; ++turns)
          (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
      }
      co_return absl::OkStatus();
    };
    absl::StatusOr<Response> response =
        co_await client.Send(std::move(request));
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok()) co_return;
    std::array<std::byte, 8> buffer;
    while (true) {
      const absl::StatusOr<size_t> n = co_await response->Read(buffer);
      EXPECT_TRUE(n.ok()) << n.status();
      if (!n.ok() || *n == 0) break;
      *n_acknowledged += static_cast<int>(*n);
    }
    EXPECT_EQ(*n_acknowledged, 10);
  };
  RunByBothVersions(main);
}

TEST_P(HttpClientTest, ReadsBodiesInPiecesOfAnySize) {
  std::string expected;
  for (int i = 0; i < 50'000; ++i) absl::StrAppend(&expected, i, ",");
  Router router;
  router.Get("/length", [&](Request&, ResponseWriter& response) {
    return response.Send(200, expected);
  });
  router.Get(
      "/chunks", [&](Request&, ResponseWriter& response) -> Task<absl::Status> {
        absl::Status status = co_await response.Start(200);
        for (size_t at = 0; status.ok() && at < expected.size(); at += 7001)
          status = co_await response.Write(
              std::string_view(expected).substr(at, 7001));
        response.trailers().Set("Sum", "1");
        co_return status;
      });
  Serve(std::move(router));
  auto main = [&](Client& client) -> Task<void> {
    for (const std::string path : {"/length", "/chunks"}) {
      for (const size_t n_room : {1000, 4096, 1 << 20}) {
        absl::StatusOr<Response> response = co_await client.Get(UrlOf(path));
        EXPECT_TRUE(response.ok()) << response.status();
        if (!response.ok()) co_return;
        std::string body;
        std::vector<std::byte> room(n_room);
        while (true) {
          const absl::StatusOr<size_t> n = co_await response->Read(room);
          EXPECT_TRUE(n.ok()) << n.status();
          if (!n.ok() || *n == 0) break;
          body.append(reinterpret_cast<const char*>(room.data()), *n);
        }
        EXPECT_TRUE(body == expected) << path << n_room;
        EXPECT_EQ(response->trailers().size(), path == "/chunks" ? 1u : 0u);
      }
    }
    EXPECT_EQ(client.statistics().connections, 1u);
  };
  RunByBothVersions(main);
}

TEST_P(HttpClientTest, LimitsWhatReadAllTakes) {
  Serve([](Request&, ResponseWriter& response) {
    return response.Send(200, "0123456789");
  });
  auto main = [&](Client& client) -> Task<void> {
    absl::StatusOr<Response> exact = co_await client.Get(UrlOf("/"));
    EXPECT_EQ(*co_await exact->ReadAll(10), "0123456789");
    absl::StatusOr<Response> longer = co_await client.Get(UrlOf("/"));
    EXPECT_TRUE(
        absl::IsResourceExhausted((co_await longer->ReadAll(9)).status()));
    absl::StatusOr<Response> any = co_await client.Get(UrlOf("/"));
    EXPECT_EQ(*co_await any->ReadAll(SIZE_MAX), "0123456789");
  };
  RunByBothVersions(main);
}

TEST_P(HttpClientTest, AsksBeforeItSendsABody) {
  Router router;
  router.Post("/wanted", Echo);
  router.Post("/unwanted", [](Request&, ResponseWriter& response) {
    return response.Send(403, "no\n");
  });
  Serve(std::move(router));
  auto main = [&](Client& client) -> Task<void> {
    ClientRequest wanted(Method::kPost, UrlOf("/wanted"), "bytes");
    wanted.expect_continue = true;
    const Fetched got = co_await Fetch(client, std::move(wanted));
    EXPECT_EQ(got.code, 200);
    EXPECT_EQ(got.body, "bytes");
    ClientRequest unwanted(Method::kPost, UrlOf("/unwanted"));
    unwanted.expect_continue = true;
    auto begun = std::make_shared<bool>(false);
    unwanted.write_body = [begun](BodyWriter& body) -> Task<absl::Status> {
      *begun = true;
      co_return co_await body.Write("bytes");
    };
    const Fetched refused = co_await Fetch(client, std::move(unwanted));
    EXPECT_EQ(refused.code, 403);
    EXPECT_EQ(refused.body, "no\n");
    EXPECT_FALSE(*begun);
  };
  RunByBothVersions(main);
}

TEST_P(HttpClientTest, RefusesWhatCannotBeSent) {
  Serve(Echo);
  auto main = [&](Client& client) -> Task<void> {
    EXPECT_TRUE(absl::IsInvalidArgument(
        (co_await Fetch(client, "ftp://127.0.0.1/")).status));
    EXPECT_TRUE(absl::IsInvalidArgument(
        (co_await Fetch(client, UrlOf("/a b"))).status));
    ClientRequest header(Method::kGet, UrlOf("/"));
    header.headers.Add("A", "b\r\nC: d");
    EXPECT_TRUE(absl::IsInvalidArgument(
        (co_await Fetch(client, std::move(header))).status));
    ClientRequest two(Method::kPost, UrlOf("/"), "body");
    two.write_body = [](BodyWriter&) -> Task<absl::Status> {
      co_return absl::OkStatus();
    };
    EXPECT_TRUE(absl::IsInvalidArgument(
        (co_await Fetch(client, std::move(two))).status));
    EXPECT_EQ(client.statistics().connections, 0u);
    const Fetched secure = co_await Fetch(client, "https://127.0.0.1:1/");
    EXPECT_TRUE(absl::IsFailedPrecondition(secure.status)) << secure.status;
  };
  RunByBothVersions(main);
}

TEST_P(HttpClientTest, ConnectsToAUnixSocket) {
  auto main = [&]() -> Task<void> {
    testing::ScriptedServer server(ListenOn(UnixAddress("server")));
    server.Start([](testing::ScriptedPeer& peer) -> Task<void> {
      const std::string head = co_await peer.ReadHead();
      EXPECT_TRUE(head.starts_with("GET /x HTTP/1.1\r\nHost: local\r\n"))
          << head;
      co_await peer.Say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
    });
    ClientOptions options;
    options.connect_to = *net::SocketAddress::Parse(UnixAddress("server"));
    Client client(options);
    const Fetched fetched = co_await Fetch(client, "http://local/x");
    EXPECT_EQ(fetched.status, absl::OkStatus());
    EXPECT_EQ(fetched.body, "a");
    co_await server.Stop();
  };
  NetTest::Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpClientTest);

TEST(ClientOptions, AreChecked) {
  EXPECT_TRUE(CheckClientOptions(ClientOptions()).ok());
  ClientOptions options;
  options.max_connections_per_host = 0;
  EXPECT_EQ(CheckClientOptions(options).message(),
            "http::ClientOptions::max_connections_per_host is not 1 to "
            "1000000");
  options = ClientOptions();
  options.head_timeout = absl::ZeroDuration();
  EXPECT_EQ(CheckClientOptions(options).message(),
            "http::ClientOptions::head_timeout is not positive");
  options = ClientOptions();
  options.user_agent = "a\n";
  EXPECT_TRUE(absl::IsInvalidArgument(CheckClientOptions(options)));
  EXPECT_DEATH({ const Client client(options); }, "user_agent");
}

}  // namespace
}  // namespace ringway::http
