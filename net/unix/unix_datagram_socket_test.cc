// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/unix/unix_datagram_socket.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::TurnTimes;
using testing::ValueOf;

class UnixDatagramSocketTest : public testing::NetTest {
 protected:
  SocketAddress Path(std::string_view name) {
    return ValueOf(SocketAddress::Parse(UnixAddress(name)));
  }
  UnixDatagramSocket Bind(const SocketAddress& address) {
    return ValueOf(UnixDatagramSocket::Bind(loop(), address));
  }
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(UnixDatagramSocketTest);

Task<std::string> Next(DatagramSocket& socket) {
  const absl::StatusOr<LentDatagram> got = co_await socket.ReceiveLent();
  co_return got.ok() ? AsString(got->bytes.bytes())
                     : std::string(got.status().message());
}

TEST_P(UnixDatagramSocketTest, APairTalksBothWays) {
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(UnixDatagramSocket::Pair());
    EXPECT_EQ(co_await one.Send(Bytes("to the other")), absl::OkStatus());
    EXPECT_EQ(co_await Next(other), "to the other");
    EXPECT_EQ(co_await other.Send(Bytes("back")), absl::OkStatus());
    EXPECT_EQ(co_await Next(one), "back");
  };
  Run(main());
}

TEST_P(UnixDatagramSocketTest, ASenderWithoutANameIsNobody) {
  auto main = [&]() -> Task<void> {
    UnixDatagramSocket receiver = Bind(Path("receiver"));
    UnixDatagramSocket sender = ValueOf(UnixDatagramSocket::Open());
    EXPECT_EQ(co_await sender.SendTo(Bytes("x"), Path("receiver")),
              absl::OkStatus());
    std::array<std::byte, 10> buffer;
    const Datagram got = ValueOf(co_await receiver.ReceiveFrom(buffer));
    EXPECT_EQ(got.n_bytes, 1u);
    EXPECT_TRUE(got.sender.unix_path().empty());
  };
  Run(main());
}

TEST_P(UnixDatagramSocketTest, AReceiverThatIsGoneIsAnError) {
  auto main = [&]() -> Task<void> {
    UnixDatagramSocket sender = ValueOf(UnixDatagramSocket::Open());
    EXPECT_EQ(ErrnoOf(co_await sender.SendTo(Bytes("x"), Path("nobody"))),
              ENOENT);
    UnixDatagramSocket receiver = Bind(Path("gone"));
    receiver.Close();
    co_await TurnTimes(5);
    EXPECT_EQ(ErrnoOf(co_await sender.SendTo(Bytes("x"), Path("gone"))),
              ECONNREFUSED);
  };
  Run(main());
}

TEST_P(UnixDatagramSocketTest, TakesOverAPathThatNobodyHasBound) {
  auto main = [&]() -> Task<void> {
    const SocketAddress address = Path("stale");
    UnixDatagramSocket first = Bind(address);
    EXPECT_EQ(ErrnoOf(UnixDatagramSocket::Bind(address).status()), EADDRINUSE);
    first.Close();
    co_await TurnTimes(5);
    UnixDatagramSocket second = Bind(address);
    UnixDatagramSocket sender = ValueOf(UnixDatagramSocket::Open());
    EXPECT_EQ(co_await sender.SendTo(Bytes("new"), address), absl::OkStatus());
    EXPECT_EQ(co_await Next(second), "new");
  };
  Run(main());
}

TEST_P(UnixDatagramSocketTest, RefusesAddressesOfOtherFamilies) {
  const absl::Status status =
      UnixDatagramSocket::Bind(loop(),
                               ValueOf(SocketAddress::Parse("127.0.0.1:0")))
          .status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_TRUE(absl::StrContains(status.message(), "127.0.0.1:0")) << status;
}

