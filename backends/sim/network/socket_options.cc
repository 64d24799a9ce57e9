// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/network/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace ringway::sim {
namespace {

constexpr int kLeastBuffer = 4096;

bool IsKept(int level, int option) {
  if (level == SOL_SOCKET) {
    return option == SO_REUSEADDR || option == SO_REUSEPORT ||
           option == SO_KEEPALIVE || option == SO_SNDBUF ||
           option == SO_RCVBUF || option == SO_TIMESTAMPNS;
  }
  if (level == IPPROTO_TCP) {
    return option == TCP_NODELAY || option == TCP_KEEPIDLE ||
           option == TCP_KEEPINTVL || option == TCP_KEEPCNT ||
           option == TCP_USER_TIMEOUT || option == TCP_CORK ||
           option == TCP_QUICKACK || option == TCP_DEFER_ACCEPT ||
           option == TCP_FASTOPEN;
  }
  if (level == IPPROTO_IP) return option == IP_TOS;
  return false;
}

// Reads as 0 or 1, whatever value it was set to.
bool IsFlag(int level, int option) {
  if (level == IPPROTO_TCP) return option == TCP_NODELAY || option == TCP_CORK;
  return option == SO_REUSEADDR || option == SO_REUSEPORT ||
         option == SO_KEEPALIVE || option == SO_TIMESTAMPNS;
}

bool IsBuffer(int level, int option) {
  return level == SOL_SOCKET && (option == SO_SNDBUF || option == SO_RCVBUF);
}

bool IsLinger(int level, int option) {
  return level == SOL_SOCKET && option == SO_LINGER;
}

int Copy(const void* from, size_t n_bytes, void* to, socklen_t& length) {
  length = static_cast<socklen_t>(std::min<size_t>(length, n_bytes));
  memcpy(to, from, length);
  return 0;
}

}  // namespace

int SocketOptions::Set(int level, int option, const void* value,
                       socklen_t length) {
  if (IsLinger(level, option)) {
    if (length < sizeof(linger_)) return -EINVAL;
    linger time;
    memcpy(&time, value, sizeof(time));
    linger_.l_onoff = time.l_onoff != 0 ? 1 : 0;
    if (time.l_onoff != 0) linger_.l_linger = time.l_linger;
    return 0;
  }
  if (!IsKept(level, option)) return -ENOPROTOOPT;
  if (length < sizeof(int)) return -EINVAL;
  int kept;
  memcpy(&kept, value, sizeof(kept));
  if (IsFlag(level, option)) kept = kept != 0 ? 1 : 0;
  // As on Linux, which doubles it for its overhead.
  if (IsBuffer(level, option))
    kept = std::clamp(kept, kLeastBuffer / 2, INT_MAX / 2) * 2;
  values_[{level, option}] = kept;
  return 0;
}

int SocketOptions::Get(int level, int option, void* value,
                       socklen_t& length) const {
  if (IsLinger(level, option))
    return Copy(&linger_, sizeof(linger_), value, length);
  if (!IsKept(level, option)) return -ENOPROTOOPT;
  const int kept = Value(level, option, 0);
  return Copy(&kept, sizeof(kept), value, length);
}

int SocketOptions::Value(int level, int option, int otherwise) const {
  const auto found = values_.find({level, option});
  return found == values_.end() ? otherwise : found->second;
}

size_t SocketOptions::BufferBytes(int option, size_t otherwise) const {
  const int set = Value(SOL_SOCKET, option, 0);
  return set == 0 ? otherwise : static_cast<size_t>(set);
}

}  // namespace ringway::sim
