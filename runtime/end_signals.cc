// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/end_signals.h"

#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

#include "ringway/core/check.h"

namespace ringway::internal {
namespace {

// State for the handlers. It outlives every EndSignals, because a handler may
// still run on another thread while the earlier handlers are restored.
struct State {
  State() { sem_init(&wake, /*pshared=*/0, 0); }

  sem_t wake;
  std::atomic<uint32_t> signals{0};
  std::atomic<bool> installed{false};
  std::atomic<pid_t> owner{0};  // the process of the installed one
  struct sigaction before[NSIG];
};

State& TheState() {
  static State state;
  return state;
}

timespec ToTimespec(MonotonicTime time) {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t ns = time.nanoseconds() > 0 ? time.nanoseconds() : 0;
  return {.tv_sec = ns / kSecond, .tv_nsec = ns % kSecond};
}

bool IsIgnored(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

absl::Status EndSignals::Install() {
  RINGWAY_CHECK(!installed_, "EndSignals were installed twice");
  State& state = TheState();
  if (state.installed.exchange(true) && state.owner == getpid()) {
    return absl::FailedPreconditionError(
        "RunUntilSignal() is running in this process already");
  }
  installed_ = true;
  state.owner = getpid();
  state.signals = 0;
  while (sem_trywait(&state.wake) == 0) continue;

  sigset_t handled;
  sigemptyset(&handled);
  for (size_t i = 0; i < kSignals.size(); ++i) {
    const int number = kSignals[i];
    sigaction(number, nullptr, &state.before[number]);
    if (IsIgnored(state.before[number])) continue;
    struct sigaction action = {};
    action.sa_handler = &OnSignal;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, nullptr);
    sigaddset(&handled, number);
    handled_[i] = true;
  }
  pthread_sigmask(SIG_UNBLOCK, &handled, &mask_before_);
  return absl::OkStatus();
}

EndSignals::~EndSignals() {
  if (!installed_) return;
  State& state = TheState();
  // In this order, so that signals are blocked again before their default
  // action could end the process.
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  for (size_t i = 0; i < kSignals.size(); ++i) {
    if (handled_[i])
      sigaction(kSignals[i], &state.before[kSignals[i]], nullptr);
  }
  state.installed = false;
}

uint32_t EndSignals::count() const {
  return TheState().signals.load(std::memory_order_acquire);
}

void EndSignals::WaitUntil(MonotonicTime deadline) {
  const timespec until = ToTimespec(deadline);
  // Errors are a signal (EINTR) or the deadline.
  static_cast<void>(sem_clockwait(&TheState().wake, CLOCK_MONOTONIC, &until));
}

void EndSignals::Wake() { sem_post(&TheState().wake); }

void EndSignals::OnSignal(int number) {
  const int errnum = errno;
  State& state = TheState();
  // Compares process ids, because a child may get a signal before fork
  // handlers have run.
  if (state.owner != getpid()) {
    // In a child that has not installed its own: handle the signal as if this
    // handler had never been installed.
    sigaction(number, &state.before[number], nullptr);
    kill(getpid(), number);
  } else {
    state.signals.fetch_add(1, std::memory_order_release);
    sem_post(&state.wake);
  }
  errno = errnum;
}

}  // namespace ringway::internal
