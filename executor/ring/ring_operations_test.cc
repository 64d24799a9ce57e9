// SPDX-License-Identifier: Apache-2.0
//
// Every operation as a method of a ring, and the fields of completions
// besides the result.

#include "ringway/executor/ring/ring_operations.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/ring/ring.h"
#include "ringway/executor/ring/ring_fixture.h"

namespace ringway {
namespace {

using testing::BytesOf;
using testing::Log;
using testing::Once;
using testing::TestFd;
using testing::TestFdPair;

class RingOperationsTest : public testing::RingConformance {
 protected:
  // Runs one operation to its end.
  int32_t Result(const std::function<void(const Context&)>& start) {
    Log log;
    start(log.At(0));
    RunUntilDone();
    EXPECT_EQ(log.Finals(0).size(), 1u);
    return log.entries().back().result;
  }
};

// Uses a bad fd, so that it has no effect; the operation name in the
// completion identifies it.
TEST_P(RingOperationsTest, EachMethodStartsTheOperationOfItsName) {
  Ring& r = ring();
  Log log;
  const Context c = log.At(0);
  std::array<std::byte, 1> bytes;
  sockaddr_in address = {};
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  iovec part = {bytes.data(), 1};
  msghdr message = {};
  struct statx status;
  siginfo_t info;
  const std::vector<std::pair<std::string, std::function<void()>>> methods = {
      {"nop", [&] { r.Nop(c); }},
      {"read", [&] { r.Read(-1, bytes, c); }},
      {"write", [&] { r.Write(-1, bytes, c); }},
      {"readv",
       [&] {
         r.Readv(-1, {&part, 1}, c);
       }},
      {"writev",
       [&] {
         r.Writev(-1, {&part, 1}, c);
       }},
      {"close", [&] { r.Close(-1, c); }},
      {"poll", [&] { r.Poll(-1, POLLIN, c); }},
      {"multishot poll", [&] { r.PollMultishot(-1, POLLIN, c); }},
      {"splice", [&] { r.Splice(-1, -1, -1, -1, 1, c); }},
      {"sendfile", [&] { r.SendFile(-1, -1, 0, 1, c); }},
      {"socket", [&] { r.Socket(-1, SOCK_STREAM, 0, c); }},
      {"bind", [&] { r.Bind(-1, to, sizeof(address), c); }},
      {"listen", [&] { r.Listen(-1, 1, c); }},
      {"accept", [&] { r.Accept(-1, c); }},
      {"multishot accept", [&] { r.AcceptMultishot(-1, c); }},
      {"connect", [&] { r.Connect(-1, to, sizeof(address), c); }},
      {"shutdown", [&] { r.Shutdown(-1, SHUT_WR, c); }},
      {"recv", [&] { r.Recv(-1, bytes, c); }},
      {"recvmsg", [&] { r.RecvMsg(-1, message, c); }},
      {"multishot recv", [&] { r.RecvMultishot(-1, c); }},
      {"multishot recvmsg", [&] { r.RecvMsgMultishot(-1, message, c); }},
      {"send", [&] { r.Send(-1, bytes, c); }},
      {"sendmsg", [&] { r.SendMsg(-1, message, c); }},
      {"zero-copy send", [&] { r.SendZeroCopy(-1, bytes, c); }},
      {"zero-copy sendmsg", [&] { r.SendMsgZeroCopy(-1, message, c); }},
      {"openat", [&] { r.OpenAt(-1, "x", O_RDONLY, 0, c); }},
      {"statx", [&] { r.Statx(-1, "x", 0, STATX_BASIC_STATS, &status, c); }},
      {"statx", [&] { r.Lstat("/nowhere/at/all", &status, c); }},
      {"fsync", [&] { r.Fsync(-1, c); }},
      {"fsync", [&] { r.Fdatasync(-1, c); }},
      {"sync_file_range", [&] { r.SyncFileRange(-1, 0, 1, 0, c); }},
      {"fallocate", [&] { r.Fallocate(-1, 0, 0, 1, c); }},
      {"ftruncate", [&] { r.Truncate(-1, 1, c); }},
      {"rename", [&] { r.Rename(-1, "x", -1, "y", c); }},
      {"unlink", [&] { r.Unlink(-1, "x", c); }},
      {"unlink", [&] { r.Rmdir(-1, "x", c); }},
      {"mkdir", [&] { r.Mkdir(-1, "x", 0700, c); }},
      {"link", [&] { r.Link(-1, "x", -1, "y", c); }},
      {"symlink", [&] { r.Symlink("x", -1, "y", c); }},
      {"waitpid", [&] { r.WaitPid(-1, &info, c); }},
      {"io_uring command", [&] { r.UringCommand(-1, 0, {}, c); }},
  };
  for (const auto& [name, start] : methods) {
    const size_t before = log.entries().size();
    start();
    RunUntilDone();
    ASSERT_EQ(log.entries().size(), before + 1) << name;
    EXPECT_EQ(log.entries().back().operation, name);
    EXPECT_EQ(log.entries().back().result < 0, name != "nop") << name;
  }
}

TEST_P(RingOperationsTest, AFileFromItsCreationToItsRemoval) {
  Ring& r = ring();
  const std::string folder = system().Directory() + "/folder";
  const std::string path = folder + "/file", other = folder + "/other";
  EXPECT_EQ(Result([&](const Context& c) {
              r.Mkdir(AT_FDCWD, folder.c_str(), 0700, c);
            }),
            0);
  const int fd = Result([&](const Context& c) {
    r.OpenAt(AT_FDCWD, path.c_str(), O_CREAT | O_RDWR, 0600, c);
  });
  ASSERT_GE(fd, 0);
  EXPECT_EQ(Result([&](const Context& c) {
              r.Write(fd, BytesOf("0123456789"), c, /*offset=*/0);
            }),
            10);
  EXPECT_EQ(Result([&](const Context& c) { r.Fsync(fd, c); }), 0);
  EXPECT_EQ(Result([&](const Context& c) { r.Truncate(fd, 8, c); }), 0);
  std::array<std::byte, 16> buffer;
  EXPECT_EQ(
      Result([&](const Context& c) { r.Read(fd, buffer, c, /*offset=*/5); }),
      3);
  EXPECT_EQ(memcmp(buffer.data(), "567", 3), 0);
  EXPECT_EQ(Result([&](const Context& c) {
              r.Rename(AT_FDCWD, path.c_str(), AT_FDCWD, other.c_str(), c);
            }),
            0);
  struct statx status = {};
  EXPECT_EQ(
      Result([&](const Context& c) { r.Lstat(path.c_str(), &status, c); }),
      -ENOENT);
  EXPECT_EQ(
      Result([&](const Context& c) { r.Lstat(other.c_str(), &status, c); }), 0);
  EXPECT_EQ(status.stx_size, 8u);
  EXPECT_EQ(
      Result([&](const Context& c) { r.Unlink(AT_FDCWD, other.c_str(), c); }),
      0);
  EXPECT_EQ(
      Result([&](const Context& c) { r.Rmdir(AT_FDCWD, folder.c_str(), c); }),
      0);
  EXPECT_EQ(Result([&](const Context& c) { r.Close(fd, c); }), 0);
}

TEST_P(RingOperationsTest, AnAcceptTellsWhoHasConnected) {
  TestFd listener = system().TcpListener(/*backlog=*/8);
  Log log;
  TestFd accepted;
  sockaddr_in address = {}, told = {};
  socklen_t length = sizeof(address);
  log.then = [&](Ring&, uint16_t, Completion& done) {
    accepted = system().Own(done.result);
    ASSERT_NE(done.address, nullptr);
    memcpy(&told, done.address, sizeof(told));
  };
  ring().Accept(listener.get(), log.At(0),
                reinterpret_cast<sockaddr*>(&address), &length);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  RunUntilDone();
  EXPECT_EQ(told.sin_port, system().AddressOf(client.get()).sin_port);
}

// --- Deliveries

TEST_P(RingOperationsTest,
       AMultishotReceiveLendsItsBuffersUntilTheyAreDropped) {
  BackendOptions options = Options();
  options.receive_buffer_count = 2;
  options.receive_copy_bytes = 0;
  options.share_receive_buffers = false;
  options.receive_own_bytes = 0;
  MakeRing(RingOptions(), options);
  TestFdPair pair = system().SocketPair();
  Log log;
  std::vector<ReceivedData> held;
  log.then = [&](Ring&, uint16_t, Completion& done) {
    if (!done.is_final) held.push_back(std::move(done.data));
  };
  ring().RecvMultishot(pair.first.get(), log.At(0));
  for (const char* text : {"one", "two", "three"}) {
    SendAll(pair.second.get(), text);
    RunWithoutWaiting();
  }
  ASSERT_EQ(held.size(), 2u) << "there are two buffers";
  held.clear();
  pair.second.Reset();
  RunUntilDone();
  ASSERT_EQ(log.entries().size(), 4u);
  EXPECT_EQ(log.entries()[0].bytes, "one");
  EXPECT_EQ(log.entries()[1].bytes, "two");
  EXPECT_EQ(log.entries()[2].bytes, "three");
  EXPECT_EQ(log.Finals(0), Once(0)) << "the end of the stream";
  held.clear();
}

// Two hundred deliveries through two buffers: each goes back after its
// callback.
TEST_P(RingOperationsTest, ADeliveryThatNobodyKeepsReturnsItsBuffer) {
  BackendOptions options = Options();
  options.receive_buffer_count = 2;
  options.receive_copy_bytes = 0;
  options.share_receive_buffers = false;
  MakeRing(RingOptions(), options);
  TestFdPair pair = system().SocketPair();
  Log log;
  ring().RecvMultishot(pair.first.get(), log.At(0));
  for (size_t i = 0; i < 200; ++i) {
    SendAll(pair.second.get(), "x");
    while (log.entries().size() <= i) {
      ASSERT_EQ(ring().Run(RunMode::kOnce), absl::OkStatus());
    }
  }
  ring().CancelAll();
  RunUntilDone();
  EXPECT_EQ(log.Finals(0), Once(-ECANCELED));
}

TEST_P(RingOperationsTest, AMultishotAcceptDeliversConnections) {
  TestFd listener = system().TcpListener(/*backlog=*/8);
  Log log;
  std::vector<TestFd> accepted;
  log.then = [&](Ring& ring, uint16_t, Completion& done) {
    if (done.is_final) return;
    accepted.push_back(system().Own(done.result));
    if (accepted.size() == 3) ring.Cancel(done.task);
  };
  ring().AcceptMultishot(listener.get(), log.At(0));
  std::vector<TestFd> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(system().ConnectTo(system().AddressOf(listener.get())));
  }
  RunUntilDone();
  EXPECT_EQ(accepted.size(), 3u);
  EXPECT_EQ(log.Finals(0), Once(-ECANCELED));
}

TEST_P(RingOperationsTest, ADatagramComesWithItsSender) {
  TestFd receiver = system().UdpSocket(), sender = system().UdpSocket();
  Log log;
  sockaddr_in from = {};
  log.then = [&](Ring& ring, uint16_t, Completion& done) {
    if (done.is_final) return;
    ASSERT_NE(done.address, nullptr);
    memcpy(&from, done.address, sizeof(from));
    EXPECT_EQ(done.message_flags & MSG_TRUNC, 0u);
    ring.Cancel(done.task);
  };
  msghdr room = {};
  room.msg_namelen = sizeof(sockaddr_in);
  ring().RecvMsgMultishot(receiver.get(), room, log.At(0));
  EXPECT_EQ(system().SendTo(sender.get(), "datagram",
                            system().AddressOf(receiver.get())),
            8);
  RunUntilDone();
  EXPECT_EQ(log.entries()[0].bytes, "datagram");
  EXPECT_EQ(log.entries()[0].result, 8);
  EXPECT_EQ(from.sin_port, system().AddressOf(sender.get()).sin_port);
}

TEST_P(RingOperationsTest, AReceivedMessageTellsItsSenderAndThatItWasCut) {
  TestFd receiver = system().UdpSocket(), sender = system().UdpSocket();
  Log log;
  sockaddr_in room = {}, from = {};
  uint32_t flags = 0;
  log.then = [&](Ring&, uint16_t, Completion& done) {
    ASSERT_NE(done.address, nullptr);
    memcpy(&from, done.address, sizeof(from));
    flags = done.message_flags;
  };
  std::array<std::byte, 4> buffer;
  iovec part = {buffer.data(), buffer.size()};
  msghdr message = {};
  message.msg_name = &room;
  message.msg_namelen = sizeof(room);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  ring().RecvMsg(receiver.get(), message, log.At(0));
  EXPECT_EQ(system().SendTo(sender.get(), "datagram",
                            system().AddressOf(receiver.get())),
            8);
  RunUntilDone();
  EXPECT_EQ(log.Finals(0), Once(4));
  EXPECT_NE(flags & MSG_TRUNC, 0u);
  EXPECT_EQ(from.sin_port, system().AddressOf(sender.get()).sin_port);
}

TEST_P(RingOperationsTest, AZeroCopySendDeliversBytesAndThenItsMemory) {
  TestFd listener = system().TcpListener(/*backlog=*/8);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  TestFd server = system().Accept(listener.get());
  const std::string data(100'000, 'z');
  Log log;
  ring().SendZeroCopy(client.get(), BytesOf(data), log.At(0));
  size_t received = 0;
  while (log.Finals(0).empty()) {
    RunWithoutWaiting();
    received += system().Receive(server.get(), data.size()).size();
  }
  EXPECT_EQ(log.Finals(0), Once(0));
  ASSERT_FALSE(log.entries()[0].is_final);
  received += system().Receive(server.get(), data.size()).size();
  EXPECT_EQ(static_cast<size_t>(log.entries()[0].result), received);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(RingOperationsTest);

}  // namespace
}  // namespace ringway
