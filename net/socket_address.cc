// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <compare>
#include <cstddef>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ringway/core/errno_status.h"

namespace ringway::net {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kUnixPrefix = "unix:";

// ::ffff:0:0/96, RFC 4291, 2.5.5.2.
constexpr std::string_view kMappedPrefix = "\0\0\0\0\0\0\0\0\0\0\xff\xff"sv;
constexpr std::string_view kZeros = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv;
constexpr std::string_view kV6Loopback = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"sv;
static_assert(kMappedPrefix.size() == 12 && kZeros.size() == 16 &&
              kV6Loopback.size() == 16);

// The first `bits` bits of an address. Default: of no address.
struct Leading {
  std::string_view bytes;
  int bits = -1;

  bool Match(std::string_view address) const {
    if (bits < 0) return false;
    const size_t whole = static_cast<size_t>(bits) / 8;
    if (address.substr(0, whole) != bytes.substr(0, whole)) return false;
    const int rest = bits % 8;
    if (rest == 0) return true;
    const unsigned different =
        static_cast<unsigned char>(address[whole] ^ bytes[whole]);
    return different >> (8 - rest) == 0;
  }
};

bool IsIn(const SocketAddress& address, Leading v4, Leading v6) {
  const SocketAddress unmapped = address.Unmapped();
  switch (unmapped.family()) {
    case AF_INET:
      return v4.Match(unmapped.Bytes());
    case AF_INET6:
      return v6.Match(unmapped.Bytes());
    default:
      return false;
  }
}

// Escaped: a NUL would cut off the rest of a message when it is printed, and
// other bytes are commands to terminals.
std::string Quoted(std::string_view text) {
  return absl::StrCat("\"", absl::Utf8SafeCEscape(text), "\"");
}

absl::Status Bad(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(Quoted(text), " is not an address: ", why));
}

// SimpleAtoi accepts signs and blanks, which addresses must not contain.
bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
}

absl::StatusOr<uint16_t> ParsePort(std::string_view text,
                                   std::string_view port) {
  uint32_t value = 0;
  if (!AllDigits(port) || port.size() > 5 || !absl::SimpleAtoi(port, &value) ||
      value > 65535) {
    return Bad(text, absl::StrCat("the port is ", Quoted(port),
                                  ", must be 0 to 65535"));
  }
  return static_cast<uint16_t>(value);
}

absl::StatusOr<uint32_t> ParseScope(std::string_view text,
                                    std::string_view scope) {
  uint32_t index = 0;
  if (scope.empty()) return Bad(text, "the scope after % is empty");
  if (AllDigits(scope) && absl::SimpleAtoi(scope, &index)) return index;
  index = if_nametoindex(std::string(scope).c_str());
  if (index != 0) return index;
  return absl::NotFoundError(absl::StrCat(Quoted(text), " names interface ",
                                          Quoted(scope),
                                          ", which does not exist"));
}

// Parses `host`, which stands in `text`.
absl::StatusOr<SocketAddress> V6(std::string_view text, std::string_view host,
                                 uint16_t port) {
  sockaddr_in6 v6 = {};
  if (const size_t percent = host.find('%');
      percent != std::string_view::npos) {
    absl::StatusOr<uint32_t> scope = ParseScope(text, host.substr(percent + 1));
    if (!scope.ok()) return scope.status();
    v6.sin6_scope_id = *scope;
    host = host.substr(0, percent);
  }
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (inet_pton(AF_INET6, std::string(host).c_str(), &v6.sin6_addr) != 1) {
    return Bad(text, absl::StrCat(Quoted(host), " is not an IPv6 address"));
  }
  return SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&v6),
                                     sizeof(v6));
}

// True if a number begins with a 0, which some programs read as octal.
bool HasLeadingZero(std::string_view host) {
  for (const std::string_view part : absl::StrSplit(host, '.')) {
    if (part.size() > 1 && part[0] == '0' && AllDigits(part)) return true;
  }
  return false;
}

absl::StatusOr<SocketAddress> V4(std::string_view text, std::string_view host,
                                 uint16_t port) {
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (inet_pton(AF_INET, std::string(host).c_str(), &v4.sin_addr) == 1) {
    return SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&v4),
                                       sizeof(v4));
  }
  return Bad(
      text, absl::StrCat(Quoted(host), " is not an IPv4 address (",
                         HasLeadingZero(host) ? "a number in it begins with a 0"
                                              : "names must be resolved first",
                         ")"));
}

