// SPDX-License-Identifier: Apache-2.0
//
// The definitions of Broadcast<T> and BroadcastReceiver<T>. Include
// broadcast.h.

#ifndef RINGWAY_EXECUTOR_SYNC_BROADCAST_IMPL_H_
#define RINGWAY_EXECUTOR_SYNC_BROADCAST_IMPL_H_

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/utility/utility.h"
#include "ringway/core/check.h"
#include "ringway/executor/sync/broadcast.h"
#include "ringway/executor/sync/broadcast_receiver.h"

namespace ringway {

template <typename T>
Broadcast<T>::~Broadcast() {
  while (Receiver* receiver = receivers_.PopFront()) {
    RINGWAY_CHECK(!receiver->awaited(),
                  "a Broadcast was destroyed while a task waits for it");
    receiver->broadcast_ = nullptr;
  }
}

template <typename T>
void Broadcast<T>::Close() {
  CheckThread();
  closed_ = true;
  senders_.CompleteAll(internal::WaitEnd::kClosed);
  for (Receiver* each = receivers_.front(); each != nullptr;
       each = receivers_.Next(*each)) {
    each->EndWait();
  }
}

template <typename T>
bool Broadcast<T>::Accept(internal::SentObject<T>& value) {
  if (!MakeRoom()) return false;
  Append(value);
  return true;
}

template <typename T>
bool Broadcast<T>::MakeRoom() {
  if (end_ - begin_ < capacity_) return true;
  for (Receiver* each = receivers_.front(); each != nullptr;
       each = receivers_.Next(*each)) {
    if (each->next_ == begin_ && each->policy_ == LagPolicy::kBlockSender)
      return false;
  }
  DisconnectSlowest();
  if (end_ - begin_ == capacity_) DropFront();
  return true;
}

template <typename T>
void Broadcast<T>::Append(internal::SentObject<T>& value) {
  if (n_receivers_ == 0) {
    static_cast<void>(T(std::move(value)));
    return;
  }
  Slot& slot = At(end_);
  slot.value.emplace(std::move(value));
  slot.readers = n_receivers_;
  ++end_;
  for (Receiver* each = receivers_.front(); each != nullptr;
       each = receivers_.Next(*each)) {
    each->EndWait();
  }
}

template <typename T>
void Broadcast<T>::DisconnectSlowest() {
  for (Receiver* each = receivers_.front(); each != nullptr;) {
    Receiver* const next = receivers_.Next(*each);
    if (each->next_ == begin_ && each->policy_ == LagPolicy::kDisconnect) {
      each->disconnected_ = true;
      for (uint64_t i = begin_; i < end_; ++i) --At(i).readers;
      each->Unlink();
      --n_receivers_;
      each->broadcast_ = nullptr;
    }
    each = next;
  }
  DropWhatAllHaveHad();
}

template <typename T>
void Broadcast<T>::GoOn() {
  DropWhatAllHaveHad();
  while (!senders_.empty() && MakeRoom()) {
    Append(senders_.front()->value_);
    senders_.CompleteFront(internal::WaitEnd::kServed);
  }
}

template <typename T>
void Broadcast<T>::Add(Receiver& receiver) {
  receivers_.PushBack(receiver);
  ++n_receivers_;
}

template <typename T>
void Broadcast<T>::Remove(Receiver& receiver) {
  receiver.Unlink();
  --n_receivers_;
  for (uint64_t i = std::max(receiver.next_, begin_); i < end_; ++i)
    --At(i).readers;
  GoOn();
}

template <typename T>
absl::StatusOr<T> Broadcast<T>::TakeFor(Receiver& receiver) {
  if (receiver.next_ < begin_) {
    receiver.missed_ += begin_ - receiver.next_;
    receiver.next_ = begin_;
  }
  Slot& slot = At(receiver.next_);
  if (slot.readers > 1) {
    absl::StatusOr<T> copy(std::in_place, *slot.value);  // may throw
    ++receiver.next_;
    --slot.readers;
    if (!senders_.empty()) GoOn();  // it may have been the one to wait for
    return copy;
  }
  absl::StatusOr<T> value(std::in_place, *std::move(slot.value));
  ++receiver.next_;
  slot.readers = 0;
  GoOn();
  return value;
}

template <typename T>
BroadcastReceiver<T>::BroadcastReceiver(Broadcast<T>& broadcast,
                                        LagPolicy policy)
    : broadcast_(&broadcast), next_(broadcast.end_), policy_(policy) {
  broadcast.Add(*this);
}

template <typename T>
void BroadcastReceiver<T>::CheckThread() const {
  if (broadcast_ != nullptr) broadcast_->CheckThread();
}

template <typename T>
OwnerThread& BroadcastReceiver<T>::owner() {
  return broadcast_ != nullptr ? broadcast_->owner_ : owner_;
}

template <typename T>
bool BroadcastReceiver<T>::ready() const {
  CheckThread();
  return broadcast_ == nullptr || broadcast_->HasFor(*this) ||
         broadcast_->closed_;
}

template <typename T>
absl::StatusOr<T> BroadcastReceiver<T>::TryReceive() {
  CheckThread();
  if (disconnected_) {
    return absl::ResourceExhaustedError(
        "a BroadcastReceiver fell behind by more than its Broadcast holds");
  }
  if (broadcast_ == nullptr)
    return absl::Status(absl::StatusCode::kUnavailable, "");
  if (broadcast_->HasFor(*this)) return broadcast_->TakeFor(*this);
  return absl::Status(broadcast_->closed_ ? absl::StatusCode::kUnavailable
                                          : absl::StatusCode::kNotFound,
                      "");
}

template <typename T>
void BroadcastReceiver<T>::Unsubscribe() {
  CheckNotAwaited();
  if (broadcast_ == nullptr) return;
  CheckThread();
  std::exchange(broadcast_, nullptr)->Remove(*this);
}

template <typename T>
void BroadcastReceiver<T>::TakeOver(BroadcastReceiver& other) {
  other.CheckNotAwaited();
  other.CheckThread();
  broadcast_ = std::exchange(other.broadcast_, nullptr);
  next_ = other.next_;
  missed_ = std::exchange(other.missed_, 0);
  policy_ = other.policy_;
  disconnected_ = std::exchange(other.disconnected_, false);
  if (broadcast_ == nullptr) return;
  other.Unlink();
  broadcast_->receivers_.PushBack(*this);
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_SYNC_BROADCAST_IMPL_H_
