// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/resolver/host_resolver.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/check_option.h"
#include "ringway/pools/resolver/resolver_state.h"
#include "ringway/pools/thread_pool.h"

namespace ringway {

using Result = absl::StatusOr<HostAddresses>;

absl::Status CheckHostResolverOptions(const HostResolverOptions& options) {
  for (const absl::Status& status : {
           CheckOption("HostResolverOptions::max_threads", options.max_threads,
                       1, kMostPoolThreads),
           CheckOption("HostResolverOptions::max_queued", options.max_queued, 0,
                       kMostQueuedJobs),
           CheckOption("HostResolverOptions::cache_time", options.cache_time,
                       absl::ZeroDuration(), absl::InfiniteDuration()),
           CheckOption("HostResolverOptions::max_cached", options.max_cached, 0,
                       kMostCachedHosts),
       }) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<HostResolver>> HostResolver::Create(
    const HostResolverOptions& options) {
  if (absl::Status s = CheckHostResolverOptions(options); !s.ok()) return s;
  return std::unique_ptr<HostResolver>(
      new HostResolver(std::make_shared<internal::ResolverState>(options)));
}

HostResolver::HostResolver(std::shared_ptr<internal::ResolverState> state)
    : state_(std::move(state)) {}

HostResolver::~HostResolver() { End(); }

void HostResolver::End() { state_->End(); }

LookUpOp HostResolver::LookUp(std::string host) {
  return LookUpOp(state_, std::move(host));
}

RunBlockingOp<absl::StatusOr<std::string>> HostResolver::NameOf(
    const HostAddress& address) {
  return RunBlockingOn(state_->jobs(), &LookUpName, address);
}

HostResolverStats HostResolver::stats() const { return state_->stats(); }

// --- LookUpOp

LookUpOp::LookUpOp(std::shared_ptr<internal::ResolverState> state,
                   std::string host)
    : Suspension(&OnCancel, &Describe),
      state_(std::move(state)),
      host_(std::move(host)),
      result_(CancelledStatus()) {}

LookUpOp::~LookUpOp() {
  // Needed only if the frame is destroyed while it waits.
  if (wait_ == nullptr) return;
  wait_->ForgetTask();
  static_cast<void>(state_->Leave(wait_));
}

bool LookUpOp::Begin(std::coroutine_handle<> leaf, TaskContext& task) {
  task_ = &task;
  if (task.cancelled()) return task.SkipWait(leaf);
  if (state_->forked()) {
    result_ = absl::FailedPreconditionError(
        "a HostResolver belongs to the parent process; a forked child must "
        "make its own");
    return task.SkipWait(leaf);
  }
  wait_ = state_->Ask(absl::AsciiStrToLower(host_), task);
  if (!state_->Park(*wait_)) return task.SkipWait(leaf);
  // Woken by a message to this thread, so not before this has returned.
  static_cast<void>(task.Park(leaf, *this));
  return true;
}

void LookUpOp::OnCancel(Suspension& suspension) {
  LookUpOp& self = static_cast<LookUpOp&>(suspension);
  if (!self.state_->Leave(self.wait_)) return;  // it is about to continue
  self.wait_->ForgetTask();
  self.wait_.reset();
  self.task_->Wake();
}

std::string LookUpOp::Describe(const Suspension& suspension) {
  return absl::StrCat("the addresses of ",
                      static_cast<const LookUpOp&>(suspension).host_);
}

Result LookUpOp::await_resume() {
  if (wait_ == nullptr) return std::move(result_);
  return std::exchange(wait_, nullptr)->TakeResult();
}

}  // namespace ringway
