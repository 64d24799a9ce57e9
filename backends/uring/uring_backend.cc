// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/uring_backend.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/common/begin_cancel.h"
#include "ringway/backends/common/cancel_in.h"
#include "ringway/backends/common/socket_type.h"
#include "ringway/backends/common/system_call.h"
#include "ringway/backends/datagram.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/uring/prepare_entry.h"
#include "ringway/backends/uring/probe_multishot.h"
#include "ringway/backends/uring/ring_setup.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/thread_sanitizer.h"

namespace ringway::uring {
namespace {

// user_data is the address of an Operation, or one of these.
constexpr uint64_t kCancel = 0;
constexpr uint64_t kDoorbell = 1;

// What the kernel's own threads say when they were interrupted while they
// waited: ERESTARTSYS and its kin never leave the kernel otherwise.
bool IsInterruption(int32_t result) {
  return result == -EINTR || (result <= -512 && result >= -516);
}

// ThreadSanitizer follows fds by the calls that make and close them. A number
// that the kernel has closed by itself looks like a race to it when two threads
// make it in turn, so there a close is an entry that keeps its place among the
// others, and close(2) when that completes.
constexpr bool kCloseItself = kThreadSanitizer;

// How long one attempt to drain the kernel's backlog may take when it refuses
// new work.
constexpr __kernel_timespec kBacklogPause = {.tv_sec = 0, .tv_nsec = 1'000'000};

bool IsDirectTransfer(const Operation& op) {
  return (op.opcode == OpCode::kRead || op.opcode == OpCode::kWrite) &&
         (op.flags & kDirectIo) != 0 && !op.backend.not_polled;
}

// What a completion without IORING_CQE_F_MORE, and with this result, means.
bool IsDelivery(OpCode opcode, int32_t result) {
  // Only a stream has an end, and it is an empty receive.
  return opcode == OpCode::kRecvMultishot ? result > 0 : result >= 0;
}

// True if a receive that has ended, with this result, had come to the end of
// its stream. A recvmsg then delivers a message of no bytes, which is one like
// any other where messages keep their boundaries.
bool IsEndOfStream(const Operation& op, int32_t result) {
  return op.opcode == OpCode::kRecvMsgMultishot && result >= 0 &&
         static_cast<size_t>(result) == DatagramPayloadOffset(op) &&
         !KeepsBoundaries(op.fd);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> UringBackend::Create(
    const BackendOptions& options) {
  if (absl::Status s = CheckBackendOptions(options); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<KernelRing>> ring =
      KernelRing::Create(RingConfig(options));
  if (!ring.ok()) return ring.status();
  if (absl::Status s = CheckMultishotReceive(**ring); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<DirectRing>> direct = MakeDirectRing(options);
  if (!direct.ok()) return direct.status();
  UniqueFd doorbell(eventfd(0, EFD_CLOEXEC));
  if (!doorbell.valid())
    return ErrnoToStatus(errno, "eventfd for waking a loop");
  std::unique_ptr<UringBackend> backend(
      new UringBackend(options, *std::move(ring), std::move(doorbell)));
  backend->direct_ = *std::move(direct);
  if (absl::Status s =
          backend->registered_.ReserveFiles(options.uring.registered_files);
      !s.ok()) {
    return s;
  }
  return backend;
}

UringBackend::UringBackend(const BackendOptions& options,
                           std::unique_ptr<KernelRing> ring, UniqueFd doorbell)
    : options_(options),
      doorbell_(std::move(doorbell)),
      offload_(std::make_unique<OffloadPool>(options.offload_threads,
                                             doorbell_.get())),
      buffers_(options),
      ring_(std::move(ring)),
      registered_(*ring_),
      cancels_(kCancel),
      native_(NativeOperations(*ring_)),
      description_(absl::StrCat("uring (", ring_->FlagNames(), ", sq ",
                                ring_->submission_entries(), ", cq ",
                                ring_->completion_entries(), ")")) {}

UringBackend::~UringBackend() {
  if (owner_.forked()) {
    // The queues are not mapped in this process, and what is in flight is the
    // parent's.
    for (OperationList* list : {&in_flight_, &rearming_, &starved_}) {
      while (Operation* op = list->PopFront()) op->state = OpState::kDone;
    }
    cancels_.ForgetInChild();
    ring_->ForgetInChild();
    if (direct_ != nullptr) direct_->ForgetInChild();
    offload_->ForgetInChild();
    static_cast<void>(offload_.release());
    return;
  }
  RunnableList done;
  Quiesce(done);
  while (Runnable* ended = done.PopFront()) static_cast<void>(ended);
  // The doorbell's read refers to our memory until the ring is gone, so end it
  // first, too.
  while (doorbell_armed_) {
    Notify();
    Enter(/*block=*/true, MonotonicTime::Infinite());
    ReapAll(done);
  }
}

void UringBackend::Quiesce(RunnableList& done) {
  CancelAll(done);
  // Disk reads and writes cannot be cancelled once started; they end by
  // themselves.
  while (!IsIdle()) {
    ArmDoorbell();
    SubmitCancels();
    if (direct_ != nullptr && direct_->busy()) PollDirect(done);
    // The poll may have ended the last one: nothing would wake a wait.
    if (IsIdle()) break;
    Enter(/*block=*/!MustNotBlock(), cancels_.next());
    ReapAll(done);
    CollectOffloaded(done);
  }
}

bool UringBackend::IsIdle() const {
  return in_flight_.empty() && cancels_.empty() && rearming_.empty() &&
         starved_.empty() && offload_->in_flight() == 0;
}

// --- Submission
// ------------------------------------------------------------------------------

void UringBackend::Submit(OperationList& pending, RunnableList& done) {
  owner_.Check("a uring backend");
  ArmDoorbell();
  SubmitCancels();
  SubmitRearms(done);
  while (Operation* op = pending.front()) {
    if (ring_->unsubmitted() == ring_->submission_entries()) return;
    op->Unlink();
    ++stats_.submitted;
    ++stats_.in_flight;
    StartOne(*op, done);
  }
}

void UringBackend::ArmDoorbell() {
  if (doorbell_armed_) return;
  io_uring_sqe* sqe = ring_->NextEntry();
  if (sqe == nullptr) return;
  io_uring_prep_read(sqe, doorbell_.get(), &doorbell_value_,
                     sizeof(doorbell_value_), 0);
  sqe->user_data = kDoorbell;
  doorbell_armed_ = true;
}

void UringBackend::SubmitCancels() {
  if (!cancels_.empty()) cancels_.Submit(*ring_, clock().Now());
}

void UringBackend::SubmitRearms(RunnableList& done) {
  // As many starved receives as there are buffers: each either takes one or
  // waits armed for data, so each attempt leaves the list, and none is made
  // while there is nothing to take.
  for (uint32_t n = buffers_.available(); n > 0; --n) {
    Operation* op = starved_.PopFront();
    if (op == nullptr) break;
    rearming_.PushBack(*op);
  }
  while (Operation* op = rearming_.front()) {
    if (ring_->unsubmitted() == ring_->submission_entries()) return;
    op->Unlink();
    StartOne(*op, done);
  }
}

// Requires a free entry.
void UringBackend::StartOne(Operation& op, RunnableList& done) {
  if (!IsNative(op.opcode) && !Emulate(op, done)) return;
  if (op.opcode == OpCode::kUringCommand &&
      op.length > ring_->command_bytes()) {
    Finish(op, -EINVAL, done);
    return;
  }
  if (op.opcode == OpCode::kSendFile && !send_file_.Begin(op)) {
    Finish(op, -ENOMEM, done);
    return;
  }
  if (Delivers(op.opcode)) {
    if (const int32_t rc = ReserveForDeliveries(op.opcode); rc < 0) {
      Finish(op, rc, done);
      return;
    }
  }
  if (direct_ == nullptr || !IsDirectTransfer(op) || !direct_->Start(op)) {
    if (op.opcode == OpCode::kClose) registered_.RemoveFd(op.fd);
    io_uring_sqe& sqe = *ring_->NextEntry();
    PrepareOne(op, sqe);
    if (!registered_.empty()) registered_.Apply(op, sqe);
  }
  op.state = OpState::kInFlight;
  op.backend.needs_rearm = false;
  in_flight_.PushBack(op);
}

// What the kernel may deliver before anything can be refused to it. Returns 0
// or -errno.
int32_t UringBackend::ReserveForDeliveries(OpCode opcode) {
  if (!events_.Reserve()) return -ENOMEM;
  return LendsBuffers(opcode) ? buffers_.Ensure(*ring_) : 0;
}

void UringBackend::PrepareOne(Operation& op, io_uring_sqe& sqe) {
  if (op.opcode == OpCode::kSendFile) {
    send_file_.PrepareEntry(op, sqe);
  } else if (op.opcode == OpCode::kWaitPid && !IsNative(op.opcode)) {
    io_uring_prep_poll_add(&sqe, op.fd, POLLIN);
    sqe.user_data = reinterpret_cast<uintptr_t>(&op);
  } else if (kCloseItself && op.opcode == OpCode::kClose) {
    io_uring_prep_nop(&sqe);
    sqe.user_data = reinterpret_cast<uintptr_t>(&op);
  } else {
    PrepareEntry(op, sqe);
  }
}

// For opcodes that the kernel does not have. True if an entry is to be made
// after all.
bool UringBackend::Emulate(Operation& op, RunnableList& done) {
  if (op.opcode == OpCode::kSendFile || op.opcode == OpCode::kWaitPid) {
    return true;
  }
  if (IsZeroCopySend(op.opcode)) {
    op.backend.copies = true;
    return true;
  }
  if (op.opcode == OpCode::kUringCommand) {
    Finish(op, -EOPNOTSUPP, done);
    return false;
  }
  ++stats_.offloaded;
  op.state = OpState::kInFlight;
  offload_->Start(op);
  return false;
}

void UringBackend::CollectOffloaded(RunnableList& done) {
  if (offload_->in_flight() == 0) return;
  OperationList ended;
  offload_->Collect(ended);
  while (Operation* op = ended.PopFront()) Finish(*op, op->result, done);
}

CancelOutcome UringBackend::Cancel(Operation& op, RunnableList& done) {
  owner_.Check("a uring backend");
  const std::optional<CancelOutcome> outcome = BeginCancel(op, stats_, done);
  if (outcome.has_value()) return *outcome;
  if (op.backend.offloaded) {
    if (offload_->Cancel(op)) Finish(op, -ECANCELED, done);
    return CancelOutcome::kRequested;
  }
  op.Unlink();
  if (op.backend.needs_rearm) {  // the kernel does not have it at the moment
    Finish(op, -ECANCELED, done);
  } else {
    cancels_.Add(op);
  }
  return CancelOutcome::kRequested;
}

size_t UringBackend::CancelFd(int fd, RunnableList& done) {
  size_t n = 0;
  for (OperationList* list : {&in_flight_, &rearming_, &starved_}) {
    n += CancelIn(*list, fd, *this, done);
  }
  OperationList not_begun;
  const size_t asked = offload_->CancelUsing(fd, not_begun);
  stats_.cancels += asked;
  n += asked;
  while (Operation* op = not_begun.PopFront()) Finish(*op, -ECANCELED, done);
  return n;
}

size_t UringBackend::CancelAll(RunnableList& done) {
  return CancelFd(kAnyFd, done);
}

BackendStats UringBackend::stats() const {
  BackendStats stats = stats_;
  stats.buffers_copied = buffers_.copied();
  return stats;
}

Support UringBackend::support(OpCode opcode) const {
  if (IsNative(opcode)) return Support::kNative;
  return opcode == OpCode::kUringCommand ? Support::kUnimplemented
                                         : Support::kEmulated;
}

absl::Status UringBackend::RegisterMemory(std::span<std::byte> region) {
  owner_.Check("a uring backend");
  return registered_.AddMemory(region);
}

void UringBackend::ForgetMemory(std::span<std::byte> region) {
  owner_.Check("a uring backend");
  registered_.RemoveMemory(region);
}

absl::Status UringBackend::RegisterFd(int fd) {
  owner_.Check("a uring backend");
  return registered_.AddFd(fd);
}

void UringBackend::ForgetFd(int fd) {
  owner_.Check("a uring backend");
  registered_.RemoveFd(fd);
}

int UringBackend::PollableFd() const {
  RINGWAY_CHECK((ring_->setup_flags() & IORING_SETUP_DEFER_TASKRUN) == 0,
                "PollableFd() needs BackendOptions::pollable");
  return ring_->fd();
}

void UringBackend::Notify() {
  const uint64_t one = 1;
  // It can fail only with the counter at its maximum, and then the loop is
  // being woken anyway.
  [[maybe_unused]] const ssize_t n = write(doorbell_.get(), &one, sizeof(one));
}

void UringBackend::ReturnBuffer(uint16_t buffer_id) {
  owner_.Check("a uring backend");
  buffers_.Return(buffer_id);
}

bool UringBackend::TakeDelivery(DeliveringOperation& op, Delivery& delivery) {
  owner_.Check("a uring backend");
  return events_.Take(op, delivery);
}

void UringBackend::DropDeliveries(DeliveringOperation& op) {
  Delivery delivery;
  while (TakeDelivery(op, delivery)) DisposeOf(op, delivery, *this);
}

// --- Completion
// ------------------------------------------------------------------------------

void UringBackend::Wait(MonotonicTime deadline, RunnableList& done) {
  owner_.Check("a uring backend");
  if (direct_ != nullptr && direct_->busy()) PollDirect(done);
  const bool may_block = !MustNotBlock() && done.empty();
  deadline = std::min(deadline, cancels_.next());
  const bool block =
      may_block && (deadline.is_infinite() || deadline > clock().Now());
  if (block || ring_->unsubmitted() > 0 || ring_->NeedsEnter())
    Enter(block, deadline);
  ReapAll(done);
  CollectOffloaded(done);
}

bool UringBackend::MustNotBlock() const {
  return ring_->HasCompletions() || cancels_.unsubmitted() ||
         (direct_ != nullptr && direct_->busy()) || !rearming_.empty() ||
         !doorbell_armed_ || (!starved_.empty() && buffers_.available() > 0);
}

void UringBackend::Enter(bool block, MonotonicTime deadline) {
  __kernel_timespec timeout;
  const __kernel_timespec* timeout_pointer = nullptr;
  if (block && !deadline.is_infinite()) {  // a timeout costs 60 ns, so only
                                           // where there is one
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
    case EBUSY:   // completions overflowed and must be collected before more
                  // work is taken
    case EAGAIN:  // no memory for a request just now
    case ENOMEM:
      // What was not taken stays in the queue for the next turn. If there is
      // nothing to collect either, give the kernel a moment instead of spinning
      // on its refusal.
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
  direct_->Poll([&](Operation& op, int32_t result) {
    op.Unlink();
    const bool fall_back =
        result == -EOPNOTSUPP &&
        options_.uring.direct_polling == DirectPolling::kAuto;
    if (!fall_back) {
      Finish(op, result, done);
      return;
    }
    ++stats_.direct_polling_refused;
    op.backend.not_polled = true;
    Rearm(op, rearming_, done);
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
  Operation& op =
      *reinterpret_cast<Operation*>(static_cast<uintptr_t>(cqe.user_data));
  if (Delivers(op.opcode)) {
    OnMultishotCompletion(static_cast<DeliveringOperation&>(op), cqe, done);
    return;
  }
  op.Unlink();
  // What waits on one of the kernel's own threads - a splice, a connect to a
  // Unix socket whose queue is full - is cancelled by interrupting that.
  const bool interrupted = op.cancel_requested && IsInterruption(cqe.res);
  const int32_t result = interrupted ? -ECANCELED : cqe.res;
  if (op.opcode == OpCode::kSendFile) {
    OnSendFileStep(op, result, done);
  } else if (op.opcode == OpCode::kWaitPid && !IsNative(op.opcode)) {
    // The process has ended, so this does not block.
    Finish(op, result < 0 ? result : RunSystemCall(op), done);
  } else if (kCloseItself && op.opcode == OpCode::kClose) {
    Finish(op, RunSystemCall(op), done);
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
    // End of stream can come with a buffer that holds nothing.
    buffers_.TakeBack(cqe.flags);
  }
  if (armed) {
    if (op.backend.lost_delivery) EndUnasked(op);
    return;
  }

  op.Unlink();
  const bool starved = cqe.res == -ENOBUFS && LendsBuffers(op.opcode);
  if (op.backend.lost_delivery || (!starved && !delivery)) {
    Finish(op, op.backend.lost_delivery ? -ENOMEM : std::min(cqe.res, 0), done);
    return;
  }
  if (starved && !op.cancel_requested) ++stats_.buffer_starved;
  op.backend.drained =
      delivery && (cqe.flags & IORING_CQE_F_SOCK_NONEMPTY) == 0;
  Rearm(op, starved ? starved_ : rearming_, done);
}

// Two completions: what was sent, then, unless that was all, that the memory is
// no longer referred to.
void UringBackend::OnZeroCopyCompletion(DeliveringOperation& op,
                                        const io_uring_cqe& cqe,
                                        RunnableList& done) {
  const bool sent = (cqe.flags & IORING_CQE_F_NOTIF) == 0;
  if (sent && cqe.res >= 0) Deliver(op, cqe.res, cqe.flags, done);
  if (sent)
    op.result = op.backend.lost_delivery ? -ENOMEM : std::min(cqe.res, 0);
  if ((cqe.flags & IORING_CQE_F_MORE) != 0) return;

  op.Unlink();
  // The memory could not be pinned, which RLIMIT_MEMLOCK limits, or the socket
  // knows only copies, as Unix sockets do.
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

// Goes on with `op`, which is in no list, in the next turn. Or ends it, if that
// was asked for: Cancel() takes a request once, and would not find it here.
void UringBackend::Rearm(Operation& op, OperationList& where,
                         RunnableList& done) {
  if (op.cancel_requested) {
    Finish(op, -ECANCELED, done);
    return;
  }
  // A receive is armed for one delivery at a time: that is none to count.
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
  if ((cqe_flags & IORING_CQE_F_BUFFER) != 0)
    buffers_.Lend(cqe_flags, delivery);
  if (op.backend.lost_delivery || !events_.Reserve()) {
    Lose(op, delivery);
    return;
  }
  events_.Append(op, delivery);
  ++stats_.deliveries;
  if (!op.notice.linked()) done.PushBack(op.notice);
}

// There is no memory for `event`, or was none for one before it: after a gap
// nothing more is delivered, and `op` ends with -ENOMEM.
void UringBackend::Lose(DeliveringOperation& op, const Delivery& delivery) {
  op.backend.lost_delivery = true;
  ++stats_.deliveries_lost;
  DisposeOf(op, delivery, *this);
}

// Asks the kernel to end `op`, which is armed, unless that was done before.
void UringBackend::EndUnasked(Operation& op) {
  if (op.cancel_requested) return;
  op.cancel_requested = true;
  op.Unlink();
  cancels_.Add(op);
}

// Requires that `op` is in no list.
void UringBackend::Finish(Operation& op, int32_t result, RunnableList& done) {
  if (op.opcode == OpCode::kSendFile) send_file_.End(op);
  op.result = result;
  op.state = OpState::kDone;
  op.backend.needs_rearm = false;
  ++stats_.completed;
  --stats_.in_flight;
  Runnable& end = EndOf(op);
  if (!end.linked()) done.PushBack(end);
}

}  // namespace ringway::uring
