// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::Pattern;
using testing::Peer;
using testing::ReadSome;
using testing::ReadToEnd;
using testing::ReceiveSome;
using testing::ReceiveToEnd;
using testing::TurnTimes;
using testing::ValueOf;
using testing::WriteAll;

constexpr size_t kMiB = 1 << 20;

using TcpStreamTest = NetTest;

TEST_P(TcpStreamTest, CancelledReadsLoseNothingThatRacesThem) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    Peer& far = pair.far_end;
    TcpStream stream = Adopt(std::move(pair.near_end));
    std::string sent, received;
    int cancelled = 0;
    for (int round = 0; round < 400; ++round) {
      std::array<std::byte, 5> buffer;
      JoinHandle<absl::StatusOr<size_t>> read = Spawn(ReadSome(stream, buffer));
      co_await TurnTimes(round % 4);
      if (round % 5 != 0) {
        const std::string text = absl::StrCat(round, ",");
        far.Send(text);
        sent += text;
      }
      co_await TurnTimes(round % 3);
      read.Cancel();
      const absl::StatusOr<size_t> n = co_await read;
      if (n.ok()) {
        received += AsString(std::span(buffer).first(*n));
      } else {
        EXPECT_TRUE(absl::IsCancelled(n.status())) << n.status();
        ++cancelled;
      }
    }
    EXPECT_GT(cancelled, 0);
    pair.far_end.Close();
    received += ValueOf(co_await ReadToEnd(stream));
    EXPECT_EQ(received, sent);
  };
  Run(main());
}

TEST_P(TcpStreamTest, CancelledReceivesAndReadsLoseNothingThatRacesThem) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    Peer& far = pair.far_end;
    TcpStream stream = Adopt(std::move(pair.near_end));
    std::string sent, received;
    int cancelled = 0;
    for (int round = 0; round < 400; ++round) {
      std::array<std::byte, 3> buffer;
      std::optional<JoinHandle<absl::StatusOr<std::string>>> receive;
      std::optional<JoinHandle<absl::StatusOr<size_t>>> read;
      if (round % 7 < 4) {
        receive = Spawn(ReceiveSome(stream));
      } else {
        read = Spawn(ReadSome(stream, buffer));
      }
      co_await TurnTimes(round % 4);
      if (round % 5 != 0) {
        const std::string text = absl::StrCat(round, ",");
        far.Send(text);
        sent += text;
      }
      co_await TurnTimes(round % 3);
      absl::Status status;
      if (receive) {
        receive->Cancel();
        absl::StatusOr<std::string> text = co_await *receive;
        status = text.status();
        if (text.ok()) received += *text;
      } else {
        read->Cancel();
        absl::StatusOr<size_t> n = co_await *read;
        status = n.status();
        if (n.ok()) received += AsString(std::span(buffer).first(*n));
      }
      if (!status.ok()) {
        EXPECT_TRUE(absl::IsCancelled(status)) << status;
        ++cancelled;
      }
    }
    EXPECT_GT(cancelled, 0);
    pair.far_end.Close();
    received += ValueOf(co_await ReceiveToEnd(stream));
    EXPECT_EQ(received, sent);
  };
  Run(main());
}

TEST_P(TcpStreamTest, ACancelledWriteEndsThoughThePeerNeverReads) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::vector<std::byte> large = Pattern(16 * kMiB, 1);
    JoinHandle<absl::Status> writing = Spawn(WriteAll(stream, large));
    co_await TurnTimes(20);
    EXPECT_FALSE(writing.done());
    writing.Cancel();
    EXPECT_TRUE(absl::IsCancelled(co_await writing));
    // What was sent is a prefix, and the stream can be closed.
    EXPECT_TRUE((co_await stream.Close()).ok());
    const std::string received = (co_await pair.far_end.ReceiveAll()).bytes;
    EXPECT_LT(received.size(), large.size());
    EXPECT_TRUE(received == AsString(large).substr(0, received.size()));
  };
  Run(main());
}

TEST_P(TcpStreamTest, ACancelledTaskReadsAndWritesNothingMore) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    auto stubborn = [&]() -> Task<absl::Status> {
      std::array<std::byte, 4> buffer;
      EXPECT_TRUE(absl::IsCancelled((co_await stream.Read(buffer)).status()));
      EXPECT_TRUE(absl::IsCancelled((co_await stream.Read(buffer)).status()));
      EXPECT_TRUE(absl::IsCancelled((co_await stream.Receive()).status()));
      EXPECT_TRUE(absl::IsCancelled(co_await stream.Write(Bytes("x"))));
      EXPECT_TRUE(absl::IsCancelled(co_await stream.ShutdownWrite()));
      co_return absl::OkStatus();
    };
    JoinHandle<absl::Status> task = Spawn(stubborn());
    co_await TurnTimes(3);
    task.Cancel();
    EXPECT_TRUE((co_await task).ok());
    EXPECT_TRUE((co_await stream.Write(Bytes("y"))).ok());
    EXPECT_TRUE((co_await stream.Close()).ok());
    EXPECT_EQ((co_await pair.far_end.ReceiveAll()).bytes, "y");
  };
  Run(main());
}

// A task whose receives all end at once must still let others run.
TEST_P(TcpStreamTest, ATaskThatIgnoresItsCancelStarvesNobody) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    bool stop = false;
    auto ignorant = [&]() -> Task<void> {
      std::array<std::byte, 4> buffer;
      while (!stop) {
        (co_await stream.Read(buffer)).status().IgnoreError();
        (co_await stream.Receive()).status().IgnoreError();
        (co_await stream.Write(Bytes("x"))).IgnoreError();
      }
    };
    JoinHandle<void> task = Spawn(ignorant());
    co_await TurnTimes(3);
    task.Cancel();
    co_await TurnTimes(3);
    stop = true;
    EXPECT_TRUE((co_await task).ok());
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(TcpStreamTest);

}  // namespace
}  // namespace ringway::net
