// SPDX-License-Identifier: Apache-2.0
//
// Compares the throughput of a server on Ringway with one on blocking
// sockets, for three workloads, with the same client (blocking sockets, on
// another core), which compares every byte: a stream echoed chunk by chunk, a
// stream echoed while its client keeps writing, and datagrams with many in
// flight.
//
// TCP uses cubic on both sides if available: bbr, the default on some machines,
// slows loopback down.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "ringway/backends/backend_options.h"
#include "ringway/core/unique_fd.h"
#include "ringway/tools/bench/echo_servers.h"
#include "ringway/tools/command_line/command_line.h"
#include "ringway/tools/loadgen/payload.h"

namespace ringway::bench {
namespace {

constexpr size_t kChunk = 64 * 1024;
constexpr size_t kPayload = 8 * 1024 * 1024;
constexpr size_t kDatagram = 64;
constexpr uint64_t kInFlight = 32;

struct Options {
  int rounds = 5;
  int scale = 100;  // per cent of the full amounts
  int server_cpu = 0;
  int client_cpu = 1;
  BackendKind kind = BackendKind::kAuto;
};

// Ends the benchmark: a figure for wrong bytes would be worthless.
[[noreturn]] void Fail(std::string_view what) {
  fprintf(stderr, "throughput: %.*s\n", static_cast<int>(what.size()),
          what.data());
  exit(1);
}

[[noreturn]] void FailErrno(const char* call) {
  Fail(std::string(call) + ": " + strerror(errno));
}

UniqueFd Connect(const sockaddr_in& address, int type) {
  UniqueFd fd(socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(fd.get(), IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
  // Nothing takes this long; a lost datagram must not hang the benchmark.
  const timeval patience = {.tv_sec = 10, .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0)
    FailErrno("connect");
  return fd;
}

void SendAll(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0) FailErrno("send");
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

void ReceiveAndCompare(int fd, std::span<const std::byte> expected,
                       std::span<std::byte> buffer) {
  while (!expected.empty()) {
    const ssize_t n =
        recv(fd, buffer.data(), std::min(buffer.size(), expected.size()), 0);
    if (n < 0) FailErrno("recv");
    if (n == 0) Fail("the server hung up");
    const auto size = static_cast<size_t>(n);
    if (memcmp(buffer.data(), expected.data(), size) != 0)
      Fail("the server sent back something else than it was sent");
    expected = expected.subspan(size);
  }
}

const std::vector<std::byte>& Payload() {
  static const std::vector<std::byte>& payload = *[] {
    auto* bytes = new std::vector<std::byte>(kPayload);
    loadgen::FillRequest(0, 0, *bytes);
    return bytes;
  }();
  return payload;
}

// --- The clients: each returns how many units it exchanged.

// MB, one chunk after the other.
double ExchangeChunks(const sockaddr_in& address, int scale) {
  const UniqueFd fd = Connect(address, SOCK_STREAM);
  std::vector<std::byte> buffer(kChunk);
  const size_t n_chunks =
      std::max(4096 * static_cast<size_t>(scale) / 100, size_t{1});
  for (size_t i = 0; i < n_chunks; ++i) {
    const std::span<const std::byte> chunk =
        std::span(Payload()).subspan(i * 65'537 % (kPayload - kChunk), kChunk);
    SendAll(fd.get(), chunk);
    ReceiveAndCompare(fd.get(), chunk, buffer);
  }
  return static_cast<double>(n_chunks * kChunk) / 1e6;
}

// MB, written without a look at what comes back, which another thread reads.
double FireAndForget(const sockaddr_in& address, int scale) {
  const UniqueFd fd = Connect(address, SOCK_STREAM);
  const int times = std::max(16 * scale / 100, 1);
  std::thread writer([&] {
    for (int i = 0; i < times; ++i) SendAll(fd.get(), Payload());
    shutdown(fd.get(), SHUT_WR);
  });
  std::vector<std::byte> buffer(4 * kChunk);
  for (int i = 0; i < times; ++i)
    ReceiveAndCompare(fd.get(), Payload(), buffer);
  writer.join();
  return static_cast<double>(kPayload) * times / 1e6;
}

// Requests.
double ExchangeDatagrams(const sockaddr_in& address, int scale) {
  const UniqueFd fd = Connect(address, SOCK_DGRAM);
  const uint64_t total = std::max(
      uint64_t{100'000} * static_cast<uint64_t>(scale) / 100, kInFlight);
  // Request `i` starts with its number; the rest follows from that.
  const auto make = [](uint64_t i) {
    std::array<std::byte, kDatagram> request;
    memcpy(request.data(), &i, sizeof(i));
    loadgen::FillRequest(0, i, std::span(request).subspan(sizeof(i)));
    return request;
  };
  std::vector<bool> answered(total);
  uint64_t sent = 0;
  for (; sent < kInFlight; ++sent) SendAll(fd.get(), make(sent));
  for (uint64_t received = 0; received < total; ++received) {
    std::array<std::byte, kDatagram + 1> reply;
    const ssize_t n = recv(fd.get(), reply.data(), reply.size(), 0);
    if (n < 0) FailErrno("recv");
    uint64_t i = total;
    memcpy(&i, reply.data(), sizeof(i));
    if (n != kDatagram || i >= sent || answered[i] ||
        memcmp(reply.data(), make(i).data(), kDatagram) != 0)
      Fail("a datagram came back twice, or changed");
    answered[i] = true;
    if (sent < total) SendAll(fd.get(), make(sent++));
  }
  if (send(fd.get(), nullptr, 0, 0) != 0) FailErrno("send");  // the end
  return static_cast<double>(total);
}

// --- The comparison

struct Case {
  const char* name;
  const char* unit;
  Workload workload;
  double (*exchange)(const sockaddr_in&, int scale);
};

constexpr Case kCases[] = {
    {"TCP, 64 KiB chunks", "MB/s", Workload::kChunks, &ExchangeChunks},
    {"TCP, 8 MiB unread", "MB/s", Workload::kFireAndForget, &FireAndForget},
    {"UDP, 64 B, 32 in flight", "requests/s", Workload::kDatagrams,
     &ExchangeDatagrams},
};

struct Figures {
  std::vector<double> rates;
  std::vector<double> cpu_per_unit;  // microseconds
};

void RunOnce(const Case& c, Side side, const Options& options,
             Figures& figures) {
  EchoServer server(side, c.workload, options.server_cpu, options.kind);
  const absl::Time start = absl::Now();
  const double units = c.exchange(server.address(), options.scale);
  const absl::Duration elapsed = absl::Now() - start;
  const absl::Duration cpu = server.Join();
  figures.rates.push_back(units / absl::ToDoubleSeconds(elapsed));
  figures.cpu_per_unit.push_back(absl::ToDoubleMicroseconds(cpu) / units);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle]
                                : (values[middle - 1] + values[middle]) / 2;
}

void Compare(const Case& c, const Options& options) {
  Figures ringway;
  Figures blocking;
  for (int i = 0; i < options.rounds; ++i) {
    RunOnce(c, Side::kRingway, options, ringway);
    RunOnce(c, Side::kBlocking, options, blocking);
  }
  const double rate = Median(ringway.rates);
  const double other_rate = Median(blocking.rates);
  const double cpu = Median(ringway.cpu_per_unit);
  const double other_cpu = Median(blocking.cpu_per_unit);
  printf("%-24s %-10s %10.0f %10.0f %7.2f %10.2f %10.2f %7.2f\n", c.name,
         c.unit, rate, other_rate, rate / other_rate, cpu, other_cpu,
         cpu / other_cpu);
  fflush(stdout);
}

}  // namespace
}  // namespace ringway::bench

int main(int argc, char** argv) {
  ringway::bench::Options options;
  std::string backend = "auto";
  ringway::CommandLine flags(
      "throughput", "compares Ringway with blocking sockets, byte for byte");
  flags.Add("rounds", "runs of each, in turns; medians are printed",
            &options.rounds, 1, 1000);
  flags.Add("scale", "per cent of the full amount of data", &options.scale, 1,
            1000);
  flags.Add("server-cpu", "CPU of the servers; -1 any", &options.server_cpu, -1,
            4095);
  flags.Add("client-cpu", "CPU of the client; -1 any", &options.client_cpu, -1,
            4095);
  flags.Add("backend", "auto, uring or epoll", &backend);
  if (std::optional<int> code = flags.Parse(argc, argv)) return *code;
  absl::StatusOr<ringway::BackendKind> kind =
      ringway::ParseBackendKind(backend);
  if (!kind.ok()) return flags.Complain(kind.status().message());
  options.kind = *kind;

  ringway::bench::PinThread(options.client_cpu);
  printf("%-24s %-10s %10s %10s %7s %10s %10s %7s\n", "workload", "unit",
         "Ringway", "blocking", "ratio", "CPU us", "blocking", "ratio");
  for (const ringway::bench::Case& c : ringway::bench::kCases)
    ringway::bench::Compare(c, options);
  return 0;
}
