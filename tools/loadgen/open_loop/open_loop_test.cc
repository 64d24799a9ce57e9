// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/open_loop.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/net/tcp.h"
#include "ringway/tools/loadgen/error_counts.h"
#include "ringway/tools/loadgen/testing/load_fixture.h"

namespace ringway::loadgen {
namespace {

constexpr size_t kSize = 64;

class OpenLoopTest : public testing::LoadTest {
 protected:
  OpenLoopTest() {
    options_.load.connections = 4;
    options_.load.mode.size = kSize;
    options_.load.warmup = absl::ZeroDuration();
    options_.load.patience = absl::Seconds(30);
  }

  OpenLoopResult Load(uint64_t rate, absl::Duration length) {
    options_.phases = {Phase(rate, length)};
    return LoadPhases();
  }
  OpenLoopResult LoadPhases() {
    options_.load.mode.target.address = address();
    const OpenLoopResult result = RunOpenLoop(executor(), options_);
    // Of each request it is known what became of it.
    const PhaseCounts& total = result.total;
    EXPECT_EQ(total.offered,
              total.answered + total.dropped + total.lost + result.unanswered);
    EXPECT_GE(total.sent, total.answered);
    EXPECT_EQ(total.latency_ns.count(), total.answered);
    EXPECT_EQ(total.late_ns.count(), total.offered);
    return result;
  }

  MonotonicTime Now() { return loop().backend().clock().Now(); }

  // Answers until request number `n`, then not for `stall`.
  BeforeEcho StallAt(uint64_t n, absl::Duration stall) {
    bytes_ = 0;
    return [this, n, stall](size_t n_bytes) -> Task<absl::Status> {
      const bool was_before = bytes_ < n * kSize;
      bytes_ += n_bytes;
      if (was_before && bytes_ >= n * kSize) stalled_until_ = Now() + stall;
      co_return co_await SleepUntil(stalled_until_);
    };
  }

  // Takes `time` for each request, one after another, of all connections.
  Handler Taking(absl::Duration time) {
    return [this, time](net::TcpStream stream) -> Task<absl::Status> {
      std::array<std::byte, kSize> request;
      while (true) {
        absl::StatusOr<size_t> n = co_await stream.Read(request);
        if (!n.ok() || *n == 0) co_return n.status();
        EXPECT_EQ(*n, kSize);
        free_at_ = std::max(free_at_, Now()) + time;
        static_cast<void>(co_await SleepUntil(free_at_));
        absl::Status sent = co_await stream.Write(request);
        if (!sent.ok()) co_return sent;
      }
    };
  }

  void ServeSilence() {
    Serve("127.0.0.1:0", [](net::TcpStream stream) -> Task<absl::Status> {
      std::array<std::byte, kSize> buffer;
      while (true) {
        absl::StatusOr<size_t> n = co_await stream.Read(buffer);
        if (!n.ok() || *n == 0) co_return n.status();
      }
    });
  }

  OpenLoopOptions options_;

