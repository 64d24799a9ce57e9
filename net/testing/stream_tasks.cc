// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/testing/stream_tasks.h"

#include <array>

#include "absl/time/time.h"
#include "ringway/executor/task/sleep.h"

namespace ringway::net::testing {

std::vector<std::byte> Pattern(size_t n_bytes, uint32_t seed) {
  std::vector<std::byte> bytes(n_bytes);
  uint32_t state = seed * 2654435761u + 1;
  for (std::byte& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

Task<std::string> ReadExactly(TcpStream& stream, size_t n_bytes) {
  std::string all(n_bytes, '\0');
  size_t have = 0;
  while (have < n_bytes) {
    absl::StatusOr<size_t> n = co_await stream.Read(
        std::as_writable_bytes(std::span(all)).subspan(have));
    if (!n.ok() || *n == 0) break;
    have += *n;
  }
  all.resize(have);
  co_return all;
}

Task<absl::Status> WriteAll(TcpStream& stream,
                            std::span<const std::byte> bytes) {
  co_return co_await stream.Write(bytes);
}

Task<absl::StatusOr<size_t>> ReadSome(TcpStream& stream,
                                      std::span<std::byte> buffer) {
  co_return co_await stream.Read(buffer);
}

Task<absl::StatusOr<std::string>> ReceiveSome(TcpStream& stream) {
  absl::StatusOr<ReceivedBuffer> received = co_await stream.Receive();
  if (!received.ok()) co_return received.status();
  co_return AsString(received->bytes());
}

Task<absl::StatusOr<std::string>> AllOf(TcpStream& stream, bool by_receive) {
  if (by_receive) co_return co_await ReceiveToEnd(stream);
  co_return co_await ReadToEnd(stream);
}

Task<absl::StatusOr<std::string>> ReadToEnd(TcpStream& stream) {
  std::string all;
  std::array<std::byte, 16 * 1024> buffer;
  while (true) {
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return all;
    all.append(reinterpret_cast<const char*>(buffer.data()), *n);
  }
}

Task<absl::StatusOr<std::string>> ReceiveToEnd(TcpStream& stream) {
  std::string all;
  while (true) {
    absl::StatusOr<ReceivedBuffer> received = co_await stream.Receive();
    if (!received.ok()) co_return received.status();
    if (received->empty()) co_return all;
    all.append(reinterpret_cast<const char*>(received->bytes().data()),
               received->size());
  }
}

Task<absl::Status> Echo(TcpStream stream) {
  std::array<std::byte, 16 * 1024> buffer;
  while (true) {
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return absl::OkStatus();
    absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
    if (!sent.ok()) co_return sent;
  }
}

Task<void> TurnTimes(int n) {
  for (int i = 0; i < n; ++i) {
    const absl::Status slept = co_await Sleep(absl::ZeroDuration());
    RINGWAY_CHECK(slept.ok(), "a test gave up waiting");
  }
}

}  // namespace ringway::net::testing
