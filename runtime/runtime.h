// SPDX-License-Identifier: Apache-2.0
//
// Runtime: worker threads, each with its own executor, that serve listeners.
//
//   ringway::Runtime::Builder builder;
//   builder.Listen("127.0.0.1:7878", Echo);
//   return ringway::RunUntilSignal(builder);
//
// A connection stays on its worker. Several workers share an address through
// SO_REUSEPORT, and the kernel distributes connections; or one thread accepts
// for all of them (Accepting).

#ifndef RINGWAY_RUNTIME_RUNTIME_H_
#define RINGWAY_RUNTIME_RUNTIME_H_

#include <atomic>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/diagnostics/stall_detector.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp.h"
#include "ringway/runtime/metrics/runtime_snapshot.h"  // IWYU pragma: export
#include "ringway/runtime/runtime_builder.h"           // IWYU pragma: export
#include "ringway/runtime/runtime_report.h"            // IWYU pragma: export
#include "ringway/runtime/unix_path.h"

namespace ringway {

namespace internal {
class Acceptor;
class MetricsWorker;
class RuntimePools;
class StartUp;
class Worker;
struct RuntimeConfig;
struct WorkerSockets;
}  // namespace internal

// A forked child has none of its parent's workers. There Shutdown(), Cut() and
// Wait() abort with a message, messages to workers() are refused
// (FailedPrecondition), and destructors and exit() do not affect the parent. So
// a server that runs in the background must call daemon(3) before Launch().
class Runtime {
 public:
  using Builder = RuntimeBuilder;
  using ConnectionHandler = ringway::ConnectionHandler;
  using DatagramHandler = ringway::DatagramHandler;
  using StartHandler = ringway::StartHandler;

  // The runtime of this thread, which is one of its workers; null elsewhere.
  static Runtime* Current();

  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  // Shuts down and waits. In a forked child it does nothing.
  //
  // Threads: any but its workers' (checked). For a global Runtime that is the
  //          thread that calls exit().
  ~Runtime();

  // The listeners' addresses, in the order of Listen(), with their ports.
  const std::vector<net::SocketAddress>& addresses() const {
    return addresses_;
  }
  // Those of BindUdp(), in its order.
  const std::vector<net::SocketAddress>& udp_addresses() const {
    return udp_addresses_;
  }

  // Where RuntimeBuilder::Metrics() is served, with its port.
  const net::SocketAddress& metrics_address() const { return metrics_address_; }

  // The workers, for SpawnOn() and Post() from any thread. A handle may outlive
  // the runtime; calls through it are then refused.
  const std::vector<ExecutorHandle>& workers() const { return handles_; }

  // How the workers' backend was set up, see Backend::description().
  const std::string& backend_description() const {
    return backend_description_;
  }

  // True until Shutdown(): readiness, for load balancers. Any thread.
  bool ready() const { return !shutting_down_.load(std::memory_order_relaxed); }

  // What the page of metrics shows (docs/metrics.md), taken from each worker on
  // its own thread.
  //
  // Result:  a worker that has ended, or has not answered within `patience`, is
  //          absent, so this returns at any time. Histograms are there with
  //          RuntimeBuilder::Metrics().
  // Threads: any but a worker's (checked), which it would block: tasks have
  //          AwaitSnapshot().
  // Cost:    a message to each worker, which looks at its counters.
  RuntimeSnapshot Snapshot(absl::Duration patience = absl::Seconds(1)) const;

  // The same for tasks, those of the workers and others.
  //
  // Ownership:    the runtime must outlive the await.
  // Cancellation: ends the wait, as if the patience were over.
  Task<RuntimeSnapshot> AwaitSnapshot(
      absl::Duration patience = absl::Seconds(1)) const;

  // Ends the serving in phases (runtime/serving/server.h): LameDuck(); then
  // clients that have connected already are accepted, and the listeners
  // closed, and datagrams that have arrived received; connections may end until
  // DrainDeadline(), see DrainToken(); then they are cancelled. Any thread,
  // also a worker, any number of times; returns at once.
  void Shutdown();

  // Ends the drain: cancels the remaining connections. Otherwise as Shutdown().
  void Cut();

