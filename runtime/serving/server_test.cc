// SPDX-License-Identifier: Apache-2.0
//
// A server's life: serving, the phases of its end, and what it counts as a
// connection.

#include "ringway/runtime/serving/server.h"

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/deadline.h"
#include "ringway/executor/task/shield.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/runtime/serving/testing/server_fixture.h"

namespace ringway {
namespace {

using net::TcpStream;
using net::testing::Bytes;
using net::testing::ReadToEnd;
using net::testing::ValueOf;
using testing::EchoUntilDrain;

constexpr absl::Duration kMoment = absl::Milliseconds(2);

// Never ends by itself.
Task<absl::Status> Hang(TcpStream stream) {
  std::array<std::byte, 64> buffer;
  absl::StatusOr<size_t> n = absl::CancelledError();
  do {
    n = co_await stream.Read(buffer);
  } while (n.ok() && *n > 0);
  co_return n.status();
}

// Goes on whatever cancels it, for a second.
Task<absl::Status> Persist(TcpStream stream) {
  Shield shield;
  (co_await Sleep(absl::Seconds(1))).IgnoreError();
  static_cast<void>(stream);
  co_return absl::OkStatus();
}

// What handlers have spawned: they hold the stream until `release` is set.
struct Kept {
  Event release;
  int n_held = 0;
};

Task<void> HoldUntil(TcpStream stream, Kept* kept) {
  ++kept->n_held;
  (co_await kept->release.Wait()).IgnoreError();
  static_cast<void>(stream);
}

using ServerTest = testing::ServerTest;

TEST_P(ServerTest, ServesUntilTheShutdownAndDrains) {
  Make(EchoUntilDrain);
  auto main = [&]() -> Task<void> {
    EXPECT_FALSE(server().ready());
    JoinHandle<void> run = Spawn(server().Run());
    std::vector<TcpStream> clients;
    for (int i = 0; i < 5; ++i) {
      clients.push_back(co_await Join());
      EXPECT_EQ(co_await Ask(clients.back(), "hello"), "hello");
    }
    EXPECT_TRUE(server().ready());
    EXPECT_EQ(server().phase(), ServerPhase::kServing);
    EXPECT_EQ(server().connections(), 5u);

    server().Shutdown();
    EXPECT_FALSE(server().ready());
    // The handlers close when they hear of the drain.
    for (TcpStream& client : clients)
      EXPECT_EQ(ValueOf(co_await ReadToEnd(client)), "");
    clients.clear();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_EQ(server().phase(), ServerPhase::kEnded);
    EXPECT_EQ(server().counts().accepted, 5u);
    EXPECT_EQ(server().counts().ended_ok, 5u);
    EXPECT_EQ(server().counts().cut, 0u);
    EXPECT_EQ(server().connections(), 0u);
  };
  Run(main());
}

// With a handler that gave its stream to a task and returned, MaxConnections
// did not count the connection, and a drain cut it and called that drained.
TEST_P(ServerTest, AConnectionLastsAsLongAsItsStream) {
  Kept kept;
  ServerOptions options;
  options.max_connections = 2;
  Make(
      [&](TcpStream stream) -> Task<absl::Status> {
        Spawn(HoldUntil(std::move(stream), &kept)).Detach();
        co_return absl::OkStatus();
      },
      options);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    TcpStream first = co_await Join();
    TcpStream second = co_await Join();
    co_await UntilOpen(2);
    TcpStream third = co_await Join();
    EXPECT_EQ(ValueOf(co_await ReadToEnd(third)), "");  // refused
    EXPECT_EQ(server().counts().refused, 1u);
    EXPECT_EQ(server().counts().ended_ok, 0u);

    server().Shutdown();
    (co_await Sleep(absl::Milliseconds(20))).IgnoreError();
    EXPECT_FALSE(run.done());
    EXPECT_EQ(server().phase(), ServerPhase::kDraining);
    kept.release.Set();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_EQ(server().counts().ended_ok, 2u);
    EXPECT_EQ(server().counts().cut, 0u);
  };
  Run(main());
}

TEST_P(ServerTest, WhatIsMovedElsewhereIsCutWithItsTask) {
  Kept kept;
  ServerOptions options;
  options.drain_deadline = kMoment;
  JoinHandle<void> holder;
  options.on_cut = [&] {
    holder.Cancel();
    // Its frame, with the stream, goes with the handle.
    holder = JoinHandle<void>();
  };
  Make(
      [&](TcpStream stream) -> Task<absl::Status> {
        holder = Spawn(HoldUntil(std::move(stream), &kept));
        co_return absl::OkStatus();
      },
      options);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    TcpStream client = co_await Join();
    co_await UntilOpen(1);
    server().Shutdown();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_EQ(server().counts().cut, 1u);
    EXPECT_EQ(server().counts().forced, 0u);
  };
  Run(main());
}

