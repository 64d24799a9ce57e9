// SPDX-License-Identifier: Apache-2.0
//
// Random exchanges of packets, both ways at once, by several tasks, some with
// time limits: every packet that was sent arrives once, whole and in order.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/test_seed.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/unix/seq_packet_socket.h"

namespace ringway::net {
namespace {

using ringway::testing::Scaled;
using testing::TurnTimes;
using testing::ValueOf;

using SeqPacketModelTest = testing::NetTest;
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SeqPacketModelTest);

constexpr size_t kHead = 8;  // a packet's number and its size
constexpr size_t kLargest = 40'000;

std::vector<std::byte> Numbered(uint32_t number, size_t n_bytes) {
  std::vector<std::byte> bytes(std::max(n_bytes, kHead));
  const uint32_t head[2] = {number, static_cast<uint32_t>(bytes.size())};
  memcpy(bytes.data(), head, sizeof(head));
  for (size_t i = kHead; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>(number * 31 + i + i / 256);
  return bytes;
}

// One direction.
struct Exchange {
  SeqPacketSocket& from;
  SeqPacketSocket& to;
  std::mt19937_64 random;
  uint32_t next = 0;                   // the number of the next packet
  std::vector<uint32_t> refused = {};  // whose time was over
  std::vector<uint32_t> received = {};

  size_t Below(size_t n) { return random() % n; }
  absl::Duration Patience() {
    if (Below(4) != 0) return absl::Seconds(30);
    return absl::Microseconds(static_cast<int64_t>(Below(200)));
  }
};

Task<void> SendAtRandom(Exchange& exchange, int n_packets) {
  for (int i = 0; i < n_packets; ++i) {
    const absl::Duration patience = exchange.Patience();
    const size_t size = exchange.Below(exchange.Below(5) == 0 ? kLargest : 300);
    const uint32_t number = exchange.next++;
    const std::vector<std::byte> packet = Numbered(number, size);
    const absl::Status status =
        co_await WithTimeout(patience, exchange.from.Send(packet));
    if (absl::IsDeadlineExceeded(status) && patience < absl::Seconds(1)) {
      exchange.refused.push_back(number);
    } else {
      EXPECT_EQ(status, absl::OkStatus());
    }
    if (exchange.Below(20) == 0)
      co_await TurnTimes(static_cast<int>(exchange.Below(10)));
  }
}

Task<void> ReceiveUntilTheEnd(Exchange& exchange) {
  std::vector<std::byte> memory(kLargest);
  while (true) {
    const absl::Duration patience = exchange.Patience();
    const size_t room =
        exchange.Below(3) == 0 ? kHead + exchange.Below(500) : kLargest;
    const std::span<std::byte> buffer = std::span(memory).first(room);
    const absl::StatusOr<Packet> got =
        co_await WithTimeout(patience, exchange.to.Receive(buffer));
    if (absl::IsDeadlineExceeded(got.status()) && patience < absl::Seconds(1))
      continue;
    EXPECT_EQ(got.status(), absl::OkStatus());
    if (!got.ok() || got->is_end()) co_return;
    uint32_t head[2] = {};
    memcpy(head, buffer.data(), sizeof(head));
    const std::vector<std::byte> whole = Numbered(head[0], head[1]);
    EXPECT_EQ(got->full_bytes, whole.size());
    EXPECT_EQ(got->n_bytes, std::min(whole.size(), room));
    EXPECT_EQ(got->truncated(), whole.size() > room);
    EXPECT_TRUE(std::ranges::equal(buffer.first(got->n_bytes),
                                   std::span(whole).first(got->n_bytes)));
    exchange.received.push_back(head[0]);
    if (exchange.Below(50) == 0)
      co_await TurnTimes(static_cast<int>(exchange.Below(30)));
  }
}

Task<void> SendEverything(Exchange& exchange) {
  std::vector<JoinHandle<void>> senders;
  for (int i = 0; i < 4; ++i)
    senders.push_back(Spawn(SendAtRandom(exchange, /*n_packets=*/60)));
  for (JoinHandle<void>& sender : senders)
    EXPECT_EQ(co_await sender, absl::OkStatus());
  EXPECT_EQ(co_await exchange.from.ShutdownWrite(), absl::OkStatus());
}

void ExpectAllArrived(const Exchange& exchange) {
  std::vector<uint32_t> expected;
  for (uint32_t number = 0; number < exchange.next; ++number) {
    if (std::ranges::find(exchange.refused, number) == exchange.refused.end())
      expected.push_back(number);
  }
  EXPECT_EQ(exchange.received, expected);
}

TEST_P(SeqPacketModelTest, RandomExchangesKeepEveryPacketAndTheOrder) {
  const uint64_t seed = TestSeed();
  const uint64_t rounds = Scaled(15);
  for (uint64_t round = 0; round < rounds; ++round) {
    auto main = [&]() -> Task<void> {
      auto [one, other] = ValueOf(SeqPacketPair());
      Exchange there{
          .from = one, .to = other, .random = std::mt19937_64(seed + round)};
      Exchange back{
          .from = other, .to = one, .random = std::mt19937_64(~seed - round)};
      std::vector<JoinHandle<void>> tasks;
      for (Exchange* exchange : {&there, &back}) {
        tasks.push_back(Spawn(SendEverything(*exchange)));
        tasks.push_back(Spawn(ReceiveUntilTheEnd(*exchange)));
      }
      for (JoinHandle<void>& task : tasks)
        EXPECT_EQ(co_await task, absl::OkStatus());
      ExpectAllArrived(there);
      ExpectAllArrived(back);
    };
    SCOPED_TRACE(absl::StrCat("seed ", seed + round));
    Run(main());
  }
}

}  // namespace
}  // namespace ringway::net
