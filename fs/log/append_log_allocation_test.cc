// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/fs/log/append_log.h"
#include "ringway/fs/log/testing/log_tasks.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using ringway::testing::CountAllocations;
using testing::FsTest;
using testing::OpenLog;
using testing::ValueOf;

using AppendLogAllocationTest = FsTest;

TEST_P(AppendLogAllocationTest, AnAppendAllocatesNothingAfterWarmUp) {
  RINGWAY_REQUIRES_KERNEL("files: the simulator's allocate");
  constexpr uint64_t kWarmUp = 50;
  constexpr uint64_t kAppends = 100;
  auto main = [&]() -> Task<void> {
    AppendLog log = co_await OpenLog(PathOf("log"));
    const std::string record(1'000, 'x');
    uint64_t before = 0;
    for (uint64_t i = 0; i < kWarmUp + kAppends; ++i) {
      if (i == kWarmUp) before = CountAllocations();
      EXPECT_EQ(ValueOf(co_await log.Append(record)), i + 1);
    }
    EXPECT_EQ(CountAllocations() - before, 0u);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(AppendLogAllocationTest);

}  // namespace
}  // namespace ringway::fs
