// SPDX-License-Identifier: Apache-2.0
//
// Handles that outlive their loop, for example in a map that is destroyed
// after the executor, or on the main thread after the worker's end.
//
// A handle used to refer to its loop without checking that it still existed:
// dropping a stream, a listener or a lent buffer afterwards used freed memory
// of the loop. The tests of closing drop their streams first, like a
// coroutine's locals, so they did not show it.

#include <netinet/in.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/check.h"
#include "ringway/core/memory/shared_bytes.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/udp_socket.h"

namespace ringway::net {
namespace {

using ringway::testing::System;
using ringway::testing::TestFd;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::Peer;
using testing::TurnTimes;
using testing::ValueOf;

// What the program keeps.
struct Handles {
  explicit Handles(System& its_system) : system(its_system) {}

  System& system;
  Peer far_end;  // of the stream
  std::optional<TcpStream> stream;
  std::optional<StreamReader> reader;
  std::optional<StreamWriter> writer;
  std::optional<BufferedWriter> buffered;
  std::optional<ReceivedBuffer> lent;
  std::optional<TcpListener> listener;
  std::optional<UdpSocket> udp;
  TestFd waiting_client;  // accepted by the kernel, taken by no task
};

SocketAddress Loopback() {
  return ValueOf(SocketAddress::Parse("127.0.0.1:0"));
}

TestFd ConnectTo(System& system, const SocketAddress& address) {
  sockaddr_in in;
  RINGWAY_CHECK(address.size() == sizeof(in), "not an IPv4 address");
  memcpy(&in, address.data(), sizeof(in));
  return system.ConnectTo(in);
}

// Leaves a lent buffer, and a receive that is armed and has delivered.
Task<void> MakeStream(Handles* h) {
  Loop& loop = Executor::Current()->loop();
  Connected pair = ConnectedTcp(h->system);
  h->far_end = std::move(pair.far_end);
  h->stream = TcpStream::Adopt(loop, UniqueFd(pair.near_end.Release()));
  h->reader = h->stream->reader();
  h->writer = h->stream->writer();
  h->buffered.emplace(h->stream->writer());
  h->far_end.Send("lent");
  h->lent = ValueOf(co_await h->stream->Receive());
  h->far_end.Send("untaken");
  // More than the socket takes: a send is in flight at the end.
  static std::array<std::byte, 16 << 20> much;
  (co_await h->buffered->Enqueue(much)).IgnoreError();
  co_await TurnTimes(3);
}

Task<void> AcceptOne(TcpListener* listener) {
  ValueOf(co_await listener->Accept()).Reset();
}

// Leaves an accept that is armed and has delivered.
Task<void> MakeListener(Handles* h) {
  Loop& loop = Executor::Current()->loop();
  h->listener = ValueOf(TcpListener::Listen(loop, Loopback()));
  const SocketAddress address = ValueOf(h->listener->LocalAddress());
  TestFd first = ConnectTo(h->system, address);
  co_await AcceptOne(&*h->listener);
  h->waiting_client = ConnectTo(h->system, address);
  co_await TurnTimes(3);
}

Task<absl::Status> ReceiveOnce(UdpSocket* socket) {
  std::array<std::byte, 16> buffer;
  co_return (co_await socket->Receive(buffer)).status();
}

// Leaves a receive in flight.
Task<void> MakeUdp(Handles* h) {
  Loop& loop = Executor::Current()->loop();
  h->udp = ValueOf(UdpSocket::Bind(loop, Loopback()));
  Spawn(ReceiveOnce(&*h->udp)).Detach();
  co_await TurnTimes(3);
}

// Leaves a receive that is armed and has delivered.
Task<void> MakeLendingUdp(Handles* h) {
  h->udp = ValueOf(UdpSocket::Bind(Executor::Current()->loop(), Loopback()));
  const SocketAddress self = ValueOf(h->udp->LocalAddress());
  for (int i = 0; i < 3; ++i)
    (co_await h->udp->SendTo(Bytes("datagram"), self)).IgnoreError();
  (co_await h->udp->ReceiveLent()).status().IgnoreError();
  co_await TurnTimes(3);
}

using Make = Task<void> (*)(Handles*);

class HandleTest : public NetTest {
 protected:
  void SetUp() override {
    NetTest::SetUp();
    if (IsSkipped()) return;
    DestroyExecutor();
    handles_.emplace(system());
  }
  void TearDown() override {
    handles_.reset();
    NetTest::TearDown();
  }

  // In a separate executor.
  void RunElsewhere(Task<void> task) {
    MakeExecutor();
    Run(std::move(task));
    DestroyExecutor();
  }

