// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/testing/allocation_counter.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RINGWAY_INTERNAL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RINGWAY_INTERNAL_SANITIZED 1
#endif
#endif

namespace {

std::atomic<uint64_t> allocations{0};

void CountOne() { allocations.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

namespace ringway::testing {

uint64_t CountAllocations() {
  return allocations.load(std::memory_order_relaxed);
}

}  // namespace ringway::testing

#ifdef RINGWAY_INTERNAL_SANITIZED

const bool ringway::testing::kCountsMalloc = false;

// All except the aligned ones, because memory of one may be freed by another.
void* operator new(size_t n_bytes, const std::nothrow_t&) noexcept {
  CountOne();
  return malloc(n_bytes);
}
void* operator new(size_t n_bytes) {
  void* memory = operator new(n_bytes, std::nothrow);
  if (memory == nullptr) abort();
  return memory;
}
void* operator new[](size_t n_bytes) { return operator new(n_bytes); }
void* operator new[](size_t n_bytes, const std::nothrow_t&) noexcept {
  return operator new(n_bytes, std::nothrow);
}
void operator delete(void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }

#else

const bool ringway::testing::kCountsMalloc = true;

// glibc's internal names of the replaced functions.
extern "C" {
void* __libc_malloc(size_t n_bytes);
void* __libc_calloc(size_t n, size_t n_bytes);
void* __libc_realloc(void* memory, size_t n_bytes);
void* __libc_memalign(size_t alignment, size_t n_bytes);

void* malloc(size_t n_bytes) {
  CountOne();
  return __libc_malloc(n_bytes);
}

void* calloc(size_t n, size_t n_bytes) {
  CountOne();
  return __libc_calloc(n, n_bytes);
}

void* realloc(void* memory, size_t n_bytes) {
  CountOne();
  return __libc_realloc(memory, n_bytes);
}

void* memalign(size_t alignment, size_t n_bytes) {
  CountOne();
  return __libc_memalign(alignment, n_bytes);
}

void* aligned_alloc(size_t alignment, size_t n_bytes) {
  return memalign(alignment, n_bytes);
}

int posix_memalign(void** memory, size_t alignment, size_t n_bytes) {
  *memory = memalign(alignment, n_bytes);
  return *memory == nullptr ? ENOMEM : 0;
}
}

#endif