// Closing the listeners reset clients that had connected and sent.
TEST_P(ServerTest, ClientsThatHaveConnectedBeforeTheShutdownAreServed) {
  Make(EchoUntilDrain);
  auto main = [&]() -> Task<void> {
    // Nothing accepts yet, so that all wait in the queue.
    server().PauseAccepting();
    JoinHandle<void> run = Spawn(server().Run());
    std::vector<TcpStream> clients;
    for (int i = 0; i < 30; ++i) {
      clients.push_back(co_await Join());
      EXPECT_TRUE((co_await clients.back().Write(Bytes("early"))).ok());
    }
    EXPECT_EQ(server().connections(), 0u);
    server().Shutdown();
    for (TcpStream& client : clients)
      EXPECT_EQ(ValueOf(co_await ReadToEnd(client)), "early");
    clients.clear();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_EQ(server().counts().accepted, 30u);
    EXPECT_EQ(server().counts().accepted_late, 30u);
  };
  Run(main());
}

TEST_P(ServerTest, ALameDuckStillAccepts) {
  ServerOptions options;
  options.lame_duck = absl::Milliseconds(50);
  Make(EchoUntilDrain, options);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    co_await Yield();
    const MonotonicTime began = After(absl::ZeroDuration());
    server().Shutdown();
    co_await Yield();
    EXPECT_EQ(server().phase(), ServerPhase::kLameDuck);
    EXPECT_FALSE(server().ready());
    TcpStream late = co_await Join();
    EXPECT_EQ(co_await Ask(late, "still"), "still");
    EXPECT_EQ(ValueOf(co_await ReadToEnd(late)), "");
    late = TcpStream();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_GE(After(absl::ZeroDuration()) - began, absl::Milliseconds(50));
    EXPECT_EQ(server().counts().accepted_late, 1u);
  };
  Run(main());
}

TEST_P(ServerTest, ACutEndsEveryPhase) {
  ServerOptions options;
  options.lame_duck = absl::InfiniteDuration();
  options.drain_deadline = absl::InfiniteDuration();
  Make(Hang, options);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    TcpStream client = co_await Join();
    co_await UntilOpen(1);
    server().Shutdown();
    (co_await Sleep(kMoment)).IgnoreError();
    EXPECT_FALSE(run.done());
    server().Cut();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_EQ(server().counts().cut, 1u);
    EXPECT_EQ(server().counts().ended_error, 1u);
    EXPECT_EQ(server().counts().ended_by_code[1], 1u);  // Cancelled
  };
  Run(main());
}

TEST_P(ServerTest, WhatIgnoresTheCutIsCountedAsForced) {
  ServerOptions options;
  options.drain_deadline = kMoment;
  options.cut_grace = kMoment;
  Make(Persist, options);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    TcpStream client = co_await Join();
    co_await UntilOpen(1);
    server().Shutdown();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_EQ(server().counts().cut, 1u);
    EXPECT_EQ(server().counts().forced, 1u);
    EXPECT_EQ(server().connections(), 1u);
  };
  Run(main());
}

TEST_P(ServerTest, ASecondShutdownIsNothing) {
  Make(EchoUntilDrain);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    co_await Yield();
    server().Shutdown();
    server().Shutdown();
    EXPECT_TRUE((co_await run).ok());
    server().Shutdown();
    server().Cut();
  };
  Run(main());
}

TEST_P(ServerTest, ThatWasShutDownBeforeItStartedServesNobody) {
  Make(EchoUntilDrain);
  auto main = [&]() -> Task<void> {
    TcpStream client = co_await Join();  // in the kernel's queue
    server().Shutdown();
    co_await server().Run();
    EXPECT_EQ(server().counts().accepted, 0u);
    EXPECT_FALSE(server().was_started());
    std::array<std::byte, 1> byte;
    EXPECT_FALSE((co_await client.Read(byte)).ok() &&
                 server().connections() > 0);
  };
  Run(main());
}

TEST_P(ServerTest, AHandlerThatCancelsEveryTaskEndsNoServer) {
  Make([](TcpStream stream) -> Task<absl::Status> {
    CurrentExecutor().CancelAll();
    co_return co_await stream.Write(Bytes("x"));
  });
  auto main = [&]() -> Task<void> {
    Shield shield;
    JoinHandle<void> run = Spawn(server().Run());
    for (int i = 0; i < 3; ++i) {
      TcpStream client = co_await Join();
      EXPECT_EQ(ValueOf(co_await ReadToEnd(client)), "x");
    }
    server().Shutdown();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_EQ(server().counts().accepted, 3u);
  };
  Run(main());
}

TEST_P(ServerTest, TheDrainTokenOutsideOfAServerIsNeverCancelled) {
  auto main = [&]() -> Task<void> {
    EXPECT_FALSE(DrainToken().cancelled());
    co_return;
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(ServerTest);

}  // namespace
}  // namespace ringway
