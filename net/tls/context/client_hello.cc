// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/context/client_hello.h"

#include <algorithm>
#include <cstddef>

namespace ringway::net::internal {
namespace {

size_t Number16(std::span<const uint8_t> bytes, size_t at) {
  return size_t{bytes[at]} << 8 | bytes[at + 1];
}

// What follows a length of two bytes, cut to what there is.
std::span<const uint8_t> Counted(std::span<const uint8_t> bytes) {
  if (bytes.size() < 2) return {};
  return bytes.subspan(2, std::min(Number16(bytes, 0), bytes.size() - 2));
}

}  // namespace

std::string_view HostInExtension(std::span<const uint8_t> extension) {
  constexpr uint8_t kHostName = 0;
  const std::span<const uint8_t> list = Counted(extension);
  if (list.empty() || list[0] != kHostName) return {};
  const std::span<const uint8_t> host = Counted(list.subspan(1));
  return {reinterpret_cast<const char*>(host.data()), host.size()};
}

bool AcceptsEcdsa(std::span<const uint8_t> extension) {
  constexpr size_t kP256 = 0x0403;
  constexpr size_t kP384 = 0x0503;
  constexpr size_t kP521 = 0x0603;
  const std::span<const uint8_t> list = Counted(extension);
  for (size_t i = 0; i + 1 < list.size(); i += 2) {
    const size_t scheme = Number16(list, i);
    if (scheme == kP256 || scheme == kP384 || scheme == kP521) return true;
  }
  return false;
}

}  // namespace ringway::net::internal
