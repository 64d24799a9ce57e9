// SPDX-License-Identifier: Apache-2.0
//
// CopyFile, CopyFiles: copy the content of files, holes included.
//
//   absl::Status copied = co_await fs::CopyFile("data", "data.bak");

#ifndef RINGWAY_FS_COPYING_COPY_FILE_H_
#define RINGWAY_FS_COPYING_COPY_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/copying/copy_small_files.h"

namespace ringway::fs {

struct CopyOptions {
  CopyOptions() {}

  // The copy has the original's permissions; else `mode` less the process's
  // umask.
  bool keep_permissions = true;
  mode_t mode = 0666;
  // The copy has the original's times.
  bool keep_times = false;
  // EEXIST if something has the name already; else it is replaced.
  bool must_be_new = false;
  // It ends when the copy and its name survive a crash of the machine.
  bool durable = false;
  // Called with 0 when a file begins, and after each part, at most 4 MiB, with
  // the offset that has been reached, holes included, and the size of the file.
  // Must not block.
  std::function<void(int64_t reached, int64_t size)> on_progress;
};

// Gives `to` the content of `from`: whoever opens `to` finds what was there
// before or the whole copy. Writes a file with another name in the same
// directory and renames it; a symbolic link `to` is replaced itself. Copying a
// file to itself does nothing.
//
// The kernel copies (copy_file_range(2)), which shares the blocks where the
// file system can; otherwise the bytes go through 128 KiB of memory. What is
// appended to `from` meanwhile may be missing. A thread of the executor's
// blocking pool copies a file of at most 64 KiB as a whole, if the copy may
// replace something and need not be durable.
//
// Errors:       those of opening, reading and writing, with path and offset;
//               EISDIR for a directory. Then `to` is as it was, and the other
//               file removed. If only the directory could not be synced, `to`
//               is new already.
// Ownership:    paths are copied.
// Cancellation: before the rename it removes what it has written; what a thread
//               copies as a whole ends by itself, and is the result.
Task<absl::Status> CopyFile(std::string from, std::string to,
                            CopyOptions options = CopyOptions());

// CopyFile() of one after another, but a thread copies all that are small at
// once, which is several times faster than one by one.
//
// Result: a status for each, in their order.
Task<std::vector<absl::Status>> CopyFiles(std::vector<CopyNames> files,
                                          CopyOptions options = CopyOptions());

}  // namespace ringway::fs

#endif  // RINGWAY_FS_COPYING_COPY_FILE_H_
