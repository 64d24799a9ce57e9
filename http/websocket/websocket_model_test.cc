// SPDX-License-Identifier: Apache-2.0
//
// Random messages both ways over WebSockets: on every backend all of them
// arrive, and in a network with faults those that arrive are right.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/testing/simulation.h"
#include "ringway/http/server/server.h"
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

constexpr int kClients = 2;

struct World {
  explicit World(uint64_t seed) : simulation(seed) {}

  Simulation simulation;
  Server server{WebSockets(ServeRandomSocket)};
  size_t n_received = 0;
  size_t n_closed = 0;
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
    RawClient client(*std::move(stream));
    // A network that loses things may lose a connection's end, too.
    Task<RandomSocketResult> run = RunRandomSocket(client, seed);
    const absl::StatusOr<RandomSocketResult> result =
        co_await WithTimeout(absl::Minutes(3), std::move(run));
    if (result.ok()) {
      world.n_received += result->n_received;
      world.n_closed += result->closed ? 1 : 0;
    }
  }
  ++world.n_ended;
}

struct Sum {
  size_t n_received = 0;
  size_t n_closed = 0;
};

Sum RunWorld(uint64_t seed, bool bad) {
  World world(seed);
  if (bad) world.simulation.TurnEverythingBad();
  SimulatedHost& server = world.simulation.AddHost();
  SimulatedHost& client = world.simulation.AddHost();
  absl::StatusOr<net::TcpListener> listener = net::TcpListener::Listen(
      server.loop(), *net::SocketAddress::Parse("0.0.0.0:80"));
  if (!listener.ok()) return {};  // a fault
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
  return {world.n_received, world.n_closed};
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
    EXPECT_EQ(sum.n_closed, size_t{kClients}) << seed;
  }
}

}  // namespace
}  // namespace ringway::http
