// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/fuzz/websocket_model.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ringway/core/check.h"
#include "ringway/http/websocket/message_reader.h"
#include "ringway/http/websocket/testing/frames.h"

namespace ringway::fuzz {
namespace {

using Event = http::internal::MessageReader::Event;
using http::testing::Frame;
using http::testing::kBinary;
using http::testing::kClose;
using http::testing::kContinuation;
using http::testing::kPing;
using http::testing::kPong;
using http::testing::kText;

constexpr size_t kSettings = 8;

struct Happened {
  Event event;
  std::string text;
  bool is_text = false;
  int code = 0;

  bool operator==(const Happened&) const = default;
};

struct Settings {
  bool masked;
  size_t limit;
  std::string_view piece_sizes;
};

std::vector<Happened> ReadAll(std::string_view bytes, const Settings& settings,
                              const std::function<size_t()>& next_size) {
  http::internal::MessageReader reader(settings.masked, settings.limit);
  std::vector<Happened> all;
  size_t n_arrived = 0;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, next_size());
    bytes.remove_prefix(piece.size());
    n_arrived += piece.size();
    while (!piece.empty()) {
      size_t n_used = 0;
      const Event event = reader.Read(std::as_bytes(std::span(piece)), n_used);
      RINGWAY_CHECK(n_used <= piece.size(), "more used than there is");
      RINGWAY_CHECK(event != Event::kNone || n_used == piece.size(),
                    "bytes are left without an event");
      RINGWAY_CHECK(
          event == Event::kNone || event == Event::kFailed || n_used > 0,
          "an event of nothing");
      RINGWAY_CHECK(reader.memory_bytes() <= 2 * n_arrived + 64,
                    "%zu bytes are kept of %zu", reader.memory_bytes(),
                    n_arrived);
      piece.remove_prefix(n_used);
      if (event == Event::kNone) break;
      if (event == Event::kMessage) {
        all.push_back({event, std::string(reader.message()), reader.is_text()});
        reader.Forget(0);
        continue;
      }
      const bool has_code = event == Event::kClose || event == Event::kFailed;
      all.push_back(
          {event, event == Event::kFailed ? "" : std::string(reader.control()),
           false, has_code ? static_cast<int>(reader.close_code()) : 0});
      if (event == Event::kFailed) return all;
    }
  }
  return all;
}

// As section 3 of RFC 3629 describes it.
bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const size_t n = first < 0x80   ? 1
                     : first < 0xc0 ? 0
                     : first < 0xe0 ? 2
                     : first < 0xf0 ? 3
                     : first < 0xf8 ? 4
                                    : 0;
    if (n == 0 || text.size() - i < n) return false;
    static constexpr uint32_t kFirstBits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = first & kFirstBits[n];
    for (size_t k = 1; k < n; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if ((byte & 0xc0) != 0x80) return false;
      c = c << 6 | (byte & 0x3f);
    }
    static constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < kLeast[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
      return false;
    i += n;
  }
  return true;
}

// Whether something can follow that makes it UTF-8.
bool BeginsUtf8(std::string_view text) {
  if (IsUtf8(text)) return true;
  static constexpr std::string_view kSeconds = "\x80\x90\xa0";
  for (size_t n = 1; n <= 3; ++n) {
    for (const char second : kSeconds) {
      const std::string longer =
          std::string(text).append(1, second).append(n - 1, '\x80');
      if (IsUtf8(longer)) return true;
    }
  }
  return false;
}

bool IsCloseCode(int code) {
  return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
         (code >= 3000 && code <= 4999);
}

