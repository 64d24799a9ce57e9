// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/testing/seeded_random.h"

#include <cstddef>

// OpenSSL 3 deprecates exchanging the generator, and has no other way that
// reaches all of the library.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "openssl/rand.h"
#include "ringway/core/check.h"

namespace ringway::net::testing {
namespace {

thread_local SeededRandom* of_thread = nullptr;

int Bytes(unsigned char* to, int n_bytes) {
  if (of_thread == nullptr) return RAND_OpenSSL()->bytes(to, n_bytes);
  for (int i = 0; i < n_bytes; ++i)
    to[i] = static_cast<unsigned char>(of_thread->rng().Next());
  return 1;
}

int Status() { return 1; }

const RAND_METHOD kMethod = {
    .bytes = &Bytes, .pseudorand = &Bytes, .status = &Status};

}  // namespace

SeededRandom::SeededRandom(uint64_t seed) : rng_(seed) {
  RINGWAY_CHECK(of_thread == nullptr, "two SeededRandoms on one thread");
  static const int set = RAND_set_rand_method(&kMethod);
  RINGWAY_CHECK(set == 1, "OpenSSL refuses the generator");
  of_thread = this;
}

SeededRandom::~SeededRandom() { of_thread = nullptr; }

}  // namespace ringway::net::testing
