// SPDX-License-Identifier: Apache-2.0
//
// Random: the decisions of a seed, the same on every machine and compiler.

#ifndef RINGWAY_NET_STREAM_MODEL_RANDOM_H_
#define RINGWAY_NET_STREAM_MODEL_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace ringway::net::model {

// A mixing bijection (splitmix64's finaliser).
constexpr uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    return Mix(state_);
  }
  // In [0, n); n is at least 1.
  uint64_t Below(uint64_t n) { return Next() % n; }
  // In [low, high].
  uint64_t Between(uint64_t low, uint64_t high) {
    return low + Below(high - low + 1);
  }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  template <typename T>
  T Pick(std::initializer_list<T> choices) {
    return choices.begin()[Below(choices.size())];
  }
  // A separate sequence, for a concurrent program.
  Random Fork() { return Random(Next()); }

 private:
  uint64_t state_;
};

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_RANDOM_H_
