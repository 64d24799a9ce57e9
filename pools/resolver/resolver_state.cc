// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/resolver/resolver_state.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/leak_in_child.h"
#include "ringway/executor/remote/pooled.h"

namespace ringway::internal {

LookUpWait::LookUpWait(ResolverState& state, TaskContext& task,
                       std::string host)
    : state_(state),
      host_(std::move(host)),
      parked_(MakePooled<ParkedTask>(task)),
      ask_(&ResolverState::OnAsk, *this),
      leave_(&ResolverState::OnLeave, *this),
      result_(HostAddresses()) {}

// --- LookUp, on the pool's threads.

LookUp::LookUp(std::shared_ptr<ResolverState> state, const std::string& host)
    : StrandNode(&ResolverState::OnFinish),
      state_(std::move(state)),
      host_(host),
      result_(HostAddresses()) {}

void LookUp::Run() noexcept {
  try {
    absl::StatusOr<std::vector<HostAddress>> found =
        state_->options().look_up(host_);
    if (found.ok()) {
      result_ =
          std::make_shared<const std::vector<HostAddress>>(*std::move(found));
    } else {
      result_ = found.status();
    }
  } catch (const std::bad_alloc&) {
    result_ = state_->no_memory_;
  } catch (const std::exception& e) {
    result_ = absl::InternalError(
        absl::StrCat("looking up \"", host_, "\" threw: ", e.what()));
  }
  state_->strand_.Post(*this);
}

void LookUp::Drop() noexcept {
  result_ = absl::UnavailableError("the resolver has ended");
  state_->strand_.Post(*this);
}

// --- ResolverState, for any thread.

ResolverState::ResolverState(const HostResolverOptions& options)
    : options_(options),
      no_memory_(absl::ResourceExhaustedError("no memory to look up a host")),
      pool_(MakePool(options)),
      jobs_(pool_->jobs()),
      cache_(options.cache_time, options.max_cached) {}

std::unique_ptr<ThreadPool> ResolverState::MakePool(
    const HostResolverOptions& options) {
  ThreadPoolOptions of_pool;
  of_pool.name = "resolver";
  of_pool.max_threads = options.max_threads;
  of_pool.max_queued = options.max_queued;
  return *ThreadPool::Create(of_pool);
}

std::shared_ptr<LookUpWait> ResolverState::Ask(std::string host,
                                               TaskContext& task) {
  const auto wait = MakePooled<LookUpWait>(*this, task, std::move(host));
  ++asked_;
  Post(wait->ask_, wait);
  return wait;
}

bool ResolverState::Park(LookUpWait& wait) {
  ++waiting_;  // before it may be counted down
  auto step = LookUpWait::Step::kAsking;
  if (wait.step_.compare_exchange_strong(step, LookUpWait::Step::kParked))
    return true;
  --waiting_;
  return false;
}

bool ResolverState::Leave(const std::shared_ptr<LookUpWait>& wait) {
  // There the strand may be stopped in the middle of a function.
  if (forked()) return true;
  auto step = LookUpWait::Step::kParked;
  if (!wait->step_.compare_exchange_strong(step, LookUpWait::Step::kLeft))
    return false;
  --waiting_;
  ++cancelled_;
  Post(wait->leave_, wait);
  return true;
}

void ResolverState::Post(LookUpWait::Request& request,
                         const std::shared_ptr<LookUpWait>& wait) {
  request.keep = wait;
  strand_.Post(request);
}

HostResolverStats ResolverState::stats() const {
  HostResolverStats stats;
  stats.asked = asked_;
  stats.from_cache = from_cache_;
  stats.shared = shared_;
  stats.refused = refused_;
  stats.cancelled = cancelled_;
  stats.waiting = waiting_;
  stats.failed = failed_;
  stats.cached = cached_;
  stats.pool = jobs_->stats();
  return stats;
}

void ResolverState::End() {
  if (forked()) {
    LeakInChild(shared_from_this());
  } else {
    pool_.reset();
  }
}

// --- On the strand.

void ResolverState::OnAsk(StrandNode& node) {
  const auto wait = std::move(static_cast<LookUpWait::Request&>(node).keep);
  // A task that was cancelled by now wants nothing looked up.
  if (wait->step_ != LookUpWait::Step::kLeft) wait->state_.AskNow(wait);
}

void ResolverState::OnLeave(StrandNode& node) {
  const auto wait = std::move(static_cast<LookUpWait::Request&>(node).keep);
  wait->state_.LeaveNow(*wait);
}

void ResolverState::OnFinish(StrandNode& node) {
  auto& look_up = static_cast<LookUp&>(node);
  look_up.state_->Finish(look_up);
}

void ResolverState::AskNow(const std::shared_ptr<LookUpWait>& wait) {
  try {
    const HostAddresses kept = cache_.Find(wait->host_);
    cached_ = cache_.size();
    const auto found = in_progress_.find(wait->host_);
    if (kept != nullptr) {
      ++from_cache_;
      Deliver(*wait, kept);
    } else if (found != in_progress_.end()) {
      found->second->waits_.push_back(wait);
      ++shared_;
    } else {
      StartLookUp(wait);
    }
  } catch (const std::bad_alloc&) {
    ++refused_;
    Deliver(*wait, no_memory_);
  }
}

// It cannot finish before this has returned: that is the strand's next function
// at the earliest.
void ResolverState::StartLookUp(const std::shared_ptr<LookUpWait>& wait) {
  const auto look_up =
      std::make_shared<LookUp>(shared_from_this(), wait->host_);
  look_up->waits_.push_back(wait);
  const auto entry = in_progress_.emplace(look_up->host_, look_up).first;
  const absl::Status started = StartJob(look_up);
  if (started.ok()) return;
  in_progress_.erase(entry);
  ++refused_;
  Deliver(*wait, started);
}

absl::Status ResolverState::StartJob(const std::shared_ptr<LookUp>& look_up) {
  try {
    return jobs_->Start(look_up);
  } catch (const std::bad_alloc&) {
    return no_memory_;
  }
}

// If nobody else waits for what was asked for it need not begin.
void ResolverState::LeaveNow(const LookUpWait& wait) {
  const auto found = in_progress_.find(wait.host_);
  if (found == in_progress_.end()) return;
  auto& waits = found->second->waits_;
  const auto mine =
      std::ranges::find(waits, &wait, &std::shared_ptr<LookUpWait>::get);
  if (mine == waits.end()) return;
  waits.erase(mine);
  if (waits.empty() && jobs_->Withdraw(*found->second))
    in_progress_.erase(found);
}

void ResolverState::Finish(LookUp& look_up) {
  const auto found = in_progress_.find(look_up.host_);
  const std::shared_ptr<LookUp> self = std::move(found->second);
  in_progress_.erase(found);
  if (self->result_.ok()) {
    cache_.Keep(self->host_, *self->result_);
    cached_ = cache_.size();
  } else {
    ++failed_;
  }
  for (const std::shared_ptr<LookUpWait>& wait : self->waits_)
    Deliver(*wait, self->result_);
  self->waits_.clear();
}

void ResolverState::Deliver(LookUpWait& wait, const Result& result) {
  wait.result_ = result;
  const LookUpWait::Step before = wait.step_.exchange(LookUpWait::Step::kDone);
  if (before != LookUpWait::Step::kParked) return;
  --waiting_;
  ParkedTask::Wake(wait.parked_);
}

}  // namespace ringway::internal
