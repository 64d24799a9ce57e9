// SPDX-License-Identifier: Apache-2.0
//
// Requests, and what a server must make of them by RFC 9110 and 9112: well
// formed ones, malformed ones, and ones that servers read differently.
//
// They are in the files *.inc beside this one:
//
//   200 400 | must 9112/9.3.2 | garbage after a good request
//   |GET / HTTP/1.1
//   |Host: a
//   |
//   |\x01\x02
//
// The first line has the verdict on each request of the connection: 200 if it
// is accepted, else the status code that refuses it, after which the connection
// is closed; - if its end is waited for. After a > stands the last verdict of a
// server, if it differs from that of the parser. Then, the reason:
//
//   must     the RFC demands or advises it; after it, the RFC and section
//   choice   the RFC leaves a choice, and this is the stricter one
//   strict   the RFC accepts it; no known client sends it
//   lax      the RFC refuses it; clients send it, or it does no harm
//
// The other lines are the bytes of the connection, each after a | and with
// CR LF at its end, which \c leaves out. \r, \n, \t, \0, \\ and \x0b are single
// bytes; \{3*ab} is ababab.

#ifndef RINGWAY_HTTP_HTTP1_TESTING_REQUESTS_H_
#define RINGWAY_HTTP_HTTP1_TESTING_REQUESTS_H_

#include <string>
#include <vector>

namespace ringway::http::testing {

// What stands for a "-".
inline constexpr int kWaits = 0;

struct TestRequests {
  std::string title;
  std::string reason;
  std::vector<int> of_parser;
  std::vector<int> of_server;
  std::string bytes;
};

// All of them. Aborts if one is malformed.
const std::vector<TestRequests>& AllTestRequests();

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_HTTP1_TESTING_REQUESTS_H_
