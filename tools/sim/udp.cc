// SPDX-License-Identifier: Apache-2.0
//
// The udp scenario: clients send requests to a server by datagrams, some of
// which are lost or reordered, and retry.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/structured/when.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/udp_socket.h"
#include "ringway/tools/sim/payload_stream.h"
#include "ringway/tools/sim/scenarios.h"
#include "ringway/tools/sim/stream_use.h"

namespace ringway::simulation {
namespace {

constexpr uint16_t kPort = 7;
constexpr size_t kReceivers = 3;
constexpr int kClientMachines = 2;
constexpr uint64_t kRequests = 8;
constexpr uint64_t kMostAttempts = 20;
constexpr size_t kMostBytes = 1400;
constexpr absl::Duration kSlowestReply = absl::Milliseconds(20);
constexpr absl::Duration kPatience = absl::Milliseconds(100);
constexpr absl::Duration kPause = absl::Milliseconds(5);

// The start of every datagram. The following bytes are its client's stream
// from `sequence * kMostBytes` on.
struct Header {
  uint32_t client = 0;
  uint32_t sequence = 0;  // of the requests of a client
  uint32_t attempt = 0;   // of the sends of a request
  uint32_t n_bytes = 0;   // that follow

  friend auto operator<=>(const Header&, const Header&) = default;
};

std::vector<std::byte> DatagramOf(const Header& header) {
  std::vector<std::byte> bytes(sizeof(header) + header.n_bytes);
  memcpy(bytes.data(), &header, sizeof(header));
  FillPayload(header.client, header.sequence * kMostBytes,
              std::span(bytes).subspan(sizeof(header)));
  return bytes;
}

// The header of a complete or truncated datagram; OK if its bytes are
// correct.
absl::StatusOr<Header> HeaderOf(std::span<const std::byte> bytes,
                                bool truncated) {
  Header header;
  if (bytes.size() < sizeof(header))
    return absl::DataLossError("a datagram differs: it has no header");
  memcpy(&header, bytes.data(), sizeof(header));
  bytes = bytes.subspan(sizeof(header));
  const bool right_size = truncated ? bytes.size() < header.n_bytes
                                    : bytes.size() == header.n_bytes;
  if (!right_size ||
      !IsPayload(header.client, header.sequence * kMostBytes, bytes))
    return absl::DataLossError(absl::StrCat("datagram ", header.sequence,
                                            " of client ", header.client,
                                            " differs"));
  return header;
}

// Makes a whole datagram of one that was truncated.
void ShortenHeader(std::span<std::byte> bytes) {
  if (bytes.size() < sizeof(Header)) return;
  const uint32_t n_bytes = static_cast<uint32_t>(bytes.size() - sizeof(Header));
  memcpy(bytes.data() + offsetof(Header, n_bytes), &n_bytes, sizeof(n_bytes));
}

// Records each received datagram. DataLoss if it was received before: every
// attempt to send one has a unique number.
class Arrivals {
 public:
  absl::Status Note(const Header& header) {
    if (seen_.insert(header).second) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat("datagram ", header.sequence,
                                            " of client ", header.client,
                                            " has come twice"));
  }

 private:
  std::set<Header> seen_;
};

// Retries until it has a socket, or the task is cancelled.
Task<absl::StatusOr<net::UdpSocket>> BindAtLast(Trial& trial,
                                                SimulatedHost& host,
                                                net::SocketAddress address) {
  while (true) {
    absl::StatusOr<net::UdpSocket> socket =
        net::UdpSocket::Bind(host.loop(), address);
    if (socket.ok()) co_return socket;
    absl::Status judged = trial.Judge("binding", socket.status());
    if (!judged.ok()) co_return judged;
    const absl::Status slept = co_await Sleep(kPause);
    if (!slept.ok()) co_return slept;
  }
}

// Echoes every datagram some time later. Several tasks receive, or one that is
// lent what has arrived and answers all of it at once.
class UdpServer {
 public:
  UdpServer(Trial& trial, SimulatedHost& host)
      : trial_(trial),
        host_(host),
        address_(AddressOf(host, kPort)),
        in_batches_(trial.rng().Chance(0.5)) {}

  const net::SocketAddress& address() const { return address_; }
  bool bound() const { return socket_.has_value(); }

