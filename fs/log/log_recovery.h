// SPDX-License-Identifier: Apache-2.0
//
// RecoverLog: reads all of a log, repairs what a crash has left of it, and
// returns where it goes on. Internal.

#ifndef RINGWAY_FS_LOG_LOG_RECOVERY_H_
#define RINGWAY_FS_LOG_LOG_RECOVERY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/log/log_options.h"
#include "ringway/fs/log/log_record.h"

namespace ringway::fs::internal {

struct RecoveredLog {
  explicit RecoveredLog(File file) : last(std::move(file)) {}

  std::vector<SegmentHeader> segments;
  File last;                   // of them
  uint64_t end = 0;            // its bytes
  uint64_t next_sequence = 0;  // the records before it are durable
  LogRecovery recovery;
};

// Makes the log if there is none.
//
// Errors: DataLoss naming the file and the record: what was durable is damaged
//         or missing. Nothing is changed then.
Task<absl::StatusOr<RecoveredLog>> RecoverLog(std::string directory,
                                              mode_t mode);

}  // namespace ringway::fs::internal

#endif  // RINGWAY_FS_LOG_LOG_RECOVERY_H_
