// SPDX-License-Identifier: Apache-2.0
//
// DatagramTest: for tests of what all datagram sockets have in common.
//
//   using MyTest = testing::DatagramTest;
//   TEST_P(MyTest, SaysTheBehaviourInWords) {
//     OnEachKind([&]() -> Task<void> {
//       Named receiver = Make();
//       Named sender = Make();
//       ...
//     });
//   }

#ifndef RINGWAY_NET_TESTING_DATAGRAM_TEST_H_
#define RINGWAY_NET_TESTING_DATAGRAM_TEST_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/net/datagram/datagram_socket.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/udp_socket.h"
#include "ringway/net/unix/unix_datagram_socket.h"

namespace ringway::net::testing {

// A socket with a name, and the name.
struct Named {
  DatagramSocket socket;
  SocketAddress address;
};

class DatagramTest : public NetTest {
 protected:
  // Each test runs once with each kind of socket.
  template <typename F>
  void OnEachKind(F&& test) {
    for (const char* kind : {"udp4", "udp6", "unix", "abstract"}) {
      SCOPED_TRACE(kind);
      kind_ = kind;
      if (kind_ == "udp6" && !system().is_kernel()) continue;
      Run(test());
    }
  }

  Named Make() {
    if (kind_ == "udp4") return BindUdp("127.0.0.1:0");
    if (kind_ == "udp6") return BindUdp("[::1]:0");
    const std::string name = absl::StrCat("d", ++n_names_);
    const SocketAddress address = ValueOf(SocketAddress::Parse(
        kind_ == "unix" ? UnixAddress(name)
                        : absl::StrCat("unix:@", PathOf(name))));
    return {ValueOf(UnixDatagramSocket::Bind(loop(), address)), address};
  }

  bool loses() const { return kind_.starts_with("udp"); }
  const std::string& kind() const { return kind_; }

 private:
  Named BindUdp(std::string_view address) {
    UdpSocket socket = ValueOf(
        UdpSocket::Bind(loop(), ValueOf(SocketAddress::Parse(address))));
    const SocketAddress bound = ValueOf(socket.LocalAddress());
    return {std::move(socket), bound};
  }

  std::string kind_;
  int n_names_ = 0;
};

// The bytes, or what went wrong.
inline std::string TextOf(const absl::StatusOr<LentDatagram>& datagram) {
  if (!datagram.ok()) return std::string(datagram.status().message());
  return AsString(datagram->bytes.bytes());
}

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TESTING_DATAGRAM_TEST_H_
