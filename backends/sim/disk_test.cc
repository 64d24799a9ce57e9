// SPDX-License-Identifier: Apache-2.0
//
// The disk of a world as programs see it: conditions, and power failures.

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/sim/network/stream_socket.h"
#include "ringway/backends/sim/sim_backend.h"
#include "ringway/backends/sim/world.h"

namespace ringway::sim {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsSubsetOf;

struct OneShot : Operation {
  OneShot() : Operation([](Runnable&) {}) {}
};

std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

class DiskTest : public ::testing::Test {
 protected:
  DiskTest() : backend_(world_.MakeBackend()) {}

  DiskConditions& disk() { return world_.environment().disk; }
  MonotonicTime now() { return world_.environment().now(); }

  void Start(Operation& op) {
    op.state = OpState::kQueued;
    pending_.PushBack(op);
    backend_->Submit(pending_, done_);
  }
  void Turn() {
    backend_->Wait(MonotonicTime::Infinite(), done_);
    while (Runnable* entry = done_.PopFront()) entry->Run();
  }
  int32_t Run(Operation& op) {
    Start(op);
    while (op.state != OpState::kDone) Turn();
    return op.result;
  }
  int Open(const char* path, int flags = O_RDWR | O_CREAT) {
    OneShot open;
    PrepareOpenAt(open, AT_FDCWD, path, flags, 0600);
    return Run(open);
  }
  int32_t Write(int fd, std::string_view text, int64_t offset = 0) {
    OneShot write;
    PrepareWrite(write, fd, AsBytes(text), offset);
    return Run(write);
  }
  int32_t Sync(int fd) {
    OneShot sync;
    PrepareFdatasync(sync, fd);
    return Run(sync);
  }
  std::string Read(int fd) {
    std::array<std::byte, 64> buffer;
    OneShot read;
    PrepareRead(read, fd, buffer, 0);
    const int32_t n = Run(read);
    EXPECT_GE(n, 0);
    return std::string(reinterpret_cast<const char*>(buffer.data()),
                       static_cast<size_t>(n));
  }
  void SyncRoot() {
    const int root = Open("/", O_RDONLY | O_DIRECTORY);
    EXPECT_EQ(Sync(root), 0);
    EXPECT_EQ(Close(root), 0);
  }
  int32_t Close(int fd) {
    OneShot close;
    PrepareClose(close, fd);
    return Run(close);
  }

