// SPDX-License-Identifier: Apache-2.0
//
// Http2ServerTest: an http::Server and clients of HTTP/2 on every backend.

#ifndef RINGWAY_HTTP_SERVER_TESTING_HTTP2_FIXTURE_H_
#define RINGWAY_HTTP_SERVER_TESTING_HTTP2_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/http/http2/testing/client_for_test.h"
#include "ringway/http/server/server.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/runtime/serving/testing/server_fixture.h"

namespace ringway::http::testing {

class Http2ServerTest : public ringway::testing::ServerTest {
 protected:
  // What on_request_end was given.
  struct Ended {
    std::string method;
    std::string target;
    int status_code;
    uint64_t body_bytes;
    absl::StatusCode code;
  };

  void Serve(Handler handler, ServerOptions options = ServerOptions()) {
    options.on_request_end = [this](const AccessEntry& entry) {
      ended.push_back({std::string(entry.method), std::string(entry.target),
                       entry.status_code, entry.body_bytes,
                       entry.status.code()});
    };
    Make(Server(std::move(handler), std::move(options)));
  }

  // Runs `main` while the server serves.
  void RunServed(Task<void> main) {
    auto run = [&]() -> Task<void> {
      JoinHandle<void> serve = Spawn(server().Run());
      co_await std::move(main);
      server().Cut();
      (co_await serve).IgnoreError();
    };
    Run(run());
  }

  // A connection and its client.
  struct Connected {
    explicit Connected(uint32_t window, bool opens) : client(window, opens) {}
    ClientForTest client;
    net::TcpStream stream;
    bool at_end = false;
  };
  Task<std::unique_ptr<Connected>> Open(uint32_t window = 65535,
                                        bool opens = true) {
    auto connected = std::make_unique<Connected>(window, opens);
    connected->stream = co_await Join();
    co_return std::move(connected);
  }

  // Moves bytes both ways until `done` or the end of the connection.
  static Task<void> Until(Connected& c, std::function<bool()> done) {
    while (!c.at_end) {
      const std::string out = c.client.Send();
      if (!out.empty()) {
        const absl::Status sent =
            co_await c.stream.Write(net::testing::Bytes(out));
        if (!sent.ok()) c.at_end = true;
        continue;
      }
      if (done()) break;
      Task<absl::StatusOr<std::string>> receive =
          net::testing::ReceiveSome(c.stream);
      const absl::StatusOr<std::string> in = co_await std::move(receive);
      if (!in.ok() || in->empty()) {
        c.at_end = true;
      } else {
        c.client.Receive(*in);
      }
    }
  }
  static Task<void> UntilClosed(Connected& c) {
    Task<void> until = Until(c, [&c] { return c.client.all_closed(); });
    co_await std::move(until);
  }
  static Task<void> UntilEnd(Connected& c) {
    Task<void> until = Until(c, [] { return false; });
    co_await std::move(until);
  }

  std::vector<Ended> ended;
};

inline Fields FieldsOf(std::string_view method, std::string_view path) {
  return {{":method", std::string(method)},
          {":scheme", "http"},
          {":path", std::string(path)},
          {":authority", "test"}};
}

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_SERVER_TESTING_HTTP2_FIXTURE_H_
