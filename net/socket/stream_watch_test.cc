// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/stream_watch.h"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/stream_pair.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using internal::StreamAccess;
using internal::StreamWatch;
using testing::Bytes;
using testing::Pattern;
using testing::ReadExactly;
using testing::ValueOf;
using testing::WriteAll;

using StreamWatchTest = testing::NetTest;

Task<void> HoldFor(TcpStream stream, absl::Duration duration) {
  (co_await Sleep(duration)).IgnoreError();
  static_cast<void>(stream);
}

TEST_P(StreamWatchTest, HearsOfTheCloseWhereverTheStreamWasMoved) {
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    StreamWatch watch(StreamAccess::CoreOf(pair.first));
    EXPECT_FALSE(watch.closed());
    TcpStream moved = std::move(pair.first);
    Spawn(HoldFor(std::move(moved), absl::Milliseconds(5))).Detach();
    EXPECT_TRUE((co_await watch.Closed()).ok());
    EXPECT_TRUE(watch.closed());
    // The peer sees the end.
    std::array<std::byte, 8> buffer;
    EXPECT_EQ(ValueOf(co_await pair.second.Read(buffer)), 0u);
  };
  Run(main());
}

Task<absl::StatusOr<size_t>> ReadInto(StreamReader reader,
                                      std::array<std::byte, 8>* buffer) {
  co_return co_await reader.Read(*buffer);
}

TEST_P(StreamWatchTest, WaitsForTheOperationsOfADroppedStream) {
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    StreamWatch watch(StreamAccess::CoreOf(pair.first));
    std::array<std::byte, 8> buffer;
    JoinHandle<absl::StatusOr<size_t>> read =
        Spawn(ReadInto(pair.first.reader(), &buffer));
    co_await Yield();
    { TcpStream dropped = std::move(pair.first); }
    EXPECT_TRUE((co_await watch.Closed()).ok());
    EXPECT_FALSE((co_await read).ok());
  };
  Run(main());
}

TEST_P(StreamWatchTest, OfAClosedStreamIsClosed) {
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    EXPECT_EQ(co_await pair.first.Close(), absl::OkStatus());
    StreamWatch watch(StreamAccess::CoreOf(pair.first));
    EXPECT_TRUE(watch.closed());
    EXPECT_TRUE((co_await watch.Closed()).ok());
    EXPECT_EQ(watch.traffic().bytes_sent, 0u);
  };
  Run(main());
}

TEST_P(StreamWatchTest, MayEndBeforeTheStream) {
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    { StreamWatch first(StreamAccess::CoreOf(pair.first)); }
    StreamWatch second(StreamAccess::CoreOf(pair.first));
    EXPECT_FALSE(second.closed());
    EXPECT_EQ(co_await pair.first.Close(), absl::OkStatus());
    EXPECT_TRUE(second.closed());
  };
  Run(main());
}

TEST_P(StreamWatchTest, AStreamThatOutlivesItsLoopIsClosedByItsEnd) {
  std::optional<StreamWatch> watch;
  TcpStream kept;
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    kept = std::move(pair.first);
    watch.emplace(StreamAccess::CoreOf(kept));
    EXPECT_EQ(co_await kept.Write(Bytes("four")), absl::OkStatus());
  };
  Run(main());
  DestroyExecutor();
  EXPECT_TRUE(watch->closed());
  EXPECT_EQ(watch->traffic().bytes_sent, 4u);
}

