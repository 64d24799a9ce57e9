// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/engine/output_buffer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "ringway/core/check.h"

namespace ringway::net::internal {

void OutputBuffer::Add(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  RINGWAY_CHECK(!in_place(), "bytes after a record that stays in place");
  if (bytes.size() > capacity_ - size_) {
    const size_t wanted =
        std::max({kBlockBytes, 2 * capacity_, size_ + bytes.size()});
    std::unique_ptr<std::byte[]> larger(new std::byte[wanted]);
    if (size_ > 0) memcpy(larger.get(), memory_.get(), size_);
    memory_ = std::move(larger);
    capacity_ = wanted;
  }
  memcpy(memory_.get() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void OutputBuffer::Append(std::span<const std::byte> bytes) {
  RINGWAY_CHECK(records().empty(), "encrypted bytes after records");
  Add(bytes);
  n_encrypted_ = size_;
}

void OutputBuffer::AppendRecord(PlainRecord record) {
  const size_t n = record.bytes.size();
  RINGWAY_CHECK(n <= UINT16_MAX, "a record of %zu bytes", n);
  const std::array<std::byte, kHeaderBytes> header = {
      std::byte{record.type}, static_cast<std::byte>(n >> 8),
      static_cast<std::byte>(n)};
  const size_t before = size_;
  Add(header);
  try {
    Add(record.bytes);
  } catch (const std::bad_alloc&) {
    size_ = before;
    throw;
  }
}

PlainRecord OutputBuffer::TakeRecord(std::span<const std::byte>& records) {
  const size_t n =
      static_cast<size_t>(records[1]) << 8 | static_cast<size_t>(records[2]);
  const PlainRecord record = {.type = static_cast<uint8_t>(records[0]),
                              .bytes = records.subspan(kHeaderBytes, n)};
  records = records.subspan(kHeaderBytes + n);
  return record;
}

OutputBuffer OutputPool::Take() {
  if (free_.empty()) {
    free_.reserve(kMostFree);
    return {};
  }
  OutputBuffer last = std::move(free_.back());
  free_.pop_back();
  return last;
}

void OutputPool::GiveBack(OutputBuffer buffer) {
  if (buffer.capacity() != OutputBuffer::kBlockBytes) return;
  if (free_.size() >= kMostFree) return;
  buffer.Clear();
  free_.push_back(std::move(buffer));
}

}  // namespace ringway::net::internal
