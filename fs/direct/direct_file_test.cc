// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/direct/direct_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/testing/direct_fixture.h"

namespace ringway::fs {
namespace {

using testing::Block;
using testing::ForUpdating;
using testing::HasPattern;
using testing::kBlock;
using testing::Pattern;
using testing::ValueOf;

using DirectFileTest = testing::DirectTest;

// --- Transfers

TEST_P(DirectFileTest, WhatIsWrittenIsRead) {
  auto main = [&]() -> Task<void> {
    const std::string path = PathOf("file");
    DirectFile file = ValueOf(co_await Open(path, DirectMode::kOptional));
    EXPECT_EQ(file.path(), path);
    const AlignedBuffer bytes = Block(10 * kBlock, 1);
    EXPECT_TRUE((co_await file.WriteAt(bytes.bytes(), 2 * kBlock)).ok());
    EXPECT_TRUE((co_await file.Sync()).ok());
    EXPECT_EQ(ValueOf(co_await file.Stat()).size,
              static_cast<int64_t>(12 * kBlock));
    AlignedBuffer read = Block(10 * kBlock);
    EXPECT_EQ(ValueOf(co_await file.ReadAt(read.bytes(), 2 * kBlock)),
              10 * kBlock);
    EXPECT_TRUE(HasPattern(read.bytes(), 1));
    EXPECT_TRUE((co_await file.Truncate(kBlock)).ok());
    EXPECT_TRUE((co_await file.SyncData()).ok());
    const DirectFileStats stats = file.stats();
    EXPECT_EQ(stats.reads, 1u);
    EXPECT_EQ(stats.writes, 1u);
    EXPECT_EQ(stats.buffered, stats.is_direct ? 0u : 2u);
    EXPECT_EQ(stats.in_flight, 0u);
    EXPECT_TRUE((co_await file.Close()).ok());
    EXPECT_EQ(co_await ContentOf(path), std::string(kBlock, '\0'));
  };
  Run(main());
}

TEST_P(DirectFileTest, FindsOutWhatMustBeAligned) {
  auto main = [&]() -> Task<void> {
    absl::StatusOr<DirectFile> file =
        co_await Open(PathOf("file"), DirectMode::kRequired);
    // A folder on tmpfs: see below.
    if (system().is_kernel() && !file.ok()) co_return;
    EXPECT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE(file->stats().is_direct);
    const DirectAlignment alignment = file->alignment();
    EXPECT_TRUE(std::has_single_bit(alignment.memory)) << alignment.memory;
    EXPECT_TRUE(std::has_single_bit(alignment.offset)) << alignment.offset;
    EXPECT_GE(alignment.offset, 512u);
    if (!system().is_kernel()) {
      EXPECT_EQ(alignment.offset, 512u);
    }
    AlignedBuffer block =
        ValueOf(AlignedBuffer::Create(alignment.offset, alignment.memory));
    EXPECT_TRUE((co_await file->WriteAt(block.bytes(), 0)).ok());
  };
  Run(main());
}

TEST_P(DirectFileTest, AReadEndsWithTheFile) {
  auto main = [&]() -> Task<void> {
    DirectFile file = co_await MakeDirect(2 * kBlock + 100);
    AlignedBuffer buffer = Block(4 * kBlock, 9);
    EXPECT_EQ(ValueOf(co_await file.ReadAt(buffer.bytes(), 0)),
              2 * kBlock + 100);
    EXPECT_TRUE(HasPattern(buffer.bytes().first(2 * kBlock + 100), 0));
    EXPECT_EQ(ValueOf(co_await file.ReadAt(buffer.bytes(), 2 * kBlock)), 100u);
    EXPECT_EQ(ValueOf(co_await file.ReadAt(buffer.bytes(), 3 * kBlock)), 0u);
    EXPECT_EQ(ValueOf(co_await file.ReadAt({}, 0)), 0u);
    EXPECT_TRUE((co_await file.WriteAt({}, 0)).ok());
  };
  Run(main());
}

TEST_P(DirectFileTest, MisalignmentIsRefusedByNameBeforeTheKernel) {
  auto main = [&]() -> Task<void> {
    DirectFile file = co_await MakeDirect(4 * kBlock);
    if (!file.stats().is_direct) co_return;
    AlignedBuffer buffer = Block(2 * kBlock);
    const uint32_t unit = file.alignment().offset;
    const std::string multiple = absl::StrCat("a multiple of ", unit);
    const uint64_t submitted = Submitted();
    const std::span<std::byte> odd_memory =
        buffer.view().Sub(file.alignment().memory / 2, kBlock).bytes();
    const auto expect = [&](const absl::Status& status,
                            const std::string& names) {
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), names)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), file.path())) << status;
    };
    expect((co_await file.ReadAt(odd_memory, 0)).status(),
           absl::StrCat("must be at a multiple of ", file.alignment().memory));
    expect(co_await file.WriteAt(odd_memory, 0), "the memory at 0x");
    expect((co_await file.ReadAt(buffer.bytes(), unit / 2)).status(),
           "the offset must be " + multiple);
    expect(co_await file.WriteAt(buffer.bytes(), unit + 1),
           "the offset must be " + multiple);
    expect(
        (co_await file.ReadAt(buffer.bytes().first(unit - 1), 0)).status(),
        absl::StrCat("the length of ", unit - 1, " bytes must be ", multiple));
    expect(
        co_await file.WriteAt(buffer.bytes().first(unit + 1), 0),
        absl::StrCat("the length of ", unit + 1, " bytes must be ", multiple));
    EXPECT_EQ(Submitted(), submitted);
    EXPECT_EQ(file.stats().reads + file.stats().writes, 0u);
  };
  Run(main());
}

