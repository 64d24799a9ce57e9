// SPDX-License-Identifier: Apache-2.0
//
// Buffers: the caller's memory of a transfer - one buffer or a vector of them
// - and its progress.

#ifndef RINGWAY_BACKENDS_SIM_ENVIRONMENT_BUFFERS_H_
#define RINGWAY_BACKENDS_SIM_ENVIRONMENT_BUFFERS_H_

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace ringway::sim {

class Buffers {
 public:
  Buffers(void* data, size_t n_bytes) : one_{data, n_bytes}, parts_(&one_, 1) {
    left_ = n_bytes;
  }
  explicit Buffers(std::span<const iovec> parts) : parts_(parts) {
    for (const iovec& part : parts) left_ += part.iov_len;
  }
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  // Bytes not yet transferred, or skipped.
  size_t left() const { return left_; }

  // Limits the rest of the transfer to `n_bytes`.
  void Limit(size_t n_bytes) { left_ = std::min(left_, n_bytes); }

  // False if the kernel would return EFAULT, as far as can be determined
  // without an access: the first page is never mapped.
  bool accessible() const {
    return std::all_of(parts_.begin(), parts_.end(), [](const iovec& part) {
      return part.iov_len == 0 ||
             reinterpret_cast<uintptr_t>(part.iov_base) >= 4096;
    });
  }

  // True if all parts begin and end at multiples of `n_bytes`.
  bool aligned_to(size_t n_bytes) const {
    return std::all_of(parts_.begin(), parts_.end(), [&](const iovec& part) {
      return reinterpret_cast<uintptr_t>(part.iov_base) % n_bytes == 0 &&
             part.iov_len % n_bytes == 0;
    });
  }

  // Copies as much of `bytes` into the memory as fits. Returns the number of
  // bytes copied.
  size_t Fill(std::span<const std::byte> bytes) {
    size_t done = 0;
    while (done < bytes.size() && left_ > 0) {
      const std::span<std::byte> piece = Next(bytes.size() - done);
      memcpy(piece.data(), bytes.data() + done, piece.size());
      done += piece.size();
    }
    return done;
  }

  // The next piece of the memory, not empty unless left() is 0 and of at most
  // `n_bytes`; it counts as transferred.
  std::span<std::byte> Next(size_t n_bytes) {
    while (left_ > 0 && at_ == parts_[index_].iov_len) {
      ++index_;
      at_ = 0;
    }
    if (left_ == 0) return {};
    const iovec& part = parts_[index_];
    const size_t n = std::min({n_bytes, left_, part.iov_len - at_});
    std::byte* data = static_cast<std::byte*>(part.iov_base) + at_;
    at_ += n;
    left_ -= n;
    return {data, n};
  }

  void Skip(size_t n_bytes) {
    while (n_bytes > 0 && left_ > 0) n_bytes -= Next(n_bytes).size();
  }

 private:
  iovec one_ = {};
  std::span<const iovec> parts_;
  size_t index_ = 0;
  size_t at_ = 0;
  size_t left_ = 0;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_ENVIRONMENT_BUFFERS_H_
