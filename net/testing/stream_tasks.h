// SPDX-License-Identifier: Apache-2.0
//
// Helpers for tests of streams: test bytes, tasks with one call each, and
// turning the loop.

#ifndef RINGWAY_NET_TESTING_STREAM_TASKS_H_
#define RINGWAY_NET_TESTING_STREAM_TASKS_H_

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
#include "ringway/net/tcp.h"

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
Task<absl::Status> WriteAll(TcpStream& stream,
                            std::span<const std::byte> bytes);
Task<absl::StatusOr<size_t>> ReadSome(TcpStream& stream,
                                      std::span<std::byte> buffer);
Task<absl::StatusOr<std::string>> ReceiveSome(TcpStream& stream);
// Reads from `stream` until `n_bytes` or the end.
Task<std::string> ReadExactly(TcpStream& stream, size_t n_bytes);
// Everything up to the end of stream, by Read() or by Receive().
Task<absl::StatusOr<std::string>> ReadToEnd(TcpStream& stream);
Task<absl::StatusOr<std::string>> ReceiveToEnd(TcpStream& stream);
Task<absl::StatusOr<std::string>> AllOf(TcpStream& stream, bool by_receive);
// Echoes with Read() until the end.
Task<absl::Status> Echo(TcpStream stream);

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
