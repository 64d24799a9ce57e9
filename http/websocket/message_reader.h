// SPDX-License-Identifier: Apache-2.0
//
// MessageReader: messages and control frames of a WebSocket's peer, from bytes
// in pieces of any size. Without I/O.

#ifndef RINGWAY_HTTP_WEBSOCKET_MESSAGE_READER_H_
#define RINGWAY_HTTP_WEBSOCKET_MESSAGE_READER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ringway/http/websocket/close_code.h"
#include "ringway/http/websocket/frame.h"
#include "ringway/http/websocket/utf8_checker.h"

namespace ringway::http::internal {

// Threads: one at a time.
// Cost:    bytes are copied once; memory grows with what has arrived of a
//          message, not with what was announced.
class MessageReader {
 public:
  enum class Event : uint8_t {
    kNone,     // all bytes were used
    kMessage,  // message() is whole
    kPing,     // control() is to be returned
    kPong,
    kClose,   // close_code(), and control() is the reason
    kFailed,  // final: close_code() is for the peer, control() says why
  };

  // `masked`: whether the peer has to mask its frames, as clients do.
  MessageReader(bool masked, size_t max_message_bytes)
      : masked_(masked), max_message_bytes_(max_message_bytes) {}

  // Reads from `bytes` to the next event; puts into `n_used` how many it took.
  Event Read(std::span<const std::byte> bytes, size_t& n_used);

  // Until Forget().
  std::string_view message() const { return message_; }
  bool is_text() const { return is_text_; }
  // Between kMessage and the next message: memory beyond `kept_bytes` is given
  // back.
  void Forget(size_t kept_bytes);

  std::string_view control() const { return control_text_; }
  CloseCode close_code() const { return close_code_; }
  // Bytes of its own.
  size_t memory_bytes() const { return message_.capacity(); }

 private:
  Event Fail(CloseCode code, std::string_view why);
  Event BeginFrame();
  Event EndFrame();
  Event EndClose();
  Event TakePayload(std::span<const std::byte> bytes);

  const bool masked_;
  const size_t max_message_bytes_;

  FrameHead head_;
  uint64_t n_done_ = 0;  // of the frame's bytes
  std::array<std::byte, kMaxFrameHeadBytes> begun_head_;
  size_t n_begun_ = 0;  // bytes of a head whose rest is missing
  bool in_frame_ = false;

  std::string message_;
  Utf8Checker utf8_;
  bool is_text_ = false;
  bool in_message_ = false;  // a frame of it has come, and not its last

  std::array<char, kMaxControlBytes> control_;
  std::string_view control_text_;
  CloseCode close_code_ = CloseCode::kNone;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_WEBSOCKET_MESSAGE_READER_H_
