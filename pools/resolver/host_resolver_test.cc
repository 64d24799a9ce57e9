// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/resolver/host_resolver.h"

#include <netinet/in.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/rng.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/task_test.h"

namespace ringway {
namespace {

HostAddress AddressOf(uint32_t ip) {
  HostAddress host;
  auto& address = reinterpret_cast<sockaddr_in&>(host.address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(ip);
  host.n_bytes = sizeof(address);
  return host;
}

uint32_t IpOf(const HostAddress& host) {
  return ntohl(
      reinterpret_cast<const sockaddr_in&>(host.address).sin_addr.s_addr);
}

// A name server: host "7" has address 0.0.0.7; it may be held up.
class Names {
 public:
  absl::StatusOr<std::vector<HostAddress>> LookUp(const std::string& host) {
    ++n_begun_;
    if (held_) may_go_on_.acquire();
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ++times_[host];
    }
    if (host == "throws") throw std::runtime_error("no such name server");
    if (host == "none") return absl::NotFoundError("none");
    if (host == "busy") return absl::UnavailableError("busy");
    return std::vector<HostAddress>{
        AddressOf(static_cast<uint32_t>(std::stoul(host)))};
  }

  void Hold() { held_ = true; }
  void LetGo(int n) {
    held_ = false;
    may_go_on_.release(n);
  }
  int n_begun() const { return n_begun_; }
  int Times(const std::string& host) {
    std::lock_guard<std::mutex> lock(mutex_);
    return times_[host];
  }

 private:
  std::atomic<int> n_begun_{0};
  std::atomic<bool> held_{false};
  std::counting_semaphore<1'000> may_go_on_{0};
  std::mutex mutex_;
  std::map<std::string, int> times_;
};

class HostResolverTest : public TaskTest {
 protected:
  void Make(HostResolverOptions options = HostResolverOptions()) {
    options.look_up = [names = names_](const std::string& host) {
      return names->LookUp(host);
    };
    resolver_ = *HostResolver::Create(options);
  }

  Task<absl::StatusOr<uint32_t>> Ask(std::string host) {
    const absl::StatusOr<HostAddresses> found =
        co_await resolver_->LookUp(std::move(host));
    if (!found.ok()) co_return found.status();
    co_return IpOf((*found)->front());
  }

  template <typename F>
  static Task<void> Until(F done) {
    while (!done()) static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
  }

  const std::shared_ptr<Names> names_ = std::make_shared<Names>();
  std::unique_ptr<HostResolver> resolver_;
};

TEST(HostResolver, RefusesOptionsThatAreOutOfRangeByName) {
  const std::map<std::string, void (*)(HostResolverOptions&)> wrong = {
      {"max_threads", [](HostResolverOptions& o) { o.max_threads = 0; }},
      {"max_queued", [](HostResolverOptions& o) { o.max_queued = UINT32_MAX; }},
      {"cache_time",
       [](HostResolverOptions& o) { o.cache_time = -absl::Seconds(1); }},
      {"max_cached", [](HostResolverOptions& o) { o.max_cached = UINT32_MAX; }},
  };
  for (const auto& [name, change] : wrong) {
    HostResolverOptions options;
    change(options);
    const absl::Status refused = HostResolver::Create(options).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused));
    EXPECT_TRUE(absl::StrContains(refused.message(), name)) << refused;
  }
}

RINGWAY_KERNEL_TEST_F(HostResolverTest, AnswersAndErrorsComeBack) {
  Make();
  EXPECT_EQ(*co_await Ask("7"), 7u);
  EXPECT_TRUE(absl::IsNotFound((co_await Ask("none")).status()));
  EXPECT_TRUE(absl::IsUnavailable((co_await Ask("busy")).status()));
  const absl::Status thrown = (co_await Ask("throws")).status();
  EXPECT_TRUE(absl::IsInternal(thrown)) << thrown;
  EXPECT_TRUE(absl::StrContains(thrown.message(), "no such name server"));
  EXPECT_EQ(resolver_->stats().failed, 3u);
}

