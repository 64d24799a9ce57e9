// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/client.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/check.h"
#include "ringway/executor/task/executor.h"
#include "ringway/http/client/client_exchange.h"
#include "ringway/http/client/pool.h"
#include "ringway/http/client/redirect.h"
#include "ringway/http/message/url.h"

namespace ringway::http {

namespace {

using internal::ClientExchange;
using internal::Framing;
using internal::Pool;
using internal::PoolHost;
using internal::RequestBody;
using internal::Resend;

// Of a response that redirects: so many bytes of its body are read, to keep its
// connection.
constexpr size_t kSkippedBytes = 64 * 1024;

// RFC 9110, section 9.2.2.
bool IsIdempotent(Method method) {
  return IsSafe(method) || method == Method::kPut || method == Method::kDelete;
}

// A request without a body that could have one says so (RFC 9110, section 8.6).
bool NamesItsLength(Method method) {
  return method == Method::kPost || method == Method::kPut ||
         method == Method::kPatch;
}

// A request while it is sent, and sent again.
struct Sending {
  explicit Sending(ClientRequest& request)
      : method(request.method),
        headers(std::move(request.headers)),
        body(std::make_shared<RequestBody>()),
        content_length(request.content_length),
        expect_continue(request.expect_continue) {
    body->bytes = std::move(request.body);
    body->write = std::move(request.write_body);
  }

  Url url;
  Method method;
  Headers headers;
  std::shared_ptr<RequestBody> body;
  std::optional<uint64_t> content_length;
  bool expect_continue;
  MonotonicTime deadline;
};

OutgoingRequest Describe(const Sending& sending, const ClientOptions& options) {
  OutgoingRequest request(sending.method, sending.url.target,
                          sending.url.authority, sending.headers);
  request.scheme = sending.url.scheme();
  request.user_agent = options.user_agent;
  const RequestBody& body = *sending.body;
  if (body.write) {
    request.framing = sending.content_length.has_value() ? Framing::kLength
                                                         : Framing::kChunked;
    request.content_length = sending.content_length.value_or(0);
  } else if (!body.bytes.empty() || NamesItsLength(sending.method)) {
    request.framing = Framing::kLength;
    request.content_length = body.bytes.size();
  }
  request.expects_continue = sending.expect_continue && !body.empty();
  return request;
}

// One exchange; another one if the first has met a connection that was closed.
Task<absl::StatusOr<std::unique_ptr<ClientExchange>>> Exchange(
    std::shared_ptr<Pool> pool, Sending& sending) {
  const OutgoingRequest request = Describe(sending, pool->options());
  if (absl::Status good = CheckRequest(request); !good.ok()) co_return good;
  ClientStatistics& statistics = pool->state().statistics;
  const std::shared_ptr<PoolHost> host = pool->HostOf(sending.url);
  for (bool again = false;; again = true) {
    Task<absl::StatusOr<std::unique_ptr<ClientExchange>>> begin =
        PoolHost::Begin(host, /*fresh=*/again, sending.deadline);
    absl::StatusOr<std::unique_ptr<ClientExchange>> exchange =
        co_await std::move(begin);
    if (!exchange.ok()) co_return exchange.status();
    ++statistics.requests;
    Task<absl::Status> start =
        (*exchange)->Start(request, sending.body, sending.deadline);
    absl::Status started = co_await std::move(start);
    if (started.ok()) co_return std::move(exchange);
    const Resend resend = (*exchange)->resend();
    if (again || sending.body->begun || resend == Resend::kNo ||
        (resend == Resend::kIfIdempotent && !IsIdempotent(sending.method))) {
      co_return started;
    }
    ++statistics.retries;
  }
}

Task<absl::StatusOr<Response>> SendAndFollow(std::shared_ptr<Pool> pool,
                                             ClientRequest request) {
  const ClientOptions& options = pool->options();
  absl::StatusOr<Url> url = ParseUrl(request.url);
  if (!url.ok()) co_return url.status();
  if (!request.body.empty() && request.write_body) {
    co_return absl::InvalidArgumentError(
        "a request has a body and a function that writes it");
  }
  Sending sending(request);
  sending.url = *std::move(url);
  sending.deadline = CurrentLoop().now() + options.request_timeout;
  for (uint32_t n_redirects = 0;; ++n_redirects) {
    Task<absl::StatusOr<std::unique_ptr<ClientExchange>>> send =
        Exchange(pool, sending);
    absl::StatusOr<std::unique_ptr<ClientExchange>> exchange =
        co_await std::move(send);
    if (!exchange.ok()) co_return exchange.status();
    Response response(*std::move(exchange), sending.url.ToString());
    if (options.max_redirects == 0 ||
        !internal::IsRedirect(response.status_code(), response.headers())) {
      co_return std::move(response);
    }
    if (n_redirects >= options.max_redirects) {
      co_return absl::FailedPreconditionError(
          absl::StrCat("more than ClientOptions::max_redirects, ",
                       options.max_redirects, ", from ", request.url));
    }
    const std::string location(*response.headers().Find("Location"));
    absl::Status followed =
        internal::Follow(response.status_code(), location, sending.url,
                         sending.method, sending.headers, sending.body);
    if (!followed.ok()) co_return followed;
    Task<absl::StatusOr<std::string>> skip = response.ReadAll(kSkippedBytes);
    if (absl::IsCancelled((co_await std::move(skip)).status()))
      co_return CancelledStatus();
    ++pool->state().statistics.redirects;
  }
}

}  // namespace

Client::Client(ClientOptions options) {
  const absl::Status good = CheckClientOptions(options);
  RINGWAY_CHECK(good.ok(), "%s", good.ToString().c_str());
  pool_ = std::make_shared<Pool>(std::move(options));
}

Client& Client::operator=(Client&& other) noexcept {
  if (this != &other) {
    const Client ended = std::move(*this);
    pool_ = std::move(other.pool_);
  }
  return *this;
}

Client::~Client() {
  if (pool_ == nullptr) return;
  pool_->state().owner.CheckOrGone("an http::Client");
  pool_->Close();
}

Task<absl::StatusOr<Response>> Client::Send(ClientRequest request) {
  RINGWAY_CHECK(pool_ != nullptr, "an http::Client that was moved from");
  pool_->state().CheckThread();
  return SendAndFollow(pool_, std::move(request));
}

ClientStatistics Client::statistics() const {
  RINGWAY_CHECK(pool_ != nullptr, "an http::Client that was moved from");
  pool_->state().owner.CheckOrGone("an http::Client");
  return pool_->state().statistics;
}

}  // namespace ringway::http
