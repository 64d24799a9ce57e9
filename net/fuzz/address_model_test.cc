// SPDX-License-Identifier: Apache-2.0
//
// Random texts near to addresses: pieces of addresses in any order, and
// addresses with bytes changed, inserted, removed and repeated.

#include "ringway/net/fuzz/address_model.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/executor/testing/test_seed.h"

namespace ringway::fuzz {
namespace {

constexpr std::string_view kAddresses[] = {
    "127.0.0.1:80",       "[::1]:65535",     "[fe80::1%lo]:1", "unix:/run/a",
    "unix:@name",         "10.0.0.0/8",      "fd00::/8",       "::ffff:1.2.3.4",
    "[::ffff:1.2.3.4]:0", "255.255.255.255", "2001:db8::1",    "0.0.0.0/0"};

constexpr std::string_view kPieces[] = {
    "127", "0",     "255",  "256",   "00",    "1",     ".",  ":",
    "::",  "[",     "]",    "%",     "lo",    "/",     "32", "128",
    "@",   "unix:", "ffff", "fe80",  "65535", "65536", "-1", "+",
    " ",   "\t",    "\n",   "\x1b[", "x",     "a.b.c"};

class Texts {
 public:
  explicit Texts(uint64_t seed) : random_(seed) {}

  std::string Next() {
    return Below(2) == 0 ? OfPieces()
                         : Changed(kAddresses[Below(std::size(kAddresses))]);
  }

 private:
  size_t Below(size_t n) { return random_() % n; }

  std::string OfPieces() {
    std::string text;
    for (size_t n = Below(9); n > 0; --n)
      text += kPieces[Below(std::size(kPieces))];
    return text;
  }

  std::string Changed(std::string_view address) {
    std::string text(address);
    for (size_t n = Below(4); n > 0; --n) {
      const size_t at = Below(text.size() + 1);
      switch (Below(4)) {
        case 0:
          text.insert(at, 1, static_cast<char>(Below(256)));
          break;
        case 1:
          if (at < text.size()) text[at] = static_cast<char>(Below(256));
          break;
        case 2:
          if (at < text.size()) text.erase(at, 1 + Below(3));
          break;
        default:
          text.insert(at, text.substr(at / 2, Below(120)));
          break;
      }
    }
    return text;
  }

  std::mt19937_64 random_;
};

TEST(AddressModel, EveryTextIsRefusedClearlyOrIsAnAddress) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE(seed);
  Texts texts(seed);
  int accepted = 0;
  for (uint64_t n = testing::Scaled(200'000); n > 0; --n)
    accepted += CheckAddressText(texts.Next());
  // Otherwise the texts are not near enough.
  EXPECT_GT(accepted, 100);
}

TEST(AddressModel, TheAddressesItBeginsWithAreAccepted) {
  for (const std::string_view address : kAddresses)
    EXPECT_GE(CheckAddressText(address), 1) << address;
}

}  // namespace
}  // namespace ringway::fuzz
