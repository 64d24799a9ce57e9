// SPDX-License-Identifier: Apache-2.0

#include "tools/sim/echo.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/sim/address.h"
#include "executor/executor.h"
#include "executor/sleep.h"
#include "tools/sim/echo_server.h"
#include "tools/sim/luck.h"
#include "tools/sim/operations.h"
#include "tools/sim/payload_stream.h"

namespace ringway::simulation {
namespace {

constexpr int kClientNodes = 2;
constexpr int kClientsPerNode = 4;
constexpr uint64_t kSessions = 3;
constexpr uint64_t kMaxMessages = 3;
constexpr uint64_t kMaxMessageBytes = 3000;
constexpr uint16_t kPort = 7;
constexpr absl::Duration kLongestCut = absl::Milliseconds(500);
constexpr uint64_t kAllSessions = kClientNodes * kClientsPerNode * kSessions;

sockaddr_in AddressOf(const Node& node) {
  sockaddr_in address = {};
  sim::Ipv4(node.host(), kPort).Store(&address, sizeof(address));
  return address;
}

class EchoClient {
 public:
  EchoClient(Simulation& simulation, const sockaddr_in& server, uint64_t number)
      : simulation_(simulation), server_(server), stream_(number * kSessions) {}

  // OK unless a byte was wrong or a call was a mistake.
  Task<absl::Status> Run() {
    for (uint64_t i = 0; i < kSessions; ++i, ++stream_) {
      offset_sent_ = offset_received_ = 0;
      absl::Status status = co_await RunSession();
      if (!status.ok()) co_return status;
    }
    co_return absl::OkStatus();
  }

  // Sessions that ended early for no fault of the program.
  int unlucky() const { return unlucky_; }

 private:
  Task<absl::Status> RunSession() {
    const int32_t fd = co_await Socket(AF_INET, SOCK_STREAM);
    if (fd < 0) co_return Judge("socket", fd);
    absl::Status status = co_await Converse(fd);
    const int32_t closed = co_await Close(fd);
    co_return status.ok() ? Judge("close", closed) : status;
  }

  Task<absl::Status> Converse(int fd) {
    const int32_t connected = co_await Connect(fd, &server_);
    if (connected < 0) co_return Judge("connect", connected);
    const int unlucky_before = unlucky_;
    const uint64_t n_messages = simulation_.rng().Between(1, kMaxMessages);
    for (uint64_t i = 0; i < n_messages; ++i) {
      absl::Status status = co_await Exchange(fd);
      if (!status.ok() || unlucky_ > unlucky_before) co_return status;
    }
    const int32_t shut = co_await Shutdown(fd, SHUT_WR);
    const int32_t n = co_await Recv(fd, buffer_);
    if (n > 0) co_return absl::InternalError("bytes after the last reply");
    // A reset that has come meanwhile makes the connection none.
    if (shut == -ENOTCONN && simulation_.faults()) co_return Judge("recv", n);
    co_return Judge("shutdown or recv", std::min(shut, n));
  }

  // Sends a message and receives as many bytes.
  Task<absl::Status> Exchange(int fd) {
    const uint64_t end =
        offset_sent_ + simulation_.rng().Between(1, kMaxMessageBytes);
    while (offset_sent_ < end) {
      const std::span<std::byte> piece = std::span(buffer_).first(
          std::min<uint64_t>(buffer_.size(), end - offset_sent_));
      FillPayload(stream_, offset_sent_, piece);
      const int32_t n = co_await Send(fd, piece);
      if (n < 0) co_return Judge("send", n);
      offset_sent_ += static_cast<uint64_t>(n);
    }
    while (offset_received_ < end) {
      const int32_t n = co_await Recv(fd, buffer_);
      if (n <= 0) co_return Judge("recv", n == 0 ? -ECONNRESET : n);
      const size_t n_bytes = static_cast<size_t>(n);
      if (!IsPayload(stream_, offset_received_,
                     std::span(buffer_).first(n_bytes))) {
        co_return absl::DataLossError(
            absl::StrCat("stream ", stream_, " differs within ", n,
                         " bytes after ", offset_received_));
      }
      offset_received_ += n_bytes;
    }
    co_return absl::OkStatus();
  }

