// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/log/log_record.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/core/rng.h"

namespace ringway::fs::internal {
namespace {

using Kind = ParsedRecord::Kind;

std::span<const std::byte> BytesOf(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string Hex(std::span<const std::byte> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte b : bytes) {
    text += kDigits[static_cast<unsigned>(b) >> 4];
    text += kDigits[static_cast<unsigned>(b) & 15];
  }
  return text;
}

// --- Headers

TEST(LogRecord, AHeaderIsReadAsItWasWritten) {
  const SegmentHeader header(0x1234567890, 0xabcdef0123456789);
  const SegmentHeaderBytes bytes = EncodeSegmentHeader(header);
  const absl::StatusOr<SegmentHeader> read = DecodeSegmentHeader(bytes);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, header);
}

// Files of today must be readable for ever: this must not change.
TEST(LogRecord, TheFormatIsWhatItWas) {
  EXPECT_EQ(Hex(EncodeSegmentHeader(SegmentHeader(17, 258))).substr(0, 24),
            "526e6777794c6f6701000000");
  EXPECT_EQ(Hex(EncodeSegmentHeader(SegmentHeader(17, 258))).substr(32),
            "11000000000000000201000000000000");
  std::vector<std::byte> record;
  AddRecord(record, RecordPlace(17, 32), 258, 3, BytesOf("abc"));
  EXPECT_EQ(Hex(record).substr(8),
            "03000000"
            "0201000000000000"
            "03000000"
            "616263");
  EXPECT_EQ(SegmentPath("/log", 17), "/log/00000000000000000017.log");
}

TEST(LogRecord, DamageOfAnyByteOfAHeaderIsNoticed) {
  const SegmentHeaderBytes bytes = EncodeSegmentHeader(SegmentHeader(1, 1));
  for (size_t i = 0; i < bytes.size(); ++i) {
    SegmentHeaderBytes damaged = bytes;
    damaged[i] ^= std::byte{0x10};
    EXPECT_TRUE(absl::IsDataLoss(DecodeSegmentHeader(damaged).status())) << i;
  }
  for (size_t n = 0; n < bytes.size(); ++n) {
    const auto cut_off = std::span(bytes).first(n);
    EXPECT_TRUE(absl::IsDataLoss(DecodeSegmentHeader(cut_off).status())) << n;
  }
}

// --- Records

TEST(LogRecord, ARecordIsReadAsItWasWritten) {
  for (const size_t n : {0, 1, 7, 8, 100, 100'000}) {
    const std::string data(n, 'x');
    std::vector<std::byte> bytes;
    AddRecord(bytes, RecordPlace(3, 99), 12, 5, BytesOf(data));
    EXPECT_EQ(bytes.size(), kRecordHeaderBytes + n);
    bytes.resize(bytes.size() + 10);  // the next one
    const ParsedRecord parsed = ParseRecord(bytes, RecordPlace(3, 99));
    ASSERT_EQ(parsed.kind, Kind::kRecord);
    EXPECT_EQ(parsed.sequence, 12u);
    EXPECT_EQ(parsed.n_before, 5u);
    EXPECT_EQ(parsed.n_bytes, kRecordHeaderBytes + n);
    EXPECT_EQ(Hex(parsed.data), Hex(BytesOf(data)));
  }
}

TEST(LogRecord, DamageOfAnyBitIsNoticed) {
  std::vector<std::byte> bytes;
  AddRecord(bytes, RecordPlace(3, 99), 12, 5, BytesOf("some data"));
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<std::byte> damaged = bytes;
    damaged[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_NE(ParseRecord(damaged, RecordPlace(3, 99)).kind, Kind::kRecord)
        << bit;
  }
}

TEST(LogRecord, ARecordElsewhereIsNoRecord) {
  std::vector<std::byte> bytes;
  AddRecord(bytes, RecordPlace(3, 99), 12, 5, BytesOf("some data"));
  EXPECT_EQ(ParseRecord(bytes, RecordPlace(3, 98)).kind, Kind::kDamaged);
  EXPECT_EQ(ParseRecord(bytes, RecordPlace(4, 99)).kind, Kind::kDamaged);
}

TEST(LogRecord, OneThatIsCutOffTellsHowMuchItNeeds) {
  std::vector<std::byte> bytes;
  AddRecord(bytes, RecordPlace(3, 99), 12, 5, BytesOf("some data"));
  for (size_t n = 0; n < bytes.size(); ++n) {
    const ParsedRecord parsed =
        ParseRecord(std::span(bytes).first(n), RecordPlace(3, 99));
    EXPECT_EQ(parsed.kind, Kind::kCutOff) << n;
    EXPECT_EQ(parsed.n_bytes,
              n < kRecordHeaderBytes ? kRecordHeaderBytes : bytes.size());
  }
}

TEST(LogRecord, ZerosAndNoiseAreNoRecords) {
  const std::vector<std::byte> zeros(4'096);
  EXPECT_EQ(ParseRecord(zeros, RecordPlace(1, 32)).kind, Kind::kDamaged);
  EXPECT_FALSE(HasLaterGroup(zeros, RecordPlace(1, 32), 1));
  Rng rng(7);
  std::vector<std::byte> noise(4'096);
  for (std::byte& b : noise) b = static_cast<std::byte>(rng.Below(256));
  for (size_t i = 0; i < noise.size(); ++i) {
    const auto rest = std::span(noise).subspan(i);
    EXPECT_NE(ParseRecord(rest, RecordPlace(1, i)).kind, Kind::kRecord);
  }
}

// --- Groups

struct TwoGroups {
  // Two groups of three records, from sequence 10 on.
  TwoGroups() {
    for (uint32_t i = 0; i < 6; ++i) {
      offsets.push_back(bytes.size());
      AddRecord(bytes, RecordPlace(1, 32 + bytes.size()), 10 + i, i % 3,
                BytesOf("data"));
    }
  }
  // Whether there is a later group, seen from the record i, which is damaged.
  bool IsLost(size_t i) {
    return HasLaterGroup(std::span(bytes).subspan(offsets[i]),
                         RecordPlace(1, 32 + offsets[i]), 10 + i);
  }

  std::vector<std::byte> bytes;
  std::vector<size_t> offsets;
};

TEST(LogRecord, ALaterGroupShowsThatARecordWasDurable) {
  for (size_t i = 0; i < 6; ++i) {
    TwoGroups groups;
    groups.bytes[groups.offsets[i] + 3] ^= std::byte{1};
    EXPECT_EQ(groups.IsLost(i), i < 3) << i;
  }
}

TEST(LogRecord, OneRecordOfALaterGroupIsEnough) {
  TwoGroups groups;
  for (const size_t i : {0, 1, 2, 3, 4})
    groups.bytes[groups.offsets[i] + 5] ^= std::byte{0x40};  // its length
  EXPECT_TRUE(groups.IsLost(0));
}

TEST(LogRecord, ARecordWithinTheDataOfAnotherIsNoLaterGroup) {
  std::vector<std::byte> inner;
  AddRecord(inner, RecordPlace(1, 32), 11, 0, BytesOf("data"));
  std::vector<std::byte> bytes;
  AddRecord(bytes, RecordPlace(1, 32), 10, 0, inner);
  bytes[0] ^= std::byte{1};
  EXPECT_FALSE(HasLaterGroup(bytes, RecordPlace(1, 32), 10));
}

}  // namespace
}  // namespace ringway::fs::internal
