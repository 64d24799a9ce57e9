// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/host/process_stats.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>
#include <future>
#include <optional>
#include <thread>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/unique_fd.h"

namespace ringway {
namespace {

ProcessStats Read() {
  const std::optional<ProcessStats> stats = ReadProcessStats();
  EXPECT_TRUE(stats.has_value());
  return stats.value_or(ProcessStats());
}

TEST(ProcessStats, CountFds) {
  const ProcessStats before = Read();
  const UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(Read().open_fds, before.open_fds + 1);
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(before.max_fds, limit.rlim_cur);
}

TEST(ProcessStats, CountThreads) {
  // The first thread of a process also starts one of ThreadSanitizer's.
  std::thread([] {}).join();
  std::promise<void> release;
  const uint64_t before = Read().threads;
  std::thread thread([&] { release.get_future().wait(); });
  EXPECT_GE(Read().threads, before);
  EXPECT_GE(Read().threads, 2u);
  release.set_value();
  thread.join();
}

TEST(ProcessStats, CountMemory) {
  constexpr size_t kBytes = size_t{64} << 20;
  const ProcessStats before = Read();
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  const ProcessStats mapped = Read();
  EXPECT_GE(mapped.virtual_bytes, before.virtual_bytes + kBytes);
  EXPECT_LT(mapped.resident_bytes, before.resident_bytes + kBytes / 2);
  memset(memory, 1, kBytes);
  EXPECT_GE(Read().resident_bytes, before.resident_bytes + kBytes / 2);
  munmap(memory, kBytes);
}

TEST(ProcessStats, CountTimeOfTheProcessor) {
  const absl::Duration before = Read().cpu_time;
  while (Read().cpu_time < before + absl::Milliseconds(30)) {
  }
}

TEST(ProcessStats, KnowTheStart) {
  const absl::Duration now = absl::Now() - absl::UnixEpoch();
  const ProcessStats stats = Read();
  EXPECT_LE(stats.started, now + absl::Seconds(5));
  EXPECT_GE(stats.started, now - absl::Hours(1));
  EXPECT_EQ(Read().started, stats.started);
}

// The name of a program may look like the fields that follow it.
TEST(ProcessStats, ANameWithParenthesesDoesNotMatter) {
  const uint64_t before = Read().threads;
  char name[16] = {};
  ASSERT_EQ(pthread_getname_np(pthread_self(), name, sizeof(name)), 0);
  ASSERT_EQ(pthread_setname_np(pthread_self(), "a) R 1 (2 3"), 0);
  EXPECT_EQ(Read().threads, before);
  ASSERT_EQ(pthread_setname_np(pthread_self(), name), 0);
}

}  // namespace
}  // namespace ringway
