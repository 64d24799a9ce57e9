// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/buffered_writer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::CountAllocations;
using testing::AsString;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::Pattern;
using testing::Peer;
using testing::TurnTimes;
using testing::ValueOf;

constexpr size_t kKiB = 1024;

// A little at a time, so that the writer is always ahead.
Task<std::string> ReadSlowly(Peer& far_end) {
  constexpr size_t kPiece = 3000;
  std::string all;
  while (true) {
    const std::string piece = co_await far_end.Receive(kPiece);
    all += piece;
    if (piece.size() < kPiece) co_return all;  // the end
    co_await TurnTimes(1);
  }
}

class BufferedWriterTest : public testing::NetTest {
 protected:
  void TearDown() override {
    far_end_.Close();
    NetTest::TearDown();
  }

  // A stream whose far end does not read. With small buffers the kernel
  // cannot accept much either.
  TcpStream Connect() { return Adopt(ConnectShort().Release()); }
  // The same, and the kernel cannot take another byte until the far end reads.
  TcpStream ConnectFull(size_t* n_bytes = nullptr) {
    Peer near_end = ConnectShort();
    const size_t sum = near_end.FillUntilRead(far_end_);
    if (n_bytes != nullptr) *n_bytes = sum;
    return Adopt(near_end.Release());
  }

  Peer far_end_;

 private:
  Peer ConnectShort() {
    Connected pair = ConnectedTcp(system());
    far_end_ = std::move(pair.far_end);
    Peer near_end(system(), std::move(pair.near_end));
    near_end.SetBuffer(SO_SNDBUF, 4 * kKiB);
    const int on = 1;
    EXPECT_EQ(system().sockets().SetOption(near_end.fd(), IPPROTO_TCP,
                                           TCP_NODELAY, &on, sizeof(on)),
              0);
    return near_end;
  }
};

Task<void> SendAll(TcpStream stream, const std::vector<std::byte>& payload,
                   size_t limit, size_t at_most) {
  BufferedWriter writer(stream.writer(), limit);
  for (size_t at = 0, n = 1; at < payload.size(); at += n) {
    n = std::min(n * 7 % at_most + 1, payload.size() - at);
    EXPECT_EQ(co_await writer.Enqueue(std::span(payload).subspan(at, n)),
              absl::OkStatus());
  }
  EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
  EXPECT_EQ(writer.queued_bytes(), 0u);
  EXPECT_LE(writer.high_water_bytes(), limit);
  EXPECT_LE(writer.memory_bytes(), 2 * limit);
}

Task<void> SendAndCompare(TcpStream stream, Peer& far_end,
                          const std::vector<std::byte>& payload, size_t limit,
                          size_t at_most) {
  JoinHandle<std::string> reading = Spawn(ReadSlowly(far_end));
  co_await SendAll(std::move(stream), payload, limit, at_most);
  EXPECT_TRUE(ValueOf(co_await reading) == AsString(payload));
}

