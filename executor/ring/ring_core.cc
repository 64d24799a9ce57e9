// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/ring/ring_core.h"

#include <cerrno>
#include <exception>
#include <utility>

#include "ringway/backends/datagram.h"
#include "ringway/core/check.h"
#include "ringway/core/check_option.h"
#include "ringway/executor/loop/report_exception.h"
#include "ringway/executor/ring/ring.h"

namespace ringway::internal {
namespace {

// The address, if the caller of an accept or recvmsg gave room for it.
void AddAddress(const Operation& op, Completion& done) {
  if (op.result < 0) return;
  if (op.opcode == OpCode::kAccept) {
    done.address = static_cast<const sockaddr*>(op.address);
  } else if (op.opcode == OpCode::kRecvMsg) {
    const auto& message = *static_cast<const msghdr*>(op.address);
    done.address = static_cast<const sockaddr*>(message.msg_name);
    done.control = {static_cast<const std::byte*>(message.msg_control),
                    message.msg_controllen};
    done.message_flags = static_cast<uint32_t>(message.msg_flags);
  }
}

// The payload in the buffer of a delivery: bytes, or a datagram's payload.
std::span<std::byte> PayloadOf(const DeliveringOperation& op,
                               const Delivery& delivery, Completion& done) {
  if (op.opcode == OpCode::kRecvMultishot) {
    return {delivery.data, static_cast<size_t>(delivery.result)};
  }
  const Datagram datagram = ReadDatagram(op, delivery);
  if (!datagram.name.empty()) {
    done.address = reinterpret_cast<const sockaddr*>(datagram.name.data());
  }
  done.control = datagram.control;
  done.message_flags = datagram.flags;
  done.result = static_cast<int32_t>(datagram.payload.size());
  return datagram.payload;
}

}  // namespace

RingCore::RingCore(std::unique_ptr<Loop> loop, RingOptions options)
    : options_(Valid(std::move(options), &CheckRingOptions)),
      loop_(std::move(loop)),
      runner_(*loop_),
      entries_(std::make_unique<Slab<RingEntry>>(options_.max_tasks)),
      mailbox_(*this),
      refuser_(*this) {}

RingCore::~RingCore() {
  RINGWAY_CHECK(entries_->size() == 0, "a ring was destroyed before its end");
}

// --- Making

RingTask RingCore::Start(const Context& context,
                         absl::FunctionRef<void(Operation&)> prepare) {
  RingEntry* entry = Add<OneShotWork>(context);
  if (entry == nullptr) return {};
  prepare(*entry->one_shot());
  loop_->Start(*entry->one_shot());
  return entries_->KeyOf(*entry);
}

RingTask RingCore::StartMultishot(
    const Context& context,
    absl::FunctionRef<void(DeliveringOperation&)> prepare) {
  RingEntry* entry = Add<MultishotWork>(context);
  if (entry == nullptr) return {};
  prepare(*entry->multishot());
  loop_->Start(*entry->multishot());
  return entries_->KeyOf(*entry);
}

void RingCore::Refuse(const Context& context, MessagePayload* payload) {
  ++tasks_refused_;
  Refusal& refusal = refused_.emplace_back(Refusal{context, {}, false});
  if (payload != nullptr) {
    refusal.payload = std::move(*payload);
    refusal.is_message = true;
  }
  if (!refuser_.linked()) loop_->Schedule(refuser_);
}

void RingCore::Refuser::Run(Runnable& entry) {
  static_cast<Refuser&>(entry).core.TellRefused();
}

// Tasks refused meanwhile are reported in a later turn, so that a callback
// that retries at once does not delay others.
void RingCore::TellRefused() {
  being_told_.swap(refused_);
  for (Refusal& refusal : being_told_) {
    Completion done;
    done.operation = "a task beyond RingOptions::max_tasks";
    done.result = -ENOBUFS;
    if (refusal.is_message) done.payload = &refusal.payload;
    Tell(refusal.context, std::move(done));
  }
  being_told_.clear();
}

// --- Telling

void RingCore::Tell(const Context& context, Completion done) {
  ++callbacks_;
  Contain([&] { context.Call(*ring_, std::move(done)); });
}

void RingCore::Contain(absl::FunctionRef<void()> fn) {
  telling_ = true;
  try {
    fn();
  } catch (...) {
    OnException();
  }
  telling_ = false;
}

// Called in a handler; reports the current exception.
void RingCore::OnException() {
  ++exceptions_;
  if (options_.on_exception) {
    options_.on_exception(std::current_exception());
  } else {
    ReportException("a callback of a ring", std::current_exception());
  }
}

Completion RingCore::CompletionOf(RingEntry& entry, const char* operation,
                                  int32_t result) {
  Completion done;
  done.task = entries_->KeyOf(entry);
  done.operation = operation;
  done.result = result;
  return done;
}

// Frees the slot before the callback runs, which may need it.
void RingCore::Finish(RingEntry& entry, Completion done) {
  const Context context = entry.context;
  entries_->Erase(entry);
  Tell(context, std::move(done));
}

void OneShotWork::Run(Runnable& runnable) {
  auto& self = static_cast<OneShotWork&>(runnable);
  self.entry.core.OnDone(self);
}

void RingCore::OnDone(OneShotWork& op) {
  Completion done =
      CompletionOf(op.entry, OpCodeName(op.opcode), op.entry.Settle());
  AddAddress(op, done);
  Finish(op.entry, std::move(done));
}

void MultishotWork::Run(Runnable& runnable) {
  auto& notice = static_cast<DeliveringOperation::Notice&>(runnable);
  auto& self = *static_cast<MultishotWork*>(notice.operation);
  self.entry.core.OnDelivery(self);
}

// Handles one delivery and queues the next one behind other ready entries.
void RingCore::OnDelivery(MultishotWork& op) {
  Delivery delivery;
  if (!loop_->backend().TakeDelivery(op, delivery)) {
    if (op.state == OpState::kDone) {
      Finish(op.entry,
             CompletionOf(op.entry, OpCodeName(op.opcode), op.entry.Settle()));
    }
    return;
  }
  if (op.first_delivery != nullptr || op.state == OpState::kDone) {
    loop_->Schedule(op.notice);
  }
  TellNext(op, delivery);
}

void RingCore::TellNext(MultishotWork& op, const Delivery& delivery) {
  Completion done =
      CompletionOf(op.entry, OpCodeName(op.opcode), delivery.result);
  done.is_final = false;
  if (LendsBuffers(op.opcode)) {
    const std::span<std::byte> payload = PayloadOf(op, delivery, done);
    done.data = ReceivedData(*loop_, delivery.buffer_id, payload);
  }
  Tell(op.entry.context, std::move(done));
}

// --- Ending

CancelOutcome RingCore::Cancel(RingTask task) {
  owner_.Check("a ring");
  RingEntry* entry = entries_->Get(task);
  if (entry == nullptr) return CancelOutcome::kNotFound;
  if (Operation* op = entry->operation()) return loop_->Cancel(*op);
  return CancelTimed(*entry->timed()) ? CancelOutcome::kNotStarted
                                      : CancelOutcome::kNotFound;
}

size_t RingCore::CancelFd(int fd) { return loop_->CancelFd(fd); }

size_t RingCore::CancelAll() {
  size_t n = loop_->CancelAll();
  entries_->ForEach([&](RingEntry& entry) {
    TimedWork* timed = entry.timed();
    if (timed != nullptr && CancelTimed(*timed)) ++n;
  });
  return n;
}

bool RingCore::End() {
  if (owner_.forked()) return false;
  owner_.Check("a ring");
  RINGWAY_CHECK(!telling_, "a ring was destroyed by one of its callbacks");
  ending_ = true;
  SettleAllTimed();
  mailbox_.Close();
  loop_->Quiesce();
  TellRefused();
  entries_->ForEach([this](RingEntry& entry) { TellTheEnd(entry); });
  return true;
}

// For a task that has ended.
void RingCore::TellTheEnd(RingEntry& entry) {
  if (TimedWork* timed = entry.timed()) {
    FinishTimed(*timed);
  } else if (OneShotWork* one_shot = entry.one_shot()) {
    OnDone(*one_shot);
  } else {
    MultishotWork& multishot = *entry.multishot();
    Delivery delivery;
    while (loop_->backend().TakeDelivery(multishot, delivery)) {
      TellNext(multishot, delivery);
    }
    OnDelivery(multishot);
  }
}

// --- Running

absl::Status RingCore::Run(RunMode mode) {
  if (ending_) return absl::FailedPreconditionError("the ring is ending");
  return runner_.Run(mode);
}

absl::Status RingCore::RunFor(absl::Duration duration) {
  if (ending_) return absl::FailedPreconditionError("the ring is ending");
  return runner_.RunFor(duration);
}

MonotonicTime RingCore::PrepareToPoll() {
  constexpr MonotonicTime kPast = MonotonicTime::FromNanoseconds(0);
  // Submits started operations, and those that the backend re-arms.
  loop_->Wait(kPast);
  loop_->Wait(kPast);
  // From here on a message notifies the backend, which makes its fd readable.
  if (!mailbox_.inbox()->FallAsleep()) return kPast;
  return loop_->NextTurn();
}

RingStats RingCore::stats() const {
  RingStats stats;
  stats.tasks_active = entries_->size();
  stats.tasks_refused = tasks_refused_;
  stats.callbacks = callbacks_;
  stats.exceptions = exceptions_;
  stats.loop = loop_->stats();
  return stats;
}

}  // namespace ringway::internal
