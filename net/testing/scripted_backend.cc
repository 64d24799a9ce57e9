// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/testing/scripted_backend.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "ringway/backends/common/kernel_sockets.h"
#include "ringway/core/check.h"

namespace ringway::net::testing {

namespace {

BackendInfo InfoOf(const Clock& clock) {
  BackendInfo info;
  info.name = "scripted";
  info.description = "scripted";
  info.support.fill(Support::kNative);
  info.clock = &clock;
  info.sockets = &BlockingSockets();
  return info;
}

}  // namespace

ScriptedBackend::ScriptedBackend() : Backend(InfoOf(clock_)) {}

ScriptedBackend::~ScriptedBackend() {
  RunnableList done;
  Quiesce(done);
  while (Runnable* ended = done.PopFront()) static_cast<void>(ended);
  Forget();
}

void ScriptedBackend::Arrive(std::string_view bytes) {
  arrivals_.push_back({.kind = Arrival::kBytes, .bytes = std::string(bytes)});
}

void ScriptedBackend::ArriveConnection(int fd) {
  arrivals_.push_back({.kind = Arrival::kConnection, .value = fd});
}

void ScriptedBackend::ArriveEnd(int32_t result) {
  arrivals_.push_back({.kind = Arrival::kEnd, .value = result});
}

void ScriptedBackend::Forget() {
  for (const Arrival& arrival : arrivals_) {
    if (arrival.kind == Arrival::kConnection) close(arrival.value);
  }
  arrivals_.clear();
  at_end_ = false;
}

bool ScriptedBackend::armed() const {
  auto& list = const_cast<OperationList&>(in_flight_);
  for (Operation* op = list.front(); op != nullptr; op = list.Next(*op)) {
    if (Delivers(op->opcode) && !op->cancel_requested) return true;
  }
  return false;
}

void ScriptedBackend::Submit(OperationList& pending, RunnableList&) {
  while (Operation* op = pending.PopFront()) {
    completions_.Begin(*op);
    in_flight_.PushBack(*op);
  }
}

void ScriptedBackend::Wait(MonotonicTime, RunnableList& done) {
  if (cancels_ == Cancels::kBeforeArrivals) EndCancelled(in_flight_, done);
  OperationList late;
  late.Append(cancelling_);
  for (OperationList* list : {&in_flight_, &late}) {
    for (Operation* op = list->front(); op != nullptr;) {
      Operation* next = list->Next(*op);
      while (!Advance(*op, done)) {
      }
      op = next;
    }
  }
  EndCancelled(late, done);
  if (cancels_ == Cancels::kAfterArrivals) EndCancelled(in_flight_, done);
  for (Operation* op = in_flight_.front(); op != nullptr;) {
    Operation* next = in_flight_.Next(*op);
    if (op->cancel_requested) {
      op->Unlink();
      cancelling_.PushBack(*op);
    }
    op = next;
  }
}

// False while it may make further progress.
bool ScriptedBackend::Advance(Operation& op, RunnableList& done) {
  if (op.opcode == OpCode::kClose) {
    Finish(op, close(op.fd) == 0 ? 0 : -errno, done);
    return true;
  }
  if (at_end_ || (!arrivals_.empty() && arrivals_[0].kind == Arrival::kEnd)) {
    return End(op, done);
  }
  if (arrivals_.empty()) return true;
  if (Delivers(op.opcode)) {
    Deliver(static_cast<DeliveringOperation&>(op), done);
    return false;
  }
  Finish(op, TakeBytes(op), done);
  return true;
}

bool ScriptedBackend::End(Operation& op, RunnableList& done) {
  int32_t result = 0;
  if (!at_end_) {
    result = arrivals_[0].value;
    arrivals_.pop_front();
    at_end_ = result == 0 || result == -ECONNRESET;
  }
  Finish(op, result, done);
  return true;
}

void ScriptedBackend::Deliver(DeliveringOperation& op, RunnableList& done) {
  Arrival arrival = std::move(arrivals_[0]);
  arrivals_.pop_front();
  Delivery delivery;
  if (LendsBuffers(op.opcode)) {
    RINGWAY_CHECK(arrival.kind == Arrival::kBytes, "a receive of a connection");
    while (lent_.contains(next_buffer_)) ++next_buffer_;
    std::string& bytes = lent_[next_buffer_] = std::move(arrival.bytes);
    delivery.result = static_cast<int32_t>(bytes.size());
    delivery.buffer_id = next_buffer_++;
    delivery.data = reinterpret_cast<std::byte*>(bytes.data());
  } else {
    RINGWAY_CHECK(arrival.kind == Arrival::kConnection, "an accept of bytes");
    delivery.result = arrival.value;
  }
  RINGWAY_CHECK(completions_.Reserve(), "no memory for a delivery");
  completions_.Deliver(op, delivery, done);
}

int32_t ScriptedBackend::TakeBytes(Operation& op) {
  RINGWAY_CHECK(op.opcode == OpCode::kRecv || op.opcode == OpCode::kRecvMsg,
                "a %s has no script", OpCodeName(op.opcode));
  iovec to = {.iov_base = op.address, .iov_len = op.length};
  if (op.opcode == OpCode::kRecvMsg)
    to = *static_cast<const msghdr*>(op.address)->msg_iov;
  std::string& bytes = arrivals_[0].bytes;
  const size_t n = std::min(bytes.size(), to.iov_len);
  memcpy(to.iov_base, bytes.data(), n);
  bytes.erase(0, n);
  if (bytes.empty()) arrivals_.pop_front();
  return static_cast<int32_t>(n);
}

void ScriptedBackend::EndCancelled(OperationList& list, RunnableList& done) {
  for (Operation* op = list.front(); op != nullptr;) {
    Operation* next = list.Next(*op);
    if (op->cancel_requested) Finish(*op, -ECANCELED, done);
    op = next;
  }
}

void ScriptedBackend::Finish(Operation& op, int32_t result,
                             RunnableList& done) {
  op.Unlink();
  completions_.Finish(op, result, done);
}

CancelOutcome ScriptedBackend::Cancel(Operation& op, RunnableList& done) {
  const std::optional<CancelOutcome> outcome =
      completions_.BeginCancel(op, done);
  return outcome.value_or(CancelOutcome::kRequested);
}

size_t ScriptedBackend::CancelFd(int, RunnableList& done) {
  size_t n = 0;
  for (Operation* op = in_flight_.front(); op != nullptr;
       op = in_flight_.Next(*op)) {
    n += Cancel(*op, done) == CancelOutcome::kRequested ? 1 : 0;
  }
  return n;
}

void ScriptedBackend::Quiesce(RunnableList& done) {
  CancelAll(done);
  EndCancelled(in_flight_, done);
  EndCancelled(cancelling_, done);
}

bool ScriptedBackend::TakeDelivery(DeliveringOperation& op,
                                   Delivery& delivery) {
  return completions_.Take(op, delivery);
}

void ScriptedBackend::ReturnBuffer(uint32_t buffer_id) {
  RINGWAY_CHECK(lent_.erase(buffer_id) == 1, "buffer %u was returned twice",
                buffer_id);
}

}  // namespace ringway::net::testing