TEST_P(BufferedWriterTest, DeliversEightMebibytesToASlowReaderByteForByte) {
  const std::vector<std::byte> payload = Pattern(8 * kKiB * kKiB, 1);
  TcpStream stream = Connect();
  Run(SendAndCompare(std::move(stream), far_end_, payload,
                     BufferedWriter::kDefaultLimit, 100'000));
}

TEST_P(BufferedWriterTest, KeepsTheOrderOfManySmallMessagesInASmallBuffer) {
  const std::vector<std::byte> payload = Pattern(256 * kKiB, 2);
  TcpStream stream = Connect();
  Run(SendAndCompare(std::move(stream), far_end_, payload, /*limit=*/1000,
                     /*at_most=*/900));
}

TEST_P(BufferedWriterTest, TakesWhatFitsWithoutWaiting) {
  Run([](TcpStream stream, Loop& loop) -> Task<void> {
    BufferedWriter writer(stream.writer(), 64 * kKiB);
    const std::vector<std::byte> message(kKiB);
    const uint64_t turns = loop.stats().turns;
    for (int i = 0; i < 64; ++i)
      EXPECT_EQ(co_await writer.Enqueue(message), absl::OkStatus());
    EXPECT_EQ(loop.stats().turns, turns);
    EXPECT_EQ(writer.queued_bytes(), 64 * kKiB);
    EXPECT_EQ(writer.high_water_bytes(), 64 * kKiB);
  }(ConnectFull(), loop()));
}

Task<absl::Status> EnqueueTask(BufferedWriter& writer,
                               std::span<const std::byte> bytes) {
  co_return co_await writer.Enqueue(bytes);
}

Task<absl::Status> FlushTask(BufferedWriter& writer) {
  co_return co_await writer.Flush();
}

TEST_P(BufferedWriterTest, MakesWritersWaitInOrderWhileItIsFull) {
  size_t before = 0;
  TcpStream full = ConnectFull(&before);
  const std::vector<std::byte> payload = Pattern(12 * kKiB, 3);
  Run([](TcpStream stream, std::span<const std::byte> bytes, Peer& far_end,
         size_t n_before) -> Task<void> {
    BufferedWriter writer(stream.writer(), 8 * kKiB);
    EXPECT_EQ(co_await writer.Enqueue(bytes.first(6 * kKiB)), absl::OkStatus());
    JoinHandle<absl::Status> large =
        Spawn(EnqueueTask(writer, bytes.subspan(6 * kKiB, 5 * kKiB)));
    // It would fit, but must not overtake.
    JoinHandle<absl::Status> small =
        Spawn(EnqueueTask(writer, bytes.subspan(11 * kKiB)));
    co_await TurnTimes(20);
    EXPECT_FALSE(large.done());
    EXPECT_FALSE(small.done());
    EXPECT_EQ(writer.queued_bytes(), 6 * kKiB);
    JoinHandle<std::string> reading = Spawn(ReadSlowly(far_end));
    EXPECT_EQ(co_await large, absl::OkStatus());
    EXPECT_EQ(co_await small, absl::OkStatus());
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
    EXPECT_EQ(co_await stream.Close(), absl::OkStatus());
    const std::string received = ValueOf(co_await reading);
    EXPECT_TRUE(received.substr(n_before) == AsString(bytes));
  }(std::move(full), payload, far_end_, before));
}

TEST_P(BufferedWriterTest, WhatIsEnqueuedInOneTurnGoesOutTogether) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    BufferedWriter writer(stream.writer());
    const uint64_t before = loop().stats().backend.submitted;
    std::string all;
    for (int i = 0; i < 100; ++i) {
      const std::string part = std::to_string(i) + " ";
      EXPECT_EQ(writer.TryEnqueue(Bytes(part)), absl::OkStatus());
      all += part;
    }
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
    EXPECT_EQ(loop().stats().backend.submitted - before, 1u);
    EXPECT_EQ(co_await pair.far_end.Receive(all.size()), all);
  };
  Run(main());
}