RINGWAY_KERNEL_TEST_F(HostResolverTest, EqualNamesInFlightAreLookedUpOnce) {
  Make();
  names_->Hold();
  std::vector<JoinHandle<absl::StatusOr<uint32_t>>> asking;
  for (int i = 0; i < 10; ++i) asking.push_back(Spawn(Ask("7")));
  co_await Until([&] { return names_->n_begun() == 1; });
  EXPECT_EQ(resolver_->stats().shared, 9u);
  names_->LetGo(1);
  for (auto& each : asking) EXPECT_EQ(*co_await each, 7u);
  EXPECT_EQ(names_->Times("7"), 1);
  // Nothing is kept by default.
  EXPECT_EQ(*co_await Ask("7"), 7u);
  EXPECT_EQ(names_->Times("7"), 2);
}

RINGWAY_KERNEL_TEST_F(HostResolverTest, AStalledLookUpHoldsUpNoOther) {
  Make();
  names_->Hold();
  JoinHandle<absl::StatusOr<uint32_t>> stalled = Spawn(Ask("7"));
  co_await Until([&] { return names_->n_begun() == 1; });
  names_->LetGo(0);  // only those that begin from now on
  EXPECT_EQ(*co_await Ask("8"), 8u);
  EXPECT_FALSE(stalled.done());
  const MonotonicTime start = Now();
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      (co_await WithTimeout(absl::Milliseconds(5), Ask("7"))).status()));
  EXPECT_LT(Now() - start, absl::Milliseconds(100));
  names_->LetGo(1);
  EXPECT_EQ(*co_await stalled, 7u);
}

RINGWAY_KERNEL_TEST_F(HostResolverTest, WhatNobodyWaitsForIsNotBegun) {
  HostResolverOptions options;
  options.max_threads = 1;
  Make(options);
  names_->Hold();
  JoinHandle<absl::StatusOr<uint32_t>> first = Spawn(Ask("1"));
  co_await Until([&] { return names_->n_begun() == 1; });
  JoinHandle<absl::StatusOr<uint32_t>> left = Spawn(Ask("2"));
  JoinHandle<absl::StatusOr<uint32_t>> stays = Spawn(Ask("3"));
  JoinHandle<absl::StatusOr<uint32_t>> leaves = Spawn(Ask("3"));
  co_await Until([&] { return resolver_->stats().shared == 1; });
  left.Cancel();
  leaves.Cancel();
  EXPECT_TRUE(absl::IsCancelled((co_await left).status()));
  EXPECT_TRUE(absl::IsCancelled((co_await leaves).status()));
  names_->LetGo(1);
  EXPECT_EQ(*co_await first, 1u);
  EXPECT_EQ(*co_await stays, 3u);
  EXPECT_EQ(names_->Times("2"), 0);
  EXPECT_EQ(resolver_->stats().pool.withdrawn, 1u);
  // The name can be asked for again.
  EXPECT_EQ(*co_await Ask("2"), 2u);
}

RINGWAY_KERNEL_TEST_F(HostResolverTest, OneThatAllHaveLeftServesTheNext) {
  Make();
  names_->Hold();
  JoinHandle<absl::StatusOr<uint32_t>> leaves = Spawn(Ask("7"));
  co_await Until([&] { return names_->n_begun() == 1; });
  leaves.Cancel();
  EXPECT_TRUE(absl::IsCancelled((co_await leaves).status()));
  JoinHandle<absl::StatusOr<uint32_t>> next = Spawn(Ask("7"));
  co_await Until([&] { return resolver_->stats().shared == 1; });
  names_->LetGo(1);
  EXPECT_EQ(*co_await next, 7u);
  EXPECT_EQ(names_->Times("7"), 1);
}

