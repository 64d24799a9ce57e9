// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/whole_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/shield.h"
#include "ringway/fs/file.h"
#include "ringway/fs/path_names.h"
#include "ringway/fs/path_ops.h"

namespace ringway::fs {
namespace {

using internal::DirectoryOf;
using internal::NameBeside;

// Of one read of a file whose size says nothing, as those of /proc.
constexpr size_t kLeastRead = 4096;

std::span<std::byte> BytesOf(std::string& text) {
  return std::as_writable_bytes(std::span(text));
}

Task<absl::Status> WriteNew(File& file, const std::string& content,
                            bool durable) {
  absl::Status status =
      co_await file.WriteAll(std::as_bytes(std::span(content)));
  if (!status.ok()) co_return status;
  // The name must not become durable before the content.
  if (durable) {
    status = co_await file.Sync();
  } else {
    status = co_await file.SyncData();
  }
  if (!status.ok()) co_return status;
  co_return co_await file.Close();
}

Task<absl::Status> SyncDirectory(std::string path) {
  OpenOptions options;
  options.directory = true;
  absl::StatusOr<File> directory = co_await File::Open(path, options);
  if (!directory.ok()) co_return directory.status();
  co_return co_await directory->Sync();
}

}  // namespace

Task<absl::StatusOr<std::string>> ReadFile(std::string path, size_t limit) {
  absl::StatusOr<File> file = co_await File::Open(path);
  if (!file.ok()) co_return file.status();
  const absl::StatusOr<FileInfo> info = co_await file->Stat();
  if (!info.ok()) co_return info.status();
  std::string content;
  size_t n_bytes = 0;
  // One byte more than it should have shows its end.
  size_t next = std::max(static_cast<size_t>(info->size) + 1, kLeastRead);
  while (true) {
    if (next > limit - n_bytes) next = limit - n_bytes + 1;
    content.resize(n_bytes + next);
    const absl::StatusOr<size_t> n =
        co_await file->Read(BytesOf(content).subspan(n_bytes));
    if (!n.ok()) co_return n.status();
    if (*n == 0) break;
    n_bytes += *n;
    if (n_bytes > limit) {
      co_return absl::ResourceExhaustedError(
          absl::StrCat(path, " has more than ", limit, " bytes"));
    }
    next = std::max(n_bytes, kLeastRead);
  }
  content.resize(n_bytes);
  co_return content;
}

Task<absl::Status> WriteFileAtomically(std::string path, std::string content,
                                       WriteFileOptions options) {
  OpenOptions open = OpenOptions::ForWriting();
  open.create_new = true;
  open.mode = options.mode;
  std::string beside = NameBeside(path);
  absl::StatusOr<File> file = co_await File::Open(beside, open);
  for (int i = 0; i < internal::kMostNames && ErrnoOf(file.status()) == EEXIST;
       ++i) {
    beside = NameBeside(path);
    file = co_await File::Open(beside, open);
  }
  if (!file.ok()) co_return file.status();
  Task<absl::Status> write = WriteNew(*file, content, options.durable);
  absl::Status status = co_await std::move(write);
  if (status.ok()) status = co_await Rename(beside, path);
  if (!status.ok()) {
    Shield shield;  // the cancel that it ended with must not end this
    (co_await RemoveFile(beside)).IgnoreError();
    co_return status;
  }
  if (!options.durable) co_return absl::OkStatus();
  Task<absl::Status> sync = SyncDirectory(DirectoryOf(path));
  co_return co_await std::move(sync);
}

Task<absl::Status> MakeDirectories(std::string path, mode_t mode) {
  absl::Status made = co_await MakeDirectory(path, mode);
  if (ErrnoOf(made) == ENOENT) {
    const std::string parent = DirectoryOf(path);
    if (parent == path || parent == ".") co_return made;
    Task<absl::Status> above = MakeDirectories(parent, mode);
    const absl::Status there = co_await std::move(above);
    if (!there.ok()) co_return there;
    made = co_await MakeDirectory(path, mode);
  }
  if (ErrnoOf(made) != EEXIST) co_return made;
  const absl::StatusOr<FileInfo> info = co_await Stat(path);
  if (!info.ok()) co_return info.status();
  co_return info->is_directory() ? absl::OkStatus() : made;
}

}  // namespace ringway::fs
