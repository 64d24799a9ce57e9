// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/bench/echo_servers.h"

#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <future>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/tcp.h"
#include "ringway/net/udp_socket.h"

namespace ringway::bench {
namespace {

constexpr size_t kChunk = 64 * 1024;
constexpr size_t kMaxDatagram = 2048;
// Concurrent receives: one system call serves them all.
constexpr int kReceivers = 32;

// --- Ringway

Task<absl::Status> EchoChunks(net::TcpStream& stream) {
  std::vector<std::byte> buffer(kChunk);
  while (true) {
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return absl::OkStatus();
    absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
    if (!sent.ok()) co_return sent;
  }
}

Task<absl::Status> EchoAhead(net::TcpStream& stream) {
  std::vector<std::byte> buffer(kChunk);
  net::BufferedWriter writer(stream.writer());
  while (true) {
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) break;
    absl::Status queued = co_await writer.Enqueue(std::span(buffer).first(*n));
    if (!queued.ok()) co_return queued;
  }
  co_return co_await writer.Flush();
}

Task<absl::Status> ServeStream(Loop& loop, UniqueFd socket, Workload workload) {
  net::TcpListener listener = net::TcpListener::Adopt(loop, std::move(socket));
  absl::StatusOr<net::TcpStream> stream = co_await listener.Accept();
  if (!stream.ok()) co_return stream.status();
  absl::Status echoed;
  if (workload == Workload::kChunks) {
    echoed = co_await EchoChunks(*stream);
  } else {
    echoed = co_await EchoAhead(*stream);
  }
  absl::Status closed = co_await stream->Close();
  co_return echoed.ok() ? closed : echoed;
}

Task<absl::Status> EchoDatagrams(net::UdpSocket& socket, Event& ended) {
  std::array<std::byte, kMaxDatagram> buffer;
  while (true) {
    absl::StatusOr<net::Datagram> got = co_await socket.ReceiveFrom(buffer);
    if (!got.ok()) co_return got.status();
    if (got->n_bytes == 0) break;
    absl::Status sent = co_await socket.SendTo(
        std::span(buffer).first(got->n_bytes), got->sender);
    if (!sent.ok()) co_return sent;
  }
  ended.Set();
  co_return absl::OkStatus();
}

Task<absl::Status> ServeDatagrams(Loop& loop, UniqueFd fd) {
  net::UdpSocket socket = net::UdpSocket::Adopt(loop, std::move(fd));
  Event ended;
  std::vector<JoinHandle<absl::Status>> receivers;
  for (int i = 0; i < kReceivers; ++i)
    receivers.push_back(Spawn(EchoDatagrams(socket, ended)));
  absl::Status status = co_await ended.Wait();
  socket.Close();
  for (JoinHandle<absl::Status>& receiver : receivers) {
    absl::Status received = co_await receiver;
    if (!absl::IsCancelled(received)) status.Update(received);
  }
  co_return status;
}

absl::Status ServeByRingway(UniqueFd socket, Workload workload,
                            BackendKind kind) {
  ExecutorOptions options;
  options.loop.backend.kind = kind;
  absl::StatusOr<std::unique_ptr<Executor>> executor =
      Executor::Create(options);
  if (!executor.ok()) return executor.status();
  Loop& loop = (*executor)->loop();
  return (*executor)->Run(workload == Workload::kDatagrams
                              ? ServeDatagrams(loop, std::move(socket))
                              : ServeStream(loop, std::move(socket), workload));
}

// --- Blocking sockets

void ServeStreamByBlocking(int listener) {
  const UniqueFd stream(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  RINGWAY_CHECK(stream.valid(), "accept: %s", strerror(errno));
  std::vector<std::byte> buffer(kChunk);
  ssize_t n;
  while ((n = recv(stream.get(), buffer.data(), buffer.size(), 0)) > 0) {
    const auto size = static_cast<size_t>(n);
    for (size_t sent = 0; sent < size;) {
      const ssize_t m =
          send(stream.get(), buffer.data() + sent, size - sent, MSG_NOSIGNAL);
      RINGWAY_CHECK(m > 0, "send: %s", strerror(errno));
      sent += static_cast<size_t>(m);
    }
  }
  RINGWAY_CHECK(n == 0, "recv: %s", strerror(errno));
}

void ServeDatagramsByBlocking(int socket) {
  std::array<std::byte, kMaxDatagram> buffer;
  while (true) {
    sockaddr_in sender;
    socklen_t length = sizeof(sender);
    auto* address = reinterpret_cast<sockaddr*>(&sender);
    const ssize_t n =
        recvfrom(socket, buffer.data(), buffer.size(), 0, address, &length);
    RINGWAY_CHECK(n >= 0, "recvfrom: %s", strerror(errno));
    if (n == 0) return;
    const ssize_t m = sendto(socket, buffer.data(), static_cast<size_t>(n), 0,
                             address, length);
    RINGWAY_CHECK(m == n, "sendto: %s", strerror(errno));
  }
}

// --- Either

absl::Duration ThreadCpu() {
  timespec used = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return absl::DurationFromTimespec(used);
}

UniqueFd Bind(Workload workload, sockaddr_in& address) {
  const bool datagrams = workload == Workload::kDatagrams;
  UniqueFd fd(socket(AF_INET,
                     (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
  RINGWAY_CHECK(fd.valid(), "socket: %s", strerror(errno));
  const int on = 1;
  // Accepted sockets inherit both. Without cubic the call fails and the
  // system's default stays.
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(fd.get(), IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  socklen_t length = sizeof(address);
  RINGWAY_CHECK(bind(fd.get(), any, length) == 0 &&
                    (datagrams || listen(fd.get(), 16) == 0) &&
                    getsockname(fd.get(), any, &length) == 0,
                "bind: %s", strerror(errno));
  return fd;
}

}  // namespace

void PinThread(int cpu) {
  if (cpu < 0) return;
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);
  RINGWAY_CHECK(sched_setaffinity(0, sizeof(cpus), &cpus) == 0,
                "pinning to CPU %d: %s", cpu, strerror(errno));
}

EchoServer::EchoServer(Side side, Workload workload, int cpu, BackendKind kind)
    : socket_(Bind(workload, address_)) {
  thread_ = std::thread([=, this] {
    PinThread(cpu);
    const absl::Duration before = ThreadCpu();
    if (side == Side::kRingway) {
      const absl::Status served =
          ServeByRingway(std::move(socket_), workload, kind);
      RINGWAY_CHECK(served.ok(), "%s", served.ToString().c_str());
    } else if (workload == Workload::kDatagrams) {
      ServeDatagramsByBlocking(socket_.get());
    } else {
      ServeStreamByBlocking(socket_.get());
    }
    cpu_ = ThreadCpu() - before;
  });
}

EchoServer::~EchoServer() {
  if (thread_.joinable()) thread_.join();
}

absl::Duration EchoServer::Join() {
  thread_.join();
  return cpu_;
}

}  // namespace ringway::bench
