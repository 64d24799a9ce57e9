// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http1/response_head.h"

#include <charconv>
#include <cstring>

#include "ringway/http/message/status_code.h"

namespace ringway::http::internal {

namespace {

// Writes where there is room.
class Writer {
 public:
  explicit Writer(char* at) : at_(at) {}
  char* at() const { return at_; }

  void Text(std::string_view text) {
    memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void Number(uint64_t number, int base) {
    at_ = std::to_chars(at_, at_ + kMostDigits, number, base).ptr;
  }
  void Field(std::string_view name, std::string_view value) {
    Text(name);
    Text(": ");
    Text(value);
    Text("\r\n");
  }

  static constexpr size_t kMostDigits = 20;
  static size_t SizeOf(std::string_view name, std::string_view value) {
    return name.size() + value.size() + 4;
  }

 private:
  char* at_;
};

// Appends what `write` does, at most `n_most` bytes: a string that grows for
// each part costs twice as much.
template <typename F>
void AppendWritten(size_t n_most, std::string& to, F write) {
  const size_t n_before = to.size();
  to.resize(n_before + n_most);
  Writer writer(to.data() + n_before);
  write(writer);
  to.resize(static_cast<size_t>(writer.at() - to.data()));
}

size_t SizeOf(const Headers& headers) {
  size_t n = 0;
  for (const Header header : headers)
    n += Writer::SizeOf(header.name, header.value);
  return n;
}

constexpr std::string_view kTextType =
    "Content-Type: text/plain; charset=utf-8\r\n";
constexpr std::string_view kContentLength = "Content-Length: ";
constexpr std::string_view kChunked = "Transfer-Encoding: chunked\r\n";
constexpr std::string_view kUpgrade = "Connection: Upgrade\r\n";
constexpr std::string_view kClose = "Connection: close\r\n";
constexpr std::string_view kKeepAlive = "Connection: keep-alive\r\n";

// The most that a connection says, beside texts that it is given: the line's
// constants, the status, the fields above, and two names of fields.
constexpr size_t kMostOfConnection =
    std::string_view("HTTP/1.1  \r\n").size() + Writer::kMostDigits +
    kTextType.size() + kContentLength.size() + Writer::kMostDigits +
    kChunked.size() + kUpgrade.size() + kKeepAlive.size() +
    std::string_view("Server: \r\nDate: \r\n\r\n\r\n").size();

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
  const std::string_view phrase =
      status_code == 200 ? "OK" : ReasonPhrase(status_code);
  const size_t n_most = kMostOfConnection + phrase.size() + SizeOf(headers) +
                        fields.server.size() + fields.date.size();
  AppendWritten(n_most, to, [&](Writer& writer) {
    writer.Text("HTTP/1.1 ");
    writer.Number(static_cast<uint64_t>(status_code), 10);
    writer.Text(" ");
    writer.Text(phrase);
    writer.Text("\r\n");
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
      writer.Field(header.name, header.value);
    }
    if (!has_type) writer.Text(kTextType);
    if (!has_server) writer.Field("Server", fields.server);
    if (!has_date) writer.Field("Date", fields.date);
    switch (fields.framing) {
      case Framing::kLength:
        writer.Text(kContentLength);
        writer.Number(fields.content_length, 10);
        writer.Text("\r\n");
        break;
      case Framing::kChunked:
        writer.Text(kChunked);
        break;
      case Framing::kNone:
      case Framing::kClose:
        break;
    }
    if (has_upgrade) writer.Text(kUpgrade);
    if (fields.close) {
      writer.Text(kClose);
    } else if (fields.keep_alive) {
      writer.Text(kKeepAlive);
    }
    writer.Text("\r\n");
  });
}

void AppendChunkStart(size_t n_bytes, std::string& to) {
  AppendWritten(Writer::kMostDigits + 2, to, [&](Writer& writer) {
    writer.Number(n_bytes, 16);
    writer.Text("\r\n");
  });
}

void AppendLastChunk(const Headers& trailers, std::string& to) {
  AppendWritten(SizeOf(trailers) + 5, to, [&](Writer& writer) {
    writer.Text("0\r\n");
    for (const Header trailer : trailers)
      writer.Field(trailer.name, trailer.value);
    writer.Text("\r\n");
  });
}

}  // namespace ringway::http::internal
