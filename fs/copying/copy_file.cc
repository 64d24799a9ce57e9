// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/copying/copy_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/fs/copying/copy_small_files.h"
#include "ringway/fs/file.h"
#include "ringway/fs/file_info.h"
#include "ringway/fs/path_names.h"
#include "ringway/fs/path_ops.h"
#include "ringway/pools/blocking/run_blocking.h"

namespace ringway::fs {
namespace {

constexpr int64_t kPart = 4 * 1024 * 1024;
constexpr size_t kBufferBytes = 128 * 1024;

// lseek(2) with SEEK_DATA or SEEK_HOLE.
class [[nodiscard]] FindOp : public OperationAwait {
 public:
  FindOp(const File& file, int64_t offset, int whence) {
    PrepareSeek(*this, file.fd(), offset, whence, &position_);
  }
  // -errno for an error.
  int64_t await_resume() const { return result < 0 ? result : position_; }

 private:
  int64_t position_ = 0;
};

class [[nodiscard]] CopyRangeOp : public OperationAwait {
 public:
  CopyRangeOp(const File& from, const File& to, int64_t offset,
              int64_t n_bytes) {
    PrepareCopyFileRange(*this, from.fd(), offset, to.fd(), offset,
                         static_cast<size_t>(n_bytes));
  }
  int32_t await_resume() const { return result; }
};

// The kernel does not copy between these files, or not at all.
bool CannotCopy(int32_t result) {
  switch (-result) {
    case EXDEV:
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP:
    case EPERM:  // from a sandbox that does not know the call
      return true;
    default:
      return false;
  }
}

// Copies the content of one open file to another, an empty one.
class Copier {
 public:
  Copier(File& from, File& to, int64_t size, const CopyOptions& options)
      : from_(from), to_(to), size_(size), options_(options) {}

  Task<absl::Status> Run() {
    // Files without a size, as those of /proc, have content all the same.
    return size_ > 0 ? CopySparse() : CopyToTheEnd();
  }

 private:
  Task<absl::Status> CopySparse();
  Task<absl::Status> CopyToTheEnd();
  // Copies a part from offset_ on, up to `end`, and advances offset_.
  Task<absl::Status> CopyPart(int64_t end);
  Task<absl::StatusOr<size_t>> CopyByHand(size_t most);
  absl::Status Fail(int errnum) const;

