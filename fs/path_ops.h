// SPDX-License-Identifier: Apache-2.0
//
// Operations on names: rename, link, remove and make files and directories.
//
//   absl::Status renamed = co_await fs::Rename("new.conf", "app.conf");
//
// All of them:
//
// Errors:       the errno of the call, naming it and the paths; InvalidArgument
//               for a path with a NUL byte; Cancelled.
// Ownership:    paths are copied.
// Cancellation: an operation that the file system has begun ends by itself;
//               then its result is kept.
// Threads:      a task's.
// Cost:         an allocation for each path. On epoll a helper thread waits.

#ifndef RINGWAY_FS_PATH_OPS_H_
#define RINGWAY_FS_PATH_OPS_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include <array>
#include <coroutine>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/fs/file_info.h"

namespace ringway::fs {

namespace internal {

// A path for a call, and what messages call it if that is something else.
struct NamedPath {
  // Mostly they are the same.
  NamedPath(std::string p)  // NOLINT(google-explicit-*)
      : path(std::move(p)) {}
  NamedPath(std::string p, std::string s)
      : path(std::move(p)), shown(std::move(s)) {}

  const std::string& name() const { return shown.empty() ? path : shown; }

  std::string path;
  std::string shown;
};

// An operation with one or two paths, which it keeps.
class PathOp : public OperationAwait {
 public:
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    if (has_nul_) return leaf.promise().task().SkipWait(leaf);
    return OperationAwait::await_suspend(leaf);
  }
  absl::Status await_resume() const { return Status(); }

  // `call`: "rename of". `second` is empty where there is no second path.
  PathOp(const char* call, NamedPath first,
         NamedPath second = NamedPath(std::string()));

  const char* first() const { return first_.path.c_str(); }
  const char* second() const { return second_.path.c_str(); }

 protected:
  absl::Status Status() const;

 private:
  static std::string Describe(const Suspension& suspension);
  std::string What() const;

  const char* const call_;
  const NamedPath first_;
  const NamedPath second_;
  const bool has_nul_;
};

class StatPathOp : public PathOp {
 public:
  StatPathOp(int directory, NamedPath path, int flags);
  absl::StatusOr<FileInfo> await_resume() const;

 private:
  struct statx info_ = {};
};

}  // namespace internal

class [[nodiscard]] RenameOp : public internal::PathOp {
 public:
  RenameOp(int from_directory, internal::NamedPath from, int to_directory,
           internal::NamedPath to, unsigned flags);
};
class [[nodiscard]] RemoveOp : public internal::PathOp {
 public:
  RemoveOp(int directory, internal::NamedPath path, bool is_directory);
};
class [[nodiscard]] MakeDirectoryOp : public internal::PathOp {
 public:
  MakeDirectoryOp(int directory, internal::NamedPath path, mode_t mode);
};
class [[nodiscard]] LinkOp : public internal::PathOp {
 public:
  LinkOp(int from_directory, internal::NamedPath existing, int to_directory,
         internal::NamedPath path);
};
class [[nodiscard]] SymlinkOp : public internal::PathOp {
 public:
  SymlinkOp(std::string target, int directory, internal::NamedPath path);
};
class [[nodiscard]] ReadLinkOp : public internal::PathOp {
 public:
  ReadLinkOp(int directory, internal::NamedPath path);
  absl::StatusOr<std::string> await_resume();

 private:
  std::string target_;
};
class [[nodiscard]] SetPermissionsOp : public internal::PathOp {
 public:
  SetPermissionsOp(int directory, internal::NamedPath path, mode_t permissions);
};
class [[nodiscard]] SetOwnerOp : public internal::PathOp {
 public:
  SetOwnerOp(int directory, internal::NamedPath path, uid_t uid, gid_t gid,
             int flags);
};
class [[nodiscard]] SetTimesOp : public internal::PathOp {
 public:
  SetTimesOp(int directory, internal::NamedPath path, const FileTimes& times,
             int flags);

