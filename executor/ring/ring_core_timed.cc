// SPDX-License-Identifier: Apache-2.0
//
// The tasks of a ring that are not operations, and deadlines.

#include <algorithm>
#include <cerrno>
#include <utility>

#include "ringway/executor/ring/ring_core.h"

namespace ringway::internal {

// --- Timers

RingTask RingCore::StartTimer(const Context& context, MonotonicTime due) {
  RingEntry* entry = Add<TimedWork>(context);
  if (entry == nullptr) return {};
  entry->timed()->due = due;
  ArmTimed(*entry->timed());
  return entries_->KeyOf(*entry);
}

bool RingCore::ResetTimer(RingTask task, MonotonicTime due) {
  owner_.Check("a ring");
  RingEntry* entry = entries_->Get(task);
  TimedWork* timed = entry == nullptr ? nullptr : entry->timed();
  if (timed == nullptr || timed->is_message || timed->settled) return false;
  if (timed->linked())
    timed->Unlink();  // it has fired, but its callback has not run
  timed->due = due;
  ArmTimed(*timed);
  return true;
}

void RingCore::ArmTimed(TimedWork& timed) {
  loop_->ArmTimer(timed.timer, std::min(timed.due, timed.deadline));
}

void TimedWork::Run(Runnable& runnable) {
  auto& self = static_cast<TimedWork&>(runnable);
  self.entry.core.OnTime(self);
}

void RingCore::OnTime(TimedWork& timed) {
  if (!timed.settled) Expire(timed);
  FinishTimed(timed);
}

void RingCore::Expire(TimedWork& timed) {
  if (timed.is_message) {
    Revoke(timed, -ETIME);
  } else {
    SettleTimed(timed, timed.due <= timed.deadline ? 0 : -ETIME);
  }
}

// Called before the inbox closes: refused messages may be deleted afterwards.
void RingCore::SettleAllTimed() {
  entries_->ForEach([this](RingEntry& entry) {
    TimedWork* timed = entry.timed();
    if (timed == nullptr || timed->settled) return;
    if (timed->linked()) {
      Expire(*timed);
    } else {
      CancelTimed(*timed);
    }
  });
}

void RingCore::SettleTimed(TimedWork& timed, int32_t result) {
  loop_->DisarmTimer(timed.timer);
  timed.settled = true;
  timed.result = result;
}

void RingCore::FinishTimed(TimedWork& timed) {
  Completion done = CompletionOf(
      timed.entry, timed.is_message ? "message" : "timer", timed.result);
  MessagePayload payload = std::move(timed.payload);
  if (timed.is_message && !done.ok()) done.payload = &payload;
  Finish(timed.entry, std::move(done));
}

// False if its callback is about to run with its own result.
bool RingCore::CancelTimed(TimedWork& timed) {
  if (timed.ended()) return false;
  if (timed.is_message) {
    Revoke(timed, -ECANCELED);
  } else {
    SettleTimed(timed, -ECANCELED);
  }
  loop_->Schedule(timed);
  return timed.result == -ECANCELED;
}

bool RingCore::SetDeadline(RingTask task, MonotonicTime when) {
  owner_.Check("a ring");
  RingEntry* entry = entries_->Get(task);
  if (entry == nullptr) return false;
  if (TimedWork* timed = entry->timed()) {
    if (timed->ended()) return false;
    timed->deadline = when;
    ArmTimed(*timed);
    return true;
  }
  Operation& op = *entry->operation();
  if (!op.active() || op.cancel_requested) return false;
  if (!entry->deadline.has_value()) entry->deadline.emplace(*loop_);
  entry->deadline->Set(op, when);
  return true;
}

// --- Messages

RingTask RingCore::SendMessage(const Context& context,
                               const RingAddress& target,
                               MessagePayload payload) {
  RingEntry* entry = Add<TimedWork>(context, &payload);
  if (entry == nullptr) return {};
  TimedWork& timed = *entry->timed();
  const RingTask task = entries_->KeyOf(*entry);
  timed.is_message = true;
  timed.message = &mailbox_.NewMessage(task, std::move(payload));
  ArmTimed(timed);
  if (target.inbox_ != nullptr) {
    timed.message->target = &target.core_->mailbox();
    if (target.inbox_->Send(*timed.message)) return task;
  }
  RingMessage& unsent = *timed.message;
  unsent.Refuse(-EHOSTDOWN);
  OnMessageReturned(unsent);
  mailbox_.Reuse(unsent);
  return task;
}

// Settles a message in flight. If its target was first, the message has
// arrived.
void RingCore::Revoke(TimedWork& timed, int32_t result) {
  RingMessage& message = *std::exchange(timed.message, nullptr);
  if (!message.Revoke()) {
    const bool refused = message.state.load(std::memory_order_acquire) ==
                         RingMessage::State::kRefused;
    result = refused ? message.result : 0;
  }
  if (result != 0) timed.payload = std::move(message.payload);
  SettleTimed(timed, result);
}

// Its task may have ended before, when the message was revoked.
void RingCore::OnMessageReturned(RingMessage& message) {
  RingEntry* entry = entries_->Get(message.task);
  if (entry == nullptr || entry->timed()->message != &message) return;
  TimedWork& timed = *entry->timed();
  Revoke(timed, /*result=*/-ECANCELED);  // too late: the target has decided
  if (!timed.linked()) loop_->Schedule(timed);
}

}  // namespace ringway::internal
