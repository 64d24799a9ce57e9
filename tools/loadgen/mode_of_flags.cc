// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/mode_of_flags.h"

#include <netdb.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/message/method.h"
#include "ringway/http/message/url.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tls/tls_context.h"
#include "ringway/net/tls/tls_options.h"

namespace ringway::loadgen {
namespace {

// The first address of a name, or the address that it is.
absl::StatusOr<net::SocketAddress> LookUp(const std::string& host,
                                          uint16_t port) {
  absl::StatusOr<net::SocketAddress> address =
      net::SocketAddress::Ip(host, port);
  if (address.ok()) return address;
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return absl::NotFoundError(
        absl::StrCat("looking up ", host, ": ", gai_strerror(error)));
  }
  address = net::SocketAddress::FromSockaddr(found->ai_addr, found->ai_addrlen)
                .WithPort(port);
  freeaddrinfo(found);
  return address;
}

absl::StatusOr<TlsTarget> TlsTargetOf(const WrittenFlags& written,
                                      Protocol protocol, std::string host) {
  net::TlsClientOptions options;
  options.verify = !written.insecure;
  if (!written.ca.empty()) options.roots = net::TlsPem::File(written.ca);
  if (!written.tls_resume) options.session_cache_size = 0;
  if (protocol == Protocol::kHttp1) options.alpn = {"http/1.1"};
  if (protocol == Protocol::kHttp2) options.alpn = {"h2"};
  absl::StatusOr<net::TlsContext> context =
      net::TlsContext::Client(std::move(options));
  if (!context.ok()) return context.status();
  return TlsTarget{*std::move(context), std::move(host),
                   protocol == Protocol::kHttp2 ? "h2" : ""};
}

absl::StatusOr<http::Method> MethodOf(std::string_view name) {
  for (size_t i = 0; i < http::kMethods; ++i) {
    const auto method = static_cast<http::Method>(i);
    if (http::MethodName(method) == name) return method;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", std::string(name), "' is no method"));
}

absl::StatusOr<http::Headers> HeadersOf(
    const std::vector<std::string>& fields) {
  http::Headers headers;
  headers.Set("User-Agent", "ringway-loadgen");
  for (const std::string& field : fields) {
    const size_t colon = field.find(':');
    if (colon == std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("the header '", field, "' is not NAME: VALUE"));
    }
    const std::string_view name = std::string_view(field).substr(0, colon);
    if (http::EqualsIgnoringCase(name, "user-agent")) headers.Remove(name);
    headers.Add(name,
                http::TrimSpaces(std::string_view(field).substr(colon + 1)));
  }
  if (!headers.status().ok()) return headers.status();
  return headers;
}

// All but where it goes.
absl::StatusOr<HttpRequest> RequestOf(const WrittenFlags& written) {
  absl::StatusOr<http::Method> method = MethodOf(written.method);
  if (!method.ok()) return method.status();
  absl::StatusOr<http::Headers> headers = HeadersOf(written.headers);
  if (!headers.ok()) return headers.status();
  HttpRequest request;
  request.method = *method;
  request.headers = *std::move(headers);
  request.body_bytes = static_cast<size_t>(written.body_size);
  request.close = written.short_connections;
  request.compare_bodies = written.compare_bodies;
  return request;
}

// Sets the address of `mode` and, for HTTP, where a request goes. Returns the
// name that a certificate must have; empty if there is none.
absl::StatusOr<std::string> SetPlace(const WrittenFlags& written, Mode& mode) {
  if (written.is_url()) {
    absl::StatusOr<http::Url> url = http::ParseUrl(written.connect);
    if (!url.ok()) return url.status();
    absl::StatusOr<net::SocketAddress> address = LookUp(url->host, url->port);
    if (!address.ok()) return address.status();
    mode.target.address = *address;
    mode.http.authority = url->authority;
    mode.http.target = url->target;
    mode.http.secure = url->secure;
    return url->host;
  }
  absl::StatusOr<net::SocketAddress> address =
      net::SocketAddress::Parse(written.connect);
  if (!address.ok()) return address.status();
  mode.target.address = *address;
  mode.http.authority = address->is_unix() ? "localhost" : address->ToString();
  mode.http.target = written.path;
  mode.http.secure = written.tls;
  return address->is_unix() ? "" : address->host();
}

}  // namespace

absl::StatusOr<Mode> ModeOf(const WrittenFlags& written) {
  Mode mode;
  mode.protocol = *written.ChosenProtocol();
  if (IsHttp(mode.protocol)) {
    absl::StatusOr<HttpRequest> request = RequestOf(written);
    if (!request.ok()) return request.status();
    mode.http = *std::move(request);
  }
  absl::StatusOr<std::string> host = SetPlace(written, mode);
  if (!host.ok()) return host.status();
  if (IsHttp(mode.protocol)) {
    absl::Status sendable = CheckHttpRequest(mode.http);
    if (!sendable.ok()) return sendable;
  }
  if (mode.http.secure) {
    if (!written.tls_name.empty()) host = written.tls_name;
    if (host->empty()) {
      return absl::InvalidArgumentError(
          "a Unix address has no name: --tls needs --tls-name");
    }
    absl::StatusOr<TlsTarget> tls =
        TlsTargetOf(written, mode.protocol, *std::move(host));
    if (!tls.ok()) return tls.status();
    mode.target.tls = *std::move(tls);
  }
  mode.size = static_cast<size_t>(written.size);
  mode.depth = static_cast<size_t>(
      mode.protocol == Protocol::kHttp2 ? written.streams : written.pipeline);
  mode.verify = written.verify;
  mode.loss_timeout = written.loss_timeout;
  return mode;
}

}  // namespace ringway::loadgen
