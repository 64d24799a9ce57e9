// SPDX-License-Identifier: Apache-2.0
//
// Cancelling reads and writes at any moment.

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/rng.h"
#include "ringway/net/tls/testing/tls_fixture.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::net {
namespace {

using ringway::testing::Scaled;
using testing::AsString;
using testing::Bytes;
using testing::Pattern;
using testing::ReadExactly;
using testing::ReadSome;
using testing::ReadToEnd;
using testing::ReceiveSome;
using testing::TlsPair;
using testing::TurnTimes;
using testing::ValueOf;
using testing::WriteAll;

using TlsCancelTest = testing::TlsTest;
RINGWAY_INSTANTIATE_TLS(TlsCancelTest);

// The reads of one end, cancelled at random. Returns what they have read.
Task<std::string> ReadWithCancels(TlsStream& stream, size_t n_bytes, Rng& rng,
                                  int& n_cancelled) {
  std::string received;
  std::vector<std::byte> buffer(20'000);
  while (received.size() < n_bytes) {
    const size_t length = 1 + rng.Below(buffer.size());
    std::optional<JoinHandle<absl::StatusOr<std::string>>> receive;
    std::optional<JoinHandle<absl::StatusOr<size_t>>> read;
    if (rng.Below(2) == 0) {
      receive = Spawn(ReceiveSome(stream));
    } else {
      read = Spawn(ReadSome(stream, std::span(buffer).first(length)));
    }
    co_await TurnTimes(static_cast<int>(rng.Below(3)));
    absl::Status status;
    if (receive) {
      if (rng.Below(2) == 0) receive->Cancel();
      const absl::StatusOr<std::string> text = co_await *receive;
      status = text.status();
      if (text.ok()) received += *text;
    } else {
      if (rng.Below(2) == 0) read->Cancel();
      const absl::StatusOr<size_t> n = co_await *read;
      status = n.status();
      if (n.ok()) received += AsString(std::span(buffer).first(*n));
    }
    if (!status.ok()) {
      EXPECT_TRUE(absl::IsCancelled(status)) << status;
      if (!absl::IsCancelled(status)) break;
      ++n_cancelled;
    }
  }
  co_return received;
}

// Writes from `bytes` in pieces at random moments, so that records arrive in
// parts.
Task<absl::Status> WriteInPieces(TlsStream& stream,
                                 std::span<const std::byte> bytes, Rng& rng) {
  while (!bytes.empty()) {
    const size_t n = std::min<size_t>(bytes.size(), 1 + rng.Below(5'000));
    const absl::Status written = co_await stream.Write(bytes.first(n));
    if (!written.ok()) co_return written;
    bytes = bytes.subspan(n);
    if (rng.Below(3) == 0) co_await TurnTimes(static_cast<int>(rng.Below(4)));
  }
  co_return absl::OkStatus();
}

TEST_P(TlsCancelTest, CancelledReadsLoseNothing) {
  auto main = [&]() -> Task<void> {
    int n_cancelled = 0;
    Rng rng(7);
    while (n_cancelled < static_cast<int>(Scaled(1000))) {
      TlsPair pair = co_await ConnectedTls();
      const std::vector<std::byte> sent = Pattern(200'000, 1);
      JoinHandle<absl::Status> writing =
          Spawn(WriteInPieces(pair.client, sent, rng));
      Task<std::string> read =
          ReadWithCancels(pair.server, sent.size(), rng, n_cancelled);
      const std::string received = co_await std::move(read);
      EXPECT_TRUE(received == AsString(sent));
      EXPECT_TRUE((co_await writing).ok());
      if (HasFailure()) break;
    }
  };
  Run(main());
}

TEST_P(TlsCancelTest, ACancelledWriteIsWholeOrBreaksWritingOnly) {
  auto main = [&]() -> Task<void> {
    Rng rng(11);
    int n_broken = 0;
    int n_untouched = 0;
    for (uint64_t round = Scaled(80); round > 0; --round) {
      TlsPair pair = co_await ConnectedTls();
      const std::vector<std::byte> first = Pattern(1 + rng.Below(4'000'000), 1);
      JoinHandle<absl::Status> one = Spawn(WriteAll(pair.client, first));
      JoinHandle<absl::Status> two = Spawn(WriteAll(pair.client, Bytes("two")));
      co_await TurnTimes(static_cast<int>(rng.Below(6)));
      JoinHandle<absl::Status>& cancelled = rng.Below(2) == 0 ? one : two;
      cancelled.Cancel();
      JoinHandle<std::string> reading =
          Spawn(ReadExactly(pair.server, first.size() + 3));
      const absl::Status one_ended = co_await one;
      const absl::Status two_ended = co_await two;
      if (one_ended.ok()) {
        EXPECT_TRUE(two_ended.ok() || absl::IsCancelled(two_ended));
        if (!two_ended.ok()) {
          ++n_untouched;
          EXPECT_EQ(co_await pair.client.Write(Bytes("333")), absl::OkStatus());
        }
        const std::string received = ValueOf(co_await reading);
        EXPECT_TRUE(received.substr(0, first.size()) == AsString(first));
        EXPECT_EQ(received.substr(first.size()),
                  two_ended.ok() ? "two" : "333");
      } else {
        EXPECT_TRUE(absl::IsCancelled(one_ended)) << one_ended;
        if (!two_ended.ok()) ++n_broken;
        // The other direction goes on.
        EXPECT_TRUE((co_await pair.server.Write(Bytes("back"))).ok());
        EXPECT_EQ(co_await ReadExactly(pair.client, 4), "back");
        EXPECT_TRUE((co_await pair.client.Close()).ok());
        const std::string received = ValueOf(co_await reading);
        if (!two_ended.ok()) {
          EXPECT_TRUE(absl::IsFailedPrecondition(two_ended)) << two_ended;
          EXPECT_TRUE(received == AsString(first).substr(0, received.size()));
        } else {  // the first had not begun
          EXPECT_EQ(received, "two");
        }
      }
    }
    EXPECT_GT(n_broken, 0);
    EXPECT_GT(n_untouched, 0);
  };
  Run(main());
}

// The peer waited for ever for more. Found by the stream model.
TEST_P(TlsCancelTest, AShutdownAfterACancelledWriteEndsThePeersReading) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    const std::vector<std::byte> large = Pattern(8'000'000, 1);
    JoinHandle<absl::Status> writing = Spawn(WriteAll(pair.client, large));
    co_await TurnTimes(5);
    writing.Cancel();
    EXPECT_TRUE(absl::IsCancelled(co_await writing));
    JoinHandle<absl::StatusOr<std::string>> reading =
        Spawn(ReadToEnd(pair.server));
    EXPECT_TRUE(
        absl::IsFailedPrecondition(co_await pair.client.ShutdownWrite()));
    EXPECT_TRUE(absl::IsDataLoss((co_await reading).status()));
    EXPECT_EQ(co_await pair.client.Write(Bytes("x")),
              absl::FailedPreconditionError(
                  "an earlier write of the stream was cancelled after it had "
                  "begun"));
  };
  Run(main());
}

TEST_P(TlsCancelTest, ACancelledTaskReadsAndWritesNothingMore) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    EXPECT_TRUE((co_await pair.server.Write(Bytes("there"))).ok());
    EXPECT_EQ(co_await ReadExactly(pair.client, 1), "t");
    auto stubborn = [&]() -> Task<absl::Status> {
      std::array<std::byte, 4> buffer;
      EXPECT_TRUE(absl::IsCancelled(co_await Sleep(absl::InfiniteDuration())));
      // Also what is decrypted already.
      const absl::Status read = (co_await pair.client.Read(buffer)).status();
      EXPECT_TRUE(absl::IsCancelled(read));
      const absl::Status received = (co_await pair.client.Receive()).status();
      EXPECT_TRUE(absl::IsCancelled(received));
      const absl::Status written = co_await pair.client.Write(Bytes("x"));
      EXPECT_TRUE(absl::IsCancelled(written));
      const absl::Status shut = co_await pair.client.ShutdownWrite();
      EXPECT_TRUE(absl::IsCancelled(shut));
      co_return absl::OkStatus();
    };
    JoinHandle<absl::Status> task = Spawn(stubborn());
    co_await TurnTimes(3);
    task.Cancel();
    EXPECT_TRUE((co_await task).ok());
    EXPECT_TRUE((co_await pair.client.Write(Bytes("y"))).ok());
    EXPECT_TRUE((co_await pair.client.Close()).ok());
    EXPECT_EQ(ValueOf(co_await ReadToEnd(pair.server)), "y");
  };
  Run(main());
}

TEST_P(TlsCancelTest, ReadsHaveDeadlines) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    std::array<std::byte, 8> buffer;
    const absl::StatusOr<size_t> late =
        co_await WithTimeout(absl::Milliseconds(3), pair.server.Read(buffer));
    EXPECT_TRUE(absl::IsDeadlineExceeded(late.status()));
    EXPECT_TRUE((co_await pair.client.Write(Bytes("in time"))).ok());
    const absl::StatusOr<size_t> n =
        co_await WithTimeout(kPatience, pair.server.Read(buffer));
    EXPECT_EQ(ValueOf(n), 7u);
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
