// SPDX-License-Identifier: Apache-2.0
//
// Runtime: worker threads, each with an executor of its own, that serve
// listeners.
//
//   ringway::Runtime::Builder builder;
//   builder.Listen("127.0.0.1:7878", Echo);
//   return ringway::RunUntilSignal(builder);
//
// A connection lives and dies on the worker that accepted it. Several workers
// share an address through SO_REUSEPORT: the kernel spreads connections,
// nothing is handed over.

#ifndef RINGWAY_RUNTIME_RUNTIME_H_
#define RINGWAY_RUNTIME_RUNTIME_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
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

// What a runtime did, summed over its workers.
struct RuntimeReport {
  uint64_t accepted = 0;     // connections
  uint64_t refused = 0;      // closed at once: a limit, or no memory
  uint64_t ended_ok = 0;     // connection tasks that returned OK
  uint64_t ended_error = 0;  // that returned another status
  uint64_t ended_throw = 0;  // that threw
  // Of those that returned: by absl::StatusCode.
  std::array<uint64_t, 17> ended_by_code = {};
  // OnStart tasks that returned an error or threw: each is reported on stderr.
  uint64_t start_failed = 0;
  // Listeners whose socket became unusable; reported on stderr at once.
  uint64_t listeners_failed = 0;
  // Thrown by posted functions, detached tasks and the loops' own functions:
  // given to ExecutorOptions::on_detached_exception each.
  uint64_t exceptions = 0;
  uint64_t cut = 0;  // still running at the drain deadline, then cancelled
  uint64_t system_calls = 0;  // of the loops
  uint64_t operations = 0;    // ended, and deliveries of multishot ones
  uint64_t turns = 0;         // of the loops
  uint64_t spins = 0;         // turns that looked on before they blocked

  // True when every connection ended by itself.
  bool drained() const { return cut == 0; }
};

// What becomes of a failure of an OnStart().
enum class OnStartFailure : uint8_t {
  kReport,      // it is reported on stderr and counted; the server serves
  kFailLaunch,  // Launch() fails with its status
};

// A forked child has none of its parent's workers. There Shutdown(), Cut() and
// Wait() abort with a message, what is sent to workers() is refused
// (FailedPrecondition), and destructors and exit() leave the parent's alone. So
// a server that is to run in the background calls daemon(3) before Launch().
class Runtime {
 public:
  // Serves one connection; its status is counted by code and is no error of the
  // server. Called on the worker's thread, by several workers at once.
  using ConnectionHandler = std::function<Task<absl::Status>(net::TcpStream)>;
  // Runs once on every worker, which does not wait for it. Still running when
  // the connections have ended in a drain, it is cancelled.
  using StartHandler = std::function<Task<absl::Status>()>;

  // What to launch. Nothing is checked or done before Launch(), which may be
  // called again: it copies everything.
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
    // The executor of each worker, and through it the backend: the same for all
    // of them. Where BackendKind::kAuto finds io_uring for some and not for
    // others, all are started again on epoll, with one log line. Its max_tasks
    // must have room for one task of the worker's own, one for each Listen(),
    // one for each OnStart(), and one for a connection.
    Builder& Options(const ExecutorOptions& options);
    // Serves the stream address `address` (SocketAddress::Parse) with
    // `handler`. Several may be given; without any the workers run OnStart()
    // alone.
    Builder& Listen(std::string_view address, ConnectionHandler handler);
    // Runs `handler` on every worker once all of them have been launched and
    // the listeners are open. Several may be given; they run at the same time.
    // With kFailLaunch it runs before anything is accepted, one such handler
    // after the other, and Launch() waits for it to end.
    Builder& OnStart(StartHandler handler,
                     OnStartFailure failure = OnStartFailure::kReport);
    // Connections per worker at one time (default 100,000); one more is closed
    // at once and counted. So is one for which ExecutorOptions::max_tasks
    // leaves no task.
    Builder& MaxConnections(size_t n);
    // How long Shutdown() lets connections end by themselves (default 10 s)
    // before it cancels them; 0 or more, also infinite.
    Builder& DrainDeadline(absl::Duration deadline);

