// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/address_prefix.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {
namespace {

AddressPrefix Prefix(std::string_view text) {
  absl::StatusOr<AddressPrefix> prefix = AddressPrefix::Parse(text);
  EXPECT_TRUE(prefix.ok()) << prefix.status();
  return prefix.ok() ? *prefix : *AddressPrefix::Parse("0.0.0.0/0");
}

SocketAddress Address(std::string_view text) {
  absl::StatusOr<SocketAddress> address = SocketAddress::Parse(text);
  EXPECT_TRUE(address.ok()) << address.status();
  return address.ok() ? *address : SocketAddress();
}

TEST(AddressPrefix, ContainsTheAddressesThatBeginWithIt) {
  struct Case {
    std::string_view prefix;
    std::string_view address;
    bool contains;
  };
  const Case cases[] = {
      {"10.0.0.0/8", "10.0.0.0:1", true},
      {"10.0.0.0/8", "10.255.255.255:65535", true},
      {"10.0.0.0/8", "9.255.255.255:1", false},
      {"10.0.0.0/8", "11.0.0.0:1", false},
      {"172.16.0.0/12", "172.31.255.255:1", true},
      {"172.16.0.0/12", "172.32.0.0:1", false},
      {"0.0.0.0/0", "255.255.255.255:1", true},
      {"0.0.0.0/0", "[::]:1", false},
      {"::/0", "[ffff::]:1", true},
      {"::/0", "1.2.3.4:1", false},
      {"::/0", "[::ffff:1.2.3.4]:1", false},
      {"127.0.0.1", "127.0.0.1:9", true},
      {"127.0.0.1", "127.0.0.0:9", false},
      {"127.0.0.0/31", "127.0.0.1:9", true},
      {"127.0.0.0/31", "127.0.0.2:9", false},
      {"10.0.0.0/8", "[::ffff:10.1.2.3]:1", true},
      {"10.0.0.0/8", "[::ffff:11.1.2.3]:1", false},
      {"::ffff:10.0.0.0/104", "10.1.2.3:1", true},
      {"::ffff:10.0.0.0/104", "11.1.2.3:1", false},
      {"fd00::/8", "[fdff::1]:1", true},
      {"fd00::/8", "[fc00::1]:1", false},
      {"fe80::/10", "[fe80::1%lo]:1", true},
      {"fe80::/10", "[febf::1]:1", true},
      {"fe80::/10", "[fec0::1]:1", false},
      {"::1", "[::1]:1", true},
      {"::1", "[::2]:1", false},
      {"0.0.0.0/0", "unix:/x", false},
      {"::/0", "unix:@x", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Prefix(c.prefix).Contains(Address(c.address)), c.contains)
        << c.prefix << " " << c.address;
  }
  EXPECT_FALSE(Prefix("0.0.0.0/0").Contains(SocketAddress()));
}

// Every length, against a comparison bit by bit.
TEST(AddressPrefix, ComparesAsManyBitsAsItHas) {
  std::mt19937 random(20261128);
  for (int length = 0; length <= 32; ++length) {
    for (int i = 0; i < 200; ++i) {
      const auto text = [](uint32_t ip) {
        return absl::StrCat(ip >> 24, ".", ip >> 16 & 255, ".", ip >> 8 & 255,
                            ".", ip & 255);
      };
      const uint32_t mask = length == 0 ? 0 : ~uint32_t{0} << (32 - length);
      const uint32_t first = static_cast<uint32_t>(random()) & mask;
      // Mostly near the range.
      const uint32_t ip =
          (i % 4 == 0 ? static_cast<uint32_t>(random())
                      : (first | (static_cast<uint32_t>(random()) & ~mask)) ^
                            (i % 4 == 1 ? 0 : 1u << (random() % 32)));
      const AddressPrefix prefix =
          Prefix(absl::StrCat(text(first), "/", length));
      EXPECT_EQ(prefix.Contains(Address(absl::StrCat(text(ip), ":1"))),
                (ip & mask) == first)
          << prefix.ToString() << " " << text(ip);
    }
  }
}

TEST(AddressPrefix, PrintsWhatItParses) {
  for (const std::string_view text : {"10.0.0.0/8", "0.0.0.0/0", "127.0.0.1/32",
                                      "fd00::/8", "::/0", "::1/128"}) {
    EXPECT_EQ(Prefix(text).ToString(), text);
    EXPECT_EQ(Prefix(Prefix(text).ToString()), Prefix(text));
  }
  EXPECT_EQ(Prefix("127.0.0.1").ToString(), "127.0.0.1/32");
  EXPECT_EQ(Prefix("::ffff:10.0.0.0/104").ToString(), "10.0.0.0/8");
  EXPECT_EQ(Prefix("::ffff:0.0.0.0/96").ToString(), "0.0.0.0/0");
  EXPECT_EQ(Prefix("10.0.0.0/8").length(), 8);
}

TEST(AddressPrefix, RefusesWhatIsNoRangeAndSaysWhy) {
  using std::string_literals::operator""s;
  struct Case {
    std::string text;
    std::string_view why;
  };
  const Case cases[] = {
      {"", "is not an IPv4 address"},
      {"/8", "is not an IPv4 address"},
      {"10.0.0.0/", "must be 0 to 32"},
      {"10.0.0.0/33", "must be 0 to 32"},
      {"10.0.0.0/-1", "must be 0 to 32"},
      {"10.0.0.0/+8", "must be 0 to 32"},
      {"10.0.0.0/ 8", "must be 0 to 32"},
      {"10.0.0.0/8 ", "must be 0 to 32"},
      {"10.0.0.0/8/8", "must be 0 to 32"},
      {"10.0.0.0/4294967304", "must be 0 to 32"},
      {"10.0.0.0/8\0"s, "must be 0 to 32"},
      {"10.0.0.0\0/8"s, "NUL"},
      {"::/129", "must be 0 to 128"},
      {"10.1.0.0/8", "bits are set behind the first 8"},
      {"0.0.0.1/31", "bits are set behind the first 31"},
      {"fd00::1/8", "bits are set behind the first 8"},
      {"::ffff:10.0.0.0/95", "bits are set behind the first 95"},
      {"010.0.0.0/8", "begins with a 0"},
      {"10.0.0/8", "is not an IPv4 address"},
      {"fe80::%lo/10", "no scope"},
      {"[fd00::]/8", "is not an IPv6 address"},
      {"localhost", "is not an IPv4 address"},
      {"unix:/x", "is not an IPv6 address"},
  };
  for (const Case& c : cases) {
    const absl::Status status = AddressPrefix::Parse(c.text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.text;
    EXPECT_TRUE(absl::StrContains(status.message(), c.why)) << status;
    EXPECT_EQ(status.message().find('\0'), std::string_view::npos);
  }
}

}  // namespace
}  // namespace ringway::net
