// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/testing/http_world.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/testing/simulation.h"
#include "ringway/net/tcp.h"

namespace ringway::http::testing {

namespace {

Task<void> Accept(const Server& server, net::TcpListener& listener) {
  while (true) {
    absl::StatusOr<net::TcpStream> accepted = co_await listener.Accept();
    if (absl::IsCancelled(accepted.status())) co_return;
    if (!accepted.ok()) continue;
    Spawn(server(*std::move(accepted))).Detach();
  }
}

Task<void> Visit(const HttpVisit& visit, net::SocketAddress address,
                 uint64_t client, uint64_t& n_ended) {
  Task<void> run = visit(std::move(address), client);
  co_await std::move(run);
  ++n_ended;
}

net::SocketAddress AddressOf(const SimulatedHost& host) {
  const uint32_t ip = host.address();
  return *net::SocketAddress::Parse(absl::StrCat(
      ip >> 24, ".", ip >> 16 & 255, ".", ip >> 8 & 255, ".", ip & 255, ":80"));
}

}  // namespace

void RunHttpWorld(uint64_t seed, bool bad, Server server, uint64_t n_clients,
                  const HttpVisit& visit) {
  Simulation simulation(seed);
  if (bad) simulation.TurnEverythingBad();
  SimulatedHost& server_host = simulation.AddHost();
  SimulatedHost& client_host = simulation.AddHost();
  absl::StatusOr<net::TcpListener> listener = net::TcpListener::Listen(
      server_host.loop(), *net::SocketAddress::Parse("0.0.0.0:80"));
  EXPECT_TRUE(bad || listener.ok()) << listener.status();
  if (!listener.ok()) return;
  JoinHandle<void> serving =
      server_host.executor().Spawn(Accept(server, *listener));
  uint64_t n_ended = 0;
  for (uint64_t i = 0; i < n_clients; ++i) {
    client_host.executor()
        .Spawn(Visit(visit, AddressOf(server_host), i, n_ended))
        .Detach();
  }
  const absl::Status ran =
      simulation.RunUntil([&] { return n_ended == n_clients; });
  EXPECT_TRUE(ran.ok()) << ran << ", seed " << seed;
  serving.Cancel();
  simulation.DestroyHosts();
  EXPECT_TRUE(simulation.Check().ok())
      << simulation.Check() << ", seed " << seed;
}

}  // namespace ringway::http::testing
