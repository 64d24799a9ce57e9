// SPDX-License-Identifier: Apache-2.0
//
// The end of a TLS stream, from either side.

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/event.h"
#include "ringway/net/tls/testing/tls_fixture.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::net {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::EngineEnd;
using testing::Pattern;
using testing::Peer;
using testing::ReadExactly;
using testing::ReadSome;
using testing::ReadToEnd;
using testing::ReceiveSome;
using testing::ReceiveToEnd;
using testing::TlsPair;
using testing::TurnTimes;
using testing::TurnUntil;
using testing::ValueOf;
using testing::WriteAll;

constexpr size_t kMiB = 1 << 20;

using TlsEndTest = testing::TlsTest;
RINGWAY_INSTANTIATE_TLS(TlsEndTest);

TEST_P(TlsEndTest, CloseNotifyIsTheEnd) {
  auto main = [&]() -> Task<void> {
    for (const bool by_receive : {false, true}) {
      TlsPair pair = co_await ConnectedTls();
      EXPECT_TRUE((co_await pair.client.Write(Bytes("data"))).ok());
      EXPECT_TRUE((co_await pair.client.Close()).ok());
      EXPECT_FALSE(pair.client.valid());
      const absl::StatusOr<std::string> all =
          by_receive ? co_await ReceiveToEnd(pair.server)
                     : co_await ReadToEnd(pair.server);
      EXPECT_EQ(ValueOf(all), "data");
    }
  };
  Run(main());
}

TEST_P(TlsEndTest, AnEndWithoutCloseNotifyIsDataLossAndStaysSo) {
  auto main = [&]() -> Task<void> {
    for (const bool by_receive : {false, true}) {
      TlsPair pair = co_await ConnectedTls();
      EXPECT_TRUE((co_await pair.client.Write(Bytes("data"))).ok());
      EXPECT_TRUE((co_await pair.client.transport().ShutdownWrite()).ok());
      EXPECT_EQ((co_await ReadExactly(pair.server, 4)), "data");
      absl::Status status;
      if (by_receive) {
        status = (co_await ReceiveSome(pair.server)).status();
      } else {
        std::array<std::byte, 4> buffer;
        status = (co_await ReadSome(pair.server, buffer)).status();
      }
      EXPECT_TRUE(absl::IsDataLoss(status)) << status;
      EXPECT_TRUE(
          absl::IsDataLoss((co_await ReceiveSome(pair.server)).status()));
    }
  };
  Run(main());
}

TEST_P(TlsEndTest, AHalfClosedPeerGetsTheWholeAnswer) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    EXPECT_TRUE((co_await pair.client.Write(Bytes("question"))).ok());
    EXPECT_TRUE((co_await pair.client.ShutdownWrite()).ok());
    EXPECT_TRUE((co_await pair.client.ShutdownWrite()).ok()) << "again";
    EXPECT_EQ(ValueOf(co_await ReadToEnd(pair.server)), "question");
    const std::vector<std::byte> answer = Pattern(2 * kMiB, 1);
    JoinHandle<absl::Status> writing = Spawn(WriteAll(pair.server, answer));
    EXPECT_TRUE(co_await ReadExactly(pair.client, answer.size()) ==
                AsString(answer));
    EXPECT_TRUE((co_await writing).ok());
    EXPECT_EQ(ErrnoOf(co_await pair.client.Write(Bytes("x"))), EPIPE);
    EXPECT_TRUE((co_await pair.server.Close()).ok());
    EXPECT_EQ(ValueOf(co_await ReadToEnd(pair.client)), "");
  };
  Run(main());
}

TEST_P(TlsEndTest, ShutdownComesAfterWhatWasWrittenBefore) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    const std::vector<std::byte> large = Pattern(4 * kMiB, 1);
    auto shutdown = [&]() -> Task<absl::Status> {
      co_return co_await pair.client.ShutdownWrite();
    };
    JoinHandle<absl::Status> writing = Spawn(WriteAll(pair.client, large));
    JoinHandle<absl::Status> ending = Spawn(shutdown());
    JoinHandle<absl::Status> late = Spawn(WriteAll(pair.client, Bytes("late")));
    EXPECT_TRUE(ValueOf(co_await ReadToEnd(pair.server)) == AsString(large));
    EXPECT_TRUE((co_await writing).ok());
    EXPECT_TRUE((co_await ending).ok());
    EXPECT_EQ(ErrnoOf(co_await late), EPIPE);
  };
  Run(main());
}