  // Waits until every worker has ended, which requires a Shutdown(), and then
  // the pools of its own; removes the paths of its Unix sockets, unless other
  // sockets have been bound to them, and returns the counters. Any thread but
  // its workers' and its pools' (checked), any number of times.
  RuntimeReport Wait();

 private:
  friend class RuntimeBuilder;
  friend int RunUntilSignal(RuntimeBuilder& builder, absl::Duration limit);
  explicit Runtime(std::unique_ptr<internal::RuntimeConfig> config);

  int n_workers() const;
  absl::Status RaiseFileLimit();
  absl::Status FindAddresses();
  absl::Status StartWorkers();
  absl::Status StartEachWorker();
  bool OnOneBackend() const;
  bool HasOneAcceptor(size_t listener) const;
  absl::Status OpenSockets();
  absl::Status OpenListeners(std::span<internal::WorkerSockets> sockets);
  absl::Status OpenUdp(std::span<internal::WorkerSockets> sockets);
  absl::Status OpenMetrics();
  absl::Status WatchForStalls();
  void WriteTrace();
  absl::Status RunRequiredStarts();
  void RemoveUnixSockets();
  // True if Wait() would return at once, except for the BlockingPool().
  bool HasEnded() const;
  void CheckNotOnWorker() const;
  RuntimeSnapshot WithPools(
      std::vector<std::optional<WorkerSnapshot>> workers) const;

  const OwnerProcess owner_;
  std::unique_ptr<internal::RuntimeConfig> config_;
  std::unique_ptr<internal::RuntimePools> pools_;
  std::unique_ptr<internal::StartUp> start_up_;
  std::atomic<bool> shutting_down_{false};
  std::unique_ptr<StallDetector> stall_detector_;  // of the workers; or null
  std::mutex end_mutex_;
  std::list<internal::UnixPath> unix_paths_;  // of the listeners
  bool trace_written_ = false;
  std::vector<ExecutorHandle> handles_;
  std::vector<std::unique_ptr<internal::Worker>> workers_;
  // Accepts for all of them; null if no listener needs it.
  std::unique_ptr<internal::Acceptor> acceptor_;
  std::vector<internal::Worker*> threads_;  // all of both
  std::unique_ptr<internal::MetricsWorker> metrics_;
  net::SocketAddress metrics_address_;
  std::vector<net::SocketAddress> addresses_;
  std::vector<net::SocketAddress> udp_addresses_;
  std::string backend_description_;
};

// The index of this thread's worker in its runtime, from 0; -1 if it is none.
int CurrentWorker();

// All workers of this thread's runtime, itself included; empty if this thread
// is not a worker. A server that shards its data over the workers calls a
// shard's owner like this:
//   auto found = co_await SpawnOn(CurrentWorkers()[key % n], Find, key);
// In a drain a worker without connections ends before the others; calls to it
// then return Unavailable.
std::span<const ExecutorHandle> CurrentWorkers();

// The object of type T that belongs to this thread's worker; T() makes it at
// the first call. It stays where it is until the worker ends, after all of its
// tasks. Aborts outside of an executor.
//
//   ++ringway::Local<Hits>().n;
template <typename T>
T& Local() {
  return CurrentExecutor().locals().Get<T>();
}

// Launches `builder`, prints one line `listening on ADDRESS` for each listener,
// `listening on udp ADDRESS` for each BindUdp(), and one naming the backend,
// and serves until SIGINT or SIGTERM, or until `limit` has passed. Then drains
// and prints the counters. A second signal ends the drain.
//
// Signals: handled during the call, restored afterwards. No thread blocks them,
//          so programs that a handler starts begin with neither blocked and
//          both at their defaults. A signal that is ignored at the start, as
//          under nohup(1), stays ignored. In a child forked without an exec
//          they act as before the call.
// Result:  an exit code: 0 when everything drained, 1 when the launch failed
//          (the reason goes to stderr) or connections had to be cut.
// Threads: one call at a time in a process. After a signal it starts no thread
//          and opens no fd, so shutdown succeeds at the limits of both.
int RunUntilSignal(RuntimeBuilder& builder,
                   absl::Duration limit = absl::InfiniteDuration());

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_RUNTIME_H_
