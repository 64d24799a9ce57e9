// SPDX-License-Identifier: Apache-2.0
//
// Random requests of an http::Client, several at a time: on every backend all
// responses are right, and in a network with faults those that are whole.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/testing/simulation.h"
#include "ringway/http/client/client.h"
#include "ringway/http/client/testing/client_fixture.h"
#include "ringway/http/client/testing/random_requests.h"
#include "ringway/http/testing/random_exchanges.h"
#include "ringway/net/tcp.h"

namespace ringway::http {
namespace {

using HttpClientModelTest = testing::ClientTest;
using ringway::testing::Scaled;
using testing::AnswerRandomRequest;
using testing::RandomRequests;

TEST_P(HttpClientModelTest, EveryResponseIsRight) {
  Serve(AnswerRandomRequest);
  auto main = [&](bool http2) -> Task<void> {
    const uint64_t n_seeds = std::max<uint64_t>(2, Scaled(20));
    size_t n_whole = 0;
    size_t n_given_up = 0;
    for (uint64_t seed = 1; seed <= n_seeds && !HasFailure(); ++seed) {
      ClientOptions options;
      options.max_connections_per_host = 1 + seed % 4;
      options.http2_prior_knowledge = http2;
      if (http2) {
        // Small, so that streams and connections wait for windows.
        options.http2.max_streams = static_cast<uint32_t>(1 + seed % 7);
        options.http2.stream_window_bytes =
            static_cast<uint32_t>(seed % 3 == 0 ? 1000 : 100'000);
        options.http2.connection_window_bytes = 65535;
      }
      Client client(options);
      std::vector<std::unique_ptr<RandomRequests>> all;
      std::vector<JoinHandle<void>> running;
      for (uint64_t i = 0; i < 5; ++i) {
        all.push_back(std::make_unique<RandomRequests>(
            seed * 100 + i, client, UrlOf(""), /*may_fail=*/false));
        running.push_back(Spawn(all.back()->Run(20)));
      }
      for (JoinHandle<void>& one : running)
        EXPECT_TRUE((co_await one).ok()) << "seed " << seed;
      for (const auto& one : all) {
        n_whole += one->n_whole();
        n_given_up += one->n_given_up();
      }
      EXPECT_LE(client.statistics().idle, options.max_connections_per_host);
    }
    EXPECT_GT(n_whole, n_seeds * 50);
    EXPECT_GT(n_given_up, 0u);
  };
  auto both = [&]() -> Task<void> {
    for (const bool http2 : {false, true}) co_await main(http2);
  };
  Run(both());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpClientModelTest);

constexpr int kTasks = 3;
constexpr int kRequests = 6;

struct World {
  explicit World(uint64_t seed) : simulation(seed) {}

  Simulation simulation;
  Server server{AnswerRandomRequest};
  size_t n_whole = 0;
  size_t n_given_up = 0;
  bool ended = false;
};

Task<void> Accept(World& world, net::TcpListener& listener) {
  while (true) {
    absl::StatusOr<net::TcpStream> accepted = co_await listener.Accept();
    if (absl::IsCancelled(accepted.status())) co_return;
    if (!accepted.ok()) continue;
    Spawn(world.server(*std::move(accepted))).Detach();
  }
}

Task<void> Visit(World& world, std::string base, uint64_t seed, bool bad) {
  ClientOptions options;
  options.http2_prior_knowledge = seed % 2 == 0;
  Client client(options);
  std::vector<std::unique_ptr<RandomRequests>> all;
  std::vector<JoinHandle<absl::Status>> running;
  for (uint64_t i = 0; i < kTasks; ++i) {
    all.push_back(
        std::make_unique<RandomRequests>(seed * kTasks + i, client, base, bad));
    // A network that loses things may lose a connection's end, too.
    running.push_back(
        Spawn(WithTimeout(absl::Minutes(10), all.back()->Run(kRequests))));
  }
  for (JoinHandle<absl::Status>& one : running) (co_await one).IgnoreError();
  for (const auto& one : all) {
    world.n_whole += one->n_whole();
    world.n_given_up += one->n_given_up();
  }
  world.ended = true;
}

// Returns the number of responses that were whole, or given up.
size_t RunWorld(uint64_t seed, bool bad) {
  World world(seed);
  if (bad) world.simulation.TurnEverythingBad();
  SimulatedHost& server = world.simulation.AddHost();
  SimulatedHost& client = world.simulation.AddHost();
  absl::StatusOr<net::TcpListener> listener = net::TcpListener::Listen(
      server.loop(), *net::SocketAddress::Parse("0.0.0.0:80"));
  if (!listener.ok()) return 0;  // a fault
  JoinHandle<void> serving = server.executor().Spawn(Accept(world, *listener));
  const std::string base = absl::StrCat(
      "http://", server.address() >> 24, ".", server.address() >> 16 & 255, ".",
      server.address() >> 8 & 255, ".", server.address() & 255, ":80");
  client.executor().Spawn(Visit(world, base, seed, bad)).Detach();
  const absl::Status ran =
      world.simulation.RunUntil([&] { return world.ended; });
  EXPECT_TRUE(ran.ok()) << ran << ", seed " << seed;
  serving.Cancel();
  world.simulation.DestroyHosts();
  EXPECT_TRUE(world.simulation.Check().ok())
      << world.simulation.Check() << ", seed " << seed;
  return world.n_whole + world.n_given_up;
}

TEST(HttpClientSimulation, FaultsNeverChangeAResponse) {
  size_t n_whole = 0;
  for (uint64_t seed = 1; seed <= Scaled(200) && !::testing::Test::HasFailure();
       ++seed) {
    n_whole += RunWorld(seed, /*bad=*/true);
  }
  EXPECT_GT(n_whole, 0u);
}

TEST(HttpClientSimulation, WithoutFaultsAllAreWhole) {
  for (uint64_t seed = 1; seed <= 10; ++seed)
    EXPECT_EQ(RunWorld(seed, /*bad=*/false), size_t{kTasks * kRequests})
        << seed;
}

}  // namespace
}  // namespace ringway::http
