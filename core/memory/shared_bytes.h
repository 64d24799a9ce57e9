// SPDX-License-Identifier: Apache-2.0
//
// SharedBytes: bytes together with what keeps them in memory.
//
// For what many write and nobody copies: TcpStream::WriteZeroCopy().

#ifndef RINGWAY_CORE_MEMORY_SHARED_BYTES_H_
#define RINGWAY_CORE_MEMORY_SHARED_BYTES_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ringway/core/check.h"

namespace ringway {

// Nobody may change the bytes while a SharedBytes refers to them.
//
// Threads: as std::shared_ptr: each object one thread at a time, copies of it
// on any thread. The last one, on whichever thread, deletes the owner.
// Cost:    a copy counts references.
class SharedBytes {
 public:
  SharedBytes() = default;
  // Takes the bytes over; one allocation.
  explicit SharedBytes(std::string bytes) { TakeOver(std::move(bytes)); }
  explicit SharedBytes(std::vector<std::byte> bytes) {
    TakeOver(std::move(bytes));
  }
  // `bytes`, which exist for as long as `owner`: a mapped file, a cache's
  // entry. Null for bytes that exist for ever.
  SharedBytes(std::shared_ptr<const void> owner,
              std::span<const std::byte> bytes)
      : owner_(std::move(owner)), bytes_(bytes) {}

  std::span<const std::byte> bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

  // `n_bytes` of it from `offset` on, which must exist (checked).
  SharedBytes Part(size_t offset, size_t n_bytes) const {
    RINGWAY_CHECK(offset <= size() && n_bytes <= size() - offset,
                  "bytes %zu to %zu of %zu shared ones", offset,
                  offset + n_bytes, size());
    return SharedBytes(owner_, bytes_.subspan(offset, n_bytes));
  }

 private:
  template <typename Container>
  void TakeOver(Container bytes) {
    auto owner = std::make_shared<const Container>(std::move(bytes));
    bytes_ = std::as_bytes(std::span(*owner));
    owner_ = std::move(owner);
  }

  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
};

}  // namespace ringway

#endif  // RINGWAY_CORE_MEMORY_SHARED_BYTES_H_
