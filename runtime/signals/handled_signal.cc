// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/signals/handled_signal.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <mutex>

#include "ringway/core/process_wide.h"
#include "ringway/runtime/signals/signal_bell.h"

namespace ringway::internal {
namespace {

// What the handler of one signal uses. Static, because it may still run on
// another thread when what was there before has been restored.
struct Slot {
  std::atomic<uint64_t> count{0};
  std::atomic<pid_t> sender{0};
  std::atomic<pid_t> process{0};  // whose handler it is
  struct sigaction before = {};   // written before the handler is installed
};
static_assert(std::atomic<uint64_t>::is_always_lock_free);
static_assert(std::atomic<pid_t>::is_always_lock_free);

constinit std::array<Slot, NSIG> slots;

Slot& SlotOf(int number) { return slots[static_cast<size_t>(number)]; }

// How many objects handle each signal. A child begins without any.
struct Users {
  std::mutex mutex;
  std::array<uint32_t, NSIG> n{};  // guarded by mutex
};

Users& TheUsers() {
  static ProcessWide<Users> users;
  return users.Get([] { return std::make_unique<Users>(); });
}

// 0 if it came from the kernel, which uses the field for other things.
pid_t SenderOf(const siginfo_t& info) {
  const int code = info.si_code;
  const bool sent = code == SI_USER || code == SI_QUEUE || code == SI_TKILL;
  return sent ? info.si_pid : 0;
}

void CountSignal(int number, siginfo_t* info, void* /*context*/) {
  const int errnum = errno;
  Slot& slot = SlotOf(number);
  // Compares process ids, because a child may get a signal before fork
  // handlers have run.
  if (slot.process.load(std::memory_order_relaxed) != getpid()) {
    // In a child that does not handle it itself: as if this handler had never
    // been installed.
    sigaction(number, &slot.before, nullptr);
    kill(getpid(), number);
  } else {
    slot.sender.store(SenderOf(*info), std::memory_order_relaxed);
    slot.count.fetch_add(1, std::memory_order_release);
    SignalBell::Ring();
  }
  errno = errnum;
}

bool IsOurs(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 &&
         action.sa_sigaction == &CountSignal;
}

bool StaysIgnored(int number, const struct sigaction& action) {
  const bool ignored =
      (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_IGN;
  return ignored && (number == SIGHUP || number == SIGINT ||
                     number == SIGQUIT || number == SIGTERM);
}

// Returns false if it stays ignored.
bool Handle(int number) {
  Users& users = TheUsers();
  std::lock_guard<std::mutex> lock(users.mutex);
  uint32_t& n = users.n[static_cast<size_t>(number)];
  if (n == 0) {
    Slot& slot = SlotOf(number);
    struct sigaction now = {};
    sigaction(number, nullptr, &now);
    if (StaysIgnored(number, now)) return false;
    // In a child it may be the parent's handler, which `before` was saved for.
    if (!IsOurs(now)) slot.before = now;
    slot.process.store(getpid(), std::memory_order_relaxed);
    struct sigaction action = {};
    action.sa_sigaction = &CountSignal;
    action.sa_flags = SA_RESTART | SA_SIGINFO;
    sigaction(number, &action, nullptr);
  }
  ++n;
  return true;
}

void StopHandling(int number) {
  Users& users = TheUsers();
  std::lock_guard<std::mutex> lock(users.mutex);
  if (--users.n[static_cast<size_t>(number)] == 0)
    sigaction(number, &SlotOf(number).before, nullptr);
}

}  // namespace

HandledSignal::HandledSignal(int number)
    : number_(number), before_(Total(number)), ignored_(!Handle(number)) {}

HandledSignal::~HandledSignal() {
  if (!ignored_ && !owner_.forked()) StopHandling(number_);
}

uint64_t HandledSignal::Total(int number) {
  return SlotOf(number).count.load(std::memory_order_acquire);
}

pid_t HandledSignal::last_sender() const {
  return SlotOf(number_).sender.load(std::memory_order_relaxed);
}

}  // namespace ringway::internal
