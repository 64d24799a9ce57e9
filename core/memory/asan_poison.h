// SPDX-License-Identifier: Apache-2.0
//
// Tells AddressSanitizer which memory must not be touched. Allocators that
// reuse memory mark what is free, so that a use after free is reported as one.
// Without AddressSanitizer these are empty functions.

#ifndef RINGWAY_CORE_MEMORY_ASAN_POISON_H_
#define RINGWAY_CORE_MEMORY_ASAN_POISON_H_

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define RINGWAY_INTERNAL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RINGWAY_INTERNAL_ASAN 1
#endif
#endif

#ifdef RINGWAY_INTERNAL_ASAN

#include <sanitizer/asan_interface.h>

namespace ringway::internal {

inline constexpr bool kAsanEnabled = true;

// From here on touching [begin, begin + n_bytes) is an error. `begin` and its
// end should be multiples of 8; a partial last word stays accessible.
inline void PoisonMemory(const void* begin, size_t n_bytes) {
  __asan_poison_memory_region(begin, n_bytes);
}

// Allows it again, to the byte.
inline void UnpoisonMemory(const void* begin, size_t n_bytes) {
  __asan_unpoison_memory_region(begin, n_bytes);
}

}  // namespace ringway::internal

#else

namespace ringway::internal {

inline constexpr bool kAsanEnabled = false;
inline void PoisonMemory(const void*, size_t) {}
inline void UnpoisonMemory(const void*, size_t) {}

}  // namespace ringway::internal

#endif

#undef RINGWAY_INTERNAL_ASAN

#endif  // RINGWAY_CORE_MEMORY_ASAN_POISON_H_