// Each way of transferring counts once, also a Read() of bytes that a Receive()
// had asked for.
TEST_P(StreamWatchTest, CountsEveryByteOnce) {
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    TcpStream& near = pair.first;
    TcpStream& far = pair.second;
    StreamWatch watch(StreamAccess::CoreOf(near));

    const std::vector<std::byte> big = Pattern(200'000, 1);
    JoinHandle<absl::Status> sent = Spawn(WriteAll(near, big));
    EXPECT_EQ((co_await ReadExactly(far, big.size())).size(), big.size());
    EXPECT_EQ(co_await sent, absl::OkStatus());
    EXPECT_EQ(near.traffic().bytes_sent, 200'000u);
    EXPECT_EQ(far.traffic().bytes_received, 200'000u);

    const std::array<std::span<const std::byte>, 2> parts = {Bytes("ab"),
                                                             Bytes("cde")};
    EXPECT_EQ(co_await near.Writev(parts), absl::OkStatus());
    BufferedWriter writer(near.writer());
    EXPECT_EQ(co_await writer.Enqueue(Bytes("fghi")), absl::OkStatus());
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
    EXPECT_EQ(near.traffic().bytes_sent, 200'009u);
    size_t n_received = 0;
    while (n_received < 9) {
      auto received = ValueOf(co_await far.Receive());
      n_received += received.size();
    }
    EXPECT_EQ(far.traffic().bytes_received, 200'009u);

    // A receive that asked for bytes leaves them to the reads that follow.
    EXPECT_EQ(co_await far.Write(Bytes("012345678")), absl::OkStatus());
    auto some = ValueOf(co_await near.Receive());
    size_t n_read = some.size();
    EXPECT_EQ(co_await far.Write(Bytes("abc")), absl::OkStatus());
    while (n_read < 12) {
      std::array<std::byte, 2> buffer;
      n_read += ValueOf(co_await near.Read(buffer));
    }
    EXPECT_EQ(near.traffic().bytes_received, 12u);
    EXPECT_EQ(far.traffic().bytes_sent, 12u);

    EXPECT_EQ(co_await near.ShutdownWrite(), absl::OkStatus());
    EXPECT_EQ(co_await near.Close(), absl::OkStatus());
    EXPECT_EQ(near.traffic().bytes_sent, 0u);
    EXPECT_EQ(watch.traffic().bytes_received, 12u);
    EXPECT_EQ(watch.traffic().bytes_sent, 200'009u);
  };
  Run(main());
}

TEST_P(StreamWatchTest, AReleasedStreamContinuesElsewhere) {
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    std::array<std::byte, 8> buffer;
    JoinHandle<absl::StatusOr<size_t>> read =
        Spawn(ReadInto(pair.first.reader(), &buffer));
    co_await Yield();
    // Not while a task reads.
    EXPECT_TRUE(absl::IsFailedPrecondition(pair.first.Release().status()));
    EXPECT_EQ(co_await pair.second.Write(Bytes("one")), absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await read), 3u);

    StreamWatch watch(StreamAccess::CoreOf(pair.first));
    absl::StatusOr<SocketFd> fd = pair.first.Release();
    EXPECT_TRUE(fd.ok()) << fd.status();
    EXPECT_TRUE(watch.closed());
    EXPECT_FALSE(pair.first.valid());
    EXPECT_TRUE(absl::IsFailedPrecondition(pair.first.Release().status()));

    TcpStream again = TcpStream::Adopt(CurrentLoop(), *std::move(fd));
    EXPECT_EQ(co_await pair.second.Write(Bytes("two")), absl::OkStatus());
    EXPECT_EQ(co_await ReadExactly(again, 3), "two");
  };
  Run(main());
}

TEST_P(StreamWatchTest, AStreamWithUntakenBytesIsNotReleased) {
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    EXPECT_EQ(co_await pair.second.Write(Bytes("one")), absl::OkStatus());
    const auto first = ValueOf(co_await pair.first.Receive());
    EXPECT_EQ(first.size(), 3u);
    // The receive stays armed, and takes what comes.
    EXPECT_EQ(co_await pair.second.Write(Bytes("two")), absl::OkStatus());
    (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
    EXPECT_TRUE(absl::IsFailedPrecondition(pair.first.Release().status()));
    EXPECT_EQ(co_await ReadExactly(pair.first, 3), "two");
  };
  Run(main());
}

using StreamWatchDeathTest = testing::NetTest;

TEST_P(StreamWatchDeathTest, TwoOfOneStreamAreAnError) {
  auto pair = ValueOf(StreamPair(loop()));
  StreamWatch first(StreamAccess::CoreOf(pair.first));
  EXPECT_DEATH(StreamWatch second(StreamAccess::CoreOf(pair.first)),
               "two watches of one stream");
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(StreamWatchTest);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(StreamWatchDeathTest);

}  // namespace
}  // namespace ringway::net
