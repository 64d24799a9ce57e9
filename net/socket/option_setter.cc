// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/option_setter.h"

#include <netinet/in.h>

#include <algorithm>
#include <climits>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway::net::internal {

void OptionSetter::Set(int level, int option, const void* value,
                       socklen_t length, std::string_view name) {
  if (!status_.ok()) return;
  const int error = sockets_.SetOption(fd_, level, option, value, length);
  if (error != 0)
    status_ = ErrnoToStatus(-error, absl::StrCat("setsockopt ", name));
}

void OptionSetter::SetWithin(int level, int option, int64_t value, int64_t low,
                             int64_t high, std::string_view name) {
  if (!status_.ok()) return;
  if (value < low || value > high) {
    status_ = absl::InvalidArgumentError(
        absl::StrCat(name, "=", value, " is not between ", low, " and ", high));
    return;
  }
  SetInt(level, option, static_cast<int>(value), name);
}

void OptionSetter::SetText(int level, int option, std::string_view value,
                           std::string_view name) {
  if (value.empty() || !status_.ok()) return;
  Set(level, option, value.data(), static_cast<socklen_t>(value.size()),
      absl::StrCat(name, " to ", value));
}

void OptionSetter::SetBuffers(const std::optional<size_t>& send_bytes,
                              const std::optional<size_t>& receive_bytes) {
  // The kernel doubles them.
  constexpr int64_t kMost = INT_MAX / 2;
  const auto capped = [](size_t n_bytes) {
    return static_cast<int64_t>(std::min<size_t>(n_bytes, INT64_MAX));
  };
  if (send_bytes) {
    SetWithin(SOL_SOCKET, SO_SNDBUF, capped(*send_bytes), 1, kMost,
              "SO_SNDBUF");
  }
  if (receive_bytes) {
    SetWithin(SOL_SOCKET, SO_RCVBUF, capped(*receive_bytes), 1, kMost,
              "SO_RCVBUF");
  }
}

void OptionSetter::SetTypeOfService(int family,
                                    const std::optional<int>& value) {
  if (!value) return;
  // What an IPv6 socket sends to IPv4 peers has the former.
  SetWithin(IPPROTO_IP, IP_TOS, *value, 0, 255, "IP_TOS");
  if (family == AF_INET6)
    SetInt(IPPROTO_IPV6, IPV6_TCLASS, *value, "IPV6_TCLASS");
}

void OptionSetter::SetDevice(std::string_view device) {
  SetText(SOL_SOCKET, SO_BINDTODEVICE, device, "SO_BINDTODEVICE");
}

}  // namespace ringway::net::internal
