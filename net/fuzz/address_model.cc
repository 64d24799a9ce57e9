// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/fuzz/address_model.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/net/address_prefix.h"
#include "ringway/net/socket_address.h"

namespace ringway::fuzz {
namespace {

using net::AddressPrefix;
using net::SocketAddress;

// Users get the message: it says what is wrong, in one line, with nothing that
// a terminal would take for a command.
void CheckRefusal(const absl::Status& status) {
  RINGWAY_CHECK(absl::IsInvalidArgument(status) || absl::IsNotFound(status),
                "refused with %s", status.ToString().c_str());
  RINGWAY_CHECK(!status.message().empty(), "refused without a message");
  for (const char c : status.message()) {
    RINGWAY_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f,
                  "a message contains the control character %d", c);
  }
}

void CheckAddress(const SocketAddress& address) {
  const std::string printed = address.ToString();
  const absl::StatusOr<SocketAddress> again = SocketAddress::Parse(printed);
  // An interface may have gone, or never been: only the form is checked.
  if (absl::IsNotFound(again.status())) return;
  RINGWAY_CHECK(again.ok(), "%s does not parse: %s", printed.c_str(),
                again.status().ToString().c_str());
  RINGWAY_CHECK(*again == address, "%s is another address", printed.c_str());
  RINGWAY_CHECK(again->ToString() == printed, "%s prints as %s",
                printed.c_str(), again->ToString().c_str());
  if (address.is_unix()) return;
  const absl::StatusOr<SocketAddress> parts =
      SocketAddress::Ip(address.host(), address.port());
  RINGWAY_CHECK(parts.ok() && *parts == address,
                "%s is not its host and its port", printed.c_str());
  const SocketAddress unmapped = address.Unmapped();
  RINGWAY_CHECK(unmapped.Unmapped() == unmapped, "%s is unmapped twice",
                printed.c_str());
  RINGWAY_CHECK(address.WithPort(7).WithPort(address.port()) == address,
                "%s loses something with its port", printed.c_str());
}

void CheckPrefix(const AddressPrefix& prefix) {
  const std::string printed = prefix.ToString();
  const absl::StatusOr<AddressPrefix> again = AddressPrefix::Parse(printed);
  RINGWAY_CHECK(again.ok() && *again == prefix, "%s is another range",
                printed.c_str());
  // Its first address is in it.
  const std::string first = printed.substr(0, printed.find('/'));
  const absl::StatusOr<SocketAddress> address = SocketAddress::Ip(first, 1);
  RINGWAY_CHECK(address.ok() && prefix.Contains(*address),
                "%s does not contain %s", printed.c_str(), first.c_str());
}

}  // namespace

int CheckAddressText(std::string_view text) {
  int accepted = 0;
  const auto check = [&](const absl::StatusOr<SocketAddress>& address) {
    if (address.ok()) {
      ++accepted;
      CheckAddress(*address);
    } else {
      CheckRefusal(address.status());
    }
  };
  check(SocketAddress::Parse(text));
  check(SocketAddress::Ip(text, static_cast<uint16_t>(text.size() * 257)));
  check(SocketAddress::Unix(text));
  const absl::StatusOr<AddressPrefix> prefix = AddressPrefix::Parse(text);
  if (prefix.ok()) {
    ++accepted;
    CheckPrefix(*prefix);
  } else {
    CheckRefusal(prefix.status());
  }
  return accepted;
}

}  // namespace ringway::fuzz
