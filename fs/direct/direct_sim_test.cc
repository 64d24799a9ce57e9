// SPDX-License-Identifier: Apache-2.0
//
// Direct I/O on simulated file systems: of all kinds, and under faults.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "ringway/backends/sim/files/file_store.h"
#include "ringway/executor/task/task.h"
#include "ringway/executor/testing/virtual_time_executor.h"
#include "ringway/fs/direct/direct_file.h"

namespace ringway::fs {
namespace {

constexpr size_t kBlock = 4096;
constexpr char kPath[] = "/file";

DirectFileOptions Options(DirectMode mode) {
  DirectFileOptions options;
  options.open = OpenOptions::ForUpdating();
  options.mode = mode;
  return options;
}

class DirectSimTest : public ::testing::Test {
 protected:
  // Runs `body` with kPath, of `n_bytes`, opened in `mode` on a file system of
  // the kind.
  void Run(sim::DirectIo kind, size_t n_bytes, DirectMode mode,
           std::function<Task<void>(absl::StatusOr<DirectFile>)> body) {
    executor_.world.files().set_direct_io(kind);
    auto main = [&]() -> Task<void> {
      {
        absl::StatusOr<File> file =
            co_await File::Open(kPath, OpenOptions::ForWriting());
        const std::vector<std::byte> bytes(n_bytes, std::byte{7});
        EXPECT_TRUE((co_await file->WriteAll(bytes)).ok());
      }
      Task<void> task = body(co_await DirectFile::Open(kPath, Options(mode)));
      co_await std::move(task);
    };
    EXPECT_TRUE(executor_->Run(main()).ok());
  }
  void ExpectRefused(sim::DirectIo kind, size_t n_bytes, const char* why) {
    auto body = [why](absl::StatusOr<DirectFile> file) -> Task<void> {
      EXPECT_TRUE(absl::IsFailedPrecondition(file.status())) << file.status();
      EXPECT_TRUE(absl::StrContains(file.status().message(), kPath))
          << file.status();
      EXPECT_TRUE(absl::StrContains(file.status().message(), why))
          << file.status();
      co_return;
    };
    Run(kind, n_bytes, DirectMode::kRequired, body);
  }
  void ExpectBuffered(sim::DirectIo kind, size_t n_bytes) {
    auto body = [n_bytes](absl::StatusOr<DirectFile> file) -> Task<void> {
      EXPECT_TRUE(file.ok()) << file.status();
      EXPECT_FALSE(file->stats().is_direct);
      AlignedBuffer block = *AlignedBuffer::Create(kBlock, kBlock);
      const absl::StatusOr<size_t> n = co_await file->ReadAt(block.bytes(), 0);
      EXPECT_TRUE(n.ok()) << n.status();
      EXPECT_EQ(*n, n_bytes);
      EXPECT_TRUE((co_await file->WriteAt(block.bytes(), 0)).ok());
      EXPECT_EQ(file->stats().buffered, 2u);
    };
    Run(kind, n_bytes, DirectMode::kOptional, body);
  }

