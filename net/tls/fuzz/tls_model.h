// SPDX-License-Identifier: Apache-2.0
//
// CheckTlsScript: what has to hold for a TLS connection whatever happens to the
// bytes between its ends.

#ifndef RINGWAY_NET_TLS_FUZZ_TLS_MODEL_H_
#define RINGWAY_NET_TLS_FUZZ_TLS_MODEL_H_

#include <string_view>

namespace ringway::fuzz {

// Runs a connection of two engines, whose every step is a byte of `script` with
// its arguments: passing bytes on whole, in parts or changed, inserting bytes,
// writing, reading, ending. Aborts unless
//   each side reads a prefix of what the other has written,
//   a failure has an error and is final,
//   and the end of stream is what the other side has sent.
//
// Returns true if a handshake was completed.
bool CheckTlsScript(std::string_view script);

}  // namespace ringway::fuzz

#endif  // RINGWAY_NET_TLS_FUZZ_TLS_MODEL_H_
