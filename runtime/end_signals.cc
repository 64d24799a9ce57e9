// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/end_signals.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>

#include "ringway/core/check.h"
#include "ringway/runtime/signals/signal_bell.h"

namespace ringway::internal {
namespace {

// The process in which one is installed.
constinit std::atomic<pid_t> installed_in = 0;

}  // namespace

absl::Status EndSignals::Install() {
  RINGWAY_CHECK(!interrupt_.has_value(), "EndSignals were installed twice");
  if (installed_in.exchange(getpid()) == getpid()) {
    return absl::FailedPreconditionError(
        "RunUntilSignal() is running in this process already");
  }
  rings_seen_ = SignalBell::rings();
  interrupt_.emplace(SIGINT);
  terminate_.emplace(SIGTERM);
  sigset_t handled;
  sigemptyset(&handled);
  for (const HandledSignal* each : {&*interrupt_, &*terminate_}) {
    if (!each->ignored()) sigaddset(&handled, each->number());
  }
  pthread_sigmask(SIG_UNBLOCK, &handled, &mask_before_);
  return absl::OkStatus();
}

EndSignals::~EndSignals() {
  if (!interrupt_.has_value()) return;
  // In this order, so that signals are blocked again before their default
  // action could end the process.
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  terminate_.reset();
  interrupt_.reset();
  installed_in = 0;
}

uint64_t EndSignals::count() const {
  return interrupt_->count() + terminate_->count();
}

// What rings after rings_seen_ was read last, and is not seen by what the
// caller does before the next call, ends that at once.
void EndSignals::WaitUntil(MonotonicTime deadline) {
  SignalBell::WaitForMore(rings_seen_, deadline);
  rings_seen_ = SignalBell::rings();
}

void EndSignals::Wake() { SignalBell::Ring(); }

}  // namespace ringway::internal
