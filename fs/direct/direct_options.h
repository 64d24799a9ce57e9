// SPDX-License-Identifier: Apache-2.0
//
// What DirectFile::Open() takes, and what a DirectFile counts.

#ifndef RINGWAY_FS_DIRECT_DIRECT_OPTIONS_H_
#define RINGWAY_FS_DIRECT_DIRECT_OPTIONS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "ringway/backends/backend_options.h"
#include "ringway/core/compiler.h"
#include "ringway/fs/open_options.h"

namespace ringway::fs {

// Whether transfers go past the page cache.
enum class DirectMode : uint8_t {
  kRequired,  // or the open fails
  kOptional,  // where the file system can; elsewhere they are counted
  kOff,
};

struct DirectFileOptions {
  DirectFileOptions() {}

  // Its `direct` is set by `mode`; `append` is refused: its offsets would be
  // ignored.
  OpenOptions open;
  DirectMode mode = DirectMode::kRequired;
  // Whether completions are polled for, if the backend does so
  // (UringOptions::direct_polling). kAuto: until the device refuses, which is
  // counted; kRequired: then its transfers fail.
  DirectPolling polling = DirectPolling::kOff;
  // Operations of this file that the kernel has at a time, 1 to 32,768; others
  // wait in order.
  uint32_t max_in_flight = 128;
};

// What memory, offsets and lengths must be multiples of. 1: anything.
struct DirectAlignment {
  uint32_t memory = 1;
  uint32_t offset = 1;  // and lengths
};

struct DirectFileStats {
  bool is_direct = false;  // its transfers go past the page cache
  uint64_t reads = 0;      // that have ended, also by an error
  uint64_t writes = 0;
  uint64_t buffered = 0;    // of both, those that the page cache had a part in
  uint64_t not_polled = 0;  // of both, those that should have been polled for
  uint64_t waited = 0;      // of both, those that waited for others to end
  uint32_t in_flight = 0;
  uint32_t most_in_flight = 0;
};

// OK, or InvalidArgument naming the option.
absl::Status CheckDirectFileOptions(const DirectFileOptions& options);

}  // namespace ringway::fs

#endif  // RINGWAY_FS_DIRECT_DIRECT_OPTIONS_H_
