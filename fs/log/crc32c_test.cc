// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/log/crc32c.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace ringway::fs::internal {
namespace {

std::span<const std::byte> BytesOf(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// RFC 3720, B.4, and the catalogue of parametrised CRC algorithms.
TEST(Crc32c, HasTheValuesOfTheStandard) {
  EXPECT_EQ(ExtendCrc32c(0, {}), 0u);
  EXPECT_EQ(ExtendCrc32c(0, BytesOf("123456789")), 0xe3069283u);
  EXPECT_EQ(ExtendCrc32c(0, BytesOf(std::string(32, '\0'))), 0x8a9136aau);
  EXPECT_EQ(ExtendCrc32c(0, BytesOf(std::string(32, '\xff'))), 0x62a8ab43u);
  std::string up;
  for (char c = 0; c < 32; ++c) up += c;
  EXPECT_EQ(ExtendCrc32c(0, BytesOf(up)), 0x46dd794eu);
}

TEST(Crc32c, OfPartsIsThatOfTheWhole) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += static_cast<char>(i * 37);
  const uint32_t whole = ExtendCrc32c(0, BytesOf(text));
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const uint32_t first = ExtendCrc32c(0, BytesOf(text).first(cut));
    EXPECT_EQ(ExtendCrc32c(first, BytesOf(text).subspan(cut)), whole) << cut;
  }
}

}  // namespace
}  // namespace ringway::fs::internal
