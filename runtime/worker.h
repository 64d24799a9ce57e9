// SPDX-License-Identifier: Apache-2.0
//
// Worker: one thread of a Runtime with its executor, its listeners and its
// connections.
//
// It starts in steps, so that everything that can fail does so before the first
// connection is served: StartThread(), Arrange(), Serve(). They also allocate
// all that shutdown needs: Shutdown(), Cut() and the drain need no memory and
// no thread.

#ifndef RINGWAY_RUNTIME_WORKER_H_
#define RINGWAY_RUNTIME_WORKER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/owner_thread.h"
#include "ringway/core/runnable.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/tcp.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/start_up.h"

namespace ringway::internal {

struct ListenConfig {
  std::string address;
  Runtime::ConnectionHandler handler;
};

struct RuntimeConfig {
  int workers = 1;
  int first_cpu = -1;
  ExecutorOptions executor;
  std::vector<ListenConfig> listen;
  std::vector<Runtime::StartHandler> on_start;        // kReport
  std::vector<Runtime::StartHandler> required_start;  // kFailLaunch
  size_t max_connections = 100'000;
  absl::Duration drain_deadline = absl::Seconds(10);
  void (*on_worker_end)() = nullptr;  // on its thread, after has_ended()
};

class Worker {
 public:
  // `config` must outlive the worker.
  Worker(const RuntimeConfig& config, int index);
  // Requires that the thread has ended: Join() was called, or there is none.
  ~Worker();

  // Starts the thread and makes its executor. Call WaitUntilStarted() once;
  // afterwards start_status() is the outcome.
  void StartThread() noexcept;
  void WaitUntilStarted() noexcept;
  absl::Status start_status() const;

  // Makes a listener on each of `sockets`, one for each ListenConfig.
  // `workers`, all of its runtime, must outlive it. Any thread, once; call
  // WaitUntilArranged() once for the outcome.
  void Arrange(std::span<const ExecutorHandle> workers,
               std::vector<SocketFd> sockets) noexcept;
  absl::Status WaitUntilArranged();

  // Runs the required OnStart() handlers and reports the outcome to `start_up`,
  // which must outlive the worker's thread. Any thread, once.
  void StartUpFor(StartUp& start_up) noexcept;

  // Runs OnStart() and accepts. Any thread, like the two below.
  void Serve() noexcept { Send(serve_); }
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
  const ExecutorHandle& handle() const { return handle_; }

  int index() const { return index_; }
  bool IsThisThread() const;
  bool forked() const { return owner_.forked(); }
  // On the worker's thread, once arranged.
  std::span<const ExecutorHandle> workers() const { return workers_; }

  // True once its executor is destroyed and Join() returns at once. Any thread.
  bool has_ended() const { return ended_.load(std::memory_order_acquire); }

  // After Join().
  const RuntimeReport& report() const { return report_; }

 private:
  struct Listening {
    net::TcpListener listener;
    const ListenConfig& config;
  };

  // A call to make on the worker's thread, once. Sending it allocates nothing.
  struct Order : InboxMessage {
    Order(Worker& w, void (Worker::*a)())
        : InboxMessage(&Received), worker(w), act(a) {}
    static void Received(InboxMessage& message, bool accepted);
    Worker& worker;
    void (Worker::*const act)();
    std::atomic<bool> sent{false};
  };

  // Counts as one of connections_ during its lifetime. It is in the task's
  // frame, so a task that is cancelled before it starts releases it too.
  class Place {
   public:
    explicit Place(Worker& worker) : worker_(&worker) { ++worker.connections_; }
    Place(Place&& other) noexcept
        : worker_(std::exchange(other.worker_, nullptr)) {}
    ~Place() {
      if (worker_ != nullptr && --worker_->connections_ == 0)
        worker_->changed_.Set();
    }

   private:
    Worker* worker_;
  };

  // Bounds the waits of Main().
  class Patience;

  void Send(Order& order) noexcept;
  void ThreadMain();
  absl::Status Prepare();
  // On the worker's thread.
  void DoArrange();
  void DoStartUp();
  void MakeListeners();
  void DoServe();
  void DoShutdown();
  void DoCut();
  Task<void> Main();
  Event::WaitOp Change();
  // Spawns a task that calls the handlers one after the other, until one
  // fails. Throws std::bad_alloc.
  [[gnu::noinline]] void Start(std::span<const Runtime::StartHandler> handlers,
                               bool required);
  Task<void> RunStartHandlers(std::span<const Runtime::StartHandler> handlers,
                              bool required);
  void ReportStart(bool required, const absl::Status& status);
  Task<void> AcceptLoop(Listening& listening);
  // Spawns a task for the connection, or closes it and counts it as refused.
  // Throws std::bad_alloc; the connection is then closed and not counted.
  void Admit(const Listening& listening, net::TcpStream stream);
  Task<void> ServeConnection(const ListenConfig& config, net::TcpStream stream,
                             Place place);

  const OwnerProcess owner_;
  const RuntimeConfig& config_;
  const int index_;
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
  Order shut_down_{*this, &Worker::DoShutdown};
  Order cut_down_{*this, &Worker::DoCut};

  // Of the worker's thread only.
  std::unique_ptr<Executor> executor_;
  std::span<const ExecutorHandle> workers_;
  std::vector<SocketFd> sockets_;  // until they are listeners
  std::vector<std::unique_ptr<Listening>> listening_;
  std::vector<JoinHandle<void>> accept_loops_;
  size_t connections_ = 0;
  // Also set by the shutdown: check shutdown_ after waiting for serving_.
  Event serving_;
  Event shutdown_;
  bool cut_ = false;
  // Set by the end of the last connection, by DoCut() and at the end of
  // Patience; reset by Change().
  Event changed_;
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_WORKER_H_
