// SPDX-License-Identifier: Apache-2.0
//
// Worker: one thread of a Runtime with its executor, its listeners and its
// connections.

#ifndef RINGWAY_RUNTIME_WORKER_H_
#define RINGWAY_RUNTIME_WORKER_H_

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

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/unique_fd.h"
#include "executor/event.h"
#include "executor/executor.h"
#include "executor/shared/executor_handle.h"
#include "net/tcp.h"
#include "runtime/runtime.h"

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
  Runtime::StartHandler on_start;
  size_t max_connections = 100'000;
  absl::Duration drain_deadline = absl::Seconds(10);
};

class Worker {
 public:
  // `config` must outlive the worker.
  Worker(const RuntimeConfig& config, int index);
  // Requires that the thread has ended: Join() was called, or Start() failed.
  ~Worker();

  // Starts the thread. WaitUntilReady() says how that went.
  void StartThread();
  absl::Status WaitUntilReady();

  // Tells it of all workers of its runtime; they must outlive it. Any thread,
  // once, and before any of them is to serve.
  void Introduce(std::span<const ExecutorHandle> workers);
  // Runs OnStart() and listens on `sockets`, one for each ListenConfig. Any
  // thread, once.
  void Serve(std::vector<UniqueFd> sockets);
  void Shutdown();
  void Cut();
  // Waits for the thread to end; needs a Shutdown().
  void Join();  // any thread, any number of times

  // After WaitUntilReady().
  const std::string& backend_description() const {
    return backend_description_;
  }
  const ExecutorHandle& handle() const { return handle_; }

  int index() const { return index_; }
  // On the worker's thread, after Introduce().
  std::span<const ExecutorHandle> workers() const { return workers_; }

  // After Join().
  const RuntimeReport& report() const { return report_; }

 private:
  struct Listening {
    net::TcpListener listener;
    const Runtime::ConnectionHandler& handler;
  };

  // One of the connections_ while it lives. Belongs to a task's frame, so a
  // task that is cancelled before it starts gives its place back, too.
  class Place {
   public:
    explicit Place(Worker& worker) : worker_(&worker) { ++worker.connections_; }
    Place(Place&& other) noexcept
        : worker_(std::exchange(other.worker_, nullptr)) {}
    ~Place() {
      if (worker_ != nullptr && --worker_->connections_ == 0)
        worker_->idle_.Set();
    }

   private:
    Worker* worker_;
  };

  void ThreadMain();
  absl::Status Prepare();
  void Post(absl::AnyInvocable<void()> fn);
  // On the worker's thread.
  void BeginServing(std::vector<UniqueFd>& sockets);
  Task<void> Main();
  Task<void> RunStartHandler();
  Task<absl::Status> AcceptLoop(Listening& listening);
  Task<void> ServeConnection(const Runtime::ConnectionHandler& handler,
                             net::TcpStream stream, Place place);
  // Waits until there is no connection, or Cut().
  Task<absl::Status> WaitForDrain();
  // Waits until there is no connection.
  Task<absl::Status> WaitForNobody();

  const RuntimeConfig& config_;
  const int index_;
  std::mutex join_mutex_;
  std::thread thread_;
  std::promise<absl::Status> ready_;
  ExecutorHandle handle_;
  std::string backend_description_;
  RuntimeReport report_;

  // Of the worker's thread only.
  std::unique_ptr<Executor> executor_;
  std::span<const ExecutorHandle> workers_;
  std::vector<std::unique_ptr<Listening>> listening_;
  std::vector<JoinHandle<absl::Status>> accept_loops_;
  size_t connections_ = 0;
  Event shutdown_;
  bool cut_ = false;
  Event idle_;  // set by the end of the last connection and by Cut(); reset by
                // who waits
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_WORKER_H_
