// SPDX-License-Identifier: Apache-2.0
//
// Deadlines, limits and ends of WebSockets: peers that do nothing, and a server
// that drains.

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/http/websocket/testing/websocket_fixture.h"

namespace ringway::http::testing {
namespace {

using WebSocketEndTest = WebSocketTest;
using ringway::testing::FewestAllocations;

constexpr absl::Duration kSoon = absl::Milliseconds(100);

WebSocketOptions Impatient() {
  WebSocketOptions options;
  options.ping_interval = kSoon;
  options.pong_timeout = kSoon;
  options.close_timeout = kSoon;
  return options;
}

ServerOptions ImpatientServer() {
  ServerOptions options;
  options.write_timeout = kSoon;
  options.request_timeout = kSoon;
  options.goodbye_timeout = kSoon;
  return options;
}

// With a request_timeout that is shorter than the socket's life.
TEST_P(WebSocketEndTest, APeerIsPingedAsLongAsItAnswers) {
  ServeSockets(Echo(), Impatient(), ImpatientServer());
  auto main = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open();
    for (int i = 0; i < 3; ++i) {
      const std::optional<Frame> ping = co_await peer.Next();
      EXPECT_TRUE(ping.has_value() && ping->opcode == kPing);
      if (!ping.has_value()) co_return;
      co_await peer.Send(kPong, ping->payload);
    }
    co_await peer.Send(kText, "alive");
    EXPECT_EQ(co_await NextPayload(peer), "alive");
    // Then it does not.
    const std::optional<Frame> ping = co_await peer.Next();
    EXPECT_TRUE(ping.has_value() && ping->opcode == kPing);
    EXPECT_EQ(co_await peer.Next(), std::nullopt);
  };
  Run(main());
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_TRUE(ended[0].starts_with("DEADLINE_EXCEEDED")) << ended[0];
}

TEST_P(WebSocketEndTest, APeerThatAnswersNoCloseIsLeft) {
  WebSocketHandler at_once = [](Request&, WebSocket&) -> Task<absl::Status> {
    co_return absl::OkStatus();
  };
  ServeSockets(at_once, Impatient(), ImpatientServer());
  auto main = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open();
    const std::optional<Frame> close = co_await peer.Next();
    EXPECT_TRUE(close.has_value() && close->opcode == kClose);
    const MonotonicTime begun = loop().now();
    // It goes on sending, which gains it no time.
    for (int i = 0; i < 50; ++i) {
      Task<bool> send = peer.Send(kText, "still here");
      if (!co_await std::move(send)) break;
      (co_await Sleep(absl::Milliseconds(10))).IgnoreError();
      if (server().connections() == 0) break;
    }
    EXPECT_LT(loop().now() - begun, 4 * kSoon);
  };
  Run(main());
}

TEST_P(WebSocketEndTest, APeerThatNeverReadsIsCut) {
  absl::Status sent;
  ServeSockets(
      [&sent](Request&, WebSocket& socket) -> Task<absl::Status> {
        const std::string large(1 << 20, 'a');
        for (int i = 0; i < 100 && sent.ok(); ++i) {
          Task<absl::Status> send = socket.SendText(large);
          sent = co_await std::move(send);
        }
        EXPECT_TRUE(socket.closed());
        co_return sent;
      },
      Impatient(), ImpatientServer());
  auto main = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open();
    co_await UntilOpen(0);
  };
  Run(main());
  EXPECT_TRUE(absl::IsDeadlineExceeded(sent)) << sent;
}

// It cannot receive the answers of its pings, and is not read for that.
TEST_P(WebSocketEndTest, APeerThatOnlyPingsIsCut) {
  ServeSockets(Echo(), WebSocketOptions(), ImpatientServer());
  auto main = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open();
    std::string pings;
    for (int i = 0; i < 500; ++i)
      pings += ClientFrame(kPing, std::string(125, 'p'));
    for (int i = 0; i < 2'000 && server().connections() > 0; ++i) {
      Task<bool> say = peer.client().Say(pings);
      if (!co_await std::move(say)) break;
    }
    co_await UntilOpen(0);
  };
  Run(main());
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_FALSE(ended[0].starts_with("OK")) << ended[0];
}

// More than a socket takes at once.
std::string LargeText() { return std::string(16 << 20, 'l'); }

using Received = absl::StatusOr<std::optional<WebSocketMessage>>;

// It cannot answer a ping that waits behind what it is being sent.
TEST_P(WebSocketEndTest, APeerThatIsBeingSentAMessageIsNotPinged) {
  ServeSockets(
      [](Request&, WebSocket& socket) -> Task<absl::Status> {
        JoinHandle<Received> receiving = Spawn(socket.Receive());
        const std::string large = LargeText();
        Task<absl::Status> send = socket.SendText(large);
        EXPECT_TRUE((co_await std::move(send)).ok());
        Task<absl::Status> close = socket.Close();
        EXPECT_TRUE((co_await std::move(close)).ok());
        const Received received = co_await receiving;
        EXPECT_TRUE(received.ok() && !received->has_value())
            << received.status();
        co_return received.status();
      },
      Impatient());
  auto main = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open();
    (co_await Sleep(5 * kSoon)).IgnoreError();
    EXPECT_TRUE(ended.empty());
    const std::optional<Frame> large = co_await peer.Next();
    EXPECT_TRUE(large.has_value() && large->payload.size() == 16 << 20);
    const std::optional<Frame> close = co_await peer.Next();
    EXPECT_TRUE(close.has_value() && close->opcode == kClose);
    co_await peer.Send(kClose);
    EXPECT_EQ(co_await peer.Next(), std::nullopt);
  };
  Run(main());
}

