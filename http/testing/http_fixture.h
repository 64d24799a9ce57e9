// SPDX-License-Identifier: Apache-2.0
//
// HttpTest: for tests of an http::Server on every backend, with clients in
// tasks beside it.

#ifndef RINGWAY_HTTP_TESTING_HTTP_FIXTURE_H_
#define RINGWAY_HTTP_TESTING_HTTP_FIXTURE_H_

#include <string>
#include <utility>

#include "ringway/http/server/server.h"
#include "ringway/http/testing/raw_client.h"
#include "ringway/runtime/serving/testing/server_fixture.h"

namespace ringway::http::testing {

class HttpTest : public ringway::testing::ServerTest {
 protected:
  // Serves by `handler`, or by `router`, until the end of the test.
  template <typename H>
  void Serve(H handler, ServerOptions options = ServerOptions()) {
    Make(Server(std::move(handler), std::move(options)));
  }

  // Runs `main` beside the server, which ends after it.
  void Run(Task<void> main) { ServerTest::Run(WithServer(std::move(main))); }

  Task<RawClient> Visit() { co_return RawClient(co_await Join()); }

  // A new connection, one request and its response.
  Task<RawResponse> Ask(std::string request) {
    RawClient client = co_await Visit();
    Task<bool> say = client.Say(std::move(request));
    co_await std::move(say);
    Task<RawResponse> next = client.Next();
    co_return co_await std::move(next);
  }

  // A request without a body.
  static std::string Get(std::string path, std::string fields = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n";
  }
  static std::string Post(std::string path, std::string body) {
    return "POST " + path + " HTTP/1.1\r\nHost: test\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  }

 private:
  Task<void> WithServer(Task<void> main) {
    JoinHandle<void> run = Spawn(server().Run());
    co_await std::move(main);
    server().Shutdown();
    server().Cut();
    EXPECT_TRUE((co_await run).ok());
  }
};

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_TESTING_HTTP_FIXTURE_H_
