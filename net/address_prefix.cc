// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/address_prefix.h"

#include <sys/socket.h>

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ringway::net {
namespace {

constexpr int kBitsOfV4 = 32;
constexpr int kBitsOfV6 = 128;

absl::Status NoRange(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", absl::Utf8SafeCEscape(text),
                   "\" is not a range of addresses: ", why));
}

int BitsOf(const SocketAddress& address) {
  return address.family() == AF_INET ? kBitsOfV4 : kBitsOfV6;
}

bool ParseLength(std::string_view text, int most, int& length) {
  const bool digits =
      !text.empty() && text.size() <= 3 &&
      text.find_first_not_of("0123456789") == std::string_view::npos;
  return digits && absl::SimpleAtoi(text, &length) && length <= most;
}

// The number of leading bits in which they agree, both of one family.
int CommonBits(std::string_view a, std::string_view b) {
  size_t i = 0;
  while (i < a.size() && a[i] == b[i]) ++i;
  int bits = static_cast<int>(i) * 8;
  if (i == a.size()) return bits;
  for (unsigned mask = 0x80; ((a[i] ^ b[i]) & mask) == 0; mask >>= 1) ++bits;
  return bits;
}

bool AnyBitBehind(std::string_view bytes, int length) {
  for (int bit = length; bit < static_cast<int>(bytes.size()) * 8; ++bit) {
    if ((bytes[bit / 8] & (0x80 >> (bit % 8))) != 0) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<AddressPrefix> AddressPrefix::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  absl::StatusOr<SocketAddress> address = SocketAddress::Ip(host, 0);
  if (!address.ok()) return NoRange(text, address.status().message());
  if (host.find('%') != std::string_view::npos)
    return NoRange(text, "a range has no scope");
  int length = BitsOf(*address);
  if (slash != std::string_view::npos &&
      !ParseLength(text.substr(slash + 1), BitsOf(*address), length)) {
    return NoRange(text,
                   absl::StrCat("its length must be 0 to ", BitsOf(*address)));
  }
  if (AnyBitBehind(address->Bytes(), length)) {
    return NoRange(text,
                   absl::StrCat("bits are set behind the first ", length));
  }
  const SocketAddress unmapped = address->Unmapped();
  if (unmapped.family() != address->family()) {
    // A shorter one has bits behind it: those of the mapping itself.
    length -= kBitsOfV6 - kBitsOfV4;
  }
  return AddressPrefix(unmapped, length);
}

bool AddressPrefix::Contains(const SocketAddress& address) const {
  const SocketAddress unmapped = address.Unmapped();
  return unmapped.family() == first_.family() &&
         CommonBits(unmapped.Bytes(), first_.Bytes()) >= length_;
}

std::string AddressPrefix::ToString() const {
  return absl::StrCat(first_.host(), "/", length_);
}

}  // namespace ringway::net