absl::StatusOr<SocketAddress> ParseV6(std::string_view text) {
  const size_t close = text.find(']');
  if (close == std::string_view::npos || close + 1 >= text.size() ||
      text[close + 1] != ':') {
    return Bad(text, "expected [IPv6]:port");
  }
  absl::StatusOr<uint16_t> port = ParsePort(text, text.substr(close + 2));
  if (!port.ok()) return port.status();
  return V6(text, text.substr(1, close - 1), *port);
}

absl::StatusOr<SocketAddress> ParseV4(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Bad(text, "expected host:port");
  const std::string_view host = text.substr(0, colon);
  if (host.find(':') != std::string_view::npos) {
    return Bad(text, "an IPv6 address needs brackets: [address]:port");
  }
  absl::StatusOr<uint16_t> port = ParsePort(text, text.substr(colon + 1));
  if (!port.ok()) return port.status();
  return V4(text, host, *port);
}

absl::StatusOr<SocketAddress> NameOf(
    SocketCalls& sockets, int fd, std::string_view call,
    int (SocketCalls::*get)(int, sockaddr_storage&, socklen_t&)) {
  sockaddr_storage name;
  socklen_t length = 0;
  if (const int error = (sockets.*get)(fd, name, length); error < 0)
    return ErrnoToStatus(-error, absl::StrCat(call, " of fd ", fd));
  return SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&name),
                                     length);
}

}  // namespace

absl::StatusOr<SocketAddress> SocketAddress::Parse(std::string_view text) {
  if (absl::StartsWith(text, kUnixPrefix))
    return Unix(text.substr(kUnixPrefix.size()));
  if (text.find('\0') != std::string_view::npos)
    return Bad(text, "it contains a NUL");
  if (absl::StartsWith(text, "[")) return ParseV6(text);
  return ParseV4(text);
}

absl::StatusOr<SocketAddress> SocketAddress::Ip(std::string_view host,
                                                uint16_t port) {
  if (host.find('\0') != std::string_view::npos)
    return Bad(host, "it contains a NUL");
  return host.find(':') != std::string_view::npos ? V6(host, host, port)
                                                  : V4(host, host, port);
}

absl::StatusOr<SocketAddress> SocketAddress::Unix(std::string_view path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path == "@")
    return Bad(path, "a Unix socket needs a name");
  if (path.find('\0') != std::string_view::npos)
    return Bad(path, "it contains a NUL");
  if (path.size() >= sizeof(address.sun_path)) {
    return Bad(path, absl::StrCat("a Unix socket's name has at most ",
                                  sizeof(address.sun_path) - 1,
                                  " bytes, this has ", path.size()));
  }
  memcpy(address.sun_path, path.data(), path.size());
  const bool abstract = path[0] == '@';
  if (abstract) address.sun_path[0] = '\0';
  // An abstract name has an explicit length; a path ends with a NUL.
  const size_t length =
      offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1);
  return FromSockaddr(reinterpret_cast<const sockaddr*>(&address),
                      static_cast<socklen_t>(length));
}

SocketAddress SocketAddress::FromSockaddr(const sockaddr* address,
                                          socklen_t length) {
  SocketAddress result;
  result.length_ = std::min<socklen_t>(length, sizeof(result.storage_));
  memcpy(&result.storage_, address, result.length_);
  return result;
}

absl::StatusOr<SocketAddress> SocketAddress::LocalOf(SocketCalls& sockets,
                                                     int fd) {
  return NameOf(sockets, fd, "getsockname", &SocketCalls::LocalName);
}

absl::StatusOr<SocketAddress> SocketAddress::PeerOf(SocketCalls& sockets,
                                                    int fd) {
  return NameOf(sockets, fd, "getpeername", &SocketCalls::PeerName);
}

std::string SocketAddress::unix_path() const {
  constexpr size_t kOffset = offsetof(sockaddr_un, sun_path);
  if (!is_unix() || length_ <= kOffset) return {};
  const char* path = reinterpret_cast<const sockaddr_un&>(storage_).sun_path;
  return std::string(path, strnlen(path, length_ - kOffset));
}

