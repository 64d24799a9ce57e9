// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/buffered_writer.h"

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/write_buffer.h"

namespace ringway::net {
namespace internal {

BufferWait::BufferWait(WriteBuffer* buffer, TryFunction attempt,
                       std::span<const std::byte> bytes)
    : buffer_(buffer),
      unusable_(LoopDependent::WhyUnusable(buffer, kOwner)),
      attempt_(attempt),
      bytes_(bytes) {}

BufferWait::WaitEnd BufferWait::Admit() {
  if (unusable_ != Unusable::kNo) return WaitEnd::kUnusable;
  buffer_->CheckAwaitedOn(task().loop(), kOwner);
  return WaitEnd::kWaiting;
}

BufferWait::WaitEnd BufferWait::Begin() {
  return attempt_(*buffer_, *this) ? WaitEnd::kServed : WaitEnd::kWaiting;
}

// The next one may fit.
void BufferWait::AfterCancel() { buffer_->AdmitWaiters(); }

absl::Status BufferWait::await_resume() const {
  if (unusable_ != Unusable::kNo)
    return UnusableStatus(unusable_, "BufferedWriter");
  if (stream_closed_) return UnusableStatus(Unusable::kEmpty, "stream");
  if (cancelled()) return CancelledStatus();
  return ErrnoToStatus(-result_, "buffered write on a stream");
}

}  // namespace internal

EnqueueOp::EnqueueOp(internal::WriteBuffer* buffer,
                     std::span<const std::byte> bytes)
    : BufferWait(
          buffer,
          [](internal::WriteBuffer& b, BufferWait& wait) {
            return b.TryEnqueue(wait);
          },
          bytes) {}

FlushOp::FlushOp(internal::WriteBuffer* buffer)
    : BufferWait(buffer,
                 [](internal::WriteBuffer& b, BufferWait& wait) {
                   return b.TryFlush(wait);
                 },
                 {}) {}

BufferedWriter::BufferedWriter(const StreamWriter& writer, size_t limit_bytes)
    : buffer_(internal::WriteBuffer::New(writer.half_, limit_bytes)) {}

BufferedWriter::BufferedWriter(BufferedWriter&&) noexcept = default;

BufferedWriter& BufferedWriter::operator=(BufferedWriter&& other) noexcept {
  if (this != &other) {
    if (buffer_ != nullptr) internal::WriteBuffer::Abandon(std::move(buffer_));
    buffer_ = std::move(other.buffer_);
  }
  return *this;
}

BufferedWriter::~BufferedWriter() {
  if (buffer_ != nullptr) internal::WriteBuffer::Abandon(std::move(buffer_));
}

absl::Status BufferedWriter::TryEnqueue(std::span<const std::byte> bytes) {
  const Unusable why =
      LoopDependent::WhyUnusable(buffer_.get(), "a BufferedWriter");
  if (why != Unusable::kNo) return UnusableStatus(why, "BufferedWriter");
  if (buffer_->stream_closed())
    return UnusableStatus(Unusable::kEmpty, "stream");
  int32_t result = 0;
  if (!buffer_->TryEnqueueNow(bytes, result)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no room for ", bytes.size(), " bytes: ", queued_bytes(),
                     " are queued"));
  }
  return ErrnoToStatus(-result, "buffered write on a stream");
}

void BufferedWriter::Cork() {
  if (LoopDependent::WhyUnusable(buffer_.get(), "a BufferedWriter") ==
      Unusable::kNo)
    buffer_->Cork();
}

void BufferedWriter::Uncork() {
  if (LoopDependent::WhyUnusable(buffer_.get(), "a BufferedWriter") ==
      Unusable::kNo)
    buffer_->Uncork();
}

size_t BufferedWriter::queued_bytes() const {
  LoopDependent::CheckUsable(buffer_.get(), "a BufferedWriter");
  return buffer_->queued_bytes();
}

size_t BufferedWriter::high_water_bytes() const {
  LoopDependent::CheckUsable(buffer_.get(), "a BufferedWriter");
  return buffer_->high_water_bytes();
}

size_t BufferedWriter::memory_bytes() const {
  LoopDependent::CheckUsable(buffer_.get(), "a BufferedWriter");
  return buffer_->memory_bytes();
}

}  // namespace ringway::net
