// SPDX-License-Identifier: Apache-2.0
//
// What tests do with logs.

#ifndef RINGWAY_FS_LOG_TESTING_LOG_TASKS_H_
#define RINGWAY_FS_LOG_TESTING_LOG_TASKS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/log/append_log.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs::testing {

// Segments of as few records as possible.
inline AppendLogOptions SmallSegments() {
  AppendLogOptions options;
  options.segment_bytes = 4'096;
  return options;
}

inline Task<AppendLog> OpenLog(std::string directory,
                               AppendLogOptions options = AppendLogOptions()) {
  Task<absl::StatusOr<AppendLog>> open =
      AppendLog::Open(std::move(directory), options);
  absl::StatusOr<AppendLog> log = co_await std::move(open);
  co_return ValueOf(std::move(log));
}

// The data of the records from `from` on.
inline Task<absl::StatusOr<std::vector<std::string>>> ReadRecords(
    AppendLog& log, uint64_t from = 0) {
  std::vector<std::string> records;
  LogReader reader = log.Read(from);
  while (true) {
    Task<absl::StatusOr<std::optional<LogEntry>>> next = reader.Next();
    const absl::StatusOr<std::optional<LogEntry>> entry =
        co_await std::move(next);
    if (!entry.ok()) co_return entry.status();
    if (!entry->has_value()) co_return records;
    records.push_back(AsString((*entry)->data));
  }
}

// Appends `n` records as the writer `writer`, one after the other. Returns
// their numbers: fewer if one fails.
inline Task<std::vector<uint64_t>> AppendAll(AppendLog& log, size_t writer,
                                             size_t n) {
  std::vector<uint64_t> sequences;
  for (size_t i = 0; i < n; ++i) {
    const std::string record = absl::StrCat("record ", i, " of ", writer);
    Task<absl::StatusOr<uint64_t>> append = log.Append(record);
    const absl::StatusOr<uint64_t> sequence = co_await std::move(append);
    if (!sequence.ok()) break;
    sequences.push_back(*sequence);
  }
  co_return sequences;
}

}  // namespace ringway::fs::testing

#endif  // RINGWAY_FS_LOG_TESTING_LOG_TASKS_H_
