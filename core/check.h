// SPDX-License-Identifier: Apache-2.0
//
// Assertions that stay on in every build: a broken invariant prints its place
// and reason, then aborts.
//
// Use RINGWAY_CHECK for contracts a caller can break and for O(1) invariants;
// RINGWAY_DCHECK for checks that cost more than a few instructions. Neither is
// for bad input: that is an absl::Status.
//
//   RINGWAY_CHECK(fd >= 0, "Adopt() needs an open fd, got %d", fd);

#ifndef RINGWAY_CORE_CHECK_H_
#define RINGWAY_CORE_CHECK_H_

#include "ringway/core/compiler.h"  // for every file that includes this

namespace ringway::internal {

// Prints `file:line: check failed: condition: message` on stderr and aborts.
[[noreturn, gnu::cold, gnu::noinline, gnu::format(printf, 4, 5)]] void
CheckFailed(const char* file, int line, const char* condition,
            const char* format, ...);

}  // namespace ringway::internal

// RINGWAY_CHECK(condition, printf_format, ...): aborts unless `condition`
// holds.
#define RINGWAY_CHECK(condition, ...)                                     \
  (__builtin_expect(static_cast<bool>(condition), true)                   \
       ? static_cast<void>(0)                                             \
       : ::ringway::internal::CheckFailed(__FILE__, __LINE__, #condition, \
                                          __VA_ARGS__))

#ifdef NDEBUG
#define RINGWAY_DCHECK(condition, ...) \
  static_cast<void>(sizeof(static_cast<bool>(condition) ? 1 : 0))
#else
#define RINGWAY_DCHECK(condition, ...) RINGWAY_CHECK(condition, __VA_ARGS__)
#endif

#endif  // RINGWAY_CORE_CHECK_H_
