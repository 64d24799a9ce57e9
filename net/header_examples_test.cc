// SPDX-License-Identifier: Apache-2.0
//
// The examples at the heads of the headers of net/, compiled. The last test
// compares: what a header shows stands here, but for the space between.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/core/memory/shared_bytes.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/quoted_examples.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/net/address_prefix.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/connect.h"
#include "ringway/net/file_sink.h"
#include "ringway/net/forward.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/net/stream_halves.h"
#include "ringway/net/stream_pair.h"
#include "ringway/net/tcp_listener.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/udp_socket.h"

namespace ringway {
namespace {

using net::AddressPrefix;
using net::Datagram;
using net::LentDatagram;
using net::SocketAddress;
using net::TcpListener;
using net::TcpStream;
using net::UdpSocket;

// --- A world for the examples.

Task<absl::Status> Serve(TcpStream stream) {
  std::array<std::byte, 64> buffer;
  absl::StatusOr<size_t> n = co_await stream.Read(buffer);
  absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
  co_return sent;
}

// The rest of the request is left unread.
Task<void> AnswerAndClose(TcpStream stream, std::span<const std::byte> answer) {
  if (absl::Status s = co_await stream.Write(answer); !s.ok()) co_return;
  absl::Status s = co_await stream.CloseGracefully(absl::Seconds(5));
  s.IgnoreError();
}

Task<void> AcceptAll(Loop& loop, SocketAddress address) {
  absl::StatusOr<TcpListener> listener = TcpListener::Listen(loop, address);
  while (true) {
    absl::StatusOr<TcpStream> stream = co_await listener->Accept();
    if (absl::IsResourceExhausted(stream.status())) continue;
    if (!stream.ok()) break;
    Spawn(Serve(*std::move(stream))).Detach();
  }
}

class NetHeaderExamples : public TaskTest {
 protected:
  const std::string text_ = "question";
  const std::span<const std::byte> question = std::as_bytes(std::span(text_));
  const std::span<const std::byte> reply = question;
  std::array<std::byte, 64> buffer;
};

RINGWAY_TEST_F(NetHeaderExamples, SocketAddress) {
  absl::StatusOr<SocketAddress> address = SocketAddress::Parse("[::1]:7878");
  RINGWAY_ASSERT_OK(address);
  co_return;
}

RINGWAY_TEST_F(NetHeaderExamples, AddressPrefix) {
  const SocketAddress peer = *SocketAddress::Parse("10.1.2.3:4567");
  absl::StatusOr<AddressPrefix> allowed = AddressPrefix::Parse("10.0.0.0/8");
  const bool admitted = allowed->Contains(peer);
  EXPECT_TRUE(admitted);
  co_return;
}

RINGWAY_TEST_F(NetHeaderExamples, ListenConnectReadAndWrite) {
  const SocketAddress address = *SocketAddress::Parse("127.0.0.1:7878");
  JoinHandle<void> accepting = Spawn(AcceptAll(loop(), address));
  co_await Yield();
  absl::StatusOr<TcpStream> connected = co_await net::Connect(address);
  RINGWAY_ASSERT_OK(connected);
  TcpStream peer = *std::move(connected);
  RINGWAY_ASSERT_OK(co_await peer.Write(question));
  TcpStream& stream = peer;
  absl::StatusOr<size_t> n = co_await stream.Read(buffer);
  absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
  EXPECT_EQ(n.value_or(0), question.size());
  EXPECT_TRUE(sent.ok()) << sent;
  accepting.Cancel();
  static_cast<void>(co_await accepting);
}

Task<absl::StatusOr<TcpStream>> ConnectTo(SocketAddress address) {
  absl::StatusOr<TcpStream> stream = co_await net::Connect(address);
  co_return stream;
}

RINGWAY_TEST_F(NetHeaderExamples, Connect) {
  const SocketAddress address = *SocketAddress::Parse("127.0.0.1:7878");
  absl::StatusOr<TcpStream> refused = co_await ConnectTo(address);
  EXPECT_TRUE(absl::IsUnavailable(refused.status())) << refused.status();
}

RINGWAY_TEST_F(NetHeaderExamples, StreamPair) {
  auto pair = net::StreamPair();
  Spawn(Serve(std::move(pair->second))).Detach();
  absl::Status sent = co_await pair->first.Write(question);
  RINGWAY_ASSERT_OK(sent);
  absl::StatusOr<size_t> n = co_await pair->first.Read(buffer);
  EXPECT_EQ(n.value_or(0), question.size());
}

RINGWAY_TEST_F(NetHeaderExamples, CloseGracefully) {
  auto pair = net::StreamPair();
  const std::array<std::byte, 3> answer = {};
  Spawn(AnswerAndClose(std::move(pair->first), answer)).Detach();
  std::array<std::byte, 8> buffer;
  absl::StatusOr<size_t> n = co_await pair->second.Read(buffer);
  EXPECT_TRUE(n.ok() && *n == 3);
  n = co_await pair->second.Read(buffer);
  EXPECT_TRUE(n.ok() && *n == 0) << "not the end";
}

RINGWAY_TEST_F(NetHeaderExamples, StreamHalves) {
  auto pair = net::StreamPair();
  TcpStream& stream = pair->first;
  net::BufferedReader in(stream.reader());
  net::BufferedWriter out(stream.writer());
  RINGWAY_ASSERT_OK(co_await pair->second.ShutdownWrite());
  RINGWAY_ASSERT_OK(co_await in.Fill(1));
  RINGWAY_ASSERT_OK(co_await out.Flush());
}

RINGWAY_TEST_F(NetHeaderExamples, FileSink) {
  auto pair = net::StreamPair();
  TcpStream& stream = pair->first;
  const int file = -1;
  RINGWAY_ASSERT_OK(co_await pair->second.Write(question));
  absl::StatusOr<uint64_t> n_bytes =
      co_await net::Forward(stream.reader(), net::FileSink(file));
  EXPECT_FALSE(n_bytes.ok()) << "there is no file";
}

RINGWAY_TEST_F(NetHeaderExamples, BufferedWriter) {
  absl::StatusOr<std::pair<TcpStream, TcpStream>> pair = net::StreamPair();
  TcpStream& stream = pair->first;
  int n_replies = 0;
  {
    net::BufferedWriter writer(stream.writer());
    while (n_replies < 3) {
      absl::Status queued = co_await writer.Enqueue(reply);
      RINGWAY_ASSERT_OK(queued);
      ++n_replies;
    }
    absl::Status sent = co_await writer.Flush();
    RINGWAY_ASSERT_OK(sent);
  }
  absl::StatusOr<size_t> n = co_await pair->second.Read(buffer);
  EXPECT_EQ(n.value_or(0), 3 * reply.size());
}

int n_handled = 0;
void Handle(std::string_view) { ++n_handled; }
size_t ParseLength(std::span<const std::byte> header) {
  return static_cast<size_t>(header[3]);
}

Task<absl::Status> HandleLines(TcpStream stream) {
  net::BufferedReader in(stream.reader());
  while (true) {
    absl::StatusOr<std::optional<std::string_view>> line =
        co_await in.ReadLine(/*limit_bytes=*/8192);
    if (!line.ok()) co_return line.status();
    if (!*line) co_return absl::OkStatus();  // the peer has finished
    Handle(**line);
  }
}

Task<absl::StatusOr<size_t>> LengthOfFirst(TcpStream stream) {
  net::BufferedReader in(stream.reader());
  absl::StatusOr<std::span<const std::byte>> header = co_await in.Fill(4);
  if (!header.ok()) co_return header.status();
  if (header->size() < 4) co_return absl::DataLossError("half a header");
  const size_t n_bytes = ParseLength(*header);
  in.Consume(4);
  co_return n_bytes;
}

RINGWAY_TEST_F(NetHeaderExamples, BufferedReader) {
  auto lines = net::StreamPair();
  const std::string text = "one\ntwo\n";
  RINGWAY_ASSERT_OK(
      co_await lines->first.Write(std::as_bytes(std::span(text))));
  RINGWAY_ASSERT_OK(co_await lines->first.Close());
  RINGWAY_ASSERT_OK(co_await HandleLines(std::move(lines->second)));
  EXPECT_EQ(n_handled, 2);
  auto frames = net::StreamPair();
  RINGWAY_ASSERT_OK(co_await frames->first.Write(question));
  absl::StatusOr<size_t> n = co_await LengthOfFirst(std::move(frames->second));
  EXPECT_EQ(n.value_or(0), static_cast<size_t>(question[3]));
}

template <ringway::net::ByteStream Stream>
ringway::Task<absl::Status> Serve(Stream stream);

template <ringway::net::ByteStream Stream>
ringway::Task<absl::Status> Serve(Stream stream) {
  absl::Status closed = co_await stream.Close();
  co_return closed;
}

RINGWAY_TEST_F(NetHeaderExamples, StreamConcepts) {
  auto pair = net::StreamPair();
  RINGWAY_ASSERT_OK(co_await Serve<TcpStream>(std::move(pair->first)));
}

Task<absl::Status> ForwardOneWay(TcpStream& client, TcpStream& server) {
  absl::StatusOr<uint64_t> n_bytes =
      co_await net::Forward(client.reader(), server.writer());
  co_return n_bytes.status();
}

RINGWAY_TEST_F(NetHeaderExamples, Forward) {
  auto near = net::StreamPair(), far = net::StreamPair();
  TcpStream& client = near->second;
  TcpStream& server = far->first;
  RINGWAY_ASSERT_OK(co_await near->first.ShutdownWrite());
  RINGWAY_ASSERT_OK(co_await ForwardOneWay(client, server));
  RINGWAY_ASSERT_OK(co_await far->second.ShutdownWrite());
  absl::StatusOr<net::ForwardedBytes> forwarded =
      co_await net::ForwardBoth(client, server);
  RINGWAY_ASSERT_OK(forwarded);
}

Task<absl::Status> AnswerOne(Loop& loop, SocketAddress address,
                             std::span<const std::byte> reply) {
  std::array<std::byte, 64> buffer;
  absl::StatusOr<UdpSocket> socket = UdpSocket::Bind(loop, address);
  absl::StatusOr<Datagram> got = co_await socket->ReceiveFrom(buffer);
  absl::Status sent = co_await socket->SendTo(reply, got->sender);
  co_return sent;
}

Task<absl::Status> CountBytes(UdpSocket* socket, size_t& n_bytes) {
  while (true) {
    absl::StatusOr<LentDatagram> got = co_await socket->ReceiveLent();
    if (!got.ok()) co_return got.status();
    n_bytes += got->bytes.bytes().size();
    EXPECT_NE(got->sender.port(), 0);
  }
}

RINGWAY_TEST_F(NetHeaderExamples, UdpSocketLends) {
  absl::StatusOr<UdpSocket> peer =
      UdpSocket::Bind(*SocketAddress::Parse("127.0.0.1:0"));
  size_t n_bytes = 0;
  JoinHandle<absl::Status> counting = Spawn(CountBytes(&*peer, n_bytes));
  RINGWAY_ASSERT_OK(co_await peer->SendTo(question, *peer->LocalAddress()));
  while (n_bytes < question.size()) co_await Yield();
  peer->Close();
  EXPECT_TRUE(absl::IsCancelled(co_await counting));
}

RINGWAY_TEST_F(NetHeaderExamples, UdpSocket) {
  const SocketAddress address = *SocketAddress::Parse("127.0.0.1:7878");
  JoinHandle<absl::Status> answering = Spawn(AnswerOne(loop(), address, reply));
  co_await Yield();
  absl::StatusOr<UdpSocket> peer = UdpSocket::Bind(address.WithPort(0));
  RINGWAY_ASSERT_OK(co_await peer->SendTo(question, address));
  absl::StatusOr<Datagram> got = co_await peer->Receive(buffer);
  RINGWAY_ASSERT_OK(got);
  EXPECT_EQ(got->n_bytes, reply.size());
  RINGWAY_ASSERT_OK(co_await answering);
}

// --- The headers.

TEST(NetHeaderExampleTest, OfTheHeadersAreTheseHere) {
  for (const char* header : {
           "address_prefix.h",
           "buffered_reader.h",
           "buffered_writer.h",
           "connect.h",
           "file_sink.h",
           "forward.h",
           "socket_address.h",
           "stream_concepts.h",
           "stream_halves.h",
           "stream_pair.h",
           "tcp_listener.h",
           "tcp_stream.h",
           "udp_socket.h",
       }) {
    testing::ExpectHeaderQuotes(std::string("net/") + header,
                                "net/header_examples_test.cc");
  }
}

}  // namespace
}  // namespace ringway
