// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/buffered_writer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/kernel_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::CountAllocations;
using testing::Bytes;
using testing::KernelPair;
using testing::KernelTcp;
using testing::Pattern;
using testing::ReceiveAll;
using testing::SetBuffer;
using testing::TurnTimes;

constexpr size_t kKiB = 1024;

std::string AsText(std::span<const std::byte> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// The far end, read to its end on a thread of its own.
class FarReader {
 public:
  explicit FarReader(int fd)
      : received_(std::async(std::launch::async, &ReadSlowly, fd)) {}
  std::string Received() { return received_.get(); }

 private:
  // A little at a time, so that the writer is always ahead.
  static std::string ReadSlowly(int fd) {
    std::string all;
    char buffer[3000];
    ssize_t n;
    while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0)
      all.append(buffer, static_cast<size_t>(n));
    return all;
  }

  std::future<std::string> received_;
};

class BufferedWriterTest : public testing::KernelNetTest {
 protected:
  void TearDown() override {
    far_end_.Reset();
    KernelNetTest::TearDown();
  }

  // A stream whose far end reads nothing by itself. Small buffers: the kernel
  // cannot take much either.
  TcpStream Connect() {
    KernelPair pair = KernelTcp();
    far_end_ = std::move(pair.far_end);
    SetBuffer(pair.near_end.get(), SO_SNDBUF, 4 * kKiB);
    const int on = 1;
    setsockopt(pair.near_end.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return Adopt(std::move(pair.near_end));
  }
  // The same, and the kernel cannot take another byte until the far end reads.
  TcpStream ConnectFull(size_t* n_bytes = nullptr) {
    TcpStream stream = Connect();
    const size_t n = testing::FillSendBuffer(stream.fd());
    if (n_bytes != nullptr) *n_bytes = n;
    return stream;
  }

  UniqueFd far_end_;
};

Task<void> SendAll(TcpStream stream, const std::vector<std::byte>& payload,
                   size_t limit, size_t at_most) {
  BufferedWriter writer(stream.writer(), limit);
  size_t n = 1;
  for (size_t at = 0; at < payload.size();) {
    n = std::min(n * 7 % at_most + 1, payload.size() - at);
    EXPECT_EQ(co_await writer.Enqueue(std::span(payload).subspan(at, n)),
              absl::OkStatus());
    at += n;
  }
  EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
  EXPECT_EQ(writer.queued_bytes(), 0u);
  EXPECT_LE(writer.high_water_bytes(), limit);
}

TEST_F(BufferedWriterTest, DeliversEightMebibytesToASlowReaderByteForByte) {
  const std::vector<std::byte> payload = Pattern(8 * kKiB * kKiB, 1);
  TcpStream stream = Connect();
  FarReader reader(far_end_.get());
  Run(SendAll(std::move(stream), payload, BufferedWriter::kDefaultLimit,
              100'000));
  EXPECT_TRUE(reader.Received() == AsText(payload));
}

TEST_F(BufferedWriterTest, KeepsTheOrderOfManySmallMessagesInASmallBuffer) {
  const std::vector<std::byte> payload = Pattern(256 * kKiB, 2);
  TcpStream stream = Connect();
  FarReader reader(far_end_.get());
  Run(SendAll(std::move(stream), payload, /*limit=*/1000, /*at_most=*/900));
  EXPECT_TRUE(reader.Received() == AsText(payload));
}

TEST_F(BufferedWriterTest, TakesWhatFitsWithoutWaiting) {
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

TEST_F(BufferedWriterTest, MakesWritersWaitInOrderWhileItIsFull) {
  size_t before = 0;
  TcpStream full = ConnectFull(&before);
  const std::vector<std::byte> payload = Pattern(12 * kKiB, 3);
  std::optional<FarReader> reader;
  Run([](TcpStream stream, std::span<const std::byte> bytes, int far_end,
         std::optional<FarReader>& far_reader) -> Task<void> {
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
    far_reader.emplace(far_end);
    EXPECT_EQ(co_await large, absl::OkStatus());
    EXPECT_EQ(co_await small, absl::OkStatus());
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
  }(std::move(full), payload, far_end_.get(), reader));
  EXPECT_TRUE(reader->Received().substr(before) == AsText(payload));
}

TEST_F(BufferedWriterTest, AdmitsAMessageAboveTheLimitWhenEmpty) {
  size_t before = 0;
  TcpStream full = ConnectFull(&before);
  const std::vector<std::byte> payload = Pattern(100 * kKiB, 4);
  std::optional<FarReader> reader;
  Run([](TcpStream stream, std::span<const std::byte> bytes, int far_end,
         std::optional<FarReader>& far_reader) -> Task<void> {
    BufferedWriter writer(stream.writer(), kKiB);
    EXPECT_EQ(co_await writer.Enqueue(bytes.first(1)), absl::OkStatus());
    JoinHandle<absl::Status> large =
        Spawn(EnqueueTask(writer, bytes.subspan(1)));
    co_await TurnTimes(20);
    EXPECT_FALSE(large.done());
    far_reader.emplace(far_end);
    EXPECT_EQ(co_await large, absl::OkStatus());
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
    EXPECT_EQ(writer.high_water_bytes(), bytes.size() - 1);
  }(std::move(full), payload, far_end_.get(), reader));
  EXPECT_TRUE(reader->Received().substr(before) == AsText(payload));
}

TEST_F(BufferedWriterTest, FlushOfAnEmptyBufferDoesNotWait) {
  Run([](TcpStream stream) -> Task<void> {
    BufferedWriter writer(stream.writer());
    EXPECT_EQ(co_await writer.Enqueue({}), absl::OkStatus());
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
  }(ConnectFull()));
}

TEST_F(BufferedWriterTest, FlushWaitsForWhatCameBeforeItAndNoMore) {
  size_t before = 0;
  TcpStream full = ConnectFull(&before);
  Run([](TcpStream stream, int far_end, size_t n_before) -> Task<void> {
    BufferedWriter writer(stream.writer());
    EXPECT_EQ(co_await writer.Enqueue(Bytes("first")), absl::OkStatus());
    JoinHandle<absl::Status> flush = Spawn(FlushTask(writer));
    co_await TurnTimes(20);
    EXPECT_FALSE(flush.done());
    // More than the kernel will take at once.
    const std::vector<std::byte> later(900 * kKiB);
    EXPECT_EQ(co_await writer.Enqueue(later), absl::OkStatus());
    std::vector<char> drained(n_before);
    EXPECT_EQ(recv(far_end, drained.data(), n_before, MSG_WAITALL),
              static_cast<ssize_t>(n_before));
    EXPECT_EQ(co_await flush, absl::OkStatus());
    EXPECT_GT(writer.queued_bytes(), 0u);
  }(std::move(full), far_end_.get(), before));
}

TEST_F(BufferedWriterTest, AnErrorStaysAndReachesEverybody) {
  TcpStream full = ConnectFull();
  Run([](TcpStream stream, UniqueFd far_end) -> Task<void> {
    BufferedWriter writer(stream.writer(), 8);
    EXPECT_EQ(co_await writer.Enqueue(Bytes("12345678")), absl::OkStatus());
    JoinHandle<absl::Status> waiting =
        Spawn(EnqueueTask(writer, Bytes("more")));
    JoinHandle<absl::Status> flushing = Spawn(FlushTask(writer));
    co_await TurnTimes(20);
    testing::ResetOnClose(far_end.get());
    far_end.Reset();
    absl::Status flushed = co_await flushing;
    EXPECT_TRUE(absl::IsUnavailable(flushed)) << flushed;
    EXPECT_EQ(ErrnoOf(flushed), ECONNRESET);
    EXPECT_EQ(co_await waiting, flushed);
    EXPECT_EQ(co_await writer.Enqueue(Bytes("again")), flushed);
    EXPECT_EQ(co_await writer.Flush(), flushed);
    EXPECT_EQ(writer.queued_bytes(), 0u);
  }(std::move(full), std::move(far_end_)));
}

TEST_F(BufferedWriterTest, ACancelledEnqueueHasQueuedNothing) {
  size_t before = 0;
  TcpStream full = ConnectFull(&before);
  std::optional<FarReader> reader;
  Run([](TcpStream stream, int far_end,
         std::optional<FarReader>& far_reader) -> Task<void> {
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
    // What waited behind it fits.
    EXPECT_EQ(co_await behind, absl::OkStatus());
    far_reader.emplace(far_end);
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
  }(std::move(full), far_end_.get(), reader));
  EXPECT_EQ(reader->Received().substr(before), "queued.");
}

TEST_F(BufferedWriterTest, EndsSendAndWaitersWhenDropped) {
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

TEST_F(BufferedWriterTest, IsDroppedTogetherWithItsStream) {
  Run([](TcpStream stream) -> Task<void> {
    BufferedWriter writer(stream.writer());
    EXPECT_EQ(co_await writer.Enqueue(Bytes("never sent")), absl::OkStatus());
    co_await TurnTimes(3);
  }(ConnectFull()));
  Run(TurnTimes(20));
}

TEST_F(BufferedWriterTest, IsCancelledWhenItsStreamIsDroppedFirst) {
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

TEST_F(BufferedWriterTest, EndsWithItsExecutor) {
  Run([](TcpStream stream) -> Task<void> {
    Spawn(WaitForever(std::move(stream))).Detach();
    co_await TurnTimes(20);
  }(ConnectFull()));
  DestroyExecutor();
}

TEST_F(BufferedWriterTest, MovesWhileASendIsInFlight) {
  size_t before = 0;
  TcpStream full = ConnectFull(&before);
  std::optional<FarReader> reader;
  Run([](TcpStream stream, int far_end,
         std::optional<FarReader>& far_reader) -> Task<void> {
    BufferedWriter first(stream.writer());
    EXPECT_EQ(co_await first.Enqueue(Bytes("one ")), absl::OkStatus());
    co_await TurnTimes(5);
    BufferedWriter second(std::move(first));
    EXPECT_EQ(co_await second.Enqueue(Bytes("two")), absl::OkStatus());
    far_reader.emplace(far_end);
    EXPECT_EQ(co_await second.Flush(), absl::OkStatus());
  }(std::move(full), far_end_.get(), reader));
  EXPECT_EQ(reader->Received().substr(before), "one two");
}

TEST_F(BufferedWriterTest, AllocatesNothingOnceItsBuffersHaveGrown) {
  TcpStream near = Connect();  // first: it opens the far end, too
  Run([](TcpStream stream, int far_end) -> Task<void> {
    BufferedWriter writer(stream.writer());
    const std::vector<std::byte> message(1000);
    std::vector<char> received(3 * message.size());
    uint64_t before = 0;
    for (int i = 0; i < 500; ++i) {
      if (i == 100) before = CountAllocations();
      for (int j = 0; j < 3; ++j)
        EXPECT_EQ(co_await writer.Enqueue(message), absl::OkStatus());
      EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
      EXPECT_EQ(recv(far_end, received.data(), received.size(), MSG_WAITALL),
                static_cast<ssize_t>(received.size()));
    }
    EXPECT_EQ(CountAllocations() - before, 0u);
  }(std::move(near), far_end_.get()));
}

}  // namespace
}  // namespace ringway::net
