// SPDX-License-Identifier: Apache-2.0
//
// A file system of the kernel that stands still delays no socket.

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/testing/fs_fixture.h"
#include "ringway/fs/testing/stalled_file_system.h"

namespace ringway::fs {
namespace {

using testing::FsTest;
using testing::StalledFileSystem;
using testing::ValueOf;

using StalledDiskTest = FsTest;

constexpr absl::Duration kStall = absl::Milliseconds(300);

// Opens, writes, syncs and reads: each waits for the disk.
Task<void> UseFile(std::string path, bool& done) {
  const absl::Time start = absl::Now();
  OpenOptions options;
  options.write = true;
  File file = ValueOf(co_await File::Open(path, options));
  std::vector<std::byte> bytes(100'000);
  EXPECT_TRUE((co_await file.WriteAllAt(bytes, 0)).ok());
  EXPECT_TRUE((co_await file.SyncData()).ok());
  EXPECT_EQ(ValueOf(co_await file.ReadAt(bytes, 4'096'000)), 0u);
  EXPECT_TRUE((co_await file.ReadExactlyAt(bytes, 0)).ok());
  EXPECT_TRUE((co_await file.Close()).ok());
  EXPECT_GE(absl::Now() - start, 3 * kStall) << "it did not stall";
  done = true;
}

Task<void> Echo(net::TcpStream& stream) {
  std::array<std::byte, 16> buffer;
  while (true) {
    const absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok() || *n == 0) co_return;
    const absl::Status sent =
        co_await stream.Write(std::span(buffer).first(*n));
    if (!sent.ok()) co_return;
  }
}

// How long each echo takes, one a millisecond, until `done`.
Task<std::vector<absl::Duration>> EchoUntil(net::TcpStream& client,
                                            const bool& done) {
  std::vector<absl::Duration> took;
  std::array<std::byte, 16> buffer = {};
  while (!done) {
    (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
    const absl::Time start = absl::Now();
    EXPECT_TRUE((co_await client.Write(buffer)).ok());
    EXPECT_EQ(ValueOf(co_await client.Read(buffer)), buffer.size());
    took.push_back(absl::Now() - start);
  }
  std::sort(took.begin(), took.end());
  co_return took;
}

TEST_P(StalledDiskTest, DelaysNoSocket) {
  RINGWAY_REQUIRES_KERNEL("file systems");
  const std::string path = PathOf("mounted");
  ASSERT_TRUE(std::filesystem::create_directory(path));
  absl::StatusOr<std::unique_ptr<StalledFileSystem>> mount =
      StalledFileSystem::Mount(path, kStall);
  if (!mount.ok()) GTEST_SKIP() << "needs FUSE: " << mount.status();
  auto main = [&]() -> Task<void> {
    net::testing::Connected pair = net::testing::ConnectedTcp(system());
    net::TcpStream client = Adopt(std::move(pair.near_end));
    net::TcpStream server = Adopt(pair.far_end.Release());
    bool done = false;
    JoinHandle<void> echo = Spawn(Echo(server));
    JoinHandle<void> use = Spawn(UseFile((*mount)->file(), done));
    Task<std::vector<absl::Duration>> measure = EchoUntil(client, done);
    const std::vector<absl::Duration> took = co_await std::move(measure);
    EXPECT_TRUE((co_await use).ok());
    echo.Cancel();
    (co_await echo).IgnoreError();
    std::cout << took.size() << " echoes: median " << took[took.size() / 2]
              << ", longest " << took.back() << "\n";
    EXPECT_LE(took[took.size() / 2], absl::Milliseconds(1));
    // A loaded machine takes its time, but not as long as one stall.
    EXPECT_LT(took.back(), kStall);
  };
  Run(main());
  DestroyExecutor();  // nothing of it is open when it is unmounted
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(StalledDiskTest);

}  // namespace
}  // namespace ringway::fs