// io_uring on Linux 6.18 sent a datagram empty that had to wait for room: the
// kernel had read its bytes at the first attempt.
TEST_P(UnixDatagramSocketTest, ADatagramThatWaitedForRoomIsWhole) {
  auto main = [&]() -> Task<void> {
    UnixDatagramSocket receiver = Bind(Path("full"));
    for (const bool connected : {false, true}) {
      UnixDatagramSocket sender = ValueOf(UnixDatagramSocket::Open());
      if (connected) {
        EXPECT_EQ(sender.Connect(Path("full")), absl::OkStatus());
      }
      constexpr int kDatagrams = 600;
      const auto send = [&]() -> Task<void> {
        for (int i = 0; i < kDatagrams; ++i) {
          const std::string text = absl::StrCat("datagram ", i);
          absl::Status sent;
          if (connected) {
            sent = co_await sender.Send(Bytes(text));
          } else {
            sent = co_await sender.SendTo(Bytes(text), Path("full"));
          }
          EXPECT_EQ(sent, absl::OkStatus());
        }
      };
      JoinHandle<void> sending = Spawn(send());
      co_await TurnTimes(20);
      for (int i = 0; i < kDatagrams; ++i)
        EXPECT_EQ(co_await Next(receiver), absl::StrCat("datagram ", i));
      EXPECT_EQ(co_await sending, absl::OkStatus());
    }
  };
  Run(main());
}

