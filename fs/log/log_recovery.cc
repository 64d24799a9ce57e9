// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/log/log_recovery.h"

#include <cerrno>
#include <optional>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/fs/log/log_files.h"
#include "ringway/fs/log/segment_reader.h"
#include "ringway/fs/path_ops.h"

namespace ringway::fs::internal {
namespace {

Task<absl::StatusOr<bool>> IsThere(std::string path) {
  const absl::StatusOr<FileInfo> info = co_await StatLink(path);
  if (info.ok()) co_return true;
  if (ErrnoOf(info.status()) == ENOENT) co_return false;
  co_return info.status();
}

class Recoverer {
 public:
  Recoverer(std::string directory, mode_t mode)
      : directory_(std::move(directory)), mode_(mode) {}

  Task<absl::StatusOr<RecoveredLog>> Run();

 private:
  // Finds or makes the log.
  Task<absl::Status> Begin();
  // Reads the segment after the last one; false if there is none.
  Task<absl::StatusOr<bool>> ReadSegment();
  Task<absl::Status> ReadHeader();
  Task<absl::Status> ReadRecords();
  // Whether the segment after the last one, whose header is damaged, is one
  // that was not finished.
  Task<absl::StatusOr<bool>> IsUnfinished();
  Task<absl::Status> CutOffTail();
  Task<absl::Status> MakeDurable();
  Task<void> RemoveDropped();

  absl::Status DamageOf(const SegmentReader& segment, std::string_view why);
  uint64_t next_number() const { return first_.number + segments_.size(); }

