// SPDX-License-Identifier: Apache-2.0
//
// AccessLog: a line in a file for each request, without a wait.
//
//   absl::StatusOr<http::AccessLog> log = http::AccessLog::Open("access.log");
//   if (!log.ok()) ...
//   http::ServerOptions options;
//   options.on_request_end = *log;
//
// A line is `PEER - - [DATE] "METHOD TARGET" STATUS BYTES SECONDS`, which
// readers of the common log format know, but for the seconds at its end.

#ifndef RINGWAY_HTTP_SERVER_ACCESS_LOG_H_
#define RINGWAY_HTTP_SERVER_ACCESS_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/server/server_options.h"

namespace ringway::http {

// Copies write to the same file. Each worker collects its lines and writes them
// together, while requests go on; the lines of one worker keep their order.
//
// Threads: any executor's.
class AccessLog {
 public:
  // Lines of a worker that wait for the disk. Those beyond it are dropped and
  // counted.
  static constexpr size_t kMostWaitingBytes = size_t{1} << 20;

  // Appends to `path`, which is made if it does not exist.
  //
  // Errors: the errno of open(2), with the path.
  static absl::StatusOr<AccessLog> Open(const std::string& path);
  // Writes to a copy of `fd`, such as 1 for the standard output.
  //
  // Errors: the errno of fcntl(2).
  static absl::StatusOr<AccessLog> To(int fd);

  void operator()(const AccessEntry& entry) const;

  // Waits until the lines of this worker are in the file: for
  // Builder::OnStop(), as a worker that ends drops what waits.
  //
  // Errors:       of writing, such as ENOSPC.
  // Cancellation: ends the wait.
  Task<absl::Status> Flush() const { return FlushLines(state_); }

  // Lines that were dropped.
  uint64_t dropped() const;

  // The line of `entry` for a request that ended at `now`, with its line break.
  // Whatever of it a client has chosen cannot break the line.
  static std::string LineOf(const AccessEntry& entry, absl::Time now);

 private:
  struct State;
  static Task<absl::Status> FlushLines(std::shared_ptr<State> state);
  explicit AccessLog(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::shared_ptr<State> state_;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_SERVER_ACCESS_LOG_H_
