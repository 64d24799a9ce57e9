// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/log/log_record.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ringway/fs/log/crc32c.h"

namespace ringway::fs::internal {
namespace {

constexpr std::string_view kMagic = "RngwyLog";
constexpr std::byte kVersion{1};

constexpr size_t kVersionAt = 8;
constexpr size_t kHeaderCrcAt = 12;
constexpr size_t kNumberAt = 16;
constexpr size_t kFirstSequenceAt = 24;

constexpr size_t kLengthAt = 4;
constexpr size_t kSequenceAt = 8;
constexpr size_t kBeforeAt = 16;

template <typename T>
void Put(std::span<std::byte> to, size_t at, T value) {
  for (size_t i = 0; i < sizeof(T); ++i)
    to[at + i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
}

template <typename T>
T Get(std::span<const std::byte> from, size_t at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value |= static_cast<T>(static_cast<T>(from[at + i]) << (8 * i));
  return value;
}

uint32_t HeaderCrc(std::span<const std::byte> header) {
  const uint32_t crc = ExtendCrc32c(0, header.first(kHeaderCrcAt));
  return ExtendCrc32c(crc, header.subspan(kHeaderCrcAt + sizeof(uint32_t)));
}

// Of a record that is `record`, its own field left out.
uint32_t RecordCrc(std::span<const std::byte> record,
                   const RecordPlace& place) {
  std::array<std::byte, 16> where;
  Put(where, 0, place.segment);
  Put(where, 8, place.offset);
  return ExtendCrc32c(ExtendCrc32c(0, where), record.subspan(kLengthAt));
}

}  // namespace

SegmentHeaderBytes EncodeSegmentHeader(const SegmentHeader& header) {
  SegmentHeaderBytes bytes = {};
  memcpy(bytes.data(), kMagic.data(), kMagic.size());
  bytes[kVersionAt] = kVersion;
  Put(bytes, kNumberAt, header.number);
  Put(bytes, kFirstSequenceAt, header.first_sequence);
  Put(bytes, kHeaderCrcAt, HeaderCrc(bytes));
  return bytes;
}

absl::StatusOr<SegmentHeader> DecodeSegmentHeader(
    std::span<const std::byte> bytes) {
  if (bytes.size() < kSegmentHeaderBytes)
    return absl::DataLossError("its header is cut off");
  bytes = bytes.first(kSegmentHeaderBytes);
  if (memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
    return absl::DataLossError("it does not begin as the file of a log");
  if (Get<uint32_t>(bytes, kHeaderCrcAt) != HeaderCrc(bytes))
    return absl::DataLossError("the checksum of its header is wrong");
  if (bytes[kVersionAt] != kVersion) {
    return absl::UnimplementedError(absl::StrCat(
        "its format has the version ", static_cast<int>(bytes[kVersionAt]),
        ", which is not known here"));
  }
  return SegmentHeader(Get<uint64_t>(bytes, kNumberAt),
                       Get<uint64_t>(bytes, kFirstSequenceAt));
}

std::string SegmentPath(std::string_view directory, uint64_t number) {
  return absl::StrFormat("%s/%020d.log", directory, number);
}

std::string FirstPath(std::string_view directory) {
  return absl::StrCat(directory, "/first");
}

void AddRecord(std::vector<std::byte>& to, const RecordPlace& place,
               uint64_t sequence, uint32_t n_before,
               std::span<const std::byte> data) {
  const size_t begin = to.size();
  to.resize(begin + kRecordHeaderBytes);
  to.insert(to.end(), data.begin(), data.end());
  const std::span<std::byte> record = std::span(to).subspan(begin);
  Put(record, kLengthAt, static_cast<uint32_t>(data.size()));
  Put(record, kSequenceAt, sequence);
  Put(record, kBeforeAt, n_before);
  Put(record, 0, RecordCrc(record, place));
}

ParsedRecord ParseRecord(std::span<const std::byte> bytes,
                         const RecordPlace& place) {
  ParsedRecord parsed;
  parsed.n_bytes = kRecordHeaderBytes;
  if (bytes.size() >= kRecordHeaderBytes)
    parsed.n_bytes += Get<uint32_t>(bytes, kLengthAt);
  if (parsed.n_bytes > kRecordHeaderBytes + kMostRecordBytes) return parsed;
  if (bytes.size() < parsed.n_bytes) {
    parsed.kind = ParsedRecord::Kind::kCutOff;
    return parsed;
  }
  bytes = bytes.first(parsed.n_bytes);
  if (Get<uint32_t>(bytes, 0) != RecordCrc(bytes, place)) return parsed;
  parsed.kind = ParsedRecord::Kind::kRecord;
  parsed.sequence = Get<uint64_t>(bytes, kSequenceAt);
  parsed.n_before = Get<uint32_t>(bytes, kBeforeAt);
  parsed.data = bytes.subspan(kRecordHeaderBytes);
  return parsed;
}

bool HasLaterGroup(std::span<const std::byte> bytes, const RecordPlace& place,
                   uint64_t sequence) {
  const uint64_t n_at_most = bytes.size() / kRecordHeaderBytes;
  for (size_t i = 0; i + kRecordHeaderBytes <= bytes.size(); ++i) {
    // First what is cheap, as this is done for every byte.
    const uint64_t found = Get<uint64_t>(bytes, i + kSequenceAt);
    const uint64_t n_before = Get<uint32_t>(bytes, i + kBeforeAt);
    if (found <= sequence || found - sequence > n_at_most) continue;
    if (n_before >= found - sequence) continue;
    const ParsedRecord parsed = ParseRecord(
        bytes.subspan(i), RecordPlace(place.segment, place.offset + i));
    if (parsed.kind == ParsedRecord::Kind::kRecord) return true;
  }
  return false;
}

}  // namespace ringway::fs::internal
