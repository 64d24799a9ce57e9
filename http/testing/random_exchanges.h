// SPDX-License-Identifier: Apache-2.0
//
// Random requests with checked responses: a model that knows what users of
// http::Server know, and nothing of its inside.
//
// The handler answers with bytes that follow from the request alone: from its
// body, or as many as its path asks for, in one of several ways. The client
// sends its requests one after the other without waiting, cut anywhere, and
// compares each response.

#ifndef RINGWAY_HTTP_TESTING_RANDOM_EXCHANGES_H_
#define RINGWAY_HTTP_TESTING_RANDOM_EXCHANGES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "ringway/core/rng.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/server/request.h"
#include "ringway/http/server/response_writer.h"
#include "ringway/http/testing/raw_client.h"

namespace ringway::http::testing {

// Answers /WAY/BYTES; see the file's comment.
Task<absl::Status> AnswerRandomRequest(Request& request,
                                       ResponseWriter& response);

class RandomExchanges {
 public:
  // `n` requests on one connection.
  RandomExchanges(uint64_t seed, int n);

  // Sends and compares all, on a connection that nothing else uses.
  //
  // Result: how many responses came whole, which are right (checked). Fewer
  //         than size() if the connection has failed.
  Task<size_t> Run(RawClient& client);

  size_t size() const { return planned_.size(); }

 private:
  struct Planned {
    std::string request;
    std::string body;  // of the response
    bool head = false;
  };

  Planned Plan();
  Task<void> SendAll(RawClient& client);

  Rng random_;
  std::vector<Planned> planned_;
};

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_TESTING_RANDOM_EXCHANGES_H_
