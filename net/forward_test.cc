// SPDX-License-Identifier: Apache-2.0
//
// Forward(), ForwardExactly() and ForwardBoth(): content, half-close, pace, and
// what a failure of one side does to the other.

#include "ringway/net/forward.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::Pattern;
using testing::Peer;
using testing::PeerInput;
using testing::TurnTimes;
using testing::ValueOf;

// client <-> near_client (forwarded) near_server <-> server
class ForwardTest : public NetTest {
 protected:
  void Connect() {
    Connected first = ConnectedTcp(system());
    near_client_ = Adopt(std::move(first.near_end));
    client_ = std::move(first.far_end);
    Connected second = ConnectedTcp(system());
    near_server_ = Adopt(std::move(second.near_end));
    server_ = std::move(second.far_end);
  }

  void Disconnect() {
    near_client_ = TcpStream();
    near_server_ = TcpStream();
    client_.Close();
    server_.Close();
  }

  template <typename Test>
  void RunConnected(Test test) {
    auto main = [&]() -> Task<void> {
      Connect();
      co_await test();
      Disconnect();
    };
    Run(main());
  }

  TcpStream near_client_;
  TcpStream near_server_;
  Peer client_;
  Peer server_;
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(ForwardTest);

Task<void> SendAndShutDown(Peer& peer, const std::vector<std::byte>& bytes) {
  co_await peer.SendAll(bytes);
  peer.ShutdownWrite();
}

TEST_P(ForwardTest, PassesOnBothDirectionsAndBothEnds) {
  RunConnected([&]() -> Task<void> {
    const std::vector<std::byte> question = Pattern(3'000'000, 1);
    const std::vector<std::byte> answer = Pattern(2'000'000, 2);
    Task<absl::StatusOr<ForwardedBytes>> forward =
        ForwardBoth(near_client_, near_server_);
    JoinHandle<absl::StatusOr<ForwardedBytes>> forwarded =
        Spawn(std::move(forward));
    JoinHandle<void> asked = Spawn(SendAndShutDown(client_, question));
    // The server answers when the question has ended.
    const PeerInput heard = co_await server_.ReceiveAll();
    EXPECT_TRUE(heard.bytes == AsString(question));
    JoinHandle<void> answered = Spawn(SendAndShutDown(server_, answer));
    EXPECT_TRUE((co_await client_.ReceiveAll()).bytes == AsString(answer));
    const ForwardedBytes bytes = ValueOf(co_await forwarded);
    EXPECT_EQ(bytes.from_first, question.size());
    EXPECT_EQ(bytes.from_second, answer.size());
    EXPECT_EQ(co_await asked, absl::OkStatus());
    EXPECT_EQ(co_await answered, absl::OkStatus());
  });
}

TEST_P(ForwardTest, EmptyStreamsEndToo) {
  RunConnected([&]() -> Task<void> {
    client_.ShutdownWrite();
    server_.ShutdownWrite();
    const ForwardedBytes bytes =
        ValueOf(co_await ForwardBoth(near_client_, near_server_));
    EXPECT_EQ(bytes.from_first + bytes.from_second, 0u);
    EXPECT_TRUE(client_.AtEnd());
    EXPECT_TRUE(server_.AtEnd());
  });
}

// A server that dies takes the direction that only waits with it.
TEST_P(ForwardTest, AFailureOfOneDirectionEndsBoth) {
  RINGWAY_REQUIRES_KERNEL("resets");
  RunConnected([&]() -> Task<void> {
    Task<absl::StatusOr<ForwardedBytes>> forward =
        ForwardBoth(near_client_, near_server_);
    JoinHandle<absl::StatusOr<ForwardedBytes>> forwarded =
        Spawn(std::move(forward));
    client_.Send("question");
    EXPECT_EQ(co_await server_.Receive(8), "question");
    server_.Reset();
    EXPECT_EQ(ErrnoOf((co_await forwarded).status()), ECONNRESET);
    EXPECT_TRUE(near_client_.valid());
    EXPECT_TRUE(near_server_.valid());
  });
}

TEST_P(ForwardTest, CancellingEndsBothDirections) {
  RunConnected([&]() -> Task<void> {
    const absl::StatusOr<ForwardedBytes> forwarded = co_await WithTimeout(
        absl::Milliseconds(5), ForwardBoth(near_client_, near_server_));
    EXPECT_TRUE(absl::IsDeadlineExceeded(forwarded.status()));
    // Both streams are as before.
    client_.Send("still");
    std::array<std::byte, 5> bytes;
    EXPECT_EQ(ValueOf(co_await near_client_.Read(bytes)), 5u);
  });
}

// While the sink takes nothing, what is held is bounded, and the client has to
// wait.
TEST_P(ForwardTest, ASinkThatTakesNothingStopsTheSource) {
  RunConnected([&]() -> Task<void> {
    JoinHandle<absl::StatusOr<uint64_t>> forwarded =
        Spawn(Forward(near_client_.reader(), near_server_.writer()));
    size_t sent = 0;
    for (int turns_without = 0; turns_without < 50;) {
      const size_t n = client_.Fill();
      sent += n;
      turns_without = n == 0 ? turns_without + 1 : 0;
      co_await TurnTimes(2);
      EXPECT_LT(sent, size_t{64} << 20) << "nothing stops it";
      if (HasFailure()) break;
    }
    EXPECT_LE(loop().stats().buffers_lent, 2u);
    // It goes on when the sink does.
    client_.ShutdownWrite();
    EXPECT_EQ((co_await server_.ReceiveAll()).bytes.size(), sent);
    EXPECT_EQ(ValueOf(co_await forwarded), sent);
  });
}

TEST_P(ForwardTest, AnExactNumberLeavesTheRest) {
  RunConnected([&]() -> Task<void> {
    BufferedReader in(near_client_.reader());
    const std::string body = AsString(Pattern(50'000, 3));
    client_.Send("PUT\n" + body + "next\n");
    EXPECT_EQ(ValueOf(co_await in.ReadLine(100)), "PUT");
    JoinHandle<std::string> heard = Spawn(server_.Receive(body.size()));
    EXPECT_EQ(ValueOf(co_await ForwardExactly(in, near_server_.writer(),
                                              body.size())),
              body.size());
    EXPECT_TRUE(ValueOf(co_await heard) == body);
    EXPECT_EQ(ValueOf(co_await in.ReadLine(100)), "next");
    // Short where the stream ends, and the sink stays open.
    client_.Send("abc");
    client_.ShutdownWrite();
    EXPECT_EQ(ValueOf(co_await ForwardExactly(in, near_server_.writer(), 10)),
              3u);
    EXPECT_EQ(co_await near_server_.Write(Bytes("d")), absl::OkStatus());
    EXPECT_EQ(co_await server_.Receive(4), "abcd");
  });
}

TEST_P(ForwardTest, AClosedSinkIsAnErrorAndTheBytesStayInTheReader) {
  RunConnected([&]() -> Task<void> {
    BufferedReader in(near_client_.reader());
    StreamWriter sink = near_server_.writer();
    EXPECT_EQ(co_await near_server_.Close(), absl::OkStatus());
    client_.Send("kept");
    EXPECT_EQ((co_await ForwardExactly(in, sink, 4)).status().code(),
              absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(AsString(in.Peek()), "kept");
  });
}

}  // namespace
}  // namespace ringway::net
