// SPDX-License-Identifier: Apache-2.0
//
// What a task waits for that reads from a TLS stream: the goals of TlsReadOp,
// TlsReceiveOp and TlsReceiveUntilOp.

#ifndef RINGWAY_NET_TLS_STREAM_RECEIVE_GOALS_H_
#define RINGWAY_NET_TLS_STREAM_RECEIVE_GOALS_H_

#include <cstddef>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/tls/stream/tls_state.h"

namespace ringway::net::internal {

// Each has
//   TlsStep Try(TlsState&)  with what has arrived; kWantInput if that is too
//                           little
//   Result Take()          the result, once reached or at the end of the stream

// Bytes in the caller's memory.
class TlsReadGoal {
 public:
  using Result = absl::StatusOr<size_t>;
  explicit TlsReadGoal(std::span<std::byte> to) : to_(to) {}

  TlsStep Try(TlsState& state) {
    if (to_.empty()) return TlsStep::kDone;
    return state.ReadInto(to_, n_);
  }
  Result Take() { return n_; }

 private:
  const std::span<std::byte> to_;
  size_t n_ = 0;
};

// Bytes in lent memory.
class TlsReceiveGoal {
 public:
  using Result = absl::StatusOr<ReceivedBuffer>;

  TlsStep Try(TlsState& state) { return state.ReadLent(bytes_); }
  Result Take() { return std::move(bytes_); }

 private:
  ReceivedBuffer bytes_;
};

// As many as a consumer needs.
class TlsReceiveUntilGoal {
 public:
  using Result = absl::Status;
  explicit TlsReceiveUntilGoal(ReceiveConsumer& consumer)
      : consumer_(consumer) {}

  TlsStep Try(TlsState& state) {
    while (true) {
      ReceivedBuffer bytes;
      const TlsStep step = state.ReadLent(bytes);
      if (step == TlsStep::kEnd) consumer_.Take({});
      if (step != TlsStep::kDone) return step;
      if (consumer_.Take(std::move(bytes))) return TlsStep::kDone;
    }
  }
  Result Take() { return absl::OkStatus(); }

 private:
  ReceiveConsumer& consumer_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_STREAM_RECEIVE_GOALS_H_