uint16_t SocketAddress::port() const {
  // sin_port and sin6_port are at the same offset.
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage_);
  return family() == AF_INET || family() == AF_INET6 ? ntohs(v4.sin_port) : 0;
}

SocketAddress SocketAddress::WithPort(uint16_t port) const {
  SocketAddress result = *this;
  if (family() == AF_INET || family() == AF_INET6) {
    reinterpret_cast<sockaddr_in&>(result.storage_).sin_port = htons(port);
  }
  return result;
}

uint32_t SocketAddress::scope() const {
  if (family() != AF_INET6) return 0;
  return reinterpret_cast<const sockaddr_in6&>(storage_).sin6_scope_id;
}

std::string_view SocketAddress::Bytes() const {
  switch (family()) {
    case AF_INET: {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage_);
      return {reinterpret_cast<const char*>(&v4.sin_addr), sizeof(v4.sin_addr)};
    }
    case AF_INET6: {
      const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage_);
      return {reinterpret_cast<const char*>(&v6.sin6_addr),
              sizeof(v6.sin6_addr)};
    }
    default: {
      constexpr size_t kOffset = offsetof(sockaddr_un, sun_path);
      const auto* bytes = reinterpret_cast<const char*>(&storage_);
      const size_t length = std::max<size_t>(length_, kOffset);
      return {bytes + kOffset, length - kOffset};
    }
  }
}

SocketAddress SocketAddress::Unmapped() const {
  const std::string_view bytes = Bytes();
  if (family() != AF_INET6 || !absl::StartsWith(bytes, kMappedPrefix))
    return *this;
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port());
  memcpy(&v4.sin_addr, bytes.data() + kMappedPrefix.size(),
         sizeof(v4.sin_addr));
  return FromSockaddr(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
}

bool SocketAddress::is_loopback() const {
  return IsIn(*this, {"\x7f"sv, 8}, {kV6Loopback, 128});
}

bool SocketAddress::is_private() const {
  return IsIn(*this, {"\x0a"sv, 8}, {"\xfc"sv, 7}) ||
         IsIn(*this, {"\xac\x10"sv, 12}, {}) ||
         IsIn(*this, {"\xc0\xa8"sv, 16}, {});
}

bool SocketAddress::is_link_local() const {
  return IsIn(*this, {"\xa9\xfe"sv, 16}, {"\xfe\x80"sv, 10});
}

bool SocketAddress::is_multicast() const {
  return IsIn(*this, {"\xe0"sv, 4}, {"\xff"sv, 8});
}

bool SocketAddress::is_unspecified() const {
  return IsIn(*this, {kZeros.substr(0, 4), 32}, {kZeros, 128});
}

std::string SocketAddress::host() const {
  char host[INET6_ADDRSTRLEN] = "";
  if (family() != AF_INET && family() != AF_INET6) return {};
  inet_ntop(family(), Bytes().data(), host, sizeof(host));
  if (scope() == 0) return host;
  char name[IF_NAMESIZE];
  if (if_indextoname(scope(), name) != nullptr)
    return absl::StrCat(host, "%", name);
  return absl::StrCat(host, "%", scope());
}

std::string SocketAddress::ToString() const {
  switch (family()) {
    case AF_INET:
      return absl::StrCat(host(), ":", port());
    case AF_INET6:
      return absl::StrCat("[", host(), "]:", port());
    case AF_UNIX: {
      const auto& un = reinterpret_cast<const sockaddr_un&>(storage_);
      const size_t n =
          length_ - std::min<size_t>(length_, offsetof(sockaddr_un, sun_path));
      if (n == 0) return "unix:";
      if (un.sun_path[0] != '\0') {
        return absl::StrCat(
            kUnixPrefix,
            std::string_view(un.sun_path, strnlen(un.sun_path, n)));
      }
      return absl::StrCat(kUnixPrefix, "@",
                          std::string_view(un.sun_path + 1, n - 1));
    }
    default:
      return "no address";
  }
}

std::strong_ordering operator<=>(const SocketAddress& a,
                                 const SocketAddress& b) {
  if (const auto order = a.family() <=> b.family(); order != 0) return order;
  if (const auto order = a.Bytes() <=> b.Bytes(); order != 0) return order;
  if (const auto order = a.port() <=> b.port(); order != 0) return order;
  return a.scope() <=> b.scope();
}

}  // namespace ringway::net
