// SPDX-License-Identifier: Apache-2.0
//
// Server: accepts connections on the executor of one thread, serves them and
// UDP sockets, and drains: what each worker of a Runtime does. Alone it serves
// in a program with an executor of its own, or in the simulator.
//
//   ringway::Server server(*executor);
//   server.Listen(*std::move(listener), Echo);
//   absl::Status ran = executor->Run(server.Run());  // until Shutdown()
//
// A connection lasts from its accept until its handler has returned and its
// stream is closed, wherever the handler has moved the stream.
//
//     Run() --> serving --Shutdown()--> lame duck --> stopping --> draining
//                                           |            |            |
//                                           +---Cut()----+------------+--> cut
//
// Stopping: what the kernel has queued on the listeners is still accepted, then
// they are closed; datagrams that have arrived are still received. Draining:
// connections end by themselves, see DrainToken(). Cut: the tasks of the
// remaining ones are cancelled, and UDP handlers.

#ifndef RINGWAY_RUNTIME_SERVING_SERVER_H_
#define RINGWAY_RUNTIME_SERVING_SERVER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/histogram.h"
#include "ringway/core/owner_thread.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/tcp.h"
#include "ringway/net/udp_socket.h"
#include "ringway/runtime/serving/connection_counts.h"

namespace ringway {

// Serves one connection; its status is counted by code and is not an error of
// the server.
using ConnectionHandler = std::function<Task<absl::Status>(net::TcpStream)>;

// Serves one UDP socket, for as long as the server does: it receives from it
// and sends by it until it is cancelled. The socket stays where it is until all
// tasks of its executor have ended, so that those may use it that the handler
// has spawned; it is closed when the handler has returned.
//
// A handler that fails or throws while the server serves is reported on stderr
// and counted as a failed listener. It is not called again: what made it fail
// would most likely do so at once. So do not return the error of sending one
// datagram, which a peer may cause at will (port 0: EINVAL).
using DatagramHandler = std::function<Task<absl::Status>(net::UdpSocket&)>;

// What to do with a connection beyond the limit.
enum class WhenFull : uint8_t {
  kRefuse,  // close it at once
  // Leave it in the kernel's queue until another one has ended; up to 65 of
  // each listener wait here.
  kWait,
};

// A connection that has ended, for access logs.
struct ConnectionEnd {
  std::string_view listener;  // its name, or its address
  std::string peer;           // "127.0.0.1:51234"; see StreamReader::PeerName()
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;
  MonotonicTime began;      // when it was accepted
  absl::Duration duration;  // from then on
  // Of the handler; Internal with its message for an exception.
  absl::Status status;
};

struct ServerOptions {
  ServerOptions() {}

  // Most concurrent connections, at least 1.
  size_t max_connections = 100'000;
  WhenFull when_full = WhenFull::kRefuse;
  // What to do with connections while the process or the machine has no more
  // fds.
  WhenFull when_out_of_fds = WhenFull::kRefuse;
  // While coroutine frames and receive buffers of this executor take more
  // bytes than this, no connection is accepted. 0: no limit.
  uint64_t memory_high_water = 0;
  // How long it goes on accepting after Shutdown(), while ready() is false: so
  // long load balancers need to notice.
  absl::Duration lame_duck;
  // How long connections have to end, from then on, before they are cancelled;
  // may be infinite.
  absl::Duration drain_deadline = absl::Seconds(10);
  // How long cancelled connections have to end before they are left to the end
  // of the executor, which destroys their tasks.
  absl::Duration cut_grace = absl::Seconds(5);
  // Runs at the cut: to cancel what handlers have spawned. Must not throw.
  std::function<void()> on_cut;
  // Runs after each connection; must not throw. With it, each connection costs
  // the text of its peer.
  std::function<void(const ConnectionEnd&)> on_connection_end;
};

enum class ServerPhase : uint8_t {
  kServing,
  kLameDuck,
  kStopping,
  kDraining,
  kCut,
  kEnded,
};
// "serving", "lame duck", ...
std::string_view ServerPhaseName(ServerPhase phase);

// Must outlive the tasks of its executor, which refer to it: destroy the
// executor first, unless Run() has returned with nothing left that it served.
//
// Threads: the executor's only (checked), unless stated otherwise.
class Server {
 public:
  explicit Server(Executor& executor,
                  const ServerOptions& options = ServerOptions());
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // The handler of connections and its name, for logs.
  struct Endpoint {
    ConnectionHandler handler;
    std::string name;
  };

  // Serves what `listener` accepts, once Run() has begun. `endpoint` must
  // outlive the server. Before Run(). Throws std::bad_alloc.
  //
  // Errors: ResourceExhausted if the executor has no room for the task that
  //         accepts.
  absl::Status Listen(net::TcpListener listener, const Endpoint& endpoint);
  // The same with an endpoint that the server keeps. The name is the address.
  absl::Status Listen(net::TcpListener listener, ConnectionHandler handler);

