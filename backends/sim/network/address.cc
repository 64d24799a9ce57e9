// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/network/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ringway::sim {
namespace {

constexpr size_t kPathOffset = offsetof(sockaddr_un, sun_path);

int ParseIpv4(const void* data, Address* out) {
  sockaddr_in in;
  memcpy(&in, data, sizeof(in));
  out->ip = ntohl(in.sin_addr.s_addr);
  out->port = ntohs(in.sin_port);
  return 0;
}

int ParseUnix(const void* data, size_t n_bytes, Address* out) {
  if (n_bytes > sizeof(sockaddr_un)) return -EINVAL;
  const char* path = static_cast<const char*>(data) + kPathOffset;
  const size_t room = n_bytes - std::min(n_bytes, kPathOffset);
  const bool is_abstract = room > 0 && path[0] == '\0';
  out->path.assign(path, is_abstract ? room : strnlen(path, room));
  return 0;
}

}  // namespace

int Address::Parse(const void* data, size_t n_bytes, sa_family_t family,
                   Address* out) {
  if (data == nullptr) return -EFAULT;
  if (n_bytes < sizeof(sa_family_t)) return -EINVAL;
  memcpy(&out->family, data, sizeof(out->family));
  // Linux checks the length first.
  if (family == AF_INET && n_bytes < sizeof(sockaddr_in)) return -EINVAL;
  if (out->family != family) {
    return family == AF_UNIX ? -EINVAL : -EAFNOSUPPORT;
  }
  if (family == AF_INET) return ParseIpv4(data, out);
  return ParseUnix(data, n_bytes, out);
}

socklen_t Address::Store(void* out, socklen_t room) const {
  sockaddr_un un = {};
  sockaddr_in in = {};
  const void* data = &un;
  size_t length = sizeof(sa_family_t);
  if (family == AF_INET) {
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    in.sin_addr.s_addr = htonl(ip);
    data = &in;
    length = sizeof(in);
  } else if (!path.empty()) {
    memcpy(un.sun_path, path.data(),
           std::min(path.size(), sizeof(un.sun_path)));
    length = kPathOffset + path.size() + (is_abstract() ? 0 : 1);
  }
  un.sun_family = family;
  if (out != nullptr) memcpy(out, data, std::min<size_t>(room, length));
  return static_cast<socklen_t>(length);
}

}  // namespace ringway::sim
