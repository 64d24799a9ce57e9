// SPDX-License-Identifier: Apache-2.0
//
// Runtime: worker threads, each with its own executor, that serve listeners.
//
//   ringway::Runtime::Builder builder;
//   builder.Listen("127.0.0.1:7878", Echo);
//   return ringway::RunUntilSignal(builder);
//
// A connection stays on the worker that accepted it. Several workers share an
// address through SO_REUSEPORT: the kernel distributes connections, and none is
// passed between workers.

#ifndef RINGWAY_RUNTIME_RUNTIME_H_
#define RINGWAY_RUNTIME_RUNTIME_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp.h"
#include "ringway/runtime/unix_path.h"

namespace ringway {

namespace internal {
class StartUp;
class Worker;
struct RuntimeConfig;
}  // namespace internal

// Counters of a runtime, summed over its workers.
struct RuntimeReport {
  uint64_t accepted = 0;     // connections
  uint64_t refused = 0;      // closed at once: a limit, or no memory
  uint64_t ended_ok = 0;     // connection tasks that returned OK
  uint64_t ended_error = 0;  // that returned another status
  uint64_t ended_throw = 0;  // that threw
  // Connection tasks that returned, by absl::StatusCode.
  std::array<uint64_t, 17> ended_by_code = {};
  // OnStart tasks that returned an error or threw; each is reported on stderr.
  uint64_t start_failed = 0;
  // Listeners whose socket became unusable; reported on stderr at once.
  uint64_t listeners_failed = 0;
  // Thrown by posted functions, detached tasks and the loops' own functions;
  // each was passed to ExecutorOptions::on_detached_exception.
  uint64_t exceptions = 0;
  uint64_t cut = 0;  // still running at the drain deadline, then cancelled
  uint64_t system_calls = 0;  // of the loops
  uint64_t operations = 0;    // ended, and deliveries of multishot ones
  uint64_t turns = 0;         // of the loops
  uint64_t spins = 0;         // turns that spun before they blocked

  // True when every connection ended by itself.
  bool drained() const { return cut == 0; }
};

// The effect of a failed OnStart().
enum class OnStartFailure : uint8_t {
  kReport,      // it is reported on stderr and counted; the server runs
  kFailLaunch,  // Launch() fails with its status
};

// A forked child has none of its parent's workers. There Shutdown(), Cut() and
// Wait() abort with a message, messages to workers() are refused
// (FailedPrecondition), and destructors and exit() do not affect the parent. So
// a server that runs in the background must call daemon(3) before Launch().
class Runtime {
 public:
  // Serves one connection; its status is counted by code and does not affect
  // the server. Called on the workers' threads, concurrently.
  using ConnectionHandler = std::function<Task<absl::Status>(net::TcpStream)>;
  // Runs once on every worker, which does not wait for it. In a drain it is
  // cancelled if it is still running when the connections have ended.
  using StartHandler = std::function<Task<absl::Status>()>;

  // The configuration. Nothing is checked or done before Launch(), which copies
  // everything and may be called again.
  class Builder {
   public:
    Builder();
    Builder(Builder&&) noexcept;
    ~Builder();