  // The handler of a UDP socket, and its name for messages.
  struct UdpEndpoint {
    DatagramHandler handler;
    std::string name;
    // The drain waits for the handler to return, as for a connection, and
    // counts it as cut if it has not: for those that end at DrainToken().
    // Otherwise it is cancelled when the connections have ended: most handlers
    // keep nothing between two datagrams, and none knows which is the last.
    bool drains = false;
  };

  // Serves `socket`, once Run() has begun. As Listen().
  absl::Status ServeUdp(net::UdpSocket socket, UdpEndpoint endpoint);

  // Serves a connection that was accepted elsewhere, or closes it and counts it
  // as refused. `endpoint` must outlive the server.
  void Admit(const Endpoint& endpoint, SocketFd fd) noexcept;
  // While there are more of ExpectAdmits() than of NoMoreAdmits(), the shutdown
  // stays in kStopping.
  void ExpectAdmits() { ++admitters_; }
  void NoMoreAdmits();

  // Starts accepting, unless Start() did. Returns when the server has been shut
  // down and all connections and UDP handlers have ended, or have not within
  // drain_deadline and cut_grace. Once.
  //
  // Cancellation: none; see Shutdown() and Cut().
  // Cost:         after this has begun, the shutdown allocates nothing.
  Task<void> Run();

  void Start();

  // Ends the serving, see above. Again: nothing.
  void Shutdown();
  // Shuts down, and ends every phase before the cut.
  void Cut();

  // No connection is served in between: they wait in the kernel's queue, and up
  // to 65 of each listener here.
  void PauseAccepting();
  void ResumeAccepting();

  ServerPhase phase() const { return phase_; }
  // Connections given to Admit() that have ended or were refused. Any thread.
  uint64_t n_admitted_over() const {
    return n_admitted_over_.load(std::memory_order_relaxed);
  }
  // Started and not shut down: readiness, for load balancers.
  bool ready() const { return started_ && !shutdown_.is_set(); }
  // Threads: any.
  size_t connections() const { return open_.load(std::memory_order_relaxed); }
  const ConnectionCounts& counts() const { return counts_; }
  // From the turn in which a connection was accepted to its handler's call, in
  // nanoseconds, to within a turn.
  const Histogram& accept_to_handler() const { return accept_to_handler_; }
  // Start() or Run() came before a Shutdown().
  bool was_started() const { return started_; }
  // Cancelled when draining begins, see DrainToken().
  const CancelToken& drain_token() const { return drain_->token(); }

 private:
  class Connection;
  class Place;
  class UdpServing;
  struct Listening;

  void CheckThread() const { owner_.Check("a Server"); }
  Event::WaitOp Change();
  Task<void> AcceptLoop(Listening& listening);
  enum class Room : uint8_t { kYes, kFull, kNoMemory };
  // Whether there may be one more connection.
  Room Reconsider();
  // True if the listener is unusable.
  bool OnAcceptFailed(const Listening& listening, const absl::Status& failed);
  // As Admit(). Throws std::bad_alloc after closing it.
  void AdmitStream(const Endpoint& endpoint, net::TcpStream stream,
                   Place place);
  static Task<void> Serve(Place place, const Endpoint& endpoint,
                          net::TcpStream stream);
  // Null unless ends are logged.
  std::unique_ptr<ConnectionEnd> BeginLog(const Endpoint& endpoint,
                                          net::TcpStream& stream);
  void EndLog(const net::StreamTraffic& traffic, ConnectionEnd& end);
  void CancelConnections();
  void CountEnd(const absl::Status& status, bool threw);

  const OwnerThread owner_;
  Executor& executor_;
  const ServerOptions options_;
  const absl::Status draining_;        // the reason of drain_
  IntrusiveList<Connection> running_;  // whose task has begun
  std::list<Endpoint> endpoints_;
  std::list<Listening> listening_;
  size_t accepting_ = 0;  // listeners that are not closed
  ConnectionCounts counts_;
  Histogram accept_to_handler_;
  std::atomic<size_t> open_{0};
  std::atomic<uint64_t> n_admitted_over_{0};
  ServerPhase phase_ = ServerPhase::kServing;
  int admitters_ = 0;
  bool started_ = false;
  bool paused_ = false;
  bool cut_ = false;
  // Also set by the shutdown: check shutdown_ after waiting for serving_.
  Event serving_;
  Event shutdown_;
  // Something has changed that Run() waits for; reset by Change().
  Event changed_;
  Event room_;  // there may be room; accept loops wait for it
  CancelSource stopping_;
  const std::shared_ptr<CancelSource> drain_;  // the executor's locals, too
  const std::unique_ptr<UdpServing> udp_;
};

// Cancelled, with Unavailable, when the server of this executor, the newest if
// there are several, begins to drain:
// a handler that waits for its client's next request should then close instead.
//
//   CancelToken drain;  // of no source: never cancelled
//   while (true) {
//     auto request = co_await WithToken(drain, in.ReadLine(8192));
//     if (absl::IsUnavailable(request.status())) ...  // say goodbye
//     ...
//     drain = DrainToken();
//   }
//
// The first request is waited for in any case, because the client may have been
// in the listener's queue when the drain began.
// Outside of a server it is never cancelled. Aborts without an executor.
CancelToken DrainToken();

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_SERVING_SERVER_H_