TEST_P(BufferedWriterTest, TryEnqueueTakesAllOrNothingAndDoesNotWait) {
  auto main = [&]() -> Task<void> {
    size_t n_before = 0;
    TcpStream stream = ConnectFull(&n_before);
    BufferedWriter writer(stream.writer(), /*limit_bytes=*/10);
    EXPECT_EQ(writer.TryEnqueue(Bytes("01234567")), absl::OkStatus());
    EXPECT_EQ(writer.TryEnqueue(Bytes("89ab")).code(),
              absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(writer.TryEnqueue(Bytes("89")), absl::OkStatus());
    EXPECT_EQ(writer.queued_bytes(), 10u);
    auto enqueue = [&]() -> Task<absl::Status> {
      co_return co_await writer.Enqueue(Bytes("cd"));
    };
    JoinHandle<absl::Status> waits = Spawn(enqueue());
    co_await TurnTimes(3);
    EXPECT_FALSE(waits.done());
    EXPECT_EQ((co_await far_end_.Receive(n_before + 12)).substr(n_before),
              "0123456789cd");
    EXPECT_EQ(co_await waits, absl::OkStatus());
    EXPECT_EQ(co_await stream.Close(), absl::OkStatus());
    EXPECT_EQ(writer.TryEnqueue(Bytes("x")).code(),
              absl::StatusCode::kFailedPrecondition);
    BufferedWriter moved = std::move(writer);
    EXPECT_EQ(writer.TryEnqueue(Bytes("x")).code(),
              absl::StatusCode::kFailedPrecondition);
    writer.Cork();
    writer.Uncork();
  };
  Run(main());
}

TEST_P(BufferedWriterTest, ACorkHoldsBackUntilSomebodyWaits) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    BufferedWriter writer(stream.writer(), /*limit_bytes=*/10);
    writer.Cork();
    for (const char* part : {"ab", "cd", "ef"}) {
      EXPECT_EQ(co_await writer.Enqueue(Bytes(part)), absl::OkStatus());
      co_await TurnTimes(3);
    }
    EXPECT_EQ(writer.queued_bytes(), 6u);
    writer.Uncork();
    EXPECT_EQ(co_await pair.far_end.Receive(6), "abcdef");
    co_await TurnTimes(3);
    writer.Cork();
    EXPECT_EQ(writer.TryEnqueue(Bytes("gh")), absl::OkStatus());
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
    EXPECT_EQ(writer.TryEnqueue(Bytes("0123456789")), absl::OkStatus());
    EXPECT_EQ(co_await writer.Enqueue(Bytes("!")), absl::OkStatus());
    EXPECT_EQ(co_await pair.far_end.Receive(12), "gh0123456789");
    EXPECT_EQ(writer.queued_bytes(), 1u) << "the cork is still in";
    EXPECT_EQ(co_await stream.Close(), absl::OkStatus());
    EXPECT_EQ((co_await writer.Flush()).code(),
              absl::StatusCode::kFailedPrecondition);
  };
  Run(main());
}

TEST_P(BufferedWriterTest, AdmitsAMessageAboveTheLimitWhenEmpty) {
  size_t before = 0;
  TcpStream full = ConnectFull(&before);
  const std::vector<std::byte> payload = Pattern(100 * kKiB, 4);
  Run([](TcpStream stream, std::span<const std::byte> bytes, Peer& far_end,
         size_t n_before) -> Task<void> {
    BufferedWriter writer(stream.writer(), kKiB);
    EXPECT_EQ(co_await writer.Enqueue(bytes.first(1)), absl::OkStatus());
    JoinHandle<absl::Status> large =
        Spawn(EnqueueTask(writer, bytes.subspan(1)));
    co_await TurnTimes(20);
    EXPECT_FALSE(large.done());
    JoinHandle<std::string> reading = Spawn(ReadSlowly(far_end));
    EXPECT_EQ(co_await large, absl::OkStatus());
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
    EXPECT_EQ(writer.high_water_bytes(), bytes.size() - 1);
    EXPECT_EQ(co_await stream.Close(), absl::OkStatus());
    const std::string received = ValueOf(co_await reading);
    EXPECT_TRUE(received.substr(n_before) == AsString(bytes));
  }(std::move(full), payload, far_end_, before));
}

TEST_P(BufferedWriterTest, FlushOfAnEmptyBufferDoesNotWait) {
  Run([](TcpStream stream) -> Task<void> {
    BufferedWriter writer(stream.writer());
    EXPECT_EQ(co_await writer.Enqueue({}), absl::OkStatus());
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
  }(ConnectFull()));
}

