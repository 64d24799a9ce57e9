// SPDX-License-Identifier: Apache-2.0
//
// Once a connection has been used, requests cost no heap allocation.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/core/memory/shared_bytes.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::CountAllocations;
using testing::Bytes;
using testing::NetTest;
using testing::ValueOf;

constexpr int kWarmUp = 300;  // includes the first lap of the buffer ring
constexpr int kRequests = 2000;

Task<absl::Status> EchoByRead(TcpStream stream) {
  std::array<std::byte, 4096> buffer;
  while (true) {
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok() || *n == 0) co_return n.status();
    absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
    if (!sent.ok()) co_return sent;
  }
}

Task<absl::Status> EchoByReceive(TcpStream stream) {
  while (true) {
    absl::StatusOr<ReceivedBuffer> received = co_await stream.Receive();
    if (!received.ok() || received->empty()) co_return received.status();
    absl::Status sent = co_await stream.Write(received->bytes());
    if (!sent.ok()) co_return sent;
  }
}

class NetAllocationTest : public NetTest {
 protected:
  Task<void> ExpectNone(std::function<Task<absl::Status>(TcpStream)> echo,
                        std::function<Task<bool>(TcpStream&)> ask) {
    TcpListener listener = ListenOn("127.0.0.1:0");
    TcpStream client =
        ValueOf(co_await Connect(ValueOf(listener.LocalAddress())));
    TcpStream accepted = ValueOf(co_await listener.Accept());
    JoinHandle<absl::Status> server = Spawn(echo(std::move(accepted)));
    uint64_t before = 0;
    for (int i = 0; i < kWarmUp + kRequests; ++i) {
      if (i == kWarmUp) before = CountAllocations();
      const bool answered = co_await ask(client);
      EXPECT_TRUE(answered);
    }
    EXPECT_EQ(CountAllocations() - before, 0u) << "in " << kRequests;
    EXPECT_TRUE((co_await client.Close()).ok());
    EXPECT_TRUE((co_await server).ok());
  }
};

Task<bool> AskAndRead(TcpStream& stream) {
  std::array<std::byte, 64> buffer;
  if (!(co_await stream.Write(Bytes("request"))).ok()) co_return false;
  const absl::StatusOr<size_t> n = co_await stream.Read(buffer);
  co_return n.ok() && *n == 7;
}

Task<bool> AskAndReadWithTime(TcpStream& stream) {
  std::array<std::byte, 64> buffer;
  if (!(co_await stream.Write(Bytes("request"))).ok()) co_return false;
  const absl::StatusOr<TimedRead> read = co_await stream.ReadWithTime(buffer);
  co_return read.ok() && read->n_bytes == 7;
}

Task<bool> AskAndReceive(TcpStream& stream) {
  const std::array<std::span<const std::byte>, 2> parts = {Bytes("req"),
                                                           Bytes("uest")};
  if (!(co_await stream.Writev(parts)).ok()) co_return false;
  size_t n = 0;
  while (n < 7) {
    absl::StatusOr<ReceivedBuffer> part = co_await stream.Receive();
    if (!part.ok() || part->empty()) co_return false;
    n += part->size();
  }
  co_return n == 7;
}

Task<bool> AskWithoutCopies(TcpStream& stream, SharedBytes request) {
  std::array<std::byte, 64> buffer;
  stream.set_zero_copy_threshold(1);
  if (!(co_await stream.WriteZeroCopy(std::move(request))).ok())
    co_return false;
  const absl::StatusOr<size_t> n = co_await stream.Read(buffer);
  co_return n.ok() && *n == 7;
}

TEST_P(NetAllocationTest, NoneForZeroCopyWrites) {
  const SharedBytes request(std::string("request"));
  auto ask = [&request](TcpStream& stream) {
    return AskWithoutCopies(stream, request);
  };
  Run(ExpectNone(EchoByRead, ask));
}

TEST_P(NetAllocationTest, NoneForAnEchoByReadAndWrite) {
  Run(ExpectNone(EchoByRead, AskAndRead));
}

TEST_P(NetAllocationTest, NoneForReadsWithTime) {
  Run(ExpectNone(EchoByRead, AskAndReadWithTime));
}

TEST_P(NetAllocationTest, NoneForAnEchoByReceiveAndWrite) {
  Run(ExpectNone(EchoByReceive, AskAndReceive));
}

TEST_P(NetAllocationTest, NoneForReadsAndReceivesInTurn) {
  bool by_read = false;
  auto alternate = [&by_read](TcpStream& stream) {
    by_read = !by_read;
    return by_read ? AskAndRead(stream) : AskAndReceive(stream);
  };
  Run(ExpectNone(EchoByReceive, alternate));
}

TEST_P(NetAllocationTest, NoneForAcceptingAndClosingConnections) {
  RINGWAY_REQUIRES_KERNEL("memory for sockets");
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    const SocketAddress address = ValueOf(listener.LocalAddress());
    uint64_t before = 0;
    for (int i = 0; i < 400; ++i) {
      if (i == 200) before = CountAllocations();
      TcpStream client = ValueOf(co_await Connect(address));
      TcpStream server = ValueOf(co_await listener.Accept());
      EXPECT_TRUE((co_await client.Close()).ok());
      EXPECT_TRUE((co_await server.Close()).ok());
    }
    EXPECT_EQ(CountAllocations() - before, 0u);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(NetAllocationTest);

}  // namespace
}  // namespace ringway::net
