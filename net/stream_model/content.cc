// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_model/content.h"

#include <algorithm>
#include <cstring>

#include "ringway/net/stream_model/random.h"

namespace ringway::net::model {
namespace {

constexpr size_t kWord = sizeof(uint64_t);

uint64_t WordAt(uint64_t key, uint64_t index) { return Mix(key ^ Mix(index)); }

// Calls `fn(word, skip, n, at)` for each word that the range touches: its bytes
// `skip` to `skip + n` are those at index `at`.
template <typename Fn>
void ForEachWord(size_t n_bytes, uint64_t key, uint64_t offset, Fn fn) {
  for (size_t at = 0; at < n_bytes;) {
    const size_t skip = (offset + at) % kWord;
    const size_t n = std::min(kWord - skip, n_bytes - at);
    const uint64_t word = WordAt(key, (offset + at) / kWord);
    if (!fn(reinterpret_cast<const std::byte*>(&word) + skip, n, at)) return;
    at += n;
  }
}

}  // namespace

std::byte ByteAt(uint64_t key, uint64_t offset) {
  std::byte byte{};
  Fill(std::span(&byte, 1), key, offset);
  return byte;
}

void Fill(std::span<std::byte> bytes, uint64_t key, uint64_t offset) {
  ForEachWord(bytes.size(), key, offset,
              [&](const std::byte* word, size_t n, size_t at) {
                memcpy(bytes.data() + at, word, n);
                return true;
              });
}

std::optional<size_t> FirstDifference(std::span<const std::byte> bytes,
                                      uint64_t key, uint64_t offset) {
  std::optional<size_t> found;
  ForEachWord(
      bytes.size(), key, offset,
      [&](const std::byte* word, size_t n, size_t at) {
        if (memcmp(bytes.data() + at, word, n) == 0) return true;
        found =
            at +
            static_cast<size_t>(
                std::mismatch(word, word + n, bytes.data() + at).first - word);
        return false;
      });
  return found;
}

}  // namespace ringway::net::model
