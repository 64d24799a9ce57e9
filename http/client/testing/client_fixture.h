// SPDX-License-Identifier: Apache-2.0
//
// ClientTest: for tests of an http::Client beside an http::Server, or a
// ScriptedServer, on every backend.

#ifndef RINGWAY_HTTP_CLIENT_TESTING_CLIENT_FIXTURE_H_
#define RINGWAY_HTTP_CLIENT_TESTING_CLIENT_FIXTURE_H_

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/http/client/client.h"
#include "ringway/http/client/testing/scripted_server.h"
#include "ringway/http/testing/http_fixture.h"

namespace ringway::http::testing {

// A response and all of its body.
struct Fetched {
  absl::Status status;  // of the request, or of reading the body
  int code = 0;
  Headers headers;
  std::string body;
  Headers trailers;
  std::string url;

  std::string Field(std::string_view name) const {
    return std::string(headers.Find(name).value_or(""));
  }
};

inline Task<Fetched> Fetch(Client& client, ClientRequest request) {
  Fetched fetched;
  Task<absl::StatusOr<Response>> send = client.Send(std::move(request));
  absl::StatusOr<Response> response = co_await std::move(send);
  fetched.status = response.status();
  if (!response.ok()) co_return fetched;
  fetched.code = response->status_code();
  fetched.headers = response->headers();
  fetched.url = response->url();
  Task<absl::StatusOr<std::string>> read = response->ReadAll(64 << 20);
  absl::StatusOr<std::string> body = co_await std::move(read);
  fetched.status = body.status();
  if (body.ok()) fetched.body = *std::move(body);
  fetched.trailers = response->trailers();
  co_return fetched;
}

inline Task<Fetched> Fetch(Client& client, std::string url) {
  return Fetch(client, ClientRequest(Method::kGet, std::move(url)));
}

class ClientTest : public HttpTest {
 protected:
  // Of the http::Server.
  std::string UrlOf(std::string_view path) const {
    return absl::StrCat("http://", address().ToString(), path);
  }

  // Runs `main` beside the http::Server, with a client of HTTP/1.1, then with
  // one of HTTP/2.
  void RunByBothVersions(const std::function<Task<void>(Client&)>& main) {
    auto run = [&]() -> Task<void> {
      for (const bool http2 : {false, true}) {
        ClientOptions options;
        options.http2_prior_knowledge = http2;
        Client client(options);
        Task<void> test = main(client);
        co_await std::move(test);
        if (HasFailure()) ADD_FAILURE() << (http2 ? "HTTP/2" : "HTTP/1.1");
      }
    };
    Run(run());
  }

  // Runs `main` with a scripted server beside it.
  void RunScripted(Script script,
                   std::function<Task<void>(ScriptedServer&)> main) {
    ScriptedServer server(ListenOn("127.0.0.1:0"));
    auto run = [&]() -> Task<void> {
      server.Start(std::move(script));
      Task<void> test = main(server);
      co_await std::move(test);
      Task<void> stop = server.Stop();
      co_await std::move(stop);
    };
    NetTest::Run(run());
  }
};

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_CLIENT_TESTING_CLIENT_FIXTURE_H_