  // Until cancelled.
  Task<absl::Status> Serve() {
    absl::StatusOr<net::UdpSocket> socket =
        co_await BindAtLast(trial_, host_, address_);
    if (!socket.ok()) co_return socket.status();
    socket_ = *std::move(socket);
    std::vector<Task<absl::Status>> receivers;
    if (in_batches_) receivers.push_back(AnswerBatches());
    while (!in_batches_ && receivers.size() < kReceivers)
      receivers.push_back(Answer());
    absl::Status first;
    for (absl::Status& ended : co_await WhenAll(std::move(receivers)))
      first.Update(ended);
    socket_->Close();
    co_return first;
  }

 private:
  Task<absl::Status> Answer() {
    std::array<std::byte, sizeof(Header) + kMostBytes> buffer;
    while (true) {
      const absl::StatusOr<net::Datagram> got =
          co_await socket_->ReceiveFrom(buffer);
      if (CurrentTaskIsCancelled()) co_return absl::OkStatus();
      absl::Status status = trial_.Judge("receiving a request", got.status());
      if (status.ok() && got.ok()) {
        status = Check(std::span(buffer).first(got->n_bytes), got->truncated);
      }
      if (!status.ok()) co_return status;
      if (!got.ok()) continue;
      co_await Pause(trial_, kSlowestReply);
      const absl::Status sent = co_await socket_->SendTo(
          std::span(buffer).first(got->n_bytes), got->sender);
      if (CurrentTaskIsCancelled()) co_return absl::OkStatus();
      status = trial_.Judge("sending a reply", sent);
      if (!status.ok()) co_return status;
    }
  }

  Task<absl::Status> AnswerBatches() {
    std::array<net::LentDatagram, 4> batch;
    while (true) {
      const absl::StatusOr<size_t> n = co_await socket_->ReceiveBatch(batch);
      if (CurrentTaskIsCancelled()) co_return absl::OkStatus();
      absl::Status status = trial_.Judge("receiving requests", n.status());
      if (!status.ok()) co_return status;
      if (!n.ok()) continue;
      std::vector<net::OutgoingDatagram> replies;
      for (const net::LentDatagram& got : std::span(batch).first(*n)) {
        const std::span<std::byte> bytes = got.bytes.bytes();
        status.Update(Check(bytes, got.truncated));
        if (got.truncated) ShortenHeader(bytes);  // small receive buffers
        replies.emplace_back(bytes, got.sender);
      }
      if (!status.ok()) co_return status;
      co_await Pause(trial_, kSlowestReply);
      const absl::StatusOr<size_t> sent = co_await socket_->SendBatch(replies);
      if (CurrentTaskIsCancelled()) co_return absl::OkStatus();
      status = trial_.Judge("sending replies", sent.status());
      for (const net::OutgoingDatagram& reply : replies)
        status.Update(trial_.Judge("a reply of a batch",
                                   ErrnoToStatus(reply.error, "send")));
      if (!status.ok()) co_return status;
    }
  }

  absl::Status Check(std::span<const std::byte> bytes, bool truncated) {
    const absl::StatusOr<Header> header = HeaderOf(bytes, truncated);
    if (!header.ok()) return header.status();
    return arrivals_.Note(*header);
  }

  Trial& trial_;
  SimulatedHost& host_;
  const net::SocketAddress address_;
  const bool in_batches_;
  std::optional<net::UdpSocket> socket_;
  Arrivals arrivals_;
};

// Repeats each request until it is answered, one request after the other.
class UdpClient {
 public:
  UdpClient(Trial& trial, SimulatedHost& host, const net::SocketAddress& server,
            uint32_t number)
      : trial_(trial), host_(host), server_(server), number_(number) {}

  // Errors: DataLoss for a wrong byte or a datagram that comes twice, Internal
  //         for what only a mistake leads to.
  Task<absl::Status> Run() {
    absl::StatusOr<net::UdpSocket> socket =
        co_await BindAtLast(trial_, host_, AddressOf(host_, /*port=*/0));
    if (!socket.ok()) co_return socket.status();
    if (trial_.rng().Chance(0.5)) {
      absl::Status status = Judge("connecting", socket->Connect(server_));
      if (!status.ok()) co_return status;
      connected_ = true;
    }
    for (uint32_t i = 0; i < (trial_.small() ? 2 : kRequests); ++i) {
      absl::Status status = co_await Ask(*socket, i);
      if (!status.ok()) co_return status;
    }
    co_return absl::OkStatus();
  }

