// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/response.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace ringway::http {

namespace {

// What a server announces, it need not send: memory grows with what arrives.
constexpr size_t kPiece = 16 * 1024;

}  // namespace

Response::Response(std::unique_ptr<internal::ClientExchange> exchange,
                   std::string url)
    : head_(std::move(exchange->head())),
      url_(std::move(url)),
      exchange_(std::move(exchange)) {
  FinishIfDone();
}

void Response::FinishIfDone() {
  if (!exchange_->done()) return;
  trailers_ = std::move(exchange_->trailers());
  exchange_->Finish();
  exchange_.reset();
}

Task<absl::StatusOr<size_t>> Response::Read(std::span<std::byte> to) {
  if (exchange_ == nullptr) co_return 0;
  Task<absl::StatusOr<size_t>> read = exchange_->ReadBody(to);
  absl::StatusOr<size_t> n = co_await std::move(read);
  if (n.ok()) FinishIfDone();
  co_return n;
}

Task<absl::StatusOr<std::string>> Response::ReadAll(size_t limit_bytes) {
  std::string body;
  while (true) {
    const size_t size = body.size();
    // One more than there may be: the end is only known by reading it.
    const size_t left = limit_bytes - size;
    const size_t room = left < kPiece ? left + 1 : kPiece;
    body.resize(size + room);
    Task<absl::StatusOr<size_t>> read =
        Read(std::as_writable_bytes(std::span(body).subspan(size)));
    const absl::StatusOr<size_t> n = co_await std::move(read);
    if (!n.ok()) co_return n.status();
    body.resize(size + *n);
    if (*n == 0) co_return std::move(body);
    if (body.size() > limit_bytes) {
      co_return absl::ResourceExhaustedError(
          absl::StrCat("the body has more than ", limit_bytes, " bytes"));
    }
  }
}

}  // namespace ringway::http
