// SPDX-License-Identifier: Apache-2.0
//
// What a server reads in a client's hello before it answers.

#ifndef RINGWAY_NET_TLS_CONTEXT_CLIENT_HELLO_H_
#define RINGWAY_NET_TLS_CONTEXT_CLIENT_HELLO_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace ringway::net::internal {

// The host in the extension server_name (RFC 6066, section 3), or empty if it
// is malformed.
std::string_view HostInExtension(std::span<const uint8_t> extension);

// True if the extension signature_algorithms has one of ECDSA (RFC 8446,
// section 4.2.3).
bool AcceptsEcdsa(std::span<const uint8_t> extension);

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_CONTEXT_CLIENT_HELLO_H_
