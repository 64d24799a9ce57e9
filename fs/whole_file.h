// SPDX-License-Identifier: Apache-2.0
//
// ReadFile, WriteFileAtomically: the whole content of a file in one call.
//
//   absl::StatusOr<std::string> text = co_await fs::ReadFile(path, 1 << 20);
//   absl::Status saved = co_await fs::WriteFileAtomically("state", state);

#ifndef RINGWAY_FS_WHOLE_FILE_H_
#define RINGWAY_FS_WHOLE_FILE_H_

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"

namespace ringway::fs {

// The content of `path`, whatever kind of file it is, /proc included.
//
// Errors: those of File::Open() and Read(); ResourceExhausted naming the path
//         if there are more than `limit` bytes.
Task<absl::StatusOr<std::string>> ReadFile(std::string path, size_t limit);

struct WriteFileOptions {
  WriteFileOptions() {}

  // Of the new file, less the process's umask; an old one's do not count.
  mode_t mode = 0666;
  // It ends when the content and the name survive a crash of the machine.
  // Without it the name need not: a crash leaves the old content or the new
  // one.
  bool durable = true;
};

// Gives `path` this content: readers see all of the old one or all of the new
// one, also after a crash. Writes a file with another name in the same
// directory and renames it.
//
// Errors:       those of opening, writing, syncing and renaming, naming the
//               path; then `path` is as it was, and the other file removed. If
//               only the directory could not be synced, `path` is new already.
// Ownership:    `content` is moved in.
// Cancellation: before the rename it removes what it has written; afterwards
//               the content is new, but may not be durable yet.
Task<absl::Status> WriteFileAtomically(
    std::string path, std::string content,
    WriteFileOptions options = WriteFileOptions());

// Makes the directory `path` and those above it that do not exist. OK if it is
// there already.
Task<absl::Status> MakeDirectories(std::string path, mode_t mode = 0777);

}  // namespace ringway::fs

#endif  // RINGWAY_FS_WHOLE_FILE_H_
