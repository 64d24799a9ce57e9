// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/serving/server.h"

#include <cerrno>
#include <cstdio>
#include <exception>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/socket/stream_watch.h"
#include "ringway/runtime/serving/patience.h"
#include "ringway/runtime/serving/status_of_exception.h"
#include "ringway/runtime/serving/udp_serving.h"

namespace ringway {
namespace {

// How long connections stay in the kernel's queue when there is no memory for
// them, or none may be used: costs little, and goes unnoticed afterwards.
constexpr absl::Duration kPauseWithoutMemory = absl::Milliseconds(10);
// How long a connection may take from the kernel's queue to the listener;
// another process may have taken it.
constexpr absl::Duration kQueuedPatience = absl::Milliseconds(10);
// How long queued connections are accepted, and datagrams received, after a
// shutdown, if there are ever more of them.
constexpr absl::Duration kLongestStop = absl::Seconds(1);
// Between two looks at the queues of UDP sockets.
constexpr absl::Duration kDatagramPause = absl::Milliseconds(1);

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

// Without text, which would have to be allocated.
absl::Status NoMemory() {
  return absl::Status(absl::StatusCode::kResourceExhausted, "");
}

// Of one executor: that of its newest server, or one that is never cancelled.
struct DrainOfThisExecutor {
  std::shared_ptr<CancelSource> source = std::make_shared<CancelSource>();
};

}  // namespace

CancelToken DrainToken() {
  return CurrentExecutor().locals().Get<DrainOfThisExecutor>().source->token();
}

struct Server::Listening {
  net::TcpListener listener;
  const Endpoint& endpoint;
};

// Counts as one of open_ during its lifetime. It is in the task's frame, so a
// task that is cancelled before it starts releases it too.
class Server::Place {
 public:
  // `admitted`: by Admit().
  Place(Server& server, bool admitted)
      : server_(&server),
        since_(server.executor_.loop().now()),
        admitted_(admitted) {
    Add(1);
  }
  Place(Place&& other) noexcept
      : server_(std::exchange(other.server_, nullptr)),
        since_(other.since_),
        admitted_(other.admitted_) {}
  ~Place() {
    if (server_ == nullptr) return;
    Add(-1);
    if (admitted_)
      server_->n_admitted_over_.fetch_add(1, std::memory_order_relaxed);
    server_->room_.Set();
    if (server_->connections() == 0) server_->changed_.Set();
  }

  Server& server() const { return *server_; }
  // The handler is about to run.
  void RecordWait() {
    const absl::Duration waited = server_->executor_.loop().now() - since_;
    server_->accept_to_handler_.Record(
        static_cast<uint64_t>(absl::ToInt64Nanoseconds(waited)));
  }

 private:
  // One thread writes it.
  void Add(int n) {
    server_->open_.store(server_->connections() + static_cast<size_t>(n),
                         std::memory_order_relaxed);
  }

  Server* server_;
  const MonotonicTime since_;
  const bool admitted_;
};

// A local variable of a connection's task, which it names by the peer. Small:
// there may be many thousands that are idle.
class Server::Connection : public ListNode, private TaskNamer {
 public:
  Connection(Server& server, const net::TcpStream& stream)
      : TaskNamer(&MakeName),
        watch(net::internal::StreamAccess::CoreOf(stream)) {
    server.running_.PushBack(*this);
  }
  ~Connection() {
    if (linked()) Unlink();
  }

  void Cancel() { task().RequestCancel(); }
  // From now on.
  void IgnoreCancel() { task().RaiseShield(); }

  net::internal::StreamWatch watch;

