// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a direction: byte n is a function of the direction's key and
// of n, so that every byte can be compared on arrival, and a lost, duplicated
// or reordered one is detected at once.

#ifndef RINGWAY_NET_STREAM_MODEL_CONTENT_H_
#define RINGWAY_NET_STREAM_MODEL_CONTENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace ringway::net::model {

std::byte ByteAt(uint64_t key, uint64_t offset);

// Writes the bytes from `offset` on.
void Fill(std::span<std::byte> bytes, uint64_t key, uint64_t offset);

// The index of the first of `bytes` that differs from the content at
// `offset`.
std::optional<size_t> FirstDifference(std::span<const std::byte> bytes,
                                      uint64_t key, uint64_t offset);

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_CONTENT_H_
