// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/ring/ring_address.h"

#include "ringway/executor/ring/ring.h"
#include "ringway/executor/ring/ring_core.h"
#include "ringway/executor/ring/ring_message.h"

namespace ringway {
namespace {

absl::Status HasEnded() { return absl::UnavailableError("the ring has ended"); }

absl::Status IsTheParents() {
  return absl::FailedPreconditionError(
      "the ring belongs to the parent process; a forked child must make its "
      "own");
}

}  // namespace

absl::Status RingAddress::Send(MessagePayload&& payload) const {
  if (inbox_ == nullptr) return HasEnded();
  if (inbox_->forked()) return IsTheParents();
  auto message = std::make_unique<internal::RingMessage>();
  message->target = &core_->mailbox();
  message->payload = std::move(payload);
  if (!inbox_->Send(*message)) {
    payload = std::move(message->payload);
    return HasEnded();
  }
  static_cast<void>(
      message.release());  // owned by the target; it does not return
  return absl::OkStatus();
}

absl::Status RingAddress::Post(absl::AnyInvocable<void(Ring&)> fn) const {
  if (inbox_ == nullptr) return HasEnded();
  if (inbox_->forked()) return IsTheParents();
  return inbox_->Post([core = core_, f = std::move(fn)]() mutable {
    core->Contain([&] { f(core->ring()); });
  });
}

void RingAddress::Stop() const {
  Post([](Ring& ring) { ring.Stop(); }).IgnoreError();
}

}  // namespace ringway