  std::optional<Handles> handles_;
};

// Instantiated twice: the handles are destroyed on their loop's thread, and
// after its end.
class HandleOutlivesItsLoop : public HandleTest {
 protected:
  // Makes the handles of `make` in an executor, which then ends; for
  // AfterItsThread on a separate thread, which then ends too.
  void MakeAndEnd(Make make) {
    auto main = [&] { RunElsewhere(make(&*handles_)); };
    if (Instantiation() == "AfterItsThread") {
      std::thread(main).join();
    } else {
      main();
    }
  }
  void MakeAll() {
    MakeAndEnd(&MakeStream);
    MakeAndEnd(&MakeListener);
    MakeAndEnd(&MakeUdp);
  }
};

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND_AS(OnItsThread, HandleOutlivesItsLoop);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND_AS(AfterItsThread, HandleOutlivesItsLoop);

void ExpectEnded(const absl::Status& status, std::string_view what) {
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), what);
}

constexpr std::string_view kStreamEnded = "the loop of the stream has ended";

Task<void> UseStream(Handles* h) {
  std::array<std::byte, 4> buffer;
  const std::span<const std::byte> part = Bytes("x");
  EXPECT_FALSE(h->stream->valid());
  ExpectEnded((co_await h->stream->Read(buffer)).status(), kStreamEnded);
  ExpectEnded((co_await h->stream->Read({})).status(), kStreamEnded);
  ExpectEnded((co_await h->stream->Receive()).status(), kStreamEnded);
  ExpectEnded(co_await h->stream->Write(Bytes("x")), kStreamEnded);
  ExpectEnded(co_await h->stream->Writev({&part, 1}), kStreamEnded);
  const SharedBytes shared(std::string("x"));
  ExpectEnded(co_await h->stream->WriteZeroCopy(shared), kStreamEnded);
  const WritePart shared_part(shared);
  ExpectEnded(co_await h->stream->WriteGather({&shared_part, 1}), kStreamEnded);
  ExpectEnded(co_await h->stream->ShutdownWrite(), kStreamEnded);
  ExpectEnded((co_await h->reader->Read(buffer)).status(), kStreamEnded);
  ExpectEnded((co_await h->reader->Receive()).status(), kStreamEnded);
  ExpectEnded(h->reader->PeerAddress().status(), kStreamEnded);
  EXPECT_EQ(h->reader->PeerName(), "");
  ExpectEnded(co_await h->writer->Write(Bytes("x")), kStreamEnded);
  ExpectEnded(h->stream->LocalAddress().status(), kStreamEnded);
  ExpectEnded(h->stream->PeerAddress().status(), kStreamEnded);
  h->stream->Reset();
  EXPECT_TRUE((co_await h->stream->Close()).ok());
}

TEST_P(HandleOutlivesItsLoop, AStreamAndItsHalves) {
  const size_t fds = OpenFds();
  MakeAndEnd(&MakeStream);
  EXPECT_EQ(OpenFds(), fds + 1) << "what is left is the peer's";
  TcpStream moved = *std::move(handles_->stream);
  handles_->stream = std::move(moved);
  RunElsewhere(UseStream(&*handles_));
}

TEST_P(HandleOutlivesItsLoop, AStreamThatIsOnlyDropped) {
  MakeAndEnd(&MakeStream);
  handles_->stream.reset();
  handles_->reader.reset();
}

TEST_P(HandleOutlivesItsLoop, AHalfThatGoesBeforeItsStream) {
  MakeAndEnd(&MakeStream);
  handles_->writer.reset();
  handles_->reader.reset();
  handles_->stream.reset();
}

Task<void> UseBuffered(Handles* h) {
  constexpr std::string_view kEnded =
      "the loop of the BufferedWriter has ended";
  ExpectEnded(co_await h->buffered->Enqueue(Bytes("x")), kEnded);
  ExpectEnded(co_await h->buffered->Flush(), kEnded);
}

TEST_P(HandleOutlivesItsLoop, ABufferedWriterWithOrWithoutItsStream) {
  MakeAndEnd(&MakeStream);
  handles_->stream.reset();
  RunElsewhere(UseBuffered(&*handles_));
  BufferedWriter moved = *std::move(handles_->buffered);
  handles_->buffered = std::move(moved);
}

TEST_P(HandleOutlivesItsLoop, ALentBuffer) {
  MakeAndEnd(&MakeStream);
  ReceivedBuffer moved = *std::move(handles_->lent);
  EXPECT_DEATH(static_cast<void>(moved.bytes()),
               "a received buffer is used after the end of its loop");
  EXPECT_DEATH(static_cast<void>(moved.empty()), "after the end of its loop");
  handles_->lent = std::move(moved);
  handles_->lent->Release();
  EXPECT_TRUE(handles_->lent->empty()) << "like any that was released";
}

Task<void> UseListener(Handles* h) {
  constexpr std::string_view kEnded = "the loop of the listener has ended";
  ExpectEnded((co_await h->listener->Accept()).status(), kEnded);
  ExpectEnded(h->listener->LocalAddress().status(), kEnded);
  h->listener->Close();
}

