// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket_address.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <compare>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

#include "absl/hash/hash_testing.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/errno_status.h"

namespace ringway::net {
namespace {

using ringway::testing::TestFd;
using ringway::testing::TestFdPair;

SocketAddress MustParse(std::string_view text) {
  absl::StatusOr<SocketAddress> address = SocketAddress::Parse(text);
  EXPECT_TRUE(address.ok()) << text << ": " << address.status();
  return address.ok() ? *address : SocketAddress();
}

TEST(SocketAddress, PrintsEveryFormAsItWasParsed) {
  const std::string longest_path(107, 'p');
  for (const std::string& text :
       {std::string("127.0.0.1:80"), std::string("0.0.0.0:0"),
        std::string("255.255.255.255:65535"), std::string("[::1]:80"),
        std::string("[::]:0"), std::string("[2001:db8::7]:65535"),
        std::string("[::ffff:10.0.0.1]:1"), std::string("[fe80::1%lo]:80"),
        std::string("unix:/run/server.sock"), std::string("unix:relative"),
        std::string("unix:@abstract"), std::string("unix:@a/b c"),
        std::string("unix:") + longest_path,
        std::string("unix:@") + std::string(106, 'n')}) {
    EXPECT_EQ(MustParse(text).ToString(), text);
    EXPECT_EQ(MustParse(MustParse(text).ToString()), MustParse(text)) << text;
  }
}

TEST(SocketAddress, PrintsOtherSpellingsInTheUsualOne) {
  EXPECT_EQ(MustParse("127.0.0.1:00080").ToString(), "127.0.0.1:80");
  EXPECT_EQ(MustParse("[0:0:0:0:0:0:0:1]:7").ToString(), "[::1]:7");
  EXPECT_EQ(MustParse("[2001:DB8::A]:7").ToString(), "[2001:db8::a]:7");
  const std::string by_number =
      absl::StrCat("[fe80::1%", if_nametoindex("lo"), "]:80");
  EXPECT_EQ(MustParse(by_number).ToString(), "[fe80::1%lo]:80");
}

TEST(SocketAddress, KeepsAScopeWhoseInterfaceDoesNotExist) {
  EXPECT_EQ(MustParse("[fe80::1%4000000]:80").ToString(),
            "[fe80::1%4000000]:80");
}

TEST(SocketAddress, SaysWhatTheFamilyAndThePortAre) {
  EXPECT_EQ(MustParse("1.2.3.4:65535").family(), AF_INET);
  EXPECT_EQ(MustParse("1.2.3.4:65535").port(), 65535);
  EXPECT_EQ(MustParse("[::1]:9").family(), AF_INET6);
  EXPECT_EQ(MustParse("[::1]:9").port(), 9);
  EXPECT_TRUE(MustParse("unix:/x").is_unix());
  EXPECT_EQ(MustParse("unix:/x").port(), 0);
  EXPECT_EQ(SocketAddress().family(), AF_UNSPEC);
  EXPECT_EQ(SocketAddress().ToString(), "no address");
}

TEST(SocketAddress, RefusesWhatIsNoAddressAndNamesIt) {
  using std::string_literals::operator""s;
  struct Case {
    std::string text;
    std::string_view why;
  };
  const Case cases[] = {
      {"", "host:port"},
      {"127.0.0.1", "host:port"},
      {"127.0.0.1:", "the port is \"\""},
      {"127.0.0.1:65536", "must be 0 to 65535"},
      {"127.0.0.1:99999999999", "must be 0 to 65535"},
      {"127.0.0.1:-1", "must be 0 to 65535"},
      {"127.0.0.1:+1", "must be 0 to 65535"},
      {"127.0.0.1: 1", "must be 0 to 65535"},
      {"127.0.0.1:1 ", "must be 0 to 65535"},
      {"127.0.0.1:0x50", "must be 0 to 65535"},
      {"127.0.0.1:http", "must be 0 to 65535"},
      {"127.0.0.256:80", "not an IPv4 address"},
      {"127.1:80", "not an IPv4 address"},
      {"127.0.0.01:80", "a number in it begins with a 0"},
      {"010.0.0.1:80", "a number in it begins with a 0"},
      {" 127.0.0.1:80", "not an IPv4 address"},
      {"localhost:80", "resolved first"},
      {":80", "not an IPv4 address"},
      {"::1:80", "brackets"},
      {"[::1]", "[IPv6]:port"},
      {"[::1]80", "[IPv6]:port"},
      {"[::1", "[IPv6]:port"},
      {"[::1]:", "the port is \"\""},
      {"[]:80", "not an IPv6 address"},
      {"[127.0.0.1]:80", "not an IPv6 address"},
      {"[::1]]:80", "[IPv6]:port"},
      {"[:::1]:80", "not an IPv6 address"},
      {"[fe80::1%]:80", "the scope after % is empty"},
      {"127.0.0.1:80\0"s, "NUL"},
      {"127.0.0.1\0:80"s, "NUL"},
      {"unix:", "needs a name"},
      {"unix:@", "needs a name"},
      {"unix:/a\0b"s, "NUL"},
      {"unix:@a\0b"s, "NUL"},
      {"unix:" + std::string(108, 'p'), "at most 107 bytes, this has 108"},
      {"unix:@" + std::string(107, 'n'), "at most 107 bytes, this has 108"},
  };
  for (const Case& c : cases) {
    const absl::Status status = SocketAddress::Parse(c.text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.text;
    EXPECT_TRUE(absl::StrContains(status.message(), c.why)) << status;
    EXPECT_EQ(status.message().find('\0'), std::string_view::npos)
        << "the reason would not be printed";
  }
}

TEST(SocketAddress, SaysThatAScopesInterfaceDoesNotExist) {
  for (const char* text : {"[fe80::1%nosuch0]:80", "[fe80::1%+1]:80",
                           "[fe80::1% 1]:80", "[fe80::1%-1]:80"}) {
    const absl::Status status = SocketAddress::Parse(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), text)) << status;
  }
}

TEST(SocketAddress, SurvivesEveryByteInEveryPlace) {
  for (const std::string_view text :
       {"127.0.0.1:80", "[fe80::1%lo]:80", "unix:@name"}) {
    for (size_t i = 0; i < text.size(); ++i) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string mutated(text);
        mutated[i] = static_cast<char>(byte);
        const absl::StatusOr<SocketAddress> parsed =
            SocketAddress::Parse(mutated);
        if (!parsed.ok()) continue;
        EXPECT_EQ(MustParse(parsed->ToString()), *parsed) << mutated;
      }
    }
  }
}

