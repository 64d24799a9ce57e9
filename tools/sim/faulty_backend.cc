// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/faulty_backend.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ringway::simulation {
namespace {

bool IsReceive(OpCode opcode) {
  return opcode == OpCode::kRecv || opcode == OpCode::kRecvMultishot;
}

bool IsSend(OpCode opcode) {
  return opcode == OpCode::kSend || opcode == OpCode::kSendMsg;
}

}  // namespace

BackendInfo FaultyBackend::InfoOf(const Backend& inner, const Clock& clock) {
  BackendInfo info = inner.info();
  info.clock = &clock;
  return info;
}

FaultyBackend::FaultyBackend(std::unique_ptr<Backend> inner, BackendFault fault,
                             Group& group)
    : Backend(InfoOf(*inner, clock_)),
      inner_(std::move(inner)),
      fault_(fault),
      group_(group),
      clock_(inner_->clock()) {
  group_.push_back(this);
}

FaultyBackend::~FaultyBackend() {
  std::erase(group_, this);
  RunnableList done;
  Quiesce(done);
  while (Runnable* entry = done.PopFront()) static_cast<void>(entry);
}

FaultyBackend::InFlight* FaultyBackend::Find(const Runnable& entry) {
  for (InFlight& operation : in_flight_) {
    if (&EndOf(*operation.op) == &entry) return &operation;
  }
  return nullptr;
}

void FaultyBackend::RemoveEnded() {
  std::erase_if(in_flight_, [](const InFlight& operation) {
    return !operation.op->active();
  });
}

void FaultyBackend::Submit(OperationList& pending, RunnableList& done) {
  if (blocked_in_ != nullptr) return;
  const size_t before = in_flight_.size();
  for (Operation* op = pending.front(); op != nullptr; op = pending.Next(*op))
    in_flight_.push_back({op});
  inner_->Submit(pending, done);
  const Operation* const first_left = pending.front();
  const auto left =
      std::find_if(in_flight_.begin() + static_cast<ptrdiff_t>(before),
                   in_flight_.end(), [first_left](const InFlight& started) {
                     return started.op == first_left;
                   });
  in_flight_.erase(left, in_flight_.end());
}

void FaultyBackend::Wait(MonotonicTime deadline, RunnableList& done) {
  if (blocked_in_ != nullptr) return StandStill(done);
  RunnableList news;
  inner_->Wait(deadline, news);
  switch (fault_) {
    case BackendFault::kForgottenWrite:
      ForgetWrites(news);
      break;
    case BackendFault::kBlockingAccept:
      BlockOthers(news);
      break;
    case BackendFault::kLostEnd:
      LoseEnds();
      break;
  }
  RemoveEnded();
  done.Append(news);
}

// --- A write that is forgotten

void FaultyBackend::ForgetWrites(RunnableList& news) {
  using Phase = InFlight::Phase;
  std::vector<int> read_from;
  for (Runnable* entry = news.front(); entry != nullptr;) {
    Runnable* const next = news.Next(*entry);
    InFlight* const operation = Find(*entry);
    if (operation != nullptr && operation->phase == Phase::kForgotten) {
      entry->Unlink();
      operation->op->state = OpState::kInFlight;
      operation->phase = Phase::kSwallowed;
    } else if (operation != nullptr && IsReceive(operation->op->opcode)) {
      read_from.push_back(operation->op->fd);
    }
    entry = next;
  }
  RemoveEnded();
  for (InFlight& operation : in_flight_) {
    if (operation.phase == Phase::kStarted) {
      operation.phase = Phase::kWaits;
    } else if (operation.phase == Phase::kWaits &&
               IsSend(operation.op->opcode) &&
               std::count(read_from.begin(), read_from.end(),
                          operation.op->fd) > 0) {
      operation.phase = Phase::kForgotten;
    }
  }
}

void FaultyBackend::EndSwallowed(Operation& op, RunnableList& done) {
  op.cancel_requested = true;
  op.result = -ECANCELED;
  op.state = OpState::kDone;
  done.PushBack(EndOf(op));
}

size_t FaultyBackend::CancelSwallowed(int fd, RunnableList& done) {
  size_t n = 0;
  for (const InFlight& operation : in_flight_) {
    if (operation.phase != InFlight::Phase::kSwallowed ||
        (fd != kAnyFd && !UsesFd(*operation.op, fd)))
      continue;
    EndSwallowed(*operation.op, done);
    ++n;
  }
  RemoveEnded();
  return n;
}

// --- An accept that does not return

sockaddr_storage FaultyBackend::NameOf(int listener) const {
  sockaddr_storage name = {};
  socklen_t length = sizeof(name);
  sockets().LocalName(listener, name, length);
  return name;
}

void FaultyBackend::BlockOthers(RunnableList& news) {
  for (Runnable* entry = news.front(); entry != nullptr;
       entry = news.Next(*entry)) {
    const InFlight* const operation = Find(*entry);
    if (operation == nullptr ||
        operation->op->opcode != OpCode::kAcceptMultishot ||
        static_cast<DeliveringOperation*>(operation->op)->delivery_count == 0)
      continue;
    const sockaddr_storage name = NameOf(operation->op->fd);
    for (FaultyBackend* other : group_) {
      if (other != this) other->BlockIn(name);
    }
  }
}

void FaultyBackend::BlockIn(const sockaddr_storage& listener) {
  for (const InFlight& operation : in_flight_) {
    const Operation& op = *operation.op;
    if (blocked_in_ != nullptr || op.opcode != OpCode::kAcceptMultishot ||
        op.cancel_requested)
      continue;
    const sockaddr_storage name = NameOf(op.fd);
    if (memcmp(&name, &listener, sizeof(name)) != 0) continue;
    blocked_in_ = static_cast<DeliveringOperation*>(operation.op);
    accepted_before_ = blocked_in_->delivery_count;
    clock_.Stop();
  }
}

void FaultyBackend::StandStill(RunnableList& done) {
  inner_->Wait(MonotonicTime::Infinite(), unseen_);
  if (blocked_in_->delivery_count == accepted_before_) return;
  blocked_in_ = nullptr;
  clock_.GoOn();
  BlockOthers(unseen_);
  RemoveEnded();
  done.Append(unseen_);
}

// --- An end that is lost

void FaultyBackend::LoseEnds() {
  for (const InFlight& operation : in_flight_) {
    Operation& op = *operation.op;
    if (op.active() || op.opcode != OpCode::kRecvMultishot ||
        !op.cancel_requested)
      continue;
    DropDeliveries(static_cast<DeliveringOperation&>(op));
  }
}

// --- Cancelling

CancelOutcome FaultyBackend::Cancel(Operation& op, RunnableList& done) {
  for (InFlight& operation : in_flight_) {
    if (operation.op != &op) continue;
    if (operation.phase == InFlight::Phase::kSwallowed) {
      EndSwallowed(op, done);
      RemoveEnded();
      return CancelOutcome::kRequested;
    }
    // A cancel finds it in the kernel.
    if (operation.phase == InFlight::Phase::kForgotten)
      operation.phase = InFlight::Phase::kWaits;
  }
  return inner_->Cancel(op, done);
}

size_t FaultyBackend::CancelFd(int fd, RunnableList& done) {
  return CancelSwallowed(fd, done) + inner_->CancelFd(fd, done);
}

void FaultyBackend::Quiesce(RunnableList& done) {
  blocked_in_ = nullptr;
  done.Append(unseen_);
  CancelSwallowed(kAnyFd, done);
  inner_->Quiesce(done);
  RemoveEnded();
}

}  // namespace ringway::simulation
