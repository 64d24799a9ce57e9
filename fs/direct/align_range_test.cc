// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/direct/align_range.h"

#include <cstdint>
#include <limits>
#include <random>

#include "gtest/gtest.h"

namespace ringway::fs {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

// The properties by which AlignRange() is defined. The ends are compared as
// unsigned numbers: that of the range may be one past the largest offset.
void ExpectCovers(int64_t offset, int64_t length, int64_t alignment) {
  SCOPED_TRACE(::testing::Message()
               << offset << " + " << length << " by " << alignment);
  const AlignedRange range = AlignRange(offset, length, alignment);
  const auto unit = static_cast<uint64_t>(alignment);
  const auto begin = static_cast<uint64_t>(range.offset);
  const uint64_t end = begin + range.length;
  const auto asked_begin = static_cast<uint64_t>(offset);
  const uint64_t asked_end = asked_begin + static_cast<uint64_t>(length);
  ASSERT_GE(range.offset, 0);
  ASSERT_EQ(begin % unit, 0u);
  ASSERT_EQ(end % unit, 0u);
  ASSERT_GE(end, begin) << "it wrapped around";
  ASSERT_LE(begin, asked_begin);
  ASSERT_GE(end, asked_end);
  ASSERT_LT(asked_begin - begin, unit) << "a block too much at the beginning";
  ASSERT_LT(end - asked_end, unit) << "a block too much at the end";
}

TEST(AlignRange, CoversWhatItIsGiven) {
  EXPECT_EQ(AlignRange(1000, 100, 512), (AlignedRange{512, 1024}));
  EXPECT_EQ(AlignRange(1024, 512, 512), (AlignedRange{1024, 512}));
  EXPECT_EQ(AlignRange(1024, 0, 512), (AlignedRange{1024, 0}));
  EXPECT_EQ(AlignRange(1025, 0, 512), (AlignedRange{1024, 512}));
  EXPECT_EQ(AlignRange(7, 5, 1), (AlignedRange{7, 5}));
}

TEST(AlignRange, HasItsPropertiesForRandomRanges) {
  std::mt19937_64 random(20'261'129);
  for (int i = 0; i < 200'000 && !::testing::Test::HasFatalFailure(); ++i) {
    const int64_t alignment = int64_t{1} << (random() % 63);
    // Numbers of all magnitudes: most of a uniform choice are huge.
    const auto offset = static_cast<int64_t>(random() >> (1 + random() % 63));
    const auto length =
        static_cast<int64_t>((random() >> (1 + random() % 63)) %
                             (static_cast<uint64_t>(kMost - offset) + 1));
    ExpectCovers(offset, length, alignment);
  }
}

TEST(AlignRange, HasThemAtTheEndsOfTheNumbers) {
  for (int bit = 0; bit < 63; ++bit) {
    const int64_t alignment = int64_t{1} << bit;
    for (int64_t near : {0, 1, 2, 511, 512, 513}) {
      ExpectCovers(0, near, alignment);
      ExpectCovers(near, 0, alignment);
      ExpectCovers(0, kMost - near, alignment);
      ExpectCovers(kMost - near, near, alignment);
      ExpectCovers(near, kMost - near, alignment);
      ExpectCovers(kMost - near, 0, alignment);
    }
  }
}

TEST(AlignRangeDeathTest, NoRangeOrNoAlignmentIsAMistake) {
  EXPECT_DEATH(AlignRange(-1, 1, 512), "at offset -1");
  EXPECT_DEATH(AlignRange(0, -1, 512), "of -1 bytes");
  EXPECT_DEATH(AlignRange(kMost, 1, 512), "of 1 bytes");
  EXPECT_DEATH(AlignRange(0, 1, 0), "multiples of 0");
  EXPECT_DEATH(AlignRange(0, 1, 513), "multiples of 513");
  EXPECT_DEATH(AlignRange(0, 1, -512), "multiples of -512");
}

}  // namespace
}  // namespace ringway::fs
