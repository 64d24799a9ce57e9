// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/unix/seq_packet_socket.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::CountAllocations;
using ringway::testing::TestFdPair;
using testing::AsString;
using testing::Bytes;
using testing::Pattern;
using testing::TurnTimes;
using testing::ValueOf;

using SeqPacketSocketTest = testing::NetTest;
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SeqPacketSocketTest);

// The packet, "end", or the message of the error.
Task<std::string> Next(SeqPacketSocket& socket) {
  std::array<std::byte, 2'000> buffer;
  const absl::StatusOr<Packet> got = co_await socket.Receive(buffer);
  if (!got.ok()) co_return std::string(got.status().message());
  if (got->is_end()) co_return "end";
  co_return AsString(std::span(buffer).first(got->n_bytes));
}

Task<absl::Status> ReceiveOnce(SeqPacketSocket& socket) {
  std::array<std::byte, 16> buffer;
  co_return (co_await socket.Receive(buffer)).status();
}

Task<absl::Status> SendOne(SeqPacketSocket& socket,
                           std::span<const std::byte> bytes) {
  co_return co_await socket.Send(bytes);
}

// Sends until the peer has no room; the last send waits. The number of packets
// that were sent is in `n_sent`.
Task<absl::Status> Fill(SeqPacketSocket& socket, int& n_sent) {
  const std::vector<std::byte> block(1'000);
  while (true) {
    absl::Status sent = co_await socket.Send(block);
    if (!sent.ok()) co_return sent;
    ++n_sent;
  }
}

Task<void> UntilNoneIsSent(const int& n_sent) {
  for (int before = -1; before != n_sent;) {
    before = n_sent;
    co_await TurnTimes(20);
  }
}

TEST_P(SeqPacketSocketTest, PacketsKeepTheirBounds) {
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    EXPECT_EQ(co_await one.Send(Bytes("a")), absl::OkStatus());
    EXPECT_EQ(co_await one.Send(Bytes("packet")), absl::OkStatus());
    EXPECT_EQ(co_await other.Send(Bytes("back")), absl::OkStatus());
    EXPECT_EQ(co_await Next(other), "a");
    EXPECT_EQ(co_await Next(other), "packet");
    EXPECT_EQ(co_await Next(one), "back");
  };
  Run(main());
}

TEST_P(SeqPacketSocketTest, APacketThatDoesNotFitIsCutAndReported) {
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    for (const std::string_view text : {"packets", "next", "x"})
      EXPECT_EQ(co_await one.Send(Bytes(text)), absl::OkStatus());
    std::array<std::byte, 4> buffer;
    const std::span<std::byte> nothing;
    Packet got = ValueOf(co_await other.Receive(buffer));
    EXPECT_EQ(AsString(buffer), "pack");
    EXPECT_EQ(got.n_bytes, 4u);
    EXPECT_EQ(got.full_bytes, 7u);
    EXPECT_TRUE(got.truncated());
    got = ValueOf(co_await other.Receive(buffer));
    EXPECT_EQ(AsString(buffer), "next") << "the rest is lost";
    EXPECT_FALSE(got.truncated());
    got = ValueOf(co_await other.Receive(nothing));
    EXPECT_TRUE(got.truncated());
    EXPECT_FALSE(got.is_end()) << "though no bytes came";
  };
  Run(main());
}

TEST_P(SeqPacketSocketTest, RefusesEmptyPacketsAndThoseThatNeverFit) {
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    const std::span<const std::byte> nothing;
    EXPECT_TRUE(absl::IsInvalidArgument(co_await one.Send(nothing)));
    const std::vector<std::byte> large(4 << 20);
    EXPECT_EQ(ErrnoOf(co_await one.Send(large)), EMSGSIZE);
    EXPECT_EQ(co_await one.Send(Bytes("after")), absl::OkStatus());
    EXPECT_EQ(co_await Next(other), "after") << "nothing else was sent";
  };
  Run(main());
}

TEST_P(SeqPacketSocketTest, AForeignPeersEmptyPacketLooksLikeTheEnd) {
  RINGWAY_REQUIRES_KERNEL("peers");
  auto main = [&]() -> Task<void> {
    TestFdPair pair = system().SocketPair(SOCK_SEQPACKET);
    SeqPacketSocket socket =
        SeqPacketSocket::Adopt(loop(), UniqueFd(pair.first.Release()));
    EXPECT_EQ(system().Send(pair.second.get(), ""), 0);
    EXPECT_EQ(system().Send(pair.second.get(), "more"), 4);
    EXPECT_EQ(co_await Next(socket), "end");
    EXPECT_EQ(co_await Next(socket), "more");
  };
  Run(main());
}