 private:
  Task<absl::Status> Ask(net::UdpSocket& socket, uint32_t sequence) {
    const uint32_t n_bytes =
        static_cast<uint32_t>(trial_.rng().Below(kMostBytes + 1));
    answered_ = false;
    for (uint32_t attempt = 0; !answered_; ++attempt) {
      if (attempt == kMostAttempts || (attempt == 1 && !trial_.may_fail()))
        co_return absl::InternalError(absl::StrCat(
            "client ", number_, ": request ", sequence, " got no reply"));
      const std::vector<std::byte> request =
          DatagramOf({number_, sequence, attempt, n_bytes});
      absl::Status status =
          Judge("sending a request", co_await Send(socket, request));
      if (!status.ok()) co_return status;
      status = co_await WithTimeout(kPatience, AwaitReply(socket, sequence));
      if (!absl::IsDeadlineExceeded(status) && !status.ok()) co_return status;
    }
    co_return absl::OkStatus();
  }

  net::SendDatagramOp Send(net::UdpSocket& socket,
                           std::span<const std::byte> bytes) {
    return connected_ ? socket.Send(bytes) : socket.SendTo(bytes, server_);
  }

  // Until the reply to `sequence` has come; late ones to others come between.
  // Now and then with a buffer that is too small for them.
  Task<absl::Status> AwaitReply(net::UdpSocket& socket, uint32_t sequence) {
    while (!answered_) {
      const bool small = trial_.rng().Chance(0.1);
      std::vector<std::byte> buffer(sizeof(Header) +
                                    (small ? kMostBytes / 2 : kMostBytes));
      const absl::StatusOr<net::Datagram> got =
          co_await socket.ReceiveFrom(buffer);
      if (absl::IsCancelled(got.status())) co_return got.status();
      absl::Status status = Judge("receiving a reply", got.status());
      if (status.ok() && got.ok())
        status = Check(*got, std::span(buffer).first(got->n_bytes), sequence);
      if (!status.ok()) co_return status;
    }
    co_return absl::OkStatus();
  }

  absl::Status Check(const net::Datagram& got, std::span<const std::byte> bytes,
                     uint32_t sequence) {
    const absl::StatusOr<Header> header = HeaderOf(bytes, got.truncated);
    if (!header.ok()) return header.status();
    if (header->client != number_ || header->sequence > sequence ||
        !(got.sender == server_))
      return absl::DataLossError(absl::StrCat(
          "client ", number_, ": a datagram from ", got.sender.ToString(),
          " differs: it is for client ", header->client));
    answered_ |= header->sequence == sequence;
    return arrivals_.Note(*header);
  }

  absl::Status Judge(const char* what, const absl::Status& status) {
    return trial_.Judge(absl::StrCat("client ", number_, ": ", what), status);
  }

  Trial& trial_;
  SimulatedHost& host_;
  const net::SocketAddress server_;
  const uint32_t number_;
  bool connected_ = false;
  bool answered_ = false;
  Arrivals arrivals_;
};

class UdpRun {
 public:
  explicit UdpRun(Trial& trial)
      : trial_(trial), server_(trial, trial.AddMachine()) {}
  ~UdpRun() {
    running_.clear();
    serving_.Detach();
    trial_.simulation().DestroyHosts();
  }

  absl::Status Run() {
    Simulation& simulation = trial_.simulation();
    serving_ = simulation.host(0).executor().Spawn(server_.Serve());
    absl::Status status = simulation.RunUntil(
        [this] { return server_.bound() || serving_.done(); });
    if (!status.ok()) return status;
    StartClients();
    status = simulation.RunUntil([this] { return ClientsDone(); });
    if (!status.ok()) return status;
    serving_.Cancel();
    status = simulation.RunUntil([this] { return serving_.done(); });
    if (!status.ok()) return status;
    status = serving_.TakeResult();
    for (JoinHandle<absl::Status>& client : running_)
      status.Update(client.TakeResult());
    return status.ok() ? trial_.Finish() : status;
  }

 private:
  void StartClients() {
    for (int i = 0; i < kClientMachines; ++i) {
      SimulatedHost& host = trial_.AddMachine();
      for (int j = 0; j < (trial_.small() ? 1 : 3); ++j) {
        clients_.push_back(std::make_unique<UdpClient>(
            trial_, host, server_.address(),
            static_cast<uint32_t>(clients_.size())));
        running_.push_back(host.executor().Spawn(clients_.back()->Run()));
      }
    }
  }

  bool ClientsDone() const {
    return std::all_of(running_.begin(), running_.end(),
                       [](const auto& client) { return client.done(); });
  }

  Trial& trial_;
  UdpServer server_;
  std::vector<std::unique_ptr<UdpClient>> clients_;
  JoinHandle<absl::Status> serving_;
  std::vector<JoinHandle<absl::Status>> running_;
};

}  // namespace

Verdict RunUdp(const Options& options) { return VerdictOf<UdpRun>(options); }

}  // namespace ringway::simulation
