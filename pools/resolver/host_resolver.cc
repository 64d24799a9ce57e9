// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/resolver/host_resolver.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/check_option.h"
#include "ringway/core/leak_in_child.h"
#include "ringway/core/owner_thread.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/remote/parked_task.h"
#include "ringway/executor/remote/pooled.h"
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

namespace internal {

// One task's wait. Refers to nothing that refers to it.
class LookUpWait {
 public:
  explicit LookUpWait(TaskContext& task)
      : parked(MakePooled<ParkedTask>(task)) {}

  const std::shared_ptr<ParkedTask> parked;
  Result result;  // written before the task is woken
};

// One look-up in progress, and those who wait for it.
class LookUp final : public Job {
 public:
  LookUp(std::shared_ptr<ResolverState> s, std::string h)
      : state(std::move(s)), host(std::move(h)) {}

  const std::shared_ptr<ResolverState> state;
  const std::string host;
  std::vector<std::shared_ptr<LookUpWait>>
      waits;  // guarded by the state's mutex

 private:
  void Run() noexcept override;
  void Drop() noexcept override;
};

class ResolverState : public std::enable_shared_from_this<ResolverState> {
 public:
  explicit ResolverState(const HostResolverOptions& options)
      : options_(options), pool_(MakePool(options)), jobs_(pool_->jobs()) {}

  // The result, if it is there. Otherwise sets `look_up` and `wait`; the task
  // of `wait` is woken when that has the result, unless it leaves.
  std::optional<Result> Ask(const std::string& host, TaskContext& task,
                            std::shared_ptr<LookUp>& look_up,
                            std::shared_ptr<LookUpWait>& wait);
  // True if the task of `wait` will not be woken; false if it is about to be.
  bool Leave(LookUp& look_up, const LookUpWait& wait);
  void Finish(LookUp& look_up, Result result);

  HostResolverStats stats() const;
  void End();

  const HostResolverOptions& options() const { return options_; }
  const std::shared_ptr<JobPool>& jobs() const { return jobs_; }

 private:
  struct Cached {
    HostAddresses addresses;
    MonotonicTime until;
  };

  static std::unique_ptr<ThreadPool> MakePool(
      const HostResolverOptions& options);
  void Keep(const std::string& host, const HostAddresses& addresses);
  void DropOldest();
  void DropExpired();

  const OwnerProcess owner_;
  const HostResolverOptions options_;
  std::unique_ptr<ThreadPool> pool_;
  const std::shared_ptr<JobPool> jobs_;
  mutable std::mutex mutex_;  // guards all below
  std::map<std::string, std::shared_ptr<LookUp>> in_progress_;
  std::map<std::string, Cached> cache_;
  std::deque<std::string> cached_;  // the oldest first
  HostResolverStats stats_;
};

void LookUp::Run() noexcept {
  Result result = absl::InternalError("");
  try {
    absl::StatusOr<std::vector<HostAddress>> found =
        state->options().look_up(host);
    if (found.ok()) {
      result =
          std::make_shared<const std::vector<HostAddress>>(*std::move(found));
    } else {
      result = found.status();
    }
  } catch (const std::exception& e) {
    result = absl::InternalError(
        absl::StrCat("looking up \"", host, "\" threw: ", e.what()));
  }
  state->Finish(*this, std::move(result));
}

void LookUp::Drop() noexcept {
  state->Finish(*this, absl::UnavailableError("the resolver has ended"));
}

std::unique_ptr<ThreadPool> ResolverState::MakePool(
    const HostResolverOptions& options) {
  ThreadPoolOptions of_pool;
  of_pool.name = "resolver";
  of_pool.max_threads = options.max_threads;
  of_pool.max_queued = options.max_queued;
  return *ThreadPool::Create(of_pool);
}

std::optional<Result> ResolverState::Ask(const std::string& host,
                                         TaskContext& task,
                                         std::shared_ptr<LookUp>& look_up,
                                         std::shared_ptr<LookUpWait>& wait) {
  if (owner_.forked()) {
    return absl::FailedPreconditionError(
        "a HostResolver belongs to the parent process; a forked child must "
        "make its own");
  }
  const std::string key = absl::AsciiStrToLower(host);
  std::lock_guard<std::mutex> lock(mutex_);
  ++stats_.asked;
  DropExpired();
  if (const auto cached = cache_.find(key); cached != cache_.end()) {
    ++stats_.from_cache;
    return cached->second.addresses;
  }
  const auto found = in_progress_.find(key);
  if (found != in_progress_.end()) {
    ++stats_.shared;
    look_up = found->second;
  } else {
    look_up = std::make_shared<LookUp>(shared_from_this(), key);
    // It cannot finish before the mutex is released.
    if (absl::Status s = jobs_->Start(look_up); !s.ok()) {
      look_up.reset();
      ++stats_.refused;
      return s;
    }
    in_progress_.emplace(key, look_up);
  }
  wait = std::make_shared<LookUpWait>(task);
  look_up->waits.push_back(wait);
  ++stats_.waiting;
  return std::nullopt;
}

bool ResolverState::Leave(LookUp& look_up, const LookUpWait& wait) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto mine = std::ranges::find(look_up.waits, &wait,
                                      &std::shared_ptr<LookUpWait>::get);
  if (mine == look_up.waits.end()) return false;
  look_up.waits.erase(mine);
  --stats_.waiting;
  ++stats_.cancelled;
  if (look_up.waits.empty() && jobs_->Withdraw(look_up))
    in_progress_.erase(look_up.host);
  return true;
}

