// SPDX-License-Identifier: Apache-2.0
//
// Redirects: which are followed, what is sent to the next host, and what is
// not.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/http/client/client.h"
#include "ringway/http/client/redirect.h"
#include "ringway/http/client/testing/client_fixture.h"

namespace ringway::http {
namespace {

using HttpClientRedirectTest = testing::ClientTest;
using testing::Fetch;
using testing::Fetched;

// /to/CODE/TARGET redirects; others tell what they were asked.
Task<absl::Status> RedirectOrTell(Request& request, ResponseWriter& response) {
  Task<absl::StatusOr<std::string>> read = request.ReadAll(1 << 20);
  const absl::StatusOr<std::string> body = co_await std::move(read);
  if (!body.ok()) co_return body.status();
  const std::string_view path = request.path();
  if (path.starts_with("/to/")) {
    const int code = std::atoi(std::string(path.substr(4, 3)).c_str());
    response.headers().Set(
        "Location", path.size() > 8 ? path.substr(7) : absl::StrCat("/told"));
    co_return co_await response.Send(code, "elsewhere\n");
  }
  if (path.starts_with("/loop")) {
    response.headers().Set("Location", absl::StrCat(path, "x"));
    co_return co_await response.Send(302);
  }
  const std::string told =
      absl::StrCat(MethodName(request.method()), " ", path, " ", *body, " ",
                   request.headers().Find("Authorization").value_or("-"), " ",
                   request.headers().Find("Content-Type").value_or("-"));
  co_return co_await response.Send(200, told);
}

ClientOptions Following() {
  ClientOptions options;
  options.max_redirects = 5;
  return options;
}

TEST_P(HttpClientRedirectTest, IsReturnedByDefault) {
  Serve(RedirectOrTell);
  auto main = [&]() -> Task<void> {
    Client client;
    const Fetched fetched = co_await Fetch(client, UrlOf("/to/302"));
    EXPECT_EQ(fetched.code, 302);
    EXPECT_EQ(fetched.Field("Location"), "/told");
  };
  Run(main());
}

TEST_P(HttpClientRedirectTest, KeepsOrChangesTheMethod) {
  Serve(RedirectOrTell);
  auto main = [&]() -> Task<void> {
    Client client(Following());
    struct Case {
      int code;
      Method method;
      std::string_view told;
    };
    for (const Case& c : {
             Case{301, Method::kGet, "GET /told  secret -"},
             Case{301, Method::kPost, "GET /told  secret -"},
             Case{302, Method::kPost, "GET /told  secret -"},
             Case{302, Method::kPut, "PUT /told bytes secret text/x"},
             Case{303, Method::kPost, "GET /told  secret -"},
             Case{303, Method::kPut, "GET /told  secret -"},
             Case{307, Method::kPost, "POST /told bytes secret text/x"},
             Case{308, Method::kPatch, "PATCH /told bytes secret text/x"},
             Case{303, Method::kHead, ""},
         }) {
      ClientRequest request(c.method, UrlOf(absl::StrCat("/to/", c.code)));
      request.headers.Set("Authorization", "secret");
      if (c.method != Method::kGet && c.method != Method::kHead) {
        request.headers.Set("Content-Type", "text/x");
        request.body = "bytes";
      }
      const Fetched fetched = co_await Fetch(client, std::move(request));
      EXPECT_EQ(fetched.code, 200) << c.code << fetched.status;
      EXPECT_EQ(fetched.body, c.told) << c.code;
      EXPECT_EQ(fetched.url, UrlOf("/told"));
    }
    EXPECT_EQ(client.statistics().connections, 1u);
    EXPECT_EQ(client.statistics().redirects, 9u);
  };
  Run(main());
}

TEST_P(HttpClientRedirectTest, DoesNotFollowOthers) {
  Serve(RedirectOrTell);
  auto main = [&]() -> Task<void> {
    Client client(Following());
    for (const int code : {300, 305, 306})
      EXPECT_EQ(
          (co_await Fetch(client, UrlOf(absl::StrCat("/to/", code)))).code,
          code);
  };
  Run(main());
}

TEST_P(HttpClientRedirectTest, HasALimit) {
  Serve(RedirectOrTell);
  auto main = [&]() -> Task<void> {
    Client client(Following());
    const Fetched fetched = co_await Fetch(client, UrlOf("/loop"));
    EXPECT_TRUE(absl::IsFailedPrecondition(fetched.status)) << fetched.status;
    EXPECT_NE(fetched.status.message().find("max_redirects"),
              std::string::npos);
    EXPECT_EQ(client.statistics().redirects, 5u);
  };
  Run(main());
}

TEST_P(HttpClientRedirectTest, SendsNoStreamedBodyAgain) {
  Serve(RedirectOrTell);
  auto main = [&]() -> Task<void> {
    Client client(Following());
    for (const int code : {303, 307}) {
      ClientRequest request(Method::kPost, UrlOf(absl::StrCat("/to/", code)));
      request.write_body = [](BodyWriter& body) -> Task<absl::Status> {
        co_return co_await body.Write("bytes");
      };
      const Fetched fetched = co_await Fetch(client, std::move(request));
      if (code == 303) {
        EXPECT_EQ(fetched.code, 200) << fetched.status;
      } else {
        EXPECT_TRUE(absl::IsFailedPrecondition(fetched.status))
            << fetched.status;
      }
    }
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpClientRedirectTest);

// What follows from a Location, without servers.
struct Next {
  absl::Status status;
  std::string url;
  Headers headers;
};

Next Follow(std::string_view from, std::string_view location) {
  Url url = *ParseUrl(from);
  Method method = Method::kGet;
  Headers headers;
  headers.Add("Authorization", "secret");
  headers.Add("Cookie", "secret");
  headers.Add("Proxy-Authorization", "secret");
  headers.Add("Host", "virtual");
  headers.Add("Accept", "*/*");
  auto body = std::make_shared<internal::RequestBody>();
  Next next;
  next.status = internal::Follow(302, location, url, method, headers, body);
  next.url = url.ToString();
  next.headers = headers;
  return next;
}

TEST(Redirect, LeavesSecretsBehindWithTheirHost) {
  for (const std::string_view other :
       {"http://b/", "//b/", "http://a:81/", "https://a/", "http://a.b/"}) {
    const Next next = Follow("http://a/", other);
    EXPECT_TRUE(next.status.ok()) << next.status;
    EXPECT_EQ(next.headers.size(), 1u) << other;
    EXPECT_TRUE(next.headers.Has("Accept"));
  }
  for (const std::string_view same : {"/x", "x", "http://A:80/y", "//a/z"})
    EXPECT_EQ(Follow("http://a/", same).headers.size(), 5u) << same;
}

TEST(Redirect, NeverLeadsFromHttpsToHttp) {
  const Next next = Follow("https://a/", "http://a/");
  EXPECT_TRUE(absl::IsFailedPrecondition(next.status)) << next.status;
  EXPECT_EQ(next.url, "https://a/");
  EXPECT_EQ(next.headers.size(), 5u);
  EXPECT_TRUE(Follow("http://a/", "https://a/").status.ok());
}

TEST(Redirect, RefusesALocationThatIsNoUrl) {
  for (const std::string_view location :
       {"ftp://a/", "http://", "//u:p@a/", "a b", "javascript:x"}) {
    EXPECT_TRUE(absl::IsDataLoss(Follow("http://a/", location).status))
        << location;
  }
}

}  // namespace
}  // namespace ringway::http
