// SPDX-License-Identifier: Apache-2.0
//
// Datagrams: their bounds and sources survive, whatever their size, whether
// they are received one by one or into the backend's buffers.

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/datagram.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/operation_fixture.h"

namespace ringway::testing {
namespace {

// What IPv4 leaves of 64 KiB for the payload.
constexpr size_t kLargestPayload = 65'507;

// A message of one part, with room for an IPv4 address.
struct Message {
  explicit Message(std::span<std::byte> data) : part{data.data(), data.size()} {
    message.msg_name = &address;
    message.msg_namelen = sizeof(address);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  sockaddr_in address = {};
  iovec part;
  msghdr message = {};
};

// One delivery of a multishot recvmsg, copied.
struct Received {
  std::string payload;
  sockaddr_in source = {};
  bool truncated = false;
};

class DatagramConformance : public OperationConformance {
 protected:
  void SetUp() override {
    OperationConformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    receiver_ = system().UdpSocket();
    sender_ = system().UdpSocket();
    address_ = system().AddressOf(receiver_.get());
    room_.msg_namelen = sizeof(sockaddr_in);
  }

  void TearDown() override {
    if (!multishot_.active()) return;
    driver().Cancel(multishot_);
    EXPECT_TRUE(driver().RunUntil([&] { return multishot_.ended(); }));
    driver()->DropDeliveries(multishot_);
  }

  static BackendOptions WithBuffers(uint32_t count, uint32_t n_bytes) {
    BackendOptions options = Options();
    options.receive_buffer_count = count;
    options.receive_buffer_bytes = n_bytes;
    options.share_receive_buffers = false;
    options.receive_own_bytes = 0;
    return options;
  }

  // Arms `multishot_` on the receiver.
  void Arm() {
    PrepareRecvMsgMultishot(multishot_, receiver_.get(), room_);
    driver().Start(multishot_);
    driver().StartEverything();
  }

  void SendDatagram(std::string_view payload) {
    ASSERT_EQ(system().SendTo(sender_.get(), payload, address_),
              static_cast<int64_t>(payload.size()));
  }

  // Sends twice and receives twice on a pair of this type.
  void ExpectBoundsKept(int type) {
    TestFdPair sockets = system().SocketPair(type);
    for (std::string_view text : {"one", "three"}) {
      PrepareSend(op_, sockets.first.get(), AsBytes(text));
      EXPECT_EQ(Run(), static_cast<int32_t>(text.size()));
    }
    for (int32_t n_bytes : {3, 5}) {
      PrepareRecv(op_, sockets.second.get(), buffer_);
      EXPECT_EQ(Run(), n_bytes);
    }
  }

  // The next delivery. Waits for it and gives its buffer back.
  Received Next() {
    Received received;
    Delivery delivery;
    EXPECT_TRUE(driver().RunUntil(
        [&] { return multishot_.first_delivery != nullptr; }));
    if (!driver()->TakeDelivery(multishot_, delivery)) return received;
    const Datagram datagram = ReadDatagram(multishot_, delivery);
    received.payload = AsText(datagram.payload);
    EXPECT_EQ(datagram.name.size(), sizeof(received.source));
    memcpy(&received.source, datagram.name.data(), sizeof(received.source));
    received.truncated = datagram.truncated();
    driver()->ReturnBuffer(delivery.buffer_id);
    return received;
  }

