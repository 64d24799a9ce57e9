// SPDX-License-Identifier: Apache-2.0
//
// ClientWatch: waits beside a handler for the end of its client.

#ifndef RINGWAY_HTTP_SERVER_HTTP1_CLIENT_WATCH_H_
#define RINGWAY_HTTP_SERVER_HTTP1_CLIENT_WATCH_H_

#include <cstddef>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/task.h"

namespace ringway::http::internal {

// `In` is a net::BufferedReader, which nobody else may use between Begin() and
// the end of End().
template <typename In>
class ClientWatch {
 public:
  // Stops looking once `most_bytes` have come, and at the client's end unless
  // `end_counts`.
  ClientWatch(In& in, size_t most_bytes, bool end_counts)
      : in_(in), most_bytes_(most_bytes), end_counts_(end_counts) {}

  // Cancels `handler` when its client has gone. False: there is no room for
  // another task.
  bool Begin(TaskContext& handler) {
    JoinHandle<void> watch = Spawn(Watch(handler), "http client watch");
    if (!watch.spawn_status().ok()) return false;
    watch_ = std::move(watch);
    return true;
  }
  bool begun() const { return watch_.valid(); }
  // What the client has sent meanwhile is in the reader.
  Task<void> End() {
    if (!begun()) co_return;
    const Shield shield;
    watch_.Cancel();
    [[maybe_unused]] const absl::Status ended = co_await watch_;
    watch_ = JoinHandle<void>();
  }

  bool client_gone() const { return client_gone_; }

 private:
  Task<void> Watch(TaskContext& handler) {
    while (in_.buffered_bytes() < most_bytes_) {
      const size_t wanted = in_.buffered_bytes() + 1;
      absl::StatusOr<std::span<const std::byte>> more =
          co_await in_.Fill(wanted);
      if (more.ok() && more->size() >= wanted) continue;
      if (absl::IsCancelled(more.status())) co_return;
      if (more.ok() && !end_counts_) co_return;
      client_gone_ = true;
      handler.RequestCancel();
      co_return;
    }
  }

  In& in_;
  const size_t most_bytes_;
  const bool end_counts_;
  JoinHandle<void> watch_;
  bool client_gone_ = false;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_HTTP1_CLIENT_WATCH_H_
