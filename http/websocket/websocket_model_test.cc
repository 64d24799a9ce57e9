// SPDX-License-Identifier: Apache-2.0
//
// Random messages both ways over WebSockets: on every backend all of them
// arrive, and in a network with faults those that arrive are right.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/http/server/server.h"
#include "ringway/http/testing/http_world.h"
#include "ringway/http/websocket/testing/random_sockets.h"
#include "ringway/http/websocket/testing/websocket_fixture.h"
#include "ringway/net/tcp.h"

namespace ringway::http {
namespace {

using WebSocketModelTest = testing::WebSocketTest;
using ringway::testing::Scaled;
using testing::kRandomMessages;
using testing::RandomSocketResult;
using testing::RawClient;
using testing::RunHttpWorld;
using testing::RunRandomSocket;
using testing::ServeRandomSocket;

TEST_P(WebSocketModelTest, EveryMessageArrives) {
  ServeSockets(ServeRandomSocket);
  auto main = [&]() -> Task<void> {
    const uint64_t n_seeds = std::max<uint64_t>(4, Scaled(40));
    for (uint64_t seed = 1; seed <= n_seeds && !HasFailure(); ++seed) {
      RawClient client = co_await HttpTest::Visit();
      Task<RandomSocketResult> run = RunRandomSocket(client, seed);
      const RandomSocketResult result = co_await std::move(run);
      EXPECT_EQ(result.n_received, kRandomMessages) << "seed " << seed;
      EXPECT_TRUE(result.closed) << "seed " << seed;
    }
    co_await UntilOpen(0);
  };
  Run(main());
  for (const std::string& how : ended)
    EXPECT_TRUE(how.starts_with("OK")) << how;
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(WebSocketModelTest);

constexpr uint64_t kClients = 2;

struct Sum {
  size_t n_received = 0;
  size_t n_closed = 0;
};

Task<void> Visit(net::SocketAddress address, uint64_t seed, Sum& sum) {
  absl::StatusOr<net::TcpStream> stream = co_await net::Connect(address);
  if (!stream.ok()) co_return;
  RawClient client(*std::move(stream));
  // A network that loses things may lose a connection's end, too.
  Task<RandomSocketResult> run = RunRandomSocket(client, seed);
  const absl::StatusOr<RandomSocketResult> result =
      co_await WithTimeout(absl::Minutes(3), std::move(run));
  if (!result.ok()) co_return;
  sum.n_received += result->n_received;
  sum.n_closed += result->closed ? 1 : 0;
}

Sum RunWorld(uint64_t seed, bool bad) {
  Sum sum;
  RunHttpWorld(seed, bad, Server(WebSockets(ServeRandomSocket)), kClients,
               [&](net::SocketAddress address, uint64_t client) {
                 return Visit(std::move(address), seed * kClients + client,
                              sum);
               });
  return sum;
}

TEST(WebSocketSimulation, FaultsNeverChangeAMessage) {
  size_t n_received = 0;
  for (uint64_t seed = 1; seed <= Scaled(100) && !::testing::Test::HasFailure();
       ++seed) {
    n_received += RunWorld(seed, /*bad=*/true).n_received;
  }
  EXPECT_GT(n_received, 0u);
}

TEST(WebSocketSimulation, WithoutFaultsAllArrive) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const Sum sum = RunWorld(seed, /*bad=*/false);
    EXPECT_EQ(sum.n_received, kRandomMessages * kClients) << seed;
    EXPECT_EQ(sum.n_closed, kClients) << seed;
  }
}

}  // namespace
}  // namespace ringway::http