TEST_P(SeqPacketSocketTest, ShutdownWriteEndsOneSideOnly) {
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    EXPECT_EQ(co_await one.Send(Bytes("question")), absl::OkStatus());
    EXPECT_EQ(co_await one.ShutdownWrite(), absl::OkStatus());
    EXPECT_EQ(ErrnoOf(co_await one.Send(Bytes("late"))), EPIPE);
    EXPECT_EQ(co_await Next(other), "question");
    EXPECT_EQ(co_await Next(other), "end");
    EXPECT_EQ(co_await Next(other), "end") << "every time";
    EXPECT_EQ(co_await other.Send(Bytes("answer")), absl::OkStatus());
    EXPECT_EQ(co_await Next(one), "answer");
  };
  Run(main());
}

TEST_P(SeqPacketSocketTest, ShutdownWriteComesAfterSendsThatWait) {
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    int n_sent = 0;
    JoinHandle<absl::Status> filling = Spawn(Fill(one, n_sent));
    co_await UntilNoneIsSent(n_sent);
    auto shut_down = [](SeqPacketSocket* socket) -> Task<absl::Status> {
      co_return co_await socket->ShutdownWrite();
    };
    JoinHandle<absl::Status> shutting = Spawn(shut_down(&one));
    co_await TurnTimes(5);
    EXPECT_FALSE(shutting.done());
    int n_received = 0;
    while (co_await Next(other) != "end") ++n_received;
    EXPECT_EQ(co_await shutting, absl::OkStatus());
    EXPECT_EQ(ErrnoOf(co_await filling), EPIPE);
    EXPECT_EQ(n_received, n_sent);
  };
  Run(main());
}

TEST_P(SeqPacketSocketTest, ACloseIsTheEndAfterWhatWasSent) {
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    EXPECT_EQ(co_await one.Send(Bytes("last words")), absl::OkStatus());
    one.Close();
    EXPECT_FALSE(one.valid());
    co_await TurnTimes(5);
    EXPECT_EQ(co_await Next(other), "last words");
    EXPECT_EQ(co_await Next(other), "end");
    EXPECT_EQ(ErrnoOf(co_await other.Send(Bytes("x"))), EPIPE);
  };
  Run(main());
}

TEST_P(SeqPacketSocketTest, APeerThatHasNotReceivedEverythingIsAnErrorOnce) {
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    EXPECT_EQ(co_await one.Send(Bytes("unread")), absl::OkStatus());
    EXPECT_EQ(co_await other.Send(Bytes("answer")), absl::OkStatus());
    other.Close();
    co_await TurnTimes(5);
    EXPECT_EQ(ErrnoOf(co_await ReceiveOnce(one)), ECONNRESET);
    EXPECT_EQ(co_await Next(one), "answer");
    EXPECT_EQ(co_await Next(one), "end");
  };
  Run(main());
}

