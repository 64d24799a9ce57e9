// SPDX-License-Identifier: Apache-2.0
//
// Once a connection has been used, its requests cost no heap allocation.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/http/server/server.h"
#include "ringway/http/testing/http_fixture.h"

namespace ringway::http {
namespace {

using HttpAllocationTest = testing::HttpTest;
using ringway::testing::FewestAllocations;

constexpr int kWarmUp = 300;  // includes the first lap of the buffer ring
constexpr int kRequests = 2000;

// As much as the responses have.
Task<bool> Exchange(net::TcpStream& stream, std::string_view request,
                    size_t n_bytes) {
  if (!(co_await stream.Write(std::as_bytes(std::span(request)))).ok())
    co_return false;
  std::array<std::byte, 1024> buffer;
  while (n_bytes > 0) {
    const absl::StatusOr<size_t> n =
        co_await stream.Read(std::span(buffer).first(n_bytes));
    if (!n.ok() || *n == 0) co_return false;
    n_bytes -= *n;
  }
  co_return true;
}

TEST_P(HttpAllocationTest, NoneForARequestThatIsKeptAlive) {
  Router router;
  router.Get("/hello", [](Request&, ResponseWriter& response) {
    return response.Send(200, "Hello, World!");
  });
  router.Post(
      "/body",
      [](Request& request, ResponseWriter& response) -> Task<absl::Status> {
        std::array<std::byte, 64> buffer;
        const absl::StatusOr<size_t> n = co_await request.Read(buffer);
        if (!n.ok()) co_return n.status();
        co_return co_await response.Send(200, "Hello, World!");
      });
  router.Post("/unread", [](Request&, ResponseWriter& response) {
    return response.Send(200, "Hello, World!");
  });
  ServerOptions options;
  options.send_date = false;
  Serve(std::move(router), options);
  auto main = [&]() -> Task<void> {
    const std::array<std::string, 4> requests = {
        Get("/hello", "User-Agent: test\r\nAccept: */*\r\n"),
        // As large as those of browsers.
        Get("/hello", "Cookie: " + std::string(1500, 'c') + "\r\n"),
        Post("/body", "some bytes"), Post("/unread", "some bytes")};
    // The same response to each.
    testing::RawClient first = co_await Visit();
    co_await first.Say(requests[0]);
    const testing::RawResponse response = co_await first.Next();
    const size_t n_bytes = response.head.size() + 2 + response.body.size();
    for (const std::string& request : requests) {
      testing::RawClient client = co_await Visit();
      bool answered = true;
      for (int i = 0; answered && i < kWarmUp; ++i)
        answered = co_await Exchange(client.stream(), request, n_bytes);
      FewestAllocations counted;
      while (counted.more()) {
        counted.Begin();
        for (int i = 0; answered && i < kRequests; ++i)
          answered = co_await Exchange(client.stream(), request, n_bytes);
        counted.End();
      }
      EXPECT_TRUE(answered);
      EXPECT_EQ(counted.fewest(), 0u) << request;
    }
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpAllocationTest);

}  // namespace
}  // namespace ringway::http