RINGWAY_KERNEL_TEST_F(HostResolverTest, AFullQueueIsAnErrorThatNamesTheLimit) {
  HostResolverOptions options;
  options.max_threads = 1;
  options.max_queued = 1;
  Make(options);
  names_->Hold();
  JoinHandle<absl::StatusOr<uint32_t>> first = Spawn(Ask("1"));
  JoinHandle<absl::StatusOr<uint32_t>> second = Spawn(Ask("2"));
  co_await Until([&] { return resolver_->stats().pool.queued == 1; });
  const absl::Status refused = (co_await Ask("3")).status();
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), "max_queued")) << refused;
  names_->LetGo(2);
  EXPECT_EQ(*co_await first, 1u);
  EXPECT_EQ(*co_await second, 2u);
  EXPECT_EQ(*co_await Ask("3"), 3u);
}

RINGWAY_KERNEL_TEST_F(HostResolverTest, TheCacheHasAnAgeAndASize) {
  HostResolverOptions options;
  options.cache_time = absl::Milliseconds(50);
  options.max_cached = 2;
  Make(options);
  for (const char* host : {"1", "1", "2", "2", "1"})
    EXPECT_TRUE((co_await Ask(host)).ok());
  EXPECT_EQ(names_->Times("1"), 1);
  EXPECT_EQ(names_->Times("2"), 1);
  EXPECT_EQ(resolver_->stats().from_cache, 3u);
  EXPECT_TRUE((co_await Ask("3")).ok());  // in place of the oldest, "1"
  EXPECT_EQ(resolver_->stats().cached, 2u);
  EXPECT_TRUE((co_await Ask("1")).ok());
  EXPECT_EQ(names_->Times("1"), 2);
  static_cast<void>(co_await Sleep(absl::Milliseconds(60)));
  EXPECT_TRUE((co_await Ask("1")).ok());
  EXPECT_EQ(names_->Times("1"), 3);
  // Failures are not kept.
  EXPECT_FALSE((co_await Ask("none")).ok());
  EXPECT_FALSE((co_await Ask("none")).ok());
  EXPECT_EQ(names_->Times("none"), 2);
}

RINGWAY_KERNEL_TEST_F(HostResolverTest, ItMayEndWhileTasksWait) {
  HostResolverOptions options;
  options.max_threads = 1;
  int n_dropped = 0;
  for (int round = 0; round < 20; ++round) {
    Make(options);
    names_->Hold();
    JoinHandle<absl::StatusOr<uint32_t>> first = Spawn(Ask("1"));
    JoinHandle<absl::StatusOr<uint32_t>> second = Spawn(Ask("2"));
    co_await Until([&] { return resolver_->stats().pool.queued == 1; });
    std::thread ender([&] { resolver_.reset(); });
    static_cast<void>(co_await Sleep(absl::Milliseconds(2)));
    names_->LetGo(1);
    EXPECT_EQ(*co_await first, 1u);
    // It has begun if the end had not by then.
    const absl::StatusOr<uint32_t> answer = co_await second;
    if (absl::IsUnavailable(answer.status())) {
      ++n_dropped;
    } else {
      EXPECT_EQ(*answer, 2u);
    }
    ender.join();
  }
  EXPECT_GT(n_dropped, 0);
}

// Tasks of two executors ask for few names at the same time, and leave at any
// time; each that stays gets its own answer.
RINGWAY_KERNEL_TEST_F(HostResolverTest, WorkersShareIt) {
  HostResolverOptions options;
  options.max_threads = 3;
  options.cache_time = absl::Microseconds(200);
  Make(options);
  auto ask_many = [this](uint64_t seed) -> Task<int> {
    Rng rng(seed);
    int n_answers = 0;
    for (int round = 0; round < 50; ++round) {
      std::vector<uint32_t> hosts;
      std::vector<JoinHandle<absl::StatusOr<uint32_t>>> asking;
      for (int i = 0; i < 20; ++i) {
        hosts.push_back(static_cast<uint32_t>(rng.Below(5)));
        asking.push_back(Spawn(Ask(absl::StrCat(hosts.back()))));
      }
      if (rng.Below(2) == 0)
        static_cast<void>(co_await Sleep(absl::Microseconds(rng.Below(100))));
      for (int i = 0; i < 5; ++i) asking[rng.Below(asking.size())].Cancel();
      for (size_t i = 0; i < asking.size(); ++i) {
        const absl::StatusOr<uint32_t> answer = co_await asking[i];
        if (answer.ok()) {
          EXPECT_EQ(*answer, hosts[i]);
          ++n_answers;
        } else {
          EXPECT_TRUE(absl::IsCancelled(answer.status())) << answer.status();
        }
      }
    }
    co_return n_answers;
  };
  std::atomic<int> n_there{0};
  std::thread other([&] {
    auto executor = Executor::Create();
    n_there = *(*executor)->Run(ask_many(2));
  });
  const int n_here = co_await ask_many(1);
  other.join();
  EXPECT_GT(n_here, 500);
  EXPECT_GT(n_there, 500);
}

