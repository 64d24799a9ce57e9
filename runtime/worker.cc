// SPDX-License-Identifier: Apache-2.0

#include "runtime/worker.h"

#include <pthread.h>
#include <sched.h>

#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/errno_status.h"
#include "executor/shield.h"
#include "executor/timeout.h"

namespace ringway {
namespace {

thread_local const internal::Worker* current_worker = nullptr;

}  // namespace

int CurrentWorker() {
  return current_worker == nullptr ? -1 : current_worker->index();
}

std::span<const ExecutorHandle> CurrentWorkers() {
  if (current_worker == nullptr) return {};
  return current_worker->workers();
}

namespace internal {

Worker::Worker(const RuntimeConfig& config, int index)
    : config_(config), index_(index) {}

Worker::~Worker() {
  RINGWAY_CHECK(!thread_.joinable(),
                "a worker was destroyed while its thread runs");
}

void Worker::StartThread() {
  try {
    thread_ = std::thread([this] { ThreadMain(); });
  } catch (const std::system_error& e) {
    ready_.set_value(ErrnoToStatus(e.code().value(),
                                   absl::StrCat("starting worker ", index_)));
  }
}

absl::Status Worker::WaitUntilReady() {
  absl::Status status = ready_.get_future().get();
  if (!status.ok()) Join();
  return status;
}

void Worker::Join() {
  std::lock_guard<std::mutex> lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

// --- Any thread
// ------------------------------------------------------------------------------

void Worker::Post(absl::AnyInvocable<void()> fn) {
  // Refused once the worker has ended, when there is nothing left to do.
  handle_.Post(std::move(fn)).IgnoreError();
}

void Worker::Introduce(std::span<const ExecutorHandle> workers) {
  Post([this, workers] { workers_ = workers; });
}

void Worker::Serve(std::vector<UniqueFd> sockets) {
  Post([this, sockets = std::move(sockets)]() mutable {
    BeginServing(sockets);
  });
}

void Worker::Shutdown() {
  Post([this] { shutdown_.Set(); });
}

void Worker::Cut() {
  Post([this] {
    cut_ = true;
    shutdown_.Set();
    idle_.Set();
  });
}

// --- The worker's thread
// -----------------------------------------------------------------------

void Worker::ThreadMain() {
  current_worker = this;
  absl::Status status = Prepare();
  const bool ok = status.ok();
  ready_.set_value(std::move(status));
  if (!ok) return;
  executor_->Run(Main()).IgnoreError();
  const LoopStats loop = executor_->stats().loop;
  executor_.reset();
  report_.system_calls = loop.backend.system_calls;
  report_.operations = loop.backend.completed + loop.backend.events;
  report_.turns = loop.turns;
  report_.spins = loop.spins_paid + loop.spins_unpaid;
}

absl::Status Worker::Prepare() {
  if (config_.first_cpu >= 0) {
    const int cpu = config_.first_cpu + index_;
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);
    if (int errnum =
            pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
        errnum != 0) {
      return ErrnoToStatus(
          errnum, absl::StrCat("pinning worker ", index_, " to CPU ", cpu));
    }
  }
  absl::StatusOr<std::unique_ptr<Executor>> executor =
      Executor::Create(config_.executor);
  if (!executor.ok()) return executor.status();
  executor_ = *std::move(executor);
  handle_ = ExecutorHandle(*executor_);
  backend_description_ = std::string(executor_->loop().backend().description());
  return absl::OkStatus();
}

void Worker::BeginServing(std::vector<UniqueFd>& sockets) {
  if (shutdown_.is_set()) return;
  if (config_.on_start) executor_->Spawn(RunStartHandler(), "OnStart").Detach();
  for (size_t i = 0; i < sockets.size(); ++i) {
    net::TcpListener listener =
        net::TcpListener::Adopt(executor_->loop(), std::move(sockets[i]));
    listening_.push_back(std::make_unique<Listening>(
        std::move(listener), config_.listen[i].handler));
    accept_loops_.push_back(
        executor_->Spawn(AcceptLoop(*listening_.back()), "accept"));
  }
}

Task<void> Worker::Main() {
  Shield shield;  // from a handler that cancels every task it can find
  (co_await shutdown_.Wait()).IgnoreError();

  for (std::unique_ptr<Listening>& listening : listening_)
    listening->listener.Close();
  for (JoinHandle<absl::Status>& loop : accept_loops_)
    (co_await loop).IgnoreError();
  listening_.clear();

  Task<absl::Status> drain = WaitForDrain();
  (co_await WithTimeout(config_.drain_deadline, std::move(drain)))
      .IgnoreError();
  report_.cut = connections_;
  Executor::Current()->CancelAll();
  Task<absl::Status> rest = WaitForNobody();
  (co_await WithTimeout(config_.executor.shutdown_grace, std::move(rest)))
      .IgnoreError();
}

Task<void> Worker::RunStartHandler() {
  try {
    Task<absl::Status> task = config_.on_start();
    const absl::Status status = co_await std::move(task);
    if (!status.ok() && !shutdown_.is_set()) ++report_.start_failed;
  } catch (...) {
    ++report_.start_failed;
  }
}

Task<absl::Status> Worker::AcceptLoop(Listening& listening) {
  Shield shield;  // as in Main(): closing the listener is what ends this
  while (true) {
    absl::StatusOr<net::TcpStream> stream =
        co_await listening.listener.Accept();
    if (!stream.ok()) co_return stream.status();
    if (connections_ >= config_.max_connections) {
      ++report_.refused;
      continue;
    }
    Place place(*this);
    Task<void> serve = ServeConnection(listening.handler, *std::move(stream),
                                       std::move(place));
    JoinHandle<void> serving = Spawn(std::move(serve), "connection");
    ++(serving.spawn_status().ok() ? report_.accepted : report_.refused);
  }
}

Task<void> Worker::ServeConnection(const Runtime::ConnectionHandler& handler,
                                   net::TcpStream stream, Place) {
  try {
    Task<absl::Status> task = handler(std::move(stream));
    absl::Status status = co_await std::move(task);
    ++(status.ok() ? report_.ended_ok : report_.ended_error);
  } catch (...) {
    ++report_.ended_throw;
  }
}

Task<absl::Status> Worker::WaitForDrain() {
  while (connections_ > 0 && !cut_) {
    // It may be set since a moment without connections before the drain.
    idle_.Reset();
    absl::Status waited = co_await idle_.Wait();
    if (!waited.ok()) co_return waited;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> Worker::WaitForNobody() {
  while (connections_ > 0) {
    idle_.Reset();
    absl::Status waited = co_await idle_.Wait();
    if (!waited.ok()) co_return waited;
  }
  co_return absl::OkStatus();
}

}  // namespace internal
}  // namespace ringway
