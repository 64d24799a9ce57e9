// SPDX-License-Identifier: Apache-2.0
//
// AppendLogOptions: the limits of an append-only log, and what it tells of
// itself.

#ifndef RINGWAY_FS_LOG_LOG_OPTIONS_H_
#define RINGWAY_FS_LOG_LOG_OPTIONS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "ringway/core/compiler.h"

namespace ringway::fs {

struct AppendLogOptions {
  AppendLogOptions() {}

  // A segment that has as many bytes is followed by a new one; it has more by
  // one group at most. 4 KiB to 1 TiB.
  uint64_t segment_bytes = uint64_t{64} << 20;
  // The most data of one record: 1 byte to 1 GiB.
  size_t max_record_bytes = size_t{1} << 20;
  // What Append() takes before the records are durable, with 20 bytes for each;
  // beyond it Append() waits. At least a record of the most bytes, at most
  // 2 GiB. This much memory twice at most.
  size_t max_waiting_bytes = size_t{8} << 20;
  // Of new files, less the process's umask.
  mode_t mode = 0666;
};

// What was found when a log was opened.
struct LogRecovery {
  LogRecovery() {}

  uint64_t segments = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;  // of their data
  // The torn tail: bytes that were cut off, because they are no whole record
  // or behind one that is not, and what was wrong with the first of them;
  // empty if there were none.
  uint64_t dropped_bytes = 0;
  std::string why_dropped;
};

struct AppendLogStats {
  AppendLogStats() {}

  uint64_t records = 0;   // made durable
  uint64_t groups = 0;    // that they were written and synced in
  uint64_t segments = 0;  // there are now
  size_t waiting_bytes = 0;
};

}  // namespace ringway::fs

#endif  // RINGWAY_FS_LOG_LOG_OPTIONS_H_
