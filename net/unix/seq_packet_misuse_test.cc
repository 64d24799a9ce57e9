// SPDX-License-Identifier: Apache-2.0
//
// Every public member of SeqPacketSocket and SeqPacketListener, called from a
// foreign thread, by a task of another executor of the same thread, after the
// end of the loop, and of a handle that is closed or was moved from.

#include <unistd.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/unix/fd_passing.h"
#include "ringway/net/unix/peer_credentials.h"
#include "ringway/net/unix/seq_packet_listener.h"
#include "ringway/net/unix/seq_packet_socket.h"

namespace ringway::net {
namespace {

using ringway::testing::BackendConformance;
using testing::Bytes;
using testing::TurnTimes;
using testing::ValueOf;

SocketAddress Name(std::string_view name = "listener") {
  return ValueOf(SocketAddress::Parse(
      absl::StrCat("unix:@seq-packet-misuse-", name, "-", getpid())));
}

struct Handles {
  explicit Handles(Loop& l)
      : loop(l), listener(ValueOf(SeqPacketListener::Listen(loop, Name()))) {
    auto pair = ValueOf(SeqPacketPair(loop));
    socket.emplace(std::move(pair.first));
    peer.emplace(std::move(pair.second));
  }

  Loop& loop;
  SeqPacketListener listener;
  std::optional<SeqPacketSocket> socket, peer;
  std::array<std::byte, 8> buffer;
  std::span<const std::byte> bytes = Bytes("x");
};

struct Call {
  const char* label;
  const char* object;  // that the message names
  void (*call)(Handles&);
};

constexpr char kSocket[] = "a SeqPacketSocket";
constexpr char kListener[] = "a SeqPacketListener";
constexpr char kLoop[] = "a loop";

const Call kCalls[] = {
    {"Pair", kLoop, [](Handles& h) { SeqPacketPair(h.loop).IgnoreError(); }},
    {"Send", kSocket,
     [](Handles& h) { static_cast<void>(h.socket->Send(h.bytes)); }},
    {"Receive", kSocket,
     [](Handles& h) { static_cast<void>(h.socket->Receive(h.buffer)); }},
    {"ShutdownWrite", kSocket,
     [](Handles& h) { static_cast<void>(h.socket->ShutdownWrite()); }},
    {"SendFds", kSocket,
     [](Handles& h) { static_cast<void>(SendFds(*h.socket, h.bytes, {})); }},
    {"ReceiveFds", kSocket,
     [](Handles& h) { static_cast<void>(ReceiveFds(*h.socket, h.buffer, 1)); }},
    {"PeerCredentials", kSocket,
     [](Handles& h) { PeerCredentialsOf(*h.socket).IgnoreError(); }},
    {"PeerPidFd", kSocket,
     [](Handles& h) { PeerPidFd(*h.socket).IgnoreError(); }},
    {"Valid", kSocket, [](Handles& h) { h.socket->valid(); }},
    {"LocalAddress", kSocket,
     [](Handles& h) { h.socket->LocalAddress().IgnoreError(); }},
    {"PeerAddress", kSocket,
     [](Handles& h) { h.socket->PeerAddress().IgnoreError(); }},
    {"Fd", kSocket, [](Handles& h) { h.socket->fd(); }},
    {"Close", kSocket, [](Handles& h) { h.socket->Close(); }},
    {"Drop", kSocket, [](Handles& h) { h.socket.reset(); }},
    {"Assign", kSocket, [](Handles& h) { *h.socket = *std::move(h.peer); }},
    {"Listen", kLoop,
     [](Handles& h) {
       SeqPacketListener::Listen(h.loop, Name("other")).IgnoreError();
     }},
    {"Accept", kListener,
     [](Handles& h) { static_cast<void>(h.listener.Accept()); }},
    {"ListenerLocalAddress", kListener,
     [](Handles& h) { h.listener.LocalAddress().IgnoreError(); }},
    {"ListenerClose", kListener, [](Handles& h) { h.listener.Close(); }},
    {"ListenerDrop", kListener,
     [](Handles& h) { SeqPacketListener(std::move(h.listener)); }},
};

// In the process that is to die: makes its executors there.
class SeqPacketDeathTest : public BackendConformance {
 protected:
  std::unique_ptr<Executor> MakeExecutor() {
    return std::make_unique<Executor>(
        std::make_unique<Loop>(MakeForTest(), ExecutorOptions().loop),
        ExecutorOptions());
  }
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SeqPacketDeathTest);

Task<void> CallOnAForeignThread(const Call* call) {
  Handles handles(Executor::Current()->loop());
  std::thread([&] { call->call(handles); }).join();
  co_return;
}

TEST_P(SeqPacketDeathTest, NamesTheObjectThatAForeignThreadUses) {
  for (const Call& call : kCalls) {
    SCOPED_TRACE(call.label);
    EXPECT_DEATH(
        {
          std::unique_ptr<Executor> executor = MakeExecutor();
          executor->Run(CallOnAForeignThread(&call)).IgnoreError();
        },
        std::string(call.object) + " was used from a foreign thread");
  }
}

// --- Two executors on one thread: the thread is right, the loop is not.

struct Await {
  const char* label;
  const char* object;
  Task<void> (*await)(Handles*);
};

Task<void> AwaitSend(Handles* h) {
  (co_await h->socket->Send(h->bytes)).IgnoreError();
}
Task<void> AwaitReceive(Handles* h) {
  (co_await h->socket->Receive(h->buffer)).IgnoreError();
}
Task<void> AwaitShutdownWrite(Handles* h) {
  (co_await h->socket->ShutdownWrite()).IgnoreError();
}
Task<void> AwaitAccept(Handles* h) {
  (co_await h->listener.Accept()).status().IgnoreError();
}

const Await kAwaits[] = {
    {"Send", kSocket, &AwaitSend},
    {"Receive", kSocket, &AwaitReceive},
    {"ShutdownWrite", kSocket, &AwaitShutdownWrite},
    {"Accept", kListener, &AwaitAccept},
};

TEST_P(SeqPacketDeathTest, NamesTheObjectThatATaskOfAnotherExecutorAwaits) {
  for (const Await& await : kAwaits) {
    SCOPED_TRACE(await.label);
    EXPECT_DEATH(
        {
          std::unique_ptr<Executor> owner = MakeExecutor();
          std::unique_ptr<Executor> other = MakeExecutor();
          Handles handles(owner->loop());
          other->Run(await.await(&handles)).IgnoreError();
        },
        std::string(await.object) +
            " was awaited by a task of another executor");
  }
}

// --- Two readers.

Task<void> ReceiveTwice() {
  Handles handles(Executor::Current()->loop());
  Spawn(AwaitReceive(&handles)).Detach();
  co_await TurnTimes(2);
  co_await AwaitReceive(&handles);
}

TEST_P(SeqPacketDeathTest, OneTaskReceivesAtATime) {
  EXPECT_DEATH(
      {
        std::unique_ptr<Executor> executor = MakeExecutor();
        executor->Run(ReceiveTwice()).IgnoreError();
      },
      "two tasks read from one packet socket");
}

// --- Closed, moved from, and without a loop.

void ExpectRefused(const absl::Status& status, std::string_view what) {
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), what);
}

