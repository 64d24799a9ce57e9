// SPDX-License-Identifier: Apache-2.0
//
// FindDirectSupport(): whether a file opened with O_DIRECT bypasses the page
// cache, and what it must be aligned to. Internal.

#ifndef RINGWAY_FS_DIRECT_FIND_ALIGNMENT_H_
#define RINGWAY_FS_DIRECT_FIND_ALIGNMENT_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "ringway/executor/task/executor.h"
#include "ringway/fs/direct/direct_options.h"
#include "ringway/fs/file_core.h"

namespace ringway::fs::internal {

struct DirectSupport {
  enum class Kind : uint8_t {
    kYes,
    kIgnored,  // O_DIRECT was accepted, and means nothing
    kUnknown,  // statx does not tell, and there is nothing to try it with
  };
  Kind kind = Kind::kUnknown;
  DirectAlignment alignment;
};

// By statx (STATX_DIOALIGN, Linux 6.1), or else by reading. `core` must outlive
// it.
Task<absl::StatusOr<DirectSupport>> FindDirectSupport(FileCore& core);

// By reading alone: a file system with direct I/O refuses a misaligned read;
// the smallest alignment that it takes is that of the file.
Task<absl::StatusOr<DirectSupport>> ProbeAlignment(FileCore& core,
                                                   int64_t size);

}  // namespace ringway::fs::internal

#endif  // RINGWAY_FS_DIRECT_FIND_ALIGNMENT_H_
