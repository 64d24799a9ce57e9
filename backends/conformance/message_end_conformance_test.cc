// SPDX-License-Identifier: Apache-2.0
//
// Multishot recvmsg on streams ends once, at the end of the stream.
//
// io_uring delivers the end of a stream as an empty message and disarms the
// receive, as it does with an empty datagram. The end was taken for such a
// datagram and the receive re-armed, which delivered the end hundreds of
// thousands of times a second. The suite's other tests of multishot recvmsg
// use UDP, which has no end.

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/datagram.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/operation_fixture.h"

namespace ringway::testing {
namespace {

class MessageEndConformance : public OperationConformance {
 protected:
  void Receive(int fd) {
    PrepareRecvMsgMultishot(receive_, fd, room_);
    driver().Start(receive_);
    driver().StartEverything();
  }

  // All that was delivered so far.
  std::vector<std::string> TakePayloads() {
    std::vector<std::string> payloads;
    for (Delivery delivery; driver()->TakeDelivery(receive_, delivery);) {
      payloads.emplace_back(AsText(ReadDatagram(receive_, delivery).payload));
      driver()->ReturnBuffer(delivery.buffer_id);
    }
    return payloads;
  }

  // Receives a message, then the end of what `peer` is the other end of.
  void ExpectAMessageAndTheEnd(int fd, TestFd peer) {
    SendAll(peer.get(), "message");
    Receive(fd);
    ASSERT_TRUE(driver().RunUntil([&] { return receive_.delivery_count > 0; }));
    EXPECT_FALSE(receive_.ended());
    peer.Reset();
    ASSERT_TRUE(driver().RunUntil([&] { return receive_.ended(); }));
    EXPECT_EQ(receive_.result, 0);
    EXPECT_EQ(TakePayloads(), std::vector<std::string>{"message"});
    EXPECT_EQ(driver()->stats().deliveries, 1u);
  }

  // Receives at the end of `fd`.
  void ExpectTheEndAlone(int fd) {
    Receive(fd);
    ASSERT_TRUE(driver().RunUntil([&] { return receive_.ended(); }));
    EXPECT_EQ(receive_.result, 0);
    EXPECT_EQ(driver()->stats().deliveries, 0u);
    EXPECT_EQ(driver()->stats().rearms, 0u);
  }

  msghdr room_ = {};
  CountedMultishot receive_;
};

TEST_P(MessageEndConformance, EndOfAStreamEndsMultishotRecvMsg) {
  TestFdPair sockets = system().SocketPair(SOCK_STREAM);
  ExpectAMessageAndTheEnd(sockets.first.get(), std::move(sockets.second));
}

TEST_P(MessageEndConformance, EndOfATcpStreamEndsMultishotRecvMsg) {
  TestFd listener = system().TcpListener(/*backlog=*/1);
  TestFd peer = system().ConnectTo(system().AddressOf(listener.get()));
  TestFd accepted = system().Accept(listener.get());
  ExpectAMessageAndTheEnd(accepted.get(), std::move(peer));
}

TEST_P(MessageEndConformance, EndOfSequencedPacketsEndsMultishotRecvMsg) {
  TestFdPair sockets = system().SocketPair(SOCK_SEQPACKET);
  ExpectAMessageAndTheEnd(sockets.first.get(), std::move(sockets.second));
}

TEST_P(MessageEndConformance, EndThatIsThereAlreadyIsNoDelivery) {
  for (int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
    TestFdPair sockets = system().SocketPair(type);
    sockets.second.Reset();
    ExpectTheEndAlone(sockets.first.get());
  }
}

// io_uring takes a buffer for the end, which holds nothing and is to go back:
// no delivery carries it to an owner that would return it.
TEST_P(MessageEndConformance, EndsTakeNoBuffersAway) {
  BackendOptions options = Options();
  options.receive_buffer_count = 2;
  MakeDriver(options);
  for (int i = 0; i < 8; ++i) {
    TestFdPair sockets = system().SocketPair(SOCK_STREAM);
    sockets.second.Reset();
    Receive(sockets.first.get());
    ASSERT_TRUE(driver().RunUntil([&] { return receive_.ended(); }));
    EXPECT_EQ(receive_.result, 0);
  }
  EXPECT_EQ(driver()->stats().buffer_starved, 0u);
  TestFdPair sockets = system().SocketPair(SOCK_STREAM);
  ExpectAMessageAndTheEnd(sockets.first.get(), std::move(sockets.second));
}

TEST_P(MessageEndConformance, EmptyUnixDatagramIsADeliveryAndNoEnd) {
  TestFdPair sockets = system().SocketPair(SOCK_DGRAM);
  Receive(sockets.first.get());
  SendAll(sockets.second.get(), "");
  SendAll(sockets.second.get(), "next");
  ASSERT_TRUE(driver().RunUntil([&] { return receive_.delivery_count == 2; }));
  EXPECT_EQ(TakePayloads(), (std::vector<std::string>{"", "next"}));
  EXPECT_FALSE(receive_.ended());
  driver().Cancel(receive_);
  EXPECT_TRUE(driver().RunUntil([&] { return receive_.ended(); }));
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(MessageEndConformance);

}  // namespace
}  // namespace ringway::testing
