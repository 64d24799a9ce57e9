// SPDX-License-Identifier: Apache-2.0
//
// PartCursor: the rest of a gathered write: which parts, and how much of the
// first, are still to be sent.

#ifndef RINGWAY_NET_WRITING_PART_CURSOR_H_
#define RINGWAY_NET_WRITING_PART_CURSOR_H_

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <span>

#include "ringway/net/writing/write_part.h"

namespace ringway::net::internal {

inline std::span<const std::byte> BytesOf(std::span<const std::byte> part) {
  return part;
}
inline std::span<const std::byte> BytesOf(const WritePart& part) {
  return part.bytes();
}

inline iovec VectorOf(std::span<const std::byte> bytes) {
  return {.iov_base = const_cast<std::byte*>(bytes.data()),
          .iov_len = bytes.size()};
}

// `Part` has BytesOf().
template <typename Part>
class PartCursor {
 public:
  explicit PartCursor(std::span<const Part> parts) : parts_(parts) {
    SkipEmpty();
  }

  bool empty() const { return parts_.empty(); }
  // The parts with unsent bytes, and empty ones between them.
  std::span<const Part> parts() const { return parts_; }
  size_t sent_of_first() const { return sent_of_first_; }
  // What is unsent of the part at `index` in parts().
  std::span<const std::byte> Rest(size_t index) const {
    return BytesOf(parts_[index]).subspan(index == 0 ? sent_of_first_ : 0);
  }

  // The next `n_bytes`, at most what is left, have been sent.
  void Skip(size_t n_bytes) {
    while (n_bytes > 0) {
      const size_t of_first = std::min(n_bytes, Rest(0).size());
      sent_of_first_ += of_first;
      n_bytes -= of_first;
      SkipEmpty();
    }
  }

 private:
  void SkipEmpty() {
    while (!parts_.empty() && Rest(0).empty()) {
      parts_ = parts_.subspan(1);
      sent_of_first_ = 0;
    }
  }

  std::span<const Part> parts_;
  size_t sent_of_first_ = 0;  // bytes of parts_[0]
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_WRITING_PART_CURSOR_H_
