// SPDX-License-Identifier: Apache-2.0
//
// OpenSslOrder: hides the inside of OpenSSL from ThreadSanitizer.
//
// OpenSSL counts references, and publishes what it computes once, by atomics.
// It is built without the sanitizer, which so does not see the order that they
// make, and takes a free() or memcmp() in there for a race. Within the scope
// its accesses are not recorded; what is after comes after what was before. In
// other builds this is empty.

#ifndef RINGWAY_NET_TLS_ENGINE_OPENSSL_ORDER_H_
#define RINGWAY_NET_TLS_ENGINE_OPENSSL_ORDER_H_

#include "ringway/core/thread_sanitizer.h"

#ifdef RINGWAY_INTERNAL_THREAD_SANITIZER
// The sanitizer's own functions.
extern "C" {
void __tsan_acquire(void* address);                          // NOLINT
void __tsan_release(void* address);                          // NOLINT
void AnnotateIgnoreReadsBegin(const char* file, int line);   // NOLINT
void AnnotateIgnoreReadsEnd(const char* file, int line);     // NOLINT
void AnnotateIgnoreWritesBegin(const char* file, int line);  // NOLINT
void AnnotateIgnoreWritesEnd(const char* file, int line);    // NOLINT
}
#endif

namespace ringway::net::internal {

// A call, or several, as a local variable around them. Scopes nest.
class OpenSslOrder {
 public:
#ifdef RINGWAY_INTERNAL_THREAD_SANITIZER
  OpenSslOrder() {
    __tsan_acquire(&place_);
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~OpenSslOrder() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    __tsan_release(&place_);
  }
#else
  OpenSslOrder() {}
  ~OpenSslOrder() {}
#endif
  OpenSslOrder(const OpenSslOrder&) = delete;
  OpenSslOrder& operator=(const OpenSslOrder&) = delete;

 private:
  static inline char place_ = 0;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_ENGINE_OPENSSL_ORDER_H_
