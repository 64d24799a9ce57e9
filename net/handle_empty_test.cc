// SPDX-License-Identifier: Apache-2.0
//
// Every public member of a handle that is closed or was moved from. (A closed
// stream was once a null pointer.)

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/core/memory/shared_bytes.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/udp_socket.h"

namespace ringway::net {
namespace {

using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::ValueOf;

SocketAddress AnyPort() { return ValueOf(SocketAddress::Parse("127.0.0.1:0")); }

void ExpectRefused(const absl::Status& status, std::string_view what) {
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), what);
}

constexpr std::string_view kClosed = "the stream is closed or was moved from";

Task<void> UseClosedStream(TcpStream* stream, StreamReader* reader,
                           StreamWriter* writer) {
  std::array<std::byte, 4> buffer;
  const std::span<const std::byte> part = Bytes("x");
  EXPECT_FALSE(stream->valid());
  ExpectRefused((co_await stream->Read(buffer)).status(), kClosed);
  ExpectRefused((co_await stream->Read({})).status(), kClosed);
  ExpectRefused((co_await stream->Receive()).status(), kClosed);
  ExpectRefused(co_await stream->Write(part), kClosed);
  ExpectRefused(co_await stream->Write({}), kClosed);
  ExpectRefused(co_await stream->Writev({&part, 1}), kClosed);
  ExpectRefused(co_await stream->Writev({}), kClosed);
  ExpectRefused(co_await stream->WriteZeroCopy(SharedBytes()), kClosed);
  ExpectRefused(co_await stream->WriteGather({}), kClosed);
  ExpectRefused(co_await stream->ShutdownWrite(), kClosed);
  ExpectRefused((co_await reader->Read(buffer)).status(), kClosed);
  ExpectRefused((co_await reader->Receive()).status(), kClosed);
  ExpectRefused(reader->PeerAddress().status(), kClosed);
  EXPECT_EQ(reader->PeerName(), "");
  ExpectRefused(co_await writer->Write(part), kClosed);
  ExpectRefused(co_await writer->Writev({&part, 1}), kClosed);
  ExpectRefused(co_await writer->WriteZeroCopy(SharedBytes()), kClosed);
  ExpectRefused(co_await writer->WriteGather({}), kClosed);
  ExpectRefused(co_await writer->ShutdownWrite(), kClosed);
  ExpectRefused(stream->LocalAddress().status(), kClosed);
  ExpectRefused(stream->PeerAddress().status(), kClosed);
  stream->Reset();
  EXPECT_TRUE((co_await stream->Close()).ok());
  EXPECT_DEATH(stream->fd(),
               "a TcpStream was used after it was closed or moved from");
  EXPECT_DEATH(stream->zero_copy_threshold(),
               "a TcpStream was used after it was closed or moved from");
  BufferedWriter buffered(stream->writer());
  ExpectRefused(co_await buffered.Enqueue(part),
                "the BufferedWriter is closed or was moved from");
}

using EmptyHandle = NetTest;

TEST_P(EmptyHandle, AStreamThatWasClosedAndItsHalves) {
  auto main = [&]() -> Task<void> {
    TcpStream stream = Adopt(ConnectedTcp(system()).near_end);
    StreamReader reader = stream.reader();
    StreamWriter writer = stream.writer();
    EXPECT_TRUE((co_await stream.Close()).ok());
    co_await UseClosedStream(&stream, &reader, &writer);
  };
  Run(main());
}

TEST_P(EmptyHandle, AStreamThatWasNeverOneOrWasMovedFrom) {
  auto main = [&]() -> Task<void> {
    TcpStream stream;
    StreamReader reader = stream.reader();
    StreamWriter writer = stream.writer();
    co_await UseClosedStream(&stream, &reader, &writer);
    stream = Adopt(ConnectedTcp(system()).near_end);
    StreamReader live = stream.reader();
    StreamReader& same = live;
    live = same;
    TcpStream moved = std::move(stream);
    co_await UseClosedStream(&stream, &reader, &writer);
    EXPECT_EQ(ValueOf(co_await live.Receive()).size(), 0u)
        << "halves are those of the stream, wherever it is";
  };
  Run(main());
}

TEST_P(EmptyHandle, ABufferedWriterWhoseStreamWasDropped) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    std::optional<TcpStream> stream = Adopt(std::move(pair.near_end));
    BufferedWriter writer(stream->writer());
    EXPECT_TRUE((co_await writer.Enqueue(Bytes("sent"))).ok());
    EXPECT_TRUE((co_await writer.Flush()).ok());
    stream.reset();
    ExpectRefused(co_await writer.Enqueue(Bytes("lost")), kClosed);
    EXPECT_TRUE((co_await writer.Flush()).ok()) << "all of it was sent";
    co_await testing::TurnTimes(5);  // the close
    EXPECT_EQ((co_await pair.far_end.ReceiveAll()).bytes, "sent");
    EXPECT_EQ(writer.queued_bytes(), 0u);
    BufferedWriter moved = std::move(writer);
    ExpectRefused(co_await writer.Flush(),
                  "the BufferedWriter is closed or was moved from");
    EXPECT_DEATH(writer.queued_bytes(),
                 "a BufferedWriter was used after it was closed or moved");
    EXPECT_DEATH(writer.high_water_bytes(),
                 "a BufferedWriter was used after it was closed or moved");
  };
  Run(main());
}

TEST_P(EmptyHandle, AListenerThatWasMovedFrom) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    TcpListener moved = std::move(listener);
    EXPECT_TRUE(absl::IsCancelled((co_await listener.Accept()).status()));
    ExpectRefused(listener.LocalAddress().status(),
                  "the listener is closed or was moved from");
    listener.Close();
  };
  Run(main());
}

TEST_P(EmptyHandle, AUdpSocketThatWasClosed) {
  auto main = [&]() -> Task<void> {
    constexpr std::string_view kWhy =
        "the UDP socket is closed or was moved from";
    std::array<std::byte, 4> buffer;
    UdpSocket udp = ValueOf(UdpSocket::Bind(loop(), AnyPort()));
    udp.Close();
    ExpectRefused((co_await udp.ReceiveFrom(buffer)).status(), kWhy);
    ExpectRefused((co_await udp.Receive(buffer)).status(), kWhy);
    ExpectRefused(co_await udp.SendTo(Bytes("x"), AnyPort()), kWhy);
    ExpectRefused(co_await udp.Send(Bytes("x")), kWhy);
    ExpectRefused(udp.Connect(AnyPort()), kWhy);
    ExpectRefused(udp.LocalAddress().status(), kWhy);
    udp.Close();
    EXPECT_DEATH(udp.fd(),
                 "a UdpSocket was used after it was closed or moved from");
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(EmptyHandle);

}  // namespace
}  // namespace ringway::net
