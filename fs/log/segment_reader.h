// SPDX-License-Identifier: Apache-2.0
//
// SegmentReader: the records of one segment of a log, in order. Internal.

#ifndef RINGWAY_FS_LOG_SEGMENT_READER_H_
#define RINGWAY_FS_LOG_SEGMENT_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/log/log_record.h"

namespace ringway::fs::internal {

class SegmentReader {
 public:
  // `file` is the segment `number`, whose first record has `sequence`.
  SegmentReader(File file, uint64_t number, uint64_t sequence);

  // Reads the header; first of all.
  //
  // Errors: DataLoss if it is damaged or another one's, Unimplemented, those
  //         of reading; naming the file.
  Task<absl::Status> ReadHeader();

  // The next record, valid until the next call; none where the file ends or
  // what follows is not that record: damage().
  //
  // Errors: those of reading.
  Task<absl::StatusOr<std::optional<LogEntry>>> Next();

  // What is wrong with what follows; empty at the end of the file.
  const std::string& damage() const { return damage_; }

  // Forgets what it has read ahead: more may have been written since.
  void DropReadAhead() { begin_ = end_ = 0; }

  // All bytes from offset() on.
  Task<absl::StatusOr<std::vector<std::byte>>> ReadRest();

  uint64_t number() const { return number_; }
  // Where the next record is, and its number.
  uint64_t offset() const { return offset_; }
  uint64_t sequence() const { return sequence_; }
  // Where the group of the last record begins; offset() if there was none.
  uint64_t group_offset() const { return group_offset_; }
  File& file() { return file_; }

 private:
  // Reads until the next `n_bytes` are in the buffer, or the file ends.
  Task<absl::Status> Fill(size_t n_bytes);
  std::span<const std::byte> Buffered() const {
    return std::span(buffer_).subspan(begin_, end_ - begin_);
  }
  LogEntry Take(const ParsedRecord& record);

  File file_;
  uint64_t number_;
  uint64_t sequence_;
  uint64_t offset_ = 0;  // of buffer_[begin_]
  uint64_t group_offset_ = 0;
  std::vector<std::byte> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  std::string damage_;
};

}  // namespace ringway::fs::internal

#endif  // RINGWAY_FS_LOG_SEGMENT_READER_H_
