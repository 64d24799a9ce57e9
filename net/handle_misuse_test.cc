// SPDX-License-Identifier: Apache-2.0
//
// Every public member of the handles, called from a foreign thread, and by a
// task of another executor of the same thread.
//
// Only starting an operation used to be checked. Calls that start none - a
// write queued behind another, a returned buffer, a copied half - were not
// checked, and the foreign task was resumed on the owner's thread later. Tests
// of the operations did not show it.

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/memory/shared_bytes.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/udp_socket.h"

namespace ringway::net {
namespace {

using ringway::testing::BackendConformance;
using ringway::testing::System;
using ringway::testing::TestFd;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::ValueOf;

SocketAddress Loopback() {
  return ValueOf(SocketAddress::Parse("127.0.0.1:0"));
}

struct Handles {
  Handles(System& system, Loop& l)
      : loop(l),
        pair(ConnectedTcp(system)),
        spare(system.TcpSocket()),
        stream(TcpStream::Adopt(loop, UniqueFd(pair.near_end.Release()))),
        reader(stream.reader()),
        writer(stream.writer()),
        buffered(stream.writer()),
        listener(ValueOf(TcpListener::Listen(loop, Loopback()))),
        udp(ValueOf(UdpSocket::Bind(loop, Loopback()))) {}