  TestFd receiver_, sender_;
  sockaddr_in address_ = {};
  msghdr room_ = {};
  CountedMultishot multishot_;
};

// --- One by one

TEST_P(DatagramConformance, RecvMsgTellsTheSender) {
  SendDatagram("hello");
  Message in(buffer_);
  PrepareRecvMsg(op_, receiver_.get(), in.message);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(Text(5), "hello");
  EXPECT_EQ(in.message.msg_flags & MSG_TRUNC, 0);
  EXPECT_EQ(in.message.msg_namelen, sizeof(in.address));
  EXPECT_EQ(in.address.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
  EXPECT_EQ(in.address.sin_port, system().AddressOf(sender_.get()).sin_port);
}

TEST_P(DatagramConformance, RecvMsgWaitsForADatagram) {
  Message in(buffer_);
  PrepareRecvMsg(op_, receiver_.get(), in.message);
  StartAndPend();
  SendDatagram("hello");
  EXPECT_EQ(Finish(), 5);
  EXPECT_EQ(in.address.sin_port, system().AddressOf(sender_.get()).sin_port);
}

TEST_P(DatagramConformance, RecvMsgTellsThatItCutADatagram) {
  SendDatagram("hello");
  SendDatagram("next");
  const std::span<std::byte> room(buffer_);
  Message in(room.first(2));
  PrepareRecvMsg(op_, receiver_.get(), in.message);
  EXPECT_EQ(Run(), 2);
  EXPECT_NE(in.message.msg_flags & MSG_TRUNC, 0);
  PrepareRecv(op_, receiver_.get(), buffer_);
  EXPECT_EQ(Run(), 4);
  EXPECT_EQ(Text(4), "next") << "the rest of a cut datagram is gone";
}

TEST_P(DatagramConformance, RecvTellsTheWholeLengthIfAsked) {
  SendDatagram("hello");
  PrepareRecv(op_, receiver_.get(), std::span(buffer_).first(2), MSG_TRUNC);
  EXPECT_EQ(Run(), 5);
}

TEST_P(DatagramConformance, RecvThatPeeksLeavesTheDatagram) {
  SendDatagram("hello");
  for (int flags : {int{MSG_PEEK}, 0}) {
    PrepareRecv(op_, receiver_.get(), buffer_, flags);
    EXPECT_EQ(Run(), 5);
  }
}

TEST_P(DatagramConformance, RecvOfAllTakesOneDatagram) {
  SendDatagram("one");
  SendDatagram("two");
  PrepareRecv(op_, receiver_.get(), buffer_, MSG_WAITALL);
  EXPECT_EQ(Run(), 3);
}

TEST_P(DatagramConformance, RecvOfAnEmptyDatagramIsZero) {
  SendDatagram("");
  SendDatagram("next");
  PrepareRecv(op_, receiver_.get(), buffer_);
  EXPECT_EQ(Run(), 0);
  PrepareRecv(op_, receiver_.get(), buffer_);
  EXPECT_EQ(Run(), 4) << "an empty datagram is no end";
}

TEST_P(DatagramConformance, SendMsgGoesToItsAddress) {
  std::string text = "hello";
  Message out(std::as_writable_bytes(std::span(text)));
  out.address = address_;
  PrepareSendMsg(op_, sender_.get(), out.message);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(ReceiveAll(receiver_.get(), 5), "hello");
}

TEST_P(DatagramConformance, SendMsgOfTheLargestDatagramArrivesWhole) {
  std::string text(kLargestPayload, 'x');
  Message out(std::as_writable_bytes(std::span(text)));
  out.address = address_;
  PrepareSendMsg(op_, sender_.get(), out.message);
  EXPECT_EQ(Run(), static_cast<int32_t>(kLargestPayload));
  EXPECT_TRUE(ReceiveAll(receiver_.get(), kLargestPayload) == text);
}

TEST_P(DatagramConformance, SendMsgOfTooMuchIsEmsgsizeAndTheNextOneWorks) {
  std::string text(kLargestPayload + 1, 'x');
  Message out(std::as_writable_bytes(std::span(text)));
  out.address = address_;
  PrepareSendMsg(op_, sender_.get(), out.message);
  EXPECT_EQ(Run(), -EMSGSIZE);
  out.part.iov_len = 5;
  PrepareSendMsg(op_, sender_.get(), out.message);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(ReceiveAll(receiver_.get(), 5), "xxxxx");
}

TEST_P(DatagramConformance, SendMsgWithoutAnAddressIsEdestaddrreq) {
  std::string text = "hello";
  Message out(std::as_writable_bytes(std::span(text)));
  out.message.msg_name = nullptr;
  out.message.msg_namelen = 0;
  PrepareSendMsg(op_, sender_.get(), out.message);
  EXPECT_EQ(Run(), -EDESTADDRREQ);
}

TEST_P(DatagramConformance, UnixDatagramsKeepTheirBounds) {
  ExpectBoundsKept(SOCK_DGRAM);
}

TEST_P(DatagramConformance, SequencedPacketsKeepTheirBounds) {
  ExpectBoundsKept(SOCK_SEQPACKET);
}

// --- Into provided buffers

TEST_P(DatagramConformance, EachDeliveryIsOneDatagramWithItsSource) {
  TestFd other = system().UdpSocket();
  Arm();
  SendDatagram("from one");
  ASSERT_EQ(system().SendTo(other.get(), "from another", address_), 12);

  const Received first = Next(), second = Next();

  EXPECT_EQ(first.payload, "from one");
  EXPECT_EQ(first.source.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
  EXPECT_EQ(first.source.sin_port, system().AddressOf(sender_.get()).sin_port);
  EXPECT_EQ(second.payload, "from another");
  EXPECT_EQ(second.source.sin_port, system().AddressOf(other.get()).sin_port);
  EXPECT_FALSE(multishot_.ended());
}

TEST_P(DatagramConformance, EmptyDatagramIsADelivery) {
  Arm();
  SendDatagram("");
  SendDatagram("next");
  const Received empty = Next();
  EXPECT_EQ(empty.payload, "");
  EXPECT_EQ(empty.source.sin_port, system().AddressOf(sender_.get()).sin_port);
  EXPECT_EQ(Next().payload, "next");
  EXPECT_FALSE(multishot_.ended());
}

TEST_P(DatagramConformance, LargestDatagramIsOneDelivery) {
  MakeDriver(WithBuffers(4, 66 * 1024));
  Arm();
  std::string text(kLargestPayload, '\0');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7);
  SendDatagram(text);
  const Received received = Next();
  EXPECT_TRUE(received.payload == text);
  EXPECT_FALSE(received.truncated);
}

TEST_P(DatagramConformance, DatagramBeyondTheBufferIsCutAndSaysSo) {
  constexpr uint32_t kBytes = 128;
  MakeDriver(WithBuffers(4, kBytes));
  Arm();
  const std::string text(kBytes, 'x');
  const size_t room = kBytes - DatagramPayloadOffset(multishot_);
  SendDatagram(text);
  SendDatagram(text.substr(0, room));
  const Received cut = Next(), whole = Next();
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(cut.payload, text.substr(0, room));
  EXPECT_EQ(cut.source.sin_port, system().AddressOf(sender_.get()).sin_port);
  EXPECT_FALSE(whole.truncated);
  EXPECT_EQ(whole.payload.size(), room);
}

TEST_P(DatagramConformance, NoRoomForTheSourceLeavesItOut) {
  room_.msg_namelen = 0;
  Arm();
  SendDatagram("hello");
  ASSERT_TRUE(
      driver().RunUntil([&] { return multishot_.first_delivery != nullptr; }));
  Delivery delivery;
  ASSERT_TRUE(driver()->TakeDelivery(multishot_, delivery));
  const Datagram datagram = ReadDatagram(multishot_, delivery);
  EXPECT_EQ(datagram.name.size(), 0u);
  EXPECT_EQ(AsText(datagram.payload), "hello");
  driver()->ReturnBuffer(delivery.buffer_id);
}

TEST_P(DatagramConformance, ControlDataComesAlong) {
  RINGWAY_REQUIRES_KERNEL("socket options");
  const int on = 1;
  ASSERT_EQ(
      setsockopt(receiver_.get(), IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)), 0);
  room_.msg_controllen = CMSG_SPACE(sizeof(in_pktinfo));
  Arm();
  SendDatagram("hello");
  ASSERT_TRUE(
      driver().RunUntil([&] { return multishot_.first_delivery != nullptr; }));
  Delivery delivery;
  ASSERT_TRUE(driver()->TakeDelivery(multishot_, delivery));
  const Datagram datagram = ReadDatagram(multishot_, delivery);
  EXPECT_EQ(AsText(datagram.payload), "hello");
  EXPECT_EQ(datagram.flags & MSG_CTRUNC, 0u);
  ASSERT_GE(datagram.control.size(), CMSG_LEN(sizeof(in_pktinfo)));
  cmsghdr header;
  memcpy(&header, datagram.control.data(), sizeof(header));
  EXPECT_EQ(header.cmsg_level, IPPROTO_IP);
  EXPECT_EQ(header.cmsg_type, IP_PKTINFO);
  in_pktinfo info;
  memcpy(&info, datagram.control.subspan(CMSG_LEN(0)).data(), sizeof(info));
  EXPECT_EQ(info.ipi_addr.s_addr, htonl(INADDR_LOOPBACK));
  driver()->ReturnBuffer(delivery.buffer_id);
}

TEST_P(DatagramConformance, DatagramsThroughFewBuffersKeepTheirOrder) {
  constexpr int kDatagrams = 100;
  MakeDriver(WithBuffers(2, 256));
  Arm();
  for (int i = 0; i < kDatagrams; ++i) SendDatagram(std::to_string(i));
  for (int i = 0; i < kDatagrams; ++i) {
    ASSERT_EQ(Next().payload, std::to_string(i));
  }
}

TEST_P(DatagramConformance, WithoutBuffersDatagramsWaitInTheSocket) {
  MakeDriver(WithBuffers(1, 256));
  Arm();
  for (const char* text : {"one", "two", "three"}) SendDatagram(text);
  ASSERT_TRUE(
      driver().RunUntil([&] { return driver()->stats().buffer_starved > 0; }));
  Delivery held;
  ASSERT_TRUE(driver()->TakeDelivery(multishot_, held));
  const BackendStats before = driver()->stats();
  driver().TurnWithoutBlocking(100);
  EXPECT_EQ(driver()->stats().rearms, before.rearms) << "it spun";
  EXPECT_EQ(multishot_.first_delivery, nullptr);
  EXPECT_EQ(AsText(ReadDatagram(multishot_, held).payload), "one");

  driver()->ReturnBuffer(held.buffer_id);

  EXPECT_EQ(Next().payload, "two");
  EXPECT_EQ(Next().payload, "three");
}

TEST_P(DatagramConformance, UnreachablePeerIsHarmless) {
  TestFd gone = system().UdpSocket();
  const sockaddr_in nobody = system().AddressOf(gone.get());
  gone.Reset();
  Arm();
  // The network's error for this datagram must not affect receives.
  EXPECT_EQ(system().SendTo(receiver_.get(), "anybody?", nobody), 8);
  SendDatagram("hello");
  EXPECT_EQ(Next().payload, "hello");
  EXPECT_FALSE(multishot_.ended());
}

TEST_P(DatagramConformance, MultishotRecvMsgEndsCancelledAndKeepsWhatCame) {
  Arm();
  SendDatagram("hello");
  ASSERT_TRUE(
      driver().RunUntil([&] { return multishot_.first_delivery != nullptr; }));
  EXPECT_EQ(driver().Cancel(multishot_), CancelOutcome::kRequested);
  EXPECT_TRUE(driver().RunUntil([&] { return multishot_.ended(); }));
  EXPECT_EQ(multishot_.result, -ECANCELED);
  EXPECT_EQ(Next().payload, "hello");
}

TEST_P(DatagramConformance, MultishotRecvMsgOnAPipeIsEnotsock) {
  TestFdPair pipe = system().Pipe();
  CountedMultishot recv;
  PrepareRecvMsgMultishot(recv, pipe.first.get(), room_);
  EXPECT_EQ(driver().RunToEnd(recv), -ENOTSOCK);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DatagramConformance);

}  // namespace
}  // namespace ringway::testing
