// SPDX-License-Identifier: Apache-2.0
//
// RandomRequests: random requests of a client with checked responses, to a
// server with the handler of random_exchanges.h: a model that knows what users
// of http::Client know, and nothing of its inside.

#ifndef RINGWAY_HTTP_CLIENT_TESTING_RANDOM_REQUESTS_H_
#define RINGWAY_HTTP_CLIENT_TESTING_RANDOM_REQUESTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "ringway/core/rng.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/client/client.h"

namespace ringway::http::testing {

class RandomRequests {
 public:
  // `base`: "http://host:port". `may_fail`: a request may end with an error,
  // but not with a wrong response.
  RandomRequests(uint64_t seed, Client& client, std::string base, bool may_fail)
      : random_(seed),
        client_(client),
        base_(std::move(base)),
        may_fail_(may_fail) {}

  // Sends `n` requests, one after the other, and compares the responses; some
  // are dropped before their end, some requests are cancelled.
  Task<void> Run(int n);

  // Those that came whole.
  size_t n_whole() const { return n_whole_; }
  // Those that were dropped, or cancelled, on purpose.
  size_t n_given_up() const { return n_given_up_; }

 private:
  struct Planned {
    ClientRequest request;
    std::string body;  // of the response
  };

  Planned Plan();
  Task<void> SendAndCompare(Planned planned);

  Rng random_;
  Client& client_;
  const std::string base_;
  const bool may_fail_;
  size_t n_whole_ = 0;
  size_t n_given_up_ = 0;
};

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_CLIENT_TESTING_RANDOM_REQUESTS_H_