// What would have been allowed by the check, the kernel allows.
TEST_P(DirectFileTest, TheSmallestAlignmentIsTaken) {
  auto main = [&]() -> Task<void> {
    DirectFile file = co_await MakeDirect(4 * kBlock);
    const DirectAlignment alignment = file.alignment();
    AlignedBuffer buffer = Block(2 * kBlock);
    const std::span<std::byte> piece =
        buffer.view().Sub(alignment.memory, alignment.offset).bytes();
    EXPECT_EQ(ValueOf(co_await file.ReadAt(piece, alignment.offset)),
              alignment.offset);
    EXPECT_EQ(
        memcmp(piece.data(), Pattern(4 * kBlock, 0).data() + alignment.offset,
               piece.size()),
        0);
    EXPECT_TRUE((co_await file.WriteAt(piece, alignment.offset)).ok());
  };
  Run(main());
}

TEST_P(DirectFileTest, AnyRangeIsReadIntoAnyMemory) {
  constexpr size_t kBytes = 50'001;
  auto main = [&]() -> Task<void> {
    DirectFile file = co_await MakeDirect(kBytes);
    const std::vector<std::byte> expected = Pattern(kBytes, 0);
    AlignedBufferPoolOptions options;
    options.buffer_bytes = 2 * kBlock;
    options.count = 1;
    auto pool = ValueOf(AlignedBufferPool::Create(options));
    std::mt19937_64 random(3);
    std::vector<std::byte> memory(kBytes + 10'001);
    for (int i = 0; i < 300; ++i) {
      const size_t offset = random() % (kBytes + 10'000);
      const size_t n_bytes = random() % (kBytes / 2);
      const std::span<std::byte> to =
          std::span(memory).subspan(random() % 7, n_bytes);
      const size_t there =
          offset < kBytes ? std::min(n_bytes, kBytes - offset) : 0;
      Task<absl::StatusOr<size_t>> read =
          file.ReadRangeAt(to, static_cast<int64_t>(offset), *pool);
      EXPECT_EQ(ValueOf(co_await std::move(read)), there)
          << n_bytes << " at " << offset;
      if (there > 0) {
        EXPECT_EQ(memcmp(to.data(), expected.data() + offset, there), 0)
            << n_bytes << " at " << offset;
      }
    }
    EXPECT_EQ(pool->stats().in_use, 0u);
  };
  Run(main());
}

TEST_P(DirectFileTest, ARangeThatCannotBeReadSaysWhy) {
  auto main = [&]() -> Task<void> {
    DirectFile file = co_await MakeDirect(kBlock);
    if (!file.stats().is_direct) co_return;
    std::vector<std::byte> memory(100);
    AlignedBufferPoolOptions options;
    options.buffer_bytes = file.alignment().offset - 1;
    auto odd = ValueOf(AlignedBufferPool::Create(options));
    auto good = ValueOf(AlignedBufferPool::Create());
    for (auto& [offset, pool] :
         std::vector<std::pair<int64_t, AlignedBufferPool*>>{
             {0, odd.get()}, {-1, good.get()}, {INT64_MAX - 99, good.get()}}) {
      Task<absl::StatusOr<size_t>> read =
          file.ReadRangeAt(memory, offset, *pool);
      const absl::Status status = (co_await std::move(read)).status();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    }
  };
  Run(main());
}

TEST_P(DirectFileTest, AClosedFileSaysSo) {
  auto main = [&]() -> Task<void> {
    DirectFile file = co_await MakeDirect(kBlock);
    EXPECT_TRUE((co_await file.Close()).ok());
    AlignedBuffer block = Block(kBlock);
    auto pool = ValueOf(AlignedBufferPool::Create());
    Task<absl::StatusOr<size_t>> range =
        file.ReadRangeAt(block.bytes(), 0, *pool);
    std::vector<absl::Status> statuses;
    statuses.push_back((co_await file.ReadAt(block.bytes(), 0)).status());
    statuses.push_back(co_await file.WriteAt(block.bytes(), 0));
    statuses.push_back((co_await std::move(range)).status());
    statuses.push_back(co_await file.Sync());
    statuses.push_back(co_await file.Truncate(0));
    statuses.push_back((co_await file.Stat()).status());
    statuses.push_back(co_await file.Close());
    for (const absl::Status& status : statuses)
      EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_EQ(file.alignment().memory, 1u);
  };
  Run(main());
}

// --- Opening

TEST_P(DirectFileTest, WhatCannotBeOpenedIsNamed) {
  auto main = [&]() -> Task<void> {
    DirectFileOptions options;
    const absl::Status status =
        (co_await DirectFile::Open(PathOf("none"), options)).status();
    EXPECT_EQ(ErrnoOf(status), ENOENT) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), PathOf("none"))) << status;
    options.max_in_flight = 0;
    const absl::Status invalid =
        (co_await DirectFile::Open(PathOf("none"), options)).status();
    EXPECT_TRUE(absl::IsInvalidArgument(invalid)) << invalid;
    EXPECT_TRUE(absl::StrContains(invalid.message(), "max_in_flight"));
    options = DirectFileOptions();
    options.open = OpenOptions::ForAppending();
    EXPECT_TRUE(absl::IsInvalidArgument(
        (co_await DirectFile::Open(PathOf("none"), options)).status()));
  };
  Run(main());
}

