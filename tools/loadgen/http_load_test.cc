// SPDX-License-Identifier: Apache-2.0
//
// Both loops with a server of HTTP/1.1.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/net/tcp.h"
#include "ringway/tools/loadgen/closed_loop/closed_loop.h"
#include "ringway/tools/loadgen/open_loop/open_loop.h"
#include "ringway/tools/loadgen/testing/load_fixture.h"

namespace ringway::loadgen {
namespace {

constexpr absl::Duration kDelay = absl::Milliseconds(20);
constexpr uint64_t kOffered = 60;  // in an open loop
constexpr std::string_view kOk =
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

class HttpLoadTest : public testing::LoadTest {
 protected:
  HttpLoadTest() {
    options_.load.connections = 4;
    options_.load.warmup = absl::ZeroDuration();
    options_.load.duration = absl::Milliseconds(400);
    options_.load.patience = absl::Seconds(30);
    options_.load.mode.protocol = Protocol::kHttp1;
    options_.load.mode.http.authority = "server.test";
    options_.phases = {Phase(150, absl::Milliseconds(400))};
  }

  // Answers each request, on all connections, with what `respond` returns for
  // its number, after kDelay. Closes a connection after `Connection: close`.
  void ServeHttp(std::function<std::string(uint64_t number)> respond) {
    respond_ = std::move(respond);
    Serve("127.0.0.1:0",
          [this](net::TcpStream stream) { return Answer(std::move(stream)); });
    options_.load.mode.target.address = address();
  }

  ClosedLoopResult Closed() { return RunClosedLoop(executor(), options_.load); }
  OpenLoopResult Open() { return RunOpenLoop(executor(), options_); }

  // Within one per cent.
  void ExpectDelay(const Histogram& latency_ns) {
    EXPECT_GE(latency_ns.min(), 20'000'000u);
    if (system().is_kernel()) return;  // which may be slow
    EXPECT_LE(latency_ns.max(), 20'200'000u);
  }

  OpenLoopOptions options_;

 private:
  Task<absl::Status> Answer(net::TcpStream stream) {
    std::string received;
    std::string chunk(4096, '\0');
    while (true) {
      const size_t end = received.find("\r\n\r\n");
      if (end == std::string::npos) {
        absl::StatusOr<size_t> n =
            co_await stream.Read(std::as_writable_bytes(std::span(chunk)));
        if (!n.ok() || *n == 0) co_return n.status();
        received += chunk.substr(0, *n);
        continue;
      }
      received.erase(0, end + 4);
      const std::string response = respond_(n_requests_++);
      absl::Status slept = co_await Sleep(kDelay);
      if (!slept.ok()) co_return slept;
      absl::Status sent =
          co_await stream.Write(std::as_bytes(std::span(response)));
      if (!sent.ok() || response.find("close\r\n") != std::string::npos)
        co_return sent;
    }
  }

  std::function<std::string(uint64_t number)> respond_;
  uint64_t n_requests_ = 0;
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpLoadTest);

TEST_P(HttpLoadTest, AClosedLoopMeasuresTheServersTime) {
  ServeHttp([](uint64_t) { return std::string(kOk); });
  const ClosedLoopResult result = Closed();
  EXPECT_EQ(result.errors.total(), 0u) << result.errors.first();
  EXPECT_LE(result.requests, 4u * 20u);
  if (!system().is_kernel()) {
    EXPECT_GE(result.requests, 4u * 19u);
  }
  EXPECT_EQ(options_.load.mode.expected->body_bytes(), 5u);
  EXPECT_EQ(result.reopened, 0u);
  EXPECT_EQ(accepted(), 4u);
  ExpectDelay(result.latency_ns);
}

TEST_P(HttpLoadTest, AnOpenLoopMeasuresTheServersTime) {
  ServeHttp([](uint64_t) { return std::string(kOk); });
  const OpenLoopResult result = Open();
  EXPECT_EQ(result.errors.total(), 0u) << result.errors.first();
  EXPECT_EQ(result.total.answered, kOffered);
  ExpectDelay(result.total.latency_ns);
}

// One request of a connection at a time: the next one waits, and its latency
// counts that.
TEST_P(HttpLoadTest, AnOpenLoopDoesNotPipeline) {
  options_.load.connections = 1;
  ServeHttp([](uint64_t) { return std::string(kOk); });
  const OpenLoopResult result = Open();
  EXPECT_EQ(result.total.answered, kOffered);
  // 60 requests of 20 ms that are due within 400 ms.
  EXPECT_GE(result.total.latency_ns.max(), 780'000'000u);
}

TEST_P(HttpLoadTest, AConnectionThatTheServerClosesIsOpenedAgain) {
  ServeHttp([](uint64_t number) {
    return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n",
                        number % 3 == 2 ? "Connection: close\r\n" : "",
                        "\r\na");
  });
  const ClosedLoopResult closed = Closed();
  EXPECT_EQ(closed.errors.total(), 0u) << closed.errors.first();
  EXPECT_GT(closed.reopened, 10u);
  const OpenLoopResult open = Open();
  EXPECT_EQ(open.errors.total(), 0u) << open.errors.first();
  EXPECT_EQ(open.total.answered, kOffered);
  EXPECT_GT(open.total.reopened, 10u);
}

TEST_P(HttpLoadTest, AConnectionForEachRequest) {
  options_.load.short_connections = true;
  options_.load.mode.http.close = true;
  ServeHttp([](uint64_t) {
    return std::string(
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the "
        "end");
  });
  const ClosedLoopResult closed = Closed();
  EXPECT_EQ(closed.errors.total(), 0u) << closed.errors.first();
  EXPECT_GT(closed.requests, 10u);
  EXPECT_GE(accepted(), closed.requests);
  ExpectDelay(closed.latency_ns);
  const OpenLoopResult open = Open();
  EXPECT_EQ(open.errors.total(), 0u) << open.errors.first();
  EXPECT_EQ(open.total.answered, kOffered);
}

TEST_P(HttpLoadTest, ABadStatusIsAnErrorAndTheConnectionGoesOn) {
  ServeHttp([](uint64_t number) {
    return number % 2 == 0
               ? std::string(kOk)
               : std::string("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
  });
  const ClosedLoopResult closed = Closed();
  EXPECT_GT(closed.requests, 10u);
  EXPECT_GT(closed.errors.count(ErrorKind::kBadStatus), 10u);
  EXPECT_EQ(closed.errors.total(), closed.errors.count(ErrorKind::kBadStatus));
  EXPECT_EQ(accepted(), 4u);
  const OpenLoopResult open = Open();
  EXPECT_EQ(open.total.offered, kOffered);
  EXPECT_EQ(open.total.answered, kOffered / 2);
  EXPECT_EQ(open.total.lost, kOffered / 2);
  EXPECT_EQ(open.errors.count(ErrorKind::kBadStatus), kOffered / 2);
}

}  // namespace
}  // namespace ringway::loadgen
