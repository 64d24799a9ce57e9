// SPDX-License-Identifier: Apache-2.0
//
// SocketOptions: the options of a simulated socket, by setsockopt(2)'s names.

#ifndef RINGWAY_BACKENDS_SIM_NETWORK_SOCKET_OPTIONS_H_
#define RINGWAY_BACKENDS_SIM_NETWORK_SOCKET_OPTIONS_H_

#include <sys/socket.h>

#include <cstddef>
#include <map>
#include <utility>

namespace ringway::sim {

// Implemented options, and options without effect here (TCP_NODELAY,
// keep-alive), whose values are stored. All others are ENOPROTOOPT.
class SocketOptions {
 public:
  // As setsockopt() and getsockopt(): 0 or -errno.
  int Set(int level, int option, const void* value, socklen_t length);
  int Get(int level, int option, void* value, socklen_t& length) const;

  bool timestamps() const { return Value(SOL_SOCKET, SO_TIMESTAMPNS, 0) != 0; }
  bool reuse_port() const { return Value(SOL_SOCKET, SO_REUSEPORT, 0) != 0; }
  // True if closing resets the connection.
  bool resets_on_close() const { return linger_.l_onoff && !linger_.l_linger; }
  // True if closing waits until everything has been sent.
  bool lingers_on_close() const { return linger_.l_onoff && linger_.l_linger; }
  // The buffer size in bytes; `otherwise` if it was not set.
  size_t send_buffer(size_t otherwise) const {
    return BufferBytes(SO_SNDBUF, otherwise);
  }
  size_t receive_buffer(size_t otherwise) const {
    return BufferBytes(SO_RCVBUF, otherwise);
  }

 private:
  int Value(int level, int option, int otherwise) const;
  size_t BufferBytes(int option, size_t otherwise) const;

  std::map<std::pair<int, int>, int> values_;
  linger linger_ = {};
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_NETWORK_SOCKET_OPTIONS_H_
