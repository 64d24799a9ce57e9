// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/log/log_core.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/fs/log/log_files.h"
#include "ringway/fs/path_ops.h"

namespace ringway::fs::internal {
namespace {

absl::Status MovedFrom() {
  return absl::FailedPreconditionError("a log that was moved from");
}

}  // namespace

LogCore::LogCore(std::string directory, const AppendLogOptions& options,
                 RecoveredLog log, File lock)
    : directory_(std::move(directory)),
      options_(options),
      recovery_(std::move(log.recovery)),
      segments_(std::move(log.segments)),
      file_(std::move(log.last)),
      lock_(std::move(lock)),
      end_segment_(segments_.back().number),
      end_offset_(log.end),
      next_sequence_(log.next_sequence),
      durable_end_(log.next_sequence),
      room_(options.max_waiting_bytes) {}

// --- Appending

Task<absl::StatusOr<uint64_t>> LogCore::Append(
    std::shared_ptr<LogCore> core, std::span<const std::byte> data) {
  if (core == nullptr) co_return MovedFrom();
  absl::Status status = core->CheckSize(data.size());
  if (!status.ok()) co_return status;
  absl::StatusOr<SemaphorePermit> room =
      co_await core->room_.Acquire(kRecordHeaderBytes + data.size());
  if (!room.ok()) co_return room.status();
  status = core->WhyUnusable();
  if (status.ok()) status = core->StartCommit();
  if (!status.ok()) co_return status;
  room->Forget();  // End() releases it, also if this task is gone by then
  const uint64_t sequence = core->next_sequence_;
  Group& group = core->Gather(data);
  status = co_await group.ended.Wait();
  if (!status.ok()) co_return status;
  if (sequence < core->durable_end_) co_return sequence;
  co_return core->failed_;
}

absl::Status LogCore::CheckSize(size_t n_bytes) const {
  if (n_bytes <= options_.max_record_bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a record of ", n_bytes, " bytes for the log ", directory_,
                   ", whose max_record_bytes is ", options_.max_record_bytes));
}

absl::Status LogCore::WhyUnusable() const {
  if (!failed_.ok() || !closed_) return failed_;
  return absl::FailedPreconditionError(
      absl::StrCat("the log ", directory_, " is closed"));
}

absl::Status LogCore::StartCommit() {
  if (committing_) return absl::OkStatus();
  JoinHandle<void> commit = Spawn(Commit(shared_from_this()), "log commit");
  if (!commit.spawn_status().ok()) return commit.spawn_status();
  commit.Detach();
  committing_ = true;
  return absl::OkStatus();
}

LogCore::Group& LogCore::Gather(std::span<const std::byte> data) {
  Group& group = gathering();
  if (group.n_records == 0) Place(group);
  const RecordPlace place(group.segment, group.offset + group.bytes.size());
  AddRecord(group.bytes, place, next_sequence_++, group.n_records++, data);
  end_offset_ = group.offset + group.bytes.size();
  return group;
}

// Behind what was gathered before, or in a new segment.
void LogCore::Place(Group& group) {
  if (end_offset_ >= options_.segment_bytes) {
    ++end_segment_;
    end_offset_ = kSegmentHeaderBytes;
  }
  group.segment = end_segment_;
  group.offset = end_offset_;
  group.first_sequence = next_sequence_;
}

// --- Committing

// Its task begins after those that can run now, which may append, too.
Task<void> LogCore::Commit(std::shared_ptr<LogCore> core) {
  Shield shield;  // the end of the executor lets it finish what it has begun
  while (core->gathering().n_records > 0) {
    Group& group = core->gathering();
    core->gathering_ ^= 1;
    if (core->failed_.ok()) {
      Task<absl::Status> write = core->WriteGroup(group);
      core->failed_ = co_await std::move(write);
      if (!core->failed_.ok()) {
        Task<void> give_up = core->GiveUpLock();
        co_await std::move(give_up);
      }
    }
    core->End(group);
  }
  core->committing_ = false;
}

