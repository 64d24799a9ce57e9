// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/network/stream_socket.h"

#include <poll.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "gtest/gtest.h"
#include "ringway/backends/sim/environment/environment.h"
#include "ringway/backends/sim/files/file_store.h"
#include "ringway/backends/sim/network/network.h"

namespace ringway::sim {
namespace {

constexpr uint32_t kServer = 10u << 24 | 1;
constexpr uint32_t kClient = 10u << 24 | 2;

using SocketPtr = std::shared_ptr<StreamSocket>;

class StreamSocketTest : public ::testing::Test {
 protected:
  SocketPtr MakeSocket(uint32_t host) {
    return std::make_shared<StreamSocket>(environment_, network_, AF_INET,
                                          host);
  }
  SocketPtr Listen(int backlog = 8) {
    SocketPtr listener = MakeSocket(kServer);
    EXPECT_EQ(listener->Bind(Ipv4(INADDR_ANY, 80)), 0);
    EXPECT_EQ(listener->Listen(backlog), 0);
    return listener;
  }
  // A connection over the network as it is.
  void ConnectAll() {
    listener_ = Listen();
    client_ = MakeSocket(kClient);
    client_->Connect(Ipv4(kServer, 80));
    Pass(absl::Minutes(10));
    ASSERT_EQ(client_->FinishConnect(), 0);
    server_ = std::static_pointer_cast<StreamSocket>(listener_->Accept());
    ASSERT_NE(server_, nullptr);
  }
  void SetLatency(absl::Duration latency) {
    environment_.network.latency_low = latency;
    environment_.network.latency_high = latency;
  }
  void Pass(absl::Duration time) {
    const MonotonicTime end = environment_.now() + time;
    while (environment_.events.next() <= end) {
      environment_.clock.AdvanceTo(environment_.events.next());
      environment_.Settle();
    }
    environment_.clock.AdvanceTo(end);
  }
  static int64_t Send(StreamSocket& socket, std::string_view text) {
    Buffers from(const_cast<char*>(text.data()), text.size());
    return socket.Send(from, nullptr, 0);
  }
  static int64_t Receive(StreamSocket& socket, std::string* text = nullptr) {
    char memory[1 << 17];
    Buffers to(memory, sizeof(memory));
    Received received;
    const int64_t n = socket.Receive(to, 0, received);
    if (n > 0 && text != nullptr) text->append(memory, static_cast<size_t>(n));
    return n;
  }

