// SPDX-License-Identifier: Apache-2.0
//
// Random exchanges of datagrams, every byte compared.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <set>
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
#include "ringway/net/testing/datagram_test.h"

namespace ringway::net {
namespace {

using ringway::testing::Scaled;
using testing::Named;
using testing::ValueOf;

using DatagramModelTest = testing::DatagramTest;
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DatagramModelTest);

// A datagram names itself: a number, its size, and bytes that follow from both.
std::vector<std::byte> Numbered(uint32_t number, size_t n_bytes) {
  std::vector<std::byte> bytes(std::max<size_t>(n_bytes, 8));
  const uint32_t head[2] = {number, static_cast<uint32_t>(bytes.size())};
  memcpy(bytes.data(), head, sizeof(head));
  for (size_t i = 8; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>(number * 31 + i);
  return bytes;
}

// The number of a datagram that is exactly as it was sent.
uint32_t NumberOf(std::span<const std::byte> bytes) {
  uint32_t head[2] = {};
  if (bytes.size() >= sizeof(head)) memcpy(head, bytes.data(), sizeof(head));
  const std::vector<std::byte> expected = Numbered(head[0], head[1]);
  EXPECT_TRUE(std::ranges::equal(bytes, expected));
  return head[0];
}

struct Exchange {
  DatagramSocket& from;
  DatagramSocket& to;
  SocketAddress address;
  bool lent;
  bool loses;
  std::mt19937_64 random;
  int credit = 0;  // with UDP: at most as many as surely have room
  std::set<uint32_t> missing = {};

  size_t Below(size_t n) { return random() % n; }
};

Task<void> SendAtRandom(Exchange& exchange, uint32_t n_datagrams) {
  uint32_t next = 0;
  while (next < n_datagrams) {
    const uint32_t n = std::min<uint32_t>(
        n_datagrams - next, 1 + static_cast<uint32_t>(exchange.Below(40)));
    std::vector<std::vector<std::byte>> texts;
    for (uint32_t i = 0; i < n; ++i) {
      exchange.missing.insert(next);
      texts.push_back(Numbered(next++, exchange.Below(10) == 0
                                           ? exchange.Below(20'000)
                                           : exchange.Below(200)));
    }
    while (exchange.loses && exchange.credit > 0) co_await Yield();
    exchange.credit += static_cast<int>(n);
    if (exchange.Below(2) == 0) {
      std::vector<OutgoingDatagram> batch;
      for (const auto& text : texts) batch.emplace_back(text, exchange.address);
      EXPECT_EQ(ValueOf(co_await exchange.from.SendBatch(batch)), n);
    } else {
      for (const auto& text : texts) {
        EXPECT_EQ(co_await exchange.from.SendTo(text, exchange.address),
                  absl::OkStatus());
      }
    }
  }
}

Task<void> ReceiveAtRandom(Exchange& exchange, uint32_t n_datagrams) {
  std::vector<std::byte> buffer(20'000);
  std::vector<LentDatagram> kept;
  for (uint32_t n = 0; n < n_datagrams;) {
    absl::Status status;
    uint32_t number = 0;
    const absl::Duration patience =
        exchange.Below(4) == 0
            ? absl::Microseconds(static_cast<int64_t>(exchange.Below(200)))
            : absl::Seconds(30);
    if (exchange.lent && exchange.Below(3) == 0) {
      std::array<LentDatagram, 5> batch;
      const absl::StatusOr<size_t> got = co_await WithTimeout(
          patience, exchange.to.ReceiveBatch(std::span(batch).first(
                        1 + exchange.Below(batch.size()))));
      status = got.status();
      if (got.ok()) {
        // All but the first, which is counted below.
        for (size_t i = 1; i < *got; ++i) {
          EXPECT_EQ(exchange.missing.erase(NumberOf(batch[i].bytes.bytes())),
                    1u);
          --exchange.credit;
          ++n;
        }
        number = NumberOf(batch[0].bytes.bytes());
      }
    } else if (exchange.lent) {
      absl::StatusOr<LentDatagram> got =
          co_await WithTimeout(patience, exchange.to.ReceiveLent());
      status = got.status();
      if (got.ok()) {
        number = NumberOf(got->bytes.bytes());
        kept.push_back(*std::move(got));
        if (kept.size() > exchange.Below(6)) kept.clear();
      }
    } else {
      absl::StatusOr<Datagram> got =
          co_await WithTimeout(patience, exchange.to.ReceiveFrom(buffer));
      status = got.status();
      if (got.ok()) number = NumberOf(std::span(buffer).first(got->n_bytes));
    }
    if (absl::IsDeadlineExceeded(status) && patience < absl::Seconds(1))
      continue;
    EXPECT_EQ(status, absl::OkStatus());
    if (!status.ok()) co_return;
    EXPECT_EQ(exchange.missing.erase(number), 1u) << number;
    --exchange.credit;
    ++n;
  }
}

TEST_P(DatagramModelTest, RandomExchangesGiveEveryDatagramOnce) {
  const uint64_t seed = TestSeed();
  const uint64_t rounds = Scaled(10);
  for (uint64_t round = 0; round < rounds; ++round) {
    for (const bool lent : {false, true}) {
      OnEachKind([&]() -> Task<void> {
        SCOPED_TRACE(absl::StrCat("seed ", seed + round, " lent ", lent));
        Named receiver = Make();
        Named sender = Make();
        Exchange exchange{.from = sender.socket,
                          .to = receiver.socket,
                          .address = receiver.address,
                          .lent = lent,
                          .loses = loses(),
                          .random = std::mt19937_64(seed + round)};
        constexpr uint32_t kDatagrams = 300;
        JoinHandle<void> sending = Spawn(SendAtRandom(exchange, kDatagrams));
        co_await ReceiveAtRandom(exchange, kDatagrams);
        EXPECT_EQ(co_await sending, absl::OkStatus());
        EXPECT_TRUE(exchange.missing.empty());
      });
    }
  }
}

}  // namespace
}  // namespace ringway::net
