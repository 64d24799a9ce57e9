// SPDX-License-Identifier: Apache-2.0
//
// LogCore: the writing of an append-only log. Internal.
//
//   Append() --> the group that gathers --+   (waits for the end of its group)
//                                         v
//   Commit(), a task of its own: [rotate], write, sync --> the group ends
//
// While one group is being written and synced the next one gathers, so that
// everything that comes meanwhile is made durable by one sync. Commit() runs
// while there is a group to write; an Append() that is cancelled leaves its
// record in the group.

#ifndef RINGWAY_FS_LOG_LOG_CORE_H_
#define RINGWAY_FS_LOG_LOG_CORE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/executor/sync/notify.h"
#include "ringway/executor/sync/semaphore.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/log/log_options.h"
#include "ringway/fs/log/log_record.h"
#include "ringway/fs/log/log_recovery.h"

namespace ringway::fs::internal {

class LogCore : public std::enable_shared_from_this<LogCore> {
 public:
  // `lock`: see LockLog().
  LogCore(std::string directory, const AppendLogOptions& options,
          RecoveredLog log, File lock);

  // As those of AppendLog. Tasks hold the core.
  static Task<absl::StatusOr<uint64_t>> Append(std::shared_ptr<LogCore> core,
                                               std::span<const std::byte> data);
  static Task<absl::Status> TruncateBefore(std::shared_ptr<LogCore> core,
                                           uint64_t sequence);
  static Task<absl::Status> Close(std::shared_ptr<LogCore> core);

  const std::string& directory() const { return directory_; }
  const LogRecovery& recovered() const { return recovery_; }
  uint64_t first_sequence() const { return segments_[0].first_sequence; }
  // Records before it are durable.
  uint64_t durable_end() const { return durable_end_; }
  // The segment that has this record; null if it was dropped.
  const SegmentHeader* SegmentOf(uint64_t sequence) const;
  AppendLogStats stats() const;

 private:
  // Records that are written and synced together.
  struct Group {
    uint64_t segment = 0;  // where it goes
    uint64_t offset = 0;
    uint64_t first_sequence = 0;
    uint32_t n_records = 0;
    std::vector<std::byte> bytes;
    Notify ended;
  };

  absl::Status CheckSize(size_t n_bytes) const;
  absl::Status WhyUnusable() const;
  absl::Status StartCommit();
  // Adds the record to the group that gathers.
  Group& Gather(std::span<const std::byte> data);
  void Place(Group& group);

  static Task<void> Commit(std::shared_ptr<LogCore> core);
  Task<absl::Status> WriteGroup(Group& group);
  Task<absl::Status> StartSegment(SegmentHeader header);
  // After a failure: others may open it now.
  Task<void> GiveUpLock();
  void End(Group& group);
  Group& gathering() { return groups_[gathering_]; }

  const std::string directory_;
  const AppendLogOptions options_;
  const LogRecovery recovery_;
  std::vector<SegmentHeader> segments_;  // never empty
  File file_;                            // the last of them
  File lock_;                            // closed with the log

  // Where what is gathered next goes.
  uint64_t end_segment_;
  uint64_t end_offset_;
  uint64_t next_sequence_;

  uint64_t durable_end_;
  std::array<Group, 2> groups_;  // one gathers, one may be being written
  size_t gathering_ = 0;
  bool committing_ = false;
  bool closed_ = false;
  absl::Status failed_;  // the first failure: it is the last, too
  uint64_t n_groups_ = 0;
  uint64_t n_records_ = 0;
  Semaphore room_;  // bytes that may wait
  Mutex truncating_;
};

}  // namespace ringway::fs::internal

#endif  // RINGWAY_FS_LOG_LOG_CORE_H_