 private:
  const std::array<timespec, 2> times_;
};
class [[nodiscard]] StatOfPathOp : public internal::StatPathOp {
 public:
  using StatPathOp::StatPathOp;
};

// Renames, and replaces what has the name `to`, at once: whoever opens that
// name finds the one or the other.
inline RenameOp Rename(std::string from, std::string to) {
  return RenameOp(AT_FDCWD, std::move(from), AT_FDCWD, std::move(to), 0);
}
// The same, but EEXIST if something has the name `to`. EINVAL where the file
// system has no such call.
inline RenameOp RenameUnlessThere(std::string from, std::string to) {
  return RenameOp(AT_FDCWD, std::move(from), AT_FDCWD, std::move(to),
                  RENAME_NOREPLACE);
}

// Removes the name of a file; its content stays while it is open, or has other
// names. A symbolic link is removed itself. EISDIR for a directory.
inline RemoveOp RemoveFile(std::string path) {
  return RemoveOp(AT_FDCWD, std::move(path), /*is_directory=*/false);
}
// Removes an empty directory: ENOTEMPTY otherwise.
inline RemoveOp RemoveDirectory(std::string path) {
  return RemoveOp(AT_FDCWD, std::move(path), /*is_directory=*/true);
}

// `mode` less the process's umask.
inline MakeDirectoryOp MakeDirectory(std::string path, mode_t mode = 0777) {
  return MakeDirectoryOp(AT_FDCWD, std::move(path), mode);
}

// Gives the file `existing` one more name. A symbolic link gets it itself.
inline LinkOp Link(std::string existing, std::string path) {
  return LinkOp(AT_FDCWD, std::move(existing), AT_FDCWD, std::move(path));
}
// Makes a symbolic link to `target`, which is any text.
inline SymlinkOp Symlink(std::string target, std::string path) {
  return SymlinkOp(std::move(target), AT_FDCWD, std::move(path));
}

// What `path` is, or what it links to; StatLink(): the link itself.
inline StatOfPathOp Stat(std::string path) {
  return StatOfPathOp(AT_FDCWD, std::move(path), 0);
}
inline StatOfPathOp StatLink(std::string path) {
  return StatOfPathOp(AT_FDCWD, std::move(path), AT_SYMLINK_NOFOLLOW);
}

// The text of a symbolic link: EINVAL for anything else.
inline ReadLinkOp ReadLink(std::string path) {
  return ReadLinkOp(AT_FDCWD, std::move(path));
}

// The lower twelve bits of the mode, as they are given: no umask.
inline SetPermissionsOp SetPermissions(std::string path, mode_t permissions) {
  return SetPermissionsOp(AT_FDCWD, std::move(path), permissions);
}
// Of what `path` is, or links to; SetLinkOwner(): of the link itself. An id of
// -1 stays as it is. EPERM without the privilege to give files away.
inline SetOwnerOp SetOwner(std::string path, uid_t uid, gid_t gid) {
  return SetOwnerOp(AT_FDCWD, std::move(path), uid, gid, 0);
}
inline SetOwnerOp SetLinkOwner(std::string path, uid_t uid, gid_t gid) {
  return SetOwnerOp(AT_FDCWD, std::move(path), uid, gid, AT_SYMLINK_NOFOLLOW);
}
// Of what `path` is, or links to; SetLinkTimes(): of the link itself.
inline SetTimesOp SetTimes(std::string path, const FileTimes& times) {
  return SetTimesOp(AT_FDCWD, std::move(path), times, 0);
}
inline SetTimesOp SetLinkTimes(std::string path, const FileTimes& times) {
  return SetTimesOp(AT_FDCWD, std::move(path), times, AT_SYMLINK_NOFOLLOW);
}

}  // namespace ringway::fs

#endif  // RINGWAY_FS_PATH_OPS_H_