Task<void> ExpectUnusable(SeqPacketSocket* socket, std::string_view why) {
  std::array<std::byte, 4> buffer;
  const std::span<const std::byte> nothing;
  EXPECT_FALSE(socket->valid());
  ExpectRefused(co_await socket->Send(Bytes("x")), why);
  ExpectRefused(co_await socket->Send(nothing), why);
  ExpectRefused((co_await socket->Receive(buffer)).status(), why);
  ExpectRefused(co_await socket->ShutdownWrite(), why);
  const std::span<const int> no_fds;
  ExpectRefused(co_await SendFds(*socket, Bytes("x"), no_fds), why);
  ExpectRefused((co_await ReceiveFds(*socket, buffer, 1)).status(), why);
  EXPECT_EQ(PeerCredentialsOf(*socket).status().code(),
            absl::StatusCode::kFailedPrecondition);
  ExpectRefused(socket->LocalAddress().status(), why);
  ExpectRefused(socket->PeerAddress().status(), why);
  socket->Close();
}

class SeqPacketHandle : public testing::NetTest {
 protected:
  // In an executor of its own.
  void RunElsewhere(Task<void> task) {
    MakeExecutor();
    Run(std::move(task));
    DestroyExecutor();
  }
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SeqPacketHandle);

TEST_P(SeqPacketHandle, ASocketThatWasClosedOrMovedFrom) {
  auto main = [&]() -> Task<void> {
    constexpr std::string_view kWhy =
        "the packet socket is closed or was moved from";
    auto [one, other] = ValueOf(SeqPacketPair());
    one.Close();
    co_await ExpectUnusable(&one, kWhy);
    EXPECT_DEATH(one.fd(),
                 "a SeqPacketSocket was used after it was closed or moved");
    SeqPacketSocket moved = std::move(other);
    co_await ExpectUnusable(&other, kWhy);
    EXPECT_TRUE(moved.valid());
    SeqPacketSocket& same = moved;
    moved = std::move(same);
    EXPECT_TRUE(moved.valid());
  };
  Run(main());
}

