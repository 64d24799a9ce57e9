// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http1/response_head.h"

#include <array>
#include <charconv>

#include "ringway/http/message/status_code.h"

namespace ringway::http::internal {

namespace {

void AppendNumber(uint64_t number, int base, std::string& to) {
  std::array<char, 20> digits;
  const std::to_chars_result end =
      std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
  to.append(digits.data(), end.ptr);
}

void AppendField(std::string_view name, std::string_view value,
                 std::string& to) {
  to.append(name);
  to.append(": ");
  to.append(value);
  to.append("\r\n");
}

// Whether the connection says this itself.
bool IsOfConnection(std::string_view name, Framing framing) {
  switch (name.size()) {
    case 10:
      return EqualsIgnoringCase(name, "Connection") ||
             EqualsIgnoringCase(name, "Keep-Alive");
    case 14:
      return framing != Framing::kNone &&
             EqualsIgnoringCase(name, "Content-Length");
    case 17:
      return EqualsIgnoringCase(name, "Transfer-Encoding");
    default:
      return false;
  }
}

}  // namespace

void AppendResponseHead(int status_code, const Headers& headers,
                        const ConnectionFields& fields, std::string& to) {
  if (status_code == 200) {
    to.append("HTTP/1.1 200 OK\r\n");
  } else {
    to.append("HTTP/1.1 ");
    AppendNumber(static_cast<uint64_t>(status_code), 10, to);
    to.push_back(' ');
    to.append(ReasonPhrase(status_code));
    to.append("\r\n");
  }
  bool has_server = fields.server.empty();
  bool has_date = fields.date.empty();
  bool has_type = !fields.default_type;
  bool has_upgrade = false;
  for (const Header header : headers) {
    if (IsOfConnection(header.name, fields.framing)) continue;
    has_server = has_server || EqualsIgnoringCase(header.name, "Server");
    has_date = has_date || EqualsIgnoringCase(header.name, "Date");
    has_type = has_type || EqualsIgnoringCase(header.name, "Content-Type");
    has_upgrade = has_upgrade || EqualsIgnoringCase(header.name, "Upgrade");
    AppendField(header.name, header.value, to);
  }
  if (!has_type) to.append("Content-Type: text/plain; charset=utf-8\r\n");
  if (!has_server) AppendField("Server", fields.server, to);
  if (!has_date) AppendField("Date", fields.date, to);
  switch (fields.framing) {
    case Framing::kLength:
      to.append("Content-Length: ");
      AppendNumber(fields.content_length, 10, to);
      to.append("\r\n");
      break;
    case Framing::kChunked:
      to.append("Transfer-Encoding: chunked\r\n");
      break;
    case Framing::kNone:
    case Framing::kClose:
      break;
  }
  if (has_upgrade) to.append("Connection: Upgrade\r\n");
  if (fields.close) {
    to.append("Connection: close\r\n");
  } else if (fields.keep_alive) {
    to.append("Connection: keep-alive\r\n");
  }
  to.append("\r\n");
}

void AppendChunkStart(size_t n_bytes, std::string& to) {
  AppendNumber(n_bytes, 16, to);
  to.append("\r\n");
}

void AppendLastChunk(const Headers& trailers, std::string& to) {
  to.append("0\r\n");
  for (const Header trailer : trailers)
    AppendField(trailer.name, trailer.value, to);
  to.append("\r\n");
}

}  // namespace ringway::http::internal
