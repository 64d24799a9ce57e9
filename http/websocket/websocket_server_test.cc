// SPDX-License-Identifier: Apache-2.0
//
// WebSockets of a server, with clients of raw frames, on every backend.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/http/websocket/testing/websocket_fixture.h"

namespace ringway::http::testing {
namespace {

using WebSocketServerTest = WebSocketTest;

TEST_P(WebSocketServerTest, EchoesMessagesOfAllKindsAndSizes) {
  ServeSockets(Echo());
  auto test = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    const RawResponse opened = co_await peer.Open();
    EXPECT_EQ(opened.code, 101);
    EXPECT_EQ(opened.Field("Upgrade"), "websocket");
    EXPECT_EQ(opened.Field("Connection"), "Upgrade");
    EXPECT_EQ(opened.Field("Sec-WebSocket-Accept"),
              "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_EQ(opened.Field("Content-Length"), std::nullopt);
    EXPECT_EQ(opened.Field("Sec-WebSocket-Protocol"), std::nullopt);
    static constexpr size_t kSizes[] = {0,    1,     125,   126,    2048,
                                        2049, 65535, 65536, 1 << 20};
    for (const size_t n : kSizes) {
      for (int opcode = kText; opcode <= kBinary; ++opcode) {
        const std::string payload(n, opcode == kText ? 'a' : '\xff');
        EXPECT_TRUE(co_await peer.Send(opcode, payload));
        const std::optional<Frame> echo = co_await peer.Next();
        EXPECT_TRUE(echo.has_value());
        if (!echo.has_value()) co_return;
        EXPECT_EQ(echo->opcode, opcode);
        EXPECT_TRUE(echo->fin);
        EXPECT_EQ(echo->mask, std::nullopt);
        EXPECT_TRUE(echo->payload == payload) << n;
      }
    }
  };
  Run(test());
}

TEST_P(WebSocketServerTest, FramesMayComeWithTheHandshake) {
  ServeSockets(Echo());
  auto test = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    const RawResponse opened =
        co_await peer.Open("", ClientFrame(kText, "early"));
    EXPECT_EQ(opened.code, 101);
    EXPECT_EQ(co_await NextPayload(peer), "early");
  };
  Run(test());
}

// The server looks after the client of a handler that takes long, by reading.
TEST_P(WebSocketServerTest, AHandlerMayTakeItsTimeBeforeTheUpgrade) {
  const WebSockets sockets(Echo());
  Serve([sockets](Request& request,
                  ResponseWriter& response) -> Task<absl::Status> {
    const absl::Status slept = co_await Sleep(absl::Milliseconds(120));
    if (!slept.ok()) co_return slept;
    Task<absl::Status> serve = sockets(request, response);
    co_return co_await std::move(serve);
  });
  auto test = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    const RawResponse opened =
        co_await peer.Open("", ClientFrame(kText, "early"));
    EXPECT_EQ(opened.code, 101);
    EXPECT_EQ(co_await NextPayload(peer), "early");
    co_await peer.Send(kText, "late");
    EXPECT_EQ(co_await NextPayload(peer), "late");
  };
  Run(test());
}

TEST_P(WebSocketServerTest, PingsAreAnsweredWithinMessages) {
  ServeSockets(Echo());
  auto test = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open();
    co_await peer.Send(kText, "a", false);
    co_await peer.Send(kPing, "1");
    const std::optional<Frame> pong = co_await peer.Next();
    EXPECT_TRUE(pong.has_value() && pong->opcode == kPong);
    EXPECT_EQ(pong->payload, "1");
    co_await peer.Send(kPong, "of nothing");
    co_await peer.Send(kContinuation, "b");
    EXPECT_EQ(co_await NextPayload(peer), "ab");
  };
  Run(test());
}

