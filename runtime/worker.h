// SPDX-License-Identifier: Apache-2.0
//
// Worker: one thread of a Runtime with its executor and its Server.
//
// It starts in steps, so that everything that can fail does so before the first
// connection is served: StartThread(), Arrange(), Serve(). They also allocate
// all that shutdown needs: Shutdown(), Cut() and the drain need no memory and
// no thread.

#ifndef RINGWAY_RUNTIME_WORKER_H_
#define RINGWAY_RUNTIME_WORKER_H_

#include <atomic>
#include <cstddef>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/diagnostics/stall_detector.h"
#include "ringway/executor/diagnostics/trace_recorder.h"
#include "ringway/executor/diagnostics/turn_times.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/runtime/distribution/handover.h"
#include "ringway/runtime/metrics/runtime_snapshot.h"
#include "ringway/runtime/pools/runtime_pools.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/runtime_config.h"
#include "ringway/runtime/serving/server.h"
#include "ringway/runtime/start_up.h"

namespace ringway::internal {

// A listening socket of one worker, and what serves its connections.
struct BoundSocket {
  SocketFd fd;
  const Server::Endpoint* endpoint;
};

struct BoundUdpSocket {
  SocketFd fd;
  const Server::UdpEndpoint* endpoint;
};

// All sockets of one worker.
struct WorkerSockets {
  std::vector<BoundSocket> listening;
  std::vector<BoundUdpSocket> udp;
};

class Worker : public HandoverTarget {
 public:
  // What tells the threads of a runtime from each other.
  struct Role {
    std::string name;  // "worker 3"
    int index;         // of the worker; -1 for the acceptor, which runs no
                       // code of users
    int cpu;           // that it is pinned to; negative: none
    ServerOptions server;
    StallDetector* stall_detector = nullptr;  // that watches it, if any
    const RuntimePools* pools = nullptr;      // that its tasks use, if any
  };

  // `runtime` and `config` must outlive the worker.
  Worker(Runtime& runtime, const RuntimeConfig& config, Role role);
  // Requires that the thread has ended: Join() was called, or there is none.
  virtual ~Worker();

  // Starts the thread and makes its executor. Call WaitUntilStarted() once;
  // afterwards start_status() is the outcome.
  void StartThread() noexcept;
  void WaitUntilStarted() noexcept;
  absl::Status start_status() const;

  // Makes a listener, or a UDP socket, of each of `sockets`. `workers`, all of
  // its runtime, must outlive it. `expects_admits`: connections are admitted
  // that an acceptor has accepted, until NoMoreAdmits(). Any thread, once; call
  // WaitUntilArranged() once for the outcome.
  void Arrange(std::span<const ExecutorHandle> workers, WorkerSockets sockets,
               bool expects_admits) noexcept;
  absl::Status WaitUntilArranged();

  // Runs the required OnStart() handlers and reports the outcome to `start_up`,
  // which must outlive the worker's thread. Any thread, once.
  void StartUpFor(StartUp& start_up) noexcept;

  // Runs OnStart() and accepts. Any thread, like the three below.
  void Serve() noexcept { Send(serve_); }
  void NoMoreAdmits() noexcept { Send(no_more_); }
  void Shutdown() noexcept { Send(shut_down_); }
  void Cut() noexcept { Send(cut_down_); }
  // Waits for the thread to end; requires a Shutdown().
  void Join();  // any thread, any number of times

  // Valid once it has started.
  const std::string& backend_description() const {
    return backend_description_;
  }
  std::string_view backend_name() const { return backend_name_; }
  // Its backend's socket calls. Any thread.
  SocketCalls& sockets() const { return *sockets_of_backend_; }

  // HandoverTarget.
  void TakeOver(size_t endpoint, SocketFd fd) override;
  uint64_t n_over() const override { return server_->n_admitted_over(); }
  const ExecutorHandle& handle() const override { return handle_; }

