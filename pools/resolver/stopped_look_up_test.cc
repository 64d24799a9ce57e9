// SPDX-License-Identifier: Apache-2.0
//
// A loop never waits for a thread that looks up hosts. That is stopped here at
// each of the resolver's schedule points in turn, as the kernel may preempt it
// there for long, while tasks ask, are cancelled, and others go on.

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/testing/schedule_hook.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/pools/resolver/host_resolver.h"

namespace ringway {
namespace {

std::atomic<int> points_left{-1};
std::binary_semaphore stopped{0};
std::binary_semaphore go_on{0};

void StopLookUpThread() {
  char name[16] = "";
  pthread_getname_np(pthread_self(), name, sizeof(name));
  if (!std::string_view(name).starts_with("resolver/")) return;
  if (points_left.fetch_sub(1) != 0) return;
  stopped.release();
  go_on.acquire();
}

Task<absl::Status> Ask(HostResolver& resolver, std::string host) {
  co_return (co_await resolver.LookUp(std::move(host))).status();
}

Task<void> Pause() { static_cast<void>(co_await Sleep(absl::Milliseconds(1))); }

// All while the one thread stands still.
Task<void> UseResolver(HostResolver& resolver,
                       std::vector<JoinHandle<absl::Status>>& asking) {
  for (const char* host : {"first", "other"})
    asking.push_back(Spawn(Ask(resolver, host)));
  JoinHandle<absl::Status> cancelled = Spawn(Ask(resolver, "cancelled"));
  co_await Pause();
  cancelled.Cancel();
  EXPECT_TRUE(absl::IsCancelled(co_await cancelled));
  const HostResolverStats stats = resolver.stats();
  EXPECT_EQ(stats.asked, 4u);
  EXPECT_EQ(stats.cancelled, 1u);
}

// False if a look-up passes fewer points.
Task<bool> StopAtPoint(int point) {
  HostResolverOptions options;
  options.max_threads = 1;
  options.look_up = [](const std::string&) {
    return std::vector<HostAddress>(1);
  };
  const auto resolver = *HostResolver::Create(options);
  points_left = point;
  std::vector<JoinHandle<absl::Status>> asking;
  asking.push_back(Spawn(Ask(*resolver, "first")));
  while (points_left >= 0 && !asking.front().done()) co_await Pause();
  const bool is_stopped = points_left.exchange(-1) < 0;
  if (is_stopped) {
    stopped.acquire();
    // If the loop waits for the thread this goes on and fails.
    std::promise<void> used;
    std::thread watch([&, is_used = used.get_future()] {
      EXPECT_EQ(is_used.wait_for(std::chrono::seconds(20)),
                std::future_status::ready)
          << "the loop waits for the thread";
      go_on.release();
    });
    co_await UseResolver(*resolver, asking);
    used.set_value();
    watch.join();
  }
  for (JoinHandle<absl::Status>& each : asking)
    EXPECT_EQ(co_await each, absl::OkStatus());
  EXPECT_EQ(resolver->stats().waiting, 0u);
  co_return is_stopped;
}

RINGWAY_KERNEL_TEST(StoppedLookUp, StopsNobodyElse) {
  internal::SetScheduleHook(&StopLookUpThread);
  int n_points = 0;
  while (co_await StopAtPoint(n_points)) ++n_points;
  internal::SetScheduleHook(nullptr);
  EXPECT_GE(n_points, 4) << "the strand has schedule points";
}

}  // namespace
}  // namespace ringway
