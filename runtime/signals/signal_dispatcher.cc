// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/signals/signal_dispatcher.h"

#include <pthread.h>
#include <signal.h>

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/process_wide.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/runtime/signals/handled_signal.h"
#include "ringway/runtime/signals/signal_bell.h"

namespace ringway::internal {
namespace {

// For a thread that is started meanwhile.
class NewThreadsBlockAll {
 public:
  NewThreadsBlockAll() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NewThreadsBlockAll() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

SignalDispatcher& SignalDispatcher::OfThisProcess() {
  static ProcessWide<SignalDispatcher> dispatcher;
  return dispatcher.Get([] { return std::make_unique<SignalDispatcher>(); });
}

absl::Status SignalDispatcher::Add(SignalSet numbers,
                                   std::shared_ptr<WakeMessage> wake) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!runs_) {
      if (absl::Status s = StartThread(); !s.ok()) return s;
    }
    listeners_.push_back({numbers, std::move(wake), Total(numbers)});
  }
  SignalBell::Ring();
  return absl::OkStatus();
}

void SignalDispatcher::Remove(const WakeMessage& wake) {
  std::thread ended;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    if (std::erase_if(listeners_, [&](const Listener& listener) {
          return listener.wake.get() == &wake;
        }) == 0)
      return;
    SignalBell::Ring();
    mask_set_.wait(lock, [this] {
      return listeners_.empty() ? !runs_ : unblocked_.IsWithin(Wanted());
    });
    if (!runs_) ended.swap(thread_);
  }
  if (ended.joinable()) ended.join();
}

absl::Status SignalDispatcher::StartThread() {
  // One that has ended, which the Remove() that it ended for has not joined
  // yet.
  if (thread_.joinable()) thread_.join();
  const NewThreadsBlockAll blocked;
  try {
    thread_ = std::thread(&SignalDispatcher::ThreadMain, this);
  } catch (const std::exception& e) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no thread could be started for signals: ", e.what()));
  }
  pthread_setname_np(thread_.native_handle(), "signals");
  runs_ = true;
  return absl::OkStatus();
}

void SignalDispatcher::ThreadMain() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    // Read first, so that a signal that is not seen below rings once more.
    const uint32_t rings = SignalBell::rings();
    SetMaskOfThread();
    if (listeners_.empty()) break;
    WakeListeners();
    lock.unlock();
    SignalBell::WaitForMore(rings, MonotonicTime::Infinite());
    lock.lock();
  }
  runs_ = false;
}

SignalSet SignalDispatcher::Wanted() const {
  SignalSet wanted;
  for (const Listener& listener : listeners_) wanted.Add(listener.numbers);
  return wanted;
}

void SignalDispatcher::SetMaskOfThread() {
  unblocked_ = Wanted();
  sigset_t blocked;
  sigfillset(&blocked);
  unblocked_.ForEach([&blocked](int number) { sigdelset(&blocked, number); });
  pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
  mask_set_.notify_all();
}

void SignalDispatcher::WakeListeners() {
  for (Listener& listener : listeners_) {
    const uint64_t total = Total(listener.numbers);
    if (std::exchange(listener.told, total) != total) listener.wake->Send();
  }
}

uint64_t SignalDispatcher::Total(SignalSet numbers) {
  uint64_t total = 0;
  numbers.ForEach(
      [&total](int number) { total += HandledSignal::Total(number); });
  return total;
}

}  // namespace ringway::internal
