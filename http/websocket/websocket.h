// SPDX-License-Identifier: Apache-2.0
//
// WebSocket: messages both ways over one connection (RFC 6455).
//
//   ringway::Task<absl::Status> Echo(ringway::http::Request& /*request*/,
//                                    ringway::http::WebSocket& socket) {
//     while (true) {
//       const auto message = co_await socket.Receive();
//       if (!message.ok()) co_return message.status();
//       if (!message->has_value()) co_return absl::OkStatus();  // closed
//       const absl::Status sent = co_await socket.Send(**message);
//       if (!sent.ok()) co_return sent;
//     }
//   }

#ifndef RINGWAY_HTTP_WEBSOCKET_WEBSOCKET_H_
#define RINGWAY_HTTP_WEBSOCKET_WEBSOCKET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/tunnel/tunnel.h"
#include "ringway/http/websocket/close_code.h"
#include "ringway/http/websocket/frame.h"
#include "ringway/http/websocket/message_reader.h"
#include "ringway/http/websocket/utf8_checker.h"
#include "ringway/http/websocket/websocket_options.h"

namespace ringway::http {

struct WebSocketMessage {
  std::string_view data;
  // It is UTF-8, as was checked; else bytes of any kind.
  bool is_text = true;
};

// One task may receive while others send: their messages do not mix. Somebody
// must receive, for the peer's pings and its Close to be answered.
//
// Threads: the connection's worker's only.
class WebSocket {
 public:
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  // Waits for the next message. Pings are answered meanwhile; when the server
  // drains, the socket is closed with kGoingAway.
  //
  // Result:       the message, valid until the next call; none when the socket
  //               is closed: after the peer's Close, or close_timeout after
  //               ours.
  // Errors:       InvalidArgument: the peer has broken the protocol.
  //               ResourceExhausted: a message above max_message_bytes. It was
  //               told, by a Close. OutOfRange: it has ended without a Close.
  //               DeadlineExceeded: it has answered no ping. Those of the
  //               stream; Cancelled.
  // Cancellation: nothing is lost: a later call goes on. But a peer that does
  //               not take the answer to its ping, is left.
  // Cost:         frames; a message is copied once, and one of up to kept_bytes
  //               allocates nothing.
  Task<absl::StatusOr<std::optional<WebSocketMessage>>> Receive();

  // Sends a message as one frame.
  //
  // Errors:       InvalidArgument: a text that is not UTF-8.
  //               FailedPrecondition: the socket is closed, or a message in
  //               parts has not ended. Those of Tunnel::Write().
  // Ownership:    the data must outlive the await.
  // Cancellation: ends the connection, unless it waits for another Send().
  // Cost:         frames; one write.
  Task<absl::Status> Send(WebSocketMessage message);
  Task<absl::Status> SendText(std::string_view text) {
    return Send({text, /*is_text=*/true});
  }
  Task<absl::Status> SendBinary(std::span<const std::byte> bytes) {
    return Send({std::string_view(reinterpret_cast<const char*>(bytes.data()),
                                  bytes.size()),
                 /*is_text=*/false});
  }
  // Sends the next part of a message whose length need not be known; the first
  // says what kind it is. Nothing but parts can be sent until the `last`.
  Task<absl::Status> SendPart(WebSocketMessage part, bool last);

  // Sends a Close; nothing can be sent after it. What the peer has sent before
  // its own can still be received. Does nothing the second time.
  //
  // Errors: InvalidArgument: a code that nobody may send, or a reason that is
  //         not UTF-8 or has more than 123 bytes. Those of Send().
  Task<absl::Status> Close(CloseCode code = CloseCode::kNormal,
                           std::string_view reason = {});

  // The peer's, once Receive() has returned none or an error: kNone if its
  // Close had no code, kAbnormal if there was no Close.
  CloseCode close_code() const { return close_code_; }
  std::string_view close_reason() const { return close_reason_; }
  // No more can be sent.
  bool closed() const { return close_sent_ || broken_; }

  // Which of WebSocketOptions::protocols was agreed on; may be empty.
  std::string_view protocol() const { return protocol_; }

  // Memory of its own, beside what the stream has.
  size_t memory_bytes() const { return reader_.memory_bytes(); }

  // --- For what makes them.

  enum class Role : uint8_t { kServer, kClient };
  // `tunnel` and `options` must outlive it. `protocol`: of options.protocols.
  WebSocket(Tunnel& tunnel, const WebSocketOptions& options,
            std::string_view protocol, Role role);
  // Nobody uses it any more: closes it, and waits for the peer's Close.
  //
  // Result: why it ended, unless that was by a Close.
  Task<absl::Status> Finish(CloseCode code);

 private:
  using Event = internal::MessageReader::Event;

  bool is_client() const { return role_ == Role::kClient; }

  // Waits for bytes; sends what is due when none come. None: go on.
  Task<absl::Status> WaitForBytes();
  Task<absl::Status> OnIdle();
  // A control frame, or a fault. OK: go on, unless over_.
  Task<absl::Status> OnEvent(Event event);
  // A frame of a message, and the control frames that are due after it.
  Task<absl::Status> SendLocked(internal::Opcode opcode, bool last,
                                std::string_view data);
  // Sends the control frames that are due, unless somebody is sending, who will
  // do it then.
  Task<absl::Status> SendControl();
  Task<absl::Status> SendControlLocked();
  Task<absl::Status> WriteFrame(internal::Opcode opcode, bool last,
                                std::string_view data);
  Task<absl::Status> WriteMasked(std::span<const std::byte> head,
                                 const internal::Mask& mask,
                                 std::string_view data);
  // The next control frame that is due; its bytes go to `to`.
  std::string_view TakeControl(internal::Opcode& opcode,
                               std::span<char, internal::kMaxControlBytes> to);
  bool control_due() const { return pong_due_ || ping_due_ || close_due_; }
  void QueueClose(CloseCode code, std::string_view reason);
  // Why nothing can be sent.
  absl::Status Unsendable() const;

  Tunnel& tunnel_;
  const WebSocketOptions& options_;
  const std::string_view protocol_;
  const Role role_;
  Loop& loop_;

  internal::MessageReader reader_;
  Mutex writing_;
  CancelToken drain_;          // none once it was seen
  MonotonicTime close_limit_;  // for the peer's Close, after ours
  absl::Status ended_;         // of what is over and has failed
  CloseCode close_code_ = CloseCode::kAbnormal;
  std::string close_reason_;
  std::string masked_;  // what a client is sending

  // Control frames that are due: the last ping's answer, a ping, a Close.
  std::array<char, internal::kMaxControlBytes> pong_;
  std::array<char, internal::kMaxControlBytes> close_;
  uint8_t n_pong_ = 0;
  uint8_t n_close_ = 0;
  bool pong_due_ = false;
  bool ping_due_ = false;
  bool close_due_ = false;

  internal::Utf8Checker utf8_;  // of the parts that were sent
  bool in_parts_ = false;       // a message of ours
  bool parts_are_text_ = false;
  bool pinged_ = false;      // and nothing has come since
  bool close_sent_ = false;  // or is due
  bool over_ = false;        // nothing more will be received
  bool broken_ = false;      // nothing can be sent
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_WEBSOCKET_WEBSOCKET_H_