TEST(SocketAddress, ChangesThePortAndNothingElse) {
  EXPECT_EQ(MustParse("1.2.3.4:5").WithPort(65535).ToString(), "1.2.3.4:65535");
  EXPECT_EQ(MustParse("[fe80::1%lo]:5").WithPort(0).ToString(),
            "[fe80::1%lo]:0");
  EXPECT_EQ(MustParse("unix:/x").WithPort(5), MustParse("unix:/x"));
}

TEST(SocketAddress, DiffersWhereAnyPartDoes) {
  const SocketAddress address = MustParse("[fe80::1%lo]:80");
  EXPECT_NE(address, MustParse("[fe80::1%lo]:81"));
  EXPECT_NE(address, MustParse("[fe80::1]:80"));
  EXPECT_NE(address, MustParse("[fe80::2%lo]:80"));
  EXPECT_NE(MustParse("unix:/x"), MustParse("unix:@x"));
  EXPECT_NE(MustParse("unix:/x"), MustParse("unix:/xy"));
  EXPECT_NE(MustParse("0.0.0.0:80"), MustParse("[::]:80"));
}

TEST(SocketAddress, IsMadeFromAHostAndAPort) {
  for (const std::string_view host :
       {"127.0.0.1", "::1", "fe80::1%lo", "::ffff:10.0.0.1"}) {
    const absl::StatusOr<SocketAddress> address = SocketAddress::Ip(host, 80);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->host(), host);
    EXPECT_EQ(address->port(), 80);
  }
  using std::string_literals::operator""s;
  for (const std::string& host : {""s, "[::1]"s, "127.0.0.1:80"s, "localhost"s,
                                  "127.0.0.1\0"s, "::1\0"s, "::1%"s}) {
    EXPECT_EQ(SocketAddress::Ip(host, 80).status().code(),
              absl::StatusCode::kInvalidArgument)
        << host;
  }
}

TEST(SocketAddress, HasAHostAndAScope) {
  EXPECT_EQ(MustParse("1.2.3.4:5").host(), "1.2.3.4");
  EXPECT_EQ(MustParse("1.2.3.4:5").scope(), 0);
  EXPECT_EQ(MustParse("[2001:DB8::1]:5").host(), "2001:db8::1");
  EXPECT_EQ(MustParse("[fe80::1%lo]:5").host(), "fe80::1%lo");
  EXPECT_EQ(MustParse("[fe80::1%lo]:5").scope(), if_nametoindex("lo"));
  EXPECT_EQ(MustParse("unix:/x").host(), "");
  EXPECT_EQ(MustParse("unix:/x").scope(), 0);
  EXPECT_EQ(SocketAddress().host(), "");
}