TEST_P(DirectFileTest, OffIsAFileWithoutAlignment) {
  auto main = [&]() -> Task<void> {
    co_await MakeDirect(1000);
    DirectFile file =
        ValueOf(co_await Open(PathOf("direct"), DirectMode::kOff));
    EXPECT_FALSE(file.stats().is_direct);
    std::vector<std::byte> buffer(100);
    EXPECT_EQ(ValueOf(co_await file.ReadAt(buffer, 33)), 100u);
    EXPECT_EQ(memcmp(buffer.data(), Pattern(1000, 0).data() + 33, 100), 0);
    EXPECT_EQ(file.stats().buffered, 1u);
  };
  Run(main());
}

// --- tmpfs: it takes O_DIRECT since Linux 6.6, and ignores it; before it
// refused.

class TmpfsFile {
 public:
  explicit TmpfsFile(size_t n_bytes)
      : path_(absl::StrCat("/dev/shm/ringway_direct_", getpid())) {
    const int fd = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    valid_ = fd >= 0;
    if (!valid_) return;
    const std::vector<std::byte> bytes = Pattern(n_bytes, 0);
    valid_ = write(fd, bytes.data(), n_bytes) == static_cast<ssize_t>(n_bytes);
    close(fd);
  }
  ~TmpfsFile() { unlink(path_.c_str()); }
  bool valid() const { return valid_; }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  bool valid_;
};

TEST_P(DirectFileTest, OnTmpfsRequiredIsAnErrorAndOptionalIsCounted) {
  RINGWAY_REQUIRES_KERNEL("tmpfs");
  for (size_t n_bytes : {size_t{10'000}, size_t{0}}) {
    const TmpfsFile tmpfs(n_bytes);
    if (!tmpfs.valid()) GTEST_SKIP() << "no /dev/shm here";
    auto main = [&]() -> Task<void> {
      const absl::Status required =
          (co_await Open(tmpfs.path(), DirectMode::kRequired)).status();
      EXPECT_TRUE(absl::IsFailedPrecondition(required)) << required;
      EXPECT_TRUE(absl::StrContains(required.message(), tmpfs.path()))
          << required;
      DirectFile file =
          ValueOf(co_await Open(tmpfs.path(), DirectMode::kOptional));
      EXPECT_FALSE(file.stats().is_direct);
      AlignedBuffer buffer = Block(3 * kBlock);
      EXPECT_EQ(ValueOf(co_await file.ReadAt(buffer.bytes(), 0)), n_bytes);
      EXPECT_TRUE(HasPattern(buffer.bytes().first(n_bytes), 0));
      EXPECT_TRUE((co_await file.WriteAt(buffer.bytes(), 0)).ok());
      EXPECT_EQ(file.stats().buffered, 2u);
    };
    Run(main());
  }
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DirectFileTest);

}  // namespace
}  // namespace ringway::fs
