// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/closed_loop/closed_loop.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/net/tcp.h"
#include "ringway/tools/loadgen/testing/load_fixture.h"

namespace ringway::loadgen {
namespace {

class ClosedLoopTest : public testing::LoadTest {
 protected:
  ClosedLoopTest() {
    options_.connections = 4;
    options_.warmup = absl::ZeroDuration();
    options_.duration = absl::Milliseconds(200);
    options_.patience = absl::Seconds(30);
  }

  ClosedLoopResult Load() {
    options_.mode.target.address = address();
    const ClosedLoopResult result = RunClosedLoop(executor(), options_);
    EXPECT_EQ(result.latency_ns.count(), result.requests);
    uint64_t in_series = 0;
    for (const SeriesRow& row : result.series) in_series += row.requests;
    EXPECT_EQ(in_series, result.requests);
    return result;
  }

  // Echoes after `delay`: without one, virtual time would stand still.
  void ServeLater(absl::Duration delay,
                  std::string_view where = "127.0.0.1:0") {
    ServeEcho(where, [delay](size_t) -> Task<absl::Status> {
      co_return co_await Sleep(delay);
    });
  }

  MonotonicTime Now() { return loop().backend().clock().Now(); }

  LoadOptions options_;
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(ClosedLoopTest);

TEST_P(ClosedLoopTest, EachConnectionWaitsForItsReply) {
  ServeLater(absl::Milliseconds(10));
  const ClosedLoopResult result = Load();
  EXPECT_EQ(result.errors.total(), 0u) << result.errors.first();
  EXPECT_LE(result.requests, 4u * 20u);
  EXPECT_GE(result.latency_ns.min(), 10'000'000u);
  if (system().is_kernel()) return;  // which may be slow
  EXPECT_GE(result.requests, 4u * 19u);
  EXPECT_LE(result.latency_ns.max(), 10'100'000u);
  EXPECT_EQ(result.measured, absl::Milliseconds(200));
}

TEST_P(ClosedLoopTest, ABatchIsAnsweredBeforeTheNextOneIsWritten) {
  options_.mode.depth = 5;
  options_.connections = 1;
  ServeLater(absl::Milliseconds(10));
  const ClosedLoopResult result = Load();
  EXPECT_EQ(result.errors.total(), 0u) << result.errors.first();
  EXPECT_LE(result.requests, 5u * 20u);
  if (!system().is_kernel()) {
    EXPECT_GE(result.requests, 5u * 19u);
  }
}

TEST_P(ClosedLoopTest, AShortConnectionIsMadeForEachRequest) {
  options_.short_connections = true;
  ServeLater(absl::Milliseconds(10));
  const ClosedLoopResult result = Load();
  EXPECT_EQ(result.errors.total(), 0u) << result.errors.first();
  EXPECT_GT(result.requests, 0u);
  EXPECT_GE(accepted(), result.requests);
  EXPECT_EQ(result.opening.opened, 0u);  // it is not about those
}

TEST_P(ClosedLoopTest, OverAUnixSocket) {
  ServeLater(absl::Milliseconds(1), UnixAddress("socket"));
  const ClosedLoopResult result = Load();
  EXPECT_EQ(result.errors.total(), 0u) << result.errors.first();
  EXPECT_GT(result.requests, 0u);
  EXPECT_EQ(result.opening.opened, 4u);
}

TEST_P(ClosedLoopTest, TheRampOpensConnectionsEvenly) {
  options_.connections = 10;
  options_.ramp = absl::Milliseconds(500);
  std::vector<MonotonicTime> accepted_at;
  Serve("127.0.0.1:0", [&](net::TcpStream stream) -> Task<absl::Status> {
    accepted_at.push_back(Now());
    std::array<std::byte, 64> buffer;
    while (true) {
      absl::StatusOr<size_t> n = co_await stream.Read(buffer);
      if (!n.ok() || *n == 0) co_return n.status();
      absl::Status slept = co_await Sleep(absl::Milliseconds(1));
      if (!slept.ok()) co_return slept;
      absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
      if (!sent.ok()) co_return sent;
    }
  });
  const MonotonicTime begin = Now();
  const ClosedLoopResult result = Load();
  EXPECT_EQ(result.opening.opened, 10u);
  EXPECT_EQ(result.opening.failed, 0u);
  EXPECT_EQ(result.opening.connect_ns.count(), 10u);
  EXPECT_GE(result.opening.took, absl::Milliseconds(450));
  ASSERT_EQ(accepted_at.size(), 10u);
  for (int i = 0; i < 10; ++i) {
    const absl::Duration at = accepted_at[static_cast<size_t>(i)] - begin;
    EXPECT_GE(at, absl::Milliseconds(50 * i));
    if (!system().is_kernel()) {
      EXPECT_LE(at, absl::Milliseconds(50 * i + 1));
    }
  }
  // What is measured begins afterwards.
  EXPECT_GE(Now() - begin, absl::Milliseconds(650));
}

TEST_P(ClosedLoopTest, AStopEndsTheRamp) {
  std::atomic<bool> stop{false};
  options_.stop = &stop;
  options_.ramp = absl::Hours(1);
  Serve("127.0.0.1:0", [&](net::TcpStream stream) -> Task<absl::Status> {
    stop = true;
    std::array<std::byte, 64> buffer;
    co_return (co_await stream.Read(buffer)).status();
  });
  const MonotonicTime begin = Now();
  const ClosedLoopResult result = Load();
  EXPECT_LT(Now() - begin, absl::Minutes(10));
  EXPECT_EQ(result.requests, 0u);
}

TEST_P(ClosedLoopTest, ConnectionsThatCannotBeOpenedAreErrors) {
  options_.mode.target.address = NoServer();
  const ClosedLoopResult result = RunClosedLoop(executor(), options_);
  EXPECT_EQ(result.errors.count(ErrorKind::kRefused), 4u);
  EXPECT_EQ(result.opening.failed, 4u);
}

TEST_P(ClosedLoopTest, ByUdpARequestFollowsEachReply) {
  options_.mode.protocol = Protocol::kUdp;
  options_.mode.depth = 3;
  ServeDatagrams([](std::string datagram) {
    return std::vector<DatagramReply>{
        {std::move(datagram), absl::Milliseconds(10)}};
  });
  const ClosedLoopResult result = Load();
  EXPECT_EQ(result.errors.total(), 0u) << result.errors.first();
  EXPECT_LE(result.requests, 4u * 3u * 20u);
  EXPECT_GE(result.latency_ns.min(), 10'000'000u);
  EXPECT_EQ(result.lost, 0u);
  if (!system().is_kernel()) {
    EXPECT_GE(result.requests, 4u * 3u * 19u);
  }
}

TEST_P(ClosedLoopTest, ByUdpALostRequestIsCountedAndReplaced) {
  options_.mode.protocol = Protocol::kUdp;
  options_.mode.loss_timeout = absl::Milliseconds(50);
  options_.connections = 1;
  int n = 0;
  ServeDatagrams([&](std::string datagram) {
    std::vector<DatagramReply> replies;
    if (++n % 2 == 0)
      replies.push_back({std::move(datagram), absl::Milliseconds(1)});
    return replies;
  });
  const ClosedLoopResult result = Load();
  EXPECT_EQ(result.errors.total(), 0u) << result.errors.first();
  EXPECT_GE(result.lost, 2u);
  EXPECT_LE(result.lost, 4u);
  EXPECT_GE(result.requests, 2u);
}

}  // namespace
}  // namespace ringway::loadgen