// The kernel wakes a sender when one of its own datagrams is read: one whose
// receiver is full of others' datagrams got no event.
TEST_P(UnixDatagramSocketTest, ASenderIsServedThoughOthersFillTheReceiver) {
  auto main = [&]() -> Task<void> {
    UnixDatagramSocket receiver = Bind(Path("shared"));
    UnixDatagramSocket greedy = ValueOf(UnixDatagramSocket::Open());
    UnixDatagramSocket modest = ValueOf(UnixDatagramSocket::Open());
    const std::vector<std::byte> large(1'000);
    const auto fill = [&]() -> Task<void> {
      while ((co_await greedy.SendTo(large, Path("shared"))).ok()) {
      }
    };
    const auto send = [&]() -> Task<void> {
      EXPECT_EQ(co_await modest.SendTo(Bytes("modest"), Path("shared")),
                absl::OkStatus());
    };
    JoinHandle<void> filling = Spawn(fill());
    co_await TurnTimes(2'000);
    JoinHandle<void> sending = Spawn(send());
    co_await TurnTimes(5);
    std::string got;
    while (got != "modest") got = co_await Next(receiver);
    EXPECT_EQ(co_await sending, absl::OkStatus());
    greedy.Close();
    EXPECT_EQ(co_await filling, absl::OkStatus());
  };
  Run(main());
}

// Sends to others once waited behind the one to a full receiver, up to 5 ms
// each.
TEST_P(UnixDatagramSocketTest, AFullReceiverDelaysNoOther) {
  auto main = [&]() -> Task<void> {
    UnixDatagramSocket full = Bind(Path("full"));
    UnixDatagramSocket other = Bind(Path("other"));
    UnixDatagramSocket sender = ValueOf(UnixDatagramSocket::Open());
    const auto fill = [&]() -> Task<void> {
      while ((co_await sender.SendTo(Bytes("x"), Path("full"))).ok()) {
      }
    };
    JoinHandle<void> filling = Spawn(fill());
    // Until its pauses are the longest.
    EXPECT_EQ(co_await Sleep(absl::Milliseconds(50)), absl::OkStatus());
    // Were it delayed, each would wait for a pause of up to 5 ms.
    int n_long = 0;
    constexpr int kDatagrams = 200;
    for (int i = 0; i < kDatagrams; ++i) {
      const MonotonicTime start = loop().now();
      EXPECT_EQ(co_await sender.SendTo(Bytes("y"), Path("other")),
                absl::OkStatus());
      EXPECT_EQ(co_await Next(other), "y");
      if (loop().now() - start >= absl::Milliseconds(2)) ++n_long;
    }
    EXPECT_LT(n_long, kDatagrams / 4);
    sender.Close();
    EXPECT_EQ(co_await filling, absl::OkStatus());
  };
  Run(main());
}

TEST_P(UnixDatagramSocketTest, PausesAreShortAgainOnceTheReceiverReads) {
  auto main = [&]() -> Task<void> {
    UnixDatagramSocket receiver = Bind(Path("reads"));
    UnixDatagramSocket sender = ValueOf(UnixDatagramSocket::Open());
    constexpr int kDatagrams = 1'200;
    const auto send = [&]() -> Task<void> {
      for (int i = 0; i < kDatagrams; ++i) {
        EXPECT_EQ(co_await sender.SendTo(Bytes("x"), Path("reads")),
                  absl::OkStatus());
      }
    };
    JoinHandle<void> sending = Spawn(send());
    // Until its pauses are the longest.
    EXPECT_EQ(co_await Sleep(absl::Milliseconds(50)), absl::OkStatus());
    // About eleven datagrams fit. The receiver reads them in less than 5 ms,
    // the longest pause: it would wait for most of those, some 75 times.
    int n_long = 0;
    std::array<std::byte, 10> buffer;
    for (int i = 0; i < kDatagrams; ++i) {
      const MonotonicTime start = loop().now();
      EXPECT_EQ(ValueOf(co_await receiver.ReceiveFrom(buffer)).n_bytes, 1u);
      if (loop().now() - start > absl::Milliseconds(1)) ++n_long;
      co_await TurnTimes(3);  // so that the sender fills it again
    }
    EXPECT_LT(n_long, 40);
    EXPECT_EQ(co_await sending, absl::OkStatus());
  };
  Run(main());
}

// A cancel may come when the kernel has refused the datagram and the operation
// does not know it yet: trying again then would wait for ever.
TEST_P(UnixDatagramSocketTest, CancelsThatRaceAFullReceiverAreNotLost) {
  auto main = [&]() -> Task<void> {
    UnixDatagramSocket receiver = Bind(Path("full"));
    UnixDatagramSocket sender = ValueOf(UnixDatagramSocket::Open());
    // A queue of sends of its own, so that each is tried at once.
    UnixDatagramSocket filler = ValueOf(UnixDatagramSocket::Open());
    const auto fill = [&]() -> Task<void> {
      while ((co_await filler.SendTo(Bytes("x"), Path("full"))).ok()) {
      }
    };
    JoinHandle<void> filling = Spawn(fill());
    co_await TurnTimes(2'000);
    std::vector<OutgoingDatagram> batch(5);
    for (OutgoingDatagram& datagram : batch) datagram.receiver = Path("full");
    const auto send_one = [&]() -> Task<absl::Status> {
      co_return co_await sender.SendTo(Bytes("y"), Path("full"));
    };
    const auto send_batch = [&]() -> Task<absl::Status> {
      co_return (co_await sender.SendBatch(batch)).status();
    };
    for (int i = 0; i < 300; ++i) {
      JoinHandle<absl::Status> sending =
          Spawn(i % 2 == 0 ? send_one() : send_batch());
      co_await TurnTimes(i / 2 % 7);
      sending.Cancel();
      EXPECT_TRUE(absl::IsCancelled(co_await sending)) << i;
    }
    filler.Close();
    EXPECT_EQ(co_await filling, absl::OkStatus());
  };
  Run(main());
}

TEST_P(UnixDatagramSocketTest, EndsWithItsExecutorWhileItWaitsForRoom) {
  auto main = [&]() -> Task<void> {
    auto forever = [](UnixDatagramSocket receiver, UnixDatagramSocket sender,
                      SocketAddress address) -> Task<void> {
      const std::vector<std::byte> large(1'000);
      while ((co_await sender.SendTo(large, address)).ok()) {
      }
      receiver.Close();
    };
    Spawn(forever(Bind(Path("end")), ValueOf(UnixDatagramSocket::Open()),
                  Path("end")))
        .Detach();
    co_await TurnTimes(2'000);
  };
  Run(main());
  DestroyExecutor();
}

}  // namespace
}  // namespace ringway::net
