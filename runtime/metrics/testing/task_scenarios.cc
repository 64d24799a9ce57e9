// SPDX-License-Identifier: Apache-2.0

#include <sys/mman.h>
#include <sys/resource.h>

#include <array>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/metrics/metric_registry.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/spinner.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/yield_if_needed.h"
#include "ringway/runtime/metrics/testing/scenarios.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway::moving {
namespace {

Task<void> SleepForEver() {
  (co_await Sleep(absl::InfiniteDuration())).IgnoreError();
}

Task<void> Throw() {
  co_await Yield();
  throw std::runtime_error("as told");
}

// More than FrameAllocator::kMaxSize, also after the wait.
Task<void> HaveALargeFrame() {
  std::array<volatile char, 2 * FrameAllocator::kMaxSize> large;
  for (volatile char& each : large) each = 1;
  co_await Yield();
  for (volatile char& each : large) each = 2;
}

}  // namespace

void TasksAreManySlowAndThrow(WatchedMetrics& watched) {
  ExecutorOptions options;
  options.max_tasks = 32;
  options.time_slice = absl::ZeroDuration();
  options.overrun_budget = absl::Milliseconds(1);
  options.on_overrun = [](const TaskOverrun&) {};
  options.on_detached_exception = [](const std::exception_ptr&) {};
  Runtime::Builder builder = Watched(options);
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.Look(*runtime);
  BeginOn(*runtime, 0, []() -> Task<void> {
    Spawn(Throw()).Detach();
    const absl::Time end = absl::Now() + absl::Milliseconds(5);
    while (absl::Now() < end) {
    }
    co_await YieldIfNeeded();
    for (int i = 0; i < 40; ++i) Spawn(SleepForEver()).Detach();
  }).wait();
  for (const char* metric :
       {"ringway_tasks_refused_total", "ringway_tasks_exceptions_total",
        "ringway_tasks_yields_total", "ringway_turn_overruns_total",
        "ringway_turn_longest_seconds", "ringway_tasks",
        "ringway_tasks_spawned_total"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  End(*runtime);
}

void LoopsAreBusy(WatchedMetrics& watched) {
  ExecutorOptions options;
  options.loop.ready_budget = 1;
  options.on_detached_exception = [](const std::exception_ptr&) {};
  Runtime::Builder builder = Watched(options);
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.Look(*runtime);
  BeginOn(*runtime, 0, []() -> Task<void> {
    for (int i = 0; i < 5; ++i) Spawn(SleepForEver()).Detach();
    (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
  }).wait();
  EXPECT_TRUE(runtime->workers()[0]
                  .Post([] { throw std::runtime_error("as told"); })
                  .ok());
  for (const char* metric :
       {"ringway_loop_budget_exhausted_total",
        "ringway_loop_timers_fired_total", "ringway_loop_messages_total",
        "ringway_loop_post_exceptions_total", "ringway_task_run_seconds",
        "ringway_ready_delay_seconds"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  End(*runtime);
}

void LoopsSpin(WatchedMetrics& watched) {
  ExecutorOptions options;
  options.loop.spin = SpinMode::kFixed;
  options.loop.spin_limit = absl::Milliseconds(1);
  Runtime::Builder builder = Watched(options);
  builder.Listen("127.0.0.1:0", Echo);
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.LookUntilMoved(*runtime, "ringway_loop_spins_unpaid_total");
  const UniqueFd client = ConnectTo(runtime->addresses()[0]);
  while (!watched.moved().contains("ringway_loop_spins_paid_total")) {
    for (int i = 0; i < 100; ++i) ASSERT_EQ(Ask(client.get(), "a"), "a");
    watched.Look(*runtime);
  }
  End(*runtime);
}

void FramesAreManyAndLarge(WatchedMetrics& watched) {
  Runtime::Builder builder = Watched();
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.Look(*runtime);
  BeginOn(*runtime, 0, []() -> Task<void> {
    Task<void> large = HaveALargeFrame();
    co_await std::move(large);
    for (int i = 0; i < 2'000; ++i) Spawn(SleepForEver()).Detach();
  }).wait();
  for (const char* metric :
       {"ringway_frames", "ringway_frames_peak",
        "ringway_frames_allocated_total", "ringway_frames_heap_total",
        "ringway_frames_memory_bytes"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  End(*runtime);
}

void TheProcessGrows(WatchedMetrics& watched) {
  constexpr size_t kBytes = size_t{64} << 20;
  Runtime::Builder builder = Watched();
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.Look(*runtime);
  const std::unique_ptr<Runtime> another = LaunchOf(builder);
  rlimit before = {};  // a launch may raise it
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit lower = before;
  --lower.rlim_cur;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  memset(memory, 1, kBytes);
  for (const char* metric :
       {"process_cpu_seconds_total", "process_open_fds", "process_max_fds",
        "process_virtual_memory_bytes", "process_resident_memory_bytes",
        "process_threads"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  munmap(memory, kBytes);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  End(*another);
  End(*runtime);
}

void TheProgramHasMetrics(WatchedMetrics& watched) {
  Runtime::Builder builder = Watched();
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.Look(*runtime);
  const uint32_t most = MetricLimits().max_label_sets;
  for (uint32_t i = 0; i <= most; ++i) {
    const auto added = MetricRegistry::Default().AddCounter(
        "with_many_labels_total", "Many.", {{"i", absl::StrCat(i)}});
    EXPECT_EQ(added.ok(), i < most) << added.status();
  }
  for (const char* metric : {"ringway_metrics", "ringway_metrics_label_sets",
                             "ringway_metrics_refused_total"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  End(*runtime);
}

}  // namespace ringway::moving
