// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/stream_write_buffer.h"

#include <utility>

#include "ringway/backends/prepare.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/errno_status.h"

namespace ringway::net::internal {

StreamWriteBuffer::StreamWriteBuffer(const StreamHalf& stream,
                                     size_t limit_bytes)
    : WriteBuffer(stream.core()->loop(), limit_bytes),
      stream_(stream),
      fd_(stream.core()->fd()),
      send_(*this) {}

std::unique_ptr<WriteBuffer> StreamWriteBuffer::New(const StreamHalf& stream,
                                                    size_t limit_bytes) {
  const Unusable why = WhyUnusable(stream.core(), "a half of a TcpStream");
  if (why != Unusable::kNo) return nullptr;
  return std::unique_ptr<WriteBuffer>(
      new StreamWriteBuffer(stream, limit_bytes));
}

void StreamWriteBuffer::StartSend() {
  sending_to_ = stream_.core();
  PrepareRest();
  sending_to_->BeginWrite(send_);
}

// Without MSG_WAITALL, because every part that the kernel accepts makes room.
void StreamWriteBuffer::PrepareRest() { PrepareSend(send_, fd_, unsent()); }

bool StreamWriteBuffer::CanTakeMore() const {
  return send_.state == OpState::kIdle || send_.state == OpState::kQueued;
}

void StreamWriteBuffer::TakeMore() { ReplaceBuffer(send_, unsent()); }

void StreamWriteBuffer::Send::OnDone(Runnable& entry) {
  static_cast<Send&>(static_cast<Operation&>(entry)).buffer.OnSent();
}

void StreamWriteBuffer::OnSent() {
  const bool cancelled =
      abandoned() || sending_to_->abandoned() || send_.cancel_requested;
  sending_to_->CountSent(send_.result);
  if (send_.result == -ECANCELED) {
    Fail(CancelledStatus());
  } else if (send_.result < 0) {
    Fail(ErrnoToStatus(-send_.result, "buffered write on a stream"));
  } else if (Advance(static_cast<size_t>(send_.result), cancelled)) {
    PrepareRest();
    loop().Start(send_);
    return;
  }
  std::exchange(sending_to_, nullptr)->EndWrite();
  EndSend();
}

bool StreamWriteBuffer::CancelSend() {
  if (sending_to_->CancelWrite(send_)) return true;
  if (send_.active() || send_.linked()) return false;
  // The loop is being destroyed and has ended the send without running its
  // function.
  sending_to_->EndWrite();
  return true;
}

}  // namespace ringway::net::internal