TEST(SocketAddress, KnowsTheKindsOfAddresses) {
  struct Case {
    std::string_view host;
    std::string_view kinds;  // loopback, private, link-local, multicast,
                             // unspecified
  };
  const Case cases[] = {
      {"126.255.255.255", ""},
      {"127.0.0.0", "l"},
      {"127.0.0.1", "l"},
      {"127.255.255.255", "l"},
      {"128.0.0.0", ""},
      {"::1", "l"},
      {"::2", ""},
      {"::ffff:127.0.0.1", "l"},
      {"9.255.255.255", ""},
      {"10.0.0.0", "p"},
      {"10.255.255.255", "p"},
      {"11.0.0.0", ""},
      {"172.15.255.255", ""},
      {"172.16.0.0", "p"},
      {"172.31.255.255", "p"},
      {"172.32.0.0", ""},
      {"192.167.255.255", ""},
      {"192.168.0.0", "p"},
      {"192.168.255.255", "p"},
      {"192.169.0.0", ""},
      {"fbff::", ""},
      {"fc00::", "p"},
      {"fdff::1", "p"},
      {"::ffff:10.0.0.1", "p"},
      {"169.253.255.255", ""},
      {"169.254.0.0", "k"},
      {"169.255.0.0", ""},
      {"fe7f::", ""},
      {"fe80::1%lo", "k"},
      {"febf::", "k"},
      {"fec0::", ""},
      {"223.255.255.255", ""},
      {"224.0.0.0", "m"},
      {"239.255.255.255", "m"},
      {"240.0.0.0", ""},
      {"ff00::", "m"},
      {"ff02::1", "m"},
      {"::ffff:224.0.0.1", "m"},
      {"0.0.0.0", "u"},
      {"0.0.0.1", ""},
      {"::", "u"},
      {"::ffff:0.0.0.0", "u"},
      {"8.8.8.8", ""},
      {"2001:db8::1", ""},
  };
  const auto kinds_of = [](const SocketAddress& address) {
    std::string kinds;
    if (address.is_loopback()) kinds += 'l';
    if (address.is_private()) kinds += 'p';
    if (address.is_link_local()) kinds += 'k';
    if (address.is_multicast()) kinds += 'm';
    if (address.is_unspecified()) kinds += 'u';
    return kinds;
  };
  for (const Case& c : cases) {
    const absl::StatusOr<SocketAddress> address = SocketAddress::Ip(c.host, 1);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(kinds_of(*address), c.kinds) << c.host;
  }
  EXPECT_EQ(kinds_of(MustParse("unix:/x")), "");
  EXPECT_EQ(kinds_of(SocketAddress()), "");
}

TEST(SocketAddress, UnmapsIPv4FromIPv6) {
  EXPECT_EQ(MustParse("[::ffff:10.0.0.1]:80").Unmapped(),
            MustParse("10.0.0.1:80"));
  for (const char* text : {"10.0.0.1:80", "[::1]:80", "[::fffe:10.0.0.1]:80",
                           "[1::ffff:10.0.0.1]:80", "unix:/x", "unix:@x"}) {
    EXPECT_EQ(MustParse(text).Unmapped(), MustParse(text));
  }
  EXPECT_EQ(SocketAddress().Unmapped(), SocketAddress());
}

TEST(SocketAddress, IsOrderedByFamilyAddressPortAndScope) {
  const SocketAddress in_order[] = {
      SocketAddress(),           MustParse("unix:@a"),
      MustParse("unix:@b"),      MustParse("unix:/a"),
      MustParse("unix:/ab"),     MustParse("unix:/b"),
      MustParse("1.2.3.4:80"),   MustParse("1.2.3.4:256"),
      MustParse("1.2.3.200:1"),  MustParse("200.2.3.4:1"),
      MustParse("[::1]:80"),     MustParse("[::ffff:1.2.3.4]:80"),
      MustParse("[fe80::1]:80"), MustParse("[fe80::1%lo]:80"),
      MustParse("[fe80::1]:81"),
  };
  for (size_t i = 0; i < std::size(in_order); ++i) {
    for (size_t j = 0; j < std::size(in_order); ++j) {
      EXPECT_EQ(in_order[i] <=> in_order[j], i <=> j)
          << in_order[i].ToString() << " " << in_order[j].ToString();
      EXPECT_EQ(in_order[i] == in_order[j], i == j);
    }
  }
}

