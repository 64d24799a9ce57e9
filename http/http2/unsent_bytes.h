// SPDX-License-Identifier: Apache-2.0
//
// UnsentBytes: the bytes of a body that a stream has still to put into frames.

#ifndef RINGWAY_HTTP_HTTP2_UNSENT_BYTES_H_
#define RINGWAY_HTTP_HTTP2_UNSENT_BYTES_H_

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>

namespace ringway::http::internal {

class UnsentBytes {
 public:
  // So many bytes are kept for Give().
  static constexpr size_t kKeptBytes = 4096;

  size_t size() const { return kept_.size() - n_kept_sent_ + lent_.size(); }
  // Bytes that were given have not been copied, nor sent.
  bool lent() const { return !lent_.empty(); }

  // The next bytes; nothing may be lent. True: they were copied. False: they
  // must stay where they are until they are sent, or forgotten.
  bool Give(std::span<const std::byte> bytes) {
    const bool copied =
        kept_.size() <= kKeptBytes && bytes.size() <= kKeptBytes - kept_.size();
    if (copied) {
      kept_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    } else {
      lent_ = bytes;
    }
    return copied;
  }
  // Forgets what was lent.
  void TakeBack() { lent_ = {}; }

  // Moves the next `n` bytes, at most size(), to the end of `to`.
  void Take(size_t n, std::string& to) {
    const size_t n_kept = std::min(n, kept_.size() - n_kept_sent_);
    to.append(kept_, n_kept_sent_, n_kept);
    n_kept_sent_ += n_kept;
    if (n_kept_sent_ == kept_.size()) {
      kept_.clear();
      n_kept_sent_ = 0;
    }
    n -= n_kept;
    to.append(reinterpret_cast<const char*>(lent_.data()), n);
    lent_ = lent_.subspan(n);
  }

 private:
  std::string kept_;
  size_t n_kept_sent_ = 0;
  std::span<const std::byte> lent_;  // what is to be sent after it
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_UNSENT_BYTES_H_