TEST_P(TlsEndTest, AResetIsTheTransportsError) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    std::array<std::byte, 16> buffer;
    JoinHandle<absl::StatusOr<size_t>> read =
        Spawn(ReadSome(pair.server, buffer));
    co_await TurnTimes(3);
    pair.client.Reset();
    EXPECT_FALSE(pair.client.valid());
    const absl::Status status = (co_await read).status();
    EXPECT_EQ(ErrnoOf(status), ECONNRESET) << status;
    EXPECT_TRUE(absl::IsUnavailable(status));
    // The stream has not ended as it should.
    EXPECT_TRUE(absl::IsDataLoss((co_await ReceiveSome(pair.server)).status()));
  };
  Run(main());
}

TEST_P(TlsEndTest, WritingToAClosedPeerIsAStatus) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    EXPECT_TRUE((co_await pair.server.Close()).ok());
    absl::Status status;
    while (status.ok()) status = co_await pair.client.Write(Bytes("x"));
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_EQ(ErrnoOf(co_await pair.client.Write(Bytes("x"))), EPIPE);
  };
  Run(main());
}

// --- Closing and dropping

TEST_P(TlsEndTest, AClosedStreamSaysSo) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    TlsReader reader = pair.client.reader();
    TlsWriter writer = pair.client.writer();
    TlsStream moved = std::move(pair.client);
    std::array<std::byte, 4> buffer;
    const auto failed = [](const absl::Status& status) {
      return absl::IsFailedPrecondition(status);
    };
    EXPECT_TRUE(failed((co_await pair.client.Read(buffer)).status()));
    EXPECT_TRUE(failed((co_await pair.client.Receive()).status()));
    EXPECT_TRUE(failed(co_await pair.client.Write(Bytes("x"))));
    EXPECT_TRUE(failed(co_await pair.client.ShutdownWrite()));
    EXPECT_TRUE(failed(co_await pair.client.CloseGracefully(kPatience)));
    EXPECT_TRUE((co_await pair.client.Close()).ok());
    EXPECT_TRUE((co_await moved.Close()).ok());
    EXPECT_TRUE(failed((co_await reader.Read(buffer)).status()));
    EXPECT_TRUE(failed((co_await reader.Receive()).status()));
    EXPECT_TRUE(failed(co_await writer.Write(Bytes("x"))));
    EXPECT_TRUE(failed(co_await writer.ShutdownWrite()));
  };
  Run(main());
}

TEST_P(TlsEndTest, DroppingSendsCloseNotify) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = OpenFds();
    std::optional<TlsPair> pair = co_await ConnectedTls();
    EXPECT_TRUE((co_await pair->client.Write(Bytes("last words"))).ok());
    pair->client = TlsStream();
    EXPECT_EQ(ValueOf(co_await ReadToEnd(pair->server)), "last words");
    pair.reset();
    co_await TurnUntil([&] { return OpenFds() == fds_before; });
  };
  Run(main());
}

TEST_P(TlsEndTest, ACloseThatIsNotAwaitedHappensAllTheSame) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    { Task<absl::Status> dropped = pair.client.Close(); }
    EXPECT_EQ(ValueOf(co_await ReadToEnd(pair.server)), "");
  };
  Run(main());
}

