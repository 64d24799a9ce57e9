// SPDX-License-Identifier: Apache-2.0
//
// The payload of the load generator: bytes that depend on their connection,
// request and position, so that swapped, repeated or shifted replies are
// detected. Cheap: one or two multiplications per request and an addition per
// eight bytes.

#ifndef RINGWAY_TOOLS_LOADGEN_PAYLOAD_H_
#define RINGWAY_TOOLS_LOADGEN_PAYLOAD_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace ringway::loadgen {

// Fills `request` with the content of request number `sequence` (below 2^40) of
// connection number `connection` (below 2^24). Two requests of at least eight
// bytes always differ; shorter ones have as many different contents as fit.
void FillRequest(uint32_t connection, uint64_t sequence,
                 std::span<std::byte> request);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_PAYLOAD_H_