// io_uring tries all sends that wait again when there is room, the last one
// first: packets of one socket came out of order. And what it tries again must
// still have its bytes.
TEST_P(SeqPacketSocketTest, PacketsThatWaitedForRoomAreWholeAndInOrder) {
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    std::vector<std::vector<std::byte>> packets;
    std::vector<JoinHandle<absl::Status>> sends;
    constexpr uint32_t kPackets = 600;
    for (uint32_t i = 0; i < kPackets; ++i)
      packets.push_back(Pattern(1'000 + i, i));
    size_t next = 0;
    auto send_next = [&]() -> Task<absl::Status> {
      co_return co_await one.Send(packets[next++]);
    };
    for (uint32_t i = 0; i < kPackets; ++i) sends.push_back(Spawn(send_next()));
    co_await TurnTimes(700);
    EXPECT_FALSE(sends.back().done()) << "there is room for all";
    for (const std::vector<std::byte>& packet : packets)
      EXPECT_EQ(co_await Next(other), AsString(packet));
    for (JoinHandle<absl::Status>& send : sends)
      EXPECT_EQ(co_await send, absl::OkStatus());
  };
  Run(main());
}

TEST_P(SeqPacketSocketTest, ACancelledSendIsSentWholeOrNotAtAll) {
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    int n_sent = 0;
    JoinHandle<absl::Status> filling = Spawn(Fill(one, n_sent));
    co_await UntilNoneIsSent(n_sent);
    filling.Cancel();
    EXPECT_TRUE(absl::IsCancelled(co_await filling));
    const std::vector<std::byte> block(1'000);
    for (int i = 0; i < 200; ++i) {
      // The first is in flight, the others wait behind it.
      std::vector<JoinHandle<absl::Status>> sends;
      for (int n = 0; n < 3; ++n) sends.push_back(Spawn(SendOne(one, block)));
      co_await TurnTimes(i % 7);
      for (size_t n = 0; n < 3; ++n)
        sends[(static_cast<size_t>(i) + n) % 3].Cancel();
      for (JoinHandle<absl::Status>& send : sends)
        EXPECT_TRUE(absl::IsCancelled(co_await send)) << i;
    }
    EXPECT_EQ(co_await other.Send(Bytes("x")), absl::OkStatus());
    std::string got;
    for (int i = 0; i < n_sent; ++i) {
      got = co_await Next(other);
      EXPECT_EQ(got.size(), block.size());
    }
    EXPECT_EQ(co_await one.Send(Bytes("next")), absl::OkStatus());
    EXPECT_EQ(co_await Next(other), "next");
  };
  Run(main());
}

TEST_P(SeqPacketSocketTest, ACancelledReceiveLosesNoPacket) {
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    int n_received = 0;
    auto receive = [](SeqPacketSocket* socket, int* n) -> Task<absl::Status> {
      std::array<std::byte, 16> buffer;
      const absl::StatusOr<Packet> got = co_await socket->Receive(buffer);
      if (got.ok()) ++*n;
      co_return got.status();
    };
    for (int i = 0; i < 200; ++i) {
      JoinHandle<absl::Status> receiving = Spawn(receive(&other, &n_received));
      co_await TurnTimes(i % 3);
      JoinHandle<absl::Status> sending = Spawn(SendOne(one, Bytes("packet")));
      co_await TurnTimes(i / 3 % 4);
      receiving.Cancel();
      (co_await receiving).IgnoreError();
      EXPECT_EQ(co_await sending, absl::OkStatus());
    }
    EXPECT_EQ(co_await one.ShutdownWrite(), absl::OkStatus());
    while (co_await Next(other) == "packet") ++n_received;
    EXPECT_EQ(n_received, 200);
  };
  Run(main());
}

TEST_P(SeqPacketSocketTest, CloseEndsWaitsOfOtherTasks) {
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    int n_sent = 0;
    JoinHandle<absl::Status> filling = Spawn(Fill(one, n_sent));
    JoinHandle<absl::Status> receiving = Spawn(ReceiveOnce(one));
    co_await UntilNoneIsSent(n_sent);
    JoinHandle<absl::Status> behind = Spawn(SendOne(one, Bytes("behind")));
    co_await TurnTimes(3);
    one.Close();
    EXPECT_TRUE(absl::IsCancelled(co_await filling));
    EXPECT_TRUE(absl::IsCancelled(co_await behind));
    EXPECT_TRUE(absl::IsCancelled(co_await receiving));
    int n_received = 0;
    while (co_await Next(other) != "end") ++n_received;
    EXPECT_EQ(n_received, n_sent);
  };
  Run(main());
}

TEST_P(SeqPacketSocketTest, APeersCloseEndsASendThatWaits) {
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    int n_sent = 0;
    JoinHandle<absl::Status> filling = Spawn(Fill(one, n_sent));
    co_await UntilNoneIsSent(n_sent);
    other.Close();
    EXPECT_TRUE(absl::IsUnavailable(co_await filling));
  };
  Run(main());
}

TEST_P(SeqPacketSocketTest, EndsWithItsExecutorWhileTasksWait) {
  auto main = [&]() -> Task<void> {
    auto forever = [](SeqPacketSocket one, SeqPacketSocket) -> Task<void> {
      JoinHandle<absl::Status> receiving = Spawn(ReceiveOnce(one));
      int n_sent = 0;
      (co_await Fill(one, n_sent)).IgnoreError();
      (co_await receiving).IgnoreError();
    };
    auto [one, other] = ValueOf(SeqPacketPair());
    Spawn(forever(std::move(one), std::move(other))).Detach();
    co_await TurnTimes(500);
  };
  Run(main());
  DestroyExecutor();
}

TEST_P(SeqPacketSocketTest, AllocatesNothingPerPacket) {
  RINGWAY_REQUIRES_KERNEL("memory for packets");
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(SeqPacketPair());
    std::array<std::byte, 64> buffer;
    uint64_t before = 0;
    for (int i = 0; i < 1'500; ++i) {
      if (i == 200) before = CountAllocations();
      EXPECT_EQ(co_await one.Send(Bytes("question")), absl::OkStatus());
      const absl::StatusOr<Packet> got = co_await other.Receive(buffer);
      EXPECT_TRUE(got.ok() && got->n_bytes == 8);
    }
    EXPECT_EQ(CountAllocations() - before, 0u);
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
