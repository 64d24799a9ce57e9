// SPDX-License-Identifier: Apache-2.0
//
// ReadDirectory: the entries of a directory, one after the other.
//
//   absl::StatusOr<fs::DirectoryReader> reader =
//       co_await fs::ReadDirectory("spool");
//   while (true) {
//     absl::StatusOr<std::optional<fs::DirectoryEntry>> entry =
//         co_await reader->Next();
//     if (!entry.ok()) co_return entry.status();
//     if (!entry->has_value()) break;  // the end
//     Use((*entry)->name);
//   }
//
// Directories of any size: 32 KiB of entries are in memory at a time.

#ifndef RINGWAY_FS_DIRECTORY_DIRECTORY_READER_H_
#define RINGWAY_FS_DIRECTORY_DIRECTORY_READER_H_

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/file_info.h"

namespace ringway::fs {

struct DirectoryEntry {
  DirectoryEntry() {}

  std::string name;  // in the directory, without its path
  // kUnknown also where the file system does not say it: Stat() does.
  FileType type = FileType::kUnknown;
  uint64_t inode = 0;
};

namespace internal {

// Entries as getdents64(2) has them, without "." and "..".
class EntryBuffer {
 public:
  std::span<std::byte> room() { return bytes_; }
  // `n_bytes` of entries are in room().
  void Fill(size_t n_bytes);
  bool empty() const { return begin_ == end_; }
  // Requires that it is not empty.
  DirectoryEntry Take();

  bool in_use = false;  // by a Next() that has not ended

 private:
  void SkipDots();

  size_t begin_ = 0;
  size_t end_ = 0;
  alignas(8) std::array<std::byte, 32 * 1024> bytes_;
};

}  // namespace internal

// DirectoryReader::Next().
class [[nodiscard]] NextEntryOp : public internal::FileOp {
 public:
  NextEntryOp(internal::FileCore* core,
              std::shared_ptr<internal::EntryBuffer> buffer);
  ~NextEntryOp();
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    if (usable() && !buffer_->empty())
      return leaf.promise().task().SkipWait(leaf);
    return FileOp::await_suspend(leaf);
  }
  absl::StatusOr<std::optional<DirectoryEntry>> await_resume();

 private:
  static void OnDone(Runnable& entry);
  // After the end of an operation: true if there is a next one.
  bool GoesOn();

  const std::shared_ptr<internal::EntryBuffer> buffer_;
};

// Move-only. May outlive its loop.
//
// Threads: the loop's only (checked), except for moving it.
class DirectoryReader {
 public:
  // Reads on from where `directory`, an open one, is.
  static DirectoryReader Of(File directory);

  DirectoryReader(DirectoryReader&&) noexcept = default;
  DirectoryReader& operator=(DirectoryReader&&) noexcept = default;

  // The next entry, or none at the end; "." and ".." are left out. In the order
  // of the file system. What is added or removed meanwhile may come or not;
  // everything else comes once.
  //
  // Errors:       EIO, naming the directory; FailedPrecondition once it was
  //               moved from; Cancelled.
  // Cancellation: two-phase; nothing is lost.
  // Cost:         a system call for some hundred entries; on every backend a
  //               helper thread makes it.
  // One at a time (checked).
  NextEntryOp Next() { return NextEntryOp(file_.core_.get(), buffer_); }

  // The directory, for openat(2) and its kin.
  int fd() const { return file_.fd(); }
  const std::string& path() const { return file_.path(); }

 private:
  explicit DirectoryReader(File directory);

  File file_;
  std::shared_ptr<internal::EntryBuffer> buffer_;
};

// Opens the directory `path` for reading its entries.
//
// Errors:       those of File::Open(): ENOENT, ENOTDIR, EACCES; Cancelled.
// Cancellation: two-phase; if it was opened first, it is the result.
Task<absl::StatusOr<DirectoryReader>> ReadDirectory(std::string path);

}  // namespace ringway::fs

#endif  // RINGWAY_FS_DIRECTORY_DIRECTORY_READER_H_