  File& from_;
  File& to_;
  const int64_t size_;
  const CopyOptions& options_;
  int64_t offset_ = 0;
  bool at_end_ = false;
  bool by_hand_ = false;
  std::vector<std::byte> buffer_;
};

Task<absl::Status> Copier::CopySparse() {
  while (offset_ < size_ && !at_end_) {
    int64_t data = co_await FindOp(from_, offset_, SEEK_DATA);
    if (data == -ECANCELED) co_return CancelledStatus();
    if (data == -ENXIO) break;            // the rest is a hole
    if (data == -EINVAL) data = offset_;  // the file system does not tell
    if (data < 0) co_return Fail(static_cast<int>(-data));
    int64_t hole = co_await FindOp(from_, data, SEEK_HOLE);
    if (hole == -ECANCELED) co_return CancelledStatus();
    if (hole < 0) hole = size_;
    offset_ = data;
    for (hole = std::min(hole, size_); offset_ < hole && !at_end_;) {
      Task<absl::Status> part = CopyPart(hole);
      const absl::Status status = co_await std::move(part);
      if (!status.ok()) co_return status;
    }
  }
  // A hole at the end; or the file was cut off meanwhile.
  const int64_t end = at_end_ ? offset_ : size_;
  if (options_.on_progress) options_.on_progress(end, size_);
  co_return co_await to_.Truncate(end);
}

Task<absl::Status> Copier::CopyToTheEnd() {
  by_hand_ = true;  // copy_file_range(2) believes the size
  while (!at_end_) {
    Task<absl::Status> part = CopyPart(offset_ + kPart);
    const absl::Status status = co_await std::move(part);
    if (!status.ok()) co_return status;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> Copier::CopyPart(int64_t end) {
  const int64_t most = std::min(end - offset_, kPart);
  int64_t n_bytes = 0;
  if (!by_hand_) {
    const int32_t copied = co_await CopyRangeOp(from_, to_, offset_, most);
    by_hand_ = CannotCopy(copied);
    if (copied == -ECANCELED) co_return CancelledStatus();
    if (copied < 0 && !by_hand_) co_return Fail(-copied);
    n_bytes = copied;
  }
  if (by_hand_) {
    Task<absl::StatusOr<size_t>> copy = CopyByHand(static_cast<size_t>(most));
    const absl::StatusOr<size_t> copied = co_await std::move(copy);
    if (!copied.ok()) co_return copied.status();
    n_bytes = static_cast<int64_t>(*copied);
  }
  at_end_ = n_bytes == 0;
  offset_ += n_bytes;
  if (options_.on_progress && !at_end_) options_.on_progress(offset_, size_);
  co_return absl::OkStatus();
}

Task<absl::StatusOr<size_t>> Copier::CopyByHand(size_t most) {
  buffer_.resize(kBufferBytes);
  const std::span<std::byte> room =
      std::span(buffer_).first(std::min(most, kBufferBytes));
  const absl::StatusOr<size_t> n = co_await from_.ReadAt(room, offset_);
  if (!n.ok() || *n == 0) co_return n;
  const absl::Status written = co_await to_.WriteAllAt(room.first(*n), offset_);
  if (!written.ok()) co_return written;
  co_return n;
}

absl::Status Copier::Fail(int errnum) const {
  return ErrnoToStatus(
      errnum, absl::StrCat("copy of ", from_.path(), " to ", to_.path(),
                           " at offset ", offset_));
}

// A new file beside `path`, whose name is in `name`.
Task<absl::StatusOr<File>> MakeBeside(std::string path, mode_t mode,
                                      std::string& name) {
  OpenOptions options = OpenOptions::ForWriting();
  options.create_new = true;
  options.mode = mode;
  name = internal::NameBeside(path);
  absl::StatusOr<File> file = co_await File::Open(name, options);
  for (int i = 0; i < internal::kMostNames && ErrnoOf(file.status()) == EEXIST;
       ++i) {
    name = internal::NameBeside(path);
    file = co_await File::Open(name, options);
  }
  co_return file;
}

// Content and attributes; then it is closed.
Task<absl::Status> Fill(File& from, const FileInfo& info, File& to,
                        const CopyOptions& options) {
  if (options.on_progress) options.on_progress(0, info.size);
  Copier copier(from, to, info.size, options);
  Task<absl::Status> copy = copier.Run();
  absl::Status status = co_await std::move(copy);
  if (status.ok() && options.keep_permissions)
    status = co_await to.SetPermissions(info.permissions);
  if (status.ok() && options.keep_times) {
    FileTimes times;
    times.modified = info.modified;
    times.accessed = info.accessed;
    status = co_await to.SetTimes(times);
  }
  if (status.ok() && options.durable) status = co_await to.Sync();
  if (!status.ok()) co_return status;
  co_return co_await to.Close();
}

Task<absl::Status> MoveInto(std::string name, std::string to,
                            bool must_be_new) {
  if (must_be_new) co_return co_await RenameUnlessThere(name, to);
  co_return co_await Rename(name, to);
}

Task<absl::Status> SyncDirectoryOf(std::string path) {
  OpenOptions options;
  options.directory = true;
  absl::StatusOr<File> directory =
      co_await File::Open(internal::DirectoryOf(path), options);
  if (!directory.ok()) co_return directory.status();
  co_return co_await directory->Sync();
}

Task<absl::Status> CopyThroughTheLoop(const std::string& from,
                                      const std::string& to,
                                      const CopyOptions& options) {
  absl::StatusOr<File> source = co_await File::Open(from);
  if (!source.ok()) co_return source.status();
  const absl::StatusOr<FileInfo> info = co_await source->Stat();
  if (!info.ok()) co_return info.status();
  if (info->is_directory())
    co_return ErrnoToStatus(EISDIR, absl::StrCat("copy of ", from));
  const absl::StatusOr<FileInfo> there = co_await Stat(to);
  const bool same = there.ok() && there->inode == info->inode &&
                    there->device == info->device;
  if (there.ok() && options.must_be_new)
    co_return ErrnoToStatus(EEXIST, absl::StrCat("copy of ", from, " to ", to));
  if (same) co_return absl::OkStatus();

  std::string name;
  const mode_t mode = options.keep_permissions ? 0600 : options.mode;
  Task<absl::StatusOr<File>> make = MakeBeside(to, mode, name);
  absl::StatusOr<File> target = co_await std::move(make);
  if (!target.ok()) co_return target.status();
  Task<absl::Status> step = Fill(*source, *info, *target, options);
  absl::Status status = co_await std::move(step);
  if (status.ok()) {
    step = MoveInto(name, to, options.must_be_new);
    status = co_await std::move(step);
  }
  if (!status.ok()) {
    Shield shield;  // the cancel that it ended with must not end this
    (co_await RemoveFile(name)).IgnoreError();
    co_return status;
  }
  if (!options.durable) co_return absl::OkStatus();
  step = SyncDirectoryOf(to);
  co_return co_await std::move(step);
}

// The sizes of those that have been copied. Nothing is if copies are durable,
// and so wait for the disk anyway, or must replace nothing.
Task<std::vector<std::optional<int64_t>>> CopySmallOnes(
    const std::vector<CopyNames>& files, const CopyOptions& options) {
  TaskContext& task = Executor::RunningTask("a copy");
  std::vector<std::optional<int64_t>> none(files.size());
  if (options.durable || options.must_be_new || task.cancelled() ||
      !task.loop().backend().info().is_kernel)
    co_return none;
  Shield shield;  // what a thread has begun ends, before this does
  absl::StatusOr<std::vector<std::optional<int64_t>>> sizes =
      co_await RunBlocking(
          &internal::CopySmallFiles,
          internal::SmallCopies{files, options.keep_permissions, options.mode,
                                options.keep_times});
  co_return sizes.ok() ? *std::move(sizes) : none;
}

}  // namespace

Task<std::vector<absl::Status>> CopyFiles(std::vector<CopyNames> files,
                                          CopyOptions options) {
  Task<std::vector<std::optional<int64_t>>> copy_small =
      CopySmallOnes(files, options);
  const std::vector<std::optional<int64_t>> sizes =
      co_await std::move(copy_small);
  std::vector<absl::Status> results(files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    if (sizes[i].has_value()) {
      if (!options.on_progress) continue;
      options.on_progress(0, *sizes[i]);
      options.on_progress(*sizes[i], *sizes[i]);
    } else {
      Task<absl::Status> copy =
          CopyThroughTheLoop(files[i].from, files[i].to, options);
      results[i] = co_await std::move(copy);
    }
  }
  co_return results;
}

Task<absl::Status> CopyFile(std::string from, std::string to,
                            CopyOptions options) {
  std::vector<CopyNames> one;
  one.push_back({std::move(from), std::move(to)});
  Task<std::vector<absl::Status>> copy =
      CopyFiles(std::move(one), std::move(options));
  const std::vector<absl::Status> results = co_await std::move(copy);
  co_return results.front();
}

}  // namespace ringway::fs
