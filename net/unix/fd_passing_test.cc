// SPDX-License-Identifier: Apache-2.0
//
// Fds that travel with bytes: which arrive where, and that none leaks, however
// the receive ends.

#include "ringway/net/unix/fd_passing.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"
#include "ringway/net/stream_pair.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/unix/seq_packet_socket.h"

namespace ringway::net {
namespace {

using ringway::testing::Scaled;
using testing::AsString;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::Pattern;
using testing::TurnTimes;
using testing::ValueOf;

using FdPassingTest = NetTest;
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FdPassingTest);

// A pipe with `text` in it.
UniqueFd PipeWith(std::string_view text) {
  int fds[2];
  RINGWAY_CHECK(pipe2(fds, O_CLOEXEC) == 0, "pipe2");
  UniqueFd read_end(fds[0]), write_end(fds[1]);
  RINGWAY_CHECK(write(fds[1], text.data(), text.size()) ==
                    static_cast<ssize_t>(text.size()),
                "write");
  return read_end;
}

std::string TextIn(const UniqueFd& pipe) {
  std::array<char, 100> text;
  const ssize_t n = read(pipe.get(), text.data(), text.size());
  return n < 0 ? "none" : std::string(text.data(), static_cast<size_t>(n));
}

Task<absl::StatusOr<ReceivedFds>> ReceiveSome(TcpStream& stream,
                                              size_t max_fds) {
  std::array<std::byte, 100> buffer;
  co_return co_await ReceiveFds(stream, buffer, max_fds);
}

Task<absl::Status> Send(TcpStream& stream, std::string_view text,
                        std::vector<std::string> pipes) {
  std::vector<UniqueFd> owned;
  std::vector<int> fds;
  for (const std::string& in_pipe : pipes) {
    owned.push_back(PipeWith(in_pipe));
    fds.push_back(owned.back().get());
  }
  co_return co_await SendFds(stream, Bytes(text), fds);
}

TEST_P(FdPassingTest, FdsArriveWithTheirBytes) {
  RINGWAY_REQUIRES_KERNEL("fds");
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    std::vector<std::string> two = {"first", "second"};
    EXPECT_EQ(co_await Send(pair.first, "ab", std::move(two)),
              absl::OkStatus());
    std::vector<std::string> one = {"third"};
    EXPECT_EQ(co_await Send(pair.first, "cd", std::move(one)),
              absl::OkStatus());
    EXPECT_EQ(co_await pair.first.Write(Bytes("ef")), absl::OkStatus());

    ReceivedFds received = ValueOf(co_await ReceiveSome(pair.second, 4));
    EXPECT_EQ(received.n_bytes, 2u) << "of one message";
    EXPECT_FALSE(received.truncated);
    EXPECT_EQ(received.fds.size(), 2u);
    if (received.fds.size() != 2) co_return;
    EXPECT_EQ(TextIn(received.fds[0]), "first");
    EXPECT_EQ(TextIn(received.fds[1]), "second");
    EXPECT_EQ(fcntl(received.fds[0].get(), F_GETFD), FD_CLOEXEC);

    received = ValueOf(co_await ReceiveSome(pair.second, 4));
    EXPECT_EQ(received.fds.size(), 1u);
    if (received.fds.size() == 1) {
      EXPECT_EQ(TextIn(received.fds[0]), "third");
    }
    size_t n_left = 4 - received.n_bytes;
    while (n_left > 0 && !HasFailure()) {
      received = ValueOf(co_await ReceiveSome(pair.second, 4));
      EXPECT_TRUE(received.fds.empty());
      n_left -= received.n_bytes;
    }
    EXPECT_EQ(co_await pair.first.ShutdownWrite(), absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await ReceiveSome(pair.second, 4)).n_bytes, 0u);
  };
  Run(main());
}

TEST_P(FdPassingTest, FdsBeyondTheLimitAreClosedAndTold) {
  RINGWAY_REQUIRES_KERNEL("fds");
  auto main = [&]() -> Task<void> {
    for (const size_t limit : {0, 1, 2}) {
      auto pair = ValueOf(StreamPair());
      const size_t fds_before = OpenFds();
      std::vector<std::string> three = {"1", "2", "3"};
      EXPECT_EQ(co_await Send(pair.first, "x", std::move(three)),
                absl::OkStatus());
      {
        const ReceivedFds received =
            ValueOf(co_await ReceiveSome(pair.second, limit));
        EXPECT_TRUE(received.truncated);
        EXPECT_EQ(received.fds.size(), limit);
        EXPECT_EQ(OpenFds(), fds_before + limit);
      }
      EXPECT_EQ(OpenFds(), fds_before);
    }
  };
  Run(main());
}

