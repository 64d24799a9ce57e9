// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/inbox.h"

#include <memory>
#include <utility>

#include "ringway/core/schedule_point.h"
#include "ringway/executor/loop/report_exception.h"

namespace ringway {
namespace {

struct Closure : InboxMessage {
  explicit Closure(absl::AnyInvocable<void()> f)
      : InboxMessage(&Run), fn(std::move(f)) {}

  static void Run(InboxMessage& message, bool accepted) {
    std::unique_ptr<Closure> self(static_cast<Closure*>(&message));
    if (accepted) self->fn();
  }

  absl::AnyInvocable<void()> fn;
};

}  // namespace

bool Inbox::Send(InboxMessage& message) {
  if (forked()) [[unlikely]] {
    return false;
  }
  if (queue_.Push(message) == PushResult::kClosed) return false;
  // Only one sender of a batch finds the loop asleep. mpsc_queue.h describes
  // the order with respect to FallAsleep(): push, then load; announce, then
  // load.
  if (asleep_.load(std::memory_order_seq_cst) &&
      asleep_.exchange(false, std::memory_order_seq_cst)) {
    internal::SchedulePoint();
    NotifyUnlessClosed();
  }
  return true;
}

// Either this sees that the inbox is closed, or Close() sees `n_notifying_`:
// both write the one before they read the other, in one order for all threads.
void Inbox::NotifyUnlessClosed() {
  n_notifying_.fetch_add(1, std::memory_order_seq_cst);
  internal::SchedulePoint();
  if (Backend* backend = backend_.load(std::memory_order_seq_cst))
    backend->Notify();
  internal::SchedulePoint();
  if (n_notifying_.fetch_sub(1, std::memory_order_seq_cst) == 1)
    n_notifying_.notify_all();
}

absl::Status Inbox::Post(absl::AnyInvocable<void()> fn) {
  if (forked()) {
    return absl::FailedPreconditionError(
        "the loop belongs to the parent process; a forked child must make its "
        "own");
  }
  auto closure = std::make_unique<Closure>(std::move(fn));
  if (!Send(*closure)) return absl::UnavailableError("the loop has ended");
  static_cast<void>(closure.release());  // now owned by the loop
  return absl::OkStatus();
}

size_t Inbox::Drain() {
  size_t n = 0;
  // A member, so that a function that ends the loop refuses the remaining
  // messages.
  received_ = queue_.TakeAll();
  for (; InboxMessage* message = received_.PopFront(); ++n)
    Receive(*message, /*accepted=*/true);
  return n;
}

void Inbox::Receive(InboxMessage& message, bool accepted) {
  try {
    message.Receive(accepted);
  } catch (...) {
    ++exceptions_;
    if (on_exception_) {
      on_exception_(std::current_exception());
    } else {
      ReportException("a posted function", std::current_exception());
    }
  }
}

bool Inbox::FallAsleep() {
  asleep_.store(true, std::memory_order_seq_cst);
  internal::SchedulePoint();
  if (!HasMessages()) {
    internal::SchedulePoint();
    return true;
  }
  WokeUp();
  return false;
}

void Inbox::WokeUp() {
  internal::SchedulePoint();
  asleep_.store(false, std::memory_order_relaxed);
}

void Inbox::Close() {
  MpscBatch<InboxMessage> rest = queue_.Close();
  internal::SchedulePoint();
  for (MpscBatch<InboxMessage>* batch : {&received_, &rest}) {
    while (InboxMessage* message = batch->PopFront())
      Receive(*message, /*accepted=*/false);
  }
  backend_.store(nullptr, std::memory_order_seq_cst);
  while (const uint32_t n = n_notifying_.load(std::memory_order_seq_cst))
    n_notifying_.wait(n, std::memory_order_seq_cst);
}

}  // namespace ringway
