// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/buffered_writer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/net/socket/stream_write_buffer.h"

namespace ringway::net {
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
    : buffer_(internal::StreamWriteBuffer::New(writer.half_, limit_bytes)) {}

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
  absl::Status result;
  if (!buffer_->TryEnqueueNow(bytes, result)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no room for ", bytes.size(), " bytes: ", queued_bytes(),
                     " are queued"));
  }
  return result;
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
