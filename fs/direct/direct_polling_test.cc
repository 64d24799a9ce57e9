// SPDX-License-Identifier: Apache-2.0
//
// Files whose completions are polled for. What the device does is not up to the
// test: without poll queues it refuses.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/direct/direct_file.h"

namespace ringway::fs {
namespace {

constexpr size_t kBlock = 4096;

class DirectPollingTest : public ::testing::Test {
 protected:
  // Runs `body` on io_uring with a new file of a block, if that is direct.
  void Run(DirectPolling of_backend, DirectPolling of_file,
           std::function<Task<void>(absl::StatusOr<DirectFile>)> body) {
    ExecutorOptions options;
    options.loop.backend.kind = BackendKind::kUring;
    options.loop.backend.uring.direct_polling = of_backend;
    auto executor = Executor::Create(options);
    if (!executor.ok()) GTEST_SKIP() << executor.status();
    auto main = [&]() -> Task<void> {
      DirectFileOptions direct;
      direct.open = OpenOptions::ForUpdating();
      {
        absl::StatusOr<DirectFile> file =
            co_await DirectFile::Open(path_, direct);
        has_direct_io_ = file.ok();
        if (!has_direct_io_) co_return;
        AlignedBuffer block = *AlignedBuffer::Create(kBlock, kBlock);
        EXPECT_TRUE((co_await file->WriteAt(block.bytes(), 0)).ok());
        EXPECT_TRUE((co_await file->Sync()).ok());
      }
      direct.polling = of_file;
      Task<void> task = body(co_await DirectFile::Open(path_, direct));
      co_await std::move(task);
    };
    EXPECT_TRUE((*executor)->Run(main()).ok());
    if (!has_direct_io_) GTEST_SKIP() << "no O_DIRECT in the test's folder";
  }

  static Task<absl::Status> Read(DirectFile& file) {
    AlignedBuffer block = *AlignedBuffer::Create(kBlock, kBlock);
    co_return (co_await file.ReadAt(block.bytes(), 0)).status();
  }

  const std::string path_ = absl::StrCat(::testing::TempDir(), "/polled");
  bool has_direct_io_ = false;
};

TEST_F(DirectPollingTest, AutoFallsBackForGoodAndCounts) {
  auto body = [](absl::StatusOr<DirectFile> file) -> Task<void> {
    EXPECT_TRUE(file.ok()) << file.status();
    for (int i = 0; i < 3; ++i) {
      const absl::Status status = co_await Read(*file);
      EXPECT_TRUE(status.ok()) << status;
    }
    const uint64_t not_polled = file->stats().not_polled;
    EXPECT_TRUE(not_polled == 3 || not_polled == 0) << not_polled;
    EXPECT_EQ(file->stats().reads, 3u);
  };
  Run(DirectPolling::kAuto, DirectPolling::kAuto, body);
}

TEST_F(DirectPollingTest, RequiredIsPolledForOrAnErrorThatNamesTheFile) {
  auto body = [this](absl::StatusOr<DirectFile> file) -> Task<void> {
    EXPECT_TRUE(file.ok()) << file.status();
    const absl::Status status = co_await Read(*file);
    EXPECT_EQ(file->stats().not_polled, 0u);
    if (status.ok()) co_return;  // the device has poll queues
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), path_)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "poll_queues")) << status;
  };
  Run(DirectPolling::kAuto, DirectPolling::kRequired, body);
}

TEST_F(DirectPollingTest, RequiredOfABackendThatDoesNotPollIsAnError) {
  auto body = [this](absl::StatusOr<DirectFile> file) -> Task<void> {
    EXPECT_TRUE(absl::IsFailedPrecondition(file.status())) << file.status();
    EXPECT_TRUE(absl::StrContains(file.status().message(), path_))
        << file.status();
    EXPECT_TRUE(absl::StrContains(file.status().message(), "direct_polling"))
        << file.status();
    co_return;
  };
  Run(DirectPolling::kOff, DirectPolling::kRequired, body);
}

TEST_F(DirectPollingTest, AutoOnABackendThatDoesNotPollIsCounted) {
  auto body = [](absl::StatusOr<DirectFile> file) -> Task<void> {
    EXPECT_TRUE(file.ok()) << file.status();
    const absl::Status status = co_await Read(*file);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(file->stats().not_polled, 1u);
  };
  Run(DirectPolling::kOff, DirectPolling::kAuto, body);
}

// A backend that requires polling refuses what is not polled for, unless it was
// marked.
TEST_F(DirectPollingTest, OffIsNeverPolledFor) {
  auto body = [](absl::StatusOr<DirectFile> file) -> Task<void> {
    EXPECT_TRUE(file.ok()) << file.status();
    const absl::Status status = co_await Read(*file);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(file->stats().not_polled, 0u);
  };
  Run(DirectPolling::kRequired, DirectPolling::kOff, body);
}

}  // namespace
}  // namespace ringway::fs
