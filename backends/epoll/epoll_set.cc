// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/epoll/epoll_set.h"

#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"

namespace ringway::epoll {
namespace {

timespec ToTimespec(int64_t nanoseconds) {
  return {.tv_sec = nanoseconds / 1'000'000'000,
          .tv_nsec = nanoseconds % 1'000'000'000};
}

bool HasPwait2(int epoll) {
  epoll_event event;
  const timespec zero = {};
  return epoll_pwait2(epoll, &event, 1, &zero, nullptr) >= 0 || errno == EINTR;
}

// The number of events of a wait. A signal is a spurious return.
int Count(int rc) {
  if (rc >= 0) return rc;
  RINGWAY_CHECK(errno == EINTR, "waiting on an epoll fd failed: %s",
                strerror(errno));
  return 0;
}

absl::StatusOr<UniqueFd> MakeTimer(int epoll) {
  UniqueFd timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer.valid()) return ErrnoToStatus(errno, "timerfd_create");
  // Edge-triggered: an expiry wakes once, without a read.
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = EpollSet::kReserved;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, timer.get(), &event) != 0) {
    return ErrnoToStatus(errno, "epoll_ctl for a timer");
  }
  return timer;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EpollSet>> EpollSet::Create(WaitMethod method) {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return ErrnoToStatus(errno, "epoll_create1");
  UniqueFd timer;
  if (method == WaitMethod::kTimerFd || !HasPwait2(epoll.get())) {
    absl::StatusOr<UniqueFd> made = MakeTimer(epoll.get());
    if (!made.ok()) return made.status();
    timer = *std::move(made);
  }
  return std::unique_ptr<EpollSet>(
      new EpollSet(std::move(epoll), std::move(timer)));
}

EpollSet::EpollSet(UniqueFd epoll, UniqueFd timer)
    : epoll_(std::move(epoll)), timer_(std::move(timer)) {}

int EpollSet::Control(int what, int fd, uint32_t events, uint64_t data) {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = data;
  return epoll_ctl(epoll_.get(), what, fd, &event) == 0 ? 0 : -errno;
}

int EpollSet::Poll(std::span<epoll_event> events) {
  return WaitFor(events, /*milliseconds=*/0);
}

int EpollSet::Wait(std::span<epoll_event> events, MonotonicTime now,
                   MonotonicTime deadline) {
  if (deadline <= now) return Poll(events);
  if (timer_.valid()) {
    SetTimer(deadline);
  } else if (!deadline.is_infinite()) {
    return WaitPrecisely(events, deadline.nanoseconds() - now.nanoseconds());
  }
  return WaitFor(events, /*milliseconds=*/-1);
}

int EpollSet::WaitFor(std::span<epoll_event> events, int milliseconds) {
  const int n =
      Count(epoll_wait(epoll_.get(), events.data(),
                       static_cast<int>(events.size()), milliseconds));
  if (!timer_.valid()) return n;
  auto* end = std::remove_if(
      events.data(), events.data() + n,
      [](const epoll_event& e) { return e.data.u64 == kReserved; });
  return static_cast<int>(end - events.data());
}

int EpollSet::WaitPrecisely(std::span<epoll_event> events,
                            int64_t nanoseconds) {
  const timespec timeout = ToTimespec(nanoseconds);
  return Count(epoll_pwait2(epoll_.get(), events.data(),
                            static_cast<int>(events.size()), &timeout,
                            /*sigmask=*/nullptr));
}

void EpollSet::SetTimer(MonotonicTime deadline) {
  // An infinite deadline disarms the timer of an earlier wait.
  const bool finite = !deadline.is_infinite();
  if (!finite && !timer_armed_) return;
  itimerspec when = {};
  if (finite) when.it_value = ToTimespec(deadline.nanoseconds());
  RINGWAY_CHECK(
      timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr) == 0,
      "timerfd_settime failed: %s", strerror(errno));
  timer_armed_ = finite;
}

}  // namespace ringway::epoll
