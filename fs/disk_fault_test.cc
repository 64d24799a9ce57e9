// SPDX-License-Identifier: Apache-2.0
//
// Files on a simulated disk that fails, is full, takes and gives little at a
// time, or is slow.

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/sim/environment/description.h"
#include "ringway/backends/sim/files/file_store.h"
#include "ringway/backends/sim/network/stream_socket.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/executor/testing/virtual_time_executor.h"
#include "ringway/fs/file.h"
#include "ringway/fs/path_queries.h"
#include "ringway/fs/testing/fs_fixture.h"
#include "ringway/fs/whole_file.h"
#include "ringway/net/file_sink.h"
#include "ringway/net/forward.h"
#include "ringway/net/tcp.h"

namespace ringway::fs {
namespace {

using testing::Bytes;
using ::testing::IsSubsetOf;
using testing::Pattern;
using testing::ValueOf;

constexpr char kPath[] = "/file";

class DiskFaultTest : public ::testing::Test {
 protected:
  sim::DiskConditions& disk() { return executor_.world.environment().disk; }
  sim::FileStore& files() { return executor_.world.files(); }
  void Run(Task<void> main) {
    EXPECT_TRUE(executor_->Run(std::move(main)).ok());
  }
  // An open file with `content`, which is durable.
  static Task<File> Make(std::span<const std::byte> content) {
    File file = ValueOf(co_await File::Open(kPath, OpenOptions::ForUpdating()));
    EXPECT_TRUE((co_await file.WriteAllAt(content, 0)).ok());
    EXPECT_TRUE((co_await file.Sync()).ok());
    co_return std::move(file);
  }

