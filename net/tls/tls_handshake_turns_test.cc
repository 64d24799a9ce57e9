// SPDX-License-Identifier: Apache-2.0
//
// When what a handshake has to say leaves: in how many writes, and in which
// turn.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/net/tls/testing/engine_pair.h"
#include "ringway/net/tls/testing/tls_fixture.h"
#include "ringway/net/tls/tls_accept.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::net {
namespace {

using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::EngineEnd;
using testing::Handshaken;
using testing::ReceiveSome;
using testing::ValueOf;

using TlsHandshakeTurnsTest = testing::TlsTest;
RINGWAY_INSTANTIATE_TLS(TlsHandshakeTurnsTest);

// A TcpStream that counts the writes of all.
class CountedStream : public TcpStream {
 public:
  explicit CountedStream(TcpStream stream) : TcpStream(std::move(stream)) {}

  auto Write(std::span<const std::byte> bytes) {
    ++writes;
    return TcpStream::Write(bytes);
  }

  static inline int writes = 0;
};

// Session tickets of TLS 1.3 follow the handshake. As a write of their own they
// delayed the first reply by a turn, in which all other connections came first.
TEST_P(TlsHandshakeTurnsTest, SessionTicketsTravelWithTheFirstReply) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    CountedStream::writes = 0;
    auto serve = [&]() -> Task<absl::Status> {
      absl::StatusOr<BasicTlsStream<CountedStream>> stream = co_await AcceptTls(
          server_context(), CountedStream(Adopt(std::move(pair.near_end))));
      if (!stream.ok()) co_return stream.status();
      EXPECT_EQ(ValueOf(co_await ReceiveSome(*stream)), "question");
      absl::Status sent = co_await stream->Write(Bytes("answer"));
      // The server's flights: two with TLS 1.2.
      const int flights = Version() == TlsVersion::kTls12 ? 2 : 1;
      EXPECT_EQ(CountedStream::writes, flights + 1);
      co_return sent;
    };
    JoinHandle<absl::Status> serving = Spawn(serve());
    EngineEnd client(ClientEngine());
    co_await ShakeByHand(client, pair.far_end);
    client.Send("question");
    pair.far_end.Send(client.TakeOutput());
    EXPECT_TRUE((co_await serving).ok());
  };
  Run(main());
}

// Nobody writes: they are sent nevertheless.
TEST_P(TlsHandshakeTurnsTest, SessionTicketsNeedNoReply) {
  auto main = [&]() -> Task<void> {
    Handshaken first = co_await Shake(server_context(), client_context());
    TlsStream server = ValueOf(std::move(first.server));
    TlsStream client = ValueOf(std::move(first.client));
    // The client has its tickets once it waits for something.
    JoinHandle<absl::StatusOr<std::string>> waiting =
        Spawn(ReceiveSome(client));
    co_await testing::TurnTimes(10);
    waiting.Cancel();
    EXPECT_TRUE(absl::IsCancelled((co_await waiting).status()));
    Handshaken second = co_await Shake(server_context(), client_context());
    EXPECT_TRUE(ValueOf(std::move(second.client)).info().resumed);
  };
  Run(main());
}

// Operations are started at the end of a turn's work, so eight handshakes in
// one turn sent the first flight when the last one was computed. A step leaves
// the others to the next turn.
TEST_P(TlsHandshakeTurnsTest, AFlightLeavesBeforeAnotherIsComputed) {
  auto main = [&]() -> Task<void> {
    constexpr int kConnections = 8;
    const uint64_t before = loop().stats().budget_exhausted;
    std::vector<JoinHandle<Handshaken>> shaking;
    shaking.reserve(kConnections);
    for (int i = 0; i < kConnections; ++i)
      shaking.push_back(Spawn(Shake(server_context(), client_context())));
    for (JoinHandle<Handshaken>& one : shaking) {
      Handshaken both = ValueOf(co_await one);
      EXPECT_TRUE(both.client.ok());
      EXPECT_TRUE(both.server.ok());
    }
    EXPECT_GE(loop().stats().budget_exhausted - before, kConnections);
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
