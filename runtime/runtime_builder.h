// SPDX-License-Identifier: Apache-2.0
//
// RuntimeBuilder: the configuration of a Runtime. See runtime.h.

#ifndef RINGWAY_RUNTIME_RUNTIME_BUILDER_H_
#define RINGWAY_RUNTIME_RUNTIME_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/datagram/udp_options.h"
#include "ringway/net/listening/listen_socket.h"
#include "ringway/pools/resolver/host_resolver.h"
#include "ringway/pools/thread_pool.h"
#include "ringway/runtime/distribution/worker_choice.h"
#include "ringway/runtime/serving/server.h"

namespace ringway {

class Runtime;
class ServiceManager;
struct InheritedSocket;

namespace internal {
struct RuntimeConfig;
struct TlsListening;
}  // namespace internal

// The effect of a failed OnStart().
enum class OnStartFailure : uint8_t {
  kReport,      // it is reported on stderr and counted; the server runs
  kFailLaunch,  // Launch() fails with its status
};

// Which threads accept the connections of a listener.
enum class Accepting : uint8_t {
  // kPerWorker for TCP addresses, kOneAcceptor for what workers would have to
  // share: Unix addresses and sockets that were passed in. With one worker
  // always that one.
  kAuto,
  // Each worker has a socket of its own on the address (SO_REUSEPORT), or they
  // share one: fastest, and the kernel chooses by the client's address, so that
  // few connections may all get to one worker.
  kPerWorker,
  // A thread of its own accepts and distributes (RuntimeBuilder::Balance()):
  // for few or unequal connections. None waits for a busy worker for longer
  // than a millisecond while another one is free. Costs a wake-up of two
  // threads for each connection.
  kOneAcceptor,
};

struct ListenerOptions {
  ListenerOptions() {}

  // For logs and metrics; the address if it is empty.
  std::string name;
  Accepting accepting = Accepting::kAuto;
  // reuse_port: other processes may listen on the address at the same time, to
  // take over from this one. Otherwise an address in use is an error, even if
  // its owner would share it. claim_port does not count.
  net::ListenOptions socket;
};

struct UdpListenerOptions {
  UdpListenerOptions() {}

  // For messages; the address if it is empty.
  std::string name;
  // The drain waits for the handlers to return, see Server::UdpEndpoint: set it
  // for those that end at DrainToken().
  bool drains = false;
  // reuse_port: as of ListenerOptions. With reuse_address, too, others may
  // share the address. claim_port does not count.
  net::UdpOptions socket;
};

// Runs on every worker, which does not wait for it.
using StartHandler = std::function<Task<absl::Status>()>;

// Nothing is checked or done before Launch(), which copies everything and may
// be called again.
class RuntimeBuilder {
 public:
  RuntimeBuilder();
  RuntimeBuilder(RuntimeBuilder&&) noexcept;
  ~RuntimeBuilder();

  // Worker threads, 1 to 1,024. Without a call: one for each physical core that
  // the affinity mask and the control group allow (runtime/host).
  RuntimeBuilder& Workers(int n);
  // Pins worker i to CPU `first + i`, which is below CPU_SETSIZE (1,024); a
  // negative `first` (the default) pins nothing.
  RuntimeBuilder& Pin(int first);
  // Pins each worker to a physical core of its own, in the order of the
  // machine's topology from the core `offset` on; when there are no more cores,
  // to their other hardware threads, and then from the start again.
  RuntimeBuilder& PinToCores(size_t offset = 0);
  // Options of each worker's executor, including its backend, which is the same
  // for all workers: if BackendKind::kAuto gets io_uring for some and not for
  // others, all are restarted on epoll, with one log line. max_tasks must allow
  // one task of the worker's own, one for each Listen(), BindUdp(), OnStart()
  // and OnTick(), and one for a connection.
  RuntimeBuilder& Options(const ExecutorOptions& options);

  // A pool of the runtime's own for RunBlocking() on its workers, instead of
  // the process's (SharedBlockingPool()). It ends after them: Runtime::Wait()
  // waits for the calls that have begun. ThreadPoolOptions::name is that of its
  // threads.
  RuntimeBuilder& BlockingPool(const ThreadPoolOptions& options);
  // The same for ringway::Resolve() and its look-ups; without a call
  // net::DefaultResolver(), which keeps no addresses.
  RuntimeBuilder& Resolver(const HostResolverOptions& options);

