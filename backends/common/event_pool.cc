// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/event_pool.h"

#include <new>
#include <utility>

#include "ringway/backends/backend.h"
#include "ringway/core/check.h"
#include "ringway/core/linger.h"
#include "ringway/core/unique_fd.h"

namespace ringway {

void DisposeOf(const MultishotOperation& op, const MultishotEvent& event,
               Backend& backend) {
  if (DeliversBuffers(op.opcode)) {
    backend.ReturnBuffer(event.buffer_id);
  } else if (op.opcode == OpCode::kAcceptMultishot) {
    UniqueFd accepted(event.result);
    StopLingering(accepted.get());
  }
}

EventPool::~EventPool() {
  while (chunks_ != nullptr) delete std::exchange(chunks_, chunks_->next);
}

void EventPool::Append(MultishotOperation& op, const MultishotEvent& event) {
  RINGWAY_CHECK(free_ != nullptr, "a delivery of a %s was appended unreserved",
                OpCodeName(op.opcode));
  MultishotEvent* slot = free_;
  free_ = slot->next;
  --n_free_;
  *slot = event;
  slot->next = nullptr;
  if (op.last_event != nullptr) {
    op.last_event->next = slot;
  } else {
    op.first_event = slot;
  }
  op.last_event = slot;
  ++op.event_count;
}

bool EventPool::Take(MultishotOperation& op, MultishotEvent& event) {
  MultishotEvent* slot = op.first_event;
  if (slot == nullptr) return false;
  op.first_event = slot->next;
  if (op.first_event == nullptr) op.last_event = nullptr;
  --op.event_count;
  event = *slot;
  event.next = nullptr;
  Free(*slot);
  return true;
}

void EventPool::Free(MultishotEvent& slot) {
  slot.next = free_;
  free_ = &slot;
  ++n_free_;
}

// True if there is a free slot, whether it could grow or not.
bool EventPool::Grow() {
  if (Chunk* chunk = new (std::nothrow) Chunk; chunk != nullptr) {
    chunk->next = std::exchange(chunks_, chunk);
    for (size_t i = kChunk; i-- > 0;) Free(chunk->events[i]);
  }
  return free_ != nullptr;
}

}  // namespace ringway
