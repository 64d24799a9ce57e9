// SPDX-License-Identifier: Apache-2.0
//
// RawClient: for tests: sends bytes as they are, and reads responses of
// HTTP/1.1, which it checks for their framing.
//
//   RawClient client(co_await Join());
//   co_await client.Say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
//   RawResponse response = co_await client.Next();
//   EXPECT_EQ(response.code, 200);

#ifndef RINGWAY_HTTP_TESTING_RAW_CLIENT_H_
#define RINGWAY_HTTP_TESTING_RAW_CLIENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "ringway/executor/task/task.h"
#include "ringway/net/tcp.h"

namespace ringway::http::testing {

struct RawResponse {
  int code = 0;  // 0: none came, or what came is malformed
  std::string head;
  std::string body;
  std::string trailers;
  // It is complete: not cut by the end of the connection.
  bool whole = false;

  // The value of a field of the head; none if there is no such field. The name
  // is compared as it is.
  std::optional<std::string> Field(std::string_view name) const;
};

class RawClient {
 public:
  explicit RawClient(net::TcpStream stream) : stream_(std::move(stream)) {}

  net::TcpStream& stream() { return stream_; }

  // False if they could not be sent: the server may have refused and closed.
  Task<bool> Say(std::string bytes);
  // The next response. `to_head`: of a request by HEAD.
  Task<RawResponse> Next(bool to_head = false);
  // Whether the server has ended the connection, without another byte.
  Task<bool> AtEnd();

  // What has come and was not taken, for what does not look like a response.
  std::string& arrived() { return arrived_; }
  // Whether anything more has come.
  Task<bool> More();

 private:
  // Whether `n` bytes are there.
  Task<bool> Need(size_t n);
  // The position of `text` in what has come, at or after `from`.
  Task<size_t> Find(std::string_view text, size_t from);
  Task<bool> ReadChunks(RawResponse& response);

  net::TcpStream stream_;
  std::string arrived_;
};

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_TESTING_RAW_CLIENT_H_
