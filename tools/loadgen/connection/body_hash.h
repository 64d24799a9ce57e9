// SPDX-License-Identifier: Apache-2.0
//
// BodyHash: a hash of bytes that come in pieces, however they are cut. Finds
// every change of a single byte, and others with near certainty; not made
// against those who look for collisions.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_BODY_HASH_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_BODY_HASH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringway::loadgen {

// The polynomial with the bytes plus one as coefficients, modulo 2^64, at an
// odd point.
class BodyHash {
 public:
  void Reset() { value_ = 0; }
  void Add(std::string_view bytes) {
    uint64_t value = value_;
    size_t i = 0;
    // Eight at once: the multiplications do not wait for each other.
    for (; i + 8 <= bytes.size(); i += 8) {
      uint64_t sum = 0;
      for (size_t j = 0; j < 8; ++j)
        sum += kPowers[7 - j] * Coefficient(bytes[i + j]);
      value = value * kPowers[8] + sum;
    }
    for (; i < bytes.size(); ++i)
      value = value * kPoint + Coefficient(bytes[i]);
    value_ = value;
  }
  uint64_t value() const { return value_; }

 private:
  static constexpr uint64_t kPoint = 0x9e3779b97f4a7c15;

  // Of kPoint.
  static constexpr std::array<uint64_t, 9> kPowers = [] {
    std::array<uint64_t, 9> powers = {1};
    for (size_t i = 1; i < powers.size(); ++i)
      powers[i] = powers[i - 1] * kPoint;
    return powers;
  }();

  static uint64_t Coefficient(char byte) {
    return uint64_t{static_cast<unsigned char>(byte)} + 1;
  }

  uint64_t value_ = 0;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_BODY_HASH_H_