TEST_P(TlsEndTest, DroppingEndsTheReadAndTheWritesOfOtherTasks) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = OpenFds();
    std::optional<TlsPair> pair = co_await ConnectedTls();
    const std::vector<std::byte> large = Pattern(16 * kMiB, 1);
    std::array<std::byte, 16> buffer;
    JoinHandle<absl::StatusOr<size_t>> read =
        Spawn(ReadSome(pair->client, buffer));
    std::vector<JoinHandle<absl::Status>> writes;
    for (int i = 0; i < 3; ++i)
      writes.push_back(Spawn(WriteAll(pair->client, large)));
    co_await TurnTimes(10);
    pair->client = TlsStream();
    EXPECT_TRUE(absl::IsCancelled((co_await read).status()));
    for (JoinHandle<absl::Status>& write : writes)
      EXPECT_TRUE(absl::IsCancelled(co_await write));
    // What arrived is a prefix, and cut.
    const std::string received =
        co_await ReadExactly(pair->server, large.size());
    EXPECT_TRUE(received == AsString(large).substr(0, received.size()));
    pair.reset();
    co_await TurnUntil([&] { return OpenFds() == fds_before; });
  };
  Run(main());
}

TEST_P(TlsEndTest, DroppingEndsAReadAloneToo) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    JoinHandle<absl::StatusOr<std::string>> receive =
        Spawn(ReceiveSome(pair.client));
    co_await TurnTimes(3);
    pair.client = TlsStream();
    EXPECT_TRUE(absl::IsCancelled((co_await receive).status()));
    EXPECT_EQ(ValueOf(co_await ReadToEnd(pair.server)), "");
  };
  Run(main());
}

TEST_P(TlsEndTest, AReaderMayDropItsStreamAtTheEndThatItWasToldOf) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = OpenFds();
    std::optional<TlsPair> pair = co_await ConnectedTls();
    auto read = [&]() -> Task<void> {
      const absl::StatusOr<std::string> end =
          co_await ReceiveSome(pair->server);
      pair->server = TlsStream();
      EXPECT_TRUE(end.ok());
    };
    JoinHandle<void> reader = Spawn(read());
    co_await TurnTimes(3);
    pair->client = TlsStream();
    EXPECT_TRUE((co_await reader).ok());
    pair.reset();
    co_await TurnUntil([&] { return OpenFds() == fds_before; });
  };
  Run(main());
}

// Its window is full: there is no room for a close_notify.
TEST_P(TlsEndTest, ClosingDoesNotWaitForAPeerThatDoesNotRead) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    const std::vector<std::byte> large = Pattern(16 * kMiB, 1);
    const absl::Status cut = co_await WithTimeout(absl::Milliseconds(50),
                                                  WriteAll(pair.client, large));
    EXPECT_TRUE(absl::IsDeadlineExceeded(cut)) << cut;
    EXPECT_TRUE((co_await pair.client.Close()).ok());
  };
  Run(main());
}

TEST_P(TlsEndTest, CloseGracefullyDeliversAnAnswerToAnUnreadRequest) {
  auto main = [&]() -> Task<void> {
    for (int round = 0; round < 5; ++round) {
      TlsPair pair = co_await ConnectedTls();
      const std::vector<std::byte> request = Pattern(300'000, 1);
      const std::vector<std::byte> answer = Pattern(100'000, 2);
      auto exchange = [&]() -> Task<absl::StatusOr<std::string>> {
        const absl::Status written = co_await pair.client.Write(request);
        EXPECT_TRUE(written.ok()) << written;
        absl::StatusOr<std::string> all = co_await ReadToEnd(pair.client);
        EXPECT_TRUE((co_await pair.client.Close()).ok());
        co_return all;
      };
      JoinHandle<absl::StatusOr<std::string>> client = Spawn(exchange());
      EXPECT_EQ((co_await ReadExactly(pair.server, 10)).size(), 10u);
      TlsWriter writer = pair.server.writer();
      auto write = [&]() -> Task<absl::Status> {
        co_return co_await writer.Write(answer);
      };
      JoinHandle<absl::Status> written = Spawn(write());
      co_await TurnTimes(1);
      EXPECT_EQ(co_await pair.server.CloseGracefully(kPatience),
                absl::OkStatus());
      EXPECT_EQ(co_await written, absl::OkStatus());
      EXPECT_TRUE(ValueOf(co_await client) == AsString(answer));
    }
  };
  Run(main());
}

// Long enough for the close_notify to leave on a busy machine: with 5 ms the
// peer found its stream cut now and then.
TEST_P(TlsEndTest, CloseGracefullyHasADeadline) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    const absl::Status closed =
        co_await pair.server.CloseGracefully(absl::Milliseconds(200));
    EXPECT_TRUE(absl::IsDeadlineExceeded(closed)) << closed;
    EXPECT_EQ(ValueOf(co_await ReadToEnd(pair.client)), "");
  };
  Run(main());
}

