// SPDX-License-Identifier: Apache-2.0

#define RINGWAY_SCHEDULE_POINTS 1  // as for all targets that depend on this

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "ringway/core/schedule_point.h"

namespace ringway::internal {
namespace {

// Each thread has its own sequence: xorshift, which needs a non-zero start.
uint32_t Random() {
  static std::atomic<uint32_t> threads{0};
  thread_local uint32_t state =
      (threads.fetch_add(1, std::memory_order_relaxed) + 1) * 0x9e3779b9;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

}  // namespace

void SchedulePoint() {
  const uint32_t random = Random();
  if (random % 256 == 0) {
    std::this_thread::sleep_for(std::chrono::microseconds(random >> 8 & 63));
  } else if (random % 8 == 0) {
    std::this_thread::yield();
  }
}

}  // namespace ringway::internal
