// SPDX-License-Identifier: Apache-2.0

#include "core/close_unseen.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#if defined(__SANITIZE_THREAD__)
#define RINGWAY_INTERNAL_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RINGWAY_INTERNAL_THREAD_SANITIZER 1
#endif
#endif

namespace ringway {

#ifdef RINGWAY_INTERNAL_THREAD_SANITIZER

void CloseUnseen(UniqueFd fd) {
  const int saved = errno;
  if (fd.valid()) syscall(SYS_close, fd.Release());
  errno = saved;
}

#else

void CloseUnseen(UniqueFd fd) { fd.Reset(); }

#endif

}  // namespace ringway
