// SPDX-License-Identifier: Apache-2.0
//
// The pools of the process in snapshots of a runtime. One test, because what
// has been used by a process stays.

#include <unistd.h>

#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/net/resolver/system_resolver.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/pools/blocking/run_blocking.h"
#include "ringway/runtime/process/command.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

// Runs what `make` returns on the runtime's only worker, and waits for it.
template <typename Make>
void RunOn(const Runtime& runtime, Make make) {
  std::promise<void> done;
  const auto run = [&]() -> Task<void> {
    Task<void> task = make();
    co_await std::move(task);
    done.set_value();
  };
  ASSERT_TRUE(runtime.workers()[0].Post([&] { Spawn(run()).Detach(); }).ok());
  done.get_future().wait();
}

uint64_t StartedIn(const RuntimeSnapshot& snapshot, std::string_view pool) {
  for (const PoolSnapshot& each : snapshot.pools) {
    if (each.name == pool) return each.stats.started;
  }
  return 0;
}

TEST(PoolsOnThePage, AreThoseThatHaveBeenUsed) {
  Runtime::Builder builder = OneWorker();
  std::unique_ptr<Runtime> runtime = net::testing::ValueOf(builder.Launch());
  const size_t n_threads = CountThreads();
  RuntimeSnapshot snapshot = runtime->Snapshot(absl::InfiniteDuration());
  EXPECT_EQ(snapshot.pools.size(), 0u);
  EXPECT_FALSE(snapshot.resolver.has_value());
  EXPECT_EQ(CountThreads(), n_threads) << "looking has made a pool";

  RunOn(*runtime, []() -> Task<void> {
    EXPECT_TRUE((co_await RunBlocking(getpid)).ok());
    EXPECT_TRUE((co_await Resolve("localhost", 80)).ok());
  });
  snapshot = runtime->Snapshot(absl::InfiniteDuration());
  ASSERT_EQ(snapshot.pools.size(), 1u);
  EXPECT_EQ(StartedIn(snapshot, "blocking"), 1u);
  ASSERT_TRUE(snapshot.resolver.has_value());
  EXPECT_EQ(snapshot.resolver->asked, 1u);
  EXPECT_EQ(snapshot.resolver->pool.started, 1u);

  RunOn(*runtime, []() -> Task<void> {
    EXPECT_TRUE((co_await Command("true").Output()).ok());
  });
  EXPECT_EQ(StartedIn(runtime->Snapshot(), "spawner"), 1u);
}

}  // namespace
}  // namespace ringway