  Environment environment_{1};
  FileStore files_{environment_};
  Network network_{environment_, files_};
  SocketPtr listener_, client_, server_;
};

TEST_F(StreamSocketTest, SaysWhenBytesArrivedIfAsked) {
  ConnectAll();
  SetLatency(absl::Milliseconds(10));
  char memory[16];
  const auto receive = [&](size_t most) {
    Buffers to(memory, most);
    Received received;
    EXPECT_GT(server_->Receive(to, 0, received), 0);
    return received.arrival;
  };
  Send(*client_, "a");
  Pass(absl::Seconds(1));
  EXPECT_EQ(receive(1), std::nullopt);
  const int on = 1;
  ASSERT_EQ(server_->SetOption(SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)), 0);
  const MonotonicTime sent = environment_.now();
  Send(*client_, "b");
  Pass(absl::Seconds(1));
  EXPECT_EQ(receive(1), sent + absl::Milliseconds(10));
  // Those that wait together have the time of the newest.
  Send(*client_, "c");
  Pass(absl::Seconds(1));
  Send(*client_, "d");
  Pass(absl::Seconds(1));
  EXPECT_EQ(receive(1), sent + absl::Milliseconds(2'010));
  EXPECT_EQ(receive(1), sent + absl::Milliseconds(2'010));
}

TEST_F(StreamSocketTest, BytesArriveInOrderAfterTheirLatency) {
  ConnectAll();
  SetLatency(absl::Milliseconds(10));
  EXPECT_EQ(Send(*client_, "first "), 6);
  Pass(absl::Milliseconds(5));
  SetLatency(absl::ZeroDuration());  // the second does not overtake the first
  EXPECT_EQ(Send(*client_, "second"), 6);
  EXPECT_EQ(Receive(*server_), kBlocked);
  Pass(absl::Milliseconds(5));
  std::string text;
  EXPECT_EQ(Receive(*server_, &text), 12);
  EXPECT_EQ(text, "first second");
}

TEST_F(StreamSocketTest, BandwidthSpreadsBytesOverTime) {
  ConnectAll();
  environment_.network.bytes_per_second = 1000;
  Send(*client_, std::string(500, 'x'));
  Send(*client_, std::string(500, 'x'));
  Pass(absl::Milliseconds(500));
  EXPECT_EQ(Receive(*server_), 500);
  Pass(absl::Milliseconds(500));
  EXPECT_EQ(Receive(*server_), 500);
}

TEST_F(StreamSocketTest, AFullBufferBlocksTheSenderUntilSomethingIsRead) {
  environment_.network.stream_buffer_bytes = 100;
  ConnectAll();
  EXPECT_EQ(Send(*client_, std::string(150, 'x')), 100);
  EXPECT_EQ(Send(*client_, "x"), kBlocked);
  EXPECT_EQ(client_->Ready() & POLLOUT, 0u);
  EXPECT_EQ(Receive(*server_), 100);
  EXPECT_EQ(Send(*client_, "x"), 1);
}

TEST_F(StreamSocketTest, TheEndComesAfterTheData) {
  ConnectAll();
  Send(*client_, "bye");
  client_.reset();
  EXPECT_EQ(Receive(*server_), 3);
  EXPECT_EQ(Receive(*server_), 0);
  EXPECT_EQ(Receive(*server_), 0);
}

TEST_F(StreamSocketTest, AHalfClosedSideStillReceives) {
  ConnectAll();
  EXPECT_EQ(client_->Shutdown(SHUT_WR), 0);
  EXPECT_EQ(Receive(*server_), 0);
  EXPECT_EQ(Send(*client_, "x"), -EPIPE);
  EXPECT_EQ(Send(*server_, "answer"), 6);
  EXPECT_EQ(Receive(*client_), 6);
}

TEST_F(StreamSocketTest, ClosingWithUnreadBytesResetsThePeerOnce) {
  ConnectAll();
  Send(*client_, "never read");
  server_.reset();
  EXPECT_EQ(Receive(*client_), -ECONNRESET);
  EXPECT_EQ(Receive(*client_), 0);
  EXPECT_EQ(Send(*client_, "x"), -EPIPE);
}

TEST_F(StreamSocketTest, SendingToAClosedPeerFailsWhenTheAnswerIsBack) {
  ConnectAll();
  SetLatency(absl::Milliseconds(10));
  server_.reset();
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Send(*client_, "x"), 1);
  Pass(absl::Milliseconds(20));
  EXPECT_EQ(Send(*client_, "x"), -EPIPE);
}

TEST_F(StreamSocketTest, ABrokenConnectionIsResetOnBothSides) {
  ConnectAll();
  server_->Break();
  EXPECT_EQ(Receive(*server_), -ECONNRESET);
  EXPECT_EQ(Receive(*client_), -ECONNRESET);
}

TEST_F(StreamSocketTest, AFullBacklogMakesConnectionsWait) {
  listener_ = Listen(/*backlog=*/0);
  client_ = MakeSocket(kClient);
  EXPECT_EQ(client_->Connect(Ipv4(kServer, 80)), 0) << "one more than asked";
  SocketPtr waiting = MakeSocket(kClient);
  EXPECT_EQ(waiting->Connect(Ipv4(kServer, 80)), kBlocked);
  EXPECT_NE(listener_->Accept(), nullptr);
  EXPECT_EQ(waiting->FinishConnect(), 0);
}

TEST_F(StreamSocketTest, ClosingAListenerEndsWhoWasNotAccepted) {
  listener_ = Listen();
  client_ = MakeSocket(kClient);
  EXPECT_EQ(client_->Connect(Ipv4(kServer, 80)), 0);
  listener_.reset();
  EXPECT_EQ(Receive(*client_), -ECONNRESET);
}

TEST_F(StreamSocketTest, NobodyListeningRefusesAfterARoundTrip) {
  SetLatency(absl::Milliseconds(10));
  client_ = MakeSocket(kClient);
  EXPECT_EQ(client_->Connect(Ipv4(kServer, 80)), kBlocked);
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(client_->FinishConnect(), -ECONNREFUSED);
}

TEST_F(StreamSocketTest, ManyHostsAtOnceAreUnreachable) {
  for (uint32_t many : {INADDR_BROADCAST, INADDR_UNSPEC_GROUP}) {
    EXPECT_EQ(MakeSocket(kClient)->Connect(Ipv4(many, 80)), -ENETUNREACH);
  }
}

TEST_F(StreamSocketTest, APortInUseIsRefusedAndComesFree) {
  listener_ = Listen();
  EXPECT_EQ(MakeSocket(kServer)->Bind(Ipv4(kServer, 80)), -EADDRINUSE);
  EXPECT_EQ(MakeSocket(kClient)->Bind(Ipv4(kClient, 80)), 0)
      << "another host's";
  listener_.reset();
  EXPECT_EQ(MakeSocket(kServer)->Bind(Ipv4(kServer, 80)), 0);
}

TEST_F(StreamSocketTest, AnotherHostsAddressCannotBeBound) {
  EXPECT_EQ(MakeSocket(kClient)->Bind(Ipv4(kServer, 80)), -EADDRNOTAVAIL);
}

TEST_F(StreamSocketTest, APartitionHoldsEverythingUpUntilItHeals) {
  ConnectAll();
  for (int round = 0; round < 2; ++round) {
    network_.Partition(kServer, kClient);
    EXPECT_EQ(Send(*client_, "x"), 1);
    Pass(absl::Hours(1));
    EXPECT_EQ(Receive(*server_), kBlocked);
    network_.Heal();
    Pass(absl::Seconds(1));
    EXPECT_EQ(Receive(*server_), 1);
  }
}

TEST_F(StreamSocketTest, ConnectingAcrossAPartitionTimesOut) {
  listener_ = Listen();
  network_.Partition(kServer, kClient);
  client_ = MakeSocket(kClient);
  EXPECT_EQ(client_->Connect(Ipv4(kServer, 80)), kBlocked);
  Pass(environment_.network.connect_timeout);
  EXPECT_EQ(client_->FinishConnect(), -ETIMEDOUT);
}

TEST_F(StreamSocketTest, ConnectingGoesOnWhenAPartitionHeals) {
  listener_ = Listen();
  network_.Partition(kServer, kClient);
  client_ = MakeSocket(kClient);
  EXPECT_EQ(client_->Connect(Ipv4(kServer, 80)), kBlocked);
  network_.Heal();
  EXPECT_EQ(client_->FinishConnect(), 0);
}

TEST_F(StreamSocketTest, ResetsComeAsOftenAsConditionsSay) {
  ConnectAll();
  environment_.network.reset = 1;
  EXPECT_EQ(Send(*client_, "x"), -ECONNRESET);
  EXPECT_EQ(Receive(*server_), -ECONNRESET);
}

TEST_F(StreamSocketTest, UnixNamesAreInTheFileStore) {
  auto listener =
      std::make_shared<StreamSocket>(environment_, network_, AF_UNIX, kServer);
  Address name;
  name.family = AF_UNIX;
  name.path = "/socket";
  ASSERT_EQ(listener->Bind(name), 0);
  ASSERT_EQ(listener->Listen(1), 0);
  auto client =
      std::make_shared<StreamSocket>(environment_, network_, AF_UNIX, kClient);
  EXPECT_EQ(client->Connect(name), 0);
  listener.reset();
  auto late =
      std::make_shared<StreamSocket>(environment_, network_, AF_UNIX, kClient);
  EXPECT_EQ(late->Connect(name), -ECONNREFUSED) << "the name is still there";
  EXPECT_EQ(files_.Unlink({nullptr, "/socket"}, 0), 0);
  EXPECT_EQ(late->Connect(name), -ENOENT);
}

TEST_F(StreamSocketTest, ALingeringCloseIsReportedUnlessThePeerHasReadAll) {
  for (const bool peer_reads : {true, false}) {
    ConnectAll();
    const linger ten_seconds = {1, 10};
    EXPECT_EQ(server_->SetOption(SOL_SOCKET, SO_LINGER, &ten_seconds,
                                 sizeof(ten_seconds)),
              0);
    EXPECT_EQ(Send(*server_, "bye"), 3);
    if (peer_reads) {
      EXPECT_EQ(Receive(*client_), 3);
    }
    server_.reset();
    EXPECT_EQ(environment_.errors.size(), peer_reads ? 0u : 1u);
    listener_.reset();
  }
}

// --- Sequenced packets

class PacketSocketTest : public StreamSocketTest {
 protected:
  SocketPtr MakePacketSocket(int type = SOCK_SEQPACKET) {
    return std::make_shared<StreamSocket>(environment_, network_, AF_UNIX,
                                          kServer, type);
  }
  void MakePair() {
    std::tie(client_, server_) =
        StreamSocket::MakePair(environment_, network_, kServer, SOCK_SEQPACKET);
  }
  static Address Name(std::string_view name) {
    Address address;
    address.family = AF_UNIX;
    address.path = std::string(1, '\0') + std::string(name);
    return address;
  }
};

TEST_F(PacketSocketTest, KeepBoundsAndReportWhatWasCutOff) {
  MakePair();
  EXPECT_EQ(Send(*client_, "one"), 3);
  EXPECT_EQ(Send(*client_, ""), 0);
  EXPECT_EQ(Send(*client_, "three"), 5);
  std::string text;
  EXPECT_EQ(Receive(*server_, &text), 3);
  EXPECT_EQ(Receive(*server_), 0);
  char memory[2];
  Received received;
  Buffers peeked(memory, sizeof(memory));
  EXPECT_EQ(server_->Receive(peeked, MSG_PEEK, received), 2);
  Buffers to(memory, sizeof(memory));
  EXPECT_EQ(server_->Receive(to, MSG_TRUNC, received), 5);
  EXPECT_EQ(received.flags, MSG_TRUNC);
  EXPECT_EQ(std::string(memory, 2), "th");
  EXPECT_EQ(Receive(*server_), kBlocked);
}

TEST_F(PacketSocketTest, WaitForRoomAndRefuseWhatNeverFits) {
  environment_.network.stream_buffer_bytes = 1000;
  MakePair();
  const std::string block(300, 'x');
  EXPECT_EQ(Send(*client_, std::string(800, 'x')), -EMSGSIZE);
  EXPECT_EQ(Send(*client_, block), 300);
  EXPECT_EQ(Send(*client_, block), kBlocked);
  EXPECT_EQ(Receive(*server_), 300);
  EXPECT_EQ(Send(*client_, block), 300);
}

TEST_F(PacketSocketTest, EndWithTheOther) {
  MakePair();
  EXPECT_EQ(Receive(*server_), kBlocked);
  EXPECT_EQ(Send(*client_, "last"), 4);
  client_.reset();
  EXPECT_EQ(Receive(*server_), 4);
  EXPECT_EQ(Receive(*server_), 0);
  EXPECT_EQ(Send(*server_, "x"), -EPIPE);
}

TEST_F(PacketSocketTest, LearnThatThePeerHasNotReadEverything) {
  MakePair();
  EXPECT_EQ(Send(*client_, ""), 0);
  EXPECT_EQ(Send(*server_, "answer"), 6);
  server_.reset();
  EXPECT_EQ(Receive(*client_), -ECONNRESET) << "first, as on Linux";
  EXPECT_EQ(Receive(*client_), 6);
  EXPECT_EQ(Receive(*client_), 0);
}

TEST_F(PacketSocketTest, ConnectToListenersOfTheirTypeOnly) {
  const SocketPtr listener = MakePacketSocket();
  ASSERT_EQ(listener->Bind(Name("packets")), 0);
  const SocketPtr client = MakePacketSocket();
  EXPECT_EQ(client->Connect(Name("packets")), -ECONNREFUSED);
  ASSERT_EQ(listener->Listen(1), 0);
  EXPECT_EQ(client->Connect(Name("packets")), 0);
  const std::shared_ptr<Socket> accepted = listener->Accept();
  ASSERT_NE(accepted, nullptr);
  EXPECT_EQ(accepted->type(), SOCK_SEQPACKET);
  EXPECT_EQ(Send(*client, "x"), 1);
  std::string text;
  EXPECT_EQ(Receive(static_cast<StreamSocket&>(*accepted), &text), 1);
  EXPECT_EQ(MakePacketSocket(SOCK_STREAM)->Connect(Name("packets")),
            -ECONNREFUSED);
  Address path;
  path.family = AF_UNIX;
  path.path = "/packets";
  const SocketPtr at_path = MakePacketSocket();
  ASSERT_EQ(at_path->Bind(path), 0);
  ASSERT_EQ(at_path->Listen(1), 0);
  EXPECT_EQ(MakePacketSocket(SOCK_STREAM)->Connect(path), -EPROTOTYPE);
  EXPECT_EQ(MakePacketSocket()->Connect(path), 0);
}

}  // namespace
}  // namespace ringway::sim
