// SPDX-License-Identifier: Apache-2.0
//
// A process that launches and ends a runtime 1,000 times has the threads, fds
// and allocations that it began with.

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/failing_allocation.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/unique_fd.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

// Listeners of all kinds, with an acceptor and a page of metrics.
void LaunchServeAndEnd(uint64_t round) {
  Runtime::Builder builder;
  builder.Workers(2)
      .DrainDeadline(absl::ZeroDuration())
      .OnTick(absl::Milliseconds(1), [] {})
      .Metrics("127.0.0.1:0")
      .Listen("127.0.0.1:0", Echo)
      .Listen(absl::StrCat("unix:@ringway_relaunch_", getpid()), Echo);
  const std::unique_ptr<Runtime> runtime =
      net::testing::ValueOf(builder.Launch());
  if (round % 3 == 0) return;  // its end is that of the object
  for (const net::SocketAddress& address : runtime->addresses()) {
    const UniqueFd client = ConnectTo(address);
    EXPECT_EQ(Ask(client.get(), "hello"), "hello");
    if (round % 3 == 1) continue;
    runtime->Cut();  // with a client
    break;
  }
  runtime->Shutdown();
  EXPECT_TRUE(runtime->Wait().exceptions == 0);
}

using RelaunchTest = RuntimeTest;

TEST_F(RelaunchTest, AThousandTimesLeavesNothing) {
  for (uint64_t round = 0; round < 12; ++round) LaunchServeAndEnd(round);
  ExpectNothingIsLeft();
  const uint64_t allocations = testing::LiveAllocations();
  const uint64_t n = testing::Scaled(1'000);
  for (uint64_t round = 0; round < n; ++round) LaunchServeAndEnd(round);
  ExpectNothingIsLeft();
  EXPECT_EQ(testing::LiveAllocations(), allocations) << "memory leaked";
}

}  // namespace
}  // namespace ringway