    // Worker threads, 1 (the default) to 1,024.
    Builder& Workers(int n);
    // Pins worker i to CPU `first + i`, which is below CPU_SETSIZE (1,024); a
    // negative `first` (the default) pins nothing.
    Builder& Pin(int first);
    // Options of each worker's executor, including its backend, which is the
    // same for all workers: if BackendKind::kAuto gets io_uring for some and
    // not for others, all are restarted on epoll, with one log line. max_tasks
    // must allow one task of the worker's own, one for each Listen(), one for
    // each OnStart(), and one for a connection.
    Builder& Options(const ExecutorOptions& options);
    // Serves the stream address `address` (SocketAddress::Parse) with
    // `handler`. May be called several times; without any call the workers only
    // run OnStart().
    Builder& Listen(std::string_view address, ConnectionHandler handler);
    // Runs `handler` on every worker once all workers are running and the
    // listeners are open. May be called several times; the handlers run
    // concurrently. Those with kFailLaunch run before any connection is
    // accepted, one after the other, and Launch() waits for them.
    Builder& OnStart(StartHandler handler,
                     OnStartFailure failure = OnStartFailure::kReport);
    // Most concurrent connections per worker (default 100,000); a further one
    // is closed at once and counted. So is one that would exceed
    // ExecutorOptions::max_tasks.
    Builder& MaxConnections(size_t n);
    // How long Shutdown() waits for connections to end (default 10 s) before it
    // cancels them; 0 or more, may be infinite.
    Builder& DrainDeadline(absl::Duration deadline);

    // Starts the workers, and when all of them are ready opens the listeners.
    // All or nothing: after an error no thread runs and no fd is open. An
    // address in use is an error, even if its owner would share it.
    //
    // Errors: InvalidArgument naming the setting; the error of starting the
    //         thread, the backend, the pinning or the listener; the status of
    //         an OnStart() with kFailLaunch, or Internal with its exception.
    absl::StatusOr<std::unique_ptr<Runtime>> Launch();

   private:
    friend int RunUntilSignal(Builder& builder, absl::Duration limit);

    // Aborts with a message if the builder was moved from.
    class Config {
     public:
      explicit Config(std::unique_ptr<internal::RuntimeConfig> config);
      Config(Config&&) noexcept;
      ~Config();
      internal::RuntimeConfig& operator*() const;
      internal::RuntimeConfig* operator->() const { return &**this; }

     private:
      std::unique_ptr<internal::RuntimeConfig> config_;
    };

    Config config_;
  };

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

  // The workers, for SpawnOn() and Post() from any thread. A handle may outlive
  // the runtime; calls through it are then refused.
  const std::vector<ExecutorHandle>& workers() const { return handles_; }

  // How the workers' backend was set up, see Backend::description().
  const std::string& backend_description() const {
    return backend_description_;
  }

  // Stops accepting and begins to drain. Any thread, any number of times;
  // returns at once.
  void Shutdown();

  // Ends the drain: cancels the remaining connections. Otherwise as Shutdown().
  void Cut();

  // Waits until every worker has ended, which requires a Shutdown(); then
  // removes the paths of its Unix sockets, unless other sockets have been bound
  // to them, and returns the counters. Any thread but its workers' (checked),
  // any number of times.
  RuntimeReport Wait();

 private:
  friend class Builder;
  friend int RunUntilSignal(Builder& builder, absl::Duration limit);
  explicit Runtime(std::unique_ptr<internal::RuntimeConfig> config);

  absl::Status StartWorkers();
  absl::Status StartEachWorker();
  bool OnOneBackend() const;
  absl::Status OpenListeners();
  absl::Status RunRequiredStarts();
  void RemoveUnixSockets();
  // True if Wait() would return at once.
  bool HasEnded() const;
  void CheckNotOnWorker() const;

  const OwnerProcess owner_;
  std::unique_ptr<internal::RuntimeConfig> config_;
  std::unique_ptr<internal::StartUp> start_up_;
  std::mutex end_mutex_;
  std::list<internal::UnixPath> unix_paths_;  // of the listeners
  std::vector<ExecutorHandle> handles_;
  std::vector<std::unique_ptr<internal::Worker>> workers_;
  std::vector<net::SocketAddress> addresses_;
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

// Launches `builder`, prints one line `listening on ADDRESS` for each listener
// and one naming the backend, and serves until SIGINT or SIGTERM, or until
// `limit` has passed. Then drains and prints the counters. A second signal ends
// the drain.
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
int RunUntilSignal(Runtime::Builder& builder,
                   absl::Duration limit = absl::InfiniteDuration());

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_RUNTIME_H_