TEST(SocketAddress, HashesAsItCompares) {
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly({
      SocketAddress(),
      MustParse("unix:@a"),
      MustParse("unix:/a"),
      MustParse("unix:/ab"),
      MustParse("1.2.3.4:80"),
      MustParse("1.2.3.4:81"),
      MustParse("4.3.2.1:80"),
      MustParse("[::ffff:1.2.3.4]:80"),
      MustParse("[fe80::1]:80"),
      MustParse("[fe80::1%lo]:80"),
  }));
}

// The kernel reports the flow label of a peer; two packets of one peer may have
// different ones.
TEST(SocketAddress, IsTheSameWithAnotherFlowLabel) {
  const SocketAddress address = MustParse("[2001:db8::1]:80");
  sockaddr_in6 v6;
  memcpy(&v6, address.data(), sizeof(v6));
  v6.sin6_flowinfo = htonl(7);
  EXPECT_EQ(SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&v6),
                                        sizeof(v6)),
            address);
}

class NameOfASocket : public ringway::testing::BackendConformance {
 protected:
  SocketCalls& sockets() { return system().sockets(); }

  absl::StatusOr<SocketAddress> LocalOf(int fd) {
    return SocketAddress::LocalOf(sockets(), fd);
  }
  absl::StatusOr<SocketAddress> PeerOf(int fd) {
    return SocketAddress::PeerOf(sockets(), fd);
  }
  int Bind(const SocketFd& socket, const SocketAddress& address) {
    return sockets().Bind(socket.get(), address.data(), address.size());
  }
};

TEST_P(NameOfASocket, IsReadBackAtBothEndsOfAConnection) {
  SocketFd listener(sockets(), sockets().Socket(AF_INET, SOCK_STREAM));
  const SocketAddress any_port = MustParse("127.0.0.1:0");
  ASSERT_EQ(Bind(listener, any_port), 0);
  ASSERT_EQ(sockets().Listen(listener.get(), 1), 0);
  const absl::StatusOr<SocketAddress> bound = LocalOf(listener.get());
  ASSERT_TRUE(bound.ok()) << bound.status();
  EXPECT_NE(bound->port(), 0);
  EXPECT_EQ(bound->WithPort(0), any_port);

  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  TestFd accepted = system().Accept(listener.get());
  ASSERT_TRUE(accepted.valid());
  EXPECT_EQ(*PeerOf(client.get()), *bound);
  EXPECT_EQ(*LocalOf(accepted.get()), *bound);
  EXPECT_EQ(*PeerOf(accepted.get()), *LocalOf(client.get()));
  EXPECT_NE(*LocalOf(client.get()), *bound);
}

TEST_P(NameOfASocket, IsReadBackExactlyIfAbstract) {
  SocketFd fd(sockets(), sockets().Socket(AF_UNIX, SOCK_STREAM));
  const SocketAddress name =
      MustParse(absl::StrCat("unix:@ringway-test-", getpid()));
  ASSERT_EQ(Bind(fd, name), 0);
  EXPECT_EQ(*LocalOf(fd.get()), name);
}

TEST_P(NameOfASocket, IsReadBackExactlyIfAPath) {
  SocketFd fd(sockets(), sockets().Socket(AF_UNIX, SOCK_STREAM));
  const SocketAddress name =
      MustParse(absl::StrCat("unix:", system().Directory(), "/s"));
  ASSERT_EQ(Bind(fd, name), 0);
  EXPECT_EQ(*LocalOf(fd.get()), name);
  EXPECT_EQ(LocalOf(fd.get())->ToString(), name.ToString());
}

TEST_P(NameOfASocket, PrintsAsUnixWhereThereIsNone) {
  TestFdPair pair = system().SocketPair();
  const absl::StatusOr<SocketAddress> unnamed = PeerOf(pair.first.get());
  ASSERT_TRUE(unnamed.ok()) << unnamed.status();
  EXPECT_TRUE(unnamed->is_unix());
  EXPECT_EQ(unnamed->ToString(), "unix:");
}

TEST_P(NameOfASocket, IsTheErrnoWhereThereIsNoAddress) {
  EXPECT_EQ(ErrnoOf(LocalOf(-1).status()), EBADF);
  EXPECT_EQ(ErrnoOf(PeerOf(-1).status()), EBADF);
  TestFdPair pipe = system().Pipe();
  EXPECT_EQ(ErrnoOf(LocalOf(pipe.first.get()).status()), ENOTSOCK);
  SocketFd unconnected(sockets(), sockets().Socket(AF_INET, SOCK_STREAM));
  EXPECT_EQ(ErrnoOf(PeerOf(unconnected.get()).status()), ENOTCONN);
  EXPECT_EQ(LocalOf(unconnected.get())->ToString(), "0.0.0.0:0");
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(NameOfASocket);

}  // namespace
}  // namespace ringway::net
