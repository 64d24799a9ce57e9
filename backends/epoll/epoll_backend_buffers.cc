// SPDX-License-Identifier: Apache-2.0
//
// EpollBackend: receive buffers, and what it has delivered.

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/backends/epoll/epoll_backend.h"
#include "ringway/core/check.h"

namespace ringway::epoll {

bool EpollBackend::EnsureBuffers() {
  if (buffers_ != nullptr) return true;
  absl::StatusOr<std::unique_ptr<ReceiveBuffers>> buffers =
      ReceiveBuffers::Create(options_);
  if (!buffers.ok()) return false;
  buffers_ = *std::move(buffers);
  return true;
}

// Makes `op` wait until a buffer is returned.
bool EpollBackend::Starve(DeliveringOperation& op, RunnableList& done) {
  if (!op.backend.needs_rearm) ++stats_.buffer_starved;
  op.backend.needs_rearm = true;
  return PutAside(op, starved_, done);
}

// As many as there are buffers: each either takes one or waits for data.
void EpollBackend::ResumeStarved() {
  const uint32_t available = buffers_ == nullptr ? 0 : buffers_->available();
  for (uint32_t n = 0; n < available; ++n) {
    WaitQueue* queue = starved_.PopFront();
    if (queue == nullptr) return;
    unfinished_.PushBack(*queue);
    Operation* op = queue->operations.front();
    if (op == nullptr || !op->backend.needs_rearm) continue;
    op->backend.needs_rearm = false;
    ++stats_.rearms;
  }
}

// `op`, which is cancelled, waits no more: what is behind it in its queue may
// not need a buffer.
void EpollBackend::PassOverStarved(const Operation& op) {
  FdEntry* entry = watcher_.table().Find(op.fd);
  if (entry == nullptr || !entry->readers.put_aside()) return;
  entry->readers.Unlink();
  unfinished_.PushBack(entry->readers);
}

void EpollBackend::ReturnBuffer(uint16_t buffer_id) {
  owner_.Check("an epoll backend");
  RINGWAY_CHECK(buffers_ != nullptr,
                "receive buffer %u was returned but none was ever lent",
                unsigned{buffer_id});
  buffers_->Return(buffer_id);
}

bool EpollBackend::TakeDelivery(DeliveringOperation& op, Delivery& delivery) {
  owner_.Check("an epoll backend");
  return events_.Take(op, delivery);
}

void EpollBackend::DropDeliveries(DeliveringOperation& op) {
  Delivery delivery;
  while (TakeDelivery(op, delivery)) DisposeOf(op, delivery, *this);
}

}  // namespace ringway::epoll
