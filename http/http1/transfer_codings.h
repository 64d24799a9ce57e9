// SPDX-License-Identifier: Apache-2.0
//
// TransferCodings: what the Transfer-Encoding fields of a message say (RFC
// 9112, section 6.1).

#ifndef RINGWAY_HTTP_HTTP1_TRANSFER_CODINGS_H_
#define RINGWAY_HTTP_HTTP1_TRANSFER_CODINGS_H_

#include <cstdint>

#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

enum class TransferCodings : uint8_t {
  kNone,       // there is no such field
  kChunked,    // chunked alone
  kOther,      // others, and chunked at the end
  kMalformed,  // chunked is not at the end, or there twice; an empty element
};

TransferCodings TransferCodingsOf(const Headers& headers);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP1_TRANSFER_CODINGS_H_
