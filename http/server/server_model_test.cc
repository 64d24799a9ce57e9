// SPDX-License-Identifier: Apache-2.0
//
// Random requests to an http::Server: on every backend all responses are right,
// and in a network with faults those that are whole.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/testing/simulation.h"
#include "ringway/http/server/server.h"
#include "ringway/http/testing/http_fixture.h"
#include "ringway/http/testing/random_exchanges.h"
#include "ringway/net/tcp.h"

namespace ringway::http {
namespace {

using HttpServerModelTest = testing::HttpTest;
using ringway::testing::Scaled;
using testing::AnswerRandomRequest;
using testing::RandomExchanges;
using testing::RawClient;

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

constexpr int kClients = 3;

struct World {
  explicit World(uint64_t seed) : simulation(seed) {}

  Simulation simulation;
  Server server{AnswerRandomRequest};
  size_t n_whole = 0;
  int n_ended = 0;  // clients
};

Task<void> Accept(World& world, net::TcpListener& listener) {
  while (true) {
    absl::StatusOr<net::TcpStream> accepted = co_await listener.Accept();
    if (absl::IsCancelled(accepted.status())) co_return;
    if (!accepted.ok()) continue;
    Spawn(world.server(*std::move(accepted))).Detach();
  }
}

Task<void> Visit(World& world, net::SocketAddress address, uint64_t seed) {
  absl::StatusOr<net::TcpStream> stream = co_await net::Connect(address);
  if (stream.ok()) {
    RandomExchanges exchanges(seed, 8);
    RawClient client(*std::move(stream));
    // A network that loses things may lose a connection's end, too.
    Task<size_t> run = exchanges.Run(client);
    const absl::StatusOr<size_t> n =
        co_await WithTimeout(absl::Minutes(3), std::move(run));
    world.n_whole += n.value_or(0);
  }
  ++world.n_ended;
}

// Returns the number of responses that were whole.
size_t RunWorld(uint64_t seed, bool bad) {
  World world(seed);
  if (bad) world.simulation.TurnEverythingBad();
  SimulatedHost& server = world.simulation.AddHost();
  SimulatedHost& client = world.simulation.AddHost();
  absl::StatusOr<net::TcpListener> listener = net::TcpListener::Listen(
      server.loop(), *net::SocketAddress::Parse("0.0.0.0:80"));
  if (!listener.ok()) return 0;  // a fault
  JoinHandle<void> serving = server.executor().Spawn(Accept(world, *listener));
  const net::SocketAddress address = *net::SocketAddress::Parse(absl::StrCat(
      server.address() >> 24, ".", server.address() >> 16 & 255, ".",
      server.address() >> 8 & 255, ".", server.address() & 255, ":80"));
  for (uint64_t i = 0; i < kClients; ++i) {
    client.executor()
        .Spawn(Visit(world, address, seed * kClients + i))
        .Detach();
  }
  const absl::Status ran =
      world.simulation.RunUntil([&] { return world.n_ended == kClients; });
  EXPECT_TRUE(ran.ok()) << ran << ", seed " << seed;
  serving.Cancel();
  world.simulation.DestroyHosts();
  EXPECT_TRUE(world.simulation.Check().ok())
      << world.simulation.Check() << ", seed " << seed;
  return world.n_whole;
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
