// SPDX-License-Identifier: Apache-2.0
//
// UringBackend: waiting, and the handling of completions.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/time/time.h"
#include "ringway/backends/common/file_position.h"
#include "ringway/backends/common/socket_type.h"
#include "ringway/backends/common/system_call.h"
#include "ringway/backends/datagram.h"
#include "ringway/backends/uring/prepare_entry.h"
#include "ringway/backends/uring/uring_backend.h"
#include "ringway/core/check.h"

namespace ringway::uring {
namespace {

// The results of kernel threads that were interrupted while they waited;
// ERESTARTSYS and related codes never leave the kernel otherwise.
bool IsInterruption(int32_t result) {
  return result == -EINTR || (result <= -512 && result >= -516);
}

// The time limit of one attempt to drain the kernel's backlog when it refuses
// new work.
constexpr __kernel_timespec kBacklogPause = {.tv_sec = 0, .tv_nsec = 1'000'000};

// Receive buffers that nothing needed for so long are given back.
constexpr absl::Duration kShrinkInterval = absl::Milliseconds(100);

// True if a completion without IORING_CQE_F_MORE and with this result is a
// delivery.
bool IsDelivery(OpCode opcode, int32_t result) {
  // Only a stream has an end, reported as an empty receive.
  return opcode == OpCode::kRecvMultishot ? result > 0 : result >= 0;
}

// True if a receive that has ended with this result reached the end of its
// stream. A recvmsg then delivers an empty message, which is an ordinary
// message on sockets that keep message boundaries.
bool IsEndOfStream(const Operation& op, int32_t result) {
  return op.opcode == OpCode::kRecvMsgMultishot && result >= 0 &&
         static_cast<size_t>(result) == DatagramPayloadOffset(op) &&
         !KeepsBoundaries(op.fd);
}

}  // namespace

void UringBackend::Wait(MonotonicTime deadline, RunnableList& done) {
  owner_.Check("a uring backend");
  if (direct_.busy()) PollDirect(done);
  const bool may_block = !MustNotBlock() && done.empty();
  deadline = std::min(deadline, cancels_.next());
  const bool shrinks = may_block && MayShrink();
  if (shrinks) deadline = std::min(deadline, shrink_at_);
  const bool block =
      may_block && (deadline.is_infinite() || deadline > clock().Now());
  if (block || ring_->unsubmitted() > 0 || ring_->NeedsEnter())
    Enter(block, deadline);
  ReapAll(done);
  if (shrinks) Shrink();
  CollectOffloaded(done);
}

// Whether receive buffers may be more than needed. Then Wait() ends at
// shrink_at_. Without DEFER_TASKRUN the kernel could use a buffer at any time,
// also while it is taken out.
bool UringBackend::MayShrink() {
  if (!buffers_.HasSurplus() ||
      (ring_->setup_flags() & IORING_SETUP_DEFER_TASKRUN) == 0) {
    return false;
  }
  if (shrink_at_.is_infinite()) shrink_at_ = clock().Now() + kShrinkInterval;
  return true;
}

// Requires MayShrink().
void UringBackend::Shrink() {
  // Completions not reaped may have used buffers.
  if (ring_->HasCompletions() || ring_->NeedsEnter() ||
      clock().Now() < shrink_at_) {
    return;
  }
  buffers_.Shrink();
  shrink_at_ = MonotonicTime::Infinite();
}

bool UringBackend::MustNotBlock() const {
  return ring_->HasCompletions() || cancels_.unsubmitted() || direct_.busy() ||
         !rearming_.empty() || !doorbell_armed_ || MayResumeStarved();
}

bool UringBackend::MayResumeStarved() const {
  for (const BufferGroup group :
       {BufferGroup::kStreams, BufferGroup::kDatagrams}) {
    if (!starved_[static_cast<size_t>(group)].empty() &&
        buffers_.available(group) > 0) {
      return true;
    }
  }
  return false;
}

void UringBackend::Enter(bool block, MonotonicTime deadline) {
  __kernel_timespec timeout;
  const __kernel_timespec* timeout_pointer = nullptr;
  // A timeout costs 60 ns, so it is only passed if there is a deadline.
  if (block && !deadline.is_infinite()) {
    const int64_t ns = std::max<int64_t>(
        0, deadline.nanoseconds() - clock().Now().nanoseconds());
    timeout = {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
    timeout_pointer = &timeout;
  }
  ++stats_.system_calls;
  if (block) ++stats_.waits;
  const int rc = ring_->Enter(block, timeout_pointer);
  if (rc >= 0) return;
  switch (-rc) {
    case ETIME:  // the deadline
    case EINTR:  // a signal: a spurious return, which the contract allows
      return;
    case EBUSY:   // completions overflowed and must be collected first
    case EAGAIN:  // no memory for a request just now
    case ENOMEM:
      // Entries not accepted stay in the queue for the next turn. If there is
      // nothing to collect either, wait briefly instead of spinning on the
      // refusal.
      if (!ring_->HasCompletions()) {
        ++stats_.system_calls;
        ring_->WaitOnly(kBacklogPause);
      }
      return;
    default:
      RINGWAY_CHECK(false, "io_uring_enter failed: %s (errno %d)",
                    strerror(-rc), -rc);
  }
}

void UringBackend::PollDirect(RunnableList& done) {
  ++stats_.system_calls;
  direct_.Poll([&](Operation& op, int32_t result) {
    op.Unlink();
    if (direct_.FallsBack(op, result)) {
      Rearm(op, rearming_, done);
    } else {
      Finish(op, result, done);
    }
  });
}

void UringBackend::ReapAll(RunnableList& done) {
  ring_->Reap([&](const io_uring_cqe& cqe) { OnCompletion(cqe, done); });
  cancels_.AfterReap(clock());
}

void UringBackend::OnCompletion(const io_uring_cqe& cqe, RunnableList& done) {
  switch (cqe.user_data) {
    case kCancel:
      cancels_.OnOutcome(cqe.res);
      return;
    case kDoorbell:
      doorbell_armed_ = false;
      ++stats_.notifications;
      return;
    default:
      break;
  }
  // The end of a zero-copy send that is gone (ForsakeMemory()); no other is in
  // flight.
  if (forsaken_ && (cqe.flags & IORING_CQE_F_NOTIF) != 0) return;
  Operation& op = *reinterpret_cast<Operation*>(
      static_cast<uintptr_t>(cqe.user_data & ~kEndWatchTag));
  if ((cqe.user_data & kEndWatchTag) != 0) {
    OnEndWatch(op, cqe.res, done);
    return;
  }
  // An operation that waits on a kernel thread - a splice, a connect to a
  // Unix socket whose queue is full, at times a zero-copy send - is cancelled
  // by interrupting the thread.
  const bool interrupted = op.cancel_requested && IsInterruption(cqe.res);
  const int32_t result = interrupted ? -ECANCELED : cqe.res;
  if (Delivers(op.opcode)) {
    io_uring_cqe completion = {};
    completion.res = result;
    completion.flags = cqe.flags;
    OnMultishotCompletion(static_cast<DeliveringOperation&>(op), completion,
                          done);
    return;
  }
  op.Unlink();
  if (op.opcode == OpCode::kSendFile) {
    OnSendFileStep(op, result, done);
  } else if (CallsItself(op.opcode) ||
             (op.opcode == OpCode::kWaitPid && !IsNative(op.opcode))) {
    // It does not block: a process that is waited for has ended.
    ++stats_.system_calls;
    Finish(op, result < 0 ? result : RunSystemCall(op), done);
  } else {
    Finish(op, result, done);
  }
}

void UringBackend::OnSendFileStep(Operation& op, int32_t result,
                                  RunnableList& done) {
  if (send_file_.Advance(op, result)) {
    Rearm(op, rearming_, done);
  } else {
    Finish(op, result, done);
  }
}

void UringBackend::OnMultishotCompletion(DeliveringOperation& op,
                                         const io_uring_cqe& cqe,
                                         RunnableList& done) {
  if (IsZeroCopySend(op.opcode)) {
    OnZeroCopyCompletion(op, cqe, done);
    return;
  }
  const bool armed = (cqe.flags & IORING_CQE_F_MORE) != 0;
  const bool at_end = !armed && IsEndOfStream(op, cqe.res);
  const bool delivery = !at_end && IsDelivery(op.opcode, cqe.res);
  if (delivery) {
    Deliver(op, cqe.res, cqe.flags, done);
  } else if ((cqe.flags & IORING_CQE_F_BUFFER) != 0) {
    // End of stream can come with an empty buffer.
    buffers_.TakeBack(op.opcode, cqe.flags);
  }
  if (delivery && op.opcode == OpCode::kRecvMultishot)
    OnDeliverySize(op, cqe.res);
  if (armed) {
    if (op.backend.lost_delivery) EndUnasked(op);
    return;
  }

  op.Unlink();
  // By StartAnew().
  if (cqe.res == -ECANCELED && op.opcode == OpCode::kRecvMultishot &&
      !op.cancel_requested) {
    op.backend.drained = false;
    Rearm(op, rearming_, done);
    return;
  }
  const bool starved = cqe.res == -ENOBUFS && LendsBuffers(op.opcode);
  if (op.backend.lost_delivery || (!starved && !delivery)) {
    Finish(op, op.backend.lost_delivery ? -ENOMEM : std::min(cqe.res, 0), done);
    return;
  }
  if (starved) {
    OnStarved(op, done);
    return;
  }
  op.backend.drained =
      delivery && (cqe.flags & IORING_CQE_F_SOCK_NONEMPTY) == 0;
  Rearm(op, rearming_, done);
}

// Decides whether a receive stays armed, or goes on doing so.
void UringBackend::OnDeliverySize(DeliveringOperation& op, int32_t n_bytes) {
  uint8_t& n_small = op.backend.small_deliveries;
  if (n_bytes <= kSmallDelivery) {
    if (n_small < kDeliveriesBeforeStaying) ++n_small;
  } else if (std::exchange(n_small, kNeverStays) != kNeverStays &&
             op.backend.end_watch == EndWatch::kArmed) {
    StartAnew(op);
  }
}

// The watch beside a receive has ended: the peer has closed or reset the
// connection, or the watch was cancelled. A receive that stays armed may have
// missed the former, so it starts anew, and from then on for each delivery.
void UringBackend::OnEndWatch(Operation& op, int32_t result,
                              RunnableList& done) {
  const bool awaited = op.backend.end_watch == EndWatch::kAwaited;
  const bool cancelled = result == -ECANCELED;
  op.backend.end_watch = cancelled ? EndWatch::kNone : EndWatch::kFired;
  if (awaited) {
    op.Unlink();
    Finish(op, op.result, done);
  } else if (!cancelled) {
    StartAnew(op);
  }
}

// Has the kernel end a receive that is armed, with its watch; it is then armed
// again.
void UringBackend::StartAnew(Operation& op) {
  if (op.cancel_requested || op.backend.needs_rearm) return;
  op.Unlink();
  cancels_.Add(op);
}

// No buffer was left for `op`, which must be in no list.
void UringBackend::OnStarved(DeliveringOperation& op, RunnableList& done) {
  if (!op.cancel_requested) ++stats_.buffer_starved;
  if (buffers_.Grow(op.opcode)) {
    Rearm(op, rearming_, done);
    return;
  }
  if (!buffers_.GivesOwn(op)) {
    Rearm(op, StarvedLike(op), done);
    return;
  }
  // The kernel selects a buffer before it looks for data, unless it was to
  // wait for data first. So that idle connections get no memory, the first
  // attempt without a buffer is followed by one that waits.
  const bool has_data = std::exchange(op.backend.drained, true);
  if (has_data && op.delivery_count > 0) {
    Rearm(op, StarvedLike(op), done);  // until taken: TakeDelivery()
  } else if (has_data && !op.cancel_requested && !buffers_.GiveOwn(op)) {
    Finish(op, -ENOMEM, done);
  } else {
    Rearm(op, rearming_, done);
  }
}

// There are two completions: the result of the send and, unless it was the
// last, the release of the memory.
void UringBackend::OnZeroCopyCompletion(DeliveringOperation& op,
                                        const io_uring_cqe& cqe,
                                        RunnableList& done) {
  const bool sent = (cqe.flags & IORING_CQE_F_NOTIF) == 0;
  if (sent && cqe.res >= 0) Deliver(op, cqe.res, cqe.flags, done);
  if (sent)
    op.result = op.backend.lost_delivery ? -ENOMEM : std::min(cqe.res, 0);
  op.Unlink();
  op.backend.pinned = (cqe.flags & IORING_CQE_F_MORE) != 0;
  if (op.backend.pinned) {
    in_flight_.PushBack(op);  // nothing is left to be cancelled
    return;
  }
  // The memory could not be pinned, which RLIMIT_MEMLOCK limits, or the
  // socket only supports copies, as Unix sockets do.
  const bool refused = (op.result == -ENOMEM || op.result == -EOPNOTSUPP) &&
                       !op.backend.copies && !op.backend.lost_delivery;
  if (!refused) {
    Finish(op, op.result, done);
    return;
  }
  ++stats_.zero_copy_refused;
  op.backend.copies = true;
  Rearm(op, rearming_, done);
}

// Continues `op`, which must be in no list, in the next turn. Or ends it if
// it was cancelled: Cancel() handles a request once, and would not find it
// here.
void UringBackend::Rearm(Operation& op, OperationList& where,
                         RunnableList& done) {
  if (op.cancel_requested) {
    Finish(op, -ECANCELED, done);
    return;
  }
  // A receive is armed for one delivery at a time until it stays armed; that
  // is not counted as a re-arm.
  const bool next_step =
      op.opcode == OpCode::kRecvMultishot && &where == &rearming_;
  if (Delivers(op.opcode) && !next_step) ++stats_.rearms;
  op.backend.needs_rearm = true;
  where.PushBack(op);
}

void UringBackend::Deliver(DeliveringOperation& op, int32_t result,
                           uint32_t cqe_flags, RunnableList& done) {
  Delivery delivery;
  delivery.result = result;
  if ((cqe_flags & IORING_CQE_F_BUFFER) != 0) {
    buffers_.Lend(op.opcode, cqe_flags, delivery);
  } else if (op.backend.own_buffer != 0) {
    buffers_.LendOwn(op, delivery);
    ++stats_.own_memory;
  }
  if (op.backend.lost_delivery || !completions_.Reserve()) {
    Lose(op, delivery);
    return;
  }
  completions_.Deliver(op, delivery, done);
}

// There is no memory for `delivery`, or there was none for an earlier one:
// after a gap nothing more is delivered, and `op` ends with -ENOMEM.
void UringBackend::Lose(DeliveringOperation& op, const Delivery& delivery) {
  op.backend.lost_delivery = true;
  ++stats_.deliveries_lost;
  Dispose(op, delivery);
}

// Requests that the kernel end `op`, which is armed, unless that was done
// before.
void UringBackend::EndUnasked(Operation& op) {
  if (op.cancel_requested) return;
  op.cancel_requested = true;
  op.Unlink();
  cancels_.Add(op);
}

// Requires that `op` is in no list. If the kernel still has its watch, it ends
// when that has ended: its entry refers to `op`.
void UringBackend::Finish(Operation& op, int32_t result, RunnableList& done) {
  if (op.backend.end_watch == EndWatch::kArmed) {
    op.backend.end_watch = EndWatch::kAwaited;
    op.backend.needs_rearm = false;
    op.result = result;
    cancels_.Add(op);
    return;
  }
  buffers_.TakeBackOwn(op);
  if (op.opcode == OpCode::kSendFile) send_file_.End(op);
  if (IsAtPosition(op)) AdvancePosition(op, result);
  completions_.Finish(op, result, done);
}

}  // namespace ringway::uring
