// SPDX-License-Identifier: Apache-2.0
//
// As header_examples_test.cc, for the headers in the folders of net/.

#include <unistd.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/testing/quoted_examples.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/net/resolver/connect_host.h"
#include "ringway/net/resolver/fixed_resolver.h"
#include "ringway/net/statistics/tcp_info.h"
#include "ringway/net/stream_pair.h"
#include "ringway/net/unix/fd_passing.h"
#include "ringway/net/unix/peer_credentials.h"
#include "ringway/net/unix/seq_packet_listener.h"
#include "ringway/net/unix/seq_packet_socket.h"
#include "ringway/net/unix/unix_datagram_socket.h"

namespace ringway {

using net::LentDatagram;
using net::SeqPacketListener;
using net::SeqPacketSocket;
using net::SocketAddress;
using net::TcpStream;
using net::UnixDatagramSocket;

// Compiled only: not every machine lets a test bind there.
Task<absl::Status> ReadOneLine() {
  absl::StatusOr<UnixDatagramSocket> log =
      UnixDatagramSocket::Bind(SocketAddress::Unix("/run/log.sock").value());
  absl::StatusOr<LentDatagram> line = co_await log->ReceiveLent();
  co_return line.status();
}

namespace {

class NetFolderExamples : public TaskTest {
 protected:
  const std::string text_ = "question";
  const std::span<const std::byte> question = std::as_bytes(std::span(text_));
  std::array<std::byte, 64> buffer;
};

RINGWAY_TEST_F(NetFolderExamples, FdPassing) {
  auto pair = net::StreamPair();
  const std::span<const std::byte> bytes = question;
  const std::array<int, 1> fds = {0};
  {
    TcpStream& stream = pair->first;
    absl::Status sent = co_await net::SendFds(stream, bytes, fds);
    if (absl::IsUnimplemented(sent)) co_return;  // the simulator
    RINGWAY_ASSERT_OK(sent);
  }
  TcpStream& stream = pair->second;
  absl::StatusOr<net::ReceivedFds> received =
      co_await net::ReceiveFds(stream, buffer, /*max_fds=*/4);
  RINGWAY_ASSERT_OK(received);
  EXPECT_EQ(received->fds.size(), 1u);
}

RINGWAY_TEST_F(NetFolderExamples, PeerCredentials) {
  auto pair = net::StreamPair();
  const TcpStream& stream = pair->first;
  absl::StatusOr<net::PeerCredentials> peer = net::PeerCredentialsOf(stream);
  const bool is_root = peer.ok() && peer->uid == 0;
  EXPECT_LE(is_root, peer.ok());
  co_return;
}

Task<size_t> AskAndListen(std::span<const std::byte> question) {
  std::array<std::byte, 64> buffer;
  size_t n_bytes = 0;
  auto ends = net::SeqPacketPair();
  absl::Status sent = co_await ends->first.Send(question);
  absl::StatusOr<net::Packet> got = co_await ends->second.Receive(buffer);
  if (got.ok() && !got->is_end()) n_bytes += got->n_bytes;
  EXPECT_TRUE(sent.ok()) << sent;
  co_return n_bytes;
}

RINGWAY_TEST_F(NetFolderExamples, SeqPacketSocket) {
  EXPECT_EQ(co_await AskAndListen(question), question.size());
}

RINGWAY_TEST_F(NetFolderExamples, SeqPacketListener) {
  // No other run of this test has the name.
  const SocketAddress address =
      *SocketAddress::Parse(absl::StrCat("unix:@ringway-example-", getpid()));
  absl::StatusOr<SeqPacketListener> listener =
      SeqPacketListener::Listen(address);
  absl::StatusOr<SeqPacketSocket> client =
      co_await net::ConnectSeqPacket(address);
  absl::StatusOr<SeqPacketSocket> server = co_await listener->Accept();
  RINGWAY_ASSERT_OK(client);
  RINGWAY_ASSERT_OK(server);
}

RINGWAY_TEST_F(NetFolderExamples, UnixDatagramSocket) {
  EXPECT_NE(&ReadOneLine, nullptr);
  co_return;
}

Task<absl::StatusOr<TcpStream>> Dial(net::Resolver& resolver) {
  absl::StatusOr<TcpStream> stream = co_await WithTimeout(
      absl::Seconds(5), net::ConnectToHost(resolver, "example.org", 443));
  co_return stream;
}

RINGWAY_TEST_F(NetFolderExamples, ConnectHost) {
  net::FixedResolver resolver;
  resolver.Add("db", *SocketAddress::Parse("10.0.0.7:0"));
  const absl::StatusOr<TcpStream> stream = co_await Dial(resolver);
  EXPECT_TRUE(absl::IsNotFound(stream.status())) << stream.status();
}

int n_logged = 0;
void Log(absl::Duration, uint64_t) { ++n_logged; }

RINGWAY_TEST_F(NetFolderExamples, TcpInfo) {
  auto pair = net::StreamPair();
  const TcpStream& stream = pair->first;
  absl::StatusOr<net::TcpInfo> info = net::TcpInfoOf(stream);
  if (info.ok()) Log(info->round_trip, info->n_retransmitted);
  EXPECT_EQ(n_logged, info.ok() ? 1 : 0);
  co_return;
}

TEST(NetFolderExampleTest, OfTheHeadersAreTheseHere) {
  for (const char* header : {
           "resolver/connect_host.h",
           "resolver/fixed_resolver.h",
           "statistics/tcp_info.h",
           "unix/fd_passing.h",
           "unix/peer_credentials.h",
           "unix/seq_packet_listener.h",
           "unix/seq_packet_socket.h",
           "unix/unix_datagram_socket.h",
       }) {
    testing::ExpectHeaderQuotes(std::string("net/") + header,
                                "net/folder_header_examples_test.cc");
  }
}

}  // namespace
}  // namespace ringway
