// SPDX-License-Identifier: Apache-2.0
//
// Watchdog: aborts the program if a round makes no progress, after printing
// the seed, the directions and what each task waits for.

#ifndef RINGWAY_NET_STREAM_MODEL_WATCHDOG_H_
#define RINGWAY_NET_STREAM_MODEL_WATCHDOG_H_

#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/time/time.h"
#include "ringway/net/stream_model/world.h"

namespace ringway::net::model {

class Watchdog {
 public:
  // Watches `world` during its lifetime.
  Watchdog(World& world, absl::Duration patience);
  ~Watchdog();

 private:
  void Watch();
  [[noreturn]] void Bark();

  World& world_;
  const absl::Duration patience_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_WATCHDOG_H_
