// SPDX-License-Identifier: Apache-2.0
//
// LogReader: the records of an AppendLog, in order.
//
//   fs::LogReader reader = log.Read();
//   while (true) {
//     absl::StatusOr<std::optional<fs::LogEntry>> entry =
//         co_await reader.Next();
//     if (!entry.ok()) co_return entry.status();
//     if (!entry->has_value()) break;
//     Apply((*entry)->sequence, (*entry)->data);
//   }

#ifndef RINGWAY_FS_LOG_LOG_READER_H_
#define RINGWAY_FS_LOG_LOG_READER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/log/log_core.h"
#include "ringway/fs/log/log_record.h"
#include "ringway/fs/log/segment_reader.h"

namespace ringway::fs {

// May outlive the AppendLog. One Next() at a time.
//
// Threads: the loop's only.
class LogReader {
 public:
  // The next record that is durable. None if there is none yet: a later call
  // returns what has become durable meanwhile.
  //
  // Errors:       OutOfRange if TruncateBefore() has dropped it; DataLoss
  //               naming the file if it is damaged; those of opening and
  //               reading files; Cancelled.
  // Ownership:    the data is the reader's, until the next call.
  // Cancellation: skips nothing.
  // Cost:         a frame; a read for each 64 KiB or more.
  Task<absl::StatusOr<std::optional<LogEntry>>> Next();

 private:
  friend class AppendLog;
  LogReader(std::shared_ptr<internal::LogCore> core, uint64_t from)
      : core_(std::move(core)), sequence_(from) {}

  // Opens the segment that has the next record, unless it is open.
  Task<absl::Status> Open();

  std::shared_ptr<internal::LogCore> core_;
  uint64_t sequence_;  // of the next record
  std::optional<internal::SegmentReader> segment_;
};

}  // namespace ringway::fs

#endif  // RINGWAY_FS_LOG_LOG_READER_H_
