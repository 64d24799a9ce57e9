// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/network/socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ringway/backends/sim/environment/environment.h"

namespace ringway::sim {

int Socket::SetOption(int level, int option, const void* value,
                      socklen_t length) {
  if (!HasLevel(level)) return family() == AF_UNIX ? -EOPNOTSUPP : -ENOPROTOOPT;
  const int error = options_.Set(level, option, value, length);
  if (error == 0) OnOptionsChanged();
  return error;
}

bool Socket::HasLevel(int level) const {
  if (level == SOL_SOCKET) return true;
  if (family() != AF_INET) return false;
  return level == IPPROTO_IP || (level == IPPROTO_TCP && type() == SOCK_STREAM);
}

size_t Socket::BufferBytes(int option) const {
  const NetworkConditions& network = environment().network;
  const size_t otherwise = type() == SOCK_DGRAM ? network.datagram_buffer_bytes
                                                : network.stream_buffer_bytes;
  return option == SO_SNDBUF ? options_.send_buffer(otherwise)
                             : options_.receive_buffer(otherwise);
}

int Socket::GetOption(int level, int option, void* value, socklen_t& length) {
  if (!HasLevel(level)) return -EOPNOTSUPP;  // a different errno, as on Linux
  int told = 0;
  const bool is_socket = level == SOL_SOCKET;
  if (is_socket && option == SO_TYPE) {
    told = type();
  } else if (is_socket && option == SO_DOMAIN) {
    told = family();
  } else if (is_socket && option == SO_ACCEPTCONN) {
    told = is_listening() ? 1 : 0;
  } else if (is_socket && option == SO_ERROR) {
    told = TakeError();
  } else if (is_socket && (option == SO_SNDBUF || option == SO_RCVBUF)) {
    told = static_cast<int>(BufferBytes(option));
  } else {
    return options_.Get(level, option, value, length);
  }
  length = static_cast<socklen_t>(std::min<size_t>(length, sizeof(told)));
  memcpy(value, &told, length);
  return 0;
}

}  // namespace ringway::sim
