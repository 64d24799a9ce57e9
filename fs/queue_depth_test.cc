// SPDX-License-Identifier: Apache-2.0
//
// What reads at a depth of 32 cost in system calls.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::ValueOf;

constexpr size_t kBlock = 4'096;
constexpr size_t kBlocks = 256;
constexpr size_t kDepth = 32;
constexpr size_t kReads = 200;  // of each task

class QueueDepthTest : public testing::FsTest {
 protected:
  // A task reads blocks of `file`, by the ring if in two buffers.
  static Task<absl::Status> Read(File& file, size_t task, bool in_two) {
    std::array<std::byte, kBlock> buffer;
    const std::array<std::span<std::byte>, 2> halves = {
        std::span(buffer).first(kBlock / 2),
        std::span(buffer).last(kBlock / 2)};
    for (size_t i = 0; i < kReads; ++i) {
      const size_t block = (i * 37 + task * 101) % kBlocks;
      const int64_t offset = static_cast<int64_t>(block * kBlock);
      const absl::Status status =
          in_two ? co_await file.ReadvExactlyAt(halves, offset)
                 : co_await file.ReadExactlyAt(buffer, offset);
      if (!status.ok()) co_return status;
      EXPECT_EQ(buffer[0], static_cast<std::byte>(block));
    }
    co_return absl::OkStatus();
  }

  // The system calls of the backend for each read.
  Task<double> Measure(bool in_two) {
    std::string content;
    for (size_t i = 0; i < kBlocks; ++i)
      content += std::string(kBlock, static_cast<char>(i));
    File file = ValueOf(co_await File::Open(co_await Make("file", content)));
    const uint64_t before = loop().backend().stats().system_calls;
    std::vector<JoinHandle<absl::Status>> readers;
    for (size_t i = 0; i < kDepth; ++i)
      readers.push_back(Spawn(Read(file, i, in_two)));
    for (JoinHandle<absl::Status>& reader : readers) {
      const absl::Status status = co_await reader;
      EXPECT_TRUE(status.ok()) << status;
    }
    const uint64_t calls = loop().backend().stats().system_calls - before;
    co_return static_cast<double>(calls) / (kDepth * kReads);
  }
};

// Those that the page cache has are read at once; those in several buffers go
// through the ring, as many in one io_uring_enter(2) as there are tasks.
TEST_P(QueueDepthTest, CachedReadsCostATenthOfASystemCallAtMost) {
  if (loop().backend().name() != "uring") GTEST_SKIP() << "no ring";
  auto main = [&]() -> Task<void> {
    for (const bool in_two : {false, true}) {
      Task<double> measure = Measure(in_two);
      const double calls = co_await std::move(measure);
      RecordProperty(in_two ? "by_ring" : "at_once", std::to_string(calls));
      EXPECT_LT(calls, 0.1) << (in_two ? "by the ring" : "at once");
    }
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(QueueDepthTest);

}  // namespace
}  // namespace ringway::fs
