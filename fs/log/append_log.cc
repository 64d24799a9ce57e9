// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/log/append_log.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/fs/log/log_files.h"
#include "ringway/fs/log/log_record.h"
#include "ringway/fs/log/log_recovery.h"

namespace ringway::fs {
namespace {

using internal::kMostRecordBytes;
using internal::kRecordHeaderBytes;

constexpr uint64_t kLeastSegmentBytes = 4096;
constexpr uint64_t kMostSegmentBytes = uint64_t{1} << 40;
constexpr size_t kMostWaitingBytes = size_t{2} << 30;

absl::Status CheckLimits(const char* option, uint64_t value, uint64_t least,
                         uint64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("AppendLogOptions::", option,
                                                 " is ", value, ", not ", least,
                                                 " to ", most));
}

}  // namespace

absl::Status CheckAppendLogOptions(const AppendLogOptions& options) {
  absl::Status status = CheckLimits("segment_bytes", options.segment_bytes,
                                    kLeastSegmentBytes, kMostSegmentBytes);
  status.Update(CheckLimits("max_record_bytes", options.max_record_bytes, 1,
                            kMostRecordBytes));
  status.Update(CheckLimits("max_waiting_bytes", options.max_waiting_bytes,
                            kRecordHeaderBytes + options.max_record_bytes,
                            kMostWaitingBytes));
  return status;
}

Task<absl::StatusOr<AppendLog>> AppendLog::Open(std::string directory,
                                                AppendLogOptions options) {
  const absl::Status status = CheckAppendLogOptions(options);
  if (!status.ok()) co_return status;
  Task<absl::StatusOr<File>> take = internal::LockLog(directory, options.mode);
  absl::StatusOr<File> lock = co_await std::move(take);
  if (!lock.ok()) co_return lock.status();
  Task<absl::StatusOr<internal::RecoveredLog>> recover =
      internal::RecoverLog(directory, options.mode);
  absl::StatusOr<internal::RecoveredLog> log = co_await std::move(recover);
  if (!log.ok()) co_return log.status();
  co_return AppendLog(std::make_shared<internal::LogCore>(
      std::move(directory), options, *std::move(log), *std::move(lock)));
}

LogReader AppendLog::Read(uint64_t from) const {
  return LogReader(core_, from == 0 ? first_sequence() : from);
}

internal::LogCore& AppendLog::core() const {
  RINGWAY_CHECK(core_ != nullptr, "an AppendLog that was moved from is used");
  return *core_;
}

}  // namespace ringway::fs