  Loop& loop;
  Connected pair;
  TestFd spare;
  std::optional<ReceivedBuffer> lent;
  TcpStream stream;
  StreamReader reader;
  StreamWriter writer;
  BufferedWriter buffered;
  TcpListener listener;
  UdpSocket udp;
  std::array<std::byte, 8> buffer;
  std::span<const std::byte> part = Bytes("x");
};

struct Call {
  const char* label;
  const char* object;  // that the message names
  void (*call)(Handles&);
};

constexpr char kStream[] = "a TcpStream";
constexpr char kHalf[] = "a half of a TcpStream";
constexpr char kBuffered[] = "a BufferedWriter";
constexpr char kListener[] = "a TcpListener";
constexpr char kUdp[] = "a UdpSocket";
constexpr char kLent[] = "a received buffer";
constexpr char kLoop[] = "a loop";

// Not here: moving a TcpStream, TcpListener, UdpSocket or BufferedWriter moves
// one pointer, and looking at the bytes of a ReceivedBuffer reads memory that
// is the buffer's: both are documented as free.
const Call kCalls[] = {
    {"StreamAdopt", kLoop,
     [](Handles& h) {
       TcpStream::Adopt(h.loop, UniqueFd(h.spare.Release())).valid();
     }},
    {"StreamValid", kStream, [](Handles& h) { h.stream.valid(); }},
    {"StreamRead", kStream,
     [](Handles& h) { static_cast<void>(h.stream.Read(h.buffer)); }},
    {"StreamReadNothing", kStream,
     [](Handles& h) { static_cast<void>(h.stream.Read({})); }},
    {"StreamReceive", kStream,
     [](Handles& h) { static_cast<void>(h.stream.Receive()); }},
    {"StreamWrite", kStream,
     [](Handles& h) { static_cast<void>(h.stream.Write(h.part)); }},
    {"StreamWritev", kStream,
     [](Handles& h) {
       static_cast<void>(h.stream.Writev({&h.part, 1}));
     }},
    {"StreamWriteZeroCopy", kStream,
     [](Handles& h) {
       static_cast<void>(h.stream.WriteZeroCopy(SharedBytes()));
     }},
    {"StreamWriteGather", kStream,
     [](Handles& h) { static_cast<void>(h.stream.WriteGather({})); }},
    {"StreamZeroCopyThreshold", kStream,
     [](Handles& h) { h.stream.zero_copy_threshold(); }},
    {"StreamSetZeroCopyThreshold", kStream,
     [](Handles& h) { h.stream.set_zero_copy_threshold(1); }},
    {"StreamShutdownWrite", kStream,
     [](Handles& h) { static_cast<void>(h.stream.ShutdownWrite()); }},
    {"StreamClose", kStream,
     [](Handles& h) { static_cast<void>(h.stream.Close()); }},
    {"StreamReset", kStream, [](Handles& h) { h.stream.Reset(); }},
    {"StreamReader", kHalf, [](Handles& h) { h.stream.reader(); }},
    {"StreamWriter", kHalf, [](Handles& h) { h.stream.writer(); }},
    {"StreamLocalAddress", kStream,
     [](Handles& h) { static_cast<void>(h.stream.LocalAddress()); }},
    {"StreamPeerAddress", kStream,
     [](Handles& h) { static_cast<void>(h.stream.PeerAddress()); }},
    {"StreamFd", kStream, [](Handles& h) { h.stream.fd(); }},
    {"StreamDrop", kStream, [](Handles& h) { TcpStream(std::move(h.stream)); }},
    {"StreamAssign", kStream, [](Handles& h) { h.stream = TcpStream(); }},
    {"ReaderRead", kStream,
     [](Handles& h) { static_cast<void>(h.reader.Read(h.buffer)); }},
    {"ReaderReceive", kStream,
     [](Handles& h) { static_cast<void>(h.reader.Receive()); }},
    {"ReaderPeerAddress", kStream,
     [](Handles& h) { static_cast<void>(h.reader.PeerAddress()); }},
    {"ReaderPeerName", kStream, [](Handles& h) { h.reader.PeerName(); }},
    {"ReaderCopy", kHalf, [](Handles& h) { StreamReader copy = h.reader; }},
    {"ReaderDrop", kHalf, [](Handles& h) { h.reader = StreamReader(nullptr); }},
    {"WriterWrite", kStream,
     [](Handles& h) { static_cast<void>(h.writer.Write(h.part)); }},
    {"WriterWritev", kStream,
     [](Handles& h) {
       static_cast<void>(h.writer.Writev({&h.part, 1}));
     }},
    {"WriterWriteZeroCopy", kStream,
     [](Handles& h) {
       static_cast<void>(h.writer.WriteZeroCopy(SharedBytes()));
     }},
    {"WriterWriteGather", kStream,
     [](Handles& h) { static_cast<void>(h.writer.WriteGather({})); }},
    {"WriterShutdownWrite", kStream,
     [](Handles& h) { static_cast<void>(h.writer.ShutdownWrite()); }},
    {"WriterCopy", kHalf, [](Handles& h) { StreamWriter copy = h.writer; }},
    {"BufferedMake", kHalf, [](Handles& h) { BufferedWriter other(h.writer); }},
    {"BufferedEnqueue", kBuffered,
     [](Handles& h) { static_cast<void>(h.buffered.Enqueue(h.part)); }},
    {"BufferedFlush", kBuffered,
     [](Handles& h) { static_cast<void>(h.buffered.Flush()); }},
    {"BufferedQueuedBytes", kBuffered,
     [](Handles& h) { h.buffered.queued_bytes(); }},
    {"BufferedHighWaterBytes", kBuffered,
     [](Handles& h) { h.buffered.high_water_bytes(); }},
    {"BufferedMemoryBytes", kBuffered,
     [](Handles& h) { h.buffered.memory_bytes(); }},
    {"BufferedTryEnqueue", kBuffered,
     [](Handles& h) { h.buffered.TryEnqueue(h.part).IgnoreError(); }},
    {"BufferedCork", kBuffered, [](Handles& h) { h.buffered.Cork(); }},
    {"BufferedUncork", kBuffered, [](Handles& h) { h.buffered.Uncork(); }},
    {"BufferedDrop", kBuffered,
     [](Handles& h) { BufferedWriter(std::move(h.buffered)); }},
    {"ListenerListen", kLoop,
     [](Handles& h) { TcpListener::Listen(h.loop, Loopback()).IgnoreError(); }},
    {"ListenerAccept", kListener,
     [](Handles& h) { static_cast<void>(h.listener.Accept()); }},
    {"ListenerLocalAddress", kListener,
     [](Handles& h) { h.listener.LocalAddress().IgnoreError(); }},
    {"ListenerClose", kListener, [](Handles& h) { h.listener.Close(); }},
    {"ListenerDrop", kListener,
     [](Handles& h) { TcpListener(std::move(h.listener)); }},
    {"UdpBind", kLoop,
     [](Handles& h) { UdpSocket::Bind(h.loop, Loopback()).IgnoreError(); }},
    {"UdpConnect", kUdp,
     [](Handles& h) { h.udp.Connect(Loopback()).IgnoreError(); }},
    {"UdpSendTo", kUdp,
     [](Handles& h) { static_cast<void>(h.udp.SendTo(h.part, Loopback())); }},
    {"UdpSend", kUdp,
     [](Handles& h) { static_cast<void>(h.udp.Send(h.part)); }},
    {"UdpSendBatch", kUdp,
     [](Handles& h) { static_cast<void>(h.udp.SendBatch({})); }},
    {"UdpReceiveLent", kUdp,
     [](Handles& h) { static_cast<void>(h.udp.ReceiveLent()); }},
    {"UdpReceiveBatch", kUdp,
     [](Handles& h) { static_cast<void>(h.udp.ReceiveBatch({})); }},
    {"UdpTakeError", kUdp,
     [](Handles& h) { static_cast<void>(h.udp.TakeError()); }},
    {"UdpDisconnect", kUdp,
     [](Handles& h) { h.udp.Disconnect().IgnoreError(); }},
    {"UdpReceiveFrom", kUdp,
     [](Handles& h) { static_cast<void>(h.udp.ReceiveFrom(h.buffer)); }},
    {"UdpReceive", kUdp,
     [](Handles& h) { static_cast<void>(h.udp.Receive(h.buffer)); }},
    {"UdpLocalAddress", kUdp,
     [](Handles& h) { h.udp.LocalAddress().IgnoreError(); }},
    {"UdpFd", kUdp, [](Handles& h) { h.udp.fd(); }},
    {"UdpClose", kUdp, [](Handles& h) { h.udp.Close(); }},
    {"UdpDrop", kUdp, [](Handles& h) { UdpSocket(std::move(h.udp)); }},
    {"LentMove", kLent,
     [](Handles& h) { ReceivedBuffer moved(*std::move(h.lent)); }},
    {"LentRelease", kLent, [](Handles& h) { h.lent->Release(); }},
    {"LentDrop", kLent, [](Handles& h) { h.lent.reset(); }},
};

// In the process that is to die: makes its executors there.
class DeathTest : public BackendConformance {
 protected:
  std::unique_ptr<Executor> MakeExecutor() {
    return std::make_unique<Executor>(
        std::make_unique<Loop>(MakeForTest(), ExecutorOptions().loop),
        ExecutorOptions());
  }
};

using NetDeathTest = DeathTest;

Task<void> CallOnAForeignThread(System* system, const Call* call) {
  Handles handles(*system, Executor::Current()->loop());
  handles.pair.far_end.Send("lent");
  handles.lent = ValueOf(co_await handles.stream.Receive());
  std::thread([&] { call->call(handles); }).join();
}

TEST_P(NetDeathTest, NamesTheObjectThatAForeignThreadUses) {
  for (const Call& call : kCalls) {
    SCOPED_TRACE(call.label);
    EXPECT_DEATH(
        {
          std::unique_ptr<Executor> executor = MakeExecutor();
          executor->Run(CallOnAForeignThread(&system(), &call)).IgnoreError();
        },
        std::string(call.object) + " was used from a foreign thread");
  }
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(NetDeathTest);

// --- Two executors on one thread: the thread is right, the loop is not.

struct Await {
  const char* label;
  const char* object;
  Task<void> (*await)(Handles*);
};

Task<void> AwaitRead(Handles* h) {
  (co_await h->stream.Read(h->buffer)).IgnoreError();
}
Task<void> AwaitReceive(Handles* h) {
  (co_await h->stream.Receive()).IgnoreError();
}
Task<void> AwaitWrite(Handles* h) {
  (co_await h->stream.Write(h->part)).IgnoreError();
}
Task<void> AwaitWritev(Handles* h) {
  (co_await h->stream.Writev({&h->part, 1})).IgnoreError();
}
Task<void> AwaitWriteZeroCopy(Handles* h) {
  h->stream.set_zero_copy_threshold(1);
  (co_await h->stream.WriteZeroCopy(SharedBytes(std::string("x"))))
      .IgnoreError();
}
Task<void> AwaitShutdownWrite(Handles* h) {
  (co_await h->stream.ShutdownWrite()).IgnoreError();
}
Task<void> AwaitClose(Handles* h) {
  (co_await h->stream.Close()).IgnoreError();
}
Task<void> AwaitEnqueue(Handles* h) {
  (co_await h->buffered.Enqueue(h->part)).IgnoreError();
}
Task<void> AwaitFlush(Handles* h) {
  (co_await h->buffered.Flush()).IgnoreError();
}
Task<void> AwaitAccept(Handles* h) {
  (co_await h->listener.Accept()).IgnoreError();
}
Task<void> AwaitDatagram(Handles* h) {
  (co_await h->udp.Receive(h->buffer)).IgnoreError();
}
Task<void> AwaitLent(Handles* h) {
  (co_await h->udp.ReceiveLent()).status().IgnoreError();
}
Task<void> AwaitBatch(Handles* h) {
  std::array<OutgoingDatagram, 1> batch;
  (co_await h->udp.SendBatch(batch)).IgnoreError();
}
Task<void> AwaitSendTo(Handles* h) {
  (co_await h->udp.SendTo(h->part, Loopback())).IgnoreError();
}

const Await kAwaits[] = {
    {"Read", kStream, &AwaitRead},
    {"Receive", kStream, &AwaitReceive},
    {"Write", kStream, &AwaitWrite},
    {"Writev", kStream, &AwaitWritev},
    {"WriteZeroCopy", kStream, &AwaitWriteZeroCopy},
    {"ShutdownWrite", kStream, &AwaitShutdownWrite},
    {"Close", kStream, &AwaitClose},
    {"Enqueue", kBuffered, &AwaitEnqueue},
    {"Flush", kBuffered, &AwaitFlush},
    {"Accept", kListener, &AwaitAccept},
    {"Datagram", kUdp, &AwaitDatagram},
    {"Lent", kUdp, &AwaitLent},
    {"Batch", kUdp, &AwaitBatch},
    {"SendTo", kUdp, &AwaitSendTo},
};

using NetOtherExecutorDeathTest = DeathTest;

TEST_P(NetOtherExecutorDeathTest, NamesTheObjectThatItsTaskAwaits) {
  for (const Await& await : kAwaits) {
    SCOPED_TRACE(await.label);
    EXPECT_DEATH(
        {
          std::unique_ptr<Executor> owner = MakeExecutor();
          std::unique_ptr<Executor> other = MakeExecutor();
          Handles handles(system(), owner->loop());
          other->Run(await.await(&handles)).IgnoreError();
        },
        std::string(await.object) +
            " was awaited by a task of another executor");
  }
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(NetOtherExecutorDeathTest);

}  // namespace
}  // namespace ringway::net
