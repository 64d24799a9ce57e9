// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/message/target.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace ringway::http {

namespace {

absl::Status Refuse(const char* why) { return absl::InvalidArgumentError(why); }

template <typename Test>
constexpr std::array<bool, 256> MakeCharacters(Test is_one) {
  std::array<bool, 256> is = {};
  for (int c = 0; c < 128; ++c)
    is[static_cast<size_t>(c)] = is_one(static_cast<char>(c));
  return is;
}

bool IsAll(std::string_view text, const std::array<bool, 256>& characters) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return characters[static_cast<unsigned char>(c)];
  });
}

// RFC 3986: what a path or query may have besides percent-encoded bytes. Some
// more that browsers send as they are, such as "|", are let through.
constexpr std::array<bool, 256> kTargetCharacters = MakeCharacters([](char c) {
  return c > 0x20 && c < 0x7f && c != '#' && c != '"' && c != '<' && c != '>' &&
         c != '\\';
});

constexpr std::array<bool, 256> kHostCharacters = MakeCharacters([](char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z') ||
         std::string_view("-._~!$&'()*+,;=%").find(c) != std::string_view::npos;
});

bool HasGoodEscapes(std::string_view text) {
  for (size_t i = text.find('%'); i != std::string_view::npos;
       i = text.find('%', i + 1)) {
    if (i + 2 >= text.size() ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2]))) {
      return false;
    }
  }
  return true;
}

int ValueOf(char digit) {
  if (digit <= '9') return digit - '0';
  return (digit | 0x20) - 'a' + 10;
}

// "/path?query" into both parts.
absl::StatusOr<Target> ParseOrigin(std::string_view text) {
  if (!IsAll(text, kTargetCharacters))
    return Refuse("the target has a character that must be encoded");
  Target target;
  const size_t mark = text.find('?');
  target.path = text.substr(0, mark);
  if (mark != std::string_view::npos) target.query = text.substr(mark + 1);
  if (!HasGoodEscapes(target.path))
    return Refuse("the target has a % without two digits");
  return target;
}

// Those of later versions, which RFC 3986 foresees, do not exist.
bool IsIpv6Address(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated = {};
  if (text.size() >= terminated.size()) return false;
  std::copy(text.begin(), text.end(), terminated.begin());
  in6_addr address;
  return text.find('\0') == std::string_view::npos &&
         inet_pton(AF_INET6, terminated.data(), &address) == 1;
}

bool IsPort(std::string_view text) {
  uint32_t port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    port = port * 10 + static_cast<uint32_t>(c - '0');
    if (port > 65535) return false;
  }
  return true;
}

}  // namespace

bool IsAuthority(std::string_view text) {
  if (text.empty()) return true;
  std::string_view rest;
  if (text.front() == '[') {
    const size_t end = text.find(']');
    if (end == std::string_view::npos ||
        !IsIpv6Address(text.substr(1, end - 1))) {
      return false;
    }
    rest = text.substr(end + 1);
  } else {
    const size_t colon = std::min(text.find(':'), text.size());
    const std::string_view host = text.substr(0, colon);
    rest = text.substr(colon);
    if (host.empty() || !IsAll(host, kHostCharacters) || !HasGoodEscapes(host))
      return false;
  }
  return rest.empty() || (rest.front() == ':' && IsPort(rest.substr(1)));
}

absl::StatusOr<Target> ParseTarget(Method method, std::string_view text) {
  if (method == Method::kConnect) {
    const size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon + 1 == text.size() ||
        text.back() == ']' || !IsAuthority(text)) {
      return Refuse("the target of CONNECT is no host and port");
    }
    Target target;
    target.authority = text;
    return target;
  }
  if (text == "*") {
    if (method != Method::kOptions)
      return Refuse("the target * is for OPTIONS only");
    Target target;
    target.path = text;
    return target;
  }
  if (!text.empty() && text.front() == '/') return ParseOrigin(text);

  const size_t scheme = text.find("://");
  if (scheme == std::string_view::npos)
    return Refuse("the target is neither a path nor a URI");
  const std::string_view name = text.substr(0, scheme);
  if (!absl::EqualsIgnoreCase(name, "http") &&
      !absl::EqualsIgnoreCase(name, "https")) {
    return Refuse("the target has another scheme than http and https");
  }
  const std::string_view rest = text.substr(scheme + 3);
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  if (authority.empty() || !IsAuthority(authority))
    return Refuse("the target has no host");
  absl::StatusOr<Target> target = ParseOrigin(rest.substr(end));
  if (!target.ok()) return target.status();
  if (target->path.empty()) {
    // RFC 9112, section 3.2.4.
    target->path =
        method == Method::kOptions && target->query.empty() ? "*" : "/";
  }
  target->authority = authority;
  target->scheme = name;
  return target;
}

absl::StatusOr<std::string> PercentDecode(std::string_view text) {
  if (!HasGoodEscapes(text)) return Refuse("a % without two digits");
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    decoded.push_back(
        static_cast<char>(ValueOf(text[i + 1]) * 16 + ValueOf(text[i + 2])));
    i += 2;
  }
  if (decoded.find('\0') != std::string::npos) return Refuse("an encoded NUL");
  return decoded;
}

std::string PercentEncode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' ||
        c == '~') {
      encoded.push_back(c);
    } else {
      encoded.push_back('%');
      encoded.push_back(kDigits[byte >> 4]);
      encoded.push_back(kDigits[byte & 15]);
    }
  }
  return encoded;
}

std::optional<std::string> FindInQuery(std::string_view query,
                                       std::string_view name) {
  const auto decode = [](std::string_view text) {
    std::string spaced(text);
    std::replace(spaced.begin(), spaced.end(), '+', ' ');
    return PercentDecode(spaced);
  };
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    const absl::StatusOr<std::string> found = decode(pair.substr(0, equals));
    if (!found.ok() || *found != name) continue;
    absl::StatusOr<std::string> value =
        decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!value.ok()) return std::nullopt;
    return *std::move(value);
  }
  return std::nullopt;
}

}  // namespace ringway::http
