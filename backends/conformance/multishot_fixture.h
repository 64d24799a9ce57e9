// SPDX-License-Identifier: Apache-2.0
//
// MultishotConformance: streams that are being received, from buffers as few
// and as small as a case needs.

#ifndef RINGWAY_BACKENDS_CONFORMANCE_MULTISHOT_FIXTURE_H_
#define RINGWAY_BACKENDS_CONFORMANCE_MULTISHOT_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "gtest/gtest.h"
#include "ringway/backends/testing/backend_fixture.h"

namespace ringway::testing {

// Bytes whose order shows.
inline std::string Pattern(size_t n_bytes, unsigned seed = 0) {
  std::string pattern(n_bytes, '\0');
  uint32_t state = seed * 2654435761u + 1;
  for (char& c : pattern) {
    state = state * 1664525u + 1013904223u;
    c = static_cast<char>(state >> 24);
  }
  return pattern;
}

// One stream being received.
struct Receiver {
  explicit Receiver(System& system) : sockets(system.SocketPair()) {}

  TestFdPair sockets;
  CountedMultishot op;
  std::string received;

  // Takes everything delivered and gives the buffers back. Returns how many.
  size_t Take(BackendDriver& driver) {
    size_t n = 0;
    for (Delivery delivery; driver->TakeDelivery(op, delivery); ++n) {
      EXPECT_GT(delivery.result, 0);
      received.append(reinterpret_cast<char*>(delivery.data),
                      static_cast<size_t>(delivery.result));
      driver->ReturnBuffer(delivery.buffer_id);
    }
    return n;
  }
};

class MultishotConformance : public BackendConformance {
 protected:
  static BackendOptions WithBuffers(uint32_t count, uint32_t n_bytes) {
    BackendOptions options = Options();
    options.receive_buffer_count = count;
    options.receive_buffer_bytes = n_bytes;
    // One delivery has one buffer, and receives wait for one.
    options.share_receive_buffers = false;
    options.receive_own_bytes = 0;
    return options;
  }

  std::deque<Receiver> MakeReceivers(size_t n) {
    std::deque<Receiver> receivers;
    while (receivers.size() < n) receivers.emplace_back(system());
    return receivers;
  }
};

using MultishotConformanceDeathTest = MultishotConformance;

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_CONFORMANCE_MULTISHOT_FIXTURE_H_
