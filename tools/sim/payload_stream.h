// SPDX-License-Identifier: Apache-2.0
//
// The bytes that a simulated client sends: a different sequence for every
// stream, so that a misplaced byte is detected.

#ifndef RINGWAY_TOOLS_SIM_PAYLOAD_STREAM_H_
#define RINGWAY_TOOLS_SIM_PAYLOAD_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace ringway::simulation {

inline std::byte PayloadAt(uint64_t stream, uint64_t offset) {
  uint64_t z = (stream + 1) * 0x9e3779b97f4a7c15 + offset;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  return static_cast<std::byte>(z >> 56);
}

inline void FillPayload(uint64_t stream, uint64_t offset,
                        std::span<std::byte> out) {
  for (std::byte& byte : out) byte = PayloadAt(stream, offset++);
}

inline bool IsPayload(uint64_t stream, uint64_t offset,
                      std::span<const std::byte> bytes) {
  for (std::byte byte : bytes) {
    if (byte != PayloadAt(stream, offset++)) return false;
  }
  return true;
}

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_PAYLOAD_STREAM_H_
