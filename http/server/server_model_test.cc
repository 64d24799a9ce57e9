// SPDX-License-Identifier: Apache-2.0
//
// Random requests to an http::Server: on every backend all responses are right,
// and in a network with faults those that are whole.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/http/server/server.h"
#include "ringway/http/testing/http_fixture.h"
#include "ringway/http/testing/http_world.h"
#include "ringway/http/testing/random_exchanges.h"
#include "ringway/net/tcp.h"

namespace ringway::http {
namespace {

using HttpServerModelTest = testing::HttpTest;
using ringway::testing::Scaled;
using testing::AnswerRandomRequest;
using testing::RandomExchanges;
using testing::RawClient;
using testing::RunHttpWorld;

TEST_P(HttpServerModelTest, EveryResponseIsRight) {
  Serve(AnswerRandomRequest);
  auto main = [&]() -> Task<void> {
    const uint64_t n_seeds = std::max<uint64_t>(3, Scaled(40));
    for (uint64_t seed = 1; seed <= n_seeds && !HasFailure(); ++seed) {
      RandomExchanges exchanges(seed, 40);
      RawClient client = co_await Visit();
      Task<size_t> run = exchanges.Run(client);
      EXPECT_EQ(co_await std::move(run), exchanges.size()) << "seed " << seed;
    }
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpServerModelTest);

constexpr uint64_t kClients = 3;

Task<void> Visit(net::SocketAddress address, uint64_t seed, size_t& n_whole) {
  absl::StatusOr<net::TcpStream> stream = co_await net::Connect(address);
  if (!stream.ok()) co_return;
  RandomExchanges exchanges(seed, 8);
  RawClient client(*std::move(stream));
  // A network that loses things may lose a connection's end, too.
  Task<size_t> run = exchanges.Run(client);
  const absl::StatusOr<size_t> n =
      co_await WithTimeout(absl::Minutes(3), std::move(run));
  n_whole += n.value_or(0);
}

// Returns the number of responses that were whole.
size_t RunWorld(uint64_t seed, bool bad) {
  size_t n_whole = 0;
  RunHttpWorld(seed, bad, Server(AnswerRandomRequest), kClients,
               [&](net::SocketAddress address, uint64_t client) {
                 return Visit(std::move(address), seed * kClients + client,
                              n_whole);
               });
  return n_whole;
}

TEST(HttpServerSimulation, FaultsNeverChangeAResponse) {
  size_t n_whole = 0;
  for (uint64_t seed = 1; seed <= Scaled(300) && !::testing::Test::HasFailure();
       ++seed) {
    n_whole += RunWorld(seed, /*bad=*/true);
  }
  EXPECT_GT(n_whole, 0u);
}

TEST(HttpServerSimulation, WithoutFaultsAllAreWhole) {
  for (uint64_t seed = 1; seed <= 10; ++seed)
    EXPECT_EQ(RunWorld(seed, /*bad=*/false), 8u * kClients) << seed;
}

}  // namespace
}  // namespace ringway::http
