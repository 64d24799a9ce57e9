// SPDX-License-Identifier: Apache-2.0

#include "core/unique_fd.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "core/check.h"

#if defined(__SANITIZE_THREAD__)
#define RINGWAY_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RINGWAY_THREAD_SANITIZER 1
#endif
#endif

namespace ringway {
namespace {

#ifdef RINGWAY_THREAD_SANITIZER
// ThreadSanitizer takes close(2) for a race with the thread that had the number
// before, where it has not seen that one's close and this one's open: io_uring
// does both inside the kernel.
int Close(int fd) { return static_cast<int>(syscall(SYS_close, fd)); }
#else
int Close(int fd) { return ::close(fd); }
#endif

}  // namespace

void UniqueFd::Reset(int fd) {
  const int old = std::exchange(fd_, fd);
  if (old < 0) return;
  const int saved = errno;
  // EBADF means somebody else closed a descriptor we own: the next one to get
  // that number would be closed by us. Linux frees the number on every other
  // error too, so none is retried.
  const int rc = Close(old);
  RINGWAY_CHECK(rc == 0 || errno != EBADF,
                "fd %d was closed behind its owner's back", old);
  errno = saved;
}

}  // namespace ringway
