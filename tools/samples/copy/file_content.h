// SPDX-License-Identifier: Apache-2.0
//
// The content of one file: copied past the page cache, and compared.

#ifndef RINGWAY_TOOLS_SAMPLES_COPY_FILE_CONTENT_H_
#define RINGWAY_TOOLS_SAMPLES_COPY_FILE_CONTENT_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"

namespace ringway::copy {

// As fs::CopyFile(), with permissions and times, by direct I/O on both sides.
// What is zeros in whole blocks becomes a hole.
//
// Errors: also FailedPrecondition where a file system has no direct I/O.
Task<absl::Status> CopyDirectly(
    std::string from, std::string to, bool durable,
    std::function<void(int64_t reached, int64_t size)> on_progress);

// Reads both, the copy past the page cache where that can be, and compares
// their checksums (CRC-32C).
//
// Errors: DataLoss naming both, and their checksums, if they differ.
Task<absl::Status> CompareContent(std::string from, std::string to);

}  // namespace ringway::copy

#endif  // RINGWAY_TOOLS_SAMPLES_COPY_FILE_CONTENT_H_
