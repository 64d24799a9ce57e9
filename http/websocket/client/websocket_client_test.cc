// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/client/websocket_client.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/http/client/testing/client_fixture.h"
#include "ringway/http/websocket/handshake.h"
#include "ringway/http/websocket/testing/random_sockets.h"
#include "ringway/http/websocket/testing/websocket_fixture.h"

namespace ringway::http {
namespace {

using testing::ServeRandomSocket;
using Connected = absl::StatusOr<std::unique_ptr<WebSocketClient>>;
using Received = absl::StatusOr<std::optional<WebSocketMessage>>;

class WebSocketClientTest : public testing::WebSocketTest {
 protected:
  std::string Url(std::string_view target = "/socket") const {
    return absl::StrCat("ws://", address().ToString(), target);
  }

  static Task<std::string> Receive(WebSocket& socket) {
    Task<Received> receive = socket.Receive();
    const Received received = co_await std::move(receive);
    if (!received.ok()) co_return received.status().ToString();
    if (!received->has_value()) co_return "closed";
    co_return std::string((*received)->data);
  }

  // What Connect() gives with a server that answers each handshake like this;
  // ACCEPT stands for the right Sec-WebSocket-Accept.
  absl::Status ConnectTo(std::string response,
                         WebSocketClientOptions options = {}) {
    absl::Status status;
    net::TcpListener listener = ListenOn("127.0.0.1:0");
    const std::string url = absl::StrCat(
        "ws://", net::testing::ValueOf(listener.LocalAddress()).ToString());
    auto serve = [&]() -> Task<void> {
      absl::StatusOr<net::TcpStream> stream = co_await listener.Accept();
      if (!stream.ok()) co_return;
      net::BufferedReader in(stream->reader());
      const absl::StatusOr<std::string_view> head =
          co_await in.ReadUntil("\r\n\r\n", 10'000);
      EXPECT_TRUE(head.ok());
      if (!head.ok()) co_return;
      static constexpr std::string_view kKey = "Sec-WebSocket-Key: ";
      const std::string key(head->substr(head->find(kKey) + kKey.size(), 24));
      const size_t at = response.find("ACCEPT");
      std::string bytes = response;
      if (at != std::string::npos)
        bytes.replace(at, 6, internal::AcceptKey(key));
      (co_await stream->Write(net::testing::Bytes(bytes))).IgnoreError();
      (co_await stream->CloseGracefully(absl::Seconds(1))).IgnoreError();
    };
    auto main = [&]() -> Task<void> {
      JoinHandle<void> serving = Spawn(serve());
      Task<Connected> connect = WebSocketClient::Connect(url, options);
      const Connected connected = co_await std::move(connect);
      status = connected.status();
      if (!status.ok()) (co_await serving).IgnoreError();
    };
    NetTest::Run(main());
    return status;
  }
};

TEST_P(WebSocketClientTest, SendsAndReceives) {
  ServeSockets(Echo());
  auto main = [&]() -> Task<void> {
    Task<Connected> connect = WebSocketClient::Connect(Url("/socket?a=b"));
    const Connected client = co_await std::move(connect);
    EXPECT_TRUE(client.ok()) << client.status();
    if (!client.ok()) co_return;
    WebSocket& socket = (*client)->socket();
    static constexpr size_t kSizes[] = {0,     1,     125,   126,
                                        16384, 16385, 65536, 1 << 20};
    for (const size_t n : kSizes) {
      std::string text;
      for (size_t i = 0; i < n; ++i) text += static_cast<char>('a' + i % 23);
      Task<absl::Status> send = socket.SendText(text);
      const absl::Status sent = co_await std::move(send);
      EXPECT_TRUE(sent.ok()) << sent;
      Task<std::string> receive = Receive(socket);
      EXPECT_TRUE(co_await std::move(receive) == text) << n;
    }
    Task<absl::Status> close = (*client)->Close(CloseCode::kGoingAway);
    const absl::Status closed = co_await std::move(close);
    EXPECT_TRUE(closed.ok()) << closed;
    EXPECT_EQ(socket.close_code(), CloseCode::kGoingAway);
    co_await UntilOpen(0);
  };
  Run(main());
  EXPECT_EQ(ended, std::vector<std::string>({"OK: 1001 "}));
}

TEST_P(WebSocketClientTest, RandomMessagesBothWaysArrive) {
  ServeSockets(ServeRandomSocket);
  auto main = [&]() -> Task<void> {
    // Those with which the client closes: it answers a server's Close at once.
    for (uint64_t seed = 1; seed <= 11 && !HasFailure(); seed += 2) {
      Task<Connected> connect =
          WebSocketClient::Connect(Url(absl::StrCat("/socket?seed=", seed)));
      const Connected client = co_await std::move(connect);
      EXPECT_TRUE(client.ok()) << client.status();
      if (!client.ok()) co_return;
      Task<absl::Status> run =
          testing::RunRandomSocket((*client)->socket(), seed);
      const absl::Status ran = co_await std::move(run);
      EXPECT_TRUE(ran.ok()) << ran << ", seed " << seed;
      Task<absl::Status> close = (*client)->Close();
      EXPECT_TRUE((co_await std::move(close)).ok());
    }
    co_await UntilOpen(0);
  };
  Run(main());
  EXPECT_EQ(ended.size(), 6u);
  for (const std::string& how : ended)
    EXPECT_TRUE(how.starts_with("OK: 1000")) << how;
}

TEST_P(WebSocketClientTest, AgreesOnAProtocol) {
  WebSocketOptions options;
  options.protocols = {"b", "a"};
  ServeSockets(Echo(), options);
  auto main = [&]() -> Task<void> {
    WebSocketClientOptions ours;
    ours.socket.protocols = {"x", "a", "b"};
    Task<Connected> connect = WebSocketClient::Connect(Url(), ours);
    const Connected client = co_await std::move(connect);
    EXPECT_TRUE(client.ok()) << client.status();
    if (!client.ok()) co_return;
    EXPECT_EQ((*client)->socket().protocol(), "b");
  };
  Run(main());
}

TEST_P(WebSocketClientTest, SaysWhatTheServerHasAnswered) {
  Router router;
  router.Get("/socket", WebSockets(Echo()));
  Serve(std::move(router));
  auto main = [&]() -> Task<void> {
    Task<Connected> nowhere = WebSocketClient::Connect(Url("/nowhere"));
    const absl::Status absent = (co_await std::move(nowhere)).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(absent)) << absent;
    EXPECT_TRUE(absl::StrContains(absent.message(), "404")) << absent;
    WebSocketClientOptions options;
    options.headers.Set("Origin", "http://other.org");
    Task<Connected> other = WebSocketClient::Connect(Url(), options);
    const absl::Status refused = (co_await std::move(other)).status();
    EXPECT_TRUE(absl::StrContains(refused.message(), "403")) << refused;
    options.headers.Set("Origin",
                        absl::StrCat("http://", address().ToString()));
    Task<Connected> same = WebSocketClient::Connect(Url(), options);
    EXPECT_TRUE((co_await std::move(same)).ok());
  };
  Run(main());
}

TEST_P(WebSocketClientTest, RefusesWhatIsNoHandshake) {
  static constexpr std::string_view kGood =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n"
      "Connection: upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n";
  WebSocketClientOptions options;
  options.socket.protocols = {"a"};
  EXPECT_TRUE(ConnectTo(absl::StrCat(kGood, "\r\n"), options).ok());
  EXPECT_TRUE(
      ConnectTo(absl::StrCat(kGood, "Sec-WebSocket-Protocol: a\r\n\r\n"),
                options)
          .ok());
  const std::string bad[] = {
      absl::StrCat(kGood, "Sec-WebSocket-Protocol: b\r\n\r\n"),
      absl::StrCat(kGood, "Sec-WebSocket-Extensions: x\r\n\r\n"),
      absl::StrCat(kGood, "Sec-WebSocket-Accept: AAAA\r\n\r\n"),
      "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
      "HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n"
      "Sec-WebSocket-Accept: ACCEPT\r\n\r\n",
      "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Accept: ACCEPT\r\n\r\n",
      "no HTTP\r\n\r\n",
  };
  for (const std::string& response : bad) {
    const absl::Status status = ConnectTo(response, options);
    EXPECT_TRUE(absl::IsDataLoss(status)) << status << "\n" << response;
  }
  EXPECT_TRUE(absl::IsUnavailable(ConnectTo("", options)));
}

// A server must not mask.
TEST_P(WebSocketClientTest, AServerThatBreaksTheProtocolIsTold) {
  auto handler = [](Request& request,
                    ResponseWriter& response) -> Task<absl::Status> {
    const std::string key(*request.headers().Find("Sec-WebSocket-Key"));
    response.headers().Set("Sec-WebSocket-Accept", internal::AcceptKey(key));
    Task<absl::StatusOr<Tunnel*>> upgrade = response.Upgrade("websocket");
    const absl::StatusOr<Tunnel*> tunnel = co_await std::move(upgrade);
    if (!tunnel.ok()) co_return tunnel.status();
    const std::string masked = testing::ClientFrame(testing::kText, "a");
    Task<absl::Status> write =
        (*tunnel)->Write(std::as_bytes(std::span(masked)), {});
    co_return co_await std::move(write);
  };
  Serve(handler);
  auto main = [&]() -> Task<void> {
    Task<Connected> connect = WebSocketClient::Connect(Url());
    const Connected client = co_await std::move(connect);
    EXPECT_TRUE(client.ok()) << client.status();
    if (!client.ok()) co_return;
    Task<Received> receive = (*client)->socket().Receive();
    const Received received = co_await std::move(receive);
    EXPECT_TRUE(absl::IsInvalidArgument(received.status()));
  };
  Run(main());
}

TEST_P(WebSocketClientTest, RefusesUrlsAndOptionsThatAreNone) {
  auto main = [&]() -> Task<void> {
    static constexpr const char* kUrls[] = {"",      "http://a/", "ws:/a",
                                            "ws://", "ws://a:b/", "wsss://a/"};
    for (const char* url : kUrls) {
      Task<Connected> connect = WebSocketClient::Connect(url);
      EXPECT_TRUE(
          absl::IsInvalidArgument((co_await std::move(connect)).status()))
          << url;
    }
    Task<Connected> secure = WebSocketClient::Connect("wss://127.0.0.1:1/");
    EXPECT_TRUE(
        absl::IsFailedPrecondition((co_await std::move(secure)).status()));
    WebSocketClientOptions options;
    options.socket.max_message_bytes = 0;
    Task<Connected> none =
        WebSocketClient::Connect("ws://127.0.0.1:1/", options);
    EXPECT_TRUE(absl::IsInvalidArgument((co_await std::move(none)).status()));
  };
  NetTest::Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(WebSocketClientTest);

}  // namespace
}  // namespace ringway::http
