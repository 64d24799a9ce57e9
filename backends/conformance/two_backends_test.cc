// SPDX-License-Identifier: Apache-2.0
//
// Loops with different backends in one process, talking to each other.

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/real_system.h"
#include "ringway/core/errno_status.h"

namespace ringway::testing {
namespace {

using Message = std::array<std::byte, 64>;

BackendOptions OfKind(BackendKind kind) {
  BackendOptions options;
  options.kind = kind;
  return options;
}

// Sends back what it receives until the peer has closed.
void Echo(BackendDriver& driver, int fd) {
  CountedOperation op;
  Message message;
  while (true) {
    PrepareRecv(op, fd, message);
    const int32_t n = driver.RunToEnd(op);
    ASSERT_GE(n, 0);
    if (n == 0) return;
    PrepareSend(op, fd, std::span(message).first(static_cast<size_t>(n)));
    ASSERT_EQ(driver.RunToEnd(op), n);
  }
}

// Sends `rounds` messages and expects each back.
void Ask(BackendDriver& driver, int fd, int rounds) {
  CountedOperation op;
  for (int i = 0; i < rounds; ++i) {
    Message sent, received;
    sent.fill(static_cast<std::byte>(i));
    PrepareSend(op, fd, sent);
    ASSERT_EQ(driver.RunToEnd(op), 64);
    PrepareRecv(op, fd, received, MSG_WAITALL);
    ASSERT_EQ(driver.RunToEnd(op), 64);
    ASSERT_EQ(received, sent);
  }
}

TEST(TwoBackends, OfDifferentKindsServeOneProcess) {
  unsetenv("RINGWAY_BACKEND");
  std::unique_ptr<System> system = MakeRealSystem();
  absl::StatusOr<std::unique_ptr<Backend>> uring =
      system->MakeBackend(OfKind(BackendKind::kUring));
  if (ErrnoOf(uring.status()) == EPERM || ErrnoOf(uring.status()) == ENOSYS) {
    GTEST_SKIP() << "the kernel refuses io_uring: " << uring.status();
  }
  ASSERT_TRUE(uring.ok()) << uring.status();
  BackendDriver client(*std::move(uring));
  EXPECT_EQ(client->name(), "uring");
  TestFdPair sockets = system->SocketPair();

  std::thread other([&] {
    absl::StatusOr<std::unique_ptr<Backend>> epoll =
        system->MakeBackend(OfKind(BackendKind::kEpoll));
    ASSERT_TRUE(epoll.ok()) << epoll.status();
    BackendDriver server(*std::move(epoll));
    EXPECT_EQ(server->name(), "epoll");
    Echo(server, sockets.second.get());
  });
  Ask(client, sockets.first.get(), /*rounds=*/1'000);
  sockets.first.Reset();
  other.join();
}

TEST(TwoBackends, OfDifferentKindsShareAThread) {
  unsetenv("RINGWAY_BACKEND");
  std::unique_ptr<System> system = MakeRealSystem();
  absl::StatusOr<std::unique_ptr<Backend>> backend =
      system->MakeBackend(BackendOptions());
  absl::StatusOr<std::unique_ptr<Backend>> epoll =
      system->MakeBackend(OfKind(BackendKind::kEpoll));
  ASSERT_TRUE(backend.ok()) << backend.status();
  ASSERT_TRUE(epoll.ok()) << epoll.status();
  BackendDriver sender(*std::move(backend)), receiver(*std::move(epoll));
  TestFdPair sockets = system->SocketPair();
  CountedOperation send, recv;
  Message message = {};
  PrepareRecv(recv, sockets.first.get(), message);
  receiver.Start(recv);
  receiver.TurnWithoutBlocking();

  PrepareSend(send, sockets.second.get(), {message.data(), 5});
  EXPECT_EQ(sender.RunToEnd(send), 5);

  EXPECT_TRUE(receiver.RunUntil([&] { return recv.done(); }));
  EXPECT_EQ(recv.result, 5);
}

// Makes pairs of sockets and has its backend close them.
void MakeAndClose(BackendKind kind, int rounds) {
  std::unique_ptr<System> system = MakeRealSystem();
  absl::StatusOr<std::unique_ptr<Backend>> backend =
      system->MakeBackend(OfKind(kind));
  ASSERT_TRUE(backend.ok()) << backend.status();
  BackendDriver driver(*std::move(backend));
  for (int i = 0; i < rounds; ++i) {
    int fds[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    std::array<CountedOperation, 2> closes;
    for (size_t end = 0; end < 2; ++end) {
      PrepareClose(closes[end], fds[end]);
      driver.Start(closes[end]);
    }
    for (CountedOperation& close : closes) {
      ASSERT_TRUE(driver.RunUntil([&] { return close.done(); }));
      ASSERT_EQ(close.result, 0);
    }
  }
}

// A number that one thread's ring has closed is soon another thread's. To
// ThreadSanitizer, which follows the calls that make and close fds, the two who
// made it raced, as a close inside the kernel went unseen. It takes threads
// that share nothing but the numbers: where they exchange messages those order
// the two.
TEST(TwoBackends, NumbersOfFdsGoFromOneThreadToTheOther) {
  unsetenv("RINGWAY_BACKEND");
  for (BackendKind kind : {BackendKind::kAuto, BackendKind::kEpoll}) {
    std::thread other(&MakeAndClose, kind, /*rounds=*/1'000);
    MakeAndClose(BackendKind::kAuto, /*rounds=*/1'000);
    other.join();
  }
}

}  // namespace
}  // namespace ringway::testing
