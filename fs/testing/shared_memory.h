// SPDX-License-Identifier: Apache-2.0
//
// SharedMemory: many addresses and little memory, for transfers that are too
// long to have memory of their own.

#ifndef RINGWAY_FS_TESTING_SHARED_MEMORY_H_
#define RINGWAY_FS_TESTING_SHARED_MEMORY_H_

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <span>

#include "ringway/core/check.h"

namespace ringway::fs::testing {

// Addresses for `n_bytes` that share a few pages of memory.
class SharedMemory {
 public:
  explicit SharedMemory(size_t n_bytes) : n_bytes_(n_bytes) {
    const int fd = memfd_create("ringway_test", MFD_CLOEXEC);
    RINGWAY_CHECK(fd >= 0 && ftruncate(fd, kPiece) == 0, "memfd");
    void* all = mmap(nullptr, n_bytes, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    RINGWAY_CHECK(all != MAP_FAILED, "mmap");
    data_ = static_cast<std::byte*>(all);
    for (size_t at = 0; at < n_bytes; at += kPiece) {
      void* piece = mmap(data_ + at, std::min(kPiece, n_bytes - at),
                         PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
      RINGWAY_CHECK(piece != MAP_FAILED, "mmap");
    }
    close(fd);
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() { munmap(data_, n_bytes_); }
  std::span<std::byte> bytes() const { return {data_, n_bytes_}; }

 private:
  static constexpr size_t kPiece = 4 << 20;
  std::byte* data_;
  const size_t n_bytes_;
};

}  // namespace ringway::fs::testing

#endif  // RINGWAY_FS_TESTING_SHARED_MEMORY_H_