  World world_{/*seed=*/7};
  std::unique_ptr<SimBackend> backend_;
  OperationList pending_;
  RunnableList done_;
};

TEST_F(DiskTest, HasNoLatencyUnlessItIsGivenOne) {
  const MonotonicTime start = now();
  const int fd = Open("/file");
  EXPECT_EQ(Write(fd, "x"), 1);
  EXPECT_EQ(Sync(fd), 0);
  EXPECT_EQ(now(), start);
}

TEST_F(DiskTest, EachOperationOnItTakesItsLatency) {
  disk().latency_low = disk().latency_high = absl::Milliseconds(3);
  const MonotonicTime start = now();
  const int fd = Open("/file");
  EXPECT_EQ(Write(fd, "x"), 1);
  EXPECT_EQ(Sync(fd), 0);
  EXPECT_EQ(Read(fd), "x");
  OneShot rename;
  PrepareRename(rename, AT_FDCWD, "/file", AT_FDCWD, "/other", 0);
  EXPECT_EQ(Run(rename), 0);
  EXPECT_EQ(now() - start, absl::Milliseconds(15));
}

TEST_F(DiskTest, TheLatencyIsDrawnForEachOperation) {
  const int fd = Open("/file");
  disk().latency_low = absl::Milliseconds(1);
  disk().latency_high = absl::Milliseconds(9);
  std::set<absl::Duration> seen;
  for (int i = 0; i < 100; ++i) {
    const MonotonicTime start = now();
    EXPECT_EQ(Sync(fd), 0);
    const absl::Duration took = now() - start;
    EXPECT_GE(took, absl::Milliseconds(1));
    EXPECT_LE(took, absl::Milliseconds(9));
    seen.insert(took);
  }
  EXPECT_GT(seen.size(), 50u);
}

TEST_F(DiskTest, AStalledOneDelaysNoSocket) {
  const int fd = Open("/file");
  auto [near_end, far_end] =
      StreamSocket::MakePair(world_.environment(), world_.network(), 0);
  const int near = world_.fds().Open(near_end, "the test");
  const int far = world_.fds().Open(far_end, "the test");
  disk().latency_low = disk().latency_high = absl::Seconds(10);
  OneShot stalled;
  PrepareWrite(stalled, fd, AsBytes("x"), 0);
  Start(stalled);
  const MonotonicTime start = now();
  OneShot send, receive;
  PrepareSend(send, near, AsBytes("hello"));
  EXPECT_EQ(Run(send), 5);
  std::array<std::byte, 8> buffer;
  PrepareRecv(receive, far, buffer);
  EXPECT_EQ(Run(receive), 5);
  EXPECT_EQ(now(), start);
  EXPECT_NE(stalled.state, OpState::kDone);
  while (stalled.state != OpState::kDone) Turn();
  EXPECT_EQ(now() - start, absl::Seconds(10));
}

TEST_F(DiskTest, FailsWithItsOwnErrnosAndSparesSockets) {
  const int fd = Open("/file");
  auto [near_end, far_end] =
      StreamSocket::MakePair(world_.environment(), world_.network(), 0);
  const int near = world_.fds().Open(near_end, "the test");
  const int far = world_.fds().Open(far_end, "the test");
  EXPECT_GE(far, 0);
  disk().failure = 0.5;
  std::set<int> results;
  for (int i = 0; i < 100; ++i) {
    results.insert(Write(fd, "x"));
    EXPECT_EQ(Sync(fd), 0);
    OneShot send;
    PrepareSend(send, near, AsBytes("x"));
    EXPECT_EQ(Run(send), 1);
  }
  EXPECT_THAT(results,
              ::testing::UnorderedElementsAre(1, -EIO, -ENOSPC, -EDQUOT));
}

TEST_F(DiskTest, ASyncThatFailsHasDroppedTheDataAndStaysFailed) {
  const int fd = Open("/file");
  EXPECT_EQ(Write(fd, "safe"), 4);
  EXPECT_EQ(Sync(fd), 0);
  EXPECT_EQ(Write(fd, "lost"), 4);
  disk().sync_failure = 1;
  const int32_t failed = Sync(fd);
  EXPECT_THAT(failed, AnyOf(-EIO, -ENOSPC, -EDQUOT));
  disk().sync_failure = 0;
  EXPECT_EQ(Sync(fd), failed);
  EXPECT_EQ(Read(fd), "safe");
}

TEST_F(DiskTest, ShortTransfersAreOfFilesOnly) {
  const int fd = Open("/file");
  disk().short_transfer = 1;
  const int32_t n = Write(fd, "0123456789");
  EXPECT_GE(n, 1);
  EXPECT_LT(n, 10);
  auto [near_end, far_end] =
      StreamSocket::MakePair(world_.environment(), world_.network(), 0);
  const int near = world_.fds().Open(near_end, "the test");
  OneShot send;
  PrepareSend(send, near, AsBytes("0123456789"));
  EXPECT_EQ(Run(send), 10);
}

TEST_F(DiskTest, IsFullBeyondItsCapacity) {
  world_.files().set_capacity(8'192);
  const int fd = Open("/file");
  EXPECT_EQ(Write(fd, std::string(10'000, 'x')), 8'192);
  EXPECT_EQ(Write(fd, "x", 8'192), -ENOSPC);
}

// --- Power failures

TEST_F(DiskTest, ANewBackendFindsWhatIsDurableAfterAPowerFailure) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const int fd = Open("/file");
    EXPECT_EQ(Write(fd, "safe"), 4);
    EXPECT_EQ(Sync(fd), 0);
    SyncRoot();
    EXPECT_EQ(Write(fd, "lost"), 4);
    backend_.reset();
    world_.Crash(seed);
    EXPECT_EQ(world_.leaks(), "");
    backend_ = world_.MakeBackend();
    const int again = Open("/file", O_RDWR);
    ASSERT_GE(again, 0);
    seen.insert(Read(again));
  }
  EXPECT_THAT(seen, IsSubsetOf({"safe", "lost"}));
  EXPECT_EQ(seen.size(), 2u);
}

TEST_F(DiskTest, AnFdOfBeforeAPowerFailureIsClosed) {
  const int fd = Open("/file");
  backend_.reset();
  world_.Crash(/*seed=*/1);
  backend_ = world_.MakeBackend();
  EXPECT_EQ(Write(fd, "x"), -EBADF);
  ASSERT_EQ(world_.errors().size(), 1u);
  EXPECT_THAT(world_.errors()[0], HasSubstr("a power failure has closed"));
}

TEST_F(DiskTest, WhatIsInFlightAtAPowerFailureIsLost) {
  const int fd = Open("/file");
  EXPECT_EQ(Sync(fd), 0);
  SyncRoot();
  disk().latency_low = disk().latency_high = absl::Seconds(10);
  OneShot write;
  PrepareWrite(write, fd, AsBytes("x"), 0);
  Start(write);
  backend_.reset();
  disk() = DiskConditions();
  world_.Crash(/*seed=*/1);
  backend_ = world_.MakeBackend();
  EXPECT_EQ(Read(Open("/file", O_RDWR)), "");
}

TEST_F(DiskTest, WithBadConditionsItRepeatsItselfExactly) {
  const auto hash_of_a_run = [](uint64_t seed) {
    World world(seed);
    world.environment().disk = DiskConditions::Bad();
    auto backend = world.MakeBackend();
    OperationList pending;
    RunnableList done;
    for (int i = 0; i < 200; ++i) {
      OneShot open;
      PrepareOpenAt(open, AT_FDCWD, "/file", O_RDWR | O_CREAT, 0600);
      open.state = OpState::kQueued;
      pending.PushBack(open);
      backend->Submit(pending, done);
      while (open.state != OpState::kDone) {
        backend->Wait(MonotonicTime::Infinite(), done);
        while (Runnable* entry = done.PopFront()) entry->Run();
      }
    }
    return world.environment().trace.hash();
  };
  EXPECT_EQ(hash_of_a_run(7), hash_of_a_run(7));
  EXPECT_NE(hash_of_a_run(7), hash_of_a_run(8));
}

}  // namespace
}  // namespace ringway::sim
