// SPDX-License-Identifier: Apache-2.0
//
// CheckHttp1Script: what has to hold for the requests of a connection, whatever
// their bytes are and however they arrive.

#ifndef RINGWAY_HTTP_FUZZ_HTTP1_MODEL_H_
#define RINGWAY_HTTP_FUZZ_HTTP1_MODEL_H_

#include <cstddef>
#include <string_view>

namespace ringway::fuzz {

// The first bytes of `script` are the sizes of pieces and the limits, the rest
// is what arrives. Aborts unless
//   the result is the same in one piece and in those pieces,
//   the memory for a head is within its limits,
//   each header field is one that could be sent on, and framing is by one of
//   Content-Length and Transfer-Encoding that the parser has understood,
//   and the accepted requests, written anew, are read as the same requests.
//
// Returns how many requests were accepted.
size_t CheckHttp1Script(std::string_view script);

}  // namespace ringway::fuzz

#endif  // RINGWAY_HTTP_FUZZ_HTTP1_MODEL_H_