  // Serves the stream address `address` (SocketAddress::Parse) with `handler`,
  // which is called on the workers' threads, concurrently. May be called
  // several times; without any listener the workers only run OnStart().
  //
  // "inherited:NAME" are the sockets called NAME that a service manager passed
  // (LISTEN_FDS, LISTEN_FDNAMES; systemd.socket(5)); call it before the program
  // starts threads, as that changes the environment.
  RuntimeBuilder& Listen(std::string_view address, ConnectionHandler handler,
                         const ListenerOptions& options = ListenerOptions());
  // The same with a listening socket that was made elsewhere, such as one that
  // a service manager has passed: `options.socket` does not count. Its path, if
  // it is a Unix socket, is not removed at the end.
  RuntimeBuilder& ListenFd(UniqueFd fd, ConnectionHandler handler,
                           const ListenerOptions& options = ListenerOptions());
  // The same with TLS: see AddTlsListener(), in
  // ringway/runtime/tls/listen_tls.h of //runtime/tls, which must be included.
  // A template, so that only programs that do link OpenSSL.
  template <typename Context, typename Handler>
  RuntimeBuilder& ListenTls(
      std::string_view address, const Context& context, Handler handler,
      const ListenerOptions& options = ListenerOptions()) {
    AddTlsListener(*this, address, context, std::move(handler), options);
    return *this;
  }
  // Serves the UDP address `address` with `handler`, which is called once on
  // each worker, concurrently, with a socket of the worker's own
  // (SO_REUSEPORT): the kernel chooses it by the sender's address, so that what
  // one sends gets to one worker. May be called several times. A handler that
  // ends leaves the address to the other workers; see DatagramHandler.
  //
  // A shutdown closes no queue before what it holds has been received: handlers
  // go on for as long as datagrams wait, at most for a second. They are
  // cancelled when the connections have ended, see UdpListenerOptions::drains.
  //
  // "inherited:NAME" are sockets as of Listen(), without `options.socket`. The
  // workers share each: the kernel gives a datagram to any of them, busy or
  // not.
  RuntimeBuilder& BindUdp(
      std::string_view address, DatagramHandler handler,
      const UdpListenerOptions& options = UdpListenerOptions());
  // How listeners with one acceptor choose a worker: by the fewest connections
  // unless it is set. `chunk`: connections in a row with kChunked, at least 1.
  RuntimeBuilder& Balance(Balancing balancing, size_t chunk = 16);

  // Runs `handler` on every worker once all workers are running and the
  // listeners are open. May be called several times; the handlers run
  // concurrently. Those with kFailLaunch run before any connection is accepted,
  // one after the other, and Launch() waits for them. In a drain a handler is
  // cancelled if it is still running when the connections have ended.
  RuntimeBuilder& OnStart(StartHandler handler,
                          OnStartFailure failure = OnStartFailure::kReport);
  // Runs `handler` on every worker when its connections have ended. May be
  // called several times; one after the other, each for
  // ExecutorOptions::shutdown_grace at most, then it is cancelled. A failure is
  // reported on stderr.
  RuntimeBuilder& OnStop(StartHandler handler);
  // Calls `handler` on every worker each `period`, which is positive, until the
  // connections have ended. Without a call nothing wakes an idle worker. What
  // it throws goes to ExecutorOptions::on_detached_exception and ends it.
  RuntimeBuilder& OnTick(absl::Duration period, std::function<void()> handler);
  // Calls `handler` on its worker after each connection, for access logs; it
  // must not throw. See ServerOptions::on_connection_end.
  RuntimeBuilder& OnConnectionEnd(
      std::function<void(const ConnectionEnd&)> handler);

  // Most concurrent connections per worker (default 100,000); a further one is
  // closed at once and counted, or waits; so is one for which the process or
  // the machine has no fd. One that would exceed ExecutorOptions::max_tasks is
  // closed.
  RuntimeBuilder& MaxConnections(size_t n,
                                 WhenFull when_full = WhenFull::kRefuse);
  // A worker accepts no connection while its frames and receive buffers take
  // more than this; 0, the default: no limit.
  RuntimeBuilder& MemoryHighWater(uint64_t bytes_per_worker);
  // How long Shutdown() still accepts while Runtime::ready() is false: 0 (the
  // default) or more.
  RuntimeBuilder& LameDuck(absl::Duration duration);
  // How long Shutdown() then waits for connections to end (default 10 s) before
  // it cancels them; 0 or more, may be infinite.
  RuntimeBuilder& DrainDeadline(absl::Duration deadline);

  // Serves the state of the runtime over HTTP on a stream address: /metrics
  // (docs/metrics.md), /healthz, /readyz (Runtime::ready()) and /tasks, from a
  // thread of its own until the last worker has ended. It asks no client who it
  // is: choose an address that only the machine or its network can reach.
  RuntimeBuilder& Metrics(std::string_view address);

  // Reports a worker that has been in one turn for longer than `budget`, 1 ms
  // to an hour, on stderr: with the task that runs and the stack of its thread
  // (StallDetector, docs/observability.md). Zero, the default: nothing watches.
  RuntimeBuilder& StallBudget(absl::Duration budget);
  // Records the newest turns, tasks and operations of each worker and writes
  // them to the file `path` at the end, for Perfetto or chrome://tracing
  // (WriteChromeTrace()).
  RuntimeBuilder& Trace(std::string_view path);
  // On SIGQUIT prints what every task waits for on stderr (TasksPage());
  // without this the signal ends the process with a core.
  RuntimeBuilder& DumpTasksOnQuit();

  // All settings and limits, a line each: "max_connections: 100000".
  std::string Describe() const;

  // Starts the workers, and when all of them are ready opens the listeners. All
  // or nothing: after an error no thread runs and no fd is open. An address in
  // use is an error, even if its owner would share it.
  //
  // Errors: InvalidArgument naming the setting; the error of starting the
  //         thread, the backend, the pinning or the listener; the status of an
  //         OnStart() with kFailLaunch, or Internal with its exception.
  absl::StatusOr<std::unique_ptr<Runtime>> Launch();

 private:
  friend int RunUntilSignal(RuntimeBuilder& builder, absl::Duration limit);
  friend struct internal::TlsListening;

  absl::Status ListenInherited(std::string_view name,
                               const ConnectionHandler& handler,
                               const ListenerOptions& options);
  absl::Status BindInherited(std::string_view name,
                             const DatagramHandler& handler,
                             const UdpListenerOptions& options);
  absl::StatusOr<std::vector<InheritedSocket>> TakeInherited(
      std::string_view name, int type);
  absl::StatusOr<ServiceManager*> ReadManager();

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

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_RUNTIME_BUILDER_H_
