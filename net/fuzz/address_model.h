// SPDX-License-Identifier: Apache-2.0
//
// CheckAddressText: what has to hold for any text that is parsed as an address
// or a range of addresses.

#ifndef RINGWAY_NET_FUZZ_ADDRESS_MODEL_H_
#define RINGWAY_NET_FUZZ_ADDRESS_MODEL_H_

#include <string_view>

namespace ringway::fuzz {

// Parses `text` in every way that there is. A text is refused with a message
// that quotes it, or is an address that prints in a form which parses to the
// same address. Aborts otherwise.
//
// Returns the number of ways in which it was accepted.
int CheckAddressText(std::string_view text);

}  // namespace ringway::fuzz

#endif  // RINGWAY_NET_FUZZ_ADDRESS_MODEL_H_
