// SPDX-License-Identifier: Apache-2.0
//
// OneExchange: requests that each have a connection of their own: connect, by
// TLS a handshake, one request, its reply, close.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_ONE_EXCHANGE_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_ONE_EXCHANGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/loadgen/connection/connection.h"
#include "ringway/tools/loadgen/connection/mode.h"
#include "ringway/tools/loadgen/connection/request_source.h"

namespace ringway::loadgen {

// One exchange at a time; several of these for several connections at once.
class OneExchange {
 public:
  // `mode` must outlive it; `index` tells the requests of several apart.
  OneExchange(const Mode& mode, uint32_t index);

  // Makes one connection and closes it again. The clock is the loop's.
  //
  // Result:       when the reply was complete.
  // Errors:       those of Connection; DeadlineExceeded if there is no reply
  //               within `patience`. The connection is closed in each case.
  // Cancellation: closes the connection.
  Task<absl::StatusOr<MonotonicTime>> Run(absl::Duration patience);

 private:
  // One request, and then the end.
  class Source final : public RequestSource {
   public:
    void Begin();
    const absl::Status& failure() const { return failure_; }
    MonotonicTime answered_at() const { return answered_at_; }

    bool in_turns() const override { return true; }
    size_t Take(size_t most) override;
    void OnOldestAnswered(size_t n) override;
    void OnAnswered(uint64_t) override { OnOldestAnswered(1); }
    void OnFailed(uint64_t number, const absl::Status& why) override;
    void OnLost(uint64_t) override {}
    void OnStray() override {}
    void OnReopened() override {}
    bool ended() const override { return answered_; }

   private:
    bool taken_ = false;
    bool answered_ = false;
    MonotonicTime answered_at_;
    absl::Status failure_;
  };

  Task<absl::Status> OpenAndAsk(absl::Duration patience);

  const std::unique_ptr<Connection> connection_;
  Source source_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_ONE_EXCHANGE_H_