TEST_P(FdPassingTest, ReadAndReceiveLetTheKernelCloseThem) {
  RINGWAY_REQUIRES_KERNEL("fds");
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    const size_t fds_before = OpenFds();
    for (const bool by_receive : {false, true}) {
      std::vector<std::string> one = {"1"};
      EXPECT_EQ(co_await Send(pair.first, "x", std::move(one)),
                absl::OkStatus());
      std::array<std::byte, 10> buffer;
      if (by_receive) {
        EXPECT_EQ(ValueOf(co_await pair.second.Receive()).size(), 1u);
      } else {
        EXPECT_EQ(ValueOf(co_await pair.second.Read(buffer)), 1u);
      }
      EXPECT_EQ(OpenFds(), fds_before);
    }
    EXPECT_EQ((co_await ReceiveSome(pair.second, 1)).status().code(),
              absl::StatusCode::kFailedPrecondition)
        << "the deliveries have no fds";
  };
  Run(main());
}

TEST_P(FdPassingTest, AsManyAsTheKernelTakes) {
  RINGWAY_REQUIRES_KERNEL("fds");
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    const std::vector<int> fds(kMaxPassedFds, pair.first.fd());
    const std::vector<int> too_many(kMaxPassedFds + 1, pair.first.fd());
    EXPECT_EQ((co_await SendFds(pair.first, Bytes("x"), too_many)).code(),
              absl::StatusCode::kInvalidArgument);
    EXPECT_EQ((co_await SendFds(pair.first, {}, fds)).code(),
              absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(co_await SendFds(pair.first, Bytes("x"), fds), absl::OkStatus());
    std::array<std::byte, 10> buffer;
    EXPECT_EQ((co_await ReceiveFds(pair.second, buffer, kMaxPassedFds + 1))
                  .status()
                  .code(),
              absl::StatusCode::kInvalidArgument);
    EXPECT_EQ((co_await ReceiveFds(pair.second, {}, 1)).status().code(),
              absl::StatusCode::kInvalidArgument);
    const ReceivedFds received =
        ValueOf(co_await ReceiveFds(pair.second, buffer, kMaxPassedFds));
    EXPECT_EQ(received.fds.size(), kMaxPassedFds);
  };
  Run(main());
}

// The fds come with the first byte, once, however slowly the rest goes.
TEST_P(FdPassingTest, ManyBytesWithOneFd) {
  RINGWAY_REQUIRES_KERNEL("fds");
  const std::vector<std::byte> bytes = Pattern(3'000'000, 1);
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    const UniqueFd pipe = PipeWith("in the pipe");
    const std::array<int, 1> fds = {pipe.get()};
    auto send = [&]() -> Task<absl::Status> {
      co_return co_await SendFds(pair.first, bytes, fds);
    };
    JoinHandle<absl::Status> sent = Spawn(send());
    std::vector<std::byte> all;
    std::vector<std::byte> buffer(100'000);
    size_t n_fds = 0;
    while (all.size() < bytes.size()) {
      const ReceivedFds received =
          ValueOf(co_await ReceiveFds(pair.second, buffer, 4));
      EXPECT_GT(received.n_bytes, 0u);
      if (received.n_bytes == 0) break;
      EXPECT_EQ(received.fds.size(), all.empty() ? 1u : 0u);
      n_fds += received.fds.size();
      all.insert(all.end(), buffer.begin(),
                 buffer.begin() + static_cast<ptrdiff_t>(received.n_bytes));
    }
    EXPECT_EQ(n_fds, 1u);
    EXPECT_TRUE(all == bytes);
    EXPECT_EQ(co_await sent, absl::OkStatus());
  };
  Run(main());
}

// A receive that is cancelled at any time gets its fd, or leaves it.
TEST_P(FdPassingTest, CancelsThatRaceTheFdsLoseNone) {
  RINGWAY_REQUIRES_KERNEL("fds");
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  auto main = [&]() -> Task<void> {
    std::mt19937 random(seed);
    auto pair = ValueOf(StreamPair());
    const size_t fds_before = OpenFds();
    for (uint64_t round = Scaled(300); round > 0 && !HasFailure(); --round) {
      JoinHandle<absl::StatusOr<ReceivedFds>> first =
          Spawn(ReceiveSome(pair.second, 1));
      co_await TurnTimes(static_cast<int>(random() % 3));
      std::vector<std::string> one = {"1"};
      EXPECT_EQ(co_await Send(pair.first, "x", std::move(one)),
                absl::OkStatus());
      co_await TurnTimes(static_cast<int>(random() % 3));
      first.Cancel();
      absl::StatusOr<ReceivedFds> received = co_await first;
      if (absl::IsCancelled(received.status()))
        received = co_await ReceiveSome(pair.second, 1);
      EXPECT_EQ(ValueOf(std::move(received)).fds.size(), 1u);
      EXPECT_EQ(OpenFds(), fds_before);
    }
  };
  Run(main());
}

