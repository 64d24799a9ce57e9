// SPDX-License-Identifier: Apache-2.0
//
// A user's server and its clients on machines of a simulated world: no kernel,
// virtual time, faults by seed. The code under test is what runs on sockets.

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/executor/testing/simulation.h"
#include "ringway/ringway.h"

namespace {

using ringway::JoinHandle;
using ringway::SimulatedHost;
using ringway::Simulation;
using ringway::Task;
using ringway::net::SocketAddress;
using ringway::net::TcpListener;
using ringway::net::TcpStream;

// The first machine's.
SocketAddress ServerAddress() { return *SocketAddress::Parse("10.0.0.1:7878"); }

Task<absl::Status> Echo(TcpStream stream) {
  std::array<std::byte, 256> buffer;
  while (true) {
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return absl::OkStatus();
    absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
    if (!sent.ok()) co_return sent;
  }
}

// Until it is cancelled.
Task<absl::Status> Serve(bool* listening) {
  absl::StatusOr<TcpListener> listener = TcpListener::Listen(ServerAddress());
  if (!listener.ok()) co_return listener.status();
  *listening = true;
  while (true) {
    absl::StatusOr<TcpStream> stream = co_await listener->Accept();
    if (absl::IsResourceExhausted(stream.status())) continue;
    if (!stream.ok()) co_return stream.status();
    ringway::Spawn(Echo(*std::move(stream))).Detach();
  }
}

// What comes back for `text`.
Task<absl::StatusOr<std::string>> Ask(std::string text) {
  absl::StatusOr<TcpStream> stream =
      co_await ringway::net::Connect(ServerAddress());
  if (!stream.ok()) co_return stream.status();
  absl::Status sent = co_await stream->Write(std::as_bytes(std::span(text)));
  if (!sent.ok()) co_return sent;
  std::string reply;
  std::array<std::byte, 64> buffer;
  while (reply.size() < text.size()) {
    absl::StatusOr<size_t> n = co_await stream->Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return absl::DataLossError("the reply is cut off");
    reply.append(reinterpret_cast<const char*>(buffer.data()), *n);
  }
  co_return reply;
}

// A server, and two clients on a machine of theirs.
struct Machines {
  explicit Machines(uint64_t seed)
      : simulation(seed),
        server(simulation.AddHost()),
        clients(simulation.AddHost()),
        serving(server.executor().Spawn(Serve(&listening))) {
    absl::Status begun = simulation.RunUntil([&] { return listening; });
    EXPECT_TRUE(begun.ok()) << begun;
  }

  // Until both have an answer and nothing is left open.
  void AskTwice(absl::StatusOr<std::string>& first,
                absl::StatusOr<std::string>& second) {
    auto hello = clients.executor().Spawn(Ask("hello"));
    auto world = clients.executor().Spawn(Ask("world"));
    absl::Status ended =
        simulation.RunUntil([&] { return hello.done() && world.done(); });
    EXPECT_TRUE(ended.ok()) << ended;
    first = hello.TakeResult();
    second = world.TakeResult();
    serving.Cancel();
    simulation.DestroyHosts();
    EXPECT_TRUE(simulation.Check().ok()) << simulation.Check();
  }

  Simulation simulation;
  SimulatedHost& server;
  SimulatedHost& clients;
  bool listening = false;
  JoinHandle<absl::Status> serving;
};

TEST(SimulatedServer, EchoesToTwoClients) {
  Machines machines(/*seed=*/7);
  absl::StatusOr<std::string> first;
  absl::StatusOr<std::string> second;
  machines.AskTwice(first, second);
  EXPECT_EQ(first.value_or(""), "hello");
  EXPECT_EQ(second.value_or(""), "world");
}

TEST(SimulatedServer, OnABadNetworkAnswersRightlyOrNotAtAll) {
  int n_answers = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    Machines machines(seed);
    machines.simulation.TurnEverythingBad();
    absl::StatusOr<std::string> first;
    absl::StatusOr<std::string> second;
    machines.AskTwice(first, second);
    EXPECT_EQ(first.value_or("hello"), "hello");
    EXPECT_EQ(second.value_or("world"), "world");
    n_answers += first.ok() + second.ok();
  }
  EXPECT_GT(n_answers, 0);
}

TEST(SimulatedServer, EndsAsTheScriptSays) {
  Machines machines(/*seed=*/7);
  machines.simulation.world()
      .script()
      .Expect(ringway::OpCode::kConnect)
      .ReturnError(ETIMEDOUT);
  absl::StatusOr<std::string> first;
  absl::StatusOr<std::string> second;
  machines.AskTwice(first, second);
  EXPECT_TRUE(absl::IsDeadlineExceeded(first.status())) << first.status();
  EXPECT_EQ(second.value_or(""), "world");
}

}  // namespace
