// SPDX-License-Identifier: Apache-2.0
//
// RemoveAll: removes a file, or a directory with everything below it.
//
// It never leaves the directory: each level is opened by its name in the open
// directory above it (O_NOFOLLOW), and names are removed in open directories.
// So a symbolic link is removed itself, also one that takes the place of a
// directory at any moment. At most 34 fds, however deep it goes: what lies
// deeper is moved up first.

#ifndef RINGWAY_FS_DIRECTORY_REMOVE_ALL_H_
#define RINGWAY_FS_DIRECTORY_REMOVE_ALL_H_

#include <string>

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"

namespace ringway::fs {

// Removes what has the name `path`. OK if there is nothing.
//
// Errors:       the first errno, naming what could not be removed: EACCES,
//               EBUSY (a mount point), ENOTEMPTY if others go on filling it;
//               the rest then stays. InvalidArgument for "/", ".", ".." and a
//               NUL byte; Cancelled.
// Ownership:    the path is copied.
// Cancellation: what was removed stays removed.
// Cost:         an operation for each name.
Task<absl::Status> RemoveAll(std::string path);

namespace internal {

// The same for `name` in the open directory `parent`, which must stay open.
// Messages call it `shown`.
Task<absl::Status> RemoveTree(int parent, std::string name, std::string shown);

}  // namespace internal
}  // namespace ringway::fs

#endif  // RINGWAY_FS_DIRECTORY_REMOVE_ALL_H_
