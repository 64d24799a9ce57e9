// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/streaming/streaming_options.h"

#include <utility>

#include "absl/status/statusor.h"
#include "ringway/core/check_option.h"

namespace ringway::fs {

absl::Status CheckStreamingOptions(const StreamingOptions& options) {
  absl::Status block =
      CheckOption("StreamingOptions::block_bytes", options.block_bytes,
                  size_t{1}, kMostBlockBytes);
  if (!block.ok()) return block;
  return CheckOption("StreamingOptions::depth", options.depth, size_t{1},
                     kMostBlocksInFlight);
}

namespace internal {

absl::StatusOr<std::vector<ringway::AlignedBuffer>> MakeBlocks(
    const StreamingOptions& options) {
  if (absl::Status s = CheckStreamingOptions(options); !s.ok()) return s;
  constexpr size_t kAlignment = 4096;  // of every device
  std::vector<ringway::AlignedBuffer> blocks(options.depth);
  for (ringway::AlignedBuffer& block : blocks) {
    absl::StatusOr<ringway::AlignedBuffer> made =
        ringway::AlignedBuffer::Create(options.block_bytes, kAlignment);
    if (!made.ok()) return made.status();
    block = *std::move(made);
  }
  return blocks;
}

}  // namespace internal
}  // namespace ringway::fs
