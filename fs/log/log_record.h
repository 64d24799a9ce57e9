// SPDX-License-Identifier: Apache-2.0
//
// The format of an append-only log.
//
// A log is a directory with segments, files with consecutive numbers such as
// 00000000000000000017.log, and a file named `first`: a copy of the header of
// the first segment that belongs to the log. A segment is a header and records:
//
//   header   0  magic "RngwyLog"
//            8  version, 1 byte: 1; 3 bytes: 0
//           12  CRC-32C of the header without this field
//           16  number of the segment
//           24  sequence number of its first record
//   record   0  CRC-32C of: number of the segment (8 bytes), offset of the
//               record in it (8 bytes), the record without this field
//            4  bytes of data
//            8  sequence number, one more than that of the record before
//           16  records before it in its group
//           20  data
//
// Integers are little-endian; nothing is padded. A group is what was written
// and synced together; the next one is written when it is durable. So a record
// that is damaged, and behind which there is another group, was durable: that
// is a loss of data. If only records of its own group are behind it, or none,
// it may never have been durable: that is a torn tail. Since the checksum
// covers where a record is, neither an older record in the same place of
// another segment nor a record within the data of another is taken for one.

#ifndef RINGWAY_FS_LOG_LOG_RECORD_H_
#define RINGWAY_FS_LOG_LOG_RECORD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/core/compiler.h"

namespace ringway::fs {

// A record as it is read.
struct LogEntry {
  LogEntry() {}
  LogEntry(uint64_t s, std::span<const std::byte> d) : sequence(s), data(d) {}

  uint64_t sequence = 0;
  std::span<const std::byte> data;
};

namespace internal {

inline constexpr size_t kSegmentHeaderBytes = 32;
inline constexpr size_t kRecordHeaderBytes = 20;
// The most data of a record, whatever the options.
inline constexpr size_t kMostRecordBytes = size_t{1} << 30;

struct SegmentHeader {
  SegmentHeader() {}
  SegmentHeader(uint64_t n, uint64_t s) : number(n), first_sequence(s) {}
  bool operator==(const SegmentHeader&) const = default;

  uint64_t number = 0;
  uint64_t first_sequence = 0;
};

using SegmentHeaderBytes = std::array<std::byte, kSegmentHeaderBytes>;

SegmentHeaderBytes EncodeSegmentHeader(const SegmentHeader& header);

// Errors: DataLoss, with what is wrong; Unimplemented for another version.
absl::StatusOr<SegmentHeader> DecodeSegmentHeader(
    std::span<const std::byte> bytes);

// The name of a file of the log.
std::string SegmentPath(std::string_view directory, uint64_t number);
std::string FirstPath(std::string_view directory);

// Where a record is.
struct RecordPlace {
  RecordPlace(uint64_t s, uint64_t o) : segment(s), offset(o) {}
  uint64_t segment;
  uint64_t offset;
};

// Adds a record that is the `n_before`-th of its group, counted from 0.
void AddRecord(std::vector<std::byte>& to, const RecordPlace& place,
               uint64_t sequence, uint32_t n_before,
               std::span<const std::byte> data);

struct ParsedRecord {
  enum class Kind : uint8_t {
    kRecord,
    kCutOff,  // `bytes` would have to have `n_bytes` bytes
    kDamaged,
  };

  Kind kind = Kind::kDamaged;
  uint64_t sequence = 0;
  uint32_t n_before = 0;
  size_t n_bytes = 0;               // with its header
  std::span<const std::byte> data;  // in what was parsed
};

// The record that `bytes` begins with.
ParsedRecord ParseRecord(std::span<const std::byte> bytes,
                         const RecordPlace& place);

// Whether somewhere in `bytes`, which begins at `place`, is a record of a group
// that was begun when `sequence` was durable.
bool HasLaterGroup(std::span<const std::byte> bytes, const RecordPlace& place,
                   uint64_t sequence);

}  // namespace internal
}  // namespace ringway::fs

#endif  // RINGWAY_FS_LOG_LOG_RECORD_H_
