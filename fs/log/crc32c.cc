// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/log/crc32c.h"

#include <array>

namespace ringway::fs::internal {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected
constexpr size_t kSlices = 8;                 // bytes of one step

using Table = std::array<uint32_t, 256>;

// tables[k][b]: the checksum of the byte b and k zeros behind it, so that a
// step looks up each of its bytes by itself ("slicing by 8").
constexpr std::array<Table, kSlices> MakeTables() {
  std::array<Table, kSlices> tables = {};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < kSlices; ++k) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const uint32_t shorter = tables[k - 1][byte];
      tables[k][byte] = (shorter >> 8) ^ tables[0][shorter & 0xff];
    }
  }
  return tables;
}

constexpr std::array<Table, kSlices> kTables = MakeTables();

uint32_t At(std::span<const std::byte> bytes, size_t i) {
  return static_cast<uint32_t>(bytes[i]);
}

uint32_t WordAt(std::span<const std::byte> bytes, size_t i) {
  return At(bytes, i) | At(bytes, i + 1) << 8 | At(bytes, i + 2) << 16 |
         At(bytes, i + 3) << 24;
}

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, std::span<const std::byte> bytes) {
  crc = ~crc;
  for (; bytes.size() >= kSlices; bytes = bytes.subspan(kSlices)) {
    const uint32_t low = crc ^ WordAt(bytes, 0);
    const uint32_t high = WordAt(bytes, 4);
    crc = kTables[7][low & 0xff] ^ kTables[6][low >> 8 & 0xff] ^
          kTables[5][low >> 16 & 0xff] ^ kTables[4][low >> 24] ^
          kTables[3][high & 0xff] ^ kTables[2][high >> 8 & 0xff] ^
          kTables[1][high >> 16 & 0xff] ^ kTables[0][high >> 24];
  }
  for (const std::byte byte : bytes) {
    crc = crc >> 8 ^ kTables[0][(crc ^ static_cast<uint32_t>(byte)) & 0xff];
  }
  return ~crc;
}

}  // namespace ringway::fs::internal