TEST_P(WebSocketServerTest, TheHandlerHearsOfTheClientsClose) {
  ServeSockets(Echo());
  auto test = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open();
    co_await peer.Send(kClose, ClosePayload(4321, "why"));
    const std::optional<Frame> close = co_await peer.Next();
    EXPECT_TRUE(close.has_value() && close->opcode == kClose);
    EXPECT_EQ(close->payload, ClosePayload(4321));
    EXPECT_EQ(co_await peer.Next(), std::nullopt);
    EXPECT_TRUE(co_await peer.client().AtEnd());
  };
  Run(test());
  EXPECT_EQ(ended, std::vector<std::string>({"OK: 4321 why"}));
}

TEST_P(WebSocketServerTest, TheEndOfTheHandlerClosesTheSocket) {
  for (const bool fails : {false, true}) {
    ServeSockets([fails](Request&, WebSocket& socket) -> Task<absl::Status> {
      const absl::Status sent = co_await socket.SendText("last");
      EXPECT_TRUE(sent.ok());
      co_return fails ? absl::DataLossError("x") : absl::OkStatus();
    });
    auto test = [&]() -> Task<void> {
      WebSocketPeer peer = co_await Visit();
      co_await peer.Open();
      EXPECT_EQ(co_await NextPayload(peer), "last");
      const std::optional<Frame> close = co_await peer.Next();
      EXPECT_TRUE(close.has_value() && close->opcode == kClose);
      EXPECT_EQ(close->payload, ClosePayload(fails ? 1011 : 1000));
      co_await peer.Send(kText, "on its way");
      co_await peer.Send(kClose, close->payload);
      EXPECT_EQ(co_await peer.Next(), std::nullopt);
    };
    Run(test());
  }
}

TEST_P(WebSocketServerTest, AfterItsCloseAHandlerGetsWhatWasOnItsWay) {
  std::vector<std::string> got;
  ServeSockets([&got](Request&, WebSocket& socket) -> Task<absl::Status> {
    EXPECT_TRUE((co_await socket.Close(CloseCode(3000), "enough")).ok());
    EXPECT_TRUE(socket.closed());
    EXPECT_TRUE((co_await socket.Close(CloseCode::kGoingAway)).ok());
    EXPECT_TRUE(
        absl::IsFailedPrecondition(co_await socket.SendText("too late")));
    while (true) {
      const auto message = co_await socket.Receive();
      EXPECT_TRUE(message.ok());
      if (!message.ok() || !message->has_value()) break;
      got.emplace_back((*message)->data);
    }
    EXPECT_EQ(socket.close_code(), CloseCode::kNone);
    co_return absl::OkStatus();
  });
  auto test = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open("", ClientFrame(kText, "1"));
    const std::optional<Frame> close = co_await peer.Next();
    EXPECT_TRUE(close.has_value() && close->opcode == kClose);
    EXPECT_EQ(close->payload, ClosePayload(3000, "enough"));
    co_await peer.Send(kPing, "not answered");
    co_await peer.Send(kText, "2");
    co_await peer.Send(kClose);
    EXPECT_EQ(co_await peer.Next(), std::nullopt);
  };
  Run(test());
  EXPECT_EQ(got, std::vector<std::string>({"1", "2"}));
}

TEST_P(WebSocketServerTest, AClientThatBreaksTheProtocolIsTold) {
  WebSocketOptions options;
  options.max_message_bytes = 1000;
  ServeSockets(Echo(), options);
  const struct {
    std::string bytes;
    int code;
    absl::StatusCode status;
  } cases[] = {
      {BytesOf({.payload = "a", .mask = std::nullopt}), 1002,
       absl::StatusCode::kInvalidArgument},
      {BytesOf({.opcode = 5}), 1002, absl::StatusCode::kInvalidArgument},
      {BytesOf({.payload = "\xff"}), 1007, absl::StatusCode::kInvalidArgument},
      {BytesOf({.opcode = kClose, .payload = ClosePayload(1006)}), 1002,
       absl::StatusCode::kInvalidArgument},
      {BytesOf({.payload = std::string(1001, 'a')}), 1009,
       absl::StatusCode::kResourceExhausted},
  };
  auto test = [&]() -> Task<void> {
    for (const auto& c : cases) {
      ended.clear();
      {
        WebSocketPeer peer = co_await Visit();
        co_await peer.Open();
        co_await peer.client().Say(c.bytes + ClientFrame(kText, "more"));
        const std::optional<Frame> close = co_await peer.Next();
        EXPECT_TRUE(close.has_value() && close->opcode == kClose);
        if (close.has_value()) {
          EXPECT_EQ(close->payload.substr(0, 2), ClosePayload(c.code));
        }
        EXPECT_EQ(co_await peer.Next(), std::nullopt);
      }
      co_await UntilOpen(0);
      EXPECT_EQ(ended.size(), 1u);
      const std::string how = ended.empty() ? "" : ended[0];
      EXPECT_TRUE(how.starts_with(absl::StatusCodeToString(c.status))) << how;
    }
  };
  Run(test());
}

