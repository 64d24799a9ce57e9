// SPDX-License-Identifier: Apache-2.0
//
// EpollSet: an epoll instance with nanosecond timeouts.
//
// epoll_wait(2) takes milliseconds: rounding down spins, rounding up is late.
// epoll_pwait2 (Linux 5.11) takes nanoseconds; without it a timerfd in the
// set ends the wait. Independent of Operation.

#ifndef RINGWAY_BACKENDS_EPOLL_EPOLL_SET_H_
#define RINGWAY_BACKENDS_EPOLL_EPOLL_SET_H_

#include <sys/epoll.h>

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/core/unique_fd.h"

namespace ringway::epoll {

enum class WaitMethod : uint8_t {
  kProbed,   // the best that the kernel has
  kTimerFd,  // as on kernels before 5.11
};

class EpollSet {
 public:
  // epoll_data::u64 of the set's own events; reserved.
  static constexpr uint64_t kReserved = UINT64_MAX;

  static absl::StatusOr<std::unique_ptr<EpollSet>> Create(WaitMethod method);

  // Readable while there are events to collect.
  int fd() const { return epoll_.get(); }

  // epoll_ctl(2): EPOLL_CTL_ADD, _MOD or _DEL. Returns 0 or -errno.
  int Control(int what, int fd, uint32_t events, uint64_t data);

  // Fills `events` from the front, without blocking. Returns their number.
  int Poll(std::span<epoll_event> events);

  // Blocks until there is an event, `deadline` or a signal. May return
  // without events: the timer's own event is omitted.
  int Wait(std::span<epoll_event> events, MonotonicTime now,
           MonotonicTime deadline);

  // "epoll_pwait2" or "timerfd".
  const char* method_name() const {
    return timer_.valid() ? "timerfd" : "epoll_pwait2";
  }

 private:
  EpollSet(UniqueFd epoll, UniqueFd timer);

  int WaitFor(std::span<epoll_event> events, int milliseconds);
  int WaitPrecisely(std::span<epoll_event> events, int64_t nanoseconds);
  void SetTimer(MonotonicTime deadline);

  const UniqueFd epoll_;
  const UniqueFd timer_;  // used without epoll_pwait2
  bool timer_armed_ = false;
};

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_EPOLL_SET_H_
