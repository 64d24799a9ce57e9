// SPDX-License-Identifier: Apache-2.0
//
// RequestLine: checks the form of a request line, beside llhttp, which takes
// several spaces for one, other protocols than HTTP and lines without a
// version, and does not tell a method that is unknown from one that is none.

#ifndef RINGWAY_HTTP_HTTP1_REQUEST_LINE_H_
#define RINGWAY_HTTP_HTTP1_REQUEST_LINE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ringway/http/http1/request_limits.h"

namespace ringway::http {

// What it accepts may have an unknown method and a malformed target.
//
// Threads: one at a time.
class RequestLine {
 public:
  // Checks `bytes`, which follow those of the calls before. Returns how many
  // are well-formed: all, or those before the first one that is not, of which
  // error() is the reason. Goes no further than the end of the line.
  size_t Check(std::string_view bytes);
  const RequestError& error() const { return error_; }

  // Whether anything beside empty lines has arrived.
  bool begun() const { return part_ > Part::kEmptyLineEnd; }

 private:
  // What comes next.
  enum class Part : uint8_t {
    kEmptyLine,  // perhaps
    kEmptyLineEnd,
    kMethod,
    kTargetBegin,
    kTarget,
    kVersion,
    kEnded,
  };

  // Whether `bytes` begin with a whole line that is well-formed.
  static bool HaveLine(std::string_view bytes);
  // Null if `c` may come next.
  const char* Take(char c);
  const char* TakeOfVersion(char c);

  Part part_ = Part::kEmptyLine;
  uint8_t n_version_ = 0;  // bytes of the version, with the line's end
  RequestError error_;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_HTTP1_REQUEST_LINE_H_
