// SPDX-License-Identifier: Apache-2.0
//
// EpollBackend: creation, destruction and submission. Completion is in
// epoll_completion.cc.

#include "ringway/backends/epoll/epoll_backend.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/backends/common/cancel_in.h"
#include "ringway/backends/common/kernel_sockets.h"
#include "ringway/backends/epoll/socket_transfer.h"
#include "ringway/core/errno_status.h"

namespace ringway::epoll {
namespace {

// The most that one fd may deliver or end per turn before others are served.
constexpr int kDeliveriesPerTurn = 16;

// The first interval between attempts of operations without an event.
constexpr absl::Duration kShortestPause = absl::Milliseconds(1);

// Accepts set the mode once; single calls set it before each call.
bool MakesNonBlocking(OpCode opcode) {
  return opcode == OpCode::kAccept || opcode == OpCode::kAcceptMultishot;
}

// True if an operation must wait behind others.
bool HasWaiting(const FdEntry& entry, Queue queue) {
  if (queue == Queue::kReaders) return entry.has_readers();
  return queue == Queue::kWriters && entry.has_writers();
}

OperationList& QueueIn(FdEntry& entry, Queue queue) {
  if (queue == Queue::kReaders) return entry.readers.operations;
  SeldomQueues& seldom = *entry.seldom;
  return queue == Queue::kWriters ? seldom.writers.operations : seldom.pollers;
}

BackendInfo InfoOf(const BackendOptions& options, const EpollSet& set) {
  BackendInfo info;
  info.name = "epoll";
  info.description = absl::StrCat("epoll (", set.method_name(), ", up to ",
                                  options.offload_threads, " offload threads)");
  for (size_t i = 0; i < kOpCodeCount; ++i)
    info.support[i] = TraitsOf(static_cast<OpCode>(i)).by_readiness;
  info.clock = &Clock::Real();
  info.sockets = &NonBlockingSockets();
  return info;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> EpollBackend::Create(
    const BackendOptions& options, WaitMethod wait_method) {
  if (absl::Status s = CheckBackendOptions(options); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<EpollSet>> set = EpollSet::Create(wait_method);
  if (!set.ok()) return set.status();
  UniqueFd doorbell(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!doorbell.valid()) {
    return ErrnoToStatus(errno, "eventfd for waking a loop");
  }
  // Edge-triggered: each write wakes once, without a read.
  const int rc = (*set)->Control(EPOLL_CTL_ADD, doorbell.get(),
                                 EPOLLIN | EPOLLET, kDoorbell);
  if (rc < 0) return ErrnoToStatus(-rc, "epoll_ctl for waking a loop");
  return std::unique_ptr<Backend>(
      new EpollBackend(options, *std::move(set), std::move(doorbell)));
}

EpollBackend::EpollBackend(const BackendOptions& options,
                           std::unique_ptr<EpollSet> set, UniqueFd doorbell)
    : Backend(InfoOf(options, *set)),
      options_(options),
      watcher_(std::move(set), stats_.system_calls),
      doorbell_(std::move(doorbell)),
      pool_(std::make_unique<OffloadPool>(options.offload_threads,
                                          doorbell_.get())) {}

EpollBackend::~EpollBackend() {
  if (owner_.forked()) {
    ForgetInChild();
  } else {
    RunnableList done;
    Quiesce(done);
    while (Runnable* ended = done.PopFront()) static_cast<void>(ended);
  }
  for (IntrusiveList<WaitQueue>* list : {&unfinished_, &starved_}) {
    while (WaitQueue* queue = list->PopFront()) static_cast<void>(queue);
  }
}

// Operations in flight belong to the parent.
void EpollBackend::ForgetInChild() {
  const auto forget = [](OperationList& list) {
    while (Operation* op = list.PopFront()) op->state = OpState::kDone;
  };
  watcher_.table().ForEach([&](FdEntry& entry) { entry.ForEachList(forget); });
  for (OperationList* list : {&retrying_, &cancelled_, &stranded_}) {
    forget(*list);
  }
  pool_.release()->ForgetInChild();
}

void EpollBackend::Quiesce(RunnableList& done) {
  CancelAll(done);
  // End them now: a multishot with pending deliveries is already in a list,
  // and a turn without new completions would block.
  EndCancelled(done);
  // Operations that a thread has begun end by themselves.
  while (stats_.in_flight > 0) {
    RunnableList ended;
    Turn(MonotonicTime::Infinite(), ended);
    done.Append(ended);
  }
}

RegistrationReport EpollBackend::CompareRegistrations() {
  return epoll::CompareRegistrations(watcher_.table(), PollableFd());
}

// --- Starting

void EpollBackend::Submit(OperationList& pending, RunnableList& done) {
  owner_.Check("an epoll backend");
  const uint64_t before = stats_.completed + stats_.deliveries;
  for (uint32_t n = 0; n < options_.submission_entries; ++n) {
    Operation* op = pending.PopFront();
    if (op == nullptr) break;
    completions_.Begin(*op);
    Start(*op, done);
  }
  if (stats_.completed + stats_.deliveries > before) completed_inline_ = true;
}

void EpollBackend::Start(Operation& op, RunnableList& done) {
  if (op.opcode == OpCode::kSend) {
    StartSend(op, done);
    return;
  }
  if (IsTwoSided(op.opcode)) ++two_sided_;
  if (MakesNonBlocking(op.opcode)) {
    ++stats_.system_calls;
    MakeNonBlocking(op.fd);
  }
  if (op.opcode == OpCode::kClose) watcher_.BeforeClose(op.fd, stranded_);
  if (op.opcode == OpCode::kPollMultishot) {
    StartPollMultishot(static_cast<DeliveringOperation&>(op), done);
    return;
  }
  const Queue kind = QueueOf(op.opcode);
  FdEntry* entry = watcher_.table().Find(op.fd);
  if (entry != nullptr && HasWaiting(*entry, kind)) {
    QueueIn(*entry, kind).PushBack(op);
    return;
  }
  Advance(op, done);
}

// The short way of what a server starts most, and what mostly ends at once.
void EpollBackend::StartSend(Operation& op, RunnableList& done) {
  FdEntry* entry = watcher_.table().Find(op.fd);
  if (entry != nullptr && entry->has_writers()) {
    entry->seldom->writers.operations.PushBack(op);
    return;
  }
  ++stats_.system_calls;
  const int32_t result = StepTransfer(op);
  if (result >= 0) {
    completions_.Finish(op, result, done);
  } else {
    Follow(op, AfterSend(op, result), done);
  }
}

// Requires that `op` is in no list, or the first of its queue.
bool EpollBackend::Advance(Operation& op, RunnableList& done) {
  if (LendsBuffers(op.opcode))
    return AdvanceReceive(static_cast<DeliveringOperation&>(op), done);
  if (op.opcode == OpCode::kAcceptMultishot)
    return AdvanceAccept(static_cast<DeliveringOperation&>(op), done);
  if (IsDrained(op)) return Park(op, op.fd, Queue::kReaders, done);
  ++stats_.system_calls;
  const Attempt attempt = Try(op);
  if (op.opcode == OpCode::kRecv && attempt.result > 0) {
    NoteReceived(op, static_cast<size_t>(attempt.result), op.length);
  }
  return Follow(op, attempt, done);
}

bool EpollBackend::AdvanceAccept(DeliveringOperation& op, RunnableList& done) {
  for (int n = 0; n < kDeliveriesPerTurn; ++n) {
    // Before anything is accepted, so that nothing is lost.
    if (!completions_.Reserve()) return EndWithoutMemory(op, done);
    ++stats_.system_calls;
    const Attempt attempt = Try(op);
    if (attempt.next != Next::kDone || attempt.result < 0)
      return Follow(op, attempt, done);
    watcher_.Forget(attempt.result, stranded_);
    completions_.Deliver(op, {.result = attempt.result}, done);
  }
  return PutAside(op, unfinished_, done);
}

bool EpollBackend::AdvanceReceive(DeliveringOperation& op, RunnableList& done) {
  if (!EnsureBuffers()) return EndWithoutMemory(op, done);
  const bool datagrams = op.opcode == OpCode::kRecvMsgMultishot;
  for (int n = 0; n < kDeliveriesPerTurn; ++n) {
    if (IsDrained(op)) return Park(op, op.fd, Queue::kReaders, done);
    // Before anything is received, so that nothing is lost.
    if (!completions_.Reserve()) return EndWithoutMemory(op, done);
    ReceiveBuffer buffer = buffers_->Take(ReceiveBytesNeeded(op.opcode));
    if (buffer.bytes.empty()) {
      if (!MayHaveOwnMemory(op)) return Starve(op, done);
      buffer = buffers_->TakeOwn(ReceiveOwnBytes(options_, op.opcode));
      if (buffer.bytes.empty()) return EndWithoutMemory(op, done);
    }
    ++stats_.system_calls;
    const int32_t result = datagrams ? ReceiveDatagram(op, buffer.bytes)
                                     : ReceiveBytes(op, buffer.bytes);
    if (result <= 0) {  // 0: the end of the stream
      buffers_->Discard(buffer);
      return Follow(op, AfterReceive(op, result), done);
    }
    const size_t n_bytes = static_cast<size_t>(result);
    NoteReceived(op, n_bytes, buffer.bytes.size());
    const ReceiveBuffer delivered = buffers_->Deliver(buffer, n_bytes);
    if (delivered.copied) ++stats_.buffers_copied;
    if (buffer.own()) ++stats_.own_memory;
    completions_.Deliver(op,
                         {.result = result,
                          .buffer_id = delivered.id,
                          .data = delivered.bytes.data()},
                         done);
  }
  return PutAside(op, unfinished_, done);
}

bool EpollBackend::EndWithoutMemory(Operation& op, RunnableList& done) {
  return Follow(op, {.next = Next::kDone, .result = -ENOMEM}, done);
}

bool EpollBackend::Follow(Operation& op, const Attempt& attempt,
                          RunnableList& done) {
  switch (attempt.next) {
    case Next::kReadable:
      return Park(
          op, attempt.fd,
          op.opcode == OpCode::kPoll ? Queue::kPollers : Queue::kReaders, done);
    case Next::kWritable:
      return Park(op, attempt.fd, Queue::kWriters, done);
    case Next::kMore:
      return PutAside(op, unfinished_, done);
    case Next::kDone:
    case Next::kSoon:
    case Next::kOffload:
      break;
  }
  if (op.linked()) op.Unlink();
  if (attempt.next == Next::kDone) {
    Complete(op, attempt.result, done);
  } else if (attempt.next == Next::kSoon) {
    retrying_.PushBack(op);
    retry_pause_ = kShortestPause;
  } else {
    Offload(op);
  }
  return true;
}

// Makes `op` wait in a queue of `fd`, in which it may be already.
bool EpollBackend::Park(Operation& op, int fd, Queue queue,
                        RunnableList& done) {
  // A splice may have waited for its other fd.
  const bool moves = op.linked() && op.opcode == OpCode::kSplice;
  if (op.linked() && !moves) return false;  // it is watched since it waits
  if (moves) op.Unlink();
  const int rc = Enqueue(op, fd, queue);
  if (rc == 0) return moves;
  // Not pollable: a disk file, or a device that never becomes ready.
  if (rc == -EPERM && queue == Queue::kPollers) return false;
  if (op.linked()) op.Unlink();
  if (rc == -EPERM) {
    Offload(op);
  } else {
    Complete(op, rc, done);
  }
  return true;
}

// Puts `op` into a queue of `fd`, unless it is there already, and makes sure
// that the fd is watched. Returns 0 or -errno.
int EpollBackend::Enqueue(Operation& op, int fd, Queue queue) {
  if (fd < 0) return -EBADF;
  FdEntry* entry = watcher_.table().Get(fd);
  if (entry == nullptr) return -ENOMEM;
  if (queue != Queue::kReaders && !entry->MakeSeldom()) return -ENOMEM;
  const bool held = !entry->idle();
  if (!op.linked()) QueueIn(*entry, queue).PushBack(op);
  // It may have become ready since a thread tried it.
  return IsTwoSided(op.opcode) ? watcher_.WatchAnew(*entry)
                               : watcher_.Watch(*entry, held);
}

// Makes `op` wait as Park() does, but also puts its queue into `list`, to be
// retried without an event.
bool EpollBackend::PutAside(Operation& op, IntrusiveList<WaitQueue>& list,
                            RunnableList& done) {
  const Queue kind = QueueOf(op.opcode);
  if (const int rc = Enqueue(op, op.fd, kind); rc < 0) {
    if (op.linked()) op.Unlink();
    Complete(op, rc, done);
    return true;
  }
  FdEntry& entry = *watcher_.table().Find(op.fd);
  WaitQueue& queue =
      kind == Queue::kReaders ? entry.readers : entry.seldom->writers;
  // It may still be in a list, empty after a cancel.
  if (queue.put_aside()) queue.Unlink();
  list.PushBack(queue);
  return false;
}

void EpollBackend::Offload(Operation& op) {
  ++stats_.offloaded;
  pool_->Start(op);
}

// The registration reports events that are ready already.
void EpollBackend::StartPollMultishot(DeliveringOperation& op,
                                      RunnableList& done) {
  FdEntry* entry = op.fd < 0 ? nullptr : watcher_.table().Get(op.fd);
  if (entry == nullptr || !entry->MakeSeldom()) {
    Finish(op, op.fd < 0 ? -EBADF : -ENOMEM, done);
    return;
  }
  entry->seldom->pollers.PushBack(op);
  const int rc = watcher_.WatchAnew(*entry);
  if (rc < 0 && rc != -EPERM) {
    op.Unlink();
    Finish(op, rc, done);
    return;
  }
  // A disk file is always ready, and that never changes.
  if (rc == -EPERM) DeliverPolls(*entry, EPOLLIN | EPOLLOUT, done);
}

// True if `op` need not be tried. Peeks and similar receives neither use nor
// update this state.
bool EpollBackend::IsDrained(const Operation& op) {
  return (op.opcode == OpCode::kRecv || op.opcode == OpCode::kRecvMultishot) &&
         op.flags == 0 && watcher_.IsDrained(op.fd);
}

void EpollBackend::NoteReceived(const Operation& op, size_t n_bytes,
                                size_t size) {
  if (n_bytes < size && op.flags == 0) watcher_.OnShortReceive(op.fd);
}

void EpollBackend::TryInOrder(WaitQueue& queue, RunnableList& done) {
  OperationList& operations = queue.operations;
  for (int n = 0; n < kDeliveriesPerTurn; ++n) {
    Operation* op = operations.front();
    if (op == nullptr) return;
    const bool left = Advance(*op, done);
    if (!left || operations.back() == op) return;  // a splice goes to the end
  }
  if (!operations.empty()) unfinished_.PushBack(queue);
}

// --- Cancelling

CancelOutcome EpollBackend::Cancel(Operation& op, RunnableList& done) {
  owner_.Check("an epoll backend");
  const std::optional<CancelOutcome> outcome =
      completions_.BeginCancel(op, done);
  if (outcome.has_value()) return *outcome;
  if (op.backend.offloaded && !pool_->Cancel(op))
    return CancelOutcome::kRequested;
  if (op.linked()) op.Unlink();
  cancelled_.PushBack(op);
  if (op.backend.needs_rearm) PassOverStarved(op);
  return CancelOutcome::kRequested;
}

size_t EpollBackend::CancelFd(int fd, RunnableList& done) {
  size_t n = 0;
  const auto cancel_in = [&](FdEntry& entry) {
    entry.ForEachList(
        [&](OperationList& list) { n += CancelIn(list, fd, *this, done); });
  };
  if (fd == kAnyFd || two_sided_ > 0) {
    watcher_.table().ForEach(
        cancel_in);  // an operation may wait for its other fd
  } else if (FdEntry* entry = watcher_.table().Find(fd)) {
    cancel_in(*entry);
  }
  for (OperationList* list : {&retrying_, &stranded_}) {
    n += CancelIn(*list, fd, *this, done);
  }
  const size_t offloaded = pool_->CancelUsing(fd, cancelled_);
  stats_.cancels += offloaded;
  n += offloaded;
  return n;
}

void EpollBackend::EndCancelled(RunnableList& done) {
  while (Operation* op = cancelled_.PopFront()) {
    Complete(*op, ResultIfCancelled(*op), done);
  }
}

void EpollBackend::EndRefused(RunnableList& done) {
  while (Operation* op = watcher_.refused().PopFront()) {
    Complete(*op, op->result, done);
  }
}

}  // namespace ringway::epoll