  int index() const { return role_.index; }
  Runtime& runtime() const { return runtime_; }
  bool IsThisThread() const;
  bool forked() const { return owner_.forked(); }
  // On the worker's thread, once arranged.
  std::span<const ExecutorHandle> workers() const { return workers_; }

  // The counters of the worker of this thread, which must be one (checked).
  static WorkerSnapshot SnapshotOfThisOne();
  // True on a thread of a runtime, of any, whatever it does there.
  static bool IsOnAny();

  // True once its executor is destroyed and Join() returns at once. Any thread.
  bool has_ended() const { return ended_.load(std::memory_order_acquire); }

  // What was recorded; null if nothing is.
  const TraceRecorder* trace() const { return trace_.get(); }

  // After Join().
  const RuntimeReport& report() const { return report_; }

 protected:
  // On its thread, when all connections have ended.
  virtual void OnServed() {}

 private:
  // A call to make on the worker's thread, once. Sending it allocates nothing.
  struct Order : InboxMessage {
    Order(Worker& w, void (Worker::*a)())
        : InboxMessage(&Received), worker(w), act(a) {}
    static void Received(InboxMessage& message, bool accepted);
    Worker& worker;
    void (Worker::*const act)();
    std::atomic<bool> sent{false};
  };

  bool runs_handlers() const { return role_.index >= 0; }
  WorkerSnapshot Snapshot() const;
  void Send(Order& order) noexcept;
  void ThreadMain();
  absl::Status Prepare();
  void FillReport();
  // On the worker's thread.
  void DoArrange();
  void DoStartUp();
  absl::Status ServeSockets();
  void SpawnHandlers();
  void DoServe();
  void DoNoMoreAdmits() { server_->NoMoreAdmits(); }
  void DoShutdown();
  void DoCut();
  Task<void> Main();
  // Spawns a task that calls the handlers one after the other, until one
  // fails. Throws std::bad_alloc.
  [[gnu::noinline]] void Start(std::span<const StartHandler> handlers,
                               bool required);
  Task<void> RunStartHandlers(std::span<const StartHandler> handlers,
                              bool required);
  void ReportStart(bool required, const absl::Status& status);
  Task<void> RunStopHandlers();
  Task<void> TickFor(const TickConfig& tick);

  const OwnerProcess owner_;
  Runtime& runtime_;
  const RuntimeConfig& config_;
  const Role role_;
  std::mutex join_mutex_;
  std::thread thread_;
  std::promise<absl::Status> started_;
  absl::Status start_status_;  // without text if there was no memory for it
  int start_errno_ = 0;        // of starting the thread
  std::promise<absl::Status> arranged_;
  ExecutorHandle handle_;
  std::string backend_description_;
  std::string backend_name_;
  SocketCalls* sockets_of_backend_ = nullptr;
  RuntimeReport report_;
  std::atomic<bool> ended_{false};
  StartUp* start_up_ = nullptr;
  Order arrange_{*this, &Worker::DoArrange};
  Order begin_{*this, &Worker::DoStartUp};
  Order serve_{*this, &Worker::DoServe};
  Order no_more_{*this, &Worker::DoNoMoreAdmits};
  Order shut_down_{*this, &Worker::DoShutdown};
  Order cut_down_{*this, &Worker::DoCut};

  // Of the worker's thread only, except for Server::connections(). The server
  // outlives the executor, whose tasks refer to it.
  std::unique_ptr<TraceRecorder> trace_;
  std::unique_ptr<TurnTimes> times_;  // null: there is no page of metrics
  std::unique_ptr<Server> server_;
  std::unique_ptr<Executor> executor_;
  StallDetector::Watch watch_;
  std::span<const ExecutorHandle> workers_;
  WorkerSockets sockets_;  // until the server has them
  bool expects_admits_ = false;
  // Also set by the shutdown: check shutting_down_ after waiting for it.
  Event serving_;
  bool shutting_down_ = false;
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_WORKER_H_
