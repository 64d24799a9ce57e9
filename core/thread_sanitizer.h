// SPDX-License-Identifier: Apache-2.0
//
// kThreadSanitizer: true in a build with ThreadSanitizer.

#ifndef RINGWAY_CORE_THREAD_SANITIZER_H_
#define RINGWAY_CORE_THREAD_SANITIZER_H_

#if defined(__SANITIZE_THREAD__)
#define RINGWAY_INTERNAL_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RINGWAY_INTERNAL_THREAD_SANITIZER 1
#endif
#endif

namespace ringway {

#ifdef RINGWAY_INTERNAL_THREAD_SANITIZER
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

}  // namespace ringway

#endif  // RINGWAY_CORE_THREAD_SANITIZER_H_