TEST_P(SeqPacketHandle, AListenerThatWasMovedFrom) {
  auto main = [&]() -> Task<void> {
    SeqPacketListener listener = ValueOf(SeqPacketListener::Listen(Name()));
    SeqPacketListener moved = std::move(listener);
    EXPECT_TRUE(absl::IsCancelled((co_await listener.Accept()).status()));
    ExpectRefused(listener.LocalAddress().status(),
                  "the listener is closed or was moved from");
    listener.Close();
    listener = std::move(moved);
    EXPECT_EQ(listener.LocalAddress().status(), absl::OkStatus());
  };
  Run(main());
}

Task<void> UseListenerWithoutLoop(Handles* h) {
  constexpr std::string_view kWhy = "the loop of the listener has ended";
  ExpectRefused((co_await h->listener.Accept()).status(), kWhy);
  ExpectRefused(h->listener.LocalAddress().status(), kWhy);
  h->listener.Close();
}

// Leaves a receive and a send in flight, and an accept that has delivered.
Task<void> LeaveInFlight(std::optional<Handles>* handles) {
  handles->emplace(Executor::Current()->loop());
  Handles* const h = &**handles;
  auto fill = [](Handles* of) -> Task<void> {
    static std::array<std::byte, 1'000> block;
    while ((co_await of->socket->Send(block)).ok()) continue;
  };
  Spawn(fill(h)).Detach();
  Spawn(AwaitReceive(h)).Detach();
  SeqPacketSocket first = ValueOf(co_await ConnectSeqPacket(Name()));
  co_await AwaitAccept(h);
  SeqPacketSocket untaken = ValueOf(co_await ConnectSeqPacket(Name()));
  co_await TurnTimes(500);
}

TEST_P(SeqPacketHandle, OutlivesItsLoop) {
  DestroyExecutor();
  const size_t fds = OpenFds();
  std::optional<Handles> handles;
  RunElsewhere(LeaveInFlight(&handles));
  EXPECT_EQ(OpenFds(), fds) << "the loop's end closes its sockets";
  RunElsewhere(ExpectUnusable(&*handles->socket,
                              "the loop of the packet socket has ended"));
  RunElsewhere(UseListenerWithoutLoop(&*handles));
  SeqPacketSocket moved = *std::move(handles->peer);
  std::thread([&] { handles.reset(); }).join();
}

}  // namespace
}  // namespace ringway::net