  absl::Status Judge(const char* what, int32_t result) {
    if (result >= 0) return absl::OkStatus();
    if (IsMistake(result) || !simulation_.faults()) {
      return absl::InternalError(
          absl::StrCat("stream ", stream_, ": ", what, " gave ", result));
    }
    ++unlucky_;
    return absl::OkStatus();
  }

  Simulation& simulation_;
  const sockaddr_in server_;
  uint64_t stream_;
  uint64_t offset_sent_ = 0;
  uint64_t offset_received_ = 0;
  int unlucky_ = 0;
  std::array<std::byte, 1500> buffer_;
};

// Cuts the server off from some of its clients now and then.
Task<void> CutTheNetwork(Simulation& simulation, uint32_t server) {
  sim::Rng& rng = simulation.rng();
  for (int i = 0; i < 2; ++i) {
    static_cast<void>(
        co_await Sleep(rng.Between(absl::ZeroDuration(), kLongestCut)));
    const uint32_t client =
        server + static_cast<uint32_t>(rng.Between(1, kClientNodes));
    simulation.world().network().Partition(server, client);
    static_cast<void>(
        co_await Sleep(rng.Between(absl::ZeroDuration(), kLongestCut)));
    simulation.world().network().Heal();
  }
}

// A server, its clients, and the network between them.
class EchoRun {
 public:
  explicit EchoRun(const Options& options)
      : simulation_(options),
        server_node_(simulation_.AddNode()),
        server_(simulation_, server_node_, AddressOf(server_node_)) {}

  // Tasks that a bug has left waiting go before what they wait for.
  ~EchoRun() {
    running_.clear();
    cutting_.Detach();
    simulation_.DestroyNodes();
  }

  absl::Status Run() {
    JoinHandle<absl::Status> serving =
        server_node_.executor().Spawn(server_.Serve());
    absl::Status status =
        simulation_.RunUntil([this] { return server_.listening(); });
    if (!status.ok()) return status;
    StartClients();
    if (simulation_.faults()) {
      cutting_ = server_node_.executor().Spawn(
          CutTheNetwork(simulation_, server_node_.host()));
    }
    // With faults the server may be stopped while it is busy.
    const uint64_t last_session =
        simulation_.faults()
            ? simulation_.rng().Between(1, 3 * kAllSessions / 2)
            : kAllSessions + 1;
    status = simulation_.RunUntil(
        [&] { return ClientsDone() || server_.accepted() >= last_session; });
    if (!status.ok()) return status;
    serving.Cancel();
    status = simulation_.RunUntil([&] {
      return serving.done() && cutting_.done() && ClientsDone() &&
             server_.replies_left() == 0;
    });
    if (!status.ok()) return status;
    return Judge(serving.TakeResult());
  }

  Simulation& simulation() { return simulation_; }

 private:
  void StartClients() {
    for (int i = 0; i < kClientNodes; ++i) {
      Node& node = simulation_.AddNode();
      for (int j = 0; j < kClientsPerNode; ++j) {
        clients_.push_back(std::make_unique<EchoClient>(
            simulation_, AddressOf(server_node_), clients_.size()));
        running_.push_back(node.executor().Spawn(clients_.back()->Run()));
      }
    }
  }

  bool ClientsDone() const {
    return std::all_of(running_.begin(), running_.end(),
                       [](const auto& client) { return client.done(); });
  }

  absl::Status Judge(absl::Status served) {
    for (JoinHandle<absl::Status>& client : running_) {
      if (absl::Status s = client.TakeResult(); !s.ok()) return s;
    }
    if (!served.ok()) return served;
    return simulation_.CheckWorld();
  }

  Simulation simulation_;
  Node& server_node_;
  EchoServer server_;
  std::vector<std::unique_ptr<EchoClient>> clients_;
  JoinHandle<void> cutting_;
  std::vector<JoinHandle<absl::Status>> running_;
};

}  // namespace

Verdict RunEcho(const Options& options) {
  EchoRun run(options);
  Verdict verdict;
  verdict.status = run.Run();
  verdict.trace_hash = run.simulation().trace_hash();
  verdict.turns = run.simulation().turns();
  return verdict;
}

}  // namespace ringway::simulation