TEST_P(BufferedWriterTest, FlushWaitsForWhatCameBeforeItAndNoMore) {
  size_t before = 0;
  TcpStream full = ConnectFull(&before);
  Run([](TcpStream stream, Peer& far_end, size_t n_before) -> Task<void> {
    BufferedWriter writer(stream.writer());
    EXPECT_EQ(co_await writer.Enqueue(Bytes("first")), absl::OkStatus());
    JoinHandle<absl::Status> flush = Spawn(FlushTask(writer));
    co_await TurnTimes(20);
    EXPECT_FALSE(flush.done());
    // More than the kernel will take at once.
    const std::vector<std::byte> later(900 * kKiB);
    EXPECT_EQ(co_await writer.Enqueue(later), absl::OkStatus());
    EXPECT_EQ((co_await far_end.Receive(n_before)).size(), n_before);
    EXPECT_EQ(co_await flush, absl::OkStatus());
    EXPECT_GT(writer.queued_bytes(), 0u);
  }(std::move(full), far_end_, before));
}

TEST_P(BufferedWriterTest, AnErrorStaysAndReachesEverybody) {
  TcpStream full = ConnectFull();
  Run([](TcpStream stream, Peer& far_end) -> Task<void> {
    BufferedWriter writer(stream.writer(), 8);
    EXPECT_EQ(co_await writer.Enqueue(Bytes("12345678")), absl::OkStatus());
    JoinHandle<absl::Status> waiting =
        Spawn(EnqueueTask(writer, Bytes("more")));
    JoinHandle<absl::Status> flushing = Spawn(FlushTask(writer));
    co_await TurnTimes(20);
    far_end.Reset();
    absl::Status flushed = co_await flushing;
    EXPECT_TRUE(absl::IsUnavailable(flushed)) << flushed;
    EXPECT_EQ(ErrnoOf(flushed), ECONNRESET);
    EXPECT_EQ(co_await waiting, flushed);
    EXPECT_EQ(co_await writer.Enqueue(Bytes("again")), flushed);
    EXPECT_EQ(co_await writer.Flush(), flushed);
    EXPECT_EQ(writer.queued_bytes(), 0u);
  }(std::move(full), far_end_));
}

TEST_P(BufferedWriterTest, ACancelledEnqueueHasQueuedNothing) {
  size_t before = 0;
  TcpStream full = ConnectFull(&before);
  Run([](TcpStream stream, Peer& far_end, size_t n_before) -> Task<void> {
    BufferedWriter writer(stream.writer(), 8);
    EXPECT_EQ(co_await writer.Enqueue(Bytes("queued")), absl::OkStatus());
    JoinHandle<absl::Status> too_large =
        Spawn(EnqueueTask(writer, Bytes("too large")));
    JoinHandle<absl::Status> behind = Spawn(EnqueueTask(writer, Bytes(".")));
    JoinHandle<absl::Status> flushing = Spawn(FlushTask(writer));
    co_await TurnTimes(20);
    too_large.Cancel();
    flushing.Cancel();
    EXPECT_TRUE(absl::IsCancelled(co_await too_large));
    EXPECT_TRUE(absl::IsCancelled(co_await flushing));
    // The write that waited behind it fits.
    EXPECT_EQ(co_await behind, absl::OkStatus());
    JoinHandle<std::string> reading = Spawn(ReadSlowly(far_end));
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
    EXPECT_EQ(co_await stream.Close(), absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await reading).substr(n_before), "queued.");
  }(std::move(full), far_end_, before));
}

TEST_P(BufferedWriterTest, EndsSendAndWaitersWhenDropped) {
  Run([](TcpStream stream) -> Task<void> {
    std::optional<BufferedWriter> writer;
    writer.emplace(stream.writer(), 8);
    EXPECT_EQ(co_await writer->Enqueue(Bytes("12345678")), absl::OkStatus());
    JoinHandle<absl::Status> waiting =
        Spawn(EnqueueTask(*writer, Bytes("more")));
    JoinHandle<absl::Status> flushing = Spawn(FlushTask(*writer));
    co_await TurnTimes(20);
    writer.reset();
    EXPECT_TRUE(absl::IsCancelled(co_await waiting));
    EXPECT_TRUE(absl::IsCancelled(co_await flushing));
    // The stream is free for others once the send has ended.
    EXPECT_EQ(co_await stream.ShutdownWrite(), absl::OkStatus());
  }(ConnectFull()));
}

