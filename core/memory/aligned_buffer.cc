// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/memory/aligned_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cstdint>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace ringway {
namespace {

// Below this size separate pages and a system call are not worthwhile.
constexpr size_t kMapFrom = 64 * 1024;

// More than any address space, but small enough to add without overflow.
constexpr size_t kTooMuch = SIZE_MAX / 4;

size_t PageSize() {
  static const auto page_size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return page_size;
}

bool IsMapped(size_t n_bytes, size_t alignment) {
  return n_bytes >= kMapFrom && alignment <= PageSize();
}

void* Allocate(size_t n_bytes, size_t alignment) {
  if (n_bytes > kTooMuch || alignment > kTooMuch) return nullptr;
  if (IsMapped(n_bytes, alignment)) {
    void* mapped = mmap(nullptr, n_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mapped == MAP_FAILED ? nullptr : mapped;
  }
  // The C standard requires a multiple of the alignment.
  return aligned_alloc(alignment, (n_bytes + alignment - 1) & -alignment);
}

}  // namespace

absl::StatusOr<AlignedBuffer> AlignedBuffer::Create(size_t n_bytes,
                                                    size_t alignment) {
  if (n_bytes == 0 || !std::has_single_bit(alignment)) {
    return absl::InvalidArgumentError(
        absl::StrCat("aligned buffer of ", n_bytes, " bytes at multiples of ",
                     alignment, ": need bytes and a power of two"));
  }
  void* data = Allocate(n_bytes, alignment);
  if (data == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("aligned buffer of ", n_bytes, " bytes: no memory"));
  }
  return AlignedBuffer(static_cast<std::byte*>(data), n_bytes,
                       IsMapped(n_bytes, alignment));
}

void AlignedBuffer::Discard(size_t offset, size_t n_bytes) {
  if (!mapped_) return;
  const size_t begin = (offset + PageSize() - 1) & -PageSize();
  const size_t end = (offset + n_bytes) & -PageSize();
  if (begin < end) madvise(data_ + begin, end - begin, MADV_DONTNEED);
}

AlignedBuffer::~AlignedBuffer() {
  if (mapped_) {
    munmap(data_, size_);
  } else {
    free(data_);
  }
}

}  // namespace ringway
