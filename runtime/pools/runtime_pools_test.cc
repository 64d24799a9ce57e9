// SPDX-License-Identifier: Apache-2.0
//
// RuntimeBuilder::BlockingPool() and Resolver().

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/resolver/system_resolver.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/pools/blocking/blocking_pool.h"
#include "ringway/pools/blocking/run_blocking.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

class RuntimePoolsTest : public RuntimeTest {
 protected:
  static JobPoolStats BlockingIn(const RuntimeSnapshot& snapshot) {
    const auto found =
        std::ranges::find(snapshot.pools, "blocking", &PoolSnapshot::name);
    return found == snapshot.pools.end() ? JobPoolStats() : found->stats;
  }
};

TEST_F(RuntimePoolsTest, ABlockingPoolOfItsOwnServesAllItsWorkers) {
  ThreadPoolOptions options;
  options.max_threads = 2;
  options.max_queued = 0;
  Runtime::Builder builder;
  builder.Workers(2).BlockingPool(options);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  std::promise<void> release;
  std::shared_future<void> released(release.get_future());
  const auto block = [released]() -> Task<void> {
    auto wait = [released] { released.wait(); };
    EXPECT_TRUE((co_await RunBlocking(std::move(wait))).ok());
  };
  std::future<void> first = BeginOn(*runtime, 0, block);
  std::future<void> second = BeginOn(*runtime, 1, block);
  while (BlockingIn(runtime->Snapshot()).running < 2) {
  }
  // Its limits hold for both.
  for (const size_t worker : {0, 1}) {
    BeginOn(*runtime, worker, []() -> Task<void> {
      const absl::Status refused = co_await RunBlocking([] {});
      EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
    }).wait();
  }
  EXPECT_EQ(BlockingIn(runtime->Snapshot()).refused, 2u);
  release.set_value();
  first.wait();
  second.wait();
  runtime->Shutdown();
  runtime->Wait();
  const JobPoolStats at_the_end = BlockingIn(runtime->Snapshot());
  EXPECT_EQ(at_the_end.ended, 2u);
  EXPECT_EQ(at_the_end.threads, 0u);
  EXPECT_EQ(SharedBlockingPoolIfMade(), nullptr);
}

// The pool outlives the workers, whose cancelled tasks leave their calls.
TEST_F(RuntimePoolsTest, TheEndWaitsForCallsThatHaveBegun) {
  Runtime::Builder builder = OneWorker();
  builder.BlockingPool(ThreadPoolOptions());
  std::unique_ptr<Runtime> runtime = Launch(builder);
  std::promise<void> begun;
  std::promise<void> release;
  std::atomic<bool> ended{false};
  std::shared_future<void> released(release.get_future());
  BeginOn(*runtime, 0, [&, released]() -> Task<void> {
    auto wait = [&, released] {
      begun.set_value();
      released.wait();
      ended = true;
    };
    (co_await RunBlocking(std::move(wait))).IgnoreError();
  });
  begun.get_future().wait();
  runtime->Cut();
  std::thread waiter([&] {
    runtime->Wait();
    EXPECT_TRUE(ended.load());
  });
  while (runtime->Snapshot().workers[0].has_value()) {
  }
  EXPECT_EQ(BlockingIn(runtime->Snapshot()).running, 1u);
  release.set_value();
  waiter.join();
}

TEST_F(RuntimePoolsTest, AResolverOfItsOwnKeepsAddresses) {
  HostResolverOptions options;
  options.cache_time = absl::InfiniteDuration();
  options.look_up = [](const std::string&) { return LookUpHost("127.0.0.1"); };
  Runtime::Builder builder;
  builder.Workers(2).Resolver(options);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  for (const size_t worker : {0, 1, 0}) {
    BeginOn(*runtime, worker, []() -> Task<void> {
      EXPECT_TRUE((co_await Resolve("only.here", 80)).ok());
    }).wait();
  }
  RuntimeSnapshot snapshot = runtime->Snapshot();
  ASSERT_TRUE(snapshot.resolver.has_value());
  EXPECT_EQ(snapshot.resolver->asked, 3u);
  EXPECT_EQ(snapshot.resolver->from_cache, 2u);
  EXPECT_EQ(net::DefaultResolverIfMade(), nullptr);
  runtime->Shutdown();
  runtime->Wait();
  EXPECT_EQ(runtime->Snapshot().resolver->cached, 1u);
}

TEST_F(RuntimePoolsTest, WrongValuesFailTheLaunchByName) {
  Runtime::Builder builder = OneWorker();
  ThreadPoolOptions pool;
  pool.max_threads = 0;
  builder.BlockingPool(pool);
  absl::Status status = builder.Launch().status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_TRUE(absl::StartsWith(status.message(),
                               "BlockingPool: ThreadPoolOptions::max_threads"))
      << status;
  builder.BlockingPool(ThreadPoolOptions());
  HostResolverOptions resolver;
  resolver.cache_time = absl::Seconds(-1);
  builder.Resolver(resolver);
  status = builder.Launch().status();
  EXPECT_TRUE(absl::StartsWith(status.message(),
                               "Resolver: HostResolverOptions::cache_time"))
      << status;
}

}  // namespace
}  // namespace ringway
