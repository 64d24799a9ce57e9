// SPDX-License-Identifier: Apache-2.0
//
// The queue of a DirectFile in front of the kernel.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/direct/direct_file.h"
#include "ringway/fs/testing/direct_fixture.h"

namespace ringway::fs {
namespace {

using testing::Block;
using testing::ForUpdating;
using testing::kBlock;
using testing::ValueOf;

using DirectQueueTest = testing::DirectTest;

TEST_P(DirectQueueTest, NoMoreThanAllowedAreInFlightAndOthersWaitInOrder) {
  auto main = [&]() -> Task<void> {
    DirectFileOptions options = ForUpdating();
    options.max_in_flight = 2;
    DirectFile file = co_await MakeDirect(100 * kBlock, options);
    const uint64_t others = loop().backend().stats().in_flight;
    std::vector<size_t> begun;
    auto read = [&](size_t i) -> Task<void> {
      AlignedBuffer block = Block(kBlock);
      EXPECT_EQ(ValueOf(co_await file.ReadAt(block.bytes(),
                                             static_cast<int64_t>(i * kBlock))),
                kBlock);
      EXPECT_LE(loop().backend().stats().in_flight, others + 2);
      begun.push_back(i);
    };
    std::vector<JoinHandle<void>> all;
    for (size_t i = 0; i < 100; ++i) all.push_back(Spawn(read(i)));
    for (JoinHandle<void>& one : all) EXPECT_TRUE((co_await one).ok());
    const DirectFileStats stats = file.stats();
    EXPECT_EQ(stats.most_in_flight, 2u);
    EXPECT_GT(stats.waited, 0u);
    EXPECT_LE(stats.waited, 98u);
    EXPECT_EQ(stats.reads, 100u);
    EXPECT_EQ(stats.in_flight, 0u);
    // Two at a time: each may overtake the one beside it, and no other.
    for (size_t i = 0; i < 100; ++i) EXPECT_LE(begun[i], i + 1) << i;
  };
  Run(main());
}

// Which of them wait at the time of the cancel depends on the time slice of a
// turn; so it is repeated until all do.
TEST_P(DirectQueueTest, OnesThatWaitCanBeCancelled) {
  auto main = [&]() -> Task<void> {
    DirectFileOptions options = ForUpdating();
    options.max_in_flight = 1;
    DirectFile file = co_await MakeDirect(10 * kBlock, options);
    auto read = [&]() -> Task<absl::Status> {
      AlignedBuffer block = Block(kBlock);
      co_return (co_await file.ReadAt(block.bytes(), 0)).status();
    };
    bool all_waited = false;
    for (int round = 0; round < 1'000 && !all_waited; ++round) {
      const DirectFileStats before = file.stats();
      std::vector<JoinHandle<absl::Status>> all;
      for (int i = 0; i < 5; ++i) all.push_back(Spawn(read()));
      auto cancel = [&]() -> Task<void> {
        all_waited = file.stats().waited == before.waited + 4 &&
                     file.stats().reads == before.reads;
        all[1].Cancel();
        all[4].Cancel();
        co_return;
      };
      JoinHandle<void> cancelling = Spawn(cancel());
      EXPECT_TRUE((co_await cancelling).ok());
      for (size_t i = 0; i < all.size(); ++i) {
        const absl::Status status = co_await all[i];
        const bool cancelled = i == 1 || i == 4;
        if (all_waited) {
          EXPECT_EQ(absl::IsCancelled(status), cancelled);
        }
        EXPECT_TRUE(status.ok() || (cancelled && absl::IsCancelled(status)))
            << i << ": " << status;
      }
      EXPECT_EQ(file.stats().in_flight, 0u);
    }
    EXPECT_TRUE(all_waited);
    const absl::Status later = co_await read();
    EXPECT_TRUE(later.ok()) << later;
  };
  Run(main());
}

TEST_P(DirectQueueTest, ADroppedHandleIsClosedAfterThoseThatWait) {
  auto main = [&]() -> Task<void> {
    DirectFileOptions options = ForUpdating();
    options.max_in_flight = 1;
    const size_t before = OpenFds();
    auto file =
        std::make_unique<DirectFile>(co_await MakeDirect(10 * kBlock, options));
    auto read = [](DirectFile& of) -> Task<absl::Status> {
      AlignedBuffer block = Block(kBlock);
      co_return (co_await of.ReadAt(block.bytes(), 0)).status();
    };
    std::vector<JoinHandle<absl::Status>> all;
    for (int i = 0; i < 5; ++i) all.push_back(Spawn(read(*file)));
    auto drop = [&]() -> Task<void> {
      file.reset();
      co_return;
    };
    JoinHandle<void> dropping = Spawn(drop());
    for (JoinHandle<absl::Status>& one : all) {
      const absl::Status status = co_await one;
      EXPECT_TRUE(status.ok()) << status;
    }
    EXPECT_TRUE((co_await dropping).ok());
    for (int i = 0; i < 1'000 && OpenFds() != before; ++i)
      (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
    EXPECT_EQ(OpenFds(), before);
  };
  Run(main());
}

// TearDown() counts the fds.
TEST_P(DirectQueueTest, TheEndOfTheLoopEndsThoseThatWait) {
  std::optional<DirectFile> file;
  auto read = [&]() -> Task<absl::Status> {
    AlignedBuffer block = Block(kBlock);
    co_return (co_await file->ReadAt(block.bytes(), 0)).status();
  };
  auto main = [&]() -> Task<void> {
    DirectFileOptions options = ForUpdating();
    options.max_in_flight = 1;
    file = co_await MakeDirect(10 * kBlock, options);
    for (int i = 0; i < 5; ++i) Spawn(read()).Detach();
  };
  Run(main());
  DestroyExecutor();
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DirectQueueTest);

}  // namespace
}  // namespace ringway::fs
