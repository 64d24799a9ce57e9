// SPDX-License-Identifier: Apache-2.0
//
// A user's server in a simulated world: no kernel, virtual time, faults by
// seed. It is written with operations that its tasks await.

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/sim/sim_backend.h"
#include "ringway/backends/sim/world.h"
#include "ringway/ringway.h"

namespace {

// An operation to co_await: its result is that of the system call, or -errno.
class [[nodiscard]] ResultOp : public ringway::OperationAwait {
 public:
  template <typename Prepare>
  explicit ResultOp(Prepare prepare) {
    prepare(*this);
  }
  int32_t await_resume() const { return result; }
};

ResultOp Socket() {
  return ResultOp([](ringway::Operation& op) {
    ringway::PrepareSocket(op, AF_INET, SOCK_STREAM, 0);
  });
}
ResultOp Recv(int fd, std::span<std::byte> buffer) {
  return ResultOp(
      [=](ringway::Operation& op) { ringway::PrepareRecv(op, fd, buffer); });
}
ResultOp Send(int fd, std::span<const std::byte> bytes) {
  return ResultOp(
      [=](ringway::Operation& op) { ringway::PrepareSend(op, fd, bytes); });
}
ResultOp Close(int fd) {
  return ResultOp(
      [=](ringway::Operation& op) { ringway::PrepareClose(op, fd); });
}

const sockaddr_in kAddress = [] {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(7878);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}();
const sockaddr* Address() {
  return reinterpret_cast<const sockaddr*>(&kAddress);
}

ringway::Task<void> Echo(int fd) {
  std::array<std::byte, 256> buffer;
  while (true) {
    const int32_t n = co_await Recv(fd, buffer);
    if (n <= 0) break;
    std::span<const std::byte> rest =
        std::span(buffer).first(static_cast<size_t>(n));
    while (!rest.empty()) {
      const int32_t sent = co_await Send(fd, rest);
      if (sent < 0) break;
      rest = rest.subspan(static_cast<size_t>(sent));
    }
    if (!rest.empty()) break;
  }
  // Also when the task was cancelled.
  ringway::Shield shield;
  co_await Close(fd);
}

// Serves `n_clients` connections, then ends.
ringway::Task<int> Serve(int n_clients) {
  const int32_t listener = co_await Socket();
  if (listener < 0) co_return listener;
  int32_t result = co_await ResultOp([=](ringway::Operation& op) {
    ringway::PrepareBind(op, listener, Address(), sizeof(kAddress));
  });
  if (result == 0) {
    result = co_await ResultOp([=](ringway::Operation& op) {
      ringway::PrepareListen(op, listener, 16);
    });
  }
  ringway::TaskScope scope;
  for (int i = 0; i < n_clients && result >= 0; ++i) {
    result = co_await ResultOp([=](ringway::Operation& op) {
      ringway::PrepareAccept(op, listener, nullptr, nullptr);
    });
    if (result >= 0) scope.Spawn(Echo(result)).Detach();
  }
  static_cast<void>(co_await scope.Join());
  co_await Close(listener);
  co_return result < 0 ? result : 0;
}

// What comes back for `text`, or "-errno".
ringway::Task<std::string> Ask(std::string text) {
  // The server listens by then: time is virtual.
  static_cast<void>(co_await ringway::Sleep(absl::Seconds(1)));
  const int32_t fd = co_await Socket();
  int32_t result = co_await ResultOp([=](ringway::Operation& op) {
    ringway::PrepareConnect(op, fd, Address(), sizeof(kAddress));
  });
  std::string reply;
  if (result == 0) {
    result = co_await Send(fd, std::as_bytes(std::span(text)));
  }
  while (result > 0 && reply.size() < text.size()) {
    std::array<std::byte, 64> buffer;
    result = co_await Recv(fd, buffer);
    if (result > 0) {
      reply.append(reinterpret_cast<const char*>(buffer.data()),
                   static_cast<size_t>(result));
    }
  }
  co_await Close(fd);
  co_return result < 0 ? std::to_string(result) : reply;
}

struct Outcome {
  int server = 0;
  std::string first;
  std::string second;
};

ringway::Task<Outcome> ServeTwo() {
  auto [server, first, second] =
      co_await ringway::WhenAll(Serve(2), Ask("hello"), Ask("world"));
  Outcome outcome;
  outcome.server = server.value_or(-1);
  outcome.first = first.value_or("");
  outcome.second = second.value_or("");
  co_return outcome;
}

struct Simulation {
  explicit Simulation(uint64_t seed) : world(seed) {
    world.environment().alone = true;
    ringway::ExecutorOptions options;
    executor = std::make_unique<ringway::Executor>(
        std::make_unique<ringway::Loop>(world.MakeBackend(), options.loop),
        options);
  }

  ringway::sim::World world;
  std::unique_ptr<ringway::Executor> executor;
};

TEST(SimulatedServer, EchoesToTwoClients) {
  Simulation simulation(/*seed=*/7);
  const auto outcome = simulation.executor->Run(ServeTwo());
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->server, 0);
  EXPECT_EQ(outcome->first, "hello");
  EXPECT_EQ(outcome->second, "world");
  EXPECT_EQ(simulation.world.leaks(), "");
  EXPECT_TRUE(simulation.world.errors().empty());
}

TEST(SimulatedServer, EndsAsTheScriptSays) {
  Simulation simulation(/*seed=*/7);
  simulation.world.script()
      .Expect(ringway::OpCode::kListen)
      .ReturnError(EADDRINUSE);
  const auto server = simulation.executor->Run(Serve(2));
  ASSERT_TRUE(server.ok());
  EXPECT_EQ(*server, -EADDRINUSE);
  EXPECT_EQ(simulation.world.leaks(), "");
}

}  // namespace
