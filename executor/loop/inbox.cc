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
    std::lock_guard<std::mutex> lock(mutex_);
    if (backend_ != nullptr) backend_->Notify();
  }
  return true;
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
  std::lock_guard<std::mutex> lock(mutex_);
  backend_ = nullptr;
}

}  // namespace ringway
