// SPDX-License-Identifier: Apache-2.0
//
// Directory: an open directory, and operations on names in it that never leave
// it. For servers that get paths from others: neither "..", an absolute path
// nor a symbolic link leads out, not even one that is put there meanwhile.
//
//   absl::StatusOr<fs::Directory> root = co_await fs::Directory::Open("www");
//   absl::StatusOr<fs::File> file = co_await root->OpenFile(path_from_client);

#ifndef RINGWAY_FS_DIRECTORY_DIRECTORY_H_
#define RINGWAY_FS_DIRECTORY_DIRECTORY_H_

#include <sys/types.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/directory/directory_reader.h"
#include "ringway/fs/file.h"
#include "ringway/fs/file_info.h"
#include "ringway/fs/open_options.h"

namespace ringway::fs {

// Move-only; may outlive its loop, whose end closes it.
//
// Threads: the loop's only (checked), except for moving it.
class Directory {
 public:
  // Opens `path`, which may be anywhere, and lead through links.
  //
  // Errors: those of File::Open(); ENOTDIR.
  static Task<absl::StatusOr<Directory>> Open(std::string path);
  // Takes over an open directory.
  static Directory Of(File directory) {
    return Directory(std::move(directory));
  }

  Directory(Directory&&) noexcept = default;
  Directory& operator=(Directory&&) noexcept = default;

  // --- All that follow take paths relative to the directory, of any depth.
  // Links in them are followed as long as they stay below it; slashes at the
  // end are ignored.
  //
  // Errors:       EXDEV for a path that leads out; the errno of the call,
  //               naming the path below that of this directory, or both of two;
  //               InvalidArgument for a NUL byte, or where ".", ".." or "" has
  //               no meaning; Unimplemented before Linux 5.6;
  //               FailedPrecondition once it is closed or moved from;
  //               Cancelled.
  // Ownership:    paths are copied. This object must outlive the await.
  // Cancellation: an operation that the file system has begun ends by itself;
  //               then its result is kept.
  // Cost:         an operation, and one more for a path of several parts.

  Task<absl::StatusOr<File>> OpenFile(std::string path,
                                      OpenOptions options = OpenOptions());
  Task<absl::StatusOr<Directory>> OpenDirectory(std::string path);
  // The entries of the directory, or of one below it.
  Task<absl::StatusOr<DirectoryReader>> Read(std::string path = ".");

  // What `path` is, or links to; StatLink(): the link itself.
  Task<absl::StatusOr<FileInfo>> Stat(std::string path);
  Task<absl::StatusOr<FileInfo>> StatLink(std::string path);
  // The text of a symbolic link, which may be anything.
  Task<absl::StatusOr<std::string>> ReadLink(std::string path);

  // Renames, and replaces what has the name `to`, at once.
  Task<absl::Status> Rename(std::string from, std::string to);
  // The same with a path in another directory, which must outlive the await.
  Task<absl::Status> RenameInto(std::string from, Directory& other,
                                std::string to);
  // A symbolic link is removed itself.
  Task<absl::Status> RemoveFile(std::string path);
  Task<absl::Status> RemoveDirectory(std::string path);
  // With all that is below it (remove_all.h).
  Task<absl::Status> RemoveAll(std::string path);
  // `mode` less the process's umask.
  Task<absl::Status> MakeDirectory(std::string path, mode_t mode = 0777);
  // One more name of a file. A symbolic link gets it itself.
  Task<absl::Status> Link(std::string existing, std::string path);
  // `target` is any text; only following the link is confined.
  Task<absl::Status> Symlink(std::string target, std::string path);

  // Makes the names in it durable: of files that were made, renamed, removed.
  SyncOp Sync() { return file_.Sync(); }
  CloseOp Close() { return file_.Close(); }

  // For calls of one's own; -1 once it is closed.
  int fd() const { return file_.fd(); }
  const std::string& path() const { return file_.path(); }

 private:
  explicit Directory(File file) : file_(std::move(file)) {}

  internal::FileCore* core() { return file_.core_.get(); }

  File file_;
};

}  // namespace ringway::fs

#endif  // RINGWAY_FS_DIRECTORY_DIRECTORY_H_
