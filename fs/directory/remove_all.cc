// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/directory/remove_all.h"

#include <fcntl.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/fs/directory/directory_reader.h"
#include "ringway/fs/file.h"
#include "ringway/fs/path_names.h"
#include "ringway/fs/path_ops.h"

namespace ringway::fs {
namespace {

// Directories that are open at a time.
constexpr size_t kMostLevels = 32;
// How often a name may change between a file and a directory, or a directory
// that was emptied be filled again, before it is given up.
constexpr int kMostTries = 1'000;

// A directory that is being emptied.
struct Level {
  Level(DirectoryReader r, std::string n)
      : reader(std::move(r)), name(std::move(n)) {}

  DirectoryReader reader;
  std::string name;  // in the level above
  int tries_left = kMostTries;
};

class Remover {
 public:
  Remover(int parent, std::string shown)
      : parent_(parent), shown_(std::move(shown)) {}

  Task<absl::Status> Run(std::string name);

 private:
  // Removes a name in the lowest level, or begins to empty it, as a level of
  // its own.
  Task<absl::Status> Remove(std::string name, FileType type);
  // The end of the lowest level was reached.
  Task<absl::Status> Leave();
  Task<absl::StatusOr<DirectoryReader>> Open(int directory, std::string name);
  // Moves a directory up to the first level. False if it cannot be.
  Task<bool> MoveUp(std::string name);

  int lowest() const {
    return levels_.empty() ? parent_ : levels_.back().reader.fd();
  }
  absl::Status Fail(const absl::Status& why, const std::string& name) const;

  const int parent_;
  const std::string shown_;
  std::vector<Level> levels_;
  uint64_t n_moved_ = 0;
};

bool IsNotThere(const absl::Status& status) {
  return ErrnoOf(status) == ENOENT;
}

// What unlink(2) of a directory returns; POSIX has EPERM.
bool MayBeDirectory(const absl::Status& status) {
  return ErrnoOf(status) == EISDIR || ErrnoOf(status) == EPERM;
}

// What opening a name as a directory returns for a file or a link.
bool IsNoDirectory(const absl::Status& status) {
  return ErrnoOf(status) == ENOTDIR || ErrnoOf(status) == ELOOP;
}

Task<absl::Status> Remover::Run(std::string name) {
  Task<absl::Status> step = Remove(std::move(name), FileType::kUnknown);
  absl::Status status = co_await std::move(step);
  while (status.ok() && !levels_.empty()) {
    absl::StatusOr<std::optional<DirectoryEntry>> entry =
        co_await levels_.back().reader.Next();
    if (!entry.ok()) co_return entry.status();
    step = entry->has_value()
               ? Remove(std::move((*entry)->name), (*entry)->type)
               : Leave();
    status = co_await std::move(step);
  }
  co_return status;
}

Task<absl::Status> Remover::Remove(std::string name, FileType type) {
  for (int i = 0; i < kMostTries; ++i) {
    absl::Status removed;
    if (type != FileType::kDirectory || i > 0) {
      removed = co_await RemoveOp(lowest(), name, /*is_directory=*/false);
      if (removed.ok() || IsNotThere(removed)) co_return absl::OkStatus();
      if (!MayBeDirectory(removed)) co_return Fail(removed, name);
    }
    if (levels_.size() >= kMostLevels) {
      Task<bool> move = MoveUp(name);
      if (co_await std::move(move)) co_return absl::OkStatus();
    }
    Task<absl::StatusOr<DirectoryReader>> open = Open(lowest(), name);
    absl::StatusOr<DirectoryReader> reader = co_await std::move(open);
    if (reader.ok()) {
      levels_.emplace_back(*std::move(reader), std::move(name));
      co_return absl::OkStatus();
    }
    if (IsNotThere(reader.status())) co_return absl::OkStatus();
    // A file that may not be removed, or one that took the directory's place.
    const bool again = IsNoDirectory(reader.status());
    if (again && ErrnoOf(removed) == EPERM) co_return Fail(removed, name);
    if (!again) co_return Fail(reader.status(), name);
  }
  co_return Fail(ErrnoToStatus(EAGAIN, ""), name);
}

Task<absl::Status> Remover::Leave() {
  Level level = std::move(levels_.back());
  levels_.pop_back();
  const absl::Status removed =
      co_await RemoveOp(lowest(), level.name, /*is_directory=*/true);
  if (removed.ok() || IsNotThere(removed)) co_return absl::OkStatus();
  const int errnum = ErrnoOf(removed);
  const bool refilled = errnum == ENOTEMPTY || errnum == EEXIST;
  if (--level.tries_left == 0 || (!refilled && errnum != ENOTDIR))
    co_return Fail(removed, level.name);
  // Whatever has the name now.
  const size_t n_levels = levels_.size();
  Task<absl::Status> again =
      Remove(level.name, refilled ? FileType::kDirectory : FileType::kUnknown);
  const absl::Status status = co_await std::move(again);
  if (levels_.size() > n_levels) levels_.back().tries_left = level.tries_left;
  co_return status;
}

Task<absl::StatusOr<DirectoryReader>> Remover::Open(int directory,
                                                    std::string name) {
  OpenOptions options;
  options.directory = true;
  options.follow_link = false;
  absl::StatusOr<File> file =
      co_await OpenOp(directory, std::move(name), options);
  if (!file.ok()) co_return file.status();
  co_return DirectoryReader::Of(*std::move(file));
}

// The first level finds it there when it is read again, because it is not empty
// at its end.
Task<bool> Remover::MoveUp(std::string name) {
  for (int i = 0; i < internal::kMostNames; ++i) {
    const absl::Status moved = co_await RenameOp(
        lowest(), name, levels_.front().reader.fd(),
        absl::StrCat(".removed.", ++n_moved_), RENAME_NOREPLACE);
    if (ErrnoOf(moved) == EEXIST) continue;
    // Each time round, the first level has gained as much as it lost.
    if (moved.ok()) levels_.front().tries_left = kMostTries;
    co_return moved.ok();
  }
  co_return false;
}

absl::Status Remover::Fail(const absl::Status& why,
                           const std::string& name) const {
  if (ErrnoOf(why) == 0) return why;  // Cancelled, no memory
  std::string path = shown_;
  for (size_t i = 1; i < levels_.size(); ++i)
    absl::StrAppend(&path, "/", levels_[i].name);
  if (!levels_.empty()) absl::StrAppend(&path, "/", name);
  return ErrnoToStatus(ErrnoOf(why), absl::StrCat("removal of ", path));
}

}  // namespace

Task<absl::Status> internal::RemoveTree(int parent, std::string name,
                                        std::string shown) {
  Remover remover(parent, std::move(shown));
  Task<absl::Status> run = remover.Run(std::move(name));
  co_return co_await std::move(run);
}

Task<absl::Status> RemoveAll(std::string path) {
  internal::PathParts parts = internal::SplitPath(path);
  if (internal::HasNul(path) || !internal::IsProperName(parts.name)) {
    co_return absl::InvalidArgumentError(
        absl::StrCat("removal of '", path, "'"));
  }
  OpenOptions options;
  options.directory = true;
  absl::StatusOr<File> parent =
      co_await File::Open(internal::DirectoryOf(path), options);
  if (IsNotThere(parent.status())) co_return absl::OkStatus();
  if (!parent.ok()) co_return parent.status();
  Task<absl::Status> remove =
      internal::RemoveTree(parent->fd(), std::move(parts.name), path);
  co_return co_await std::move(remove);
}

}  // namespace ringway::fs
