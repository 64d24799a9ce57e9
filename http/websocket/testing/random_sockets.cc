// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/testing/random_sockets.h"

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/http/websocket/testing/websocket_peer.h"

namespace ringway::http::testing {

namespace {

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}
  size_t Below(size_t n) {
    return std::uniform_int_distribution<size_t>(0, n - 1)(random_);
  }

 private:
  std::mt19937_64 random_;
};

struct Message {
  bool is_text;
  std::string payload;
};

// What one side sends, in order.
class Messages {
 public:
  Messages(uint64_t seed, bool of_server) : dice_(2 * seed + of_server) {}

  Message Next() {
    static constexpr std::array<size_t, 6> kSizes = {2,    126,   130,
                                                     3000, 40000, 140000};
    Message message;
    message.is_text = dice_.Below(2) == 0;
    const size_t n = dice_.Below(kSizes[dice_.Below(kSizes.size())]);
    while (message.payload.size() < n) {
      if (message.is_text) {
        static constexpr std::array<std::string_view, 4> kLetters = {
            "abcdefgh", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
        message.payload += kLetters[dice_.Below(kLetters.size())];
      } else {
        message.payload.append(1 + dice_.Below(9),
                               static_cast<char>(dice_.Below(256)));
      }
    }
    return message;
  }

 private:
  Dice dice_;
};

bool ServerCloses(uint64_t seed) { return seed % 2 == 0; }

Task<void> PauseSometimes(Dice& dice) {
  if (dice.Below(4) == 0)
    (co_await Sleep(absl::Microseconds(dice.Below(2000)))).IgnoreError();
}

// --- A side of our own.

Task<absl::Status> SendInParts(WebSocket& socket, const Message& message,
                               Dice& dice) {
  std::string_view rest = message.payload;
  for (size_t n_parts = 1 + dice.Below(4); n_parts > 0; --n_parts) {
    const bool last = n_parts == 1;
    const std::string_view piece =
        last ? rest : rest.substr(0, dice.Below(rest.size() + 1));
    rest.remove_prefix(piece.size());
    const WebSocketMessage part{piece, message.is_text};
    Task<absl::Status> send = socket.SendPart(part, last);
    absl::Status sent = co_await std::move(send);
    if (!sent.ok()) co_return sent;
    Task<void> pause = PauseSometimes(dice);
    co_await std::move(pause);
  }
  co_return absl::OkStatus();
}

Task<absl::Status> SendMessages(WebSocket& socket, uint64_t seed,
                                bool of_server) {
  Messages messages(seed, of_server);
  Dice dice(seed + 1'000'000);
  for (size_t i = 0; i < kRandomMessages; ++i) {
    const Message message = messages.Next();
    const WebSocketMessage whole{message.payload, message.is_text};
    Task<absl::Status> send = dice.Below(2) == 0
                                  ? SendInParts(socket, message, dice)
                                  : socket.Send(whole);
    absl::Status sent = co_await std::move(send);
    if (!sent.ok()) co_return sent;
  }
  if (!of_server || !ServerCloses(seed)) co_return absl::OkStatus();
  Task<absl::Status> close = socket.Close(CloseCode::kNormal, "all");
  co_return co_await std::move(close);
}

Task<absl::Status> ReceiveMessages(WebSocket& socket, uint64_t seed,
                                   bool of_server,
                                   JoinHandle<absl::Status>& sending) {
  Messages messages(seed, !of_server);
  Dice dice(seed + 2'000'000);
  size_t n = 0;
  while (true) {
    Task<absl::StatusOr<std::optional<WebSocketMessage>>> receive =
        socket.Receive();
    const absl::StatusOr<std::optional<WebSocketMessage>> received =
        co_await std::move(receive);
    if (!received.ok()) co_return received.status();
    if (!received->has_value()) break;
    const Message expected = messages.Next();
    EXPECT_EQ((*received)->is_text, expected.is_text) << "seed " << seed;
    EXPECT_TRUE((*received)->data == expected.payload)
        << "seed " << seed << ", message " << n;
    ++n;
    Task<void> pause = PauseSometimes(dice);
    co_await std::move(pause);
    if (n == kRandomMessages && !of_server && !ServerCloses(seed)) {
      if (absl::Status sent = co_await sending; !sent.ok()) co_return sent;
      Task<absl::Status> close = socket.Close();
      if (absl::Status closed = co_await std::move(close); !closed.ok())
        co_return closed;
    }
  }
  if (socket.close_code() == CloseCode::kAbnormal)
    co_return absl::DataLossError("no Close");
  EXPECT_EQ(n, kRandomMessages) << "seed " << seed;
  co_return absl::OkStatus();
}

Task<absl::Status> RunSide(WebSocket& socket, uint64_t seed, bool of_server) {
  JoinHandle<absl::Status> sending =
      Spawn(SendMessages(socket, seed, of_server));
  Task<absl::Status> receive =
      ReceiveMessages(socket, seed, of_server, sending);
  absl::Status received = co_await std::move(receive);
  if (!received.ok()) sending.Cancel();
  const Shield shield;  // it uses the socket
  if (sending.valid()) (co_await sending).IgnoreError();
  co_return received;
}

// --- The client.

// The frames of all messages, with pings between them.
std::string FramesOf(uint64_t seed) {
  Messages messages(seed, /*of_server=*/false);
  Dice dice(seed + 3'000'000);
  std::string bytes;
  for (size_t i = 0; i < kRandomMessages; ++i) {
    const Message message = messages.Next();
    std::string_view rest = message.payload;
    const size_t n_frames = 1 + dice.Below(4);
    for (size_t f = 0; f < n_frames; ++f) {
      Frame frame;
      frame.fin = f + 1 == n_frames;
      frame.opcode = f > 0 ? kContinuation : message.is_text ? kText : kBinary;
      frame.payload =
          frame.fin ? rest : rest.substr(0, dice.Below(rest.size() + 1));
      rest.remove_prefix(frame.payload.size());
      frame.mask = std::string(4, static_cast<char>(dice.Below(256)));
      bytes += BytesOf(frame);
      if (dice.Below(5) == 0)
        bytes += ClientFrame(kPing, std::string(dice.Below(126), 'p'));
    }
  }
  return bytes;
}

// Whether all could be sent.
Task<bool> SendFrames(RawClient& client, std::string bytes, uint64_t seed) {
  Dice dice(seed + 4'000'000);
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const size_t most = dice.Below(3) == 0 ? 20 : 60'000;
    const size_t n = std::min(rest.size(), 1 + dice.Below(most));
    Task<bool> say = client.Say(std::string(rest.substr(0, n)));
    if (!co_await std::move(say)) co_return false;
    rest.remove_prefix(n);
    Task<void> pause = PauseSometimes(dice);
    co_await std::move(pause);
  }
  co_return true;
}

}  // namespace

