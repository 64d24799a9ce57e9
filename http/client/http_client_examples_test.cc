// SPDX-License-Identifier: Apache-2.0
//
// The recipes of docs/http.md about clients, which documents_test compares.

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/http/client/client.h"
#include "ringway/http/client/testing/client_fixture.h"

namespace ringway {
namespace {

Task<absl::StatusOr<std::string>> Fetch(http::Client& client, std::string url) {
  absl::StatusOr<http::Response> response = co_await client.Get(std::move(url));
  if (!response.ok()) co_return response.status();
  if (response->status_code() != 200) {
    co_return absl::NotFoundError(
        absl::StrCat("status ", response->status_code()));
  }
  co_return co_await response->ReadAll(/*limit_bytes=*/1 << 20);
}

Task<absl::StatusOr<int>> Count(http::Client& client, std::string url, int n) {
  http::ClientRequest request(http::Method::kPost, std::move(url));
  request.headers.Set("Content-Type", "text/plain");
  request.write_body = [n](http::BodyWriter& body) -> Task<absl::Status> {
    absl::Status sent;
    for (int i = 0; sent.ok() && i < n; ++i) {
      const std::string line = absl::StrCat("line ", i, "\n");
      sent = co_await body.Write(line);
    }
    co_return sent;
  };
  absl::StatusOr<http::Response> response =
      co_await client.Send(std::move(request));
  if (!response.ok()) co_return response.status();
  co_return response->status_code();
}

using HttpClientExamplesTest = http::testing::ClientTest;

TEST_P(HttpClientExamplesTest, TheRecipesWork) {
  size_t n_bytes = 0;
  Serve(
      http::Handler([&](http::Request& request,
                        http::ResponseWriter& response) -> Task<absl::Status> {
        if (request.path() == "/none") co_return absl::NotFoundError("");
        Task<absl::StatusOr<std::string>> read = request.ReadAll(1 << 20);
        const absl::StatusOr<std::string> body = co_await std::move(read);
        if (!body.ok()) co_return body.status();
        n_bytes += body->size();
        co_return co_await response.Send(200, "hello");
      }));
  auto main = [&]() -> Task<void> {
    http::Client client;
    EXPECT_EQ(*co_await Fetch(client, UrlOf("/")), "hello");
    EXPECT_TRUE(
        absl::IsNotFound((co_await Fetch(client, UrlOf("/none"))).status()));
    EXPECT_EQ(*co_await Count(client, UrlOf("/"), 3), 200);
    EXPECT_EQ(n_bytes, 21u);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpClientExamplesTest);

}  // namespace
}  // namespace ringway