  const std::string directory_;
  const mode_t mode_;
  SegmentHeader first_;
  std::vector<SegmentHeader> segments_;
  std::optional<SegmentReader> last_;
  uint64_t next_sequence_ = 0;
  LogRecovery recovery_;
};

Task<absl::StatusOr<RecoveredLog>> Recoverer::Run() {
  Task<absl::Status> begin = Begin();
  absl::Status status = co_await std::move(begin);
  while (status.ok()) {
    Task<absl::StatusOr<bool>> read = ReadSegment();
    const absl::StatusOr<bool> more = co_await std::move(read);
    status = more.status();
    if (more.ok() && !*more) break;
  }
  if (!status.ok()) co_return status;
  Task<absl::Status> cut_off = CutOffTail();
  status = co_await std::move(cut_off);
  if (!status.ok()) co_return status;
  Task<absl::Status> make_durable = MakeDurable();
  status = co_await std::move(make_durable);
  if (!status.ok()) co_return status;
  Task<void> remove = RemoveDropped();
  co_await std::move(remove);
  RecoveredLog log(std::move(last_->file()));
  log.end = last_->offset();
  log.next_sequence = next_sequence_;
  recovery_.segments = segments_.size();
  log.segments = std::move(segments_);
  log.recovery = std::move(recovery_);
  co_return std::move(log);
}

Task<absl::Status> Recoverer::Begin() {
  Task<absl::StatusOr<std::optional<SegmentHeader>>> read =
      ReadFirst(directory_);
  absl::StatusOr<std::optional<SegmentHeader>> first = co_await std::move(read);
  if (first.ok() && !first->has_value()) {
    Task<absl::Status> create = CreateLog(directory_, mode_);
    const absl::Status created = co_await std::move(create);
    if (!created.ok()) co_return created;
    Task<absl::StatusOr<std::optional<SegmentHeader>>> again =
        ReadFirst(directory_);
    first = co_await std::move(again);
  }
  if (!first.ok()) co_return first.status();
  if (!first->has_value()) {
    co_return absl::DataLossError(
        absl::StrCat(FirstPath(directory_), " was removed"));
  }
  first_ = **first;
  next_sequence_ = first_.first_sequence;
  co_return absl::OkStatus();
}

Task<absl::StatusOr<bool>> Recoverer::ReadSegment() {
  const uint64_t number = next_number();
  const std::string path = SegmentPath(directory_, number);
  OpenOptions open;
  open.write = true;
  absl::StatusOr<File> file = co_await File::Open(path, open);
  if (ErrnoOf(file.status()) == ENOENT) {
    Task<absl::StatusOr<bool>> look =
        IsThere(SegmentPath(directory_, number + 1));
    const absl::StatusOr<bool> later = co_await std::move(look);
    if (!later.ok()) co_return later.status();
    if (!*later && last_.has_value()) co_return false;
    co_return absl::DataLossError(absl::StrCat(path, " is missing"));
  }
  if (!file.ok()) co_return file.status();
  // The segment before was durable when this one was begun.
  if (last_.has_value() && !last_->damage().empty())
    co_return DamageOf(*last_, "but there is another segment");
  last_.emplace(*std::move(file), number, next_sequence_);
  Task<absl::Status> read_header = ReadHeader();
  absl::Status status = co_await std::move(read_header);
  if (!status.ok()) co_return status;
  segments_.emplace_back(number, next_sequence_);
  Task<absl::Status> read = ReadRecords();
  status = co_await std::move(read);
  if (!status.ok()) co_return status;
  co_return true;
}

Task<absl::Status> Recoverer::ReadHeader() {
  Task<absl::Status> read = last_->ReadHeader();
  const absl::Status status = co_await std::move(read);
  if (!absl::IsDataLoss(status) || segments_.empty()) co_return status;
  Task<absl::StatusOr<bool>> look = IsUnfinished();
  const absl::StatusOr<bool> unfinished = co_await std::move(look);
  if (!unfinished.ok()) co_return unfinished.status();
  if (!*unfinished) co_return status;
  const SegmentHeader header(next_number(), next_sequence_);
  Task<absl::StatusOr<File>> create = CreateSegment(directory_, header, mode_);
  absl::StatusOr<File> file = co_await std::move(create);
  if (!file.ok()) co_return file.status();
  last_.emplace(*std::move(file), header.number, header.first_sequence);
  Task<absl::Status> again = last_->ReadHeader();
  co_return co_await std::move(again);
}

Task<absl::StatusOr<bool>> Recoverer::IsUnfinished() {
  const absl::StatusOr<FileInfo> info = co_await last_->file().Stat();
  if (!info.ok()) co_return info.status();
  if (info->size > static_cast<int64_t>(kSegmentHeaderBytes)) co_return false;
  Task<absl::StatusOr<bool>> look =
      IsThere(SegmentPath(directory_, next_number() + 1));
  const absl::StatusOr<bool> later = co_await std::move(look);
  if (!later.ok()) co_return later.status();
  co_return !*later;
}

Task<absl::Status> Recoverer::ReadRecords() {
  while (true) {
    Task<absl::StatusOr<std::optional<LogEntry>>> read = last_->Next();
    const absl::StatusOr<std::optional<LogEntry>> entry =
        co_await std::move(read);
    if (!entry.ok()) co_return entry.status();
    if (!entry->has_value()) break;
    ++recovery_.records;
    recovery_.bytes += (*entry)->data.size();
  }
  next_sequence_ = last_->sequence();
  co_return absl::OkStatus();
}

Task<absl::Status> Recoverer::CutOffTail() {
  if (last_->damage().empty()) co_return absl::OkStatus();
  Task<absl::StatusOr<std::vector<std::byte>>> read = last_->ReadRest();
  const absl::StatusOr<std::vector<std::byte>> rest = co_await std::move(read);
  if (!rest.ok()) co_return rest.status();
  const RecordPlace place(last_->number(), last_->offset());
  if (HasLaterGroup(*rest, place, next_sequence_)) {
    co_return DamageOf(*last_,
                       "but behind it is what was written when it was durable");
  }
  recovery_.dropped_bytes = rest->size();
  recovery_.why_dropped = absl::StrCat(last_->file().path(), " at offset ",
                                       last_->offset(), ": ", last_->damage());
  co_return co_await last_->file().Truncate(
      static_cast<int64_t>(last_->offset()));
}

// What was read may be in the page cache only. After a sync that failed it is
// there although the kernel does not consider it as unwritten any more; that
// concerns the last group, the only one that was not known to be durable.
Task<absl::Status> Recoverer::MakeDurable() {
  File& file = last_->file();
  const int64_t begin = static_cast<int64_t>(last_->group_offset());
  std::vector<std::byte> group(
      static_cast<size_t>(last_->offset() - last_->group_offset()));
  absl::Status status = co_await file.ReadExactlyAt(group, begin);
  if (status.ok()) status = co_await file.WriteAllAt(group, begin);
  if (status.ok()) status = co_await file.SyncData();
  if (!status.ok()) co_return status;
  Task<absl::Status> sync = SyncDirectory(directory_);
  co_return co_await std::move(sync);
}

// Segments that a crash has kept from being removed, downwards from the first.
Task<void> Recoverer::RemoveDropped() {
  for (uint64_t number = first_.number; number-- > 0;) {
    const std::string path = SegmentPath(directory_, number);
    const absl::Status removed = co_await RemoveFile(path);
    if (!removed.ok()) co_return;
  }
}

absl::Status Recoverer::DamageOf(const SegmentReader& segment,
                                 std::string_view why) {
  return absl::DataLossError(
      absl::StrCat(SegmentPath(directory_, segment.number()), " at offset ",
                   segment.offset(), ": ", segment.damage(), ", ", why));
}

}  // namespace

Task<absl::StatusOr<RecoveredLog>> RecoverLog(std::string directory,
                                              mode_t mode) {
  Recoverer recoverer(std::move(directory), mode);
  Task<absl::StatusOr<RecoveredLog>> run = recoverer.Run();
  co_return co_await std::move(run);
}

}  // namespace ringway::fs::internal