void ResolverState::Finish(LookUp& look_up, Result result) {
  std::vector<std::shared_ptr<LookUpWait>> waits;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    in_progress_.erase(look_up.host);
    waits.swap(look_up.waits);
    stats_.waiting -= waits.size();
    if (result.ok()) {
      Keep(look_up.host, *result);
    } else {
      ++stats_.failed;
    }
  }
  for (const std::shared_ptr<LookUpWait>& wait : waits) {
    wait->result = result;
    ParkedTask::Wake(wait->parked);
  }
}

void ResolverState::Keep(const std::string& host,
                         const HostAddresses& addresses) {
  if (options_.cache_time == absl::ZeroDuration() || options_.max_cached == 0)
    return;
  while (cache_.size() >= options_.max_cached) DropOldest();
  cache_[host] = {addresses, Clock::Real().Now() + options_.cache_time};
  cached_.push_back(host);
}

void ResolverState::DropOldest() {
  cache_.erase(cached_.front());
  cached_.pop_front();
}

// All are kept for the same time.
void ResolverState::DropExpired() {
  if (cached_.empty()) return;
  const MonotonicTime now = Clock::Real().Now();
  while (!cached_.empty() && cache_[cached_.front()].until <= now) DropOldest();
}

HostResolverStats ResolverState::stats() const {
  std::lock_guard<std::mutex> lock(mutex_);
  HostResolverStats stats = stats_;
  stats.cached = cache_.size();
  stats.pool = jobs_->stats();
  return stats;
}

void ResolverState::End() {
  if (owner_.forked()) {
    LeakInChild(shared_from_this());
  } else {
    pool_.reset();
  }
}

}  // namespace internal

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
  wait_->parked->Forget();
  static_cast<void>(state_->Leave(*look_up_, *wait_));
}

bool LookUpOp::Begin(std::coroutine_handle<> leaf, TaskContext& task) {
  task_ = &task;
  if (task.cancelled()) return task.SkipWait(leaf);
  if (std::optional<Result> result =
          state_->Ask(host_, task, look_up_, wait_)) {
    result_ = *std::move(result);
    return task.SkipWait(leaf);
  }
  // Woken by a message to this thread, so not before this has returned.
  static_cast<void>(task.Park(leaf, *this));
  return true;
}

void LookUpOp::OnCancel(Suspension& suspension) {
  LookUpOp& self = static_cast<LookUpOp&>(suspension);
  if (!self.state_->Leave(*self.look_up_, *self.wait_))
    return;  // it is about to continue
  self.wait_.reset();
  self.task_->Wake();
}

std::string LookUpOp::Describe(const Suspension& suspension) {
  return absl::StrCat("the addresses of ",
                      static_cast<const LookUpOp&>(suspension).host_);
}

Result LookUpOp::await_resume() {
  if (wait_ == nullptr) return std::move(result_);
  return std::move(std::exchange(wait_, nullptr)->result);
}

}  // namespace ringway
