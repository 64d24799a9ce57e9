// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/environment/faults.h"

namespace ringway::sim {

Faults Faults::All() {
  Faults faults;
  faults.failure = 0.01;
  faults.late = 0.1;
  faults.short_transfer = 0.3;
  faults.cancel_race = 0.5;
  faults.shuffle = true;
  return faults;
}

int SingleFailure::ErrorOfNext(std::span<const int> possible) {
  if (possible.empty() || ++started != n || which >= possible.size()) return 0;
  happened = true;
  return possible[which];
}

DiskConditions DiskConditions::Bad() {
  DiskConditions disk;
  disk.latency_low = absl::Microseconds(20);
  disk.latency_high = absl::Milliseconds(20);
  disk.failure = 0.01;
  disk.sync_failure = 0.02;
  disk.short_transfer = 0.3;
  return disk;
}

NetworkConditions NetworkConditions::Bad() {
  NetworkConditions network;
  network.latency_low = absl::Microseconds(50);
  network.latency_high = absl::Milliseconds(40);
  network.datagram_loss = 0.05;
  network.reset = 0.002;
  network.stream_buffer_bytes = 4 * 1024;
  network.datagram_buffer_bytes = 16 * 1024;
  return network;
}

}  // namespace ringway::sim
