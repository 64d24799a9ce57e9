// SPDX-License-Identifier: Apache-2.0
//
// StopSometime: runs a task and cancels it at a random moment, in a random
// way.

#ifndef RINGWAY_NET_STREAM_MODEL_STOP_H_
#define RINGWAY_NET_STREAM_MODEL_STOP_H_

#include <cstdint>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/structured/when.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/stream_model/random.h"

namespace ringway::net::model {

// A turn, a moment, or up to a millisecond.
inline Task<void> Pause(Random& random) {
  switch (random.Below(4)) {
    case 0:
      co_await Yield();
      co_return;
    case 1:
      (co_await Sleep(absl::ZeroDuration())).IgnoreError();
      co_return;
    default:
      (co_await Sleep(absl::Microseconds(random.Below(1000)))).IgnoreError();
  }
}

// Turns and yields: none, or up to three.
inline Task<void> PauseBriefly(Random& random) {
  for (uint64_t n = random.Below(4); n > 0; --n) {
    if (random.OneIn(2)) {
      co_await Yield();
    } else {
      (co_await Sleep(absl::ZeroDuration())).IgnoreError();
    }
  }
}

inline Task<void> CancelSoon(CancelSource& source, Random& random) {
  co_await PauseBriefly(random);
  source.Cancel();
}

// What `task` came to: its result, Cancelled or DeadlineExceeded.
template <typename T>
Task<JoinResult<T>> StopSometime(Random& random, Task<T> task) {
  switch (random.Below(4)) {
    case 0:
      co_return co_await WithTimeout(absl::Microseconds(random.Below(500)),
                                     std::move(task));
    case 1: {
      auto race = co_await WhenAny(std::move(task), PauseBriefly(random));
      co_return std::get<0>(std::move(race.results));
    }
    case 2: {
      CancelSource source;
      auto results =
          co_await WhenAll(WithToken(source.token(), std::move(task)),
                           CancelSoon(source, random));
      co_return std::get<0>(std::move(results));
    }
    default: {
      // A cancel from outside ends a join and not the task, which must not
      // outlive this.
      const Shield shield;
      JoinHandle<T> handle = Spawn(std::move(task));
      co_await PauseBriefly(random);
      handle.Cancel();
      co_return co_await handle;
    }
  }
}

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_STOP_H_