// What whole frames mean; ends with kFailed, without a code, at the first that
// breaks a rule.
std::vector<Happened> Expected(std::string bytes, const Settings& settings) {
  std::vector<Happened> all;
  std::optional<Happened> message;
  const Happened failed = {Event::kFailed, ""};
  while (true) {
    const std::string before = bytes;
    const std::optional<Frame> frame = http::testing::TakeFrame(bytes);
    if (!frame.has_value()) return all;
    const std::string used = before.substr(0, before.size() - bytes.size());
    // Its shortest form is the only one.
    const bool well_formed = http::testing::BytesOf(*frame) == used &&
                             frame->reserved == 0 &&
                             frame->mask.has_value() == settings.masked;
    const bool is_control = frame->opcode >= kClose;
    if (!well_formed || (frame->opcode > kBinary && !is_control) ||
        frame->opcode > kPong ||
        (is_control && (!frame->fin || frame->payload.size() > 125))) {
      all.push_back(failed);
      return all;
    }
    if (frame->opcode == kPing || frame->opcode == kPong) {
      all.push_back({frame->opcode == kPing ? Event::kPing : Event::kPong,
                     frame->payload});
      continue;
    }
    if (frame->opcode == kClose) {
      const std::string& payload = frame->payload;
      if (payload.empty()) {
        all.push_back({Event::kClose, "", false, 1005});
        continue;
      }
      const int code = payload.size() < 2
                           ? 0
                           : static_cast<unsigned char>(payload[0]) * 256 +
                                 static_cast<unsigned char>(payload[1]);
      if (!IsCloseCode(code) || !IsUtf8(payload.substr(2))) {
        all.push_back(failed);
        return all;
      }
      all.push_back({Event::kClose, payload.substr(2), false, code});
      continue;
    }
    if ((frame->opcode == kContinuation) != message.has_value()) {
      all.push_back(failed);
      return all;
    }
    if (!message.has_value())
      message = {Event::kMessage, "", frame->opcode == kText};
    message->text += frame->payload;
    if (message->text.size() > settings.limit ||
        (message->is_text &&
         !(frame->fin ? IsUtf8(message->text) : BeginsUtf8(message->text)))) {
      all.push_back(failed);
      return all;
    }
    if (!frame->fin) continue;
    all.push_back(*message);
    message.reset();
  }
}

// Frames that are likely to be well-formed, from bytes that say of what kind.
std::string MakeFrames(std::string_view bytes, const Settings& settings) {
  std::string frames;
  while (bytes.size() >= 2) {
    static constexpr int kOpcodes[] = {kText, kBinary,      kContinuation,
                                       kPing, kPong,        kClose,
                                       kText, kContinuation};
    const auto kind = static_cast<unsigned char>(bytes[0]);
    const auto size = static_cast<unsigned char>(bytes[1]);
    bytes.remove_prefix(2);
    Frame frame;
    frame.opcode = kOpcodes[kind % 8];
    frame.fin = frame.opcode >= kClose || (kind & 8) != 0;
    frame.payload = std::string(bytes.substr(0, size));
    if (frame.opcode == kClose && (kind & 16) != 0)
      frame.payload = http::testing::ClosePayload(1000 + kind / 32) +
                      frame.payload.substr(0, 100);
    bytes.remove_prefix(std::min<size_t>(bytes.size(), size));
    if (settings.masked) {
      frame.mask = std::string(4, static_cast<char>(kind));
    } else {
      frame.mask.reset();
    }
    frames += http::testing::BytesOf(frame);
  }
  return frames;
}

}  // namespace

size_t CheckWebSocketScript(std::string_view script) {
  if (script.size() <= kSettings) return 0;
  const auto kind = static_cast<unsigned char>(script[0]);
  const Settings settings = {
      (kind & 1) != 0,
      (kind & 2) != 0 ? size_t{1} << 20
                      : size_t{1} + static_cast<unsigned char>(script[1]),
      script.substr(2, kSettings - 2)};
  const std::string_view rest = script.substr(kSettings);
  const std::string bytes =
      (kind & 4) != 0 ? std::string(rest) : MakeFrames(rest, settings);

  const std::vector<Happened> whole =
      ReadAll(bytes, settings, [] { return SIZE_MAX; });
  size_t next = 0;
  const std::vector<Happened> in_pieces = ReadAll(bytes, settings, [&] {
    const auto size = static_cast<unsigned char>(
        settings.piece_sizes[next++ % settings.piece_sizes.size()]);
    return size_t{1} + size % 64;
  });
  RINGWAY_CHECK(whole == in_pieces, "pieces make a difference");

  std::vector<Happened> expected = Expected(bytes, settings);
  const bool failed = !whole.empty() && whole.back().event == Event::kFailed;
  const bool expected_to_fail =
      !expected.empty() && expected.back().event == Event::kFailed;
  RINGWAY_CHECK(!expected_to_fail || failed, "a fault was not seen");
  std::vector<Happened> good = whole;
  if (failed) good.pop_back();
  if (expected_to_fail) expected.pop_back();
  // A fault may be seen before its frame is whole.
  RINGWAY_CHECK(good == expected, "other messages than whole frames have");
  size_t n_messages = 0;
  for (const Happened& happened : good) {
    if (happened.event != Event::kMessage) continue;
    ++n_messages;
    RINGWAY_CHECK(happened.text.size() <= settings.limit, "a long message");
  }
  return n_messages;
}

}  // namespace ringway::fuzz
