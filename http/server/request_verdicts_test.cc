// SPDX-License-Identifier: Apache-2.0
//
// A server answers each request of http1/testing/*.inc as it is written there,
// and closes the connection after a refusal.

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "gtest/gtest.h"
#include "ringway/http/http1/testing/requests.h"
#include "ringway/http/server/server.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::http {
namespace {

using net::testing::Connected;
using net::testing::ConnectedTcp;
using net::testing::PeerInput;
using testing::AllTestRequests;
using testing::kWaits;
using testing::TestRequests;

Task<absl::Status> ReadAndAccept(Request& request, ResponseWriter& response) {
  std::array<std::byte, 512> body;
  size_t n = 1;
  while (n > 0) {
    Task<absl::StatusOr<size_t>> read = request.Read(body);
    const absl::StatusOr<size_t> got = co_await std::move(read);
    if (!got.ok()) co_return got.status();
    n = *got;
  }
  co_return co_await response.Send(200);
}

// The status codes of final responses, in their order; -1 for what is none.
std::vector<int> StatusCodes(std::string_view bytes) {
  static constexpr std::string_view kStatusLine = "HTTP/1.1 ";
  static constexpr std::string_view kLength = "\r\nContent-Length: ";
  std::vector<int> codes;
  while (!bytes.empty()) {
    const size_t end = bytes.find("\r\n\r\n");
    int code = 0;
    if (end == std::string_view::npos ||
        !absl::StartsWith(bytes, kStatusLine) ||
        !absl::SimpleAtoi(bytes.substr(kStatusLine.size(), 3), &code)) {
      codes.push_back(-1);
      break;
    }
    const std::string_view head = bytes.substr(0, end + 2);
    size_t length = 0;
    if (const size_t at = head.find(kLength); at != std::string_view::npos) {
      const std::string_view rest = head.substr(at + kLength.size());
      if (!absl::SimpleAtoi(rest.substr(0, rest.find('\r')), &length))
        code = -1;
    }
    bytes.remove_prefix(std::min(bytes.size(), end + 4 + length));
    if (code < 100 || code > 199) codes.push_back(code);
  }
  return codes;
}

class RequestVerdictsTest : public net::testing::NetTest {
 protected:
  static ServerOptions Options() {
    ServerOptions options;
    options.client_end_cancels = false;
    return options;
  }

  Task<void> Expect(const TestRequests& requests) {
    Connected pair = ConnectedTcp(system());
    JoinHandle<absl::Status> serving =
        Spawn(server_(Adopt(std::move(pair.near_end))), "server");
    Task<void> send =
        pair.far_end.SendAll(std::as_bytes(std::span(requests.bytes)));
    co_await std::move(send);
    std::vector<int> expected = requests.of_server;
    const bool refused = expected.back() >= 400;
    // Without its end, so that what ends the connection is the refusal.
    if (!refused || requests.of_parser.back() == kWaits)
      pair.far_end.ShutdownWrite();
    if (expected.back() == kWaits) expected.pop_back();
    const PeerInput all = co_await pair.far_end.ReceiveAll();
    EXPECT_EQ(StatusCodes(all.bytes), expected) << requests.title << "\n"
                                                << all.bytes;
    const bool says_so = absl::StrContains(all.bytes, "Connection: close\r\n");
    EXPECT_TRUE(says_so || !refused) << requests.title << "\n" << all.bytes;
    pair.far_end.Close();
    (co_await serving).IgnoreError();
  }

  const Server server_{Handler(&ReadAndAccept), Options()};
};

TEST_P(RequestVerdictsTest, AreTheServersToo) {
  auto main = [&]() -> Task<void> {
    for (const TestRequests& requests : AllTestRequests()) {
      Task<void> expect = Expect(requests);
      co_await std::move(expect);
    }
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(RequestVerdictsTest);

}  // namespace
}  // namespace ringway::http
