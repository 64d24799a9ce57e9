// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/testing/failing_calls.h"

#include <liburing.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "ringway/core/check.h"

namespace ringway::testing {
namespace {

struct Plan {
  SystemCall call = SystemCall::kUringEnter;
  uint64_t calls_left = 0;  // 0: nothing is to fail
  int errnum = 0;
  bool happened = false;
};

thread_local Plan plan;

// For calls of any thread; the call and errno are written before and kept.
std::atomic<SystemCall> any_call{SystemCall::kUringEnter};
std::atomic<int> any_errnum{0};
std::atomic<int64_t> any_calls_left{0};  // 0 or less: nothing is to fail

bool FailsOnAnyThread(SystemCall call) {
  if (any_calls_left.load() <= 0 || any_call.load() != call) return false;
  if (any_calls_left.fetch_sub(1) != 1) return false;
  errno = any_errnum.load();
  return true;
}

// True, with errno set, if this call must fail.
bool Fails(SystemCall call) {
  if (plan.calls_left == 0) return FailsOnAnyThread(call);
  if (plan.call != call) return false;
  --plan.calls_left;
  if (plan.calls_left > 0) return false;
  plan.happened = true;
  errno = plan.errnum;
  return true;
}

}  // namespace

const char* SystemCallName(SystemCall call) {
  switch (call) {
    case SystemCall::kUringEnter:
      return "io_uring_enter";
    case SystemCall::kRecv:
      return "recv";
    case SystemCall::kSend:
      return "send";
    case SystemCall::kAccept:
      return "accept4";
    case SystemCall::kConnect:
      return "connect";
    case SystemCall::kEpollControl:
      return "epoll_ctl";
    case SystemCall::kEpollWait:
      return "epoll_pwait2";
    case SystemCall::kUringSetup:
      return "io_uring_setup";
    case SystemCall::kEpollCreate:
      return "epoll_create1";
    case SystemCall::kEventFd:
      return "eventfd";
    case SystemCall::kSocketPair:
      return "socketpair";
    case SystemCall::kSocket:
      return "socket";
  }
  return "unknown";
}

FailingCall::FailingCall(SystemCall call, uint64_t n, int errnum) {
  RINGWAY_CHECK(n > 0 && plan.calls_left == 0,
                "one failure at a time, and calls count from 1");
  plan = {call, n, errnum, false};
}

FailingCall::~FailingCall() { plan = {}; }

bool FailingCall::happened() const { return plan.happened; }

FailingCallOfAnyThread::FailingCallOfAnyThread(SystemCall call, uint64_t n,
                                               int errnum) {
  RINGWAY_CHECK(n > 0 && any_calls_left.load() <= 0,
                "one failure at a time, and calls count from 1");
  any_call = call;
  any_errnum = errnum;
  any_calls_left = static_cast<int64_t>(n);
}

FailingCallOfAnyThread::~FailingCallOfAnyThread() { any_calls_left = 0; }

bool FailingCallOfAnyThread::happened() const { return any_calls_left <= 0; }

}  // namespace ringway::testing

// What --wrap=NAME makes of calls to NAME, and of NAME itself. The names are
// the linker's. NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {

using ringway::testing::Fails;
using ringway::testing::SystemCall;

long __real_syscall(long number, long a, long b, long c, long d, long e,
                    long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e,
                    long f) {
  if (number == SYS_io_uring_enter && Fails(SystemCall::kUringEnter)) return -1;
  return __real_syscall(number, a, b, c, d, e, f);
}

ssize_t __real_recv(int fd, void* buffer, size_t n_bytes, int flags);
ssize_t __wrap_recv(int fd, void* buffer, size_t n_bytes, int flags) {
  if (Fails(SystemCall::kRecv)) return -1;
  return __real_recv(fd, buffer, n_bytes, flags);
}

ssize_t __real_send(int fd, const void* buffer, size_t n_bytes, int flags);
ssize_t __wrap_send(int fd, const void* buffer, size_t n_bytes, int flags) {
  if (Fails(SystemCall::kSend)) return -1;
  return __real_send(fd, buffer, n_bytes, flags);
}

int __real_accept4(int fd, sockaddr* address, socklen_t* length, int flags);
int __wrap_accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  if (Fails(SystemCall::kAccept)) return -1;
  return __real_accept4(fd, address, length, flags);
}

int __real_connect(int fd, const sockaddr* address, socklen_t length);
int __wrap_connect(int fd, const sockaddr* address, socklen_t length) {
  if (Fails(SystemCall::kConnect)) return -1;
  return __real_connect(fd, address, length);
}

int __real_epoll_ctl(int epoll, int operation, int fd, epoll_event* event);
int __wrap_epoll_ctl(int epoll, int operation, int fd, epoll_event* event) {
  if (Fails(SystemCall::kEpollControl)) return -1;
  return __real_epoll_ctl(epoll, operation, fd, event);
}

int __real_epoll_pwait2(int epoll, epoll_event* events, int n,
                        const timespec* timeout, const sigset_t* mask);
int __wrap_epoll_pwait2(int epoll, epoll_event* events, int n,
                        const timespec* timeout, const sigset_t* mask) {
  if (Fails(SystemCall::kEpollWait)) return -1;
  return __real_epoll_pwait2(epoll, events, n, timeout, mask);
}

// Returns -errno, like all of liburing.
int __real_io_uring_queue_init_params(unsigned entries, io_uring* ring,
                                      io_uring_params* params);
int __wrap_io_uring_queue_init_params(unsigned entries, io_uring* ring,
                                      io_uring_params* params) {
  if (Fails(SystemCall::kUringSetup)) return -errno;
  return __real_io_uring_queue_init_params(entries, ring, params);
}

int __real_epoll_create1(int flags);
int __wrap_epoll_create1(int flags) {
  if (Fails(SystemCall::kEpollCreate)) return -1;
  return __real_epoll_create1(flags);
}

int __real_eventfd(unsigned value, int flags);
int __wrap_eventfd(unsigned value, int flags) {
  if (Fails(SystemCall::kEventFd)) return -1;
  return __real_eventfd(value, flags);
}

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol) {
  if (Fails(SystemCall::kSocket)) return -1;
  return __real_socket(domain, type, protocol);
}

int __real_socketpair(int domain, int type, int protocol, int* fds);
int __wrap_socketpair(int domain, int type, int protocol, int* fds) {
  if (Fails(SystemCall::kSocketPair)) return -1;
  return __real_socketpair(domain, type, protocol, fds);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
