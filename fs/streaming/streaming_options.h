// SPDX-License-Identifier: Apache-2.0
//
// StreamingOptions: the blocks of ReadAhead and WriteBehind.

#ifndef RINGWAY_FS_STREAMING_STREAMING_OPTIONS_H_
#define RINGWAY_FS_STREAMING_STREAMING_OPTIONS_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "ringway/core/compiler.h"
#include "ringway/core/memory/aligned_buffer.h"

namespace ringway::fs {

// Upper limits of the options below.
inline constexpr size_t kMostBlockBytes = size_t{1} << 30;
inline constexpr size_t kMostBlocksInFlight = 256;

struct StreamingOptions {
  StreamingOptions() {}

  // What is read or written at a time, 1 to kMostBlockBytes; for a DirectFile a
  // multiple of its alignment.
  size_t block_bytes = size_t{256} << 10;
  // The most blocks in flight, 1 to kMostBlocksInFlight. The memory is
  // block_bytes for each.
  size_t depth = 4;
};

// InvalidArgument with the option and its limits if one is out of range.
absl::Status CheckStreamingOptions(const StreamingOptions& options);

namespace internal {

// As many blocks as the options say, aligned for direct I/O.
//
// Errors: InvalidArgument, ResourceExhausted.
absl::StatusOr<std::vector<ringway::AlignedBuffer>> MakeBlocks(
    const StreamingOptions& options);

}  // namespace internal
}  // namespace ringway::fs

#endif  // RINGWAY_FS_STREAMING_STREAMING_OPTIONS_H_
