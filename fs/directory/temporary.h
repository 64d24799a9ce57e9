// SPDX-License-Identifier: Apache-2.0
//
// Temporary files and directories: removed when they are dropped, unless they
// are kept.
//
//   absl::StatusOr<fs::TemporaryFile> file =
//       co_await fs::MakeTemporaryFile("/var/tmp");
//   absl::Status written = co_await file->file().WriteAll(bytes);
//   co_await fs::Rename(file->path(), "result"); file->Keep();
//
// A drop removes in the background; where no task can run any more, at once, as
// at the end of the loop. A process that is killed leaves them: OpenOptions
// with O_TMPFILE have no name that could be left.

#ifndef RINGWAY_FS_DIRECTORY_TEMPORARY_H_
#define RINGWAY_FS_DIRECTORY_TEMPORARY_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"

namespace ringway::fs {

namespace internal {

// A name that is removed with this object.
class TemporaryName final : public LoopDependent {
 public:
  TemporaryName(Loop& loop, std::string path)
      : LoopDependent(loop), loop_(loop), path_(std::move(path)) {}
  ~TemporaryName() override;

  // Removes it in the background, if a task can still run.
  static void Drop(std::unique_ptr<TemporaryName> name);

  void Keep() { is_there_ = false; }
  const std::string& path() const { return path_; }

 private:
  void OnLoopEnd() override { RemoveNow(); }
  void RemoveNow();

  Loop& loop_;
  const std::string path_;
  bool is_there_ = true;
};

// What the handles have in common. Move-only.
class TemporaryHandle {
 public:
  TemporaryHandle(TemporaryHandle&&) noexcept = default;
  TemporaryHandle& operator=(TemporaryHandle&& other) noexcept;
  ~TemporaryHandle() { TemporaryName::Drop(std::move(name_)); }

  // Its path; empty once it was kept, removed or moved from.
  const std::string& path() const;
  // It stays.
  void Keep();
  // Removes it, with everything in it, and reports errors as RemoveAll() does.
  Task<absl::Status> Remove();

 protected:
  explicit TemporaryHandle(std::unique_ptr<TemporaryName> name)
      : name_(std::move(name)) {}

 private:
  std::unique_ptr<TemporaryName> name_;
};

}  // namespace internal

class TemporaryFile : public internal::TemporaryHandle {
 public:
  // Open for reading and writing.
  File& file() { return file_; }

 private:
  friend Task<absl::StatusOr<TemporaryFile>> MakeTemporaryFile(std::string,
                                                               std::string);
  TemporaryFile(std::unique_ptr<internal::TemporaryName> name, File file)
      : TemporaryHandle(std::move(name)), file_(std::move(file)) {}

  File file_;
};

class TemporaryDirectory : public internal::TemporaryHandle {
 private:
  friend Task<absl::StatusOr<TemporaryDirectory>> MakeTemporaryDirectory(
      std::string, std::string);
  using TemporaryHandle::TemporaryHandle;
};

// Makes a file (mode 0600) or a directory (0700) in `directory`, with a name
// that begins with a dot and `prefix`.
//
// Errors: those of File::Open() and MakeDirectory().
Task<absl::StatusOr<TemporaryFile>> MakeTemporaryFile(
    std::string directory, std::string prefix = "tmp");
Task<absl::StatusOr<TemporaryDirectory>> MakeTemporaryDirectory(
    std::string directory, std::string prefix = "tmp");

}  // namespace ringway::fs

#endif  // RINGWAY_FS_DIRECTORY_TEMPORARY_H_
