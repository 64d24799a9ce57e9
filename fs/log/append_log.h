// SPDX-License-Identifier: Apache-2.0
//
// AppendLog: a log of records that is only ever appended to, and of which what
// was acknowledged survives a crash of the machine. A database keeps one to
// write to its tables later, a queue is one.
//
//   absl::StatusOr<fs::AppendLog> log = co_await fs::AppendLog::Open("wal");
//   ...  // what it has: log->Read()
//   absl::StatusOr<uint64_t> number = co_await log->Append(record);
//
// Records that many tasks append at the same time are written and synced
// together (group commit): the more wait, the more one sync makes durable.

#ifndef RINGWAY_FS_LOG_APPEND_LOG_H_
#define RINGWAY_FS_LOG_APPEND_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/log/log_core.h"
#include "ringway/fs/log/log_options.h"
#include "ringway/fs/log/log_reader.h"

namespace ringway::fs {

// Move-only. Records have consecutive sequence numbers, from 1 on, which
// nothing changes. The format is described in log_record.h.
//
// A write or sync that fails is the log's end: what the disk has is not known
// any more. Every later call returns that error; open the log anew.
//
// One AppendLog at a time may have a log open, of whatever process: it locks
// the file `lock` in its directory until it is closed, has failed, or its
// process has ended.
//
// Threads: the loop's only.
class AppendLog {
 public:
  // Opens the log in `directory` and makes it if there is none; of the
  // directory's parents all must exist. Reads all of it. A torn tail, records
  // at the end that a crash has left incomplete and that were never
  // acknowledged, is cut off: recovered(). What it has then is durable.
  //
  // Errors:       DataLoss naming file, offset and record: a record that was
  //               acknowledged is damaged or missing; nothing is changed then.
  //               (Damage to the very last group cannot be told from a torn
  //               tail.) Unavailable naming the log if another one has it
  //               open, for a second at least; InvalidArgument naming the
  //               option; Unimplemented for the format of a later version;
  //               those of File, ENOLCK where it has no locks; Cancelled.
  // Cancellation: the log can be opened again.
  // Cost:         reads all segments; memory for the longest record.
  static Task<absl::StatusOr<AppendLog>> Open(
      std::string directory, AppendLogOptions options = AppendLogOptions());

  AppendLog(AppendLog&&) noexcept = default;
  AppendLog& operator=(AppendLog&&) noexcept = default;
  // Appends in progress go on. What Close() would report is lost.
  ~AppendLog() = default;

  // Appends a record, which may be empty, and ends when it is durable.
  //
  // Result:       its sequence number.
  // Errors:       InvalidArgument if it is larger than max_record_bytes; those
  //               of writing and syncing the file, which end the log;
  //               FailedPrecondition once it is closed; ResourceExhausted when
  //               the executor has max_tasks; Cancelled.
  // Ownership:    `data` must outlive the await; it is copied.
  // Order:        records of one task, and of several that append at the same
  //               time, have the order of the calls. While max_waiting_bytes
  //               wait, it waits for room, in order.
  // Cancellation: ends the wait at once, however long the disk takes. The
  //               record may or may not become durable.
  // Cost:         a frame; no allocation after warm-up.
  Task<absl::StatusOr<uint64_t>> Append(std::span<const std::byte> data) {
    return internal::LogCore::Append(core_, data);
  }
  Task<absl::StatusOr<uint64_t>> Append(std::string_view data) {
    return Append(std::as_bytes(std::span(data)));
  }

  // Reads from the record with the number `from` on; 0: from the first. What
  // becomes durable later is read, too.
  LogReader Read(uint64_t from = 0) const;

  // Drops records before the one with this number: whole segments, so some of
  // them stay; the last segment always does.
  //
  // Errors:       those of writing the file `first`, and of removing segments;
  //               the log goes on. FailedPrecondition once it is closed;
  //               Cancelled.
  // Cancellation: what was dropped, in order, stays dropped.
  Task<absl::Status> TruncateBefore(uint64_t sequence) {
    return internal::LogCore::TruncateBefore(core_, sequence);
  }

  // Waits for the appends in progress and closes the log. Later calls return
  // FailedPrecondition.
  //
  // Errors:       those of an append before it, or of closing the file.
  // Cancellation: ends the wait; the log is closed all the same.
  Task<absl::Status> Close() { return internal::LogCore::Close(core_); }

  // What Open() found.
  const LogRecovery& recovered() const { return core().recovered(); }
  // The first record that there is, and the one behind the last durable one:
  // equal if there is none.
  uint64_t first_sequence() const { return core().first_sequence(); }
  uint64_t durable_end() const { return core().durable_end(); }
  AppendLogStats stats() const { return core().stats(); }

 private:
  explicit AppendLog(std::shared_ptr<internal::LogCore> core)
      : core_(std::move(core)) {}
  internal::LogCore& core() const;

  std::shared_ptr<internal::LogCore> core_;
};

// InvalidArgument with the option and its limits if one is out of range.
absl::Status CheckAppendLogOptions(const AppendLogOptions& options);

}  // namespace ringway::fs

#endif  // RINGWAY_FS_LOG_APPEND_LOG_H_