TEST_P(BufferedWriterTest, IsDroppedTogetherWithItsStream) {
  Run([](TcpStream stream) -> Task<void> {
    BufferedWriter writer(stream.writer());
    EXPECT_EQ(co_await writer.Enqueue(Bytes("never sent")), absl::OkStatus());
    co_await TurnTimes(3);
  }(ConnectFull()));
  Run(TurnTimes(20));
}

TEST_P(BufferedWriterTest, IsCancelledWhenItsStreamIsDroppedFirst) {
  Run([](TcpStream stream) -> Task<void> {
    BufferedWriter writer(stream.writer());
    EXPECT_EQ(co_await writer.Enqueue(Bytes("never sent")), absl::OkStatus());
    co_await TurnTimes(3);
    stream = TcpStream();
    EXPECT_TRUE(absl::IsCancelled(co_await writer.Flush()));
    EXPECT_TRUE(absl::IsCancelled(co_await writer.Enqueue(Bytes("late"))));
  }(ConnectFull()));
}

Task<void> WaitForever(TcpStream stream) {
  BufferedWriter writer(stream.writer(), 8);
  static_cast<void>(co_await writer.Enqueue(Bytes("12345678")));
  static_cast<void>(co_await writer.Enqueue(Bytes("more")));
}

TEST_P(BufferedWriterTest, EndsWithItsExecutor) {
  Run([](TcpStream stream) -> Task<void> {
    Spawn(WaitForever(std::move(stream))).Detach();
    co_await TurnTimes(20);
  }(ConnectFull()));
  DestroyExecutor();
}

TEST_P(BufferedWriterTest, MovesWhileASendIsInFlight) {
  size_t before = 0;
  TcpStream full = ConnectFull(&before);
  Run([](TcpStream stream, Peer& far_end, size_t n_before) -> Task<void> {
    BufferedWriter first(stream.writer());
    EXPECT_EQ(co_await first.Enqueue(Bytes("one ")), absl::OkStatus());
    co_await TurnTimes(5);
    BufferedWriter second(std::move(first));
    EXPECT_EQ(co_await second.Enqueue(Bytes("two")), absl::OkStatus());
    JoinHandle<std::string> reading = Spawn(ReadSlowly(far_end));
    EXPECT_EQ(co_await second.Flush(), absl::OkStatus());
    EXPECT_EQ(co_await stream.Close(), absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await reading).substr(n_before), "one two");
  }(std::move(full), far_end_, before));
}

// Waits, without allocating, until the kernel has sent the bytes.
Task<void> ReceiveInto(ringway::testing::System& system, int fd,
                       std::span<char> to) {
  while (!to.empty()) {
    const int64_t n = system.ReceiveInto(fd, to);
    if (n > 0) {
      to = to.subspan(static_cast<size_t>(n));
    } else {
      RINGWAY_CHECK(n == -EAGAIN, "a receive gave %d", static_cast<int>(n));
      co_await TurnTimes(1);
    }
  }
}

TEST_P(BufferedWriterTest, AllocatesNothingOnceItsBuffersHaveGrown) {
  RINGWAY_REQUIRES_KERNEL("network: a simulated one is made of allocations");
  TcpStream near = Connect();  // first: it opens the far end, too
  Run([](TcpStream stream, ringway::testing::System& system,
         int far_end) -> Task<void> {
    BufferedWriter writer(stream.writer());
    const std::vector<std::byte> message(1000);
    std::vector<char> received(3 * message.size());
    uint64_t before = 0;
    for (int i = 0; i < 500; ++i) {
      if (i == 100) before = CountAllocations();
      for (int j = 0; j < 3; ++j)
        EXPECT_EQ(co_await writer.Enqueue(message), absl::OkStatus());
      EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
      co_await ReceiveInto(system, far_end, received);
    }
    EXPECT_EQ(CountAllocations() - before, 0u);
  }(std::move(near), system(), far_end_.fd()));
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(BufferedWriterTest);

}  // namespace
}  // namespace ringway::net