Task<absl::Status> ServeRandomSocket(Request& request, WebSocket& socket) {
  uint64_t seed = 0;
  EXPECT_TRUE(absl::SimpleAtoi(request.QueryParam("seed").value_or(""), &seed));
  Task<absl::Status> run = RunSide(socket, seed, /*of_server=*/true);
  co_return co_await std::move(run);
}

Task<absl::Status> RunRandomSocket(WebSocket& client, uint64_t seed) {
  return RunSide(client, seed, /*of_server=*/false);
}

Task<RandomSocketResult> RunRandomSocket(RawClient& client, uint64_t seed) {
  RandomSocketResult result;
  Task<bool> say =
      client.Say(WebSocketPeer::Handshake(absl::StrCat("/socket?seed=", seed)));
  if (!co_await std::move(say)) co_return result;
  Task<RawResponse> next = client.Next();
  const RawResponse response = co_await std::move(next);
  if (response.code != 101) co_return result;

  JoinHandle<bool> sending = Spawn(SendFrames(client, FramesOf(seed), seed));
  Messages messages(seed, /*of_server=*/true);
  std::string payload;
  bool is_text = false;
  bool closed = false;
  while (!closed &&
         (ServerCloses(seed) || result.n_received < kRandomMessages)) {
    std::optional<Frame> frame = TakeFrame(client.arrived());
    if (!frame.has_value()) {
      Task<bool> more = client.More();
      if (!co_await std::move(more)) break;
      continue;
    }
    closed = frame->opcode == kClose;
    if (frame->opcode > kBinary) continue;
    if (frame->opcode != kContinuation) is_text = frame->opcode == kText;
    payload += frame->payload;
    if (!frame->fin) continue;
    const Message expected = messages.Next();
    EXPECT_EQ(is_text, expected.is_text) << "seed " << seed;
    EXPECT_TRUE(payload == expected.payload)
        << "seed " << seed << ", message " << result.n_received;
    ++result.n_received;
    payload.clear();
  }
  const bool received_all = result.n_received == kRandomMessages;
  if (!received_all) sending.Cancel();
  const absl::StatusOr<bool> sent = co_await sending;
  if (!received_all || !sent.value_or(false)) co_return result;
  Task<bool> say_close = client.Say(ClientFrame(kClose, ClosePayload(1000)));
  co_await std::move(say_close);
  while (!closed) {
    std::optional<Frame> frame = TakeFrame(client.arrived());
    closed = frame.has_value() && frame->opcode == kClose;
    if (frame.has_value()) continue;  // a pong
    Task<bool> more = client.More();
    if (!co_await std::move(more)) break;
  }
  Task<bool> at_end = client.AtEnd();
  result.closed = closed && co_await std::move(at_end);
  co_return result;
}

}  // namespace ringway::http::testing
