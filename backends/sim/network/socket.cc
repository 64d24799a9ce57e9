// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/network/socket.h"

#include <algorithm>
#include <cstring>

namespace ringway::sim {

int Socket::SetOption(int level, int option, const void* value,
                      socklen_t length) {
  const int error = options_.Set(level, option, value, length);
  if (error == 0) OnOptionsChanged();
  return error;
}

int Socket::GetOption(int level, int option, void* value, socklen_t& length) {
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
  } else {
    return options_.Get(level, option, value, length);
  }
  length = static_cast<socklen_t>(std::min<size_t>(length, sizeof(told)));
  memcpy(value, &told, length);
  return 0;
}

}  // namespace ringway::sim
