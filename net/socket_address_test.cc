// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket_address.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"

namespace ringway::net {
namespace {

using ringway::testing::KernelSockets;

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
      {"127.0.0.256:80", "no IPv4 address"},
      {"127.1:80", "no IPv4 address"},
      {" 127.0.0.1:80", "no IPv4 address"},
      {"localhost:80", "resolved first"},
      {":80", "no IPv4 address"},
      {"::1:80", "brackets"},
      {"[::1]", "[IPv6]:port"},
      {"[::1]80", "[IPv6]:port"},
      {"[::1", "[IPv6]:port"},
      {"[::1]:", "the port is \"\""},
      {"[]:80", "no IPv6 address"},
      {"[127.0.0.1]:80", "no IPv6 address"},
      {"[::1]]:80", "[IPv6]:port"},
      {"[:::1]:80", "no IPv6 address"},
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

TEST(SocketAddress, ReadsBackBothEndsOfAConnection) {
  UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress any_port = MustParse("127.0.0.1:0");
  ASSERT_EQ(bind(listener.get(), any_port.data(), any_port.size()), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  const absl::StatusOr<SocketAddress> bound =
      SocketAddress::LocalOf(KernelSockets(), listener.get());
  ASSERT_TRUE(bound.ok()) << bound.status();
  EXPECT_NE(bound->port(), 0);
  EXPECT_EQ(bound->WithPort(0), any_port);

  UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(client.get(), bound->data(), bound->size()), 0);
  UniqueFd accepted(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_EQ(*SocketAddress::PeerOf(KernelSockets(), client.get()), *bound);
  EXPECT_EQ(*SocketAddress::PeerOf(KernelSockets(), accepted.get()),
            *SocketAddress::LocalOf(KernelSockets(), client.get()));
}

TEST(SocketAddress, ReadsBackAbstractNamesExactly) {
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress name =
      MustParse(absl::StrCat("unix:@ringway-test-", getpid()));
  ASSERT_EQ(bind(fd.get(), name.data(), name.size()), 0);
  EXPECT_EQ(*SocketAddress::LocalOf(KernelSockets(), fd.get()), name);
}

TEST(SocketAddress, PrintsAnUnnamedUnixSocket) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  UniqueFd one(fds[0]), other(fds[1]);
  const absl::StatusOr<SocketAddress> unnamed =
      SocketAddress::PeerOf(KernelSockets(), one.get());
  ASSERT_TRUE(unnamed.ok()) << unnamed.status();
  EXPECT_TRUE(unnamed->is_unix());
  EXPECT_EQ(unnamed->ToString(), "unix:");
}

TEST(SocketAddress, GivesTheErrnoWhereThereIsNoAddress) {
  EXPECT_EQ(ErrnoOf(SocketAddress::LocalOf(KernelSockets(), -1).status()),
            EBADF);
  EXPECT_EQ(
      ErrnoOf(SocketAddress::LocalOf(KernelSockets(), STDERR_FILENO).status()),
      ENOTSOCK);
  UniqueFd unconnected(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(
      ErrnoOf(
          SocketAddress::PeerOf(KernelSockets(), unconnected.get()).status()),
      ENOTCONN);
}

}  // namespace
}  // namespace ringway::net
