// SPDX-License-Identifier: Apache-2.0
//
// Sends a representation: what the conditions and ranges of a request leave of
// it.

#ifndef RINGWAY_HTTP_FILES_FILE_RESPONSE_H_
#define RINGWAY_HTTP_FILES_FILE_RESPONSE_H_

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/files/file_cache.h"
#include "ringway/http/files/files_options.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/server/request.h"
#include "ringway/http/server/response_writer.h"

namespace ringway::http::internal {

// Whether the response depends on anything but the method: a field that begins
// with "If-", or Range.
bool IsConditional(const Headers& request);

// 200 with content that is in memory.
Task<absl::Status> SendContent(ResponseWriter& response,
                               SharedRepresentation what);

// 200, 206, 304, 412 or 416. `request`, `response` and `options` must outlive
// the await.
//
// Errors: those of ReadPart() and of the response.
Task<absl::Status> Respond(const Request& request, ResponseWriter& response,
                           SharedRepresentation what,
                           const FilesOptions& options);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_FILES_FILE_RESPONSE_H_
