// SPDX-License-Identifier: Apache-2.0
//
// UringBackend: creation, destruction and submission. Completion is in
// uring_completion.cc.

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
#include "ringway/backends/common/cancel_in.h"
#include "ringway/backends/common/file_position.h"
#include "ringway/backends/common/kernel_sockets.h"
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

// How long an ending backend waits for the memory of zero-copy sends. A peer
// that reads nothing can keep it in use for as long as it likes.
constexpr absl::Duration kReleasePatience = absl::Seconds(1);

BackendInfo InfoOf(const BackendOptions& options, const KernelRing& ring) {
  BackendInfo info;
  info.name = "uring";
  info.description = absl::StrCat("uring (", ring.FlagNames(), ", sq ",
                                  ring.submission_entries(), ", cq ",
                                  ring.completion_entries(), ")");
  const uint64_t native = NativeOperations(ring);
  for (size_t i = 0; i < kOpCodeCount; ++i) {
    info.support[i] =
        (native >> i & 1) != 0 ? Support::kNative : Support::kEmulated;
  }
  Support& command = info.support[static_cast<size_t>(OpCode::kUringCommand)];
  if (command == Support::kEmulated) command = Support::kUnimplemented;
  if (command == Support::kNative) info.command_bytes = ring.command_bytes();
  info.polls_direct_io = options.uring.direct_polling != DirectPolling::kOff;
  info.clock = &Clock::Real();
  info.sockets = &BlockingSockets();
  info.can_peek = ring.ShowsCompletions();
  return info;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> UringBackend::Create(
    const BackendOptions& options) {
  if (absl::Status s = CheckBackendOptions(options); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<KernelRing>> ring =
      KernelRing::Create(RingConfig(options));
  if (!ring.ok()) return ring.status();
  if (absl::Status s = CheckMultishotReceive(**ring); !s.ok()) return s;
  const bool may_share_buffers =
      options.share_receive_buffers && SharedBuffersWork(**ring);
  UniqueFd doorbell(eventfd(0, EFD_CLOEXEC));
  if (!doorbell.valid())
    return ErrnoToStatus(errno, "eventfd for waking a loop");
  std::unique_ptr<UringBackend> backend(new UringBackend(
      options, *std::move(ring), may_share_buffers, std::move(doorbell)));
  if (options.uring.direct_polling == DirectPolling::kRequired) {
    if (absl::Status s = backend->direct_.Make(); !s.ok()) return s;
  }
  if (absl::Status s =
          backend->registered_.ReserveFiles(options.uring.registered_files);
      !s.ok()) {
    return s;
  }
  return backend;
}

UringBackend::UringBackend(const BackendOptions& options,
                           std::unique_ptr<KernelRing> ring,
                           bool may_share_buffers, UniqueFd doorbell)
    : Backend(InfoOf(options, *ring)),
      options_(options),
      doorbell_(std::move(doorbell)),
      offload_(std::make_unique<OffloadPool>(options.offload_threads,
                                             doorbell_.get())),
      buffers_(options, may_share_buffers),
      ring_(std::move(ring)),
      direct_(PolledRingConfig(options), options.uring.direct_polling),
      registered_(*ring_),
      cancels_(kCancel) {}

UringBackend::~UringBackend() {
  if (owner_.forked()) {
    // The queues are not mapped in this process, and operations in flight
    // belong to the parent.
    for (OperationList* list : Lists()) {
      while (Operation* op = list->PopFront()) op->state = OpState::kDone;
    }
    cancels_.ForgetInChild();
    ring_->ForgetInChild();
    direct_.ForgetInChild();
    offload_->ForgetInChild();
    static_cast<void>(offload_.release());
    return;
  }
  RunnableList done;
  Quiesce(done);
  while (Runnable* ended = done.PopFront()) static_cast<void>(ended);
  // The doorbell's read refers to memory of this object, so it must end first
  // too.
  while (doorbell_armed_) {
    Notify();
    Enter(/*block=*/true, MonotonicTime::Infinite());
    ReapAll(done);
  }
}

void UringBackend::Quiesce(RunnableList& done) {
  CancelAll(done);
  const MonotonicTime patience = clock().Now() + kReleasePatience;
  // Disk reads and writes that have started cannot be cancelled; they end by
  // themselves.
  while (!IsIdle()) {
    ArmDoorbell();
    SubmitCancels();
    if (direct_.busy()) PollDirect(done);
    // The poll may have ended the last one; nothing would then end a wait.
    if (IsIdle()) break;
    MonotonicTime until = cancels_.next();
    if (OnlyMemoryInUse()) {
      if (clock().Now() >= patience) return ForsakeMemory(done);
      until = std::min(until, patience);
    }
    Enter(/*block=*/!MustNotBlock(), until);
    ReapAll(done);
    CollectOffloaded(done);
  }
}

bool UringBackend::OnlyMemoryInUse() {
  if (!cancels_.empty() || !rearming_.empty() || !starved_[0].empty() ||
      !starved_[1].empty() || offload_->in_flight() > 0) {
    return false;
  }
  for (Operation* op = in_flight_.front(); op != nullptr;
       op = in_flight_.Next(*op)) {
    if (!op->backend.pinned) return false;
  }
  return true;
}

// Their ends, should they come, are nobody's: see OnCompletion().
void UringBackend::ForsakeMemory(RunnableList& done) {
  forsaken_ = true;
  while (Operation* op = in_flight_.PopFront()) {
    ++stats_.zero_copy_forsaken;
    Finish(*op, -EBUSY, done);
  }
}

bool UringBackend::IsIdle() const {
  return in_flight_.empty() && cancels_.empty() && rearming_.empty() &&
         starved_[0].empty() && starved_[1].empty() &&
         offload_->in_flight() == 0;
}

// --- Submission and cancellation

void UringBackend::Submit(OperationList& pending, RunnableList& done) {
  owner_.Check("a uring backend");
  ArmDoorbell();
  SubmitCancels();
  SubmitRearms(done);
  while (Operation* op = pending.front()) {
    if (ring_->unsubmitted() == ring_->submission_entries()) return;
    op->Unlink();
    completions_.Begin(*op);
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
  // Resume as many starved receives as there are buffers: each either takes
  // one or waits armed for data. So each attempt leaves the list, and there
  // are no attempts without buffers.
  for (const BufferGroup group :
       {BufferGroup::kStreams, BufferGroup::kDatagrams}) {
    for (uint32_t n = buffers_.available(group); n > 0; --n) {
      Operation* op = starved_[static_cast<size_t>(group)].PopFront();
      if (op == nullptr) break;
      rearming_.PushBack(*op);
    }
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
  if (op.opcode == OpCode::kUringCommand && op.length > info().command_bytes) {
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
  if (IsAtPosition(op)) {
    ++stats_.system_calls;
    NotePosition(op);
  }
  const DirectRing::Start start = direct_.TryToStart(op);
  if (start == DirectRing::Start::kRefused) {
    Finish(op, -EOPNOTSUPP, done);
    return;
  }
  if (start == DirectRing::Start::kNotHere) {
    if (op.opcode == OpCode::kClose) registered_.ForgetFd(op.fd);
    if (op.opcode == OpCode::kRecvMultishot) WatchForEnd(op);
    io_uring_sqe& sqe = *ring_->NextEntry();
    PrepareOne(op, sqe);
    if (!registered_.empty()) registered_.Apply(op, sqe);
  }
  op.backend.needs_rearm = false;
  in_flight_.PushBack(op);
}

// Reserves memory for deliveries that the kernel may make before an operation
// can be stopped. Returns 0 or -errno.
int32_t UringBackend::ReserveForDeliveries(OpCode opcode) {
  if (!completions_.Reserve()) return -ENOMEM;
  return LendsBuffers(opcode) ? buffers_.Ensure(*ring_, opcode) : 0;
}

// Before the next arming of a receive: lets it stay armed if that pays, and
// what it has delivered is being taken. (Memory for a delivery is reserved for
// each arming.)
void UringBackend::WatchForEnd(Operation& op) {
  if (static_cast<DeliveringOperation&>(op).delivery_count > 0) return;
  if (op.backend.end_watch != EndWatch::kNone || op.backend.own_buffer != 0 ||
      op.backend.small_deliveries != kDeliveriesBeforeStaying) {
    return;
  }
  // The receive needs an entry, too.
  if (ring_->unsubmitted() + 2 > ring_->submission_entries()) return;
  io_uring_sqe& sqe = *ring_->NextEntry();
  io_uring_prep_poll_add(&sqe, op.fd, POLLRDHUP | POLLHUP | POLLERR);
  sqe.user_data = reinterpret_cast<uintptr_t>(&op) + kEndWatchTag;
  op.backend.end_watch = EndWatch::kArmed;
}

void UringBackend::PrepareOne(Operation& op, io_uring_sqe& sqe) {
  if (op.opcode == OpCode::kSendFile) {
    send_file_.PrepareEntry(op, sqe);
  } else if (op.opcode == OpCode::kWaitPid && !IsNative(op.opcode)) {
    io_uring_prep_poll_add(&sqe, op.fd, POLLIN);
    sqe.user_data = reinterpret_cast<uintptr_t>(&op);
  } else if (CallsItself(op.opcode)) {
    io_uring_prep_nop(&sqe);
    sqe.user_data = reinterpret_cast<uintptr_t>(&op);
  } else {
    PrepareEntry(op, sqe);
  }
}

// For opcodes that the kernel does not support. True if an entry is needed
// anyway.
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
  const std::optional<CancelOutcome> outcome =
      completions_.BeginCancel(op, done);
  if (outcome.has_value()) return *outcome;
  if (op.backend.offloaded) {
    if (offload_->Cancel(op)) Finish(op, -ECANCELED, done);
    return CancelOutcome::kRequested;
  }
  if (op.backend.pinned) return CancelOutcome::kRequested;
  op.Unlink();
  if (op.backend.needs_rearm) {  // the kernel currently does not have it
    Finish(op, -ECANCELED, done);
  } else {
    cancels_.Add(op);
  }
  return CancelOutcome::kRequested;
}

size_t UringBackend::CancelFd(int fd, RunnableList& done) {
  size_t n = 0;
  for (OperationList* list : Lists()) {
    n += CancelIn(*list, fd, *this, done);
  }
  OperationList not_begun;
  const size_t asked = offload_->CancelUsing(fd, not_begun);
  stats_.cancels += asked;
  n += asked;
  while (Operation* op = not_begun.PopFront()) Finish(*op, -ECANCELED, done);
  return n;
}

// The kernel would copy it on this thread, too, while it takes the entry, and
// together with the others of the turn.
int32_t UringBackend::ReadCached(const Operation& op) {
  constexpr uint32_t kMost = 1 << 20;
  return ringway::ReadCached(op, kMost);
}

BackendStats UringBackend::stats() const {
  BackendStats stats = stats_;
  stats.buffers_copied = buffers_.copied();
  stats.direct_polling_refused = direct_.refused();
  stats.receive_memory = buffers_.memory();
  return stats;
}

int UringBackend::PollableFd() const {
  RINGWAY_CHECK((ring_->setup_flags() & IORING_SETUP_DEFER_TASKRUN) == 0,
                "PollableFd() needs BackendOptions::pollable");
  return ring_->fd();
}

void UringBackend::Notify() {
  const uint64_t one = 1;
  // It fails only if the counter is at its maximum, and then the loop is
  // being woken anyway.
  [[maybe_unused]] const ssize_t n = write(doorbell_.get(), &one, sizeof(one));
}

void UringBackend::ReturnBuffer(uint32_t buffer_id) {
  owner_.Check("a uring backend");
  buffers_.Return(buffer_id);
}

bool UringBackend::TakeDelivery(DeliveringOperation& op, Delivery& delivery) {
  owner_.Check("a uring backend");
  if (!completions_.Take(op, delivery)) return false;
  // It may have waited for this, with no buffer left (OnStarved()).
  if (op.delivery_count == 0 && op.backend.needs_rearm && op.linked() &&
      buffers_.GivesOwn(op)) {
    op.Unlink();
    rearming_.PushBack(op);
  }
  return true;
}

}  // namespace ringway::uring
