// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/samples/copy/tree_copy.h"

#include <cerrno>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/errno_status.h"
#include "ringway/fs/directory/directory_reader.h"
#include "ringway/fs/path_ops.h"
#include "ringway/tools/samples/copy/file_content.h"
#include "ringway/tools/samples/copy/path_parts.h"

namespace ringway::copy {
namespace {

// Small files are copied in less time than it takes to start a task, and two
// threads that make files in one directory wait for each other.
constexpr size_t kFilesOfATask = 128;

fs::FileTimes TimesOf(const fs::FileInfo& info) {
  fs::FileTimes times;
  times.modified = info.modified;
  times.accessed = info.accessed;
  return times;
}

// True if `path` is `directory`, or lies below it. Both exist.
Task<bool> IsBelow(std::string path, fs::FileInfo directory) {
  while (true) {
    const absl::StatusOr<fs::FileInfo> info = co_await fs::Stat(path);
    if (!info.ok()) co_return false;
    if (info->inode == directory.inode && info->device == directory.device)
      co_return true;
    const absl::StatusOr<fs::FileInfo> above =
        co_await fs::Stat(Join(path, ".."));
    if (!above.ok() ||
        (above->inode == info->inode && above->device == info->device)) {
      co_return false;  // the root
    }
    path = Join(path, "..");
  }
}

}  // namespace

void TreeCopy::Fail(const absl::Status& status) {
  if (absl::IsCancelled(status)) {  // everything is
    cancelled_ = true;
    return;
  }
  ++counts_.failed;
  report_(status);
}

// A step of it that was cancelled is missing, whichever that was.
absl::Status TreeCopy::Ended() const {
  return cancelled_ ? CancelledStatus() : absl::OkStatus();
}

Task<absl::Status> TreeCopy::Run(std::string from, std::string to) {
  const absl::StatusOr<fs::FileInfo> info = co_await fs::Stat(from);
  if (!info.ok()) {
    Fail(info.status());
    co_return Ended();
  }
  const absl::StatusOr<fs::FileInfo> target = co_await fs::Stat(to);
  if (target.ok() && target->is_directory()) to = Join(to, NameOf(from));
  Task<void> copy = CopyTree(std::move(from), std::move(to), *info);
  co_await std::move(copy);
  co_return Ended();
}

Task<void> TreeCopy::CopyTree(std::string from, std::string to,
                              fs::FileInfo info) {
  if (info.is_directory()) {
    Task<bool> below = IsBelow(DirectoryOf(to), info);
    if (co_await std::move(below)) {
      Fail(absl::InvalidArgumentError(
          absl::StrCat(from, " cannot be copied into itself, to ", to)));
      co_return;
    }
  }
  TaskScope scope(static_cast<size_t>(settings_.n_at_a_time));
  if (info.is_directory()) {
    Task<void> copy =
        CopyDirectory(scope, std::move(from), std::move(to), info);
    co_await std::move(copy);
  } else {
    Task<void> copy =
        CopyEntry(scope, std::move(from), std::move(to), info.type);
    co_await std::move(copy);
  }
  Task<void> start = StartNext(scope);
  co_await std::move(start);
  const absl::Status joined = co_await scope.Join();
  if (!joined.ok()) {
    Fail(joined);
    co_return;
  }
  Task<void> finish = FinishDirectories();
  co_await std::move(finish);
}

Task<void> TreeCopy::CopyDirectory(TaskScope& scope, std::string from,
                                   std::string to, fs::FileInfo info) {
  // Only its owner may look into it before it is whole.
  const absl::Status made = co_await fs::MakeDirectory(to, 0700);
  if (!made.ok()) {
    const bool exists = ErrnoOf(made) == EEXIST;
    const absl::StatusOr<fs::FileInfo> there = co_await fs::StatLink(to);
    if (!exists || !there.ok() || !there->is_directory()) {
      Fail(made);
      co_return;
    }
  }
  made_.push_back({to, info});
  ++counts_.directories;
  Task<void> entries = CopyEntries(scope, from, to);
  co_await std::move(entries);
}

Task<void> TreeCopy::CopyEntries(TaskScope& scope, const std::string& from,
                                 const std::string& to) {
  Task<absl::StatusOr<fs::DirectoryReader>> open = fs::ReadDirectory(from);
  absl::StatusOr<fs::DirectoryReader> reader = co_await std::move(open);
  if (!reader.ok()) {
    Fail(reader.status());
    co_return;
  }
  while (true) {
    const absl::StatusOr<std::optional<fs::DirectoryEntry>> entry =
        co_await reader->Next();
    if (!entry.ok()) Fail(entry.status());
    if (!entry.ok() || !entry->has_value()) co_return;
    Task<void> copy = CopyEntry(scope, Join(from, (*entry)->name),
                                Join(to, (*entry)->name), (*entry)->type);
    co_await std::move(copy);
  }
}

Task<void> TreeCopy::CopyEntry(TaskScope& scope, std::string from,
                               std::string to, fs::FileType type) {
  if (type == fs::FileType::kRegular) {
    next_.push_back({std::move(from), std::move(to)});
    if (next_.size() < kFilesOfATask) co_return;
    Task<void> start = StartNext(scope);
    co_await std::move(start);
    co_return;
  }
  if (type == fs::FileType::kSymbolicLink) {
    Task<void> copy = CopyLink(std::move(from), std::move(to));
    co_await std::move(copy);
    co_return;
  }
  const absl::StatusOr<fs::FileInfo> info = co_await fs::StatLink(from);
  if (!info.ok()) {
    Fail(info.status());
  } else if (info->is_directory()) {
    Task<void> copy =
        CopyDirectory(scope, std::move(from), std::move(to), *info);
    co_await std::move(copy);
  } else if (type == fs::FileType::kUnknown &&
             info->type != fs::FileType::kUnknown) {
    Task<void> copy =
        CopyEntry(scope, std::move(from), std::move(to), info->type);
    co_await std::move(copy);
  } else {
    Fail(absl::UnimplementedError(absl::StrCat(
        from, " is neither a file, a directory nor a symbolic link")));
  }
}

Task<void> TreeCopy::StartNext(TaskScope& scope) {
  if (next_.empty()) co_return;
  Task<absl::Status> room = scope.WaitForRoom();
  const absl::Status admitted = co_await std::move(room);
  if (!admitted.ok()) {
    Fail(admitted);
    co_return;
  }
  scope.Spawn(CopyFiles(std::exchange(next_, {})), "copy").Detach();
}

Task<void> TreeCopy::CopyLink(std::string from, std::string to) {
  const absl::StatusOr<std::string> target = co_await fs::ReadLink(from);
  if (!target.ok()) {
    Fail(target.status());
    co_return;
  }
  absl::Status made = co_await fs::Symlink(*target, to);
  if (ErrnoOf(made) == EEXIST) {
    const absl::Status removed = co_await fs::RemoveFile(to);
    if (removed.ok()) made = co_await fs::Symlink(*target, to);
  }
  if (!made.ok()) {
    Fail(made);
    co_return;
  }
  ++counts_.links;
}

Task<void> TreeCopy::CopyFiles(std::vector<fs::CopyNames> files) {
  Task<std::vector<absl::Status>> copy = CopyContents(files);
  std::vector<absl::Status> results = co_await std::move(copy);
  for (size_t i = 0; i < files.size(); ++i) {
    if (results[i].ok() && settings_.verify) {
      Task<absl::Status> compare = CompareContent(files[i].from, files[i].to);
      results[i] = co_await std::move(compare);
    }
    if (results[i].ok()) {
      ++counts_.files;
    } else {
      Fail(results[i]);
    }
  }
}

Task<std::vector<absl::Status>> TreeCopy::CopyContents(
    const std::vector<fs::CopyNames>& files) {
  int64_t counted = 0;
  const auto count = [this, &counted](int64_t reached, int64_t) {
    if (reached == 0) counted = 0;  // the next file
    counts_.bytes += reached - counted;
    counted = reached;
  };
  if (settings_.direct) {
    std::vector<absl::Status> results;
    for (const fs::CopyNames& file : files) {
      count(0, 0);
      Task<absl::Status> copy =
          CopyDirectly(file.from, file.to, settings_.durable, count);
      results.push_back(co_await std::move(copy));
    }
    co_return results;
  }
  fs::CopyOptions options;
  options.keep_times = true;
  options.durable = settings_.durable;
  options.on_progress = count;
  Task<std::vector<absl::Status>> copy =
      fs::CopyFiles(files, std::move(options));
  co_return co_await std::move(copy);
}

// The deepest first: to fill a directory is to change it.
Task<void> TreeCopy::FinishDirectories() {
  for (; !made_.empty(); made_.pop_back()) {
    const Made& made = made_.back();
    absl::Status status =
        co_await fs::SetPermissions(made.path, made.original.permissions);
    if (status.ok())
      status = co_await fs::SetTimes(made.path, TimesOf(made.original));
    if (!status.ok()) Fail(status);
  }
}

Task<int64_t> BytesBelow(std::string path) {
  int64_t n_bytes = 0;
  std::vector<std::string> left = {std::move(path)};
  bool is_top = true;  // a link is followed there
  while (!left.empty()) {
    const std::string next = std::move(left.back());
    left.pop_back();
    const absl::StatusOr<fs::FileInfo> info =
        is_top ? co_await fs::Stat(next) : co_await fs::StatLink(next);
    is_top = false;
    if (!info.ok()) continue;
    if (info->is_regular()) n_bytes += info->size;
    if (!info->is_directory()) continue;
    Task<absl::StatusOr<fs::DirectoryReader>> open = fs::ReadDirectory(next);
    absl::StatusOr<fs::DirectoryReader> reader = co_await std::move(open);
    while (reader.ok()) {
      const absl::StatusOr<std::optional<fs::DirectoryEntry>> entry =
          co_await reader->Next();
      if (!entry.ok() || !entry->has_value()) break;
      left.push_back(Join(next, (*entry)->name));
    }
  }
  co_return n_bytes;
}

}  // namespace ringway::copy