TEST_P(HandleOutlivesItsLoop, AListenerWithAnAcceptedConnection) {
  const size_t fds = OpenFds();
  MakeAndEnd(&MakeListener);
  EXPECT_EQ(OpenFds(), fds + 1) << "what is left is the client's";
  TcpListener moved = *std::move(handles_->listener);
  handles_->listener.emplace(std::move(moved));
  RunElsewhere(UseListener(&*handles_));
}

Task<void> UseUdp(Handles* h) {
  constexpr std::string_view kEnded = "the loop of the UDP socket has ended";
  std::array<std::byte, 4> buffer;
  ExpectEnded((co_await h->udp->ReceiveFrom(buffer)).status(), kEnded);
  ExpectEnded((co_await h->udp->Receive(buffer)).status(), kEnded);
  ExpectEnded(co_await h->udp->SendTo(Bytes("x"), Loopback()), kEnded);
  ExpectEnded(co_await h->udp->Send(Bytes("x")), kEnded);
  ExpectEnded(co_await h->udp->SendTo(Bytes("x"), Loopback(), SendOptions()),
              kEnded);
  std::array<OutgoingDatagram, 2> replies;
  ExpectEnded((co_await h->udp->SendBatch(replies)).status(), kEnded);
  ExpectEnded((co_await h->udp->ReceiveLent()).status(), kEnded);
  std::array<LentDatagram, 2> requests;
  ExpectEnded((co_await h->udp->ReceiveBatch(requests)).status(), kEnded);
  ExpectEnded((co_await h->udp->TakeError()).status(), kEnded);
  ExpectEnded(h->udp->Disconnect(), kEnded);
  ExpectEnded(h->udp->Join(MulticastGroup()), kEnded);
  ExpectEnded(h->udp->Connect(Loopback()), kEnded);
  ExpectEnded(h->udp->LocalAddress().status(), kEnded);
  h->udp->Close();
}

TEST_P(HandleOutlivesItsLoop, AUdpSocket) {
  const size_t fds = OpenFds();
  MakeAndEnd(&MakeUdp);
  EXPECT_EQ(OpenFds(), fds);
  UdpSocket moved = *std::move(handles_->udp);
  handles_->udp.emplace(std::move(moved));
  RunElsewhere(UseUdp(&*handles_));
}

TEST_P(HandleOutlivesItsLoop, AUdpSocketThatLends) {
  const size_t fds = OpenFds();
  MakeAndEnd(&MakeLendingUdp);
  EXPECT_EQ(OpenFds(), fds);
  RunElsewhere(UseUdp(&*handles_));
}

TEST_P(HandleOutlivesItsLoop, WithoutAFdToGive) {
  MakeAll();
  EXPECT_DEATH(handles_->stream->fd(),
               "a TcpStream was used after the end of its loop");
  EXPECT_DEATH(handles_->udp->fd(),
               "a UdpSocket was used after the end of its loop");
  EXPECT_DEATH(handles_->buffered->queued_bytes(),
               "a BufferedWriter was used after the end of its loop");
}

// The next connection's buffers are not affected.
Task<void> ReceiveAgain(TestFd near_end) {
  TcpStream stream = TcpStream::Adopt(Executor::Current()->loop(),
                                      UniqueFd(near_end.Release()));
  const absl::StatusOr<std::string> got = co_await testing::ReceiveSome(stream);
  EXPECT_EQ(ValueOf(got), "next");
}

TEST_P(HandleOutlivesItsLoop, BesideALoopOfItsThreadThatLives) {
  MakeAll();
  Connected next = ConnectedTcp(system());
  next.far_end.Send("next");
  RunElsewhere(ReceiveAgain(std::move(next.near_end)));
}

// --- A forked child has copies of all objects but is not their owner.

Task<void> ForkAndDrop(Handles* h) {
  co_await MakeStream(h);
  co_await MakeListener(h);
  co_await MakeUdp(h);
  const pid_t child = fork();
  if (child == 0) {
    h->lent.reset();
    h->buffered.reset();
    h->reader.reset();
    h->stream.reset();
    h->writer.reset();
    h->listener.reset();
    h->udp.reset();
    _exit(7);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  EXPECT_EQ(testing::AsString(h->lent->bytes()), "lent");
  EXPECT_EQ(ValueOf(co_await testing::ReceiveSome(*h->stream)), "untaken");
}

using HandleInAForkedChild = HandleTest;

TEST_P(HandleInAForkedChild, IsDroppedWithoutATrace) {
  RINGWAY_REQUIRES_KERNEL("fork");
  RunElsewhere(ForkAndDrop(&*handles_));
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HandleInAForkedChild);

}  // namespace
}  // namespace ringway::net
