// SPDX-License-Identifier: Apache-2.0
//
// SpanCursor: the rest of a vectored transfer: which buffers, and how much of
// the first, are still to be read or written. Internal.

#ifndef RINGWAY_FS_SPAN_CURSOR_H_
#define RINGWAY_FS_SPAN_CURSOR_H_

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <span>

namespace ringway::fs::internal {

// `Byte` is std::byte for reads, const std::byte for writes.
template <typename Byte>
class SpanCursor {
 public:
  using Part = std::span<Byte>;

  // `parts` must outlive it.
  explicit SpanCursor(std::span<const Part> parts) : parts_(parts) {
    SkipEmpty();
  }

  bool empty() const { return parts_.empty(); }

  // What is left of the first part, at most `limit` bytes.
  Part First(size_t limit) const {
    const Part rest = parts_[0].subspan(done_of_first_);
    return rest.first(std::min(rest.size(), limit));
  }

  // Fills `vectors` with what comes next, `limit` bytes at most. Returns those
  // that were filled.
  std::span<const iovec> Fill(std::span<iovec> vectors, size_t limit) const {
    size_t n = 0;
    for (size_t i = 0; i < parts_.size() && n < vectors.size() && limit > 0;
         ++i) {
      Part part = parts_[i].subspan(i == 0 ? done_of_first_ : 0);
      part = part.first(std::min(part.size(), limit));
      if (part.empty()) continue;
      limit -= part.size();
      vectors[n++] = {.iov_base = const_cast<std::byte*>(part.data()),
                      .iov_len = part.size()};
    }
    return vectors.first(n);
  }

  // The next `n_bytes`, at most what is left, have been transferred.
  void Skip(size_t n_bytes) {
    while (n_bytes > 0) {
      const size_t of_first =
          std::min(n_bytes, parts_[0].size() - done_of_first_);
      done_of_first_ += of_first;
      n_bytes -= of_first;
      SkipEmpty();
    }
  }

  // The bytes that are left. Cost: a step for each part.
  size_t CountRest() const {
    size_t n_bytes = 0;
    for (const Part& part : parts_) n_bytes += part.size();
    return n_bytes - done_of_first_;
  }

 private:
  void SkipEmpty() {
    while (!parts_.empty() && parts_[0].size() == done_of_first_) {
      parts_ = parts_.subspan(1);
      done_of_first_ = 0;
    }
  }

  std::span<const Part> parts_;
  size_t done_of_first_ = 0;  // bytes of parts_[0]
};

}  // namespace ringway::fs::internal

#endif  // RINGWAY_FS_SPAN_CURSOR_H_