TEST_P(WebSocketServerTest, AConnectionThatEndsWithoutACloseIsAnError) {
  ServeSockets(Echo());
  auto test = [&]() -> Task<void> {
    {
      WebSocketPeer peer = co_await Visit();
      co_await peer.Open("", ClientFrame(kText, "a", false));
      (co_await peer.client().stream().ShutdownWrite()).IgnoreError();
      EXPECT_EQ(co_await peer.Next(), std::nullopt);
    }
    co_await UntilOpen(0);
  };
  Run(test());
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_TRUE(ended[0].starts_with("OUT_OF_RANGE")) << ended[0];
}

TEST_P(WebSocketServerTest, MessagesOfSeveralTasksDoNotMix) {
  static constexpr int kEach = 20;
  const auto sender = [](WebSocket& socket, char letter) -> Task<void> {
    for (int i = 0; i < kEach; ++i) {
      const std::string text(1 + 9'000 * (i % 12), letter);
      const absl::Status sent = co_await socket.SendText(text);
      EXPECT_TRUE(sent.ok()) << sent;
    }
  };
  ServeSockets([&](Request&, WebSocket& socket) -> Task<absl::Status> {
    JoinHandle<void> a = Spawn(sender(socket, 'a'));
    JoinHandle<void> b = Spawn(sender(socket, 'b'));
    const auto message = co_await socket.Receive();  // answers pings
    EXPECT_TRUE(message.ok() && !message->has_value());
    (co_await a).IgnoreError();
    (co_await b).IgnoreError();
    co_return absl::OkStatus();
  });
  auto test = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open();
    int n_messages = 0;
    int n_pongs = 0;
    for (int i = 0; i < 5; ++i) co_await peer.Send(kPing, absl::StrCat(i));
    std::string last_pong;
    while (n_messages < 2 * kEach || last_pong != "4") {
      const std::optional<Frame> frame = co_await peer.Next();
      EXPECT_TRUE(frame.has_value());
      if (!frame.has_value()) co_return;
      EXPECT_TRUE(frame->fin);
      if (frame->opcode == kPong) {
        ++n_pongs;
        last_pong = frame->payload;
        continue;
      }
      ++n_messages;
      EXPECT_EQ(frame->opcode, kText);
      EXPECT_EQ(frame->payload,
                std::string(frame->payload.size(), frame->payload[0]));
    }
    EXPECT_LE(n_pongs, 5);
    co_await peer.Send(kClose);
    EXPECT_TRUE((co_await peer.Next()).has_value());
    EXPECT_EQ(co_await peer.Next(), std::nullopt);
  };
  Run(test());
}