Task<absl::Status> LogCore::WriteGroup(Group& group) {
  if (group.segment != segments_.back().number) {
    Task<absl::Status> start =
        StartSegment(SegmentHeader(group.segment, group.first_sequence));
    const absl::Status started = co_await std::move(start);
    if (!started.ok()) co_return started;
  }
  const absl::Status written = co_await file_.WriteAllAt(
      group.bytes, static_cast<int64_t>(group.offset));
  if (!written.ok()) co_return written;
  co_return co_await file_.SyncData();
}

Task<absl::Status> LogCore::StartSegment(SegmentHeader header) {
  Task<absl::StatusOr<File>> create =
      CreateSegment(directory_, header, options_.mode);
  absl::StatusOr<File> file = co_await std::move(create);
  if (!file.ok()) co_return file.status();
  file_ = *std::move(file);
  segments_.push_back(header);
  co_return absl::OkStatus();
}

Task<void> LogCore::GiveUpLock() {
  // A TruncateBefore() that has begun changes files until its end.
  const absl::StatusOr<MutexLock> last = co_await truncating_.Lock();
  (co_await lock_.Close()).IgnoreError();
}

void LogCore::End(Group& group) {
  if (failed_.ok()) {
    durable_end_ = group.first_sequence + group.n_records;
    n_records_ += group.n_records;
    ++n_groups_;
  }
  const size_t n_bytes = group.bytes.size();
  group.bytes.clear();
  group.n_records = 0;
  group.ended.NotifyAll();
  room_.Release(n_bytes);
}

// --- The rest

const SegmentHeader* LogCore::SegmentOf(uint64_t sequence) const {
  const auto after =
      std::upper_bound(segments_.begin(), segments_.end(), sequence,
                       [](uint64_t s, const SegmentHeader& segment) {
                         return s < segment.first_sequence;
                       });
  return after == segments_.begin() ? nullptr : &*(after - 1);
}

Task<absl::Status> LogCore::TruncateBefore(std::shared_ptr<LogCore> core,
                                           uint64_t sequence) {
  if (core == nullptr) co_return MovedFrom();
  absl::StatusOr<MutexLock> lock = co_await core->truncating_.Lock();
  if (!lock.ok()) co_return lock.status();
  absl::Status status = core->WhyUnusable();
  if (!status.ok()) co_return status;
  const SegmentHeader* keeps =
      core->SegmentOf(std::min(sequence, core->durable_end_));
  if (keeps == nullptr || *keeps == core->segments_[0])
    co_return absl::OkStatus();
  const SegmentHeader first = *keeps;
  Task<absl::Status> write =
      WriteFirst(core->directory_, first, core->options_.mode);
  status = co_await std::move(write);
  // From here on the others do not belong to the log.
  while (status.ok() && core->segments_[0] != first) {
    const std::string path =
        SegmentPath(core->directory_, core->segments_[0].number);
    status = co_await RemoveFile(path);
    if (ErrnoOf(status) == ENOENT) status = absl::OkStatus();
    if (status.ok()) core->segments_.erase(core->segments_.begin());
  }
  co_return status;
}

Task<absl::Status> LogCore::Close(std::shared_ptr<LogCore> core) {
  if (core == nullptr) co_return MovedFrom();
  absl::Status status = core->WhyUnusable();
  core->closed_ = true;
  // A group that is being written ends last, unless another one gathers.
  while (core->committing_) {
    Group& other = core->groups_[core->gathering_ ^ 1];
    Group& last = core->gathering().n_records > 0 ? core->gathering() : other;
    const absl::Status ended = co_await last.ended.Wait();
    if (!ended.ok()) co_return ended;
  }
  if (status.ok()) status = core->failed_;
  const absl::Status closed = co_await core->file_.Close();
  Task<void> give_up = core->GiveUpLock();
  co_await std::move(give_up);
  co_return status.ok() ? closed : status;
}

AppendLogStats LogCore::stats() const {
  AppendLogStats stats;
  stats.records = n_records_;
  stats.groups = n_groups_;
  stats.segments = segments_.size();
  stats.waiting_bytes = groups_[0].bytes.size() + groups_[1].bytes.size();
  return stats;
}

}  // namespace ringway::fs::internal
