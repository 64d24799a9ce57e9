// SPDX-License-Identifier: Apache-2.0
//
// DateCache: the Date field of a worker's responses, made once a second.

#ifndef RINGWAY_HTTP_SERVER_DATE_CACHE_H_
#define RINGWAY_HTTP_SERVER_DATE_CACHE_H_

#include <ctime>
#include <string>
#include <string_view>

namespace ringway::http::internal {

// An object of ExecutorLocals.
class DateCache {
 public:
  // Now, valid until the next call.
  std::string_view Text();

 private:
  time_t second_ = 0;
  std::string text_;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_DATE_CACHE_H_
