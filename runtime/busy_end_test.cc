// SPDX-License-Identifier: Apache-2.0
//
// The end of a runtime with 10,000 tasks that wait for everything there is:
// none is forgotten, nothing is left.

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/make_backend.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/resolver/system_resolver.h"
#include "ringway/net/stream_pair.h"
#include "ringway/net/tcp.h"
#include "ringway/net/udp_socket.h"
#include "ringway/pools/blocking/run_blocking.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

constexpr uint64_t kTasks = 10'000;
constexpr int kWorkers = 2;

struct Counts {
  std::atomic<uint64_t> began{0};
  std::atomic<uint64_t> cancelled{0};
  std::atomic<uint64_t> served{0};
  std::atomic<uint64_t> failed{0};

  void Count(const absl::Status& status) {
    ++(status.ok() ? served : absl::IsCancelled(status) ? cancelled : failed);
  }
};

struct ReadOp : OperationAwait {
  ReadOp(int fd, std::span<std::byte> to) {
    PrepareRead(*this, fd, to, kCurrentPosition);
  }
  absl::Status await_resume() const {
    return result < 0 ? ErrnoToStatus(-result, "read") : absl::OkStatus();
  }
};

Task<absl::Status> Receive() {
  auto pair = net::StreamPair();
  if (!pair.ok()) co_return pair.status();
  std::array<std::byte, 8> buffer;
  co_return (co_await pair->first.Read(buffer)).status();
}

Task<absl::Status> ReceiveDatagram() {
  auto socket = net::UdpSocket::Bind(*net::SocketAddress::Parse("127.0.0.1:0"));
  if (!socket.ok()) co_return socket.status();
  std::array<std::byte, 8> buffer;
  co_return (co_await socket->ReceiveFrom(buffer)).status();
}

Task<absl::Status> Accept() {
  auto listener =
      net::TcpListener::Listen(*net::SocketAddress::Parse("127.0.0.1:0"));
  if (!listener.ok()) co_return listener.status();
  co_return (co_await listener->Accept()).status();
}

Task<absl::Status> ReadFromAPipe() {
  std::array<int, 2> fds;
  if (pipe2(fds.data(), O_CLOEXEC) != 0) co_return ErrnoToStatus(errno, "pipe");
  const UniqueFd end(fds[0]);
  const UniqueFd kept(fds[1]);
  std::array<std::byte, 8> buffer;
  co_return co_await ReadOp(end.get(), buffer);
}

Task<absl::Status> LookUp() {
  co_return (co_await ringway::Resolve("localhost", 1)).status();
}

Task<absl::Status> Block() {
  co_return co_await RunBlocking(
      [] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
}

// Most wait for a time; there are fewer fds.
Task<absl::Status> Await(uint64_t i) {
  switch (i % 50) {
    case 0:
      return Receive();
    case 1:
      return ReceiveDatagram();
    case 2:
      return Accept();
    case 3:
      return ReadFromAPipe();
    case 4:
    case 5:
      return LookUp();
    case 6:
    case 7:
      return Block();
    default:
      return [](uint64_t seconds) -> Task<absl::Status> {
        co_return co_await Sleep(absl::Seconds(seconds));
      }(i);
  }
}

Task<void> AwaitAndCount(uint64_t i, Counts& counts) {
  ++counts.began;
  Task<absl::Status> wait = Await(i + 60);
  counts.Count(co_await std::move(wait));
}

class BusyEndTest : public RuntimeTest,
                    public ::testing::WithParamInterface<BackendKind> {
 protected:
  void SetUp() override {
    unsetenv("RINGWAY_BACKEND");  // each asks for its own
    options_.loop.backend.kind = GetParam();
    absl::StatusOr<std::unique_ptr<Backend>> made =
        MakeBackend(options_.loop.backend);
    if (!made.ok()) GTEST_SKIP() << made.status();
  }

  ExecutorOptions options_;
};

TEST_P(BusyEndTest, EachOfTenThousandSeesAResultOrItsCancel) {
  Counts counts;
  Runtime::Builder builder;
  builder.Workers(kWorkers).Options(options_).OnStart(
      [&]() -> Task<absl::Status> {
        for (uint64_t i = 0; i < kTasks / kWorkers; ++i)
          Spawn(AwaitAndCount(i, counts)).Detach();
        co_return absl::OkStatus();
      });
  const auto began = std::chrono::steady_clock::now();
  {
    std::unique_ptr<Runtime> runtime = Launch(builder);
    while (counts.began < kTasks) std::this_thread::yield();
    runtime->Cut();
    runtime->Wait();
  }
  EXPECT_EQ(counts.cancelled + counts.served + counts.failed, kTasks);
  EXPECT_EQ(counts.failed, 0u);
  EXPECT_GT(counts.cancelled, kTasks * 9 / 10);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::minutes(1));
}

INSTANTIATE_TEST_SUITE_P(Kinds, BusyEndTest,
                         ::testing::Values(BackendKind::kUring,
                                           BackendKind::kEpoll),
                         [](const auto& info) {
                           return std::string(BackendKindName(info.param));
                         });

}  // namespace
}  // namespace ringway
