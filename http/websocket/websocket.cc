// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/websocket.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/executor/task/executor.h"
#include "ringway/http/websocket/frame_mask.h"

namespace ringway::http {

namespace {

using internal::FrameHead;
using internal::Opcode;

// What a client masks at a time.
constexpr size_t kMaskedBytes = size_t{16} << 10;
constexpr size_t kMaxReasonBytes = internal::kMaxControlBytes - 2;

std::span<const std::byte> BytesOf(std::string_view text) {
  return std::as_bytes(std::span(text));
}

bool IsUtf8(std::string_view text) {
  internal::Utf8Checker utf8;
  return utf8.Add(text) && utf8.complete();
}

}  // namespace

WebSocket::WebSocket(Tunnel& tunnel, const WebSocketOptions& options,
                     std::string_view protocol, Role role)
    : tunnel_(tunnel),
      options_(options),
      protocol_(protocol),
      role_(role),
      loop_(CurrentExecutor().loop()),
      reader_(/*masked=*/role == Role::kServer, options.max_message_bytes),
      drain_(tunnel.drain()) {}

// --- Receiving.

Task<absl::StatusOr<std::optional<WebSocketMessage>>> WebSocket::Receive() {
  reader_.Forget(options_.kept_bytes);
  while (!over_) {
    // A peer that goes on sending gets no more time for its Close.
    if (close_sent_ && loop_.now() >= close_limit_) {
      over_ = true;
      break;
    }
    const std::span<const std::byte> bytes = tunnel_.Peek();
    absl::Status status;
    if (bytes.empty()) {
      Task<absl::Status> wait = WaitForBytes();
      status = co_await std::move(wait);
    } else {
      size_t n_used = 0;
      const Event event = reader_.Read(bytes, n_used);
      tunnel_.Consume(n_used);
      pinged_ = false;
      if (event == Event::kMessage) {
        const WebSocketMessage message{reader_.message(), reader_.is_text()};
        co_return message;
      }
      if (event == Event::kNone) continue;
      Task<absl::Status> handle = OnEvent(event);
      status = co_await std::move(handle);
    }
    if (!status.ok()) co_return status;
  }
  if (!ended_.ok()) co_return ended_;
  co_return std::nullopt;
}

Task<absl::Status> WebSocket::WaitForBytes() {
  const absl::Duration timeout = close_sent_ ? close_limit_ - loop_.now()
                                 : pinged_   ? options_.pong_timeout
                                             : options_.ping_interval;
  Task<absl::StatusOr<std::span<const std::byte>>> fill =
      tunnel_.Fill(timeout, drain_);
  const absl::StatusOr<std::span<const std::byte>> filled =
      co_await std::move(fill);
  if (filled.ok()) {
    if (!filled->empty()) co_return absl::OkStatus();
    over_ = broken_ = true;
    if (!close_sent_)
      ended_ = absl::OutOfRangeError("the peer has ended without a Close");
    co_return absl::OkStatus();
  }
  if (drain_.cancelled()) {
    drain_ = CancelToken();
    QueueClose(CloseCode::kGoingAway, {});
  } else if (!absl::IsDeadlineExceeded(filled.status())) {
    if (absl::IsCancelled(filled.status())) co_return filled.status();
    over_ = broken_ = true;
    if (!close_sent_) ended_ = filled.status();
    co_return absl::OkStatus();
  } else if (close_sent_) {
    over_ = true;
    co_return absl::OkStatus();
  } else if (writing_.locked()) {
    // The peer is being sent something, for which there is another deadline.
    co_return absl::OkStatus();
  } else if (pinged_) {
    over_ = broken_ = true;
    ended_ = absl::DeadlineExceededError("the peer has answered no ping");
    co_return absl::OkStatus();
  } else {
    pinged_ = ping_due_ = true;
  }
  Task<absl::Status> send = SendControl();
  co_return co_await std::move(send);
}

Task<absl::Status> WebSocket::OnEvent(Event event) {
  switch (event) {
    case Event::kPing:
      if (close_sent_) co_return absl::OkStatus();
      // Of several pings, the last has to be answered (section 5.5.3).
      pong_due_ = true;
      n_pong_ = static_cast<uint8_t>(
          reader_.control().copy(pong_.data(), pong_.size()));
      break;
    case Event::kClose:
      over_ = true;
      close_code_ = reader_.close_code();
      close_reason_ = reader_.control();
      QueueClose(close_code_, {});
      break;
    case Event::kFailed:
      over_ = true;
      ended_ = reader_.close_code() == CloseCode::kTooBig
                   ? absl::ResourceExhaustedError(reader_.control())
                   : absl::InvalidArgumentError(reader_.control());
      QueueClose(reader_.close_code(), reader_.control());
      break;
    default:
      co_return absl::OkStatus();
  }
  Task<absl::Status> send = SendControl();
  const absl::Status sent = co_await std::move(send);
  // What has been received goes before what could not be sent.
  co_return over_ ? absl::OkStatus() : sent;
}

// --- Sending.

absl::Status WebSocket::Unsendable() const {
  return absl::FailedPreconditionError(broken_ ? "the connection has ended"
                                               : "the socket is closed");
}

Task<absl::Status> WebSocket::Send(WebSocketMessage message) {
  if (message.is_text && !IsUtf8(message.data))
    co_return absl::InvalidArgumentError("a text that is not UTF-8");
  absl::StatusOr<MutexLock> lock = co_await writing_.Lock();
  if (!lock.ok()) co_return lock.status();
  if (in_parts_)
    co_return absl::FailedPreconditionError("a message in parts has not ended");
  Task<absl::Status> send =
      SendLocked(message.is_text ? Opcode::kText : Opcode::kBinary,
                 /*last=*/true, message.data);
  co_return co_await std::move(send);
}

Task<absl::Status> WebSocket::SendPart(WebSocketMessage part, bool last) {
  absl::StatusOr<MutexLock> lock = co_await writing_.Lock();
  if (!lock.ok()) co_return lock.status();
  const bool is_text = in_parts_ ? parts_are_text_ : part.is_text;
  internal::Utf8Checker utf8 = in_parts_ ? utf8_ : internal::Utf8Checker();
  if (is_text && (!utf8.Add(part.data) || (last && !utf8.complete())))
    co_return absl::InvalidArgumentError("a text that is not UTF-8");
  const Opcode opcode = in_parts_ ? Opcode::kContinuation
                        : is_text ? Opcode::kText
                                  : Opcode::kBinary;
  utf8_ = utf8;
  parts_are_text_ = is_text;
  in_parts_ = !last;
  Task<absl::Status> send = SendLocked(opcode, last, part.data);
  co_return co_await std::move(send);
}

Task<absl::Status> WebSocket::SendLocked(Opcode opcode, bool last,
                                         std::string_view data) {
  if (closed()) co_return Unsendable();
  Task<absl::Status> write = WriteFrame(opcode, last, data);
  absl::Status written = co_await std::move(write);
  if (written.ok() && control_due()) {
    Task<absl::Status> control = SendControlLocked();
    written = co_await std::move(control);
  }
  co_return written;
}

Task<absl::Status> WebSocket::SendControl() {
  std::optional<MutexLock> lock = writing_.TryLock();
  if (!lock.has_value()) co_return absl::OkStatus();
  Task<absl::Status> send = SendControlLocked();
  co_return co_await std::move(send);
}

Task<absl::Status> WebSocket::SendControlLocked() {
  std::array<char, internal::kMaxControlBytes> bytes;
  while (control_due() && !broken_) {
    Opcode opcode{};
    const std::string_view data = TakeControl(opcode, bytes);
    Task<absl::Status> write = WriteFrame(opcode, /*last=*/true, data);
    absl::Status written = co_await std::move(write);
    if (!written.ok()) co_return written;
  }
  co_return absl::OkStatus();
}

// Copies, since the next may become due while this one is sent.
std::string_view WebSocket::TakeControl(
    Opcode& opcode, std::span<char, internal::kMaxControlBytes> to) {
  std::string_view data;
  if (close_due_) {
    opcode = Opcode::kClose;
    data = std::string_view(close_.data(), n_close_);
    close_due_ = pong_due_ = ping_due_ = false;  // nothing follows a Close
  } else if (pong_due_) {
    opcode = Opcode::kPong;
    data = std::string_view(pong_.data(), n_pong_);
    pong_due_ = false;
  } else {
    opcode = Opcode::kPing;
    ping_due_ = false;
  }
  return {to.data(), data.copy(to.data(), to.size())};
}

Task<absl::Status> WebSocket::WriteFrame(Opcode opcode, bool last,
                                         std::string_view data) {
  FrameHead head;
  head.opcode = opcode;
  head.last = last;
  head.n_bytes = data.size();
  head.masked = is_client();
  if (head.masked) head.mask = internal::NewMask();
  std::array<std::byte, internal::kMaxFrameHeadBytes> bytes;
  const std::span<const std::byte> head_bytes =
      std::span(bytes).first(internal::PutFrameHead(head, bytes));
  Task<absl::Status> write = head.masked
                                 ? WriteMasked(head_bytes, head.mask, data)
                                 : tunnel_.Write(head_bytes, BytesOf(data));
  absl::Status written = co_await std::move(write);
  if (!written.ok()) broken_ = true;
  co_return written;
}

Task<absl::Status> WebSocket::WriteMasked(std::span<const std::byte> head,
                                          const internal::Mask& mask,
                                          std::string_view data) {
  uint64_t n_done = 0;
  do {
    masked_.assign(data.substr(n_done, kMaskedBytes));
    internal::ApplyMask(mask, n_done,
                        std::as_writable_bytes(std::span(masked_)));
    Task<absl::Status> write = tunnel_.Write(head, BytesOf(masked_));
    absl::Status written = co_await std::move(write);
    if (!written.ok()) co_return written;
    n_done += masked_.size();
    head = {};
  } while (n_done < data.size());
  masked_.clear();
  if (masked_.capacity() > options_.kept_bytes) std::string().swap(masked_);
  co_return absl::OkStatus();
}

// --- The end.

void WebSocket::QueueClose(CloseCode code, std::string_view reason) {
  if (close_sent_) return;
  close_sent_ = close_due_ = true;
  close_limit_ = loop_.now() + options_.close_timeout;
  n_close_ = 0;
  if (code == CloseCode::kNone) return;
  close_[0] = static_cast<char>(static_cast<uint16_t>(code) >> 8);
  close_[1] = static_cast<char>(static_cast<uint16_t>(code) & 0xff);
  n_close_ =
      static_cast<uint8_t>(2 + reason.copy(close_.data() + 2, kMaxReasonBytes));
}

Task<absl::Status> WebSocket::Close(CloseCode code, std::string_view reason) {
  if (!internal::MayBeSent(code)) {
    co_return absl::InvalidArgumentError(absl::StrCat(
        static_cast<int>(code), " is no code that a Close may have"));
  }
  if (reason.size() > kMaxReasonBytes || !IsUtf8(reason)) {
    co_return absl::InvalidArgumentError(
        absl::StrCat("the reason of a Close is no UTF-8 of up to ",
                     kMaxReasonBytes, " bytes"));
  }
  QueueClose(code, reason);
  if (!close_due_ || broken_) co_return absl::OkStatus();
  absl::StatusOr<MutexLock> lock = co_await writing_.Lock();
  if (!lock.ok()) co_return lock.status();
  Task<absl::Status> send = SendControlLocked();
  co_return co_await std::move(send);
}

Task<absl::Status> WebSocket::Finish(CloseCode code) {
  Task<absl::Status> close = Close(code, {});
  const absl::Status closed = co_await std::move(close);
  if (!closed.ok()) co_return ended_.ok() ? closed : ended_;
  while (!over_ && !broken_) {
    Task<absl::StatusOr<std::optional<WebSocketMessage>>> receive = Receive();
    const absl::StatusOr<std::optional<WebSocketMessage>> dropped =
        co_await std::move(receive);
    if (!dropped.ok()) break;
  }
  co_return ended_;
}

}  // namespace ringway::http
