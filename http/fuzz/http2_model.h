// SPDX-License-Identifier: Apache-2.0
//
// CheckHttp2Script: what has to hold for a connection of HTTP/2, whatever its
// client sends and however that arrives.

#ifndef RINGWAY_HTTP_FUZZ_HTTP2_MODEL_H_
#define RINGWAY_HTTP_FUZZ_HTTP2_MODEL_H_

#include <cstddef>
#include <string_view>

namespace ringway::fuzz {

// The first bytes of `script` are limits, what the server does with requests,
// and the sizes of pieces; the rest is what arrives after the preface, or what
// well-formed frames are made of. Aborts unless
//   requests, their bodies and the error of the connection are the same in one
//   piece and in those pieces,
//   what the server sends is made of whole frames,
//   bodies that nobody reads are within the windows,
//   and each header field is one that could be sent on.
//
// Returns how many requests came.
size_t CheckHttp2Script(std::string_view script);

}  // namespace ringway::fuzz

#endif  // RINGWAY_HTTP_FUZZ_HTTP2_MODEL_H_
