// SPDX-License-Identifier: Apache-2.0
//
// HttpRequest: the request line and the header of an HTTP/1 request (RFC 9112),
// as far as the admin pages need them.
//
// Strict: what intermediaries may read in different ways is an error.

#ifndef RINGWAY_RUNTIME_ADMIN_HTTP_REQUEST_H_
#define RINGWAY_RUNTIME_ADMIN_HTTP_REQUEST_H_

#include <string>
#include <string_view>

#include "ringway/core/compiler.h"

namespace ringway::internal {

class HttpRequest {
 public:
  // The lines in the order of the request, without their ends; EndHeader()
  // instead of the empty one. Each returns the status code of the answer, such
  // as 400, if the request cannot be served, else 0. What follows such a
  // request on a connection is not to be understood.
  int AddRequestLine(std::string_view line);
  int AddHeaderLine(std::string_view line);
  int EndHeader();

  const std::string& method() const { return method_; }
  // Without the query.
  const std::string& path() const { return path_; }
  // True if the client may send another request after this one.
  bool keeps_alive() const { return !closes_ && !has_body_; }

 private:
  int SetTarget(std::string_view target);
  int SetVersion(std::string_view version);

  std::string method_;
  std::string path_;
  bool needs_host_ = false;
  int n_hosts_ = 0;
  bool closes_ = false;
  bool has_body_ = false;
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_ADMIN_HTTP_REQUEST_H_
