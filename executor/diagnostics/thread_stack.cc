// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/diagnostics/thread_stack.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "absl/debugging/symbolize.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ringway::internal {
namespace {

// The calling thread's. Only this thread and its handler use it, so a change
// needs to be atomic only as far as the handler can see.
constinit thread_local std::atomic<ThreadStack*> stacks_of_this_thread{nullptr};

struct SignalUse {
  int users = 0;
  struct sigaction before;
};

std::mutex uses_mutex;
SignalUse uses[NSIG];  // guarded by uses_mutex

bool HasHandler(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 ||
         (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

void* InterruptedAt([[maybe_unused]] const void* context) {
#if defined(__x86_64__)
  return reinterpret_cast<void*>(
      static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return reinterpret_cast<void*>(
      static_cast<const ucontext_t*>(context)->uc_mcontext.pc);
#else
  return nullptr;
#endif
}

timespec DeadlineAfter(absl::Duration patience) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::ToTimespec(absl::DurationFromTimespec(now) + patience);
}

sigset_t SetOf(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  return set;
}

// `frame` and the function that it is in; where there is no symbol, the file
// and the offset, for addr2line(1).
std::string DescribeFrame(void* frame, bool is_return_address) {
  std::array<char, 512> name;
  // A return address may be beyond the end of the function that called.
  void* const in_call = static_cast<char*>(frame) - (is_return_address ? 1 : 0);
  std::string line = absl::StrFormat("%p ", frame);
  Dl_info file;
  if (absl::Symbolize(in_call, name.data(), name.size())) {
    absl::StrAppend(&line, name.data());
  } else if (dladdr(in_call, &file) != 0 && file.dli_fname != nullptr) {
    absl::StrAppend(&line, file.dli_fname, "+0x",
                    absl::Hex(static_cast<char*>(frame) -
                              static_cast<char*>(file.dli_fbase)));
  } else {
    absl::StrAppend(&line, "?");
  }
  return line;
}

}  // namespace

// --- StackSignal

absl::Status StackSignal::Use(int number) {
  void* frames[2];
  static_cast<void>(backtrace(frames, 2));  // loads libgcc
  const std::lock_guard<std::mutex> lock(uses_mutex);
  if (number <= 0 || number >= NSIG)
    return absl::InvalidArgumentError(absl::StrCat("no signal: ", number));
  SignalUse& use = uses[number];
  if (use.users == 0) {
    struct sigaction action = {};
    action.sa_sigaction = &ThreadStack::OnSignal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&action.sa_mask);
    sigaction(number, nullptr, &use.before);
    if (HasHandler(use.before)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the program has a handler for signal ", number, " already"));
    }
    if (sigaction(number, &action, nullptr) != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("signal ", number, " cannot be handled"));
    }
  }
  ++use.users;
  return absl::OkStatus();
}

void StackSignal::Release(int number) {
  const std::lock_guard<std::mutex> lock(uses_mutex);
  SignalUse& use = uses[number];
  if (--use.users > 0) return;
  struct sigaction current;
  sigaction(number, nullptr, &current);
  if ((current.sa_flags & SA_SIGINFO) != 0 &&
      current.sa_sigaction == &ThreadStack::OnSignal)
    sigaction(number, &use.before, nullptr);
}

// --- The thread's side

ThreadStack::ThreadStack(int number, Noter& noter)
    : number_(number),
      thread_(static_cast<pid_t>(syscall(SYS_gettid))),
      noter_(noter),
      next_(stacks_of_this_thread.load(std::memory_order_relaxed)) {
  sem_init(&answered_, /*pshared=*/0, 0);
  stacks_of_this_thread.store(this, std::memory_order_relaxed);
  const sigset_t set = SetOf(number_);
  sigset_t before;
  pthread_sigmask(SIG_UNBLOCK, &set, &before);
  was_blocked_ = sigismember(&before, number_) == 1;
}

ThreadStack::~ThreadStack() {
  // A signal that was sent and has not been handled is handled now: later it
  // could find the default action.
  const sigset_t set = SetOf(number_);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  if (was_blocked_) pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::atomic<ThreadStack*>* link = &stacks_of_this_thread;
  while (link->load(std::memory_order_relaxed) != this)
    link = &link->load(std::memory_order_relaxed)->next_;
  link->store(next_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  sem_destroy(&answered_);
}

void ThreadStack::OnSignal(int number, siginfo_t*, void* context) {
  const int errnum = errno;
  for (ThreadStack* stack =
           stacks_of_this_thread.load(std::memory_order_relaxed);
       stack != nullptr; stack = stack->next_.load(std::memory_order_relaxed)) {
    State asked = State::kAsked;
    if (stack->number_ == number &&
        stack->state_.compare_exchange_strong(asked, State::kTaking,
                                              std::memory_order_acquire))
      stack->Answer(context);
  }
  errno = errnum;
}

void ThreadStack::Answer(void* context) {
  const bool wanted = noter_.note(noter_, note_.data());
  if (wanted) {
    n_frames_ = static_cast<size_t>(
        backtrace(frames_.data(), static_cast<int>(frames_.size())));
    interrupted_ = InterruptedAt(context);
  }
  state_.store(wanted ? State::kTaken : State::kUnwanted,
               std::memory_order_release);
  sem_post(&answered_);
}

// --- The other thread's side

bool ThreadStack::Take(absl::Duration patience) {
  // If it has still not finished an answer that came too late, it never will.
  if (state_.load(std::memory_order_acquire) == State::kTaking) return false;
  state_.store(State::kAsked, std::memory_order_release);
  const timespec deadline = DeadlineAfter(patience);
  bool is_waiting = syscall(SYS_tgkill, getpid(), thread_, number_) == 0;
  State state = State::kAsked;
  // An answer that came too late may have left the semaphore raised.
  while (is_waiting && (state == State::kAsked || state == State::kTaking)) {
    is_waiting = sem_clockwait(&answered_, CLOCK_MONOTONIC, &deadline) == 0 ||
                 errno == EINTR;
    state = state_.load(std::memory_order_acquire);
  }
  if (state == State::kAsked) {
    // Withdraws the question; a failure leaves the answer in `state`.
    state_.compare_exchange_strong(state, State::kIdle,
                                   std::memory_order_acquire);
  }
  return state == State::kTaken;
}

std::string ThreadStack::Symbolized() const {
  const auto end = frames_.begin() + n_frames_;
  // Leaves out the handler's own frames. Where the kernel's context does not
  // tell (a sanitizer may run the handler later), all are shown.
  auto first = std::find(frames_.begin(), end, interrupted_);
  if (first == end) first = frames_.begin();
  std::string text;
  for (auto frame = first; frame != end; ++frame) {
    absl::StrAppend(&text, "    ", DescribeFrame(*frame, frame != first), "\n");
  }
  return text;
}

}  // namespace ringway::internal
