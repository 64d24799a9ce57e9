// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/redirect.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace ringway::http::internal {

bool IsRedirect(int status_code, const Headers& headers) {
  switch (status_code) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      return headers.Has("Location");
    default:
      return false;
  }
}

Method MethodAfter(int status_code, Method method) {
  switch (status_code) {
    case 301:
    case 302:
      return method == Method::kPost ? Method::kGet : method;
    case 303:
      return method == Method::kHead ? method : Method::kGet;
    default:
      return method;
  }
}

absl::Status Follow(int status_code, std::string_view location, Url& url,
                    Method& method, Headers& headers,
                    std::shared_ptr<RequestBody>& body) {
  absl::StatusOr<Url> next = ResolveUrl(url, location);
  if (!next.ok()) {
    return absl::DataLossError(absl::StrCat("a redirect to what is no URL: ",
                                            next.status().message()));
  }
  if (url.secure && !next->secure) {
    return absl::FailedPreconditionError(
        absl::StrCat("a redirect from https to ", next->ToString()));
  }
  const Method next_method = MethodAfter(status_code, method);
  if (next_method == method && body->begun) {
    return absl::FailedPreconditionError(
        absl::StrCat("a redirect of a body that cannot be sent again, to ",
                     next->ToString()));
  }
  if (next->secure != url.secure || next->authority != url.authority) {
    for (const std::string_view name :
         {"Authorization", "Cookie", "Proxy-Authorization", "Host"}) {
      headers.Remove(name);
    }
  }
  if (next_method != method) {
    for (const std::string_view name :
         {"Content-Type", "Content-Encoding", "Content-Language",
          "Content-Location", "Content-Length", "Digest"}) {
      headers.Remove(name);
    }
    body = std::make_shared<RequestBody>();
  }
  url = *std::move(next);
  method = next_method;
  return absl::OkStatus();
}

}  // namespace ringway::http::internal
