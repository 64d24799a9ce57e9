// SPDX-License-Identifier: Apache-2.0
//
// EpollBackend: completion: a turn, its events, deliveries and their buffers,
// and the ends of operations.

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/backends/epoll/epoll_backend.h"
#include "ringway/core/check.h"

namespace ringway::epoll {
namespace {

// The longest interval between attempts of operations without an event.
constexpr absl::Duration kLongestPause = absl::Milliseconds(8);

}  // namespace

// --- A turn

void EpollBackend::Wait(MonotonicTime deadline, RunnableList& done) {
  owner_.Check("an epoll backend");
  if (MayPutOffAsking(done)) return;
  Turn(deadline, done);
}

// If Submit() has completed operations, the loop has work, which is likely to
// lead to another Submit(): polling the kernel only after that saves a system
// call per round. Never twice in a row, so that a chain of such operations
// does not starve others.
bool EpollBackend::MayPutOffAsking(const RunnableList& done) {
  put_off_ =
      std::exchange(completed_inline_, false) && !done.empty() && !put_off_;
  return put_off_;
}

void EpollBackend::Turn(MonotonicTime deadline, RunnableList& done) {
  watcher_.BeginTurn();
  EndRefused(done);
  EndCancelled(done);
  RetryAll(done);
  ResumeStarved();
  IntrusiveList<WaitQueue> unfinished;
  unfinished.Append(unfinished_);
  const bool may_block = done.empty() && unfinished.empty();
  for (const epoll_event& event : NextEvents(deadline, may_block)) {
    OnEvent(event, done);
  }
  EndRefused(done);
  while (WaitQueue* queue = unfinished.PopFront()) TryInOrder(*queue, done);
}

std::span<epoll_event> EpollBackend::NextEvents(MonotonicTime deadline,
                                                bool may_block) {
  EpollSet& set = watcher_.set();
  const std::span<epoll_event> events(kernel_events_);
  MonotonicTime now;
  if (may_block && (!deadline.is_infinite() || !retrying_.empty())) {
    now = clock().Now();
    if (!retrying_.empty()) deadline = std::min(deadline, now + retry_pause_);
  }
  may_block = may_block && deadline > now;
  // Assumptions are checked while the loop is idle.
  if (!may_block || watcher_.assuming()) {
    ++stats_.system_calls;
    const int n = set.Poll(events);
    if (n > 0 || !may_block) return events.first(static_cast<size_t>(n));
    watcher_.CheckAssumptions();
    if (!watcher_.refused().empty()) return {};
  }
  ++stats_.system_calls;
  ++stats_.waits;
  const int n = set.Wait(events, now, deadline);
  return events.first(static_cast<size_t>(n));
}

void EpollBackend::OnEvent(const epoll_event& event, RunnableList& done) {
  if (event.data.u64 == kDoorbell) {
    OnDoorbell(done);
    return;
  }
  FdEntry* entry = watcher_.EntryOf(event);
  if (entry == nullptr) return;
  const uint32_t kinds = event.events;
  watcher_.OnEvent(*entry, kinds);
  if (entry->has_pollers()) DeliverPolls(*entry, kinds, done);
  // A queue that was put aside is tried once per turn, with its list.
  const auto try_now = [&](WaitQueue& queue, uint32_t wanted) {
    if ((kinds & wanted) == 0 || queue.put_aside()) return;
    TryInOrder(queue, done);
  };
  try_now(entry->readers, ~uint32_t{EPOLLOUT});
  if (entry->seldom != nullptr)
    try_now(entry->seldom->writers, EPOLLOUT | EPOLLHUP | EPOLLERR);
  watcher_.OnTried(*entry);
}

void EpollBackend::OnDoorbell(RunnableList& done) {
  // Acquire: writes before the Notify() that this consumes are visible to the
  // caller of Wait().
  if (notified_.exchange(false, std::memory_order_acq_rel)) {
    ++stats_.notifications;
  }
  if (pool_->in_flight() > 0) CollectOffloaded(done);
}

void EpollBackend::Notify() {
  if (notified_.exchange(true, std::memory_order_acq_rel)) return;
  eventfd_write(doorbell_.get(), 1);
}

void EpollBackend::DeliverPolls(FdEntry& entry, uint32_t events,
                                RunnableList& done) {
  OperationList& pollers = entry.seldom->pollers;
  for (Operation* op = pollers.front(); op != nullptr;) {
    Operation* next = pollers.Next(*op);
    const uint32_t mask = events & (op->flags | EPOLLERR | EPOLLHUP);
    if (mask != 0 && op->opcode == OpCode::kPollMultishot &&
        !completions_.Reserve()) {
      op->Unlink();
      Finish(*op, -ENOMEM, done);
    } else if (mask != 0 && op->opcode == OpCode::kPollMultishot) {
      completions_.Deliver(static_cast<DeliveringOperation&>(*op),
                           {.result = static_cast<int32_t>(mask)}, done);
    } else if (mask != 0) {
      op->Unlink();
      Finish(*op, static_cast<int32_t>(mask), done);
    }
    op = next;
  }
}

void EpollBackend::CollectOffloaded(RunnableList& done) {
  OperationList ended;
  pool_->Collect(ended);
  while (Operation* op = ended.PopFront()) {
    const bool would_block = op->result == -EAGAIN && IsTwoSided(op->opcode) &&
                             TraitsOf(op->opcode).waits != opcode::kNever;
    if (would_block && op->cancel_requested) {
      Complete(*op, -ECANCELED, done);
    } else if (would_block) {
      Follow(*op, AfterOffloadedAttempt(*op), done);
    } else {
      Complete(*op, op->result, done);
    }
  }
}

void EpollBackend::RetryAll(RunnableList& done) {
  OperationList again;
  again.Append(retrying_);
  const absl::Duration longer = std::min(2 * retry_pause_, kLongestPause);
  while (Operation* op = again.PopFront()) Advance(*op, done);
  retry_pause_ = longer;
}

// --- Ends

void EpollBackend::Complete(Operation& op, int32_t result, RunnableList& done) {
  if (TraitsOf(op.opcode).makes == opcode::kMakesFd && result >= 0)
    watcher_.Forget(result, stranded_);
  if (IsZeroCopySend(op.opcode) && result >= 0) {
    if (completions_.Reserve()) {
      completions_.Deliver(static_cast<DeliveringOperation&>(op),
                           {.result = result}, done);
      result = 0;
    } else {
      ++stats_.deliveries_lost;
      result = -ENOMEM;
    }
  }
  Finish(op, result, done);
}

void EpollBackend::Finish(Operation& op, int32_t result, RunnableList& done) {
  if (IsTwoSided(op.opcode)) --two_sided_;
  completions_.Finish(op, result, done);
}

// --- Receive buffers

bool EpollBackend::MakeBuffers() {
  absl::StatusOr<std::unique_ptr<ReceiveBuffers>> buffers =
      ReceiveBuffers::Create(options_);
  if (!buffers.ok()) return false;
  buffers_ = *std::move(buffers);
  return true;
}

// With no buffer left a receive has memory of its own, unless it has
// deliveries that were not taken.
bool EpollBackend::MayHaveOwnMemory(const DeliveringOperation& op) const {
  return options_.receive_own_bytes > 0 && op.delivery_count == 0;
}

// Makes `op` wait until a buffer is returned, or its deliveries are taken.
bool EpollBackend::Starve(DeliveringOperation& op, RunnableList& done) {
  if (!op.backend.needs_rearm) ++stats_.buffer_starved;
  op.backend.needs_rearm = true;
  return PutAside(op, starved_, done);
}

// Resumes as many as there are buffers: each either takes one or waits for
// data.
void EpollBackend::ResumeStarved() {
  const uint32_t available = buffers_ == nullptr ? 0 : buffers_->available();
  for (uint32_t n = 0; n < available; ++n) {
    WaitQueue* queue = starved_.PopFront();
    if (queue == nullptr) return;
    Operation* op = queue->operations.front();
    const bool waits = op != nullptr && op->backend.needs_rearm;
    if (waits && !buffers_->Has(ReceiveBytesNeeded(op->opcode))) {
      starved_.PushBack(*queue);
      continue;
    }
    unfinished_.PushBack(*queue);
    if (!waits) continue;
    op->backend.needs_rearm = false;
    ++stats_.rearms;
  }
}

// `op` was cancelled and no longer waits; operations behind it in its queue
// may not need a buffer.
void EpollBackend::PassOverStarved(const Operation& op) {
  FdEntry* entry = watcher_.table().Find(op.fd);
  if (entry == nullptr || !entry->readers.put_aside()) return;
  entry->readers.Unlink();
  unfinished_.PushBack(entry->readers);
}

BackendStats EpollBackend::stats() const {
  BackendStats stats = stats_;
  if (buffers_ != nullptr) stats.receive_memory = buffers_->memory();
  return stats;
}

void EpollBackend::ReturnBuffer(uint32_t buffer_id) {
  owner_.Check("an epoll backend");
  RINGWAY_CHECK(buffers_ != nullptr,
                "receive buffer %u was returned but none was ever lent",
                buffer_id);
  buffers_->Return(buffer_id);
}

bool EpollBackend::TakeDelivery(DeliveringOperation& op, Delivery& delivery) {
  owner_.Check("an epoll backend");
  if (!completions_.Take(op, delivery)) return false;
  if (op.delivery_count == 0 && op.backend.needs_rearm &&
      options_.receive_own_bytes > 0) {
    op.backend.needs_rearm = false;
    ++stats_.rearms;
    PassOverStarved(op);
  }
  return true;
}

}  // namespace ringway::epoll