 private:
  // "connection 127.0.0.1:51234". Clients of a Unix socket have no address:
  // they share that of the listener. Without either once the stream is closed.
  static std::string MakeName(const TaskNamer& namer) {
    const auto& self = static_cast<const Connection&>(namer);
    const std::string peer = self.watch.PeerName();
    return absl::StrCat("connection", peer.empty() ? "" : " ", peer);
  }
};

Server::Server(Executor& executor, const ServerOptions& options)
    : owner_(OwnerThread()),
      executor_(executor),
      options_(options),
      draining_(absl::UnavailableError("the server is draining")),
      drain_(std::make_shared<CancelSource>()),
      udp_(std::make_unique<UdpServing>(*this)) {
  RINGWAY_CHECK(options.max_connections > 0, "a Server for no connection");
  executor_.locals().Get<DrainOfThisExecutor>().source = drain_;
}

Server::~Server() = default;

absl::Status Server::Listen(net::TcpListener listener,
                            ConnectionHandler handler) {
  const absl::StatusOr<net::SocketAddress> address = listener.LocalAddress();
  if (!address.ok()) return address.status();
  endpoints_.push_back({std::move(handler), address->ToString()});
  return Listen(std::move(listener), endpoints_.back());
}

absl::Status Server::Listen(net::TcpListener listener,
                            const Endpoint& endpoint) {
  CheckThread();
  if (options_.when_out_of_fds == WhenFull::kRefuse) listener.KeepReserve();
  listening_.push_back({std::move(listener), endpoint});
  JoinHandle<void> accepting =
      executor_.Spawn(AcceptLoop(listening_.back()), "accept");
  if (!accepting.spawn_status().ok()) return accepting.spawn_status();
  ++accepting_;
  return absl::OkStatus();
}

absl::Status Server::ServeUdp(net::UdpSocket socket, UdpEndpoint endpoint) {
  CheckThread();
  return udp_->Add(std::move(socket), std::move(endpoint));
}

void Server::Start() {
  CheckThread();
  if (shutdown_.is_set()) return;
  started_ = true;
  serving_.Set();
}

void Server::Shutdown() {
  CheckThread();
  shutdown_.Set();
  serving_.Set();
}

void Server::Cut() {
  cut_ = true;
  Shutdown();
  changed_.Set();
}

void Server::PauseAccepting() {
  CheckThread();
  paused_ = true;
}

void Server::ResumeAccepting() {
  CheckThread();
  paused_ = false;
  room_.Set();
}

void Server::NoMoreAdmits() {
  CheckThread();
  --admitters_;
  changed_.Set();
}

// After a shutdown this must not fail, so it allocates nothing: it waits in
// this one frame, without further tasks or coroutines.
Task<void> Server::Run() {
  Shield shield;  // against handlers that cancel every task
  Start();
  (co_await shutdown_.Wait()).IgnoreError();
  Loop& loop = executor_.loop();

  phase_ = ServerPhase::kLameDuck;
  if (options_.lame_duck > absl::ZeroDuration()) {
    internal::Patience lame(loop, changed_, options_.lame_duck);
    while (!cut_ && !lame.over()) (co_await Change()).IgnoreError();
  }

  phase_ = ServerPhase::kStopping;
  stopping_.Cancel(draining_);
  const MonotonicTime latest = After(kLongestStop);
  while (accepting_ > 0 || (admitters_ > 0 && !cut_))
    (co_await Change()).IgnoreError();
  listening_.clear();
  // When none waits, the last one may be on its way to its handler, which
  // answers it in the pause.
  bool pending = started_ && udp_->running() > 0;
  while (pending && !cut_ && loop.now() < latest) {
    pending = udp_->HasPending();
    (co_await Sleep(kDatagramPause)).IgnoreError();
  }

  phase_ = ServerPhase::kDraining;
  drain_->Cancel(draining_);
  {
    internal::Patience drain(loop, changed_, options_.drain_deadline);
    while (connections() + udp_->draining() > 0 && !cut_ && !drain.over())
      (co_await Change()).IgnoreError();
  }

  phase_ = ServerPhase::kCut;
  counts_.cut = connections() + udp_->draining();
  CancelConnections();
  udp_->Cancel();
  if (options_.on_cut) options_.on_cut();
  {
    internal::Patience grace(loop, changed_, options_.cut_grace);
    while (connections() + udp_->running() > 0 && !grace.over())
      (co_await Change()).IgnoreError();
  }
  counts_.forced = connections() + udp_->draining();
  phase_ = ServerPhase::kEnded;
}

void Server::CancelConnections() {
  while (Connection* running = running_.PopFront()) running->Cancel();
}

// It may have been set before there was anything to wait for.
Event::WaitOp Server::Change() {
  changed_.Reset();
  return changed_.Wait();
}

Server::Room Server::Reconsider() {
  room_.Reset();
  if (paused_) return Room::kFull;
  if (options_.when_full == WhenFull::kWait &&
      connections() >= options_.max_connections)
    return Room::kFull;
  if (options_.memory_high_water == 0) return Room::kYes;
  const ExecutorStats stats = executor_.stats();
  const uint64_t used =
      stats.frames.chunk_bytes + stats.loop.backend.receive_memory.total();
  return used <= options_.memory_high_water ? Room::kYes : Room::kNoMemory;
}

// Ends with the shutdown, or when its socket is unusable.
Task<void> Server::AcceptLoop(Listening& listening) {
  Shield shield;  // as in Run()
  net::TcpListener& listener = listening.listener;
  (co_await serving_.Wait()).IgnoreError();
  const CancelToken& stop = stopping_.token();
  bool unusable = false;
  while (!stop.cancelled() && !unusable) {
    absl::Status failed;
    try {
      absl::StatusOr<net::TcpStream> stream =
          co_await WithToken(stop, listener.Accept());
      Room room = stream.ok() ? Reconsider() : Room::kYes;
      counts_.accept_pauses += room != Room::kYes;
      for (; room != Room::kYes && !stop.cancelled(); room = Reconsider()) {
        if (room == Room::kFull) {
          (co_await WithToken(stop, room_.Wait())).IgnoreError();
        } else {  // what frees memory sets no event
          (co_await WithToken(stop, Sleep(kPauseWithoutMemory))).IgnoreError();
        }
      }
      if (stream.ok()) {
        AdmitStream(listening.endpoint, *std::move(stream),
                    Place(*this, /*admitted=*/false));
        continue;
      }
      failed = stream.status();
    } catch (...) {
      failed = NoMemory();  // the connection has been closed
    }
    if (stop.cancelled()) break;
    unusable = OnAcceptFailed(listening, failed);
    // For lack of fds one connection was closed; others may wait.
    if (!unusable && ErrnoOf(failed) != EMFILE)
      (co_await Sleep(kPauseWithoutMemory)).IgnoreError();
  }

  // Who has connected already is served.
  const MonotonicTime latest = After(kLongestStop);
  while (started_ && !unusable && !cut_ && listener.HasPending() &&
         executor_.loop().now() < latest) {
    try {
      absl::StatusOr<net::TcpStream> stream =
          co_await WithTimeout(kQueuedPatience, listener.Accept());
      if (stream.ok()) {
        AdmitStream(listening.endpoint, *std::move(stream),
                    Place(*this, /*admitted=*/false));
      } else if (ErrnoOf(stream.status()) == EMFILE) {
        ++counts_.refused;
      }
    } catch (...) {
      ++counts_.refused;
    }
  }
  listener.Close();
  --accepting_;
  changed_.Set();
}

bool Server::OnAcceptFailed(const Listening& listening,
                            const absl::Status& failed) {
  if (!IsFinal(failed)) {
    ++counts_.refused;
    return false;
  }
  ++counts_.listeners_failed;
  fprintf(stderr, "ringway: no longer accepts on %s: errno %d\n",
          listening.endpoint.name.c_str(), ErrnoOf(failed));
  return true;
}

void Server::Admit(const Endpoint& endpoint, SocketFd fd) noexcept {
  CheckThread();
  Place place(*this, /*admitted=*/true);
  try {
    AdmitStream(endpoint,
                net::TcpStream::Adopt(executor_.loop(), std::move(fd)),
                std::move(place));
  } catch (...) {
    ++counts_.refused;
  }
}

// `place` counts already.
void Server::AdmitStream(const Endpoint& endpoint, net::TcpStream stream,
                         Place place) {
  if (connections() > options_.max_connections || phase_ >= ServerPhase::kCut) {
    ++counts_.refused;
    return;
  }
  Task<void> serve = Serve(std::move(place), endpoint, std::move(stream));
  JoinHandle<void> serving = executor_.Spawn(std::move(serve), "connection");
  if (!serving.spawn_status().ok()) {
    ++counts_.refused;
    return;
  }
  ++counts_.accepted;
  if (shutdown_.is_set()) ++counts_.accepted_late;
}

// Static, and with few variables: for an idle connection the frame is here.
Task<void> Server::Serve(Place place, const Endpoint& endpoint,
                         net::TcpStream stream) {
  if (place.server().phase_ >= ServerPhase::kCut) co_return;
  place.RecordWait();
  Connection connection(place.server(), stream);
  std::unique_ptr<ConnectionEnd> end;  // small in the frame
  absl::Status status;
  bool threw = false;
  try {
    end = place.server().BeginLog(endpoint, stream);
    Task<absl::Status> task = endpoint.handler(std::move(stream));
    status = co_await std::move(task);
  } catch (...) {
    threw = true;
    status = internal::StatusOfException();
  }
  if (!connection.watch.closed()) {
    // It was moved elsewhere, or closes. A cancel ends the task that has it.
    connection.IgnoreCancel();
    (co_await connection.watch.Closed()).IgnoreError();
  }
  place.server().CountEnd(status, threw);
  if (end == nullptr) co_return;
  end->status = std::move(status);
  place.server().EndLog(connection.watch.traffic(), *end);
}

std::unique_ptr<ConnectionEnd> Server::BeginLog(const Endpoint& endpoint,
                                                net::TcpStream& stream) {
  if (!options_.on_connection_end) return nullptr;
  auto end = std::make_unique<ConnectionEnd>();
  end->listener = endpoint.name;
  end->peer = stream.reader().PeerName();
  end->began = executor_.loop().now();
  return end;
}

void Server::EndLog(const net::StreamTraffic& traffic, ConnectionEnd& end) {
  end.bytes_received = traffic.bytes_received;
  end.bytes_sent = traffic.bytes_sent;
  end.duration = executor_.loop().now() - end.began;
  options_.on_connection_end(end);
}

void Server::CountEnd(const absl::Status& status, bool threw) {
  if (threw) {
    ++counts_.ended_throw;
    return;
  }
  ++(status.ok() ? counts_.ended_ok : counts_.ended_error);
  ++counts_.ended_by_code[static_cast<size_t>(status.code())];
}

}  // namespace ringway
