// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/file_response.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "ringway/core/check.h"
#include "ringway/http/files/protocol/byte_ranges.h"
#include "ringway/http/files/protocol/conditions.h"
#include "ringway/http/files/protocol/multipart.h"
#include "ringway/http/files/representation.h"
#include "ringway/http/message/method.h"

namespace ringway::http::internal {

namespace {

// Of a part of a multipart body, which no kernel sends.
constexpr uint64_t kPieceBytes = 64 * 1024;

void SetFields(const Headers& fields, ResponseWriter& response) {
  Headers& headers = response.headers();
  if (headers.empty()) {
    headers = fields;  // in the memory that it has
    return;
  }
  for (const Header field : fields) headers.Set(field.name, field.value);
}

std::string MakeBoundary() {
  std::array<char, 16> random;
  RINGWAY_CHECK(getentropy(random.data(), random.size()) == 0, "getentropy");
  return absl::BytesToHexString({random.data(), random.size()});
}

Task<absl::Status> SendText(ResponseWriter& response, int status_code,
                            std::string_view text) {
  response.headers().Set("Content-Type", "text/plain; charset=utf-8");
  Task<absl::Status> send = response.Send(status_code, text);
  co_return co_await std::move(send);
}

// One range, or the whole, with the fields that are set.
Task<absl::Status> SendRange(const Request& request, ResponseWriter& response,
                             int status_code, const Representation& what,
                             ByteRange range, uint64_t small_file_bytes) {
  if (what.content.has_value()) {
    const std::string_view content = *what.content;
    Task<absl::Status> send =
        response.Send(status_code, content.substr(range.offset, range.n_bytes));
    co_return co_await std::move(send);
  }
  // Of HEAD nothing is read.
  if (range.n_bytes > small_file_bytes || request.method() == Method::kHead) {
    Task<absl::Status> send =
        response.SendFile(status_code, what.file->fd(),
                          static_cast<int64_t>(range.offset), range.n_bytes);
    co_return co_await std::move(send);
  }
  Task<absl::StatusOr<std::string>> read =
      ReadPart(what, range.offset, range.n_bytes);
  const absl::StatusOr<std::string> part = co_await std::move(read);
  if (!part.ok()) co_return part.status();
  Task<absl::Status> send = response.Send(status_code, *part);
  co_return co_await std::move(send);
}

Task<absl::Status> SendMultipart(ResponseWriter& response,
                                 const Representation& what,
                                 std::span<const ByteRange> ranges) {
  const std::string boundary = MakeBoundary();
  const Multipart multipart(boundary, what.content_type, what.size, ranges);
  response.headers().Set("Content-Type", multipart.Type());
  response.headers().Set("Content-Length",
                         absl::StrCat(multipart.ContentLength()));
  Task<absl::Status> start = response.Start(206);
  absl::Status status = co_await std::move(start);
  std::string buffer;
  for (ByteRange left : ranges) {
    buffer += multipart.PartHead(left);
    while (status.ok() && left.n_bytes > 0) {
      const uint64_t n = std::min(left.n_bytes, kPieceBytes);
      Task<absl::Status> read = AppendPart(what, left.offset, n, buffer);
      status = co_await std::move(read);
      left = {left.offset + n, left.n_bytes - n};
      if (!status.ok() || buffer.size() < kPieceBytes) continue;
      Task<absl::Status> write = response.Write(buffer);
      status = co_await std::move(write);
      buffer.clear();
    }
    if (!status.ok()) co_return status;
  }
  buffer += multipart.End();
  Task<absl::Status> write = response.Write(buffer);
  status = co_await std::move(write);
  if (!status.ok()) co_return status;
  Task<absl::Status> finish = response.Finish();
  co_return co_await std::move(finish);
}

// Range is for GET only (RFC 9110, section 14.2).
RequestedRanges FindRanges(const Request& request, const Representation& what,
                           const FilesOptions& options, absl::Time now) {
  const Headers& fields = request.headers();
  const std::optional<std::string_view> field = fields.Find("Range");
  // What is made for the request has a weak tag, and no ranges.
  if (!field.has_value() || request.method() != Method::kGet || what.weak ||
      fields.Count("Range") > 1 ||
      !RangeApplies(fields, what.validators(), now)) {
    return {};
  }
  return ParseRanges(*field, what.size, options.max_ranges);
}

}  // namespace

bool IsConditional(const Headers& request) {
  for (const Header field : request) {
    if (absl::StartsWithIgnoreCase(field.name, "If-") ||
        EqualsIgnoringCase(field.name, "Range")) {
      return true;
    }
  }
  return false;
}

Task<absl::Status> SendContent(ResponseWriter& response,
                               SharedRepresentation what) {
  SetFields(what->head, response);
  Task<absl::Status> send = response.Send(200, *what->content);
  co_return co_await std::move(send);
}

Task<absl::Status> Respond(const Request& request, ResponseWriter& response,
                           SharedRepresentation what,
                           const FilesOptions& options) {
  RequestedRanges requested;
  if (IsConditional(request.headers())) {
    const absl::Time now = absl::Now();
    const Verdict verdict =
        EvaluateConditions(request.headers(), what->validators(), now);
    if (verdict == Verdict::kNotModified) {
      SetFields(what->unchanged, response);
      Task<absl::Status> send = response.Send(304);
      co_return co_await std::move(send);
    }
    if (verdict == Verdict::kPreconditionFailed) {
      Task<absl::Status> send =
          SendText(response, 412, "Precondition Failed\n");
      co_return co_await std::move(send);
    }
    requested = FindRanges(request, *what, options, now);
  }
  using Kind = RequestedRanges::Kind;
  if (requested.kind == Kind::kUnsatisfiable) {
    response.headers().Set("Content-Range", UnsatisfiedRange(what->size));
    Task<absl::Status> send =
        SendText(response, 416, "Range Not Satisfiable\n");
    co_return co_await std::move(send);
  }
  SetFields(what->head, response);
  int status_code = 200;
  ByteRange range = {0, what->size};
  if (requested.ranges.size() > 1) {
    Task<absl::Status> send = SendMultipart(response, *what, requested.ranges);
    co_return co_await std::move(send);
  }
  if (requested.kind == Kind::kSome) {
    status_code = 206;
    range = requested.ranges.front();
    response.headers().Set("Content-Range", ContentRange(range, what->size));
  }
  Task<absl::Status> send = SendRange(request, response, status_code, *what,
                                      range, options.small_file_bytes);
  co_return co_await std::move(send);
}

}  // namespace ringway::http::internal
