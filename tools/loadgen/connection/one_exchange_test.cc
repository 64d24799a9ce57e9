// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/one_exchange.h"

#include <array>
#include <cstddef>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/tcp.h"
#include "ringway/tools/loadgen/error_counts.h"
#include "ringway/tools/loadgen/testing/load_fixture.h"

namespace ringway::loadgen {
namespace {

constexpr size_t kSize = 64;
constexpr absl::Duration kLong = absl::Seconds(30);

class OneExchangeTest : public testing::LoadTest {
 protected:
  static Mode ModeOf(const net::SocketAddress& peer) {
    Mode mode;
    mode.target.address = peer;
    mode.size = kSize;
    return mode;
  }

  // The error of one exchange.
  absl::Status ErrorOf(const net::SocketAddress& peer,
                       absl::Duration patience = kLong) {
    const Mode mode = ModeOf(peer);
    OneExchange exchange(mode, /*index=*/1);
    const absl::StatusOr<MonotonicTime> answered =
        executor().Run(exchange.Run(patience));
    EXPECT_FALSE(answered.ok());
    return answered.status();
  }
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(OneExchangeTest);

// Takes the request and sends back the first `n_bytes` of it.
Task<absl::Status> EchoPartOf(net::TcpStream& stream, size_t n_bytes) {
  std::array<std::byte, kSize> request;
  for (size_t at = 0; at < request.size();) {
    const absl::StatusOr<size_t> n =
        co_await stream.Read(std::span(request).subspan(at));
    if (!n.ok()) co_return n.status();
    at += *n;
  }
  co_return co_await stream.Write(std::span(request).first(n_bytes));
}

TEST_P(OneExchangeTest, MakesAConnectionForEachRequest) {
  for (const std::string& where :
       {std::string("127.0.0.1:0"), UnixAddress("socket")}) {
    const uint64_t before = accepted();
    ServeEcho(where);
    const Mode mode = ModeOf(address());
    OneExchange exchange(mode, /*index=*/1);
    for (int i = 0; i < 5; ++i) {
      const absl::StatusOr<MonotonicTime> answered =
          executor().Run(exchange.Run(kLong));
      EXPECT_TRUE(answered.ok()) << answered.status();
    }
    EXPECT_EQ(accepted() - before, 5u);
  }
}

TEST_P(OneExchangeTest, ReadsWhileItWritesALargeRequest) {
  ServeEcho("127.0.0.1:0");
  // More than the sockets' buffers hold.
  Mode mode = ModeOf(address());
  mode.size = size_t{16} << 20;
  OneExchange exchange(mode, /*index=*/1);
  const absl::StatusOr<MonotonicTime> answered =
      executor().Run(exchange.Run(kLong));
  EXPECT_TRUE(answered.ok()) << answered.status();
}

TEST_P(OneExchangeTest, ARefusedConnectionIsAnError) {
  const absl::Status error = ErrorOf(NoServer());
  EXPECT_EQ(ErrorKindOf(error), ErrorKind::kRefused) << error;
}

TEST_P(OneExchangeTest, AResetIsAnError) {
  Serve("127.0.0.1:0", [](net::TcpStream stream) -> Task<absl::Status> {
    absl::Status sent = co_await EchoPartOf(stream, 1);
    stream.Reset();
    co_return sent;
  });
  const absl::Status error = ErrorOf(address());
  EXPECT_EQ(ErrorKindOf(error), ErrorKind::kReset) << error;
}

TEST_P(OneExchangeTest, ASilentServerTimesOut) {
  Serve("127.0.0.1:0", [](net::TcpStream stream) -> Task<absl::Status> {
    absl::Status sent = co_await EchoPartOf(stream, kSize - 1);
    if (sent.ok()) sent = co_await Sleep(absl::InfiniteDuration());
    co_return sent;
  });
  const absl::Status error = ErrorOf(address(), absl::Milliseconds(50));
  EXPECT_EQ(error, absl::DeadlineExceededError("no reply within 50ms"));
}

TEST_P(OneExchangeTest, AReplyThatIsShortIsAnError) {
  Serve("127.0.0.1:0", [](net::TcpStream stream) -> Task<absl::Status> {
    co_return co_await EchoPartOf(stream, kSize - 3);
  });
  EXPECT_EQ(ErrorOf(address()),
            absl::OutOfRangeError(
                "the server hung up with 3 bytes of replies missing"));
}

TEST_P(OneExchangeTest, AReplyThatDiffersIsAnErrorAndTheNextOneIsCompared) {
  int connections = 0;
  Serve("127.0.0.1:0", [&](net::TcpStream stream) -> Task<absl::Status> {
    if (++connections > 1) co_return co_await EchoPartOf(stream, kSize);
    const std::array<std::byte, kSize> zeros = {};
    absl::Status sent = co_await EchoPartOf(stream, 5);
    if (sent.ok()) sent = co_await stream.Write(zeros);
    co_return sent;
  });
  const Mode mode = ModeOf(address());
  OneExchange exchange(mode, /*index=*/1);
  absl::StatusOr<MonotonicTime> answered = executor().Run(exchange.Run(kLong));
  EXPECT_EQ(ErrorKindOf(answered.status()), ErrorKind::kWrongReply)
      << answered.status();
  answered = executor().Run(exchange.Run(kLong));
  EXPECT_TRUE(answered.ok()) << answered.status();
}

}  // namespace
}  // namespace ringway::loadgen
