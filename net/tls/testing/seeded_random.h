// SPDX-License-Identifier: Apache-2.0
//
// SeededRandom: makes OpenSSL's random numbers of this thread repeat, so that a
// simulated run replays. For tests only: connections made with it are not
// secret.

#ifndef RINGWAY_NET_TLS_TESTING_SEEDED_RANDOM_H_
#define RINGWAY_NET_TLS_TESTING_SEEDED_RANDOM_H_

#include <cstdint>

#include "ringway/core/rng.h"

namespace ringway::net::testing {

// During its lifetime, on the thread that made it, which has one at a time
// (checked). Other threads have OpenSSL's own generator.
class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed);
  SeededRandom(const SeededRandom&) = delete;
  SeededRandom& operator=(const SeededRandom&) = delete;
  ~SeededRandom();

  Rng& rng() { return rng_; }

 private:
  Rng rng_;
};

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TLS_TESTING_SEEDED_RANDOM_H_