// Some ends find the fds received and the task not continued.
TEST_P(FdPassingTest, AnExecutorThatEndsClosesThem) {
  RINGWAY_REQUIRES_KERNEL("fds");
  for (int turns = 0; turns < 5; ++turns) {
    TcpStream near_end, far_end;
    auto main = [&]() -> Task<void> {
      auto pair = ValueOf(StreamPair());
      near_end = std::move(pair.first);
      far_end = std::move(pair.second);
      Spawn(ReceiveSome(far_end, 1)).Detach();
      std::vector<std::string> one = {"1"};
      EXPECT_EQ(co_await Send(near_end, "x", std::move(one)), absl::OkStatus());
      co_await TurnTimes(turns);
    };
    Run(main());
    DestroyExecutor();  // the fixture compares the open fds
    MakeExecutor();
  }
}

TEST_P(FdPassingTest, OtherSocketsRefuse) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::array<int, 1> fds = {stream.fd()};
    const absl::Status sent = co_await SendFds(stream, Bytes("x"), fds);
    EXPECT_EQ(sent.code(), absl::StatusCode::kInvalidArgument) << sent;
    EXPECT_EQ(co_await stream.Close(), absl::OkStatus());
    EXPECT_EQ((co_await SendFds(stream, Bytes("x"), fds)).code(),
              absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ((co_await ReceiveSome(stream, 1)).status().code(),
              absl::StatusCode::kFailedPrecondition);
  };
  Run(main());
}

TEST_P(FdPassingTest, TheSimulatorSaysThatItPassesNone) {
  if (system().is_kernel()) GTEST_SKIP() << "the kernel does";
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    const std::array<int, 1> fds = {pair.first.fd()};
    EXPECT_EQ(ErrnoOf(co_await SendFds(pair.first, Bytes("x"), fds)),
              EOPNOTSUPP);
  };
  Run(main());
}

// Seeing what the socket is used to ask its loop, which had ended.
TEST_P(FdPassingTest, AStreamThatOutlivesItsLoopRefuses) {
  std::optional<TcpStream> stream;
  auto make = [&]() -> Task<void> {
    stream.emplace(ValueOf(StreamPair()).first);
    co_return;
  };
  Run(make());
  DestroyExecutor();
  MakeExecutor();
  auto use = [&]() -> Task<void> {
    const std::span<const int> no_fds;
    EXPECT_EQ((co_await SendFds(*stream, Bytes("x"), no_fds)).code(),
              absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ((co_await ReceiveSome(*stream, 1)).status().code(),
              absl::StatusCode::kFailedPrecondition);
  };
  Run(use());
}

// --- With packets

TEST_P(FdPassingTest, FdsArriveWithTheirPacket) {
  RINGWAY_REQUIRES_KERNEL("fds");
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    const UniqueFd first = PipeWith("first");
    const UniqueFd second = PipeWith("second");
    const std::array<int, 2> fds = {first.get(), second.get()};
    EXPECT_EQ(co_await SendFds(one, Bytes("long"), fds), absl::OkStatus());
    EXPECT_EQ(co_await one.Send(Bytes("ef")), absl::OkStatus());
    EXPECT_EQ(co_await SendFds(one, Bytes("gh"), fds), absl::OkStatus());

    std::array<std::byte, 2> buffer;
    ReceivedFds received = ValueOf(co_await ReceiveFds(other, buffer, 4));
    EXPECT_EQ(AsString(buffer), "lo");
    EXPECT_TRUE(received.bytes_truncated);
    EXPECT_FALSE(received.truncated);
    EXPECT_EQ(received.fds.size(), 2u);
    if (received.fds.size() != 2) co_return;
    EXPECT_EQ(TextIn(received.fds[0]), "first");
    EXPECT_EQ(TextIn(received.fds[1]), "second");
    received = ValueOf(co_await ReceiveFds(other, buffer, 4));
    EXPECT_EQ(AsString(buffer), "ef");
    EXPECT_FALSE(received.bytes_truncated);
    EXPECT_TRUE(received.fds.empty());
    received = ValueOf(co_await ReceiveFds(other, buffer, 1));
    EXPECT_TRUE(received.truncated);
    EXPECT_EQ(received.fds.size(), 1u);
    const std::span<const std::byte> nothing;
    EXPECT_TRUE(absl::IsInvalidArgument(co_await SendFds(one, nothing, fds)));
  };
  Run(main());
}

// That none leaks, the fixture asserts.
TEST_P(FdPassingTest, FdsOfPacketsThatAreNotWantedAreClosed) {
  RINGWAY_REQUIRES_KERNEL("fds");
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    const UniqueFd pipe = PipeWith("text");
    const std::array<int, 1> fds = {pipe.get()};
    EXPECT_EQ(co_await SendFds(one, Bytes("ab"), fds), absl::OkStatus());
    EXPECT_EQ(co_await SendFds(one, Bytes("cd"), fds), absl::OkStatus());
    std::array<std::byte, 2> buffer;
    EXPECT_EQ((co_await other.Receive(buffer)).status(), absl::OkStatus());
    EXPECT_EQ(AsString(buffer), "ab");
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
