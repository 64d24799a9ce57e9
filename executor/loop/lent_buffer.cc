// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/lent_buffer.h"

namespace ringway {

LentBuffer::LentBuffer(Loop& loop, uint32_t buffer_id,
                       std::span<std::byte> bytes)
    : loop_(&loop), bytes_(bytes), buffer_id_(buffer_id) {
  loop.CheckThread("a received buffer");
  loop.lent_.PushBack(*this);
  ++loop.n_lent_;
}

void LentBuffer::GiveBack() {
  Loop& loop = *std::exchange(loop_, nullptr);
  if (!loop.forked()) {
    loop.CheckThread("a received buffer");
    loop.backend().ReturnBuffer(buffer_id_);
  }
  Unlink();
  --loop.n_lent_;
}

void LentBuffer::OnLoopEnd(bool give_back) {
  if (give_back) loop_->backend().ReturnBuffer(buffer_id_);
  Unlink();
  --loop_->n_lent_;
  loop_ = nullptr;
  bytes_ = {};
  taken_back_ = true;
}

}  // namespace ringway
