// SPDX-License-Identifier: Apache-2.0
//
// CopySmallFiles: copies small files by system calls, one after another, on a
// thread that may block. Internal.
//
// What a copy of a few bytes takes is the way to other threads and back, of
// which the operations that io_uring lacks need one each. This needs one for
// any number of files.

#ifndef RINGWAY_FS_COPYING_COPY_SMALL_FILES_H_
#define RINGWAY_FS_COPYING_COPY_SMALL_FILES_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ringway/core/compiler.h"

namespace ringway::fs {

// A file, and the name of its copy.
struct CopyNames {
  std::string from;
  std::string to;
};

namespace internal {

struct SmallCopies {
  std::vector<CopyNames> files;
  bool keep_permissions;
  mode_t mode;  // if they are not kept
  bool keep_times;
};

// Does what CopyFile() does with each that is a regular file of at most 64 KiB
// without holes. Returns their sizes; nothing for what is something else, or if
// anything failed: then all is as it was, and CopyFile() finds out what it is.
//
// Threads: any. Blocks.
std::vector<std::optional<int64_t>> CopySmallFiles(const SmallCopies& copies);

}  // namespace internal
}  // namespace ringway::fs

#endif  // RINGWAY_FS_COPYING_COPY_SMALL_FILES_H_
