// SPDX-License-Identifier: Apache-2.0
//
// Once a connection has been used, its exchanges cost no heap allocation
// without the pool, and a client's few of them.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/http/client/client.h"
#include "ringway/http/client/http1_client_connection.h"
#include "ringway/http/client/testing/client_fixture.h"

namespace ringway::http {
namespace {

using HttpClientAllocationTest = testing::ClientTest;
using internal::Framing;
using internal::Http1ClientConnection;
using ringway::testing::CountAllocations;
using ringway::testing::FewestAllocations;

constexpr int kWarmUp = 300;  // includes the first lap of the buffer ring
constexpr int kRequests = 2000;

constexpr std::string_view kText = "Hello, World!";

Task<bool> Exchange(Http1ClientConnection<net::TcpStream>& connection,
                    const OutgoingRequest& request, std::string_view body) {
  Task<absl::Status> send = connection.Send(request, body);
  if (!(co_await std::move(send)).ok()) co_return false;
  Task<absl::Status> read_head = connection.ReadHead();
  if (!(co_await std::move(read_head)).ok()) co_return false;
  if (connection.head().status_code != 200) co_return false;
  std::array<std::byte, 64> buffer;
  size_t n_bytes = 0;
  while (true) {
    Task<absl::StatusOr<size_t>> read = connection.ReadBody(buffer);
    const absl::StatusOr<size_t> n = co_await std::move(read);
    if (!n.ok()) co_return false;
    if (*n == 0) break;
    n_bytes += *n;
  }
  co_return n_bytes == kText.size() && connection.reusable();
}

Router MakeRouter() {
  Router router;
  router.Get("/length", [](Request&, ResponseWriter& response) {
    return response.Send(200, kText);
  });
  router.Get("/chunks",
             [](Request&, ResponseWriter& response) -> Task<absl::Status> {
               absl::Status sent = co_await response.Start(200);
               if (sent.ok()) sent = co_await response.Write(kText);
               co_return sent;
             });
  router.Post(
      "/body",
      [](Request& request, ResponseWriter& response) -> Task<absl::Status> {
        std::array<std::byte, 64> buffer;
        const absl::StatusOr<size_t> n = co_await request.Read(buffer);
        if (!n.ok()) co_return n.status();
        co_return co_await response.Send(200, kText);
      });
  return router;
}

TEST_P(HttpClientAllocationTest, NoneForAnExchangeOfAConnection) {
  ServerOptions options;
  options.send_date = false;
  Serve(MakeRouter(), options);
  auto main = [&]() -> Task<void> {
    const ClientOptions client_options;
    Headers headers;
    headers.Add("Accept", "*/*");
    for (const std::string_view path : {"/length", "/chunks", "/body"}) {
      Http1ClientConnection<net::TcpStream> connection(client_options,
                                                       co_await Join());
      OutgoingRequest request(path == "/body" ? Method::kPost : Method::kGet,
                              path, "test", headers);
      request.user_agent = "test";
      std::string_view body;
      if (path == "/body") {
        body = "some bytes";
        request.framing = Framing::kLength;
        request.content_length = body.size();
      }
      bool answered = true;
      for (int i = 0; answered && i < kWarmUp; ++i)
        answered = co_await Exchange(connection, request, body);
      FewestAllocations counted;
      while (counted.more()) {
        counted.Begin();
        for (int i = 0; answered && i < kRequests; ++i)
          answered = co_await Exchange(connection, request, body);
        counted.End();
      }
      EXPECT_TRUE(answered);
      EXPECT_EQ(counted.fewest(), 0u) << path;
    }
  };
  Run(main());
}

// The URL's parts, the key of its host, the Response: not more with the number
// of requests.
TEST_P(HttpClientAllocationTest, FewForARequestOfAClient) {
  ServerOptions options;
  options.send_date = false;
  Serve(MakeRouter(), options);
  auto main = [&]() -> Task<void> {
    Client client;
    const std::string url = UrlOf("/length");
    uint64_t before = 0;
    for (int i = 0; i < kWarmUp + kRequests; ++i) {
      if (i == kWarmUp) before = CountAllocations();
      absl::StatusOr<Response> response = co_await client.Get(url);
      EXPECT_TRUE(response.ok());
      if (!response.ok()) break;
      std::array<std::byte, 64> buffer;
      while (true) {
        const absl::StatusOr<size_t> n = co_await response->Read(buffer);
        if (!n.ok() || *n == 0) break;
      }
    }
    const uint64_t n = CountAllocations() - before;
    RecordProperty("per_request", std::to_string(double(n) / kRequests));
    EXPECT_LE(n, 12u * kRequests);
    EXPECT_EQ(client.statistics().connections, 1u);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpClientAllocationTest);

}  // namespace
}  // namespace ringway::http
