// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/ring/ring.h"

#include <utility>

#include "ringway/core/check_option.h"
#include "ringway/executor/ring/ring_core.h"

namespace ringway {

absl::Status CheckRingOptions(const RingOptions& options) {
  return CheckOption("RingOptions::max_tasks", options.max_tasks, 1,
                     kMostTasks);
}

absl::StatusOr<Ring> Ring::Create(RingOptions options) {
  if (absl::Status s = CheckRingOptions(options); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<Loop>> loop = Loop::Create(options.loop);
  if (!loop.ok()) return loop.status();
  return Ring(*std::move(loop), std::move(options));
}

Ring::Ring(std::unique_ptr<Loop> loop, RingOptions options)
    : RingOperations(std::make_unique<internal::RingCore>(std::move(loop),
                                                          std::move(options))) {
  core_->BelongsTo(*this);
}

Ring::Ring(Ring&& other) noexcept : RingOperations(std::move(other)) {
  core().BelongsTo(*this);
}

Ring::~Ring() {
  if (core_ == nullptr || core_->End()) return;
  static_cast<void>(core_.release());
}

RingTask Ring::Timer(absl::Duration delay, const Context& context) {
  return core().StartTimer(context, Now() + delay);
}

bool Ring::ResetTimer(RingTask timer, absl::Duration delay) {
  return core().ResetTimer(timer, Now() + delay);
}

RingTask Ring::Message(const RingAddress& target, MessagePayload payload,
                       const Context& context) {
  return core().SendMessage(context, target, std::move(payload));
}

void Ring::OnMessage(const Context& handler) {
  core().mailbox().SetHandler(handler);
}

CancelOutcome Ring::Cancel(RingTask task) { return core().Cancel(task); }
size_t Ring::CancelFd(int fd) { return core().CancelFd(fd); }
size_t Ring::CancelAll() { return core().CancelAll(); }

bool Ring::SetDeadline(RingTask task, MonotonicTime when) {
  return core().SetDeadline(task, when);
}

MonotonicTime Ring::Now() const {
  return core().loop().backend().clock().Now();
}

absl::Status Ring::Run(RunMode mode) { return core().Run(mode); }
absl::Status Ring::RunFor(absl::Duration duration) {
  return core().RunFor(duration);
}
void Ring::Stop() { core().Stop(); }

MonotonicTime Ring::PrepareToPoll() { return core().PrepareToPoll(); }
int Ring::PollableFd() const { return core().loop().backend().PollableFd(); }

RingAddress Ring::address() const { return {core().mailbox().inbox(), core()}; }
RingStats Ring::stats() const { return core().stats(); }

}  // namespace ringway
