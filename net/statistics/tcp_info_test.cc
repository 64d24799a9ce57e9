// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/statistics/tcp_info.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/net/stream_pair.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::Pattern;
using testing::ValueOf;

using TcpInfoTest = NetTest;
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(TcpInfoTest);

TEST_P(TcpInfoTest, CountsTheBytesOfBothDirections) {
  RINGWAY_REQUIRES_KERNEL("TCP_INFO");
  const std::vector<std::byte> bytes = Pattern(10'000, 1);
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    EXPECT_EQ(co_await stream.Write(bytes), absl::OkStatus());
    EXPECT_EQ((co_await pair.far_end.Receive(bytes.size())).size(),
              bytes.size());
    pair.far_end.Send("answer");
    std::vector<std::byte> buffer(6);
    EXPECT_EQ(ValueOf(co_await stream.Read(buffer)), 6u);

    const TcpInfo info = ValueOf(TcpInfoOf(stream));
    EXPECT_EQ(info.bytes_received, 6u);
    // The kernel counts the handshake's number, too.
    EXPECT_GE(info.bytes_acknowledged, bytes.size());
    EXPECT_LE(info.bytes_acknowledged, bytes.size() + 1);
    EXPECT_EQ(info.bytes_not_sent, 0u);
    EXPECT_GT(info.round_trip, absl::ZeroDuration());
    EXPECT_LT(info.round_trip, absl::Seconds(10));
    EXPECT_GT(info.congestion_window, 0u);
    EXPECT_GT(info.send_segment_bytes, 500u);
  };
  Run(main());
}

TEST_P(TcpInfoTest, OtherStreamsHaveNone) {
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    EXPECT_FALSE(TcpInfoOf(pair.first).ok());
    EXPECT_EQ(co_await pair.first.Close(), absl::OkStatus());
    EXPECT_EQ(TcpInfoOf(pair.first).status().code(),
              absl::StatusCode::kFailedPrecondition);
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
