// SPDX-License-Identifier: Apache-2.0
//
// The handlers of http_server.

#ifndef RINGWAY_TOOLS_SAMPLES_HTTP_SERVER_HANDLERS_H_
#define RINGWAY_TOOLS_SAMPLES_HTTP_SERVER_HANDLERS_H_

#include <string>

#include "ringway/http/server/router.h"

namespace ringway::samples {

// GET /hello        13 bytes
// GET /api/worker   JSON: which worker answers, and how often it has
// PUT /upload       JSON: the bytes and the CRC-32 of the body
// GET /events       server-sent events, one a second
// GET /*            the files of `root`, unless that is empty
http::Router MakeRouter(const std::string& root);

}  // namespace ringway::samples

#endif  // RINGWAY_TOOLS_SAMPLES_HTTP_SERVER_HANDLERS_H_
