// SPDX-License-Identifier: Apache-2.0
//
// OptionSetter: sets several options of a socket, until one fails.

#ifndef RINGWAY_NET_SOCKET_OPTION_SETTER_H_
#define RINGWAY_NET_SOCKET_OPTION_SETTER_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/backends/socket_calls.h"

namespace ringway::net::internal {

class OptionSetter {
 public:
  OptionSetter(SocketCalls& sockets, int fd) : sockets_(sockets), fd_(fd) {}

  // OK, or what failed first: the errno of setsockopt(2), or InvalidArgument
  // for a value out of range, naming the option. Nothing is set after that.
  const absl::Status& status() const { return status_; }

  // `name` is that of `option`, for errors.
  void Set(int level, int option, const void* value, socklen_t length,
           std::string_view name);
  void SetInt(int level, int option, int value, std::string_view name) {
    Set(level, option, &value, sizeof(value), name);
  }
  // `value`, which has to be within [low, high].
  void SetWithin(int level, int option, int64_t value, int64_t low,
                 int64_t high, std::string_view name);
  // Unless it is empty.
  void SetText(int level, int option, std::string_view value,
               std::string_view name);

  // What streams and datagram sockets have in common; nothing if not set.
  void SetBuffers(const std::optional<size_t>& send_bytes,
                  const std::optional<size_t>& receive_bytes);
  void SetTypeOfService(int family, const std::optional<int>& value);
  void SetDevice(std::string_view device);

 private:
  SocketCalls& sockets_;
  const int fd_;
  absl::Status status_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_SOCKET_OPTION_SETTER_H_