  VirtualTimeExecutor executor_;
};

bool Names(const absl::Status& status, std::string_view what) {
  return absl::StrContains(status.message(), what);
}

TEST_F(DiskFaultTest, AnErrorNamesCallFileAndOffset) {
  auto main = [&]() -> Task<void> {
    File file = co_await Make(Bytes("0123456789"));
    std::array<std::byte, 4> buffer;
    disk().failure = 1;
    const absl::Status read = (co_await file.ReadAt(buffer, 3)).status();
    EXPECT_EQ(ErrnoOf(read), EIO) << read;
    EXPECT_TRUE(Names(read, "read of /file at offset 3")) << read;
    const absl::Status exactly = co_await file.ReadExactlyAt(buffer, 4);
    EXPECT_TRUE(Names(exactly, "read of /file at offset 4")) << exactly;
    std::set<int> errors;
    for (int i = 0; i < 50; ++i) {
      const absl::Status written = co_await file.WriteAllAt(buffer, 5);
      errors.insert(ErrnoOf(written));
      EXPECT_TRUE(Names(written, "write to /file at offset 5")) << written;
    }
    EXPECT_EQ(errors, (std::set<int>{EIO, ENOSPC, EDQUOT}));
    const absl::Status opened = (co_await File::Open(kPath)).status();
    EXPECT_TRUE(Names(opened, kPath)) << opened;
    EXPECT_NE(ErrnoOf(opened), 0);
    disk().failure = 0;
    EXPECT_TRUE((co_await file.ReadExactlyAt(buffer, 0)).ok());
  };
  Run(main());
}

TEST_F(DiskFaultTest, AnErrorIsAtTheOffsetThatWasReached) {
  auto main = [&]() -> Task<void> {
    files().set_capacity(8'192);
    File file = co_await Make(Bytes("0123456789"));
    const std::vector<std::byte> bytes = Pattern(10'000, 1);
    const absl::Status full = co_await file.WriteAllAt(bytes, 100);
    EXPECT_EQ(ErrnoOf(full), ENOSPC) << full;
    EXPECT_TRUE(Names(full, "write to /file at offset 8192")) << full;
    std::vector<std::byte> read(8'192 - 100);
    EXPECT_TRUE((co_await file.ReadExactlyAt(read, 100)).ok());
    EXPECT_TRUE(std::equal(read.begin(), read.end(), bytes.begin()))
        << "what there was room for is there";
    EXPECT_EQ(ValueOf(co_await StatFileSystem(kPath)).free_bytes, 0u);
    files().set_capacity(12'288);
    EXPECT_EQ(ValueOf(co_await StatFileSystem(kPath)).free_bytes, 4'096u);
    EXPECT_TRUE((co_await file.WriteAllAt(bytes, 100)).ok());
  };
  Run(main());
}

TEST_F(DiskFaultTest, ASyncThatFailedStaysFailed) {
  auto main = [&]() -> Task<void> {
    File file = co_await Make(Bytes("safe"));
    EXPECT_TRUE((co_await file.WriteAllAt(Bytes("lost"), 0)).ok());
    disk().sync_failure = 1;
    const absl::Status failed = co_await file.SyncData();
    EXPECT_THAT((std::set<int>{ErrnoOf(failed)}),
                IsSubsetOf({EIO, ENOSPC, EDQUOT}));
    EXPECT_TRUE(Names(failed, "sync of /file")) << failed;
    disk().sync_failure = 0;
    EXPECT_EQ(co_await file.Sync(), failed);
    EXPECT_EQ(co_await file.SyncData(), failed);
    EXPECT_EQ(ValueOf(co_await ReadFile(kPath, /*limit=*/100)), "safe");
    // The file is written anew.
    File other =
        ValueOf(co_await File::Open(kPath, OpenOptions::ForUpdating()));
    EXPECT_TRUE((co_await other.WriteAllAt(Bytes("anew"), 0)).ok());
    EXPECT_TRUE((co_await other.Sync()).ok());
  };
  Run(main());
}

TEST_F(DiskFaultTest, ACancelledSyncIsNoFailedOne) {
  auto sync = [](File& file) -> Task<absl::Status> {
    co_return co_await file.Sync();
  };
  auto main = [&]() -> Task<void> {
    File file = co_await Make(Bytes("x"));
    JoinHandle<absl::Status> syncing = Spawn(sync(file));
    syncing.Cancel();  // before it has begun
    const absl::Status cancelled = co_await syncing;
    EXPECT_TRUE(absl::IsCancelled(cancelled)) << cancelled;
    EXPECT_TRUE((co_await file.Sync()).ok());
  };
  Run(main());
}

// By the end of the latency the disk would have it.
TEST_F(DiskFaultTest, ASyncThatIsCancelledHalfWayIsNoFailedOne) {
  auto sync = [](File& file) -> Task<absl::Status> {
    co_return co_await file.Sync();
  };
  auto main = [&]() -> Task<void> {
    File file = co_await Make(Bytes("x"));
    disk().latency_low = disk().latency_high = absl::Seconds(1);
    JoinHandle<absl::Status> syncing = Spawn(sync(file));
    (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
    syncing.Cancel();
    const absl::Status cancelled = co_await syncing;
    EXPECT_TRUE(absl::IsCancelled(cancelled)) << cancelled;
    EXPECT_TRUE((co_await file.Sync()).ok());
  };
  Run(main());
}

// Takes and gives one byte at a time, after an interruption each, and at last
// nothing.
class Stubborn final : public sim::Description {
 public:
  explicit Stubborn(sim::Environment& environment)
      : sim::Description(environment) {}
  std::string_view kind() const override { return "stubborn device"; }
  uint32_t Ready() override { return POLLIN | POLLOUT; }
  int64_t Read(sim::Buffers& to, int64_t /*offset*/) override { return Do(to); }
  int64_t Write(sim::Buffers& from, int64_t /*offset*/) override {
    return Do(from);
  }

 private:
  int64_t Do(sim::Buffers& buffers) {
    if (std::exchange(interrupts_, !interrupts_)) return -EINTR;
    if (left_ == 0) return 0;
    --left_;
    return static_cast<int64_t>(buffers.Next(1).size());
  }

  bool interrupts_ = true;
  int left_ = 10;
};

TEST_F(DiskFaultTest, AnInterruptionIsNoEndAndNothingTakenIsAnError) {
  sim::World& world = executor_.world;
  auto main = [&]() -> Task<void> {
    std::array<std::byte, 8> buffer = {};
    for (const bool writes : {true, false}) {
      File file = File::Adopt(
          CurrentLoop(),
          UniqueFd(world.fds().Open(
              std::make_shared<Stubborn>(world.environment()), "the test")),
          "device");
      const auto transfer = [&]() -> Task<absl::Status> {
        if (writes) co_return co_await file.WriteAll(buffer);
        co_return co_await file.ReadExactly(buffer);
      };
      Task<absl::Status> first = transfer();
      const absl::Status whole = co_await std::move(first);
      EXPECT_TRUE(whole.ok()) << whole;
      // Two of eight are left.
      Task<absl::Status> second = transfer();
      const absl::Status part = co_await std::move(second);
      EXPECT_EQ(ErrnoOf(part), writes ? ENOSPC : 0) << part;
      EXPECT_EQ(absl::IsOutOfRange(part), !writes) << part;
      EXPECT_TRUE(Names(part, "device")) << part;
    }
  };
  Run(main());
}

TEST_F(DiskFaultTest, AnErrorOfTheCloseIsReported) {
  auto main = [&]() -> Task<void> {
    File file = co_await Make(Bytes("x"));
    sim::SingleFailure& failure = executor_.world.environment().failure;
    failure = sim::SingleFailure();
    failure.n = 1;
    const absl::Status closed = co_await file.Close();
    EXPECT_NE(ErrnoOf(closed), 0) << closed;
    EXPECT_TRUE(Names(closed, "close of /file")) << closed;
    EXPECT_EQ(file.fd(), -1);
  };
  Run(main());
  EXPECT_EQ(executor_.world.leaks(), "") << "it was closed all the same";
}

TEST_F(DiskFaultTest, TransfersInPartsAreWhole) {
  auto main = [&]() -> Task<void> {
    disk().short_transfer = 1;
    const std::vector<std::byte> bytes = Pattern(100'000, 1);
    File file = co_await Make({});
    EXPECT_TRUE((co_await file.WriteAllAt(bytes, 7)).ok());
    std::vector<std::byte> read(bytes.size());
    EXPECT_TRUE((co_await file.ReadExactlyAt(read, 7)).ok());
    EXPECT_EQ(read, bytes);
    const size_t n = ValueOf(co_await file.ReadAt(read, 7));
    EXPECT_GE(n, 1u);
    EXPECT_LT(n, read.size()) << "it was not short";
    // At the position, in several buffers.
    const std::vector<std::byte> more = Pattern(5'000, 2);
    std::vector<std::span<const std::byte>> parts;
    for (size_t at = 0; at < more.size(); at += 100)
      parts.push_back(std::span(more).subspan(at, 100));
    File again =
        ValueOf(co_await File::Open("/again", OpenOptions::ForUpdating()));
    EXPECT_TRUE((co_await again.WritevAll(parts)).ok());
    std::vector<std::byte> back(more.size());
    EXPECT_TRUE((co_await again.ReadExactlyAt(back, 0)).ok());
    EXPECT_EQ(back, more);
  };
  Run(main());
}

TEST_F(DiskFaultTest, ACancelEndsAWaitForASlowDisk) {
  auto main = [&]() -> Task<void> {
    File file = co_await Make(Bytes("x"));
    disk().latency_low = disk().latency_high = absl::Seconds(10);
    std::array<std::byte, 1> buffer;
    const MonotonicTime start = executor_.Now();
    const absl::StatusOr<size_t> n =
        co_await WithTimeout(absl::Milliseconds(5), file.ReadAt(buffer, 0));
    // The disk had begun: the buffer is free again only when it has ended.
    EXPECT_TRUE(n.ok() || absl::IsDeadlineExceeded(n.status())) << n.status();
    EXPECT_LE(executor_.Now() - start, absl::Seconds(10));
  };
  Run(main());
}

// What a slow disk has not taken is not received: the sender has to wait.
TEST_F(DiskFaultTest, ASlowDiskStopsTheSourceOfAForward) {
  constexpr size_t kBytes = 20 << 20;
  const auto send = [](net::TcpStream stream, size_t& sent) -> Task<void> {
    const std::vector<std::byte> block(16 * 1024);
    for (; sent < kBytes; sent += block.size())
      EXPECT_TRUE((co_await stream.Write(block)).ok());
    EXPECT_TRUE((co_await stream.ShutdownWrite()).ok());
  };
  auto main = [&]() -> Task<void> {
    sim::World& world = executor_.world;
    auto [near_end, far_end] =
        sim::StreamSocket::MakePair(world.environment(), world.network(), 0);
    net::TcpStream source = net::TcpStream::Adopt(
        CurrentLoop(), UniqueFd(world.fds().Open(near_end, "the test")));
    net::TcpStream peer = net::TcpStream::Adopt(
        CurrentLoop(), UniqueFd(world.fds().Open(far_end, "the test")));
    File file = ValueOf(co_await File::Open(kPath, OpenOptions::ForWriting()));
    disk().latency_low = disk().latency_high = absl::Seconds(1);
    size_t sent = 0;
    JoinHandle<void> sending = Spawn(send(std::move(peer), sent));
    JoinHandle<absl::StatusOr<uint64_t>> forward =
        Spawn(net::Forward(source.reader(), net::FileSink(file.fd())));
    (co_await Sleep(absl::Seconds(3.5))).IgnoreError();  // three writes
    EXPECT_GT(sent, 0u);
    EXPECT_LT(sent, size_t{1} << 20);
    EXPECT_LE(CurrentLoop().stats().buffers_lent, 2u);
    disk().latency_low = disk().latency_high = absl::ZeroDuration();
    EXPECT_EQ(ValueOf(co_await forward), kBytes);
    EXPECT_TRUE((co_await sending).ok());
    EXPECT_EQ(ValueOf(co_await file.Stat()).size, int64_t{kBytes});
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::fs
