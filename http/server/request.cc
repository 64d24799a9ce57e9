// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/request.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ringway::http {

namespace {

// What a client announces, it need not send: memory grows with what arrives.
constexpr size_t kPiece = 16 * 1024;

}  // namespace

Task<absl::StatusOr<std::string>> Request::ReadAll(size_t limit_bytes) {
  const absl::Status too_long = absl::ResourceExhaustedError(
      absl::StrCat("the body has more than ", limit_bytes, " bytes"));
  if (content_length().value_or(0) > limit_bytes) co_return too_long;
  std::string body;
  while (true) {
    const size_t size = body.size();
    // One more than there may be: the end is only known by reading it.
    const size_t room = std::min(kPiece, limit_bytes - size + 1);
    body.resize(size + room);
    Task<absl::StatusOr<size_t>> read =
        Read(std::as_writable_bytes(std::span(body).subspan(size)));
    const absl::StatusOr<size_t> n = co_await std::move(read);
    if (!n.ok()) co_return n.status();
    body.resize(size + *n);
    if (*n == 0) co_return std::move(body);
    if (body.size() > limit_bytes) co_return too_long;
  }
}

}  // namespace ringway::http
