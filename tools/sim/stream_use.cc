// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/stream_use.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/received_buffer.h"

namespace ringway::simulation {
namespace {

constexpr absl::Duration kConnectPatience = absl::Milliseconds(200);
constexpr absl::Duration kReadPatience = absl::Milliseconds(30);
constexpr absl::Duration kLongestHold = absl::Milliseconds(2);
constexpr size_t kMostParts = 20;  // more than one system call takes
constexpr size_t kLargestRead = 3000;
constexpr size_t kLargestLimit = 2000;

Task<absl::StatusOr<net::TcpStream>> ConnectTo(net::SocketAddress to) {
  co_return co_await net::Connect(to);
}

// Into up to `kMostParts` parts, some of them empty.
std::vector<std::span<const std::byte>> Parts(
    Rng& rng, std::span<const std::byte> bytes) {
  std::vector<std::span<const std::byte>> parts;
  for (uint64_t n = rng.Below(kMostParts); n > 0; --n) {
    const size_t size = rng.Below(bytes.size() + 1) / (1 + rng.Below(n + 1));
    parts.push_back(bytes.first(size));
    bytes = bytes.subspan(size);
  }
  parts.push_back(bytes);
  return parts;
}

Task<absl::Status> SendBuffered(Trial& trial, net::StreamWriter to,
                                std::span<const std::byte> bytes) {
  net::BufferedWriter writer(to, trial.rng().Between(1, kLargestLimit));
  for (std::span<const std::byte> part : Parts(trial.rng(), bytes)) {
    absl::Status queued = co_await writer.Enqueue(part);
    if (!queued.ok()) co_return queued;
  }
  co_return co_await writer.Flush();
}

void Append(std::span<const std::byte> more, std::string& bytes) {
  bytes.append(reinterpret_cast<const char*>(more.data()), more.size());
}

Task<absl::StatusOr<size_t>> Read(Trial& trial, net::StreamReader reader,
                                  std::string& bytes) {
  std::vector<std::byte> buffer(trial.rng().Between(1, kLargestRead));
  absl::StatusOr<size_t> n = co_await reader.Read(buffer);
  if (n.ok()) Append(std::span(buffer).first(*n), bytes);
  co_return n;
}

// Sometimes reads the lent bytes later.
Task<absl::StatusOr<size_t>> Receive(Trial& trial, net::StreamReader reader,
                                     std::string& bytes) {
  const bool hold = trial.rng().Chance(0.2);
  absl::StatusOr<net::ReceivedBuffer> lent = co_await reader.Receive();
  if (!lent.ok()) co_return lent.status();
  if (hold) co_await Pause(trial, kLongestHold);
  Append(lent->bytes(), bytes);
  co_return lent->size();
}

Task<absl::StatusOr<size_t>> ReadOrReceive(Trial& trial,
                                           const net::StreamReader& reader,
                                           std::string& bytes) {
  return trial.rng().Chance(0.4) ? Read(trial, reader, bytes)
                                 : Receive(trial, reader, bytes);
}

}  // namespace

Task<absl::StatusOr<net::TcpStream>> ConnectSomehow(Trial& trial,
                                                    net::SocketAddress to) {
  Rng& rng = trial.rng();
  if (!trial.faults() || !rng.Chance(0.2)) return ConnectTo(to);
  return WithTimeout(rng.Between(absl::ZeroDuration(), kConnectPatience),
                     ConnectTo(to));
}

Task<absl::Status> SendSomehow(Trial& trial, net::StreamWriter writer,
                               std::span<const std::byte> bytes) {
  switch (trial.rng().Below(4)) {
    case 0: {
      const auto parts = Parts(trial.rng(), bytes);
      co_return co_await writer.Writev(parts);
    }
    case 1:
      co_return co_await SendBuffered(trial, writer, bytes);
    default:
      co_return co_await writer.Write(bytes);
  }
}

Task<absl::StatusOr<size_t>> ReceiveSomehow(Trial& trial,
                                            net::StreamReader reader,
                                            std::string& bytes) {
  Rng& rng = trial.rng();
  while (rng.Chance(0.2)) {
    Task<absl::StatusOr<size_t>> receive = ReadOrReceive(trial, reader, bytes);
    absl::StatusOr<size_t> n = co_await WithTimeout(
        rng.Between(absl::ZeroDuration(), kReadPatience), std::move(receive));
    if (!absl::IsDeadlineExceeded(n.status())) co_return n;
  }
  co_return co_await ReadOrReceive(trial, reader, bytes);
}

Task<void> Pause(Trial& trial, absl::Duration longest) {
  static_cast<void>(
      co_await Sleep(trial.rng().Between(absl::ZeroDuration(), longest)));
}

bool CurrentTaskIsCancelled() {
  return Executor::Current()->current_task()->cancelled();
}

}  // namespace ringway::simulation
