// SPDX-License-Identifier: Apache-2.0
//
// More than the kernel transfers at once, 0x7ffff000 bytes, to and from a file.

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/testing/fs_fixture.h"
#include "ringway/fs/testing/shared_memory.h"

namespace ringway::fs {
namespace {

using testing::SharedMemory;
using testing::ValueOf;

constexpr size_t kMost = 0x7ffff000;

class LongTransferTest : public testing::FsTest {
 protected:
  // All of it is a hole, and stays one: tmpfs reads no pages for that.
  Task<File> MakeEmpty(int64_t n_bytes) {
    OpenOptions options = OpenOptions::ForUpdating();
    File file =
        system().is_kernel()
            ? File::Adopt(loop(),
                          UniqueFd(memfd_create("ringway_test", MFD_CLOEXEC)))
            : ValueOf(co_await File::Open(PathOf("file"), options));
    EXPECT_TRUE((co_await file.Truncate(n_bytes)).ok());
    co_return std::move(file);
  }
  uint64_t Submitted() { return loop().backend().stats().submitted; }
};

// More than a MiB goes to another thread of the kernel's.
TEST_P(LongTransferTest, WhatIsLongIsWhole) {
  auto main = [&]() -> Task<void> {
    const std::vector<std::byte> bytes = testing::Pattern(3'500'001, 1);
    File file = ValueOf(
        co_await File::Open(PathOf("file"), OpenOptions::ForUpdating()));
    EXPECT_TRUE((co_await file.WriteAll(bytes)).ok());
    EXPECT_TRUE((co_await file.WriteAll(bytes)).ok());
    std::vector<std::byte> read(bytes.size());
    EXPECT_TRUE((co_await file.ReadExactlyAt(read, 3'500'001)).ok());
    EXPECT_EQ(read, bytes);
    std::vector<std::span<const std::byte>> parts;
    std::vector<std::span<std::byte>> buffers;
    for (size_t at = 0; at < bytes.size(); at += 500'000) {
      const size_t n = std::min<size_t>(500'000, bytes.size() - at);
      parts.push_back(std::span(bytes).subspan(at, n));
      buffers.push_back(std::span(read).subspan(at, n));
    }
    EXPECT_TRUE((co_await file.WritevAllAt(parts, 100)).ok());
    std::fill(read.begin(), read.end(), std::byte{0});
    EXPECT_TRUE((co_await file.ReadvExactlyAt(buffers, 100)).ok());
    EXPECT_EQ(read, bytes);
    EXPECT_EQ(ValueOf(co_await file.Stat()).size, 7'000'002);
  };
  Run(main());
}

TEST_P(LongTransferTest, ALongReadIsSplit) {
  const SharedMemory memory(kMost + 5);
  auto main = [&]() -> Task<void> {
    File file = co_await MakeEmpty(kMost + 5);
    uint64_t before = Submitted();
    EXPECT_TRUE((co_await file.ReadExactlyAt(memory.bytes(), 0)).ok());
    EXPECT_EQ(Submitted() - before, 2u);
    // In two buffers, of which the first ends in the first part.
    std::vector<std::span<std::byte>> parts;
    parts.push_back(memory.bytes().first(kMost - 7));
    parts.push_back(memory.bytes().subspan(kMost - 7));
    before = Submitted();
    EXPECT_TRUE((co_await file.ReadvExactlyAt(parts, 0)).ok());
    EXPECT_EQ(Submitted() - before, 2u);
    // Of one operation the count says how far it has come.
    before = Submitted();
    EXPECT_EQ(ValueOf(co_await file.ReadAt(memory.bytes(), 0)), kMost);
    EXPECT_EQ(Submitted() - before, 1u);
  };
  Run(main());
}

TEST_P(LongTransferTest, ALongWriteIsSplit) {
  RINGWAY_REQUIRES_KERNEL("/dev/null");
  const SharedMemory memory(2 * kMost + 5);
  auto main = [&]() -> Task<void> {
    OpenOptions options;
    options.write = true;
    File file = ValueOf(co_await File::Open("/dev/null", options));
    const std::span<const std::byte> bytes = memory.bytes();
    uint64_t before = Submitted();
    EXPECT_TRUE((co_await file.WriteAllAt(bytes, 0)).ok());
    EXPECT_EQ(Submitted() - before, 3u);
    EXPECT_EQ(ValueOf(co_await file.WriteAt(bytes, 0)), kMost);
    // In two buffers, of which the first ends in the first part.
    std::vector<std::span<const std::byte>> parts;
    parts.push_back(bytes.first(kMost - 7));
    parts.push_back(bytes.subspan(kMost - 7));
    before = Submitted();
    EXPECT_TRUE((co_await file.WritevAllAt(parts, 0)).ok());
    EXPECT_EQ(Submitted() - before, 3u);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(LongTransferTest);

}  // namespace
}  // namespace ringway::fs
