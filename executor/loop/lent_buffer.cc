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

void LentBuffer::TakeOver(LentBuffer& other) {
  bytes_ = std::exchange(other.bytes_, {});
  buffer_id_ = other.buffer_id_;
  taken_back_ = std::exchange(other.taken_back_, false);
  loop_ = std::exchange(other.loop_, nullptr);
  if (loop_ == nullptr) return;
  loop_->CheckThread("a received buffer");
  other.Unlink();
  loop_->lent_.PushBack(*this);
}

void LentBuffer::Release() {
  bytes_ = {};
  taken_back_ = false;
  Loop* loop = std::exchange(loop_, nullptr);
  if (loop == nullptr) return;
  if (!loop->forked()) {
    loop->CheckThread("a received buffer");
    loop->backend().ReturnBuffer(buffer_id_);
  }
  Unlink();
  --loop->n_lent_;
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
