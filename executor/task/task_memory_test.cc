// SPDX-License-Identifier: Apache-2.0
//
// A million tasks that wait, and the memory they take.

#include <malloc.h>

#include <cstddef>

#include "gtest/gtest.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

constexpr size_t kTasks = 1'000'000;
// As documented in docs/tasks.md: the executor's own memory, and the frame of
// a coroutine that waits for an event.
constexpr size_t kBytesPerTask = 300;
constexpr size_t kBytesPerFrame = 160;

size_t BytesInUse() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

Task<absl::Status> WaitFor(Event& event) { co_return co_await event.Wait(); }

Task<size_t> BytesOfTasks() {
  Event event;
  const size_t before = BytesInUse();
  for (size_t i = 0; i < kTasks; ++i) Spawn(WaitFor(event)).Detach();
  co_await Yield();
  const size_t bytes = BytesInUse() - before;
  EXPECT_EQ(Executor::Current()->stats().tasks_alive, kTasks + 1);
  event.Set();
  co_await Yield();
  co_return bytes;
}

TEST(TaskMemory, AMillionWaitingTasksTakeWhatIsDocumented) {
  ExecutorOptions options;
  options.max_tasks = kTasks + 1;
  options.loop.ready_budget = kTasks + 1;
  VirtualTimeExecutor executor(options);
  const absl::StatusOr<size_t> bytes = executor->Run(BytesOfTasks());
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  RecordProperty("bytes_per_task", static_cast<int>(*bytes / kTasks));
  if (*bytes == 0) GTEST_SKIP() << "this allocator does not tell what it gave";
  EXPECT_LE(*bytes / kTasks, kBytesPerTask + kBytesPerFrame);
  EXPECT_GE(*bytes / kTasks, kBytesPerFrame / 2);
}

}  // namespace
}  // namespace ringway
