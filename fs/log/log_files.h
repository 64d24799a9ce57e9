// SPDX-License-Identifier: Apache-2.0
//
// What a log does with the files of its directory, and in which order, so that
// a crash at any time leaves a log that can be opened. Internal.

#ifndef RINGWAY_FS_LOG_LOG_FILES_H_
#define RINGWAY_FS_LOG_LOG_FILES_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/log/log_record.h"

namespace ringway::fs::internal {

// Locks the log in `directory`, which is made unless it is there, until the
// result is closed: at the latest by the end of the process.
//
// Errors: Unavailable if others have it locked, and still do after a second.
Task<absl::StatusOr<File>> LockLog(std::string directory, mode_t mode);

// Makes the names in `path` durable.
Task<absl::Status> SyncDirectory(std::string path);

// Makes a segment without records, durable with its name, over one that was
// left unfinished. For reading and writing.
Task<absl::StatusOr<File>> CreateSegment(std::string directory,
                                         SegmentHeader header, mode_t mode);

// The header of the first segment that belongs to the log; none if there is no
// log.
Task<absl::StatusOr<std::optional<SegmentHeader>>> ReadFirst(
    std::string directory);

// Replaces it, durably.
Task<absl::Status> WriteFirst(std::string directory, SegmentHeader header,
                              mode_t mode);

// Makes an empty log in `directory`, which is made, too, unless it is there.
//
// Errors: DataLoss if there are records, but nothing that says where the log
//         begins.
Task<absl::Status> CreateLog(std::string directory, mode_t mode);

}  // namespace ringway::fs::internal

#endif  // RINGWAY_FS_LOG_LOG_FILES_H_
