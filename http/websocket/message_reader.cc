// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/message_reader.h"

#include <algorithm>

namespace ringway::http::internal {

auto MessageReader::Read(std::span<const std::byte> bytes, size_t& n_used)
    -> Event {
  n_used = 0;
  while (true) {
    const std::span<const std::byte> rest = bytes.subspan(n_used);
    if (!in_frame_) {
      // A head in pieces is put together.
      const size_t n_before = n_begun_;
      const size_t n_added =
          std::min(rest.size(), begun_head_.size() - n_begun_);
      std::copy_n(rest.begin(), n_added, begun_head_.begin() + n_begun_);
      size_t n_head = 0;
      const HeadStep step = ReadFrameHead(
          std::span(begun_head_).first(n_before + n_added), head_, n_head);
      if (step == HeadStep::kFailed) {
        n_used = bytes.size();
        return Fail(CloseCode::kProtocolError, "a malformed frame");
      }
      if (step == HeadStep::kNeedMore) {
        n_begun_ += n_added;
        n_used += n_added;
        return Event::kNone;
      }
      n_used += n_head - n_before;
      n_begun_ = 0;
      if (const Event event = BeginFrame(); event != Event::kNone) return event;
      continue;
    }
    const size_t n = std::min<uint64_t>(rest.size(), head_.n_bytes - n_done_);
    if (n == 0 && n_done_ < head_.n_bytes) return Event::kNone;
    const Event event = TakePayload(rest.first(n));
    n_used += n;
    if (event != Event::kNone) return event;
    if (n_done_ < head_.n_bytes) return Event::kNone;
    in_frame_ = false;
    if (const Event end = EndFrame(); end != Event::kNone) return end;
  }
}

auto MessageReader::Fail(CloseCode code, std::string_view why) -> Event {
  close_code_ = code;
  control_text_ = why;
  return Event::kFailed;
}

auto MessageReader::BeginFrame() -> Event {
  if (head_.masked != masked_) {
    return Fail(CloseCode::kProtocolError,
                masked_ ? "a frame of a client that is not masked"
                        : "a frame of a server that is masked");
  }
  in_frame_ = true;
  n_done_ = 0;
  if (IsControl(head_.opcode)) return Event::kNone;
  const bool continues = head_.opcode == Opcode::kContinuation;
  if (continues != in_message_) {
    return Fail(CloseCode::kProtocolError, continues
                                               ? "a continuation of no message"
                                               : "a message within another");
  }
  if (!continues) {
    message_.clear();
    utf8_.Reset();
    is_text_ = head_.opcode == Opcode::kText;
  }
  in_message_ = true;
  if (head_.n_bytes > max_message_bytes_ - message_.size())
    return Fail(CloseCode::kTooBig, "a message above max_message_bytes");
  return Event::kNone;
}

auto MessageReader::TakePayload(std::span<const std::byte> bytes) -> Event {
  const char* const text = reinterpret_cast<const char*>(bytes.data());
  const uint64_t offset = n_done_;
  n_done_ += bytes.size();
  if (IsControl(head_.opcode)) {
    std::copy_n(text, bytes.size(), control_.begin() + offset);
    if (head_.masked) {
      ApplyMask(head_.mask, offset,
                std::as_writable_bytes(
                    std::span(control_).subspan(offset, bytes.size())));
    }
    return Event::kNone;
  }
  const size_t begin = message_.size();
  message_.append(text, bytes.size());
  if (head_.masked) {
    ApplyMask(head_.mask, offset,
              std::as_writable_bytes(std::span(message_).subspan(begin)));
  }
  if (is_text_ && !utf8_.Add(std::string_view(message_).substr(begin)))
    return Fail(CloseCode::kInvalidText, "a text that is not UTF-8");
  return Event::kNone;
}

auto MessageReader::EndFrame() -> Event {
  const std::string_view control(control_.data(), n_done_);
  switch (head_.opcode) {
    case Opcode::kPing:
      control_text_ = control;
      return Event::kPing;
    case Opcode::kPong:
      control_text_ = control;
      return Event::kPong;
    case Opcode::kClose:
      return EndClose();
    default:
      break;
  }
  if (!head_.last) return Event::kNone;
  in_message_ = false;
  if (is_text_ && !utf8_.complete())
    return Fail(CloseCode::kInvalidText, "a text that ends within a character");
  return Event::kMessage;
}

auto MessageReader::EndClose() -> Event {
  const std::string_view control(control_.data(), n_done_);
  if (control.empty()) {
    close_code_ = CloseCode::kNone;
    control_text_ = {};
    return Event::kClose;
  }
  if (control.size() == 1)
    return Fail(CloseCode::kProtocolError, "half a close code");
  const auto code =
      static_cast<CloseCode>(static_cast<unsigned char>(control[0]) << 8 |
                             static_cast<unsigned char>(control[1]));
  if (!MayBeSent(code))
    return Fail(CloseCode::kProtocolError, "a close code that nobody may send");
  Utf8Checker reason;
  if (!reason.Add(control.substr(2)) || !reason.complete()) {
    return Fail(CloseCode::kInvalidText,
                "the reason of a Close that is not UTF-8");
  }
  close_code_ = code;
  control_text_ = control.substr(2);
  return Event::kClose;
}

void MessageReader::Forget(size_t kept_bytes) {
  if (in_message_) return;
  message_.clear();
  // Assigning an empty string would keep the memory.
  if (message_.capacity() > kept_bytes) std::string().swap(message_);
}

}  // namespace ringway::http::internal