  VirtualTimeExecutor executor_;
};

TEST_F(DirectSimTest, RequiredIsAnErrorWhereThereIsNone) {
  ExpectRefused(sim::DirectIo::kRefused, 100, "refuses O_DIRECT");
  ExpectRefused(sim::DirectIo::kIgnored, 100, "ignores O_DIRECT");
  ExpectRefused(sim::DirectIo::kIgnored, 0, "nothing to be read");
  ExpectRefused(sim::DirectIo::kUnreported, 0, "nothing to be read");
}

TEST_F(DirectSimTest, OptionalIsCountedWhereThereIsNone) {
  ExpectBuffered(sim::DirectIo::kRefused, 100);
  ExpectBuffered(sim::DirectIo::kIgnored, 100);
  ExpectBuffered(sim::DirectIo::kIgnored, 0);
}

TEST_F(DirectSimTest, ReadingFindsTheAlignmentThatStatxDoesNotReport) {
  for (const sim::DirectIo kind :
       {sim::DirectIo::kAligned, sim::DirectIo::kUnreported}) {
    auto body = [](absl::StatusOr<DirectFile> file) -> Task<void> {
      EXPECT_TRUE(file.ok()) << file.status();
      EXPECT_TRUE(file->stats().is_direct);
      EXPECT_EQ(file->alignment().memory, 512u);
      EXPECT_EQ(file->alignment().offset, 512u);
      co_return;
    };
    Run(kind, 100, DirectMode::kRequired, body);
  }
}

// A file for writing alone cannot be tried.
TEST_F(DirectSimTest, WhatCannotBeTriedIsNotTakenForDirect) {
  executor_.world.files().set_direct_io(sim::DirectIo::kUnreported);
  auto main = [&]() -> Task<void> {
    DirectFileOptions options = Options(DirectMode::kOptional);
    options.open.read = false;
    absl::StatusOr<DirectFile> file = co_await DirectFile::Open(kPath, options);
    EXPECT_TRUE(file.ok()) << file.status();
    EXPECT_FALSE(file->stats().is_direct);
    EXPECT_EQ(file->alignment().offset, kBlock) << "it may well be";
    AlignedBuffer block = *AlignedBuffer::Create(kBlock, kBlock);
    EXPECT_TRUE((co_await file->WriteAt(block.bytes(), 0)).ok());
    file = co_await DirectFile::Open(kPath, options);
    EXPECT_TRUE(file.ok()) << file.status();
  };
  EXPECT_TRUE(executor_->Run(main()).ok());
}

// The file is at all times what a model of it says, whatever is short or late:
// what ends in the middle goes on where the last whole block ends.
TEST_F(DirectSimTest, ShortTransfersGoOn) {
  sim::Faults faults;
  faults.short_transfer = 0.5;
  faults.late = 0.2;
  faults.shuffle = true;
  auto body = [&](absl::StatusOr<DirectFile> file) -> Task<void> {
    EXPECT_TRUE(file.ok()) << file.status();
    executor_.world.environment().faults = faults;
    std::vector<std::byte> model(20 * kBlock + 100, std::byte{7});
    std::mt19937_64 random(11);
    AlignedBuffer buffer = *AlignedBuffer::Create(8 * kBlock, kBlock);
    for (int i = 0; i < 2'000; ++i) {
      const size_t at = random() % 160 * 512;
      const size_t n_bytes = (1 + random() % 16) * 512;
      buffer.Resize(n_bytes);
      if (i % 2 == 0) {
        memset(buffer.data(), i % 256, n_bytes);
        EXPECT_TRUE(
            (co_await file->WriteAt(buffer.bytes(), static_cast<int64_t>(at)))
                .ok());
        model.resize(std::max(model.size(), at + n_bytes));
        memcpy(model.data() + at, buffer.data(), n_bytes);
      } else {
        const absl::StatusOr<size_t> n =
            co_await file->ReadAt(buffer.bytes(), static_cast<int64_t>(at));
        EXPECT_TRUE(n.ok()) << n.status();
        EXPECT_EQ(*n, std::min(n_bytes, model.size() - at));
        EXPECT_EQ(memcmp(buffer.data(), model.data() + at, *n), 0) << i;
      }
    }
    executor_.world.environment().faults = sim::Faults();
  };
  Run(sim::DirectIo::kAligned, 20 * kBlock + 100, DirectMode::kRequired, body);
}

TEST_F(DirectSimTest, AFullDiskIsAnErrorWithTheOffset) {
  executor_.world.files().set_capacity(4 * kBlock);
  auto body = [&](absl::StatusOr<DirectFile> file) -> Task<void> {
    AlignedBuffer buffer = *AlignedBuffer::Create(8 * kBlock, kBlock);
    const absl::Status status = co_await file->WriteAt(buffer.bytes(), 0);
    EXPECT_TRUE(absl::StrContains(status.message(), "/file at offset 16384"))
        << status;
  };
  Run(sim::DirectIo::kAligned, 0, DirectMode::kRequired, body);
}

}  // namespace
}  // namespace ringway::fs