    // Starts the workers, and when all of them are ready opens the listeners.
    // All or nothing: after an error nothing runs and nothing is open. An
    // address that somebody listens on already is an error, also if he would
    // share it.
    //
    // Errors: InvalidArgument naming the setting; what refused the thread, the
    //         backend, the pinning or the address; what an OnStart() with
    //         kFailLaunch returned, or Internal with what it threw.
    absl::StatusOr<std::unique_ptr<Runtime>> Launch();

   private:
    friend int RunUntilSignal(Builder& builder, absl::Duration limit);

    // Of a builder that was moved from there is none: aborts, saying so.
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
  // Shuts down and waits. Threads: any but its workers' (checked): a global one
  // is destroyed on the thread that calls exit(). In a forked child it does
  // nothing.
  ~Runtime();

  // What the listeners are bound to, in the order of Listen(), ports resolved.
  const std::vector<net::SocketAddress>& addresses() const {
    return addresses_;
  }

  // The workers, for SpawnOn() and Post() from anywhere. A handle outlives the
  // runtime: what it is given then is refused.
  const std::vector<ExecutorHandle>& workers() const { return handles_; }

  // How the workers' backend was set up, see Backend::description().
  const std::string& backend_description() const {
    return backend_description_;
  }

  // Stops accepting and begins to drain. Any thread, any number of times;
  // returns at once.
  void Shutdown();

  // Ends the drain: cancels the connections that are left. Otherwise as
  // Shutdown().
  void Cut();

  // Waits until every worker has ended, which needs a Shutdown(); then removes
  // the paths of Unix sockets that it listened on, unless others have bound
  // them anew, and says what happened. Any thread but its workers' (checked),
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
  // Whether Wait() takes but a moment.
  bool HasEnded() const;
  void CheckNotOnWorker() const;

  const OwnerProcess owner_;
  std::unique_ptr<internal::RuntimeConfig> config_;
  std::unique_ptr<internal::StartUp> start_up_;
  std::mutex end_mutex_;
  std::vector<internal::UnixPath> unix_paths_;  // of the listeners
  std::vector<ExecutorHandle> handles_;
  std::vector<std::unique_ptr<internal::Worker>> workers_;
  std::vector<net::SocketAddress> addresses_;
  std::string backend_description_;
};

// Which of its runtime's workers this thread is, from 0; -1 if it is none.
int CurrentWorker();

// All workers of the runtime that this thread works for, itself included; empty
// if it is no worker. A server that gives each worker a share of its data finds
// the owner so:
//   auto found = co_await SpawnOn(CurrentWorkers()[key % n], Find, key);
// In a drain a worker without connections ends before the others, and what it
// is given then is Unavailable.
std::span<const ExecutorHandle> CurrentWorkers();

// Launches `builder`, prints one line `listening on ADDRESS` for each listener
// and one naming the backend, and serves until SIGINT or SIGTERM, or until
// `limit` has passed. Then drains and prints the counters. A second signal cuts
// the drain short.
//
// Signals: the two are handled meanwhile, and as before afterwards. They are
//          not blocked, in no thread, so programs that a handler starts begin
//          with neither blocked and both at their defaults. One that is ignored
//          at the start, as under nohup(1), stays ignored and ends nothing. A
//          child that was forked without an exec gets them as before the call.
// Result:  an exit code: 0 when everything drained, 1 when the launch failed
//          (the reason goes to stderr) or connections had to be cut.
// Threads: one at a time in a process. From a signal on it starts no thread and
//          opens no fd: it ends also where there can be none.
int RunUntilSignal(Runtime::Builder& builder,
                   absl::Duration limit = absl::InfiniteDuration());

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_RUNTIME_H_
