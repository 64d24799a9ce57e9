// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/backend.h"

#include "ringway/backends/common/system_call.h"

namespace ringway {

int32_t Backend::RunNow(Operation& op) { return RunSystemCall(op); }

int32_t Backend::ReadCached(const Operation& op) {
  constexpr uint32_t kMost = 64 << 10;  // longer than that a thread may copy
  return ringway::ReadCached(op, kMost);
}

void Backend::DropDeliveries(DeliveringOperation& op) {
  Delivery delivery;
  while (TakeDelivery(op, delivery)) Dispose(op, delivery);
}

void Backend::Dispose(const DeliveringOperation& op, const Delivery& delivery) {
  if (LendsBuffers(op.opcode)) {
    ReturnBuffer(delivery.buffer_id);
  } else if (op.opcode == OpCode::kAcceptMultishot) {
    sockets().Close(delivery.result);
  }
}

}  // namespace ringway
