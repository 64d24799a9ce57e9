// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/network/datagram_socket.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "ringway/backends/sim/environment/environment.h"
#include "ringway/backends/sim/files/file_store.h"
#include "ringway/backends/sim/network/network.h"

namespace ringway::sim {
namespace {

constexpr uint32_t kHost = 10u << 24 | 1;
constexpr uint32_t kOther = 10u << 24 | 2;

class DatagramSocketTest : public ::testing::Test {
 protected:
  DatagramSocketTest() : sender_(MakeSocket(kHost)) {
    receiver_ = MakeSocket(kOther);
    EXPECT_EQ(receiver_->Bind(to_), 0);
  }

  std::shared_ptr<DatagramSocket> MakeSocket(uint32_t host) {
    return std::make_shared<DatagramSocket>(environment_, network_, AF_INET,
                                            host);
  }
  int64_t Send(std::string_view text) {
    Buffers from(const_cast<char*>(text.data()), text.size());
    return sender_->Send(from, &to_, 0);
  }
  int64_t Receive(size_t room = 1 << 17) {
    text_.assign(room, '\0');
    Buffers to(text_.data(), room);
    const int64_t n = receiver_->Receive(to, 0, received_);
    text_.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return n;
  }
  void Pass(absl::Duration time) {
    environment_.clock.Advance(time);
    environment_.Settle();
  }

  Environment environment_{1};
  FileStore files_{environment_};
  Network network_{environment_, files_};
  const Address to_ = Ipv4(kOther, 53);
  std::shared_ptr<DatagramSocket> sender_, receiver_;
  Received received_;
  std::string text_;
};

TEST_F(DatagramSocketTest, ArriveWholeWithTheirSource) {
  EXPECT_EQ(Send("hello"), 5);
  EXPECT_EQ(Receive(), 5);
  EXPECT_EQ(text_, "hello");
  EXPECT_EQ(received_.from, Ipv4(kHost, sender_->local().port));
  EXPECT_EQ(Receive(), kBlocked);
}

TEST_F(DatagramSocketTest, CanBeEmpty) {
  EXPECT_EQ(Send(""), 0);
  EXPECT_EQ(Receive(), 0);
  EXPECT_EQ(Receive(), kBlocked);
}

TEST_F(DatagramSocketTest, AreCutToTheRoomThereIs) {
  Send("hello");
  EXPECT_EQ(Receive(2), 2);
  EXPECT_EQ(received_.flags, MSG_TRUNC);
  EXPECT_EQ(received_.full_size, 5u);
  EXPECT_EQ(Receive(), kBlocked) << "the rest is gone";
}

TEST_F(DatagramSocketTest, HaveALargestSize) {
  EXPECT_EQ(Send(std::string(65'508, 'x')), -EMSGSIZE);
  EXPECT_EQ(Send(std::string(65'507, 'x')), 65'507);
  EXPECT_EQ(Receive(), 65'507);
}

TEST_F(DatagramSocketTest, OverflowIsDroppedAndCounted) {
  environment_.network.datagram_buffer_bytes = 1000;
  receiver_ = MakeSocket(kOther);
  Address next_port = to_;
  next_port.port = 54;
  ASSERT_EQ(receiver_->Bind(next_port), 0);
  for (int i = 0; i < 10; ++i) {
    Buffers from(text_.data(), 0);
    EXPECT_EQ(sender_->Send(from, &next_port, 0), 0);
  }
  EXPECT_EQ(receiver_->dropped(), 7u) << "each takes 256 bytes and its own";
}

TEST_F(DatagramSocketTest, AreLostAsOftenAsConditionsSay) {
  environment_.network.datagram_loss = 0.5;
  int arrived = 0;
  for (int i = 0; i < 1000; ++i) {
    Send("x");
    arrived += Receive() == 1;
  }
  EXPECT_NEAR(arrived, 500, 80);
}

TEST_F(DatagramSocketTest, AreLostInAPartition) {
  network_.Partition(kHost, kOther);
  EXPECT_EQ(Send("x"), 1);
  network_.Heal();
  Pass(absl::Hours(1));
  EXPECT_EQ(Receive(), kBlocked);
}

TEST_F(DatagramSocketTest, OvertakeEachOther) {
  environment_.network.latency_high = absl::Milliseconds(10);
  for (int i = 0; i < 20; ++i) Send(std::string(1, static_cast<char>('a' + i)));
  std::string order;
  for (int i = 0; i < 12; ++i) {
    Pass(absl::Milliseconds(1));
    while (Receive() == 1) order += text_;
  }
  EXPECT_EQ(order.size(), 20u);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(std::set<char>(order.begin(), order.end()).size(), 20u);
}

TEST_F(DatagramSocketTest, TellOfAnUnreachablePortOnlyWhoIsConnected) {
  receiver_.reset();
  EXPECT_EQ(Send("x"), 1);
  EXPECT_EQ(Send("x"), 1);
  ASSERT_EQ(sender_->Connect(to_), 0);
  EXPECT_EQ(Send("x"), 1);
  Pass(absl::ZeroDuration());
  EXPECT_EQ(Send("x"), -ECONNREFUSED);
}

TEST_F(DatagramSocketTest, OfAUnixPairWaitForRoom) {
  environment_.network.datagram_buffer_bytes = 1000;
  auto [near, far] = DatagramSocket::MakePair(environment_, network_, kHost);
  const std::string block(300, 'x');
  int sent = 0;
  for (;; ++sent) {
    Buffers from(const_cast<char*>(block.data()), block.size());
    if (near->Send(from, nullptr, 0) == kBlocked) break;
  }
  EXPECT_EQ(sent, 1);
  Buffers to(text_.data(), 0);
  EXPECT_EQ(far->Receive(to, 0, received_), 0);
  Buffers from(const_cast<char*>(block.data()), block.size());
  EXPECT_EQ(near->Send(from, nullptr, 0), 300);
}

}  // namespace
}  // namespace ringway::sim
