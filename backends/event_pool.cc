// SPDX-License-Identifier: Apache-2.0

#include "backends/event_pool.h"

#include "backends/backend.h"
#include "core/unique_fd.h"

namespace ringway {

void DisposeOf(const MultishotOperation& op, const MultishotEvent& event,
               Backend& backend) {
  if (DeliversBuffers(op.opcode)) {
    backend.ReturnBuffer(event.buffer_id);
  } else if (op.opcode == OpCode::kAcceptMultishot) {
    UniqueFd accepted(event.result);
  }
}

void EventPool::Append(MultishotOperation& op, const MultishotEvent& event) {
  if (free_ == nullptr) Grow();
  MultishotEvent* slot = free_;
  free_ = slot->next;
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
  slot->next = free_;
  free_ = slot;
  return true;
}

void EventPool::Grow() {
  chunks_.push_back(std::make_unique<MultishotEvent[]>(kChunk));
  for (size_t i = kChunk; i-- > 0;) {
    chunks_.back()[i].next = free_;
    free_ = &chunks_.back()[i];
  }
}

}  // namespace ringway
