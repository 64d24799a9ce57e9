// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/frame.h"

#include <algorithm>
#include <cstring>

namespace ringway::http::internal {

namespace {

constexpr unsigned kLastBit = 0x80;
constexpr unsigned kReservedBits = 0x70;
constexpr unsigned kMaskBit = 0x80;

unsigned At(std::span<const std::byte> bytes, size_t i) {
  return std::to_integer<unsigned>(bytes[i]);
}

uint64_t BigEndian(std::span<const std::byte> bytes) {
  uint64_t number = 0;
  for (const std::byte b : bytes)
    number = number << 8 | std::to_integer<uint64_t>(b);
  return number;
}

void PutBigEndian(uint64_t number, std::span<std::byte> to) {
  for (size_t i = to.size(); i-- > 0; number >>= 8)
    to[i] = static_cast<std::byte>(number & 0xff);
}

bool IsOpcode(unsigned code) { return code <= 2 || (code >= 8 && code <= 10); }

// Bytes of the length behind the second byte of a head.
size_t LengthBytes(unsigned short_length) {
  return short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
}

}  // namespace

HeadStep ReadFrameHead(std::span<const std::byte> bytes, FrameHead& head,
                       size_t& n_used) {
  n_used = 0;
  // What is wrong with the first bytes is said without waiting for others.
  if (bytes.empty()) return HeadStep::kNeedMore;
  const unsigned first = At(bytes, 0);
  if ((first & kReservedBits) != 0 || !IsOpcode(first & 0xf))
    return HeadStep::kFailed;
  head.opcode = static_cast<Opcode>(first & 0xf);
  head.last = (first & kLastBit) != 0;
  if (IsControl(head.opcode) && !head.last) return HeadStep::kFailed;
  if (bytes.size() < 2) return HeadStep::kNeedMore;
  const unsigned second = At(bytes, 1);
  const unsigned short_length = second & 0x7f;
  head.masked = (second & kMaskBit) != 0;
  if (IsControl(head.opcode) && short_length > kMaxControlBytes)
    return HeadStep::kFailed;
  const size_t n_length = LengthBytes(short_length);
  const size_t n_mask = head.masked ? head.mask.size() : 0;
  if (bytes.size() < 2 + n_length) return HeadStep::kNeedMore;
  head.n_bytes =
      n_length == 0 ? short_length : BigEndian(bytes.subspan(2, n_length));
  const uint64_t least = n_length == 8 ? 0x10000 : n_length == 2 ? 126 : 0;
  if (head.n_bytes < least || head.n_bytes >> 63 != 0) return HeadStep::kFailed;
  if (bytes.size() < 2 + n_length + n_mask) return HeadStep::kNeedMore;
  std::copy_n(bytes.begin() + 2 + static_cast<ptrdiff_t>(n_length), n_mask,
              head.mask.begin());
  n_used = 2 + n_length + n_mask;
  return HeadStep::kDone;
}

size_t PutFrameHead(const FrameHead& head,
                    std::span<std::byte, kMaxFrameHeadBytes> to) {
  const unsigned short_length = head.n_bytes < 126
                                    ? static_cast<unsigned>(head.n_bytes)
                                : head.n_bytes < 0x10000 ? 126
                                                         : 127;
  const size_t n_length = LengthBytes(short_length);
  to[0] = static_cast<std::byte>((head.last ? kLastBit : 0) |
                                 static_cast<unsigned>(head.opcode));
  to[1] = static_cast<std::byte>((head.masked ? kMaskBit : 0) | short_length);
  PutBigEndian(head.n_bytes, to.subspan(2, n_length));
  size_t n = 2 + n_length;
  if (head.masked) {
    std::copy(head.mask.begin(), head.mask.end(),
              to.begin() + static_cast<ptrdiff_t>(n));
    n += head.mask.size();
  }
  return n;
}

void ApplyMask(const Mask& mask, uint64_t offset, std::span<std::byte> bytes) {
  std::array<std::byte, 8> twice;
  for (size_t i = 0; i < twice.size(); ++i) twice[i] = mask[(offset + i) % 4];
  uint64_t word_of_mask = 0;
  std::memcpy(&word_of_mask, twice.data(), sizeof(word_of_mask));
  size_t i = 0;
  for (; i + sizeof(uint64_t) <= bytes.size(); i += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, &bytes[i], sizeof(word));
    word ^= word_of_mask;
    std::memcpy(&bytes[i], &word, sizeof(word));
  }
  for (; i < bytes.size(); ++i) bytes[i] ^= twice[i % 4];
}

}  // namespace ringway::http::internal
