// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/payload.h"

#include <cstring>

namespace ringway::loadgen {
namespace {

// The finalizer of splitmix64: a bijection, so different inputs give different
// words.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

void FillRequest(uint32_t connection, uint64_t sequence,
                 std::span<std::byte> request) {
  // 2^64 divided by the golden ratio: no byte of the words stays the same for
  // long.
  constexpr uint64_t kStep = 0x9e3779b97f4a7c15;
  uint64_t word =
      Mix((static_cast<uint64_t>(connection) << 40 | sequence) + kStep);
  size_t at = 0;
  for (; at + sizeof(word) <= request.size(); at += sizeof(word)) {
    memcpy(&request[at], &word, sizeof(word));
    word += kStep;
  }
  if (at < request.size()) memcpy(&request[at], &word, request.size() - at);
}

}  // namespace ringway::loadgen
