// SPDX-License-Identifier: Apache-2.0
//
// Conversions of test data to system call arguments.

#ifndef RINGWAY_BACKENDS_TESTING_VIEWS_H_
#define RINGWAY_BACKENDS_TESTING_VIEWS_H_

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <span>
#include <string_view>

namespace ringway::testing {

inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline const sockaddr* AsSockaddr(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

inline const sockaddr* AsSockaddr(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_VIEWS_H_
