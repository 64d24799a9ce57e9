// SPDX-License-Identifier: Apache-2.0
//
// The choice among a file, what lies beside it in other codings, and what gzip
// makes of it, by Accept-Encoding.

#ifndef RINGWAY_HTTP_FILES_CHOOSE_REPRESENTATION_H_
#define RINGWAY_HTTP_FILES_CHOOSE_REPRESENTATION_H_

#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/files/file_cache.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

// What is sent, if it is known without waiting; else null.
SharedRepresentation FindReady(const FileCache& cache, const CachedFile& file,
                               const Headers& request);

// What is sent. Looks for what lies beside the file, and compresses it, the
// larger ones on another thread; if that is not possible, the file is sent as
// it is. `cache` and `request` must outlive the await.
//
// Errors: those of ReadPart(); Cancelled.
Task<absl::StatusOr<SharedRepresentation>> ChooseRepresentation(
    FileCache& cache, SharedFile file, const Headers& request);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_FILES_CHOOSE_REPRESENTATION_H_
