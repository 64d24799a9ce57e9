// SPDX-License-Identifier: Apache-2.0
//
// ResolverState: what the calls of a HostResolver share: look-ups in progress,
// the cache, the counters, and the pool.
//
// Look-ups and cache belong to a strand (core/containers/strand.h). To ask, to
// leave and to finish are functions that are posted to it, so that no thread
// waits for another.

#ifndef RINGWAY_POOLS_RESOLVER_RESOLVER_STATE_H_
#define RINGWAY_POOLS_RESOLVER_RESOLVER_STATE_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/containers/strand.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/remote/parked_task.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/pools/job_pool.h"
#include "ringway/pools/resolver/host_cache.h"
#include "ringway/pools/resolver/host_resolver.h"
#include "ringway/pools/thread_pool.h"

namespace ringway::internal {

// One task's wait. Refers to nothing that refers to it.
class LookUpWait {
 public:
  LookUpWait(ResolverState& state, TaskContext& task, std::string host);

  // Once the result is there.
  absl::StatusOr<HostAddresses> TakeResult() { return std::move(result_); }
  // The task is not to be woken any more. On its thread.
  void ForgetTask() { parked_->Forget(); }

 private:
  friend class ResolverState;

  // Posted to the strand; keeps the wait alive until it has run.
  struct Request : StrandNode {
    Request(Function run, LookUpWait& w) : StrandNode(run), wait(w) {}
    LookUpWait& wait;
    std::shared_ptr<LookUpWait> keep;
  };
  enum class Step : uint8_t {
    kAsking,  // the task goes on at once if the result comes now
    kParked,  // it must be woken
    kLeft,    // it has gone on without a result
    kDone,    // the result is there
  };

  ResolverState& state_;  // outlives its strand's functions
  const std::string host_;
  const std::shared_ptr<ParkedTask> parked_;
  Request ask_;
  Request leave_;
  absl::StatusOr<HostAddresses> result_;  // published by storing kDone
  std::atomic<Step> step_{Step::kAsking};
};

// One look-up in progress, and those who wait for it. As a StrandNode it means
// "has ended".
class LookUp final : public Job, public StrandNode {
 public:
  LookUp(std::shared_ptr<ResolverState> state, const std::string& host);

 private:
  friend class ResolverState;

  void Run() noexcept override;
  void Drop() noexcept override;

  const std::shared_ptr<ResolverState> state_;
  const std::string host_;
  absl::StatusOr<HostAddresses> result_;
  // The strand's:
  std::vector<std::shared_ptr<LookUpWait>> waits_;
};

class ResolverState : public std::enable_shared_from_this<ResolverState> {
 public:
  explicit ResolverState(const HostResolverOptions& options);

  // Asks for the addresses of `host`, which is in lower case. The caller must
  // refer to this meanwhile, as for Leave().
  std::shared_ptr<LookUpWait> Ask(std::string host, TaskContext& task);
  // True: `task` will be woken when the result is there. False: it is.
  bool Park(LookUpWait& wait);
  // True if the task of `wait` will not be woken; false if it is about to be.
  bool Leave(const std::shared_ptr<LookUpWait>& wait);

  HostResolverStats stats() const;
  void End();

  bool forked() const { return owner_.forked(); }
  const HostResolverOptions& options() const { return options_; }
  const std::shared_ptr<JobPool>& jobs() const { return jobs_; }

 private:
  friend class LookUp;
  friend class LookUpWait;

  using Result = absl::StatusOr<HostAddresses>;
  using Counter = std::atomic<uint64_t>;

  static std::unique_ptr<ThreadPool> MakePool(
      const HostResolverOptions& options);
  void Post(LookUpWait::Request& request,
            const std::shared_ptr<LookUpWait>& wait);

  // --- On the strand.

  static void OnAsk(StrandNode& node);
  static void OnLeave(StrandNode& node);
  static void OnFinish(StrandNode& node);
  void AskNow(const std::shared_ptr<LookUpWait>& wait);
  void StartLookUp(const std::shared_ptr<LookUpWait>& wait);
  absl::Status StartJob(const std::shared_ptr<LookUp>& look_up);
  void LeaveNow(const LookUpWait& wait);
  void Finish(LookUp& look_up);
  void Deliver(LookUpWait& wait, const Result& result);

  const OwnerProcess owner_;
  const HostResolverOptions options_;
  const absl::Status no_memory_;  // made while there was some
  std::unique_ptr<ThreadPool> pool_;
  const std::shared_ptr<JobPool> jobs_;

  Strand strand_;
  // The strand's; the keys are the look-ups' own.
  std::map<std::string_view, std::shared_ptr<LookUp>> in_progress_;
  HostCache cache_;

  // As in HostResolverStats.
  Counter asked_{0};
  Counter from_cache_{0};
  Counter shared_{0};
  Counter refused_{0};
  Counter cancelled_{0};
  Counter waiting_{0};
  Counter failed_{0};
  Counter cached_{0};
};

}  // namespace ringway::internal

#endif  // RINGWAY_POOLS_RESOLVER_RESOLVER_STATE_H_
