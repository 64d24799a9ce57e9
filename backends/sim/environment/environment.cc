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

void Environment::TellWaiters() {
  for (size_t i = 0; i < changed_.size(); ++i) {  // it may grow meanwhile
    const std::shared_ptr<Description> description = std::move(changed_[i]);
    const uint32_t events = std::exchange(description->changed_events_, 0);
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
