// SPDX-License-Identifier: Apache-2.0
//
// HostResolver: looks up hosts on threads of its own, so that a slow name
// server delays nothing but those who wait for it. net::SystemResolver has the
// addresses as net::SocketAddress, and net::ConnectToHost() uses that.
//
//   absl::StatusOr<HostAddresses> found =
//       co_await resolver.LookUp("example.org");

#ifndef RINGWAY_POOLS_RESOLVER_HOST_RESOLVER_H_
#define RINGWAY_POOLS_RESOLVER_HOST_RESOLVER_H_

#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/pools/blocking/run_blocking.h"
#include "ringway/pools/job_pool.h"
#include "ringway/pools/resolver/host_lookup.h"

namespace ringway {

// At least one; shared by all who asked for the host.
using HostAddresses = std::shared_ptr<const std::vector<HostAddress>>;

// Upper limit of HostResolverOptions::max_cached.
inline constexpr uint32_t kMostCachedHosts = 1u << 20;

struct HostResolverOptions {
  HostResolverOptions() {}

  // As those of ThreadPoolOptions.
  uint32_t max_threads = 8;
  uint32_t max_queued = 1'000;

  // How long addresses are kept and not looked up again; 0, the default: not at
  // all, because the C library does not tell for how long they are valid.
  // Failures are never kept.
  absl::Duration cache_time;
  // The most hosts that are kept, up to kMostCachedHosts; the oldest go first.
  uint32_t max_cached = 1'000;

  // What looks up a host, on any of the threads. For tests.
  std::function<absl::StatusOr<std::vector<HostAddress>>(const std::string&)>
      look_up = &LookUpHost;
};

// InvalidArgument with the option and its limits if one is out of range.
absl::Status CheckHostResolverOptions(const HostResolverOptions& options);

struct HostResolverStats {
  // Calls of LookUp().
  uint64_t asked = 0;
  uint64_t from_cache = 0;
  uint64_t shared = 0;     // that joined a look-up in progress
  uint64_t refused = 0;    // for lack of room in the queue, or of threads
  uint64_t cancelled = 0;  // that did not wait for the end
  uint64_t waiting = 0;    // currently

  uint64_t failed = 0;  // look-ups that ended with an error
  uint64_t cached = 0;  // hosts that are kept, currently

  // Look-ups, and calls of NameOf().
  JobPoolStats pool;
};

namespace internal {
class LookUpWait;
class ResolverState;
}  // namespace internal

class [[nodiscard]] LookUpOp;

// Threads: any; LookUp() is for tasks.
class HostResolver {
 public:
  // Errors: InvalidArgument. Starts no thread.
  static absl::StatusOr<std::unique_ptr<HostResolver>> Create(
      const HostResolverOptions& options = HostResolverOptions());

  HostResolver(const HostResolver&) = delete;
  HostResolver& operator=(const HostResolver&) = delete;
  // Waits for the look-ups that have begun; the others end with Unavailable. In
  // a forked child it does nothing.
  ~HostResolver();

  // The addresses of `host`. Equal names that are asked for at the same time,
  // also by other workers, are looked up once.
  //
  // Errors:       those of LookUpHost(). ResourceExhausted naming the limit;
  //               Unavailable if the resolver has ended. Cancelled.
  // Ownership:    the resolver may end before the await does.
  // Cancellation: at once. A look-up that nobody waits for any more is not
  //               begun; one that has begun goes on alone.
  // Cost:         a thread's look-up, unless it is in the cache. The worker
  //               waits for no other thread.
  LookUpOp LookUp(std::string host);

  // The name of the host that has `address`, whose port does not count; neither
  // shared nor kept.
  //
  // Errors: those of LookUpName(); otherwise as LookUp().
  RunBlockingOp<absl::StatusOr<std::string>> NameOf(const HostAddress& address);

  // Also after End().
  HostResolverStats stats() const;

  // What the destructor does, for a resolver whose counters are still read.
  // Look-ups are refused from then on. Once (again: nothing).
  //
  // Threads: one.
  void End();

 private:
  explicit HostResolver(std::shared_ptr<internal::ResolverState> state);

  const std::shared_ptr<internal::ResolverState> state_;
};

class [[nodiscard]] LookUpOp : private Suspension {
 public:
  LookUpOp(std::shared_ptr<internal::ResolverState> state, std::string host);
  LookUpOp(const LookUpOp&) = delete;
  LookUpOp& operator=(const LookUpOp&) = delete;
  ~LookUpOp();

  bool await_ready() const noexcept { return false; }
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    return Begin(leaf, leaf.promise().task());
  }
  absl::StatusOr<HostAddresses> await_resume();

 private:
  bool Begin(std::coroutine_handle<> leaf, TaskContext& task);
  static void OnCancel(Suspension& suspension);
  static std::string Describe(const Suspension& suspension);

  const std::shared_ptr<internal::ResolverState> state_;
  const std::string host_;
  // While it waits, and until the result is taken:
  std::shared_ptr<internal::LookUpWait> wait_;
  TaskContext* task_ = nullptr;
  absl::StatusOr<HostAddresses> result_;  // once it waits no more
};

}  // namespace ringway

#endif  // RINGWAY_POOLS_RESOLVER_HOST_RESOLVER_H_
