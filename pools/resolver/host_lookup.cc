// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/resolver/host_lookup.h"

#include <netdb.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway {
namespace {

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case EAI_NONAME:
    case EAI_NODATA:
      return absl::StatusCode::kNotFound;
    case EAI_FAMILY:
    case EAI_BADFLAGS:
    case EAI_OVERFLOW:
      return absl::StatusCode::kInvalidArgument;
    case EAI_MEMORY:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

absl::Status Failed(int error, int error_number, const std::string& what) {
  if (error == EAI_SYSTEM) return ErrnoToStatus(error_number, what);
  return absl::Status(CodeOf(error),
                      absl::StrCat(what, ": ", gai_strerror(error)));
}

}  // namespace

absl::StatusOr<std::vector<HostAddress>> LookUpHost(const std::string& host) {
  if (host.empty() || host.find('\0') != std::string::npos)
    return absl::InvalidArgumentError("an empty host, or one with a NUL byte");
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;  // else each comes once for each type
  // Without AI_ADDRCONFIG, which drops addresses by what interfaces there are,
  // the loopback interface left out: unreachable ones come last anyway.
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  const std::string what = absl::StrCat("look up \"", host, "\"");
  if (error != 0) return Failed(error, errno, what);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found,
                                                                 &freeaddrinfo);
  std::vector<HostAddress> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
    HostAddress& address = addresses.emplace_back();
    memcpy(&address.address, each->ai_addr, each->ai_addrlen);
    address.n_bytes = each->ai_addrlen;
  }
  if (addresses.empty()) return Failed(EAI_NODATA, 0, what);
  return addresses;
}

absl::StatusOr<std::string> LookUpName(const HostAddress& address) {
  const int family = address.address.ss_family;
  if (family != AF_INET && family != AF_INET6)
    return absl::InvalidArgumentError("no address of a host");
  char name[NI_MAXHOST];
  const int error =
      getnameinfo(reinterpret_cast<const sockaddr*>(&address.address),
                  address.n_bytes, name, sizeof(name), nullptr, 0, NI_NAMEREQD);
  if (error != 0) return Failed(error, errno, "look up the name of a host");
  return std::string(name);
}

}  // namespace ringway