RINGWAY_KERNEL_TEST_F(HostResolverTest, StatsTellWhereEachCallIs) {
  HostResolverOptions options;
  options.max_threads = 1;
  options.max_queued = 1;
  options.cache_time = absl::Hours(1);
  Make(options);
  names_->Hold();
  JoinHandle<absl::StatusOr<uint32_t>> first = Spawn(Ask("1"));
  co_await Until([&] { return names_->n_begun() == 1; });
  JoinHandle<absl::StatusOr<uint32_t>> joined = Spawn(Ask("1"));
  JoinHandle<absl::StatusOr<uint32_t>> second = Spawn(Ask("2"));
  co_await Until([&] { return resolver_->stats().waiting == 3; });
  EXPECT_FALSE((co_await Ask("3")).ok());
  HostResolverStats stats;
  std::thread([&] { stats = resolver_->stats(); }).join();
  EXPECT_EQ(stats.asked, 4u);
  EXPECT_EQ(stats.shared, 1u);
  EXPECT_EQ(stats.refused, 1u);
  EXPECT_EQ(stats.pool.running, 1u);
  EXPECT_EQ(stats.pool.queued, 1u);
  second.Cancel();
  EXPECT_FALSE((co_await second).ok());
  EXPECT_EQ(resolver_->stats().cancelled, 1u);
  EXPECT_EQ(resolver_->stats().waiting, 2u);
  EXPECT_EQ(resolver_->stats().pool.withdrawn, 1u);
  names_->LetGo(1);
  EXPECT_EQ(*co_await first, 1u);
  EXPECT_EQ(*co_await joined, 1u);
  EXPECT_EQ(*co_await Ask("1"), 1u);
  EXPECT_FALSE((co_await Ask("none")).ok());
  stats = resolver_->stats();
  EXPECT_EQ(stats.waiting, 0u);
  EXPECT_EQ(stats.from_cache, 1u);
  EXPECT_EQ(stats.cached, 1u);
  EXPECT_EQ(stats.failed, 1u);
}

TEST(HostLookup, KnowsThisMachineAndNoInvalidHost) {
  const auto local = LookUpHost("localhost");
  ASSERT_TRUE(local.ok()) << local.status();
  EXPECT_GE(local->size(), 1u);
  EXPECT_TRUE(LookUpHost("127.0.0.1").ok());
  EXPECT_TRUE(LookUpHost("::1").ok());
  EXPECT_TRUE(absl::IsInvalidArgument(LookUpHost("").status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(LookUpHost(std::string("a\0b", 3)).status()));
  // Too long for a label of a name.
  EXPECT_FALSE(LookUpHost(std::string(64, 'x') + ".invalid").ok());
}

TEST(HostLookup, KnowsTheNameOfTheLoopbackAddress) {
  const absl::StatusOr<std::string> name = LookUpName(AddressOf(0x7f000001));
  ASSERT_TRUE(name.ok()) << name.status();
  EXPECT_FALSE(name->empty());
  EXPECT_FALSE(LookUpName(HostAddress()).ok());
}

}  // namespace
}  // namespace ringway
