// SPDX-License-Identifier: Apache-2.0
//
// Once a file has been used, direct reads and writes cost no heap allocation.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/direct/direct_file.h"
#include "ringway/fs/testing/direct_fixture.h"

namespace ringway::fs {
namespace {

using ringway::testing::CountAllocations;
using testing::Block;
using testing::ForUpdating;
using testing::kBlock;
using testing::ValueOf;

constexpr int kWarmUp = 50;
constexpr int kTransfers = 200;

class DirectAllocationTest : public testing::DirectTest {
 protected:
  // `transfer` runs in `n_tasks` tasks at a time.
  void ExpectNone(int n_tasks, DirectFileOptions options,
                  std::function<Task<absl::Status>(DirectFile&)> transfer) {
    auto main = [&]() -> Task<void> {
      DirectFile file = co_await MakeDirect(10 * kBlock, options);
      std::vector<JoinHandle<absl::Status>> running(
          static_cast<size_t>(n_tasks));
      uint64_t before = 0;
      for (int i = 0; i < kWarmUp + kTransfers; ++i) {
        if (i == kWarmUp) before = CountAllocations();
        for (JoinHandle<absl::Status>& one : running)
          one = Spawn(transfer(file));
        for (JoinHandle<absl::Status>& one : running) {
          const absl::Status status = co_await one;
          EXPECT_TRUE(status.ok()) << status;
        }
      }
      EXPECT_EQ(CountAllocations() - before, 0u) << "in " << kTransfers;
    };
    Run(main());
  }

  const AlignedBuffer block_ = Block(kBlock);
};

TEST_P(DirectAllocationTest, NoneForReads) {
  ExpectNone(1, ForUpdating(), [&](DirectFile& file) -> Task<absl::Status> {
    co_return (co_await file.ReadAt(block_.bytes(), kBlock)).status();
  });
}

TEST_P(DirectAllocationTest, NoneForWrites) {
  ExpectNone(1, ForUpdating(), [&](DirectFile& file) -> Task<absl::Status> {
    co_return co_await file.WriteAt(block_.bytes(), kBlock);
  });
}

TEST_P(DirectAllocationTest, NoneForThoseThatWaitForOthers) {
  DirectFileOptions options = ForUpdating();
  options.max_in_flight = 2;
  ExpectNone(8, options, [&](DirectFile& file) -> Task<absl::Status> {
    co_return co_await file.WriteAt(block_.bytes(), kBlock);
  });
}

TEST_P(DirectAllocationTest, NoneForRangesByWayOfAPool) {
  auto pool = ValueOf(AlignedBufferPool::Create());
  std::vector<std::byte> bytes(1'000);
  ExpectNone(1, ForUpdating(), [&](DirectFile& file) -> Task<absl::Status> {
    co_return (co_await file.ReadRangeAt(bytes, 333, *pool)).status();
  });
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DirectAllocationTest);

}  // namespace
}  // namespace ringway::fs
