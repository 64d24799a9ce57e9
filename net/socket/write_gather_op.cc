// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/write_gather_op.h"

#include <algorithm>
#include <utility>

#include "ringway/backends/prepare.h"

namespace ringway::net {

WriteGatherOp::WriteGatherOp(internal::StreamCore* core,
                             std::span<const WritePart> parts)
    : QueuedWrite(core, &Advance),
      Client{&OnAccepted},
      own_part_(std::span<const std::byte>()),
      left_(parts) {
  if (usable()) threshold_ = core->zero_copy_threshold();
  PrepareStep();
}

WriteGatherOp::WriteGatherOp(internal::StreamCore* core, SharedBytes bytes)
    : QueuedWrite(core, &Advance),
      Client{&OnAccepted},
      own_part_(std::move(bytes)),
      left_(std::span(&own_part_, 1)) {
  if (usable()) threshold_ = core->zero_copy_threshold();
  PrepareStep();
}

WriteGatherOp::~WriteGatherOp() {
  Leave();
  if (zero_copy_ == nullptr) return;
  if (zero_copy_->started()) {
    zero_copy_->Forget();
  } else {
    zero_copy_->Discard();
  }
}

bool WriteGatherOp::PrepareStep() {
  if (!usable() || left_.empty()) return false;
  if (ZeroCopyPart(0) == nullptr || !PrepareZeroCopy()) PrepareCopy();
  return true;
}

const SharedBytes* WriteGatherOp::ZeroCopyPart(size_t index) const {
  const SharedBytes* const shared = left_.parts()[index].shared();
  if (shared == nullptr || shared->size() < threshold_) return nullptr;
  return shared;
}

// The parts up to the first that is to be copied. False without memory.
bool WriteGatherOp::PrepareZeroCopy() {
  zero_copy_ = internal::ZeroCopySend::New(core_->loop(), *this);
  if (zero_copy_ == nullptr) return false;
  fd = core_->fd();  // named by an error
  size_t n = 0;
  for (; n < std::min(left_.parts().size(), internal::ZeroCopySend::kMaxParts);
       ++n) {
    const SharedBytes* const part = ZeroCopyPart(n);
    if (part == nullptr) break;
    const size_t sent = n == 0 ? left_.sent_of_first() : 0;
    zero_copy_->Add(part->Part(sent, part->size() - sent));
  }
  const bool more = n < left_.parts().size();
  set_step(
      zero_copy_->Prepare(core_->fd(), MSG_WAITALL | (more ? MSG_MORE : 0)));
  return true;
}

// The parts up to the first that is not to be copied.
void WriteGatherOp::PrepareCopy() {
  size_t n = 0;
  do {
    vectors_[n] = internal::VectorOf(left_.Rest(n));
    ++n;
  } while (n < std::min(left_.parts().size(), kBatch) &&
           ZeroCopyPart(n) == nullptr);
  message_.msg_iov = vectors_.data();
  message_.msg_iovlen = n;
  const bool more = n < left_.parts().size();
  PrepareSendMsg(*this, core_->fd(), message_,
                 MSG_WAITALL | (more ? MSG_MORE : 0));
  set_step(*this);
}

bool WriteGatherOp::Advance(QueuedWrite& queued, size_t n_bytes) {
  WriteGatherOp& self = static_cast<WriteGatherOp&>(queued);
  self.left_.Skip(n_bytes);
  return self.PrepareStep();
}

void WriteGatherOp::OnAccepted(Client& client, int32_t result) {
  WriteGatherOp& self = static_cast<WriteGatherOp&>(client);
  self.zero_copy_ = nullptr;
  self.EndStep(result);
}

}  // namespace ringway::net
