// SPDX-License-Identifier: Apache-2.0
//
// Marks memory as inaccessible for AddressSanitizer. Allocators that reuse
// memory mark free blocks, so that a use after free is reported. Without
// AddressSanitizer these functions are empty.

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

// Makes accesses to [begin, begin + n_bytes) an error. `begin` and the end
// should be multiples of 8; a partial last word stays accessible.
inline void PoisonMemory(const void* begin, size_t n_bytes) {
  __asan_poison_memory_region(begin, n_bytes);
}

// Makes it accessible again, exact to the byte.
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