// The task that sends a server's session tickets held the turn, in which it
// sent what there was at first; a read that failed meanwhile left its alert to
// it. Tests had no input right behind a client's last flight.
TEST_P(TlsEndTest, AnAlertIsSentAlthoughTicketsAreBeingSent) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    JoinHandle<absl::StatusOr<TlsStream>> accepting =
        Spawn(Accept(std::move(pair.near_end)));
    EngineEnd client(ClientEngine());
    co_await ShakeByHand(client, pair.far_end);
    const std::string damaged =
        std::string("\x17\x03\x03\x00\x28", 5) + std::string(40, 'z');
    pair.far_end.Send(client.TakeOutput() + damaged);
    TlsStream server = ValueOf(co_await accepting);
    std::array<std::byte, 1> byte;
    EXPECT_TRUE(absl::IsAborted((co_await server.Read(byte)).status()));
    while (client.error().ok()) {
      co_await TurnTimes(1);
      client.Deliver(pair.far_end.ReceiveNow());
    }
    EXPECT_EQ(client.error().message(),
              "the peer sent the alert \"bad record mac\"");
  };
  Run(main());
}

// --- The executor's end

TEST_P(TlsEndTest, AnExecutorCanEndWithEverythingInFlight) {
  std::vector<Peer> far_ends;
  std::vector<TlsStream> left;
  const std::vector<std::byte> large = Pattern(4 * kMiB, 1);
  auto main = [&]() -> Task<void> {
    for (int kind = 0; kind < 4; ++kind) {
      auto pair = std::make_shared<TlsPair>(co_await ConnectedTls());
      auto busy = [](std::shared_ptr<TlsPair> streams,
                     std::span<const std::byte> bytes) -> Task<void> {
        (co_await streams->client.Write(bytes)).IgnoreError();
      };
      auto idle = [](std::shared_ptr<TlsPair> streams) -> Task<void> {
        while ((co_await streams->client.Receive()).ok()) {
        }
      };
      if (kind % 2 == 0) Spawn(busy(pair, large)).Detach();
      if (kind / 2 == 0) Spawn(idle(pair)).Detach();
      left.push_back(std::move(pair->server));
    }
    co_await TurnTimes(20);
  };
  Run(main());
  DestroyExecutor();
  EXPECT_FALSE(left[0].valid());
  left.clear();
}

class ImpatientTlsTest : public testing::TlsTest {
 protected:
  static ExecutorOptions NoGrace() {
    ExecutorOptions options;
    options.shutdown_grace = absl::ZeroDuration();
    return options;
  }
  ImpatientTlsTest() : TlsTest(NoGrace()) {}
};
RINGWAY_INSTANTIATE_TLS(ImpatientTlsTest);

// Frames are then destroyed where they wait, in no particular order.
TEST_P(ImpatientTlsTest, FramesCanBeDestroyedWhereTheyReadAndWrite) {
  const std::vector<std::byte> large = Pattern(4 * kMiB, 1);
  auto writer = [&](TlsWriter half) -> Task<void> {
    (co_await half.Write(large)).IgnoreError();
  };
  auto reader = [&](TlsReader half) -> Task<void> {
    while (!absl::IsFailedPrecondition((co_await half.Receive()).status())) {
    }
  };
  auto owner = [&](int kind) -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    Spawn(reader(pair.client.reader())).Detach();
    Spawn(writer(pair.client.writer())).Detach();
    Spawn(writer(pair.client.writer())).Detach();
    if (kind % 2 == 0) (co_await pair.client.Close()).IgnoreError();
    Event never;
    (co_await never.Wait()).IgnoreError();
  };
  auto main = [&]() -> Task<void> {
    for (int kind = 0; kind < 4; ++kind) Spawn(owner(kind)).Detach();
    co_await TurnTimes(30);
  };
  Run(main());
  DestroyExecutor();
}

}  // namespace
}  // namespace ringway::net
