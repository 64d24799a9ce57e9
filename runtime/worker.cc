// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/worker.h"

#include <pthread.h>
#include <sched.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"

namespace ringway {
namespace {

thread_local const internal::Worker* current_worker = nullptr;

// How long a worker leaves connections in the backlog when it has no memory
// for them: costs little, and goes unnoticed afterwards.
constexpr absl::Duration kPauseWithoutMemory = absl::Milliseconds(10);

// Without text, which would have to be allocated.
absl::Status NoMemory() {
  return absl::Status(absl::StatusCode::kResourceExhausted, "");
}

// True if the error means that the listening socket is unusable. All other
// errors concern one connection, or a resource that may become available
// again.
bool IsFinal(const absl::Status& accept) {
  switch (ErrnoOf(accept)) {
    case EBADF:
    case EFAULT:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

// The exception that is being handled, as a status.
absl::Status StatusOfException() {
  try {
    throw;
  } catch (const std::exception& e) {
    return absl::InternalError(absl::StrCat("an exception: ", e.what()));
  } catch (...) {
    return absl::InternalError("an exception that is not a std::exception");
  }
}

// "connection 127.0.0.1:51234". Clients of a Unix socket have no address: they
// share that of the listener. Without either once the stream is closed.
class ConnectionNamer : public TaskNamer {
 public:
  explicit ConnectionNamer(net::TcpStream& stream)
      : TaskNamer(&MakeName), stream_(stream.reader()) {}

 private:
  static std::string MakeName(const TaskNamer& namer) {
    const auto& self = static_cast<const ConnectionNamer&>(namer);
    const std::string peer = self.stream_.PeerName();
    return absl::StrCat("connection", peer.empty() ? "" : " ", peer);
  }

  const net::StreamReader stream_;
};

// A child forked by a worker runs on a copy of its thread.
bool OnAWorker() {
  return current_worker != nullptr && !current_worker->forked();
}

}  // namespace

int CurrentWorker() { return OnAWorker() ? current_worker->index() : -1; }

std::span<const ExecutorHandle> CurrentWorkers() {
  if (!OnAWorker()) return {};
  return current_worker->workers();
}

namespace internal {

Worker::Worker(const RuntimeConfig& config, int index)
    : config_(config), index_(index) {}

Worker::~Worker() {
  RINGWAY_CHECK(!thread_.joinable(),
                "a worker was destroyed while its thread runs");
}

bool Worker::IsThisThread() const { return current_worker == this; }

void Worker::StartThread() noexcept {
  try {
    thread_ = std::thread([this] { ThreadMain(); });
    return;
  } catch (const std::system_error& e) {
    start_errno_ = e.code().value();
  } catch (const std::bad_alloc&) {
    start_errno_ = ENOMEM;
  }
  started_.set_value(NoMemory());
}

void Worker::WaitUntilStarted() noexcept {
  start_status_ = started_.get_future().get();
  if (!start_status_.ok()) Join();
}

absl::Status Worker::start_status() const {
  if (start_errno_ != 0) {
    return ErrnoToStatus(start_errno_,
                         absl::StrCat("starting worker ", index_));
  }
  if (!start_status_.ok() && start_status_.message().empty()) {
    return absl::Status(start_status_.code(),
                        absl::StrCat("starting worker ", index_,
                                     ": there is no memory for it"));
  }
  return start_status_;
}

void Worker::Join() {
  std::lock_guard<std::mutex> lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

// --- Any thread

void Worker::Send(Order& order) noexcept {
  if (order.sent.exchange(true, std::memory_order_relaxed)) return;
  // Refused once the worker has ended, when there is nothing left to do.
  static_cast<void>(handle_.Send(order));
}

void Worker::Order::Received(InboxMessage& message, bool accepted) {
  Order& order = static_cast<Order&>(message);
  if (accepted) (order.worker.*order.act)();
}

void Worker::Arrange(std::span<const ExecutorHandle> workers,
                     std::vector<SocketFd> sockets) noexcept {
  workers_ = workers;
  sockets_ = std::move(sockets);
  Send(arrange_);
}

absl::Status Worker::WaitUntilArranged() {
  absl::Status status = arranged_.get_future().get();
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat("worker ", index_,
                                   ": there is no memory for its listeners"));
}

// --- The worker's thread

void Worker::ThreadMain() {
  current_worker = this;
  absl::Status failed;
  try {
    failed = Prepare();
    // If there is memory for Main(), it begins, and then nothing throws.
    if (failed.ok()) executor_->Run(Main()).IgnoreError();
  } catch (const std::bad_alloc&) {
    failed = NoMemory();
  }
  if (!failed.ok()) {
    executor_.reset();
    started_.set_value(failed);
    return;
  }
  const ExecutorStats stats = executor_->stats();
  report_.exceptions = stats.detached_exceptions + stats.loop.post_exceptions;
  report_.system_calls = stats.loop.backend.system_calls;
  report_.operations =
      stats.loop.backend.completed + stats.loop.backend.deliveries;
  report_.turns = stats.loop.turns;
  report_.spins = stats.loop.spins_paid + stats.loop.spins_unpaid;
  executor_.reset();
  ended_.store(true, std::memory_order_release);
  if (config_.on_worker_end != nullptr) config_.on_worker_end();
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
  const Backend& backend = executor_->loop().backend();
  backend_description_ = std::string(backend.description());
  backend_name_ = std::string(backend.name());
  sockets_of_backend_ = &backend.sockets();
  return absl::OkStatus();
}

void Worker::DoArrange() {
  absl::Status status;
  try {
    MakeListeners();
  } catch (const std::bad_alloc&) {
    status = NoMemory();
  }
  arranged_.set_value(status);
}

// The tasks spawned here wait for serving_.
void Worker::MakeListeners() {
  listening_.reserve(sockets_.size());
  accept_loops_.reserve(sockets_.size());
  for (const Runtime::StartHandler& handler : config_.on_start)
    Start({&handler, 1}, /*required=*/false);
  for (size_t i = 0; i < sockets_.size(); ++i) {
    net::TcpListener listener =
        net::TcpListener::Adopt(executor_->loop(), std::move(sockets_[i]));
    listening_.push_back(
        std::make_unique<Listening>(std::move(listener), config_.listen[i]));
    accept_loops_.push_back(
        executor_->Spawn(AcceptLoop(*listening_.back()), "accept"));
  }
}

void Worker::StartUpFor(StartUp& start_up) noexcept {
  start_up_ = &start_up;
  Send(begin_);
}

void Worker::DoStartUp() {
  try {
    Start(config_.required_start, /*required=*/true);
  } catch (const std::bad_alloc&) {
    start_up_->Report(NoMemory());
  }
}

void Worker::DoServe() { serving_.Set(); }

void Worker::DoShutdown() {
  shutdown_.Set();
  serving_.Set();
}

void Worker::DoCut() {
  cut_ = true;
  DoShutdown();
  changed_.Set();
}

class Worker::Patience : private Runnable {
 public:
  Patience(Worker& worker, absl::Duration duration)
      : Runnable(&OnFired), worker_(worker), loop_(worker.executor_->loop()) {
    timer_.on_fired = this;
    loop_.ArmTimer(timer_, loop_.backend().clock().Now() + duration);
  }
  ~Patience() {
    loop_.DisarmTimer(timer_);
    if (linked()) Unlink();
  }

  bool over() const { return over_; }

 private:
  static void OnFired(Runnable& entry) {
    Patience& self = static_cast<Patience&>(entry);
    self.over_ = true;
    self.worker_.changed_.Set();
  }

  Worker& worker_;
  Loop& loop_;
  LoopTimer timer_;
  bool over_ = false;
};

// After a shutdown this must not fail, so it allocates nothing: it waits in
// this one frame, without further tasks or coroutines.
Task<void> Worker::Main() {
  Shield shield;  // against handlers that cancel every task
  started_.set_value(absl::OkStatus());
  (co_await shutdown_.Wait()).IgnoreError();

  for (std::unique_ptr<Listening>& listening : listening_)
    listening->listener.Close();
  for (JoinHandle<void>& loop : accept_loops_) (co_await loop).IgnoreError();
  listening_.clear();

  {
    Patience drain(*this, config_.drain_deadline);
    while (connections_ > 0 && !cut_ && !drain.over())
      (co_await Change()).IgnoreError();
  }
  report_.cut = connections_;
  executor_->CancelAll();
  Patience grace(*this, config_.executor.shutdown_grace);
  while (connections_ > 0 && !grace.over()) (co_await Change()).IgnoreError();
}

// It may have been set when there were no connections before the drain.
Event::WaitOp Worker::Change() {
  changed_.Reset();
  return changed_.Wait();
}

void Worker::Start(std::span<const Runtime::StartHandler> handlers,
                   bool required) {
  executor_->Spawn(RunStartHandlers(handlers, required), "OnStart").Detach();
}

Task<void> Worker::RunStartHandlers(
    std::span<const Runtime::StartHandler> handlers, bool required) {
  if (!required) {
    (co_await serving_.Wait()).IgnoreError();
    if (shutdown_.is_set()) co_return;
  }
  absl::Status status;
  for (const Runtime::StartHandler& handler : handlers) {
    try {
      Task<absl::Status> task = handler();
      status = co_await std::move(task);
    } catch (...) {
      status = StatusOfException();
    }
    if (!status.ok()) break;
  }
  ReportStart(required, status);
}

void Worker::ReportStart(bool required, const absl::Status& status) {
  if (required) {
    start_up_->Report(
        status.ok() ? status
                    : absl::Status(status.code(),
                                   absl::StrCat("OnStart on worker ", index_,
                                                ": ", status.message())));
    return;
  }
  // A shutdown cancels it, which is not a failure.
  if (status.ok() || shutdown_.is_set()) return;
  ++report_.start_failed;
  fprintf(stderr, "ringway: worker %d: OnStart failed: %.*s\n", index_,
          static_cast<int>(status.message().size()), status.message().data());
}

// Ends with the shutdown, or when its socket is unusable.
Task<void> Worker::AcceptLoop(Listening& listening) {
  Shield shield;  // as in Main(): closing the listener ends this
  (co_await serving_.Wait()).IgnoreError();
  while (!shutdown_.is_set()) {
    absl::Status failed;
    try {
      absl::StatusOr<net::TcpStream> stream =
          co_await listening.listener.Accept();
      if (stream.ok()) {
        Admit(listening, *std::move(stream));
        continue;
      }
      failed = stream.status();
    } catch (...) {
      failed = NoMemory();  // the connection has been closed
    }
    if (shutdown_.is_set()) break;
    if (IsFinal(failed)) {
      ++report_.listeners_failed;
      fprintf(stderr, "ringway: worker %d no longer accepts on %s: errno %d\n",
              index_, listening.config.address.c_str(), ErrnoOf(failed));
      break;
    }
    ++report_.refused;
    (co_await Sleep(kPauseWithoutMemory)).IgnoreError();
  }
}

void Worker::Admit(const Listening& listening, net::TcpStream stream) {
  if (connections_ >= config_.max_connections) {
    ++report_.refused;
    return;
  }
  Place place(*this);
  Task<void> serve =
      ServeConnection(listening.config, std::move(stream), std::move(place));
  JoinHandle<void> serving = executor_->Spawn(std::move(serve), "connection");
  ++(serving.spawn_status().ok() ? report_.accepted : report_.refused);
}

Task<void> Worker::ServeConnection(const ListenConfig& config,
                                   net::TcpStream stream, Place) {
  ConnectionNamer namer(stream);
  try {
    Task<absl::Status> task = config.handler(std::move(stream));
    absl::Status status = co_await std::move(task);
    ++(status.ok() ? report_.ended_ok : report_.ended_error);
    ++report_.ended_by_code[static_cast<size_t>(status.code())];
  } catch (...) {
    ++report_.ended_throw;
  }
}

}  // namespace internal
}  // namespace ringway
