// SPDX-License-Identifier: Apache-2.0
//
// CheckHttp1Responses: what has to hold for the responses of a connection,
// whatever their bytes are and however they arrive.

#ifndef RINGWAY_HTTP_FUZZ_HTTP1_RESPONSE_MODEL_H_
#define RINGWAY_HTTP_FUZZ_HTTP1_RESPONSE_MODEL_H_

#include <cstddef>
#include <string_view>

namespace ringway::fuzz {

// The first bytes of `script` are the method, the sizes of pieces and the
// limits, the rest is what arrives. Aborts unless
//   the result is the same in one piece and in those pieces, but for which of
//   several reasons a malformed response is refused,
//   the fields of a head are within its limits,
//   and framing is by one of Content-Length and Transfer-Encoding that the
//   parser has understood.
//
// Returns how many responses were accepted.
size_t CheckHttp1Responses(std::string_view script);

}  // namespace ringway::fuzz

#endif  // RINGWAY_HTTP_FUZZ_HTTP1_RESPONSE_MODEL_H_
