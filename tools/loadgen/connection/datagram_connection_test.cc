// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/datagram_connection.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/tools/loadgen/testing/load_fixture.h"
#include "ringway/tools/loadgen/testing/recording_source.h"

namespace ringway::loadgen {
namespace {

using ::testing::ElementsAre;
using testing::RecordingSource;

constexpr absl::Duration kTimeout = absl::Milliseconds(300);

class DatagramConnectionTest : public testing::LoadTest {
 protected:
  DatagramConnectionTest() { mode_.loss_timeout = kTimeout; }

  // Offers `n` requests, one after the other's end, and returns how it ended.
  absl::Status Ask(uint64_t n) {
    mode_.target.address = address();
    DatagramConnection connection(mode_, /*index=*/3);
    source_.emplace();
    absl::Status ended;
    auto main = [&]() -> Task<void> {
      Task<absl::Status> open = connection.Open(kPatience);
      ended = co_await std::move(open);
      if (!ended.ok()) co_return;
      JoinHandle<absl::Status> running = Spawn(connection.Run(*source_));
      for (uint64_t i = 1; i <= n && !running.done(); ++i) {
        source_->Offer(1);
        while (source_->answered + source_->lost.size() < i && !running.done())
          static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
      }
      if (linger_ > absl::ZeroDuration())
        static_cast<void>(co_await Sleep(linger_));
      source_->End();
      ended = co_await running;
    };
    Run(main());
    return ended;
  }

  std::vector<DatagramReply> Echo(std::string datagram,
                                  absl::Duration delay = {}) {
    return {{std::move(datagram), delay}};
  }

  Mode mode_;
  std::optional<RecordingSource> source_;
  absl::Duration linger_;
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DatagramConnectionTest);

TEST_P(DatagramConnectionTest, GetsAReplyToEachRequest) {
  for (const size_t size : {kLeastDatagram, size_t{64}, size_t{60'000}}) {
    mode_.size = size;
    ServeDatagrams([&](std::string datagram) {
      EXPECT_EQ(datagram.size(), size);
      return Echo(std::move(datagram));
    });
    EXPECT_EQ(Ask(20), absl::OkStatus());
    EXPECT_EQ(source_->answered, 20u);
    EXPECT_TRUE(source_->lost.empty());
    EXPECT_EQ(source_->strays, 0u);
  }
}

TEST_P(DatagramConnectionTest, ARequestWithoutAReplyIsLostAfterTheTimeout) {
  int n = 0;
  ServeDatagrams([&](std::string datagram) {
    return ++n == 2 ? std::vector<DatagramReply>() : Echo(std::move(datagram));
  });
  const MonotonicTime begin = loop().backend().clock().Now();
  EXPECT_EQ(Ask(3), absl::OkStatus());
  EXPECT_EQ(source_->answered, 2u);
  EXPECT_THAT(source_->lost, ElementsAre(1u));
  const absl::Duration took = loop().backend().clock().Now() - begin;
  EXPECT_GE(took, kTimeout);
  if (!system().is_kernel()) {
    EXPECT_LE(took, kTimeout + absl::Milliseconds(50));
  }
}

TEST_P(DatagramConnectionTest, AReplyAfterTheTimeoutIsAStray) {
  int n = 0;
  ServeDatagrams([&](std::string datagram) {
    return Echo(std::move(datagram),
                ++n == 1 ? 2 * kTimeout : absl::ZeroDuration());
  });
  linger_ = 2 * kTimeout;
  EXPECT_EQ(Ask(2), absl::OkStatus());
  EXPECT_EQ(source_->answered, 1u);
  EXPECT_THAT(source_->lost, ElementsAre(0u));
  EXPECT_EQ(source_->strays, 1u);
}

TEST_P(DatagramConnectionTest, AReplyThatComesTwiceIsAStray) {
  ServeDatagrams([&](std::string datagram) {
    return std::vector<DatagramReply>{{datagram, {}}, {datagram, {}}};
  });
  linger_ = absl::Milliseconds(100);
  EXPECT_EQ(Ask(5), absl::OkStatus());
  EXPECT_EQ(source_->answered, 5u);
  EXPECT_EQ(source_->strays, 5u);
}

TEST_P(DatagramConnectionTest, RepliesMayOvertakeEachOther) {
  int n = 0;
  ServeDatagrams([&](std::string datagram) {
    return Echo(std::move(datagram), absl::Milliseconds(100 - 20 * n++));
  });
  mode_.target.address = address();
  DatagramConnection connection(mode_, /*index=*/3);
  source_.emplace();
  auto main = [&]() -> Task<void> {
    Task<absl::Status> open = connection.Open(kPatience);
    const absl::Status opened = co_await std::move(open);
    EXPECT_EQ(opened, absl::OkStatus());
    source_->Offer(4);
    source_->End();
    Task<absl::Status> run = connection.Run(*source_);
    const absl::Status ran = co_await std::move(run);
    EXPECT_EQ(ran, absl::OkStatus());
  };
  Run(main());
  EXPECT_EQ(source_->answered, 4u);
  if (!system().is_kernel()) {
    EXPECT_THAT(source_->numbers, ElementsAre(3u, 2u, 1u, 0u));
  }
}

TEST_P(DatagramConnectionTest, AWrongReplyIsAnError) {
  ServeDatagrams([&](std::string datagram) {
    datagram[40] ^= 1;
    return Echo(std::move(datagram));
  });
  const absl::Status ended = Ask(1);
  EXPECT_TRUE(absl::IsDataLoss(ended)) << ended;
  EXPECT_EQ(ended.message(), "byte 40 of the reply to request 0 differs");
}

TEST_P(DatagramConnectionTest, AReplyToWhatWasNotSentIsAnError) {
  ServeDatagrams([&](std::string datagram) {
    datagram[5] ^= 1;  // in its number
    return Echo(std::move(datagram));
  });
  EXPECT_EQ(Ask(1),
            absl::DataLossError("a reply to a request that was not sent"));
}

TEST_P(DatagramConnectionTest, AReplyOfAnotherLengthIsAnError) {
  for (const size_t size : {size_t{0}, size_t{11}, size_t{63}, size_t{65}}) {
    ServeDatagrams([&](std::string datagram) {
      datagram.resize(size);
      return Echo(std::move(datagram));
    });
    const absl::Status ended = Ask(1);
    EXPECT_TRUE(absl::IsDataLoss(ended)) << ended;
    EXPECT_TRUE(ended.message().starts_with("a reply of ")) << ended;
  }
}

}  // namespace
}  // namespace ringway::loadgen