TEST_P(WebSocketEndTest, NothingFollowsAClose) {
  Event closing;
  ServeSockets([&closing](Request&, WebSocket& socket) -> Task<absl::Status> {
    const std::string large = LargeText();
    JoinHandle<absl::Status> sending = Spawn(socket.SendText(large));
    Task<Received> receive = socket.Receive();
    EXPECT_TRUE((co_await std::move(receive)).ok());
    closing.Set();
    // Behind the message, and before the pong that is due.
    Task<absl::Status> close = socket.Close();
    EXPECT_TRUE((co_await std::move(close)).ok());
    EXPECT_TRUE((co_await sending).ok());
    co_return absl::OkStatus();
  });
  auto main = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open();
    (co_await Sleep(kSoon)).IgnoreError();  // now it is being sent
    co_await peer.Send(kPing, "p");
    co_await peer.Send(kText, "m");
    (co_await closing.Wait()).IgnoreError();
    const std::optional<Frame> large = co_await peer.Next();
    EXPECT_TRUE(large.has_value() && large->opcode == kText);
    const std::optional<Frame> close = co_await peer.Next();
    EXPECT_TRUE(close.has_value() && close->opcode == kClose);
    co_await peer.Send(kClose);
    EXPECT_EQ(co_await peer.Next(), std::nullopt);
  };
  Run(main());
}

TEST_P(WebSocketEndTest, ADrainClosesSockets) {
  ServeSockets(Echo());
  auto main = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open();
    server().Shutdown();
    const std::optional<Frame> close = co_await peer.Next();
    EXPECT_TRUE(close.has_value() && close->opcode == kClose);
    EXPECT_EQ(close->payload, ClosePayload(1001));
    co_await peer.Send(kClose, close->payload);
    EXPECT_EQ(co_await peer.Next(), std::nullopt);
  };
  Run(main());
  EXPECT_EQ(ended, std::vector<std::string>({"OK: 1001 "}));
}

TEST_P(WebSocketEndTest, ACancelledReceiveLosesNothing) {
  std::vector<std::string> got;
  ServeSockets([&got](Request&, WebSocket& socket) -> Task<absl::Status> {
    while (true) {
      Task<absl::StatusOr<std::optional<WebSocketMessage>>> receive =
          socket.Receive();
      const absl::StatusOr<std::optional<WebSocketMessage>> message =
          co_await WithTimeout(absl::Milliseconds(3), std::move(receive));
      if (absl::IsDeadlineExceeded(message.status())) continue;
      if (!message.ok()) co_return message.status();
      if (!message->has_value()) co_return absl::OkStatus();
      got.emplace_back((*message)->data);
    }
  });
  const std::string text(300, 'x');
  auto main = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open();
    const std::string bytes = ClientFrame(kText, text.substr(0, 100), false) +
                              ClientFrame(kPing, "p") +
                              ClientFrame(kContinuation, text.substr(100)) +
                              ClientFrame(kClose);
    for (size_t at = 0; at < bytes.size(); at += 40) {
      co_await peer.client().Say(bytes.substr(at, 40));
      (co_await Sleep(absl::Milliseconds(10))).IgnoreError();
    }
    const std::optional<Frame> pong = co_await peer.Next();
    EXPECT_TRUE(pong.has_value() && pong->opcode == kPong);
    EXPECT_TRUE((co_await peer.Next()).has_value());
    EXPECT_EQ(co_await peer.Next(), std::nullopt);
  };
  Run(main());
  EXPECT_EQ(got, std::vector<std::string>({text}));
}

TEST_P(WebSocketEndTest, MessagesCostNoAllocation) {
  ServeSockets(Echo());
  auto main = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open();
    net::TcpStream& stream = peer.client().stream();
    const std::string message = ClientFrame(kText, std::string(1000, 'a'));
    std::array<std::byte, 1004> echo;
    bool echoed = true;
    const auto exchange = [&]() -> Task<void> {
      const absl::Status sent =
          co_await stream.Write(std::as_bytes(std::span(message)));
      echoed = sent.ok();
      for (size_t n_read = 0; echoed && n_read < echo.size();) {
        const absl::StatusOr<size_t> n =
            co_await stream.Read(std::span(echo).subspan(n_read));
        echoed = n.ok() && *n > 0;
        n_read += n.value_or(0);
      }
    };
    for (int i = 0; echoed && i < 300; ++i) co_await exchange();
    FewestAllocations counted;
    while (counted.more()) {
      counted.Begin();
      for (int i = 0; echoed && i < 1000; ++i) co_await exchange();
      counted.End();
    }
    EXPECT_TRUE(echoed);
    EXPECT_EQ(counted.fewest(), 0u);
  };
  Run(main());
}

TEST_P(WebSocketEndTest, OptionsOutOfRangeEndTheProgram) {
  WebSocketOptions options;
  options.max_message_bytes = 0;
  EXPECT_TRUE(absl::IsInvalidArgument(CheckWebSocketOptions(options)));
  options = WebSocketOptions();
  options.protocols = {"two words"};
  EXPECT_TRUE(absl::IsInvalidArgument(CheckWebSocketOptions(options)));
  options = WebSocketOptions();
  options.close_timeout = absl::ZeroDuration();
  EXPECT_TRUE(absl::IsInvalidArgument(CheckWebSocketOptions(options)));
  EXPECT_DEATH(WebSockets(Echo(), options), "close_timeout must be positive");
  EXPECT_TRUE(CheckWebSocketOptions(WebSocketOptions()).ok());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(WebSocketEndTest);

}  // namespace
}  // namespace ringway::http::testing
