// SPDX-License-Identifier: Apache-2.0
//
// TLS in simulated worlds: with a seed for OpenSSL's generator a run replays;
// with faults of every kind each byte that arrives is right.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/executor/testing/simulation.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/stream_tasks.h"
#include "ringway/net/tls/testing/seeded_random.h"
#include "ringway/net/tls/testing/test_certificates.h"
#include "ringway/net/tls/tls_accept.h"
#include "ringway/net/tls/tls_connect.h"

namespace ringway::net {
namespace {

using ringway::testing::Scaled;
using testing::AsString;
using testing::Pattern;

constexpr int kClients = 3;
constexpr size_t kBytes = 60'000;

struct World {
  explicit World(uint64_t seed) : random(seed), simulation(seed) {}

  testing::SeededRandom random;
  TlsContext server_context = testing::MakeServer();
  TlsContext client_context = testing::MakeClient();
  Simulation simulation;
  int n_whole = 0;   // clients that have got all back
  int n_failed = 0;  // connections that a fault has ended
};

Task<void> EchoTo(World& world, TcpStream connection) {
  Task<absl::StatusOr<TlsStream>> accept =
      AcceptTls(world.server_context, std::move(connection));
  absl::StatusOr<TlsStream> stream = co_await std::move(accept);
  if (!stream.ok()) co_return;
  while (true) {
    absl::StatusOr<ReceivedBuffer> received = co_await stream->Receive();
    if (received.ok() && received->empty()) break;
    absl::Status done = received.status();
    if (done.ok()) done = co_await stream->Write(received->bytes());
    // A close would tell the client that this was all.
    if (!done.ok()) co_return stream->Reset();
  }
  (co_await stream->Close()).IgnoreError();
}

Task<void> Serve(World& world, TcpListener& listener) {
  while (true) {
    absl::StatusOr<TcpStream> accepted = co_await listener.Accept();
    if (absl::IsCancelled(accepted.status())) co_return;
    if (!accepted.ok()) continue;
    Spawn(EchoTo(world, *std::move(accepted))).Detach();
  }
}

Task<absl::Status> Ask(World& world, SocketAddress address, uint32_t number) {
  absl::StatusOr<TcpStream> connected = co_await Connect(address);
  if (!connected.ok()) co_return connected.status();
  Task<absl::StatusOr<TlsStream>> connect = ConnectTls(
      world.client_context, *std::move(connected), testing::kTestHost);
  absl::StatusOr<TlsStream> stream = co_await std::move(connect);
  if (!stream.ok()) co_return stream.status();
  const std::vector<std::byte> sent = Pattern(kBytes, number);
  TlsWriter writer = stream->writer();
  auto write = [&]() -> Task<absl::Status> {
    const absl::Status written = co_await writer.Write(sent);
    if (!written.ok()) co_return written;
    co_return co_await writer.ShutdownWrite();
  };
  JoinHandle<absl::Status> writing = Spawn(write());
  std::string back;
  absl::Status read;
  while (true) {
    absl::StatusOr<ReceivedBuffer> part = co_await stream->Receive();
    read = part.status();
    if (!part.ok() || part->empty()) break;
    back += AsString(part->bytes());
  }
  if (!read.ok()) writing.Cancel();
  (co_await writing).IgnoreError();
  EXPECT_TRUE(back == AsString(sent).substr(0, back.size()));
  if (read.ok()) {
    EXPECT_EQ(back.size(), kBytes);
  }
  co_return read;
}

Task<void> AskAndCount(World& world, SocketAddress address, uint32_t number) {
  // A network that loses things may lose a connection's silence, too.
  Task<absl::Status> ask = Ask(world, address, number);
  const absl::Status asked =
      co_await WithTimeout(absl::Minutes(1), std::move(ask));
  ++(asked.ok() ? world.n_whole : world.n_failed);
}

// Returns the hash of all events.
uint64_t RunWorld(uint64_t seed, bool bad, int& n_whole) {
  World world(seed);
  if (bad) world.simulation.TurnEverythingBad();
  SimulatedHost& server = world.simulation.AddHost();
  SimulatedHost& client = world.simulation.AddHost();
  absl::StatusOr<SocketAddress> any = SocketAddress::Parse("0.0.0.0:443");
  absl::StatusOr<TcpListener> listener =
      TcpListener::Listen(server.loop(), *any);
  if (!listener.ok()) return 0;  // a fault
  JoinHandle<void> serving = server.executor().Spawn(Serve(world, *listener));
  const std::string text = absl::StrCat(
      server.address() >> 24, ".", server.address() >> 16 & 255, ".",
      server.address() >> 8 & 255, ".", server.address() & 255, ":443");
  const SocketAddress address = *SocketAddress::Parse(text);
  for (uint32_t i = 0; i < kClients; ++i)
    client.executor().Spawn(AskAndCount(world, address, i)).Detach();
  const absl::Status ran = world.simulation.RunUntil(
      [&] { return world.n_whole + world.n_failed == kClients; });
  EXPECT_TRUE(ran.ok()) << ran << ", seed " << seed;
  serving.Cancel();
  world.simulation.DestroyHosts();
  EXPECT_TRUE(world.simulation.Check().ok()) << world.simulation.Check();
  n_whole += world.n_whole;
  return world.simulation.trace_hash();
}

TEST(TlsSimulation, ASeedReplays) {
  int n_whole = 0;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const uint64_t first = RunWorld(seed, /*bad=*/false, n_whole);
    EXPECT_EQ(first, RunWorld(seed, /*bad=*/false, n_whole)) << seed;
    EXPECT_NE(first, RunWorld(seed + 100, /*bad=*/false, n_whole)) << seed;
  }
  EXPECT_EQ(n_whole, 9 * kClients);
}

TEST(TlsSimulation, FaultsNeverChangeAByte) {
  int n_whole = 0;
  for (uint64_t seed = 1; seed <= Scaled(100); ++seed) {
    RunWorld(seed, /*bad=*/true, n_whole);
    if (HasFailure()) break;
  }
  EXPECT_GT(n_whole, 0);
}

}  // namespace
}  // namespace ringway::net
