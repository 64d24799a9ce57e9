// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/loop.h"

#include <algorithm>
#include <utility>

#include "ringway/backends/common/cancel_in.h"
#include "ringway/backends/make_backend.h"
#include "ringway/core/check.h"
#include "ringway/core/check_option.h"
#include "ringway/core/cpu_pause.h"
#include "ringway/core/leak_in_child.h"
#include "ringway/core/usdt.h"
#include "ringway/executor/diagnostics/trace_recorder.h"
#include "ringway/executor/loop/lent_buffer.h"

namespace ringway {

// Only this loop's thread writes to activity_, so no read-modify-write is
// needed.
class Loop::WorkScope {
 public:
  explicit WorkScope(Loop& loop) : loop_(loop) {
    Advance();
    RINGWAY_PROBE1(turn__begin, &loop_);
  }
  ~WorkScope() {
    RINGWAY_PROBE1(turn__end, &loop_);
    Advance();
  }
  WorkScope(const WorkScope&) = delete;
  WorkScope& operator=(const WorkScope&) = delete;

 private:
  void Advance() {
    loop_.activity_.store(loop_.activity() + 1, std::memory_order_relaxed);
  }

  Loop& loop_;
};

absl::Status CheckLoopOptions(const LoopOptions& options) {
  for (const absl::Status& status : {
           CheckOption("LoopOptions::ready_budget", options.ready_budget, 1,
                       kLargestReadyBudget),
           CheckOption("LoopOptions::spin", options.spin, SpinMode::kFixed),
           CheckOption("LoopOptions::spin_limit", options.spin_limit,
                       absl::Nanoseconds(1), absl::Milliseconds(1)),
       }) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Loop>> Loop::Create(const LoopOptions& options) {
  if (absl::Status s = CheckLoopOptions(options); !s.ok()) return s;
  LoopOptions chosen = options;
  if (chosen.shuffle_seed == 0) {
    absl::StatusOr<uint64_t> seed = ReadyShuffler::SeedFromEnvironment();
    if (!seed.ok()) return seed.status();
    chosen.shuffle_seed = *seed;
  }
  absl::StatusOr<std::unique_ptr<Backend>> backend =
      MakeBackend(options.backend);
  if (!backend.ok()) return backend.status();
  return std::make_unique<Loop>(*std::move(backend), chosen);
}

Loop::Loop(std::unique_ptr<Backend> backend, const LoopOptions& options)
    : ready_budget_(Valid(options, &CheckLoopOptions).ready_budget),
      backend_(std::move(backend)),
      inbox_(std::make_shared<Inbox>(*backend_)),
      now_(backend_->clock().Now()),
      timers_(now_),
      spinner_(backend_->can_peek() ? options.spin : SpinMode::kOff,
               options.spin_limit) {
  if (options.shuffle_seed != 0)
    shuffler_ = std::make_unique<ReadyShuffler>(options.shuffle_seed);
}

Loop::~Loop() {
  if (owner_.forked()) {
    ForgetInChild();
    return;
  }
  owner_.Check("a loop");
  inbox_->Close();
  Quiesce();
  EmptyDependents();
  RINGWAY_CHECK(timers_.size() == 0,
                "a loop ended while a LoopTimer of it is armed");
  while (Orphan* orphan = orphans_.front()) Bury(*orphan);
  SetTrace(nullptr);
}

void Loop::EmptyDependents() {
  while (LentBuffer* buffer = lent_.front()) buffer->OnLoopEnd(true);
  while (LoopDependent* dependent = dependents_.PopFront()) {
    dependent->OnLoopEnd();
    dependent->loop_ = nullptr;
  }
}

// Outstanding work belongs to the parent: nothing is run, cancelled or
// closed, and orphans, whose operations count as in flight, are leaked. So is
// the inbox with its messages: threads that were about to use it are not there.
void Loop::ForgetInChild() {
  LeakInChild(inbox_);
  while (Operation* op = pending_.PopFront()) op->state = OpState::kDone;
  while (Runnable* entry = ready_.PopFront()) static_cast<void>(entry);
  timers_.DisarmAll();
  while (LentBuffer* buffer = lent_.front()) buffer->OnLoopEnd(false);
  while (LoopDependent* dependent = dependents_.PopFront()) {
    dependent->loop_ = nullptr;
    dependent->forgotten_ = true;
  }
  while (Orphan* orphan = orphans_.PopFront()) static_cast<void>(orphan);
}

size_t Loop::CancelFd(int fd) {
  owner_.Check("a loop");
  return CancelIn(pending_, fd, *backend_, ready_) +
         backend_->CancelFd(fd, ready_);
}

size_t Loop::CancelAll() {
  owner_.Check("a loop");
  return CancelIn(pending_, kAnyFd, *backend_, ready_) +
         backend_->CancelAll(ready_);
}

void Loop::Adopt(std::unique_ptr<Orphan> orphan) {
  owner_.Check("a loop");
  orphan->Unlink();
  orphans_.PushBack(*orphan.release());
}

void Loop::Bury(Orphan& orphan) {
  owner_.Check("a loop");
  orphan.Unlink();
  delete &orphan;
}

void Loop::Quiesce() {
  owner_.Check("a loop");
  while (Operation* op = pending_.front()) backend_->Cancel(*op, ready_);
  backend_->Quiesce(ready_);
  while (Runnable* entry = ready_.PopFront()) static_cast<void>(entry);
  if (trace_ != nullptr) trace_->EndOperations();
}

void Loop::SetTrace(TraceRecorder* recorder) {
  owner_.Check("a loop");
  if (trace_ != nullptr) trace_->Detach();
  trace_ = recorder;
  if (trace_ != nullptr) trace_->Attach(backend_->clock());
}

void Loop::Turn(MonotonicTime wait_until) {
  Work();
  Wait(wait_until);
}

uint32_t Loop::Work() {
  owner_.Check("a loop");
  const WorkScope scope(*this);
  now_ = backend_->clock().Now();
  if (trace_ != nullptr) [[unlikely]] {
    return WorkTraced();
  }
  stats_.messages += inbox_->Drain();
  ExpireTimers();
  return RunReady<false>();
}

uint32_t Loop::WorkTraced() {
  trace_->BeginTurn(now_);
  stats_.messages += inbox_->Drain();
  ExpireTimers();
  const uint32_t n = RunReady<true>();
  // An entry may have ended the recording.
  if (trace_ != nullptr) {
    for (Operation* op = pending_.front(); op != nullptr;
         op = pending_.Next(*op))
      trace_->BeginOperation(*op);
    trace_->EndTurn();
  }
  return n;
}

void Loop::Wait(MonotonicTime wait_until) {
  owner_.Check("a loop");
  backend_->Submit(pending_, ready_);
  const bool may_sleep =
      pending_.empty() && ready_.empty() && wait_until > now_ && !wait_ended_;
  wait_ended_ = false;
  if (may_sleep) {
    Sleep(std::min(wait_until, timers_.NextDeadline()));
  } else {
    backend_->Wait(now_, ready_);
  }
}

void Loop::Sleep(MonotonicTime until) {
  if (spinner_.ShouldSpin(now_, stats_.ready_run)) {
    // Submits the operations started in this turn first; some may complete at
    // once.
    backend_->Wait(now_, ready_);
    if (!ready_.empty()) return;
    const bool paid = Spin(until);
    spinner_.OnSpun(paid);
    if (paid) {
      backend_->Wait(now_, ready_);
      return;
    }
  }
  if (inbox_->FallAsleep()) {
    backend_->Wait(until, ready_);
    inbox_->WokeUp();
  } else {
    backend_->Wait(now_, ready_);
  }
}

// Spins until there is work or `until` has come and returns true. Returns
// false if that takes too long.
bool Loop::Spin(MonotonicTime until) {
  const Clock& clock = backend_->clock();
  MonotonicTime now = clock.Now();
  const MonotonicTime limit = now + spinner_.limit();
  for (; now < limit; now = clock.Now()) {
    if (backend_->Peek() || inbox_->HasMessages() || now >= until) return true;
    CpuPause();
  }
  return now >= until;
}

void Loop::ExpireTimers() {
  IntrusiveList<Timer> fired;
  stats_.timers_fired += timers_.Expire(now_, fired);
  while (Timer* timer = fired.PopFront()) {
    Runnable& entry = *static_cast<LoopTimer*>(timer)->on_fired;
    if (!entry.linked()) Schedule(entry);
  }
}

template <bool traced>
uint32_t Loop::RunReady() {
  ready_left_ = ready_budget_;
  uint32_t n = 0;
  while (ready_left_ > 0) {
    Runnable* entry =
        shuffler_ == nullptr ? ready_.PopFront() : shuffler_->PopNext(ready_);
    if (entry == nullptr) break;
    --ready_left_;
    ++n;
    if constexpr (traced) {
      if (trace_ != nullptr) trace_->EndOperation(*entry);
    }
    entry->Run();
  }
  stats_.ready_run += n;
  if (!ready_.empty()) ++stats_.budget_exhausted;
  return n;
}

bool Loop::alive() const {
  owner_.Check("a loop");
  return !pending_.empty() || !ready_.empty() || timers_.size() > 0 ||
         backend_->stats().in_flight > 0;
}

MonotonicTime Loop::NextTurn() const {
  owner_.Check("a loop");
  if (!pending_.empty() || !ready_.empty()) {
    return MonotonicTime::FromNanoseconds(0);
  }
  return timers_.NextDeadline();
}

LoopStats Loop::stats() const {
  owner_.Check("a loop");
  LoopStats stats = stats_;
  stats.turns = (activity() + 1) / 2;
  stats.post_exceptions = inbox_->exceptions();
  stats.spins_paid = spinner_.paid();
  stats.spins_unpaid = spinner_.unpaid();
  stats.buffers_lent = n_lent_;
  stats.backend = backend_->stats();
  return stats;
}

}  // namespace ringway
