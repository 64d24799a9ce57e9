// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/fuzz/http2_model.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nghttp2/nghttp2.h"
#include "ringway/core/check.h"
#include "ringway/http/http2/client_preface.h"
#include "ringway/http/http2/testing/frames.h"
#include "ringway/http/http2/testing/session_for_test.h"
#include "ringway/http/message/headers.h"

namespace ringway::fuzz {
namespace {

using http::testing::Big;
using http::testing::Block;
using http::testing::Fields;
using http::testing::Frame;
using http::testing::kContinuation;
using http::testing::kData;
using http::testing::kEndHeaders;
using http::testing::kEndStream;
using http::testing::kHeaders;
using http::testing::kPing;
using http::testing::kRstStream;
using http::testing::kSettings;
using http::testing::kWindowUpdate;
using http::testing::SessionForTest;
using http::testing::StreamForTest;

constexpr size_t kSettingBytes = 8;

struct Outcome {
  // Of each stream, what it was asked.
  std::map<int32_t, std::string> requests;
  uint32_t goaway = SessionForTest::kNone;
  bool early = false;  // the session ended before all had come

  bool operator==(const Outcome&) const = default;
};

http::Http2Limits Limits(unsigned kind) {
  http::Http2Limits limits;
  if (kind % 4 != 0) return limits;
  limits.max_streams = 1 + kind / 64;
  limits.stream_window_bytes = 1000;
  limits.max_resets_per_second = 5;
  limits.max_control_frames_per_second = 20;
  return limits;
}

std::string Describe(const StreamForTest& stream) {
  const http::RequestHead& head = stream.head();
  std::string text(stream.method_text());
  text.append(" ").append(head.target_text).append("\n");
  for (const http::Header header : head.headers) {
    RINGWAY_CHECK(
        http::IsToken(header.name) && http::IsFieldValue(header.value),
        "a field that cannot be sent on");
    text.append(header.name).append(": ").append(header.value).append("\n");
  }
  return text.append(std::to_string(stream.error().status_code));
}

void CheckWindows(const SessionForTest& server) {
  size_t n_unread = 0;
  for (const auto& [id, stream] : server.streams) {
    if (!stream->closed()) n_unread += stream->unread_bytes();
  }
  RINGWAY_CHECK(n_unread <= server.http2_limits.connection_window_bytes,
                "%zu bytes of bodies are kept", n_unread);
}

Outcome Run(std::string_view bytes, unsigned limits, unsigned manner,
            const std::function<size_t()>& next_size) {
  SessionForTest server(Limits(limits));
  Outcome outcome;
  server.on_request = [&](StreamForTest& stream) {
    outcome.requests[stream.id()] = Describe(stream);
    switch ((manner + static_cast<unsigned>(stream.id()) / 2) % 5) {
      case 0:
        server.Answer(stream);
        break;
      case 1:
        server.session.Inform(stream, 103, http::Headers());
        server.AnswerWith(stream, std::string(70'000, 'a'));
        break;
      case 2:
        server.session.Reset(stream, NGHTTP2_INTERNAL_ERROR);
        break;
      case 3:
        stream.trailers_to_send.Set("x", "y");
        server.AnswerWith(stream, "");
        break;
      default:
        break;  // later, or never
    }
  };
  if (manner % 2 == 0) server.on_body = [](StreamForTest&) {};
  server.Begin();
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, next_size());
    bytes.remove_prefix(piece.size());
    server.Receive(piece);
    CheckWindows(server);
    outcome.early = !server.session.receives() && !bytes.empty();
    if (outcome.early) break;
  }
  server.Send();
  for (const auto& [id, stream] : server.streams) {
    if (!stream->closed() && stream->requested) {
      server.Read(*stream, SIZE_MAX);
      server.session.Reset(*stream, NGHTTP2_CANCEL);
    }
    if (stream->requested) outcome.requests[id] += stream->body;
  }
  outcome.goaway = server.GoawayCode();
  size_t n_framed = 0;
  for (const Frame& frame : http::testing::Parse(server.sent))
    n_framed += 9 + frame.payload.size();
  RINGWAY_CHECK(n_framed == server.sent.size(), "a part of a frame was sent");
  return outcome;
}

// Frames that are likely to be well-formed, from bytes that say of what kind.
std::string MakeFrames(std::string_view bytes) {
  std::string frames;
  uint32_t newest = 1;
  while (bytes.size() >= 2) {
    const auto kind = static_cast<unsigned char>(bytes[0]);
    const auto size = static_cast<unsigned char>(bytes[1]);
    bytes.remove_prefix(2);
    const std::string payload(bytes.substr(0, size));
    bytes.remove_prefix(payload.size());
    if (newest == 1 && kind % 8 >= 2 && kind % 8 <= 5) continue;
    const uint32_t stream = newest - 2 * std::min(kind / 64u, (newest - 3) / 2);
    const uint8_t end = (kind & 16) != 0 ? kEndStream : 0;
    Frame frame = {kPing, 0, 0, std::string(8, 'p')};
    switch (kind % 8) {
      case 0:
      case 1: {
        newest += 2;
        Fields fields = {{":method", end != 0 ? "GET" : "POST"},
                         {":scheme", "http"},
                         {":path", "/" + payload.substr(0, size / 4)},
                         {":authority", "a"}};
        if (kind % 8 == 1)
          fields.emplace_back(
              payload.substr(0, size / 2),
              payload.substr(std::min<size_t>(payload.size(), size / 2)));
        const std::string block = Block(fields);
        if ((kind & 32) == 0) {
          frame = {kHeaders, static_cast<uint8_t>(kEndHeaders | end), newest,
                   block};
          break;
        }
        const size_t half = block.size() / 2;
        frames += http::testing::Bytes(
            {kHeaders, end, newest, block.substr(0, half)});
        frame = {kContinuation, kEndHeaders, newest, block.substr(half)};
        break;
      }
      case 2:
      case 3:
        frame = {kData, end, stream, payload};
        break;
      case 4:
        frame = {kRstStream, 0, stream, Big(size, 4)};
        break;
      case 5:
        frame = {kWindowUpdate, 0, end != 0 ? 0 : stream,
                 Big(1 + size * 300u, 4)};
        break;
      case 6:
        frame = {kSettings, 0, 0,
                 http::testing::Setting(size % 8 < 6 ? 3 + size % 2 : size % 7,
                                        size * 100u)};
        break;
      default:
        break;
    }
    frames += http::testing::Bytes(frame);
  }
  return frames;
}

}  // namespace

size_t CheckHttp2Script(std::string_view script) {
  if (script.size() <= kSettingBytes) return 0;
  const auto kind = static_cast<unsigned char>(script[0]);
  const auto limits = static_cast<unsigned char>(script[1]);
  const std::string_view sizes = script.substr(2, kSettingBytes - 2);
  const std::string_view rest = script.substr(kSettingBytes);
  const std::string bytes =
      (kind & 1) != 0 ? std::string(rest) : MakeFrames(rest);
  const Outcome whole =
      Run(bytes, limits, kind / 2, [] { return size_t{64} << 10; });
  size_t next = 0;
  const Outcome in_pieces = Run(bytes, limits, kind / 2, [&] {
    const auto size = static_cast<unsigned char>(sizes[next++ % sizes.size()]);
    return size_t{1} + size % 64;
  });
  // After the client's GOAWAY, what it sends with that is still looked at. A
  // client beyond a limit is told when its bytes have been taken.
  if (!in_pieces.early && whole.goaway != NGHTTP2_ENHANCE_YOUR_CALM &&
      in_pieces.goaway != NGHTTP2_ENHANCE_YOUR_CALM) {
    RINGWAY_CHECK(whole.goaway == in_pieces.goaway, "another error: %u, %u",
                  whole.goaway, in_pieces.goaway);
    RINGWAY_CHECK(whole.requests == in_pieces.requests, "other requests");
  }
  return whole.requests.size();
}

}  // namespace ringway::fuzz
