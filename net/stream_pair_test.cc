// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_pair.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::Pattern;
using testing::ReadExactly;
using testing::ReadToEnd;
using testing::ValueOf;
using testing::WriteAll;

using StreamPairTest = testing::NetTest;

TEST_P(StreamPairTest, CarriesBytesBothWaysAndEnds) {
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    const std::vector<std::byte> there = Pattern(1 << 20, 1);
    const std::vector<std::byte> back = Pattern(300'000, 2);
    JoinHandle<absl::Status> first = Spawn(WriteAll(pair.first, there));
    JoinHandle<absl::Status> second = Spawn(WriteAll(pair.second, back));
    const std::string got = co_await ReadExactly(pair.second, there.size());
    EXPECT_TRUE(got == AsString(there));
    const std::string reply = co_await ReadExactly(pair.first, back.size());
    EXPECT_TRUE(reply == AsString(back));
    EXPECT_EQ(co_await first, absl::OkStatus());
    EXPECT_EQ(co_await second, absl::OkStatus());
    EXPECT_EQ(co_await pair.first.ShutdownWrite(), absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await ReadToEnd(pair.second)), "");
  };
  Run(main());
}

TEST_P(StreamPairTest, IsOfTheLoopThatIsGiven) {
  auto pair = ValueOf(StreamPair(loop()));
  auto main = [&]() -> Task<void> {
    EXPECT_EQ(co_await pair.second.Write(Bytes("x")), absl::OkStatus());
    EXPECT_EQ(co_await ReadExactly(pair.first, 1), "x");
  };
  Run(main());
}

using StreamPairDeathTest = testing::NetTest;

TEST_P(StreamPairDeathTest, WithoutALoopItNeedsATask) {
  EXPECT_DEATH(StreamPair().status().IgnoreError(),
               "outside of a running executor");
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(StreamPairTest);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(StreamPairDeathTest);

}  // namespace
}  // namespace ringway::net
