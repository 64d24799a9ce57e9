// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/log/crc32c.h"

namespace ringway::fs::internal {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected
constexpr size_t kSlices = 8;                 // bytes of one step

// of[k][b]: the checksum of the byte b and k zeros behind it, so that a step
// looks up each of its bytes by itself ("slicing by 8").
struct Tables {
  constexpr Tables() {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      uint32_t crc = byte;
      for (int bit = 0; bit < 8; ++bit)
        crc = crc >> 1 ^ ((crc & 1) != 0 ? kPolynomial : 0);
      of[0][byte] = crc;
    }
    for (size_t k = 1; k < kSlices; ++k) {
      for (uint32_t byte = 0; byte < 256; ++byte) {
        const uint32_t shorter = of[k - 1][byte];
        of[k][byte] = shorter >> 8 ^ of[0][shorter & 0xff];
      }
    }
  }

  // Not a std::array, whose operators cost much in a debug build.
  uint32_t of[kSlices][256] = {};
};

constexpr Tables kTables;

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, std::span<const std::byte> bytes) {
  const uint32_t(&of)[kSlices][256] = kTables.of;
  const auto* at = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t left = bytes.size();
  crc = ~crc;
  for (; left >= kSlices; left -= kSlices, at += kSlices) {
    crc = of[7][(crc & 0xff) ^ at[0]] ^ of[6][(crc >> 8 & 0xff) ^ at[1]] ^
          of[5][(crc >> 16 & 0xff) ^ at[2]] ^ of[4][crc >> 24 ^ at[3]] ^
          of[3][at[4]] ^ of[2][at[5]] ^ of[1][at[6]] ^ of[0][at[7]];
  }
  for (; left > 0; --left, ++at) crc = crc >> 8 ^ of[0][(crc & 0xff) ^ *at];
  return ~crc;
}

}  // namespace ringway::fs::internal
