// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/log/log_files.h"

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/whole_file.h"

namespace ringway::fs::internal {
namespace {

constexpr uint64_t kFirstNumber = 1;
constexpr uint64_t kFirstSequence = 1;

// A log that was dropped is closed a little later, a process that was killed
// is gone a little later.
constexpr absl::Duration kUnlockPatience = absl::Seconds(1);

std::string ParentOf(const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  const size_t slash =
      end == std::string::npos ? std::string::npos : path.rfind('/', end);
  if (slash == std::string::npos) return end == std::string::npos ? "/" : ".";
  const size_t last = path.find_last_not_of('/', slash);
  return last == std::string::npos ? "/" : path.substr(0, last + 1);
}

// A file with this header alone, whose content, but not its name, is durable.
Task<absl::StatusOr<File>> WriteHeader(std::string path, SegmentHeader header,
                                       mode_t mode) {
  OpenOptions open = OpenOptions::ForUpdating();
  open.truncate = true;
  open.mode = mode;
  absl::StatusOr<File> file = co_await File::Open(path, open);
  if (!file.ok()) co_return file.status();
  const SegmentHeaderBytes bytes = EncodeSegmentHeader(header);
  absl::Status status = co_await file->WriteAllAt(bytes, 0);
  if (status.ok()) status = co_await file->SyncData();
  if (!status.ok()) co_return status;
  co_return std::move(file);
}

// A segment without `first` is one that CreateLog() did not finish, unless it
// has records.
Task<absl::Status> CheckUnfinished(std::string directory) {
  const std::string path = SegmentPath(directory, kFirstNumber);
  const absl::StatusOr<FileInfo> info = co_await StatLink(path);
  if (ErrnoOf(info.status()) == ENOENT) co_return absl::OkStatus();
  if (!info.ok()) co_return info.status();
  if (info->size <= static_cast<int64_t>(kSegmentHeaderBytes))
    co_return absl::OkStatus();
  co_return absl::DataLossError(absl::StrCat(
      path, " has records, but ", FirstPath(directory), " is missing"));
}

}  // namespace

Task<absl::StatusOr<File>> LockLog(std::string directory, mode_t mode) {
  OpenOptions options = OpenOptions::ForUpdating();
  options.mode = mode;
  const std::string path = absl::StrCat(directory, "/lock");
  absl::StatusOr<File> file = co_await File::Open(path, options);
  if (ErrnoOf(file.status()) == ENOENT) {
    const absl::Status made = co_await MakeDirectory(directory);
    if (!made.ok() && ErrnoOf(made) != EEXIST) co_return made;
    file = co_await File::Open(path, options);
  }
  if (!file.ok()) co_return file.status();
  Task<absl::Status> lock =
      WithTimeout(kUnlockPatience, file->Lock(LockKind::kExclusive));
  const absl::Status locked = co_await std::move(lock);
  if (absl::IsDeadlineExceeded(locked)) {
    co_return absl::UnavailableError(
        absl::StrCat("the log ", directory,
                     " is open already: another process,"
                     " or this one, has ",
                     path, " locked"));
  }
  if (!locked.ok()) co_return locked;
  co_return std::move(file);
}

Task<absl::Status> SyncDirectory(std::string path) {
  OpenOptions options;
  options.directory = true;
  absl::StatusOr<File> directory = co_await File::Open(path, options);
  if (!directory.ok()) co_return directory.status();
  co_return co_await directory->Sync();
}

Task<absl::StatusOr<File>> CreateSegment(std::string directory,
                                         SegmentHeader header, mode_t mode) {
  Task<absl::StatusOr<File>> write =
      WriteHeader(SegmentPath(directory, header.number), header, mode);
  absl::StatusOr<File> file = co_await std::move(write);
  if (!file.ok()) co_return file.status();
  Task<absl::Status> sync = SyncDirectory(directory);
  const absl::Status synced = co_await std::move(sync);
  if (!synced.ok()) co_return synced;
  co_return std::move(file);
}

Task<absl::StatusOr<std::optional<SegmentHeader>>> ReadFirst(
    std::string directory) {
  Task<absl::StatusOr<std::string>> read =
      ReadFile(FirstPath(directory), kSegmentHeaderBytes);
  const absl::StatusOr<std::string> content = co_await std::move(read);
  if (ErrnoOf(content.status()) == ENOENT) co_return std::nullopt;
  if (!content.ok()) co_return content.status();
  absl::StatusOr<SegmentHeader> header =
      DecodeSegmentHeader(std::as_bytes(std::span(*content)));
  if (!header.ok()) {
    co_return absl::Status(
        header.status().code(),
        absl::StrCat(FirstPath(directory), ": ", header.status().message()));
  }
  co_return *header;
}

// Through a file with one name, so that crashes do not leave more and more of
// them.
Task<absl::Status> WriteFirst(std::string directory, SegmentHeader header,
                              mode_t mode) {
  const std::string path = FirstPath(directory);
  const std::string beside = absl::StrCat(path, ".new");
  Task<absl::StatusOr<File>> write = WriteHeader(beside, header, mode);
  const absl::StatusOr<File> file = co_await std::move(write);
  if (!file.ok()) co_return file.status();
  const absl::Status renamed = co_await Rename(beside, path);
  if (!renamed.ok()) co_return renamed;
  Task<absl::Status> sync = SyncDirectory(directory);
  co_return co_await std::move(sync);
}

Task<absl::Status> CreateLog(std::string directory, mode_t mode) {
  const absl::Status made = co_await MakeDirectory(directory);
  if (!made.ok() && ErrnoOf(made) != EEXIST) co_return made;
  Task<absl::Status> check = CheckUnfinished(directory);
  absl::Status status = co_await std::move(check);
  if (!status.ok()) co_return status;
  Task<absl::Status> sync = SyncDirectory(ParentOf(directory));
  status = co_await std::move(sync);
  if (!status.ok()) co_return status;
  const SegmentHeader first(kFirstNumber, kFirstSequence);
  Task<absl::StatusOr<File>> create = CreateSegment(directory, first, mode);
  absl::StatusOr<File> segment = co_await std::move(create);
  if (!segment.ok()) co_return segment.status();
  // The log is there from here on.
  Task<absl::Status> write = WriteFirst(directory, first, mode);
  co_return co_await std::move(write);
}

}  // namespace ringway::fs::internal
