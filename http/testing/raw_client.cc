// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/testing/raw_client.h"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <span>

#include "absl/status/statusor.h"

namespace ringway::http::testing {

std::optional<std::string> RawResponse::Field(std::string_view name) const {
  const std::string line = "\r\n" + std::string(name) + ": ";
  const size_t at = head.find(line);
  if (at == std::string::npos) return std::nullopt;
  const size_t begin = at + line.size();
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

Task<bool> RawClient::Say(std::string bytes) {
  const absl::Status sent =
      co_await stream_.Write(std::as_bytes(std::span(bytes)));
  co_return sent.ok();
}

Task<bool> RawClient::More() {
  std::array<std::byte, 16 * 1024> buffer;
  const absl::StatusOr<size_t> n = co_await stream_.Read(buffer);
  if (!n.ok() || *n == 0) co_return false;
  arrived_.append(reinterpret_cast<const char*>(buffer.data()), *n);
  co_return true;
}

Task<bool> RawClient::Need(size_t n) {
  while (arrived_.size() < n) {
    Task<bool> more = More();
    if (!co_await std::move(more)) co_return false;
  }
  co_return true;
}

Task<size_t> RawClient::Find(std::string_view text, size_t from) {
  while (true) {
    const size_t at = arrived_.find(text, from);
    if (at != std::string::npos) co_return at;
    Task<bool> more = More();
    if (!co_await std::move(more)) co_return std::string::npos;
  }
}

Task<bool> RawClient::AtEnd() {
  if (!arrived_.empty()) co_return false;
  Task<bool> more = More();
  co_return !co_await std::move(more);
}

Task<RawResponse> RawClient::Next(bool to_head) {
  RawResponse response;
  Task<size_t> find = Find("\r\n\r\n", 0);
  const size_t end = co_await std::move(find);
  if (end == std::string::npos) co_return response;
  response.head = arrived_.substr(0, end + 2);
  arrived_.erase(0, end + 4);
  if (!response.head.starts_with("HTTP/1.1 ")) co_return response;
  response.code = std::atoi(response.head.c_str() + 9);
  const std::optional<std::string> length = response.Field("Content-Length");
  const std::optional<std::string> coding = response.Field("Transfer-Encoding");
  if (to_head || response.code < 200 || response.code == 204 ||
      response.code == 304) {
    response.whole = true;
  } else if (coding.has_value()) {
    Task<bool> read = ReadChunks(response);
    response.whole =
        *coding == "chunked" && !length.has_value() && co_await std::move(read);
  } else if (length.has_value()) {
    const size_t n = std::strtoull(length->c_str(), nullptr, 10);
    Task<bool> need = Need(n);
    response.whole = co_await std::move(need);
    response.body = arrived_.substr(0, n);
    arrived_.erase(0, n);
  } else {
    bool more = true;
    while (more) {
      Task<bool> read = More();
      more = co_await std::move(read);
    }
    response.body = std::exchange(arrived_, {});
    response.whole = response.Field("Connection") == "close";
  }
  co_return response;
}

Task<bool> RawClient::ReadChunks(RawResponse& response) {
  while (true) {
    Task<size_t> find = Find("\r\n", 0);
    const size_t line = co_await std::move(find);
    if (line == std::string::npos) co_return false;
    const size_t n = std::strtoull(arrived_.c_str(), nullptr, 16);
    arrived_.erase(0, line + 2);
    if (n == 0) break;
    Task<bool> need = Need(n + 2);
    if (!co_await std::move(need)) co_return false;
    response.body += arrived_.substr(0, n);
    if (arrived_.compare(n, 2, "\r\n") != 0) co_return false;
    arrived_.erase(0, n + 2);
  }
  while (true) {
    Task<size_t> find = Find("\r\n", 0);
    const size_t line = co_await std::move(find);
    if (line == std::string::npos) co_return false;
    response.trailers += arrived_.substr(0, line + 2);
    arrived_.erase(0, line + 2);
    if (line == 0) break;
  }
  response.trailers.resize(response.trailers.size() - 2);
  co_return true;
}

}  // namespace ringway::http::testing
