// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/log/log_reader.h"

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/fs/file.h"

namespace ringway::fs {

using internal::SegmentHeader;
using internal::SegmentReader;

Task<absl::StatusOr<std::optional<LogEntry>>> LogReader::Next() {
  if (sequence_ >= core_->durable_end()) co_return std::nullopt;
  Task<absl::Status> open = Open();
  const absl::Status opened = co_await std::move(open);
  if (!opened.ok()) co_return opened;
  for (bool is_fresh = false;;) {
    Task<absl::StatusOr<std::optional<LogEntry>>> read = segment_->Next();
    absl::StatusOr<std::optional<LogEntry>> entry = co_await std::move(read);
    if (!entry.ok()) co_return entry.status();
    if (entry->has_value()) {
      if ((*entry)->sequence < sequence_) continue;  // before where it begins
      ++sequence_;
      co_return entry;
    }
    if (is_fresh) break;
    // It may have been read ahead when it was being written.
    segment_->DropReadAhead();
    is_fresh = true;
  }
  co_return absl::DataLossError(absl::StrCat(
      segment_->file().path(), " at offset ", segment_->offset(), ": ",
      segment_->damage().empty() ? "it ends before a record that was durable"
                                 : segment_->damage()));
}

Task<absl::Status> LogReader::Open() {
  const SegmentHeader* const found = core_->SegmentOf(sequence_);
  // A segment that was dropped while it was open is read to its end.
  if (segment_.has_value() &&
      (found == nullptr || found->number <= segment_->number())) {
    co_return absl::OkStatus();
  }
  const absl::Status dropped =
      absl::OutOfRangeError(absl::StrCat("record ", sequence_, " of the log ",
                                         core_->directory(), " was dropped"));
  if (found == nullptr) co_return dropped;
  const SegmentHeader header = *found;
  segment_.reset();
  absl::StatusOr<File> file = co_await File::Open(
      internal::SegmentPath(core_->directory(), header.number));
  if (ErrnoOf(file.status()) == ENOENT) co_return dropped;
  if (!file.ok()) co_return file.status();
  SegmentReader segment(*std::move(file), header.number, header.first_sequence);
  Task<absl::Status> read = segment.ReadHeader();
  const absl::Status status = co_await std::move(read);
  if (status.ok()) segment_.emplace(std::move(segment));
  co_return status;
}

}  // namespace ringway::fs