TEST_P(WebSocketServerTest, SendsMessagesInParts) {
  ServeSockets([](Request&, WebSocket& socket) -> Task<absl::Status> {
    const auto part = [&socket](std::string_view data, bool last) {
      const WebSocketMessage message{data, /*is_text=*/true};
      return socket.SendPart(message, last);
    };
    EXPECT_TRUE((co_await part("a\xe2", false)).ok());
    EXPECT_TRUE(
        absl::IsFailedPrecondition(co_await socket.SendText("between")));
    // A part that is refused leaves the message as it was.
    EXPECT_TRUE(absl::IsInvalidArgument(co_await part("z", false)));
    EXPECT_TRUE(absl::IsInvalidArgument(co_await part("\x82", true)));
    EXPECT_TRUE((co_await part("\x82", false)).ok());
    EXPECT_TRUE((co_await part("\xac", true)).ok());
    EXPECT_TRUE(absl::IsInvalidArgument(co_await socket.SendText("\xff")));
    const absl::Status sent =
        co_await socket.SendBinary(std::span<const std::byte>());
    co_return sent;
  });
  auto test = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open();
    struct Expected {
      int opcode;
      const char* payload;
      bool fin;
    };
    static constexpr Expected kExpected[] = {
        {kText, "a\xe2", false},
        {kContinuation, "\x82", false},
        {kContinuation, "\xac", true},
        {kBinary, "", true},
    };
    for (const Expected& e : kExpected) {
      const std::optional<Frame> frame = co_await peer.Next();
      EXPECT_TRUE(frame.has_value());
      if (!frame.has_value()) co_return;
      EXPECT_EQ(frame->opcode, e.opcode);
      EXPECT_EQ(frame->payload, e.payload);
      EXPECT_EQ(frame->fin, e.fin);
    }
  };
  Run(test());
}

TEST_P(WebSocketServerTest, RefusesCloseCodesThatNobodyMaySend) {
  ServeSockets([](Request&, WebSocket& socket) -> Task<absl::Status> {
    static constexpr int kCodes[] = {0, 1005, 1006, 1015, 2999, 5000};
    for (const int code : kCodes) {
      EXPECT_TRUE(
          absl::IsInvalidArgument(co_await socket.Close(CloseCode(code))));
    }
    const std::string reason(124, 'a');
    EXPECT_TRUE(absl::IsInvalidArgument(
        co_await socket.Close(CloseCode::kNormal, reason)));
    EXPECT_TRUE(absl::IsInvalidArgument(
        co_await socket.Close(CloseCode::kNormal, "\xff")));
    EXPECT_FALSE(socket.closed());
    co_return absl::OkStatus();
  });
  auto test = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    co_await peer.Open();
    const std::optional<Frame> close = co_await peer.Next();
    EXPECT_TRUE(close.has_value());
    EXPECT_EQ(close->payload, ClosePayload(1000));
  };
  Run(test());
}

TEST_P(WebSocketServerTest, RefusesWhatIsNoHandshakeAndGoesOn) {
  WebSocketOptions options;
  options.protocols = {"chat.2", "chat.1"};
  ServeSockets(Echo(), options);
  auto test = [&]() -> Task<void> {
    WebSocketPeer peer = co_await Visit();
    RawClient& client = peer.client();
    co_await client.Say(Get("/socket"));
    RawResponse response = co_await client.Next();
    EXPECT_EQ(response.code, 426);
    EXPECT_EQ(response.Field("Upgrade"), "websocket");
    EXPECT_EQ(response.Field("Connection"), "Upgrade");
    response = co_await peer.Open("Sec-WebSocket-Version: 12\r\n");
    EXPECT_EQ(response.code, 426);
    EXPECT_EQ(response.Field("Sec-WebSocket-Version"), "13");
    response = co_await peer.Open("Origin: http://other.org\r\n");
    EXPECT_EQ(response.code, 403);
    response = co_await peer.Open("Sec-WebSocket-Key: twice\r\n");
    EXPECT_EQ(response.code, 400);
    response = co_await peer.Open(
        "Origin: http://test\r\nSec-WebSocket-Protocol: chat.1\r\n");
    EXPECT_EQ(response.code, 101);
    EXPECT_EQ(response.Field("Sec-WebSocket-Protocol"), "chat.1");
    co_await peer.Send(kText, "a");
    EXPECT_EQ(co_await NextPayload(peer), "a");
  };
  Run(test());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(WebSocketServerTest);

}  // namespace
}  // namespace ringway::http::testing
