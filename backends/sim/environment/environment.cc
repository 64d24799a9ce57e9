// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/environment/environment.h"

#include <utility>

namespace ringway::sim {

void Description::Changed(uint32_t events) {
  if (waiters_.empty() || events == 0) return;
  if (changed_events_ == 0) {
    environment_.changed_.push_back(shared_from_this());
  }
  changed_events_ |= events;
}

void Environment::Settle() {
  do {
    TellWaiters();
  } while (events.RunOne(now()) || !changed_.empty());
}

// Moves some of the longest waiters to the end, because a kernel guarantees
// no order among waiters.
void Environment::ShuffleWaiters(Description& description) {
  IntrusiveList<Waiter>& waiters = description.waiters_;
  uint64_t n = 0;
  for (Waiter* w = waiters.front(); w != nullptr; w = waiters.Next(*w)) ++n;
  if (n < 2) return;
  for (uint64_t left = rng.Below(n); left > 0; --left)
    waiters.PushBack(*waiters.PopFront());
}

void Environment::TellWaiters() {
  for (size_t i = 0; i < changed_.size(); ++i) {  // it may grow meanwhile
    const std::shared_ptr<Description> description = std::move(changed_[i]);
    const uint32_t events = std::exchange(description->changed_events_, 0);
    if (faults.shuffle) ShuffleWaiters(*description);
    // A waiter that is satisfied leaves the list; none leaves it for another.
    for (Waiter* waiter = description->waiters_.front(); waiter != nullptr;) {
      Waiter* next = description->waiters_.Next(*waiter);
      waiter->Retry(events);
      waiter = next;
    }
  }
  changed_.clear();
}

}  // namespace ringway::sim
