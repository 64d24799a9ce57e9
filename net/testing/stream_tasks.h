// SPDX-License-Identifier: Apache-2.0
//
// Helpers for tests of streams, of any kind: test bytes, tasks with one call
// each, and turning the loop.

#ifndef RINGWAY_NET_TESTING_STREAM_TASKS_H_
#define RINGWAY_NET_TESTING_STREAM_TASKS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/stream_concepts.h"

namespace ringway::net::testing {

// Returns the value, or aborts with the status.
template <typename T>
T ValueOf(absl::StatusOr<T> result) {
  RINGWAY_CHECK(result.ok(), "%s", result.status().ToString().c_str());
  return *std::move(result);
}

inline std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline std::string AsString(std::span<const std::byte> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// `n_bytes` that differ from every shifted or repeated copy.
std::vector<std::byte> Pattern(size_t n_bytes, uint32_t seed);

// One Write(), Read() or Receive(), as a task.
template <ByteSink Sink>
Task<absl::Status> WriteAll(Sink& sink, std::span<const std::byte> bytes) {
  co_return co_await sink.Write(bytes);
}
template <ByteSource Source>
Task<absl::StatusOr<size_t>> ReadSome(Source& source,
                                      std::span<std::byte> buffer) {
  co_return co_await source.Read(buffer);
}
template <ByteSource Source>
Task<absl::StatusOr<std::string>> ReceiveSome(Source& source) {
  absl::StatusOr<ReceivedBuffer> received = co_await source.Receive();
  if (!received.ok()) co_return received.status();
  co_return AsString(received->bytes());
}

// Reads until there are `n_bytes`, the end, or an error.
template <ByteSource Source>
Task<std::string> ReadExactly(Source& source, size_t n_bytes) {
  std::string all(n_bytes, '\0');
  size_t have = 0;
  while (have < n_bytes) {
    absl::StatusOr<size_t> n = co_await source.Read(
        std::as_writable_bytes(std::span(all)).subspan(have));
    if (!n.ok() || *n == 0) break;
    have += *n;
  }
  all.resize(have);
  co_return all;
}

// Everything up to the end of stream, by Read() or by Receive().
template <ByteSource Source>
Task<absl::StatusOr<std::string>> ReadToEnd(Source& source) {
  std::string all;
  std::array<std::byte, 16 * 1024> buffer;
  while (true) {
    absl::StatusOr<size_t> n = co_await source.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return all;
    all += AsString(std::span(buffer).first(*n));
  }
}
template <ByteSource Source>
Task<absl::StatusOr<std::string>> ReceiveToEnd(Source& source) {
  std::string all;
  while (true) {
    absl::StatusOr<ReceivedBuffer> received = co_await source.Receive();
    if (!received.ok()) co_return received.status();
    if (received->empty()) co_return all;
    all += AsString(received->bytes());
  }
}
template <ByteSource Source>
Task<absl::StatusOr<std::string>> AllOf(Source& source, bool by_receive) {
  if (by_receive) return ReceiveToEnd(source);
  return ReadToEnd(source);
}

// Echoes with Read() until the end.
template <ByteStream Stream>
Task<absl::Status> Echo(Stream stream) {
  std::array<std::byte, 16 * 1024> buffer;
  while (true) {
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return absl::OkStatus();
    absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
    if (!sent.ok()) co_return sent;
  }
}

// Turns the loop `n` times: other tasks run and completions are collected. (A
// Yield() may continue within the same turn.)
Task<void> TurnTimes(int n);
// Turns the loop until `condition` holds.
template <typename Condition>
Task<void> TurnUntil(Condition condition) {
  while (!condition()) co_await TurnTimes(1);
}

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TESTING_STREAM_TASKS_H_
