// SPDX-License-Identifier: Apache-2.0
//
// Redirects: what a client asks next after a response that says where else to
// ask (RFC 9110, section 15.4).

#ifndef RINGWAY_HTTP_CLIENT_REDIRECT_H_
#define RINGWAY_HTTP_CLIENT_REDIRECT_H_

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/http/client/client_exchange.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/message/method.h"
#include "ringway/http/message/url.h"

namespace ringway::http::internal {

// 301, 302, 303, 307 and 308 with a Location.
bool IsRedirect(int status_code, const Headers& headers);

// The method of the next request: GET instead of POST after 301 and 302, and
// instead of all but HEAD after 303.
Method MethodAfter(int status_code, Method method);

// Changes `url`, `method`, `headers` and `body` into those of the next request;
// the task that sends the last one may still use its body.
// Authorization, Cookie and Proxy-Authorization are for the host that they were
// meant for, so another one does not get them; nor does it get a Host.
//
// Errors: DataLoss: the Location is no URL. FailedPrecondition: it leads from
//         https to http; or the body cannot be sent again. Nothing has changed
//         then.
absl::Status Follow(int status_code, std::string_view location, Url& url,
                    Method& method, Headers& headers,
                    std::shared_ptr<RequestBody>& body);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_CLIENT_REDIRECT_H_