 private:
  uint64_t bytes_ = 0;
  MonotonicTime stalled_until_;
  MonotonicTime free_at_;
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(OpenLoopTest);

TEST_P(OpenLoopTest, OffersWhatItShouldAndGetsAllAnswers) {
  for (const std::string& where :
       {std::string("127.0.0.1:0"), UnixAddress("socket")}) {
    SCOPED_TRACE(where);
    ServeEcho(where);
    const uint64_t before = accepted();
    const OpenLoopResult result = Load(1'000, absl::Milliseconds(200));
    EXPECT_EQ(result.total.offered, 200u);
    EXPECT_EQ(result.total.sent, 200u);
    EXPECT_EQ(result.total.answered, 200u);
    EXPECT_EQ(result.unanswered, 0u);
    EXPECT_EQ(result.errors.total(), 0u) << result.errors.first();
    EXPECT_GE(result.total.took, absl::Milliseconds(200));
    EXPECT_EQ(accepted() - before, 4u);
  }
}

TEST_P(OpenLoopTest, AShortConnectionIsMadeForEachRequest) {
  options_.load.short_connections = true;
  for (const std::string& where :
       {std::string("127.0.0.1:0"), UnixAddress("socket")}) {
    SCOPED_TRACE(where);
    ServeEcho(where);
    const uint64_t before = accepted();
    const OpenLoopResult result = Load(1'000, absl::Milliseconds(200));
    EXPECT_EQ(result.total.offered, 200u);
    EXPECT_EQ(result.total.answered, 200u);
    EXPECT_EQ(result.errors.total(), 0u) << result.errors.first();
    EXPECT_EQ(accepted() - before, 200u);
  }
}

// What a closed loop omits: it would have had four requests wait.
TEST_P(OpenLoopTest, AServerThatStallsShowsInThePercentiles) {
  for (const bool short_connections : {false, true}) {
    options_.load.short_connections = short_connections;
    options_.load.connections = short_connections ? 300 : 4;
    ServeEcho("127.0.0.1:0", StallAt(100, absl::Milliseconds(300)));
    // At least 300 of 1,000 requests are due while it stalls; a hundredth of
    // all is due in its first 10 ms.
    const OpenLoopResult result = Load(1'000, absl::Seconds(1));
    EXPECT_EQ(result.total.answered, 1'000u);
    const auto percentile = [&](double p) {
      return absl::Nanoseconds(result.total.latency_ns.ValueAtPercentile(p));
    };
    EXPECT_GE(percentile(99), absl::Milliseconds(285));
    EXPECT_GE(percentile(90), absl::Milliseconds(195));
    if (system().is_kernel()) continue;
    EXPECT_LE(percentile(100), absl::Milliseconds(301));
    EXPECT_LE(percentile(50), absl::Milliseconds(1));
  }
}

TEST_P(OpenLoopTest, AFullQueueDropsRequests) {
  options_.queue = 10;
  options_.load.connections = 2;
  options_.load.patience = absl::Milliseconds(500);
  ServeSilence();
  const OpenLoopResult result = Load(1'000, absl::Milliseconds(100));
  EXPECT_EQ(result.total.offered, 100u);
  EXPECT_EQ(result.total.sent, 20u);
  EXPECT_EQ(result.total.dropped, 80u);
  EXPECT_EQ(result.total.backlog, 20u);
  EXPECT_EQ(result.unanswered, 20u);
  EXPECT_EQ(result.errors.total(), 0u) << result.errors.first();
}

TEST_P(OpenLoopTest, ShortConnectionsBeyondTheLimitWaitAndAreThenDropped) {
  options_.queue = 10;
  options_.load.connections = 3;
  options_.load.short_connections = true;
  ServeSilence();
  options_.load.patience = absl::Seconds(1);  // longer than what is measured
  const OpenLoopResult result = Load(1'000, absl::Milliseconds(50));
  EXPECT_EQ(result.total.offered, 50u);
  EXPECT_EQ(result.total.dropped, 37u);
  EXPECT_EQ(result.total.backlog, 13u);
  // Those that are connected time out, or are given up at the same time.
  EXPECT_EQ(result.total.answered, 0u);
  EXPECT_LE(result.errors.count(ErrorKind::kTimedOut), 3u);
  EXPECT_EQ(result.errors.count(ErrorKind::kTimedOut), result.errors.total());
}

TEST_P(OpenLoopTest, RequestsOfAConnectionThatFailsAreLost) {
  int connections = 0;
  options_.load.connections = 2;
  // The first connection is closed at its first request.
  Serve("127.0.0.1:0", [&](net::TcpStream stream) -> Task<absl::Status> {
    const bool first = connections++ == 0;
    std::array<std::byte, kSize> buffer;
    while (true) {
      absl::StatusOr<size_t> n = co_await stream.Read(buffer);
      if (!n.ok() || *n == 0 || first) co_return n.status();
      absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
      if (!sent.ok()) co_return sent;
    }
  });
  const OpenLoopResult result = Load(1'000, absl::Milliseconds(100));
  EXPECT_EQ(result.total.offered, 100u);
  EXPECT_GE(result.total.lost, 1u);
  EXPECT_EQ(result.total.dropped, 0u);
  EXPECT_EQ(result.unanswered, 0u);
  EXPECT_EQ(result.errors.total(), 1u);
  EXPECT_EQ(result.phases[0].errors, 1u);
}

TEST_P(OpenLoopTest, EndsWhenNoConnectionIsLeft) {
  Serve("127.0.0.1:0", [](net::TcpStream stream) -> Task<absl::Status> {
    std::array<std::byte, kSize> buffer;
    co_return (co_await stream.Read(buffer)).status();
  });
  const OpenLoopResult result = Load(1'000, absl::Hours(1));
  EXPECT_EQ(result.errors.total(), 4u);
  EXPECT_EQ(result.errors.count(ErrorKind::kClosedEarly) +
                result.errors.count(ErrorKind::kReset),
            4u);
  EXPECT_LT(result.total.took, absl::Minutes(10));
}

TEST_P(OpenLoopTest, AWrongReplyEndsItsConnection) {
  options_.load.connections = 1;
  Serve("127.0.0.1:0", [](net::TcpStream stream) -> Task<absl::Status> {
    std::array<std::byte, kSize> buffer;
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    buffer[7] ^= std::byte{1};
    co_return co_await stream.Write(std::span(buffer).first(*n));
  });
  const OpenLoopResult result = Load(100, absl::Hours(1));
  EXPECT_EQ(result.errors.total(), 1u);
  EXPECT_TRUE(result.errors.first().starts_with(
      "connection 0: byte 7 of the reply to request 0 is"))
      << result.errors.first();
}

TEST_P(OpenLoopTest, ARefusedConnectionIsAnError) {
  const net::SocketAddress nowhere = NoServer();
  options_.load.mode.target.address = nowhere;
  options_.phases = {Phase(1'000, absl::Milliseconds(20))};
  const OpenLoopResult stays = RunOpenLoop(executor(), options_);
  EXPECT_EQ(stays.errors.count(ErrorKind::kRefused), 4u);
  EXPECT_TRUE(stays.phases.empty());
  options_.load.short_connections = true;
  const OpenLoopResult shorts = RunOpenLoop(executor(), options_);
  EXPECT_EQ(shorts.errors.count(ErrorKind::kRefused), 20u);
  EXPECT_EQ(shorts.total.lost, 20u);
  EXPECT_EQ(shorts.errors.total(), 20u);
}

TEST_P(OpenLoopTest, TheWarmUpIsNotCounted) {
  options_.load.warmup = absl::Milliseconds(100);
  ServeEcho("127.0.0.1:0");
  const OpenLoopResult result = Load(1'000, absl::Milliseconds(50));
  ASSERT_EQ(result.phases.size(), 1u);
  EXPECT_EQ(result.total.offered, 50u);
  EXPECT_EQ(result.total.answered, 50u);
}

TEST_P(OpenLoopTest, AnInterruptEndsItWithTheFiguresSoFar) {
  std::atomic<bool> stop{false};
  options_.load.stop = &stop;
  uint64_t bytes = 0;
  ServeEcho("127.0.0.1:0", [&](size_t n_bytes) -> Task<absl::Status> {
    bytes += n_bytes;
    if (bytes >= 50 * kSize) stop = true;
    co_return absl::OkStatus();
  });
  options_.phases = {Phase(1'000, absl::Hours(1)),
                     Phase(1'000, absl::Hours(1))};
  const OpenLoopResult result = LoadPhases();
  ASSERT_EQ(result.phases.size(), 1u);
  EXPECT_GE(result.total.offered, 50u);
  EXPECT_LT(result.total.took, absl::Minutes(10));
}

TEST_P(OpenLoopTest, RequestsMayBeLargerThanAllBuffers) {
  options_.load.mode.size = size_t{4} << 20;
  options_.load.connections = 2;
  ServeEcho("127.0.0.1:0");
  const OpenLoopResult result = Load(100, absl::Milliseconds(40));
  EXPECT_EQ(result.total.answered, 4u);
  EXPECT_EQ(result.errors.total(), 0u) << result.errors.first();
}

TEST_P(OpenLoopTest, ThreeTimesTheCapacityAndBack) {
  if (system().is_kernel()) GTEST_SKIP() << "needs virtual time";
  options_.queue = 50;
  options_.phases = {Phase(500, absl::Seconds(1)),
                     Phase(3'000, absl::Seconds(2)),
                     Phase(500, absl::Seconds(2))};
  Serve("127.0.0.1:0", Taking(absl::Milliseconds(1)));
  const OpenLoopResult result = LoadPhases();
  ASSERT_EQ(result.phases.size(), 3u);
  const PhaseCounts& before = result.phases[0];
  const PhaseCounts& overload = result.phases[1];
  const PhaseCounts& after = result.phases[2];
  EXPECT_EQ(before.offered, 500u);
  EXPECT_EQ(before.dropped, 0u);
  EXPECT_LE(before.backlog, 2u);
  EXPECT_TRUE(before.recovered_after.has_value());
  // It answers what it can, and holds what the queues hold.
  EXPECT_EQ(overload.offered, 6'000u);
  EXPECT_NEAR(static_cast<double>(overload.answers), 2'000, 60);
  EXPECT_NEAR(static_cast<double>(overload.backlog), 200, 10);
  EXPECT_EQ(overload.recovered_after, std::nullopt);
  EXPECT_GE(overload.latency_ns.ValueAtPercentile(50), 150'000'000u);
  // 200 requests are worked off at 500 a second more than come in: after
  // 400 ms. A window is 400 ms long, so the second one shows it.
  EXPECT_LE(after.dropped, 4u);  // the queues are still full
  EXPECT_EQ(after.offered, 1'000u);
  EXPECT_EQ(after.recovered_after, absl::Milliseconds(800));
}

TEST_P(OpenLoopTest, TheSeriesCountsWhatWasOfferedAndAnsweredByItsTime) {
  options_.load.warmup = absl::Milliseconds(50);
  ServeEcho("127.0.0.1:0", StallAt(150, absl::Milliseconds(70)));
  const OpenLoopResult result = Load(1'000, absl::Milliseconds(300));
  uint64_t offered = 0;
  uint64_t requests = 0;
  uint64_t slowest = 0;
  size_t silent = 0;
  for (const SeriesRow& row : result.series) {
    offered += row.offered;
    requests += row.requests;
    slowest = std::max(slowest, row.max_ns);
    if (row.requests == 0) ++silent;
  }
  EXPECT_EQ(offered, result.total.offered);
  EXPECT_EQ(requests, result.total.answers);
  EXPECT_GE(slowest, 60'000'000u);
  if (system().is_kernel()) return;  // which may run this late
  EXPECT_EQ(result.series.size(), 30u);
  EXPECT_EQ(silent, 6u);
}

}  // namespace
}  // namespace ringway::loadgen
