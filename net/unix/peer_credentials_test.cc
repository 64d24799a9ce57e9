// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/unix/peer_credentials.h"

#include <poll.h>
#include <unistd.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/stream_pair.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/unix/seq_packet_socket.h"

namespace ringway::net {
namespace {

using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::ValueOf;

using PeerCredentialsTest = NetTest;
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(PeerCredentialsTest);

TEST_P(PeerCredentialsTest, AreThoseOfTheProcess) {
  RINGWAY_REQUIRES_KERNEL("processes");
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    TcpListener listener = ListenOn(UnixAddress("s"));
    TcpStream client =
        ValueOf(co_await Connect(ValueOf(listener.LocalAddress())));
    for (const TcpStream* stream : {&pair.first, &client}) {
      const PeerCredentials peer = ValueOf(PeerCredentialsOf(*stream));
      EXPECT_EQ(peer.pid, getpid());
      EXPECT_EQ(peer.uid, getuid());
      EXPECT_EQ(peer.gid, getgid());
      const absl::StatusOr<UniqueFd> process = PeerPidFd(*stream);
      if (ErrnoOf(process.status()) == ENOPROTOOPT) continue;  // before 6.5
      pollfd running = {process->get(), POLLIN, 0};
      EXPECT_EQ(poll(&running, 1, 0), 0) << "it has not ended";
    }
  };
  Run(main());
}

TEST_P(PeerCredentialsTest, OtherStreamsHaveNone) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    EXPECT_FALSE(PeerCredentialsOf(stream).ok());
    EXPECT_FALSE(PeerPidFd(stream).ok());
    EXPECT_EQ(co_await stream.Close(), absl::OkStatus());
    EXPECT_EQ(PeerCredentialsOf(stream).status().code(),
              absl::StatusCode::kFailedPrecondition);
  };
  Run(main());
}

TEST_P(PeerCredentialsTest, OfPacketSocketsAreThoseOfTheProcess) {
  RINGWAY_REQUIRES_KERNEL("processes");
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    const PeerCredentials peer = ValueOf(PeerCredentialsOf(one));
    EXPECT_EQ(peer.pid, getpid());
    EXPECT_EQ(peer.uid, getuid());
    const absl::StatusOr<UniqueFd> process = PeerPidFd(one);
    EXPECT_TRUE(process.ok() || ErrnoOf(process.status()) == ENOPROTOOPT);
    one.Close();
    EXPECT_EQ(PeerPidFd(one).status().code(),
              absl::StatusCode::kFailedPrecondition);
    co_return;
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
