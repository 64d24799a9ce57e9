// SPDX-License-Identifier: Apache-2.0
//
// Commands for NVMe devices, where there is none: the errors, and that a
// command reaches a driver. /dev/null has one that takes anything.

#include "ringway/fs/direct/nvme_device.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/nvme_command.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

NvmeCommand AnyCommand() {
  static std::array<std::byte, 512> memory;
  return NvmeReadCommand({.nsid = 1, .lba = 0, .count = 1}, memory);
}

class NvmeDeviceTest : public testing::FsTest {};

TEST_P(NvmeDeviceTest, OrdinaryEntriesAndOtherBackendsAreRefused) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "x");
    const absl::Status status = (co_await NvmeDevice::Open(path)).status();
    if (loop().backend().info().command_bytes > 0) {
      EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "large_entries"));
    } else {
      EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "need io_uring"));
    }
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(NvmeDeviceTest);

class LargeEntriesTest : public ::testing::Test {
 protected:
  // Runs `main` where there is room for NVMe commands.
  void Run(Task<void> main) {
    ExecutorOptions options;
    options.loop.backend.kind = BackendKind::kUring;
    options.loop.backend.uring.large_entries = true;
    auto executor = Executor::Create(options);
    if (!executor.ok()) GTEST_SKIP() << executor.status();
    EXPECT_TRUE((*executor)->Run(std::move(main)).ok());
  }
};

TEST_F(LargeEntriesTest, AFileThatIsNoDeviceIsNamed) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/no_device");
  auto main = [&]() -> Task<void> {
    const absl::Status none =
        (co_await NvmeDevice::Open("/dev/ringway-no-such-device")).status();
    EXPECT_EQ(ErrnoOf(none), ENOENT) << none;
    {
      absl::StatusOr<File> file =
          co_await File::Open(path, OpenOptions::ForWriting());
      EXPECT_TRUE(file.ok()) << file.status();
    }
    absl::StatusOr<NvmeDevice> device = co_await NvmeDevice::Open(path);
    EXPECT_TRUE(device.ok()) << device.status();
    const absl::Status status = co_await device->Execute(AnyCommand());
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), path)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "/dev/ng0n1")) << status;
    EXPECT_TRUE((co_await device->Close()).ok());
    EXPECT_TRUE(
        absl::IsFailedPrecondition(co_await device->Execute(AnyCommand())));
  };
  Run(main());
}

TEST_F(LargeEntriesTest, ADriverGetsTheCommand) {
  auto main = [&]() -> Task<void> {
    absl::StatusOr<NvmeDevice> null = co_await NvmeDevice::Open("/dev/null");
    EXPECT_TRUE(null.ok()) << null.status();
    const absl::Status status = co_await null->Execute(AnyCommand());
    // Linux 6.2 gave /dev/null commands.
    EXPECT_TRUE(status.ok() || absl::IsFailedPrecondition(status)) << status;
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::fs
