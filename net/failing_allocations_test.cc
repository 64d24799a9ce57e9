// SPDX-License-Identifier: Apache-2.0
//
// Running out of memory while connections come and go.
//
// A failed allocation of an accepted fd's stream threw std::bad_alloc out of
// the await, into the accept loop, and accepting ended. A failed allocation
// when a BufferedWriter admitted waiting bytes threw through the event loop,
// and the writer got no error. Now a failure costs one connection, or the
// bytes concerned.

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/testing/failing_allocation.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/net/udp_socket.h"

namespace ringway::net {
namespace {

using ringway::testing::FailEachAllocation;
using ringway::testing::FailingAllocation;
using ringway::testing::FdPair;
using ringway::testing::MakeSocketPair;
using ringway::testing::SendAll;
using testing::FillSendBuffer;
using testing::Pattern;
using testing::ReceiveAll;
using testing::ValueOf;

class NetFailingAllocations : public ::testing::TestWithParam<BackendKind> {
 protected:
  void SetUp() override {
    unsetenv("RINGWAY_BACKEND");  // each asks for its own
    ExecutorOptions options;
    options.loop.backend.kind = GetParam();
    absl::StatusOr<std::unique_ptr<Executor>> made = Executor::Create(options);
    if (!made.ok()) GTEST_SKIP() << made.status();
    executor_ = *std::move(made);
  }

  Loop& loop() { return executor_->loop(); }

  // Turns of the loop alone: frames and streams come from the heap, one
  // allocation each.
  void TurnUntil(absl::FunctionRef<bool()> done) {
    const MonotonicTime limit = Clock::Real().Now() + absl::Seconds(20);
    while (!done()) {
      ASSERT_LT(Clock::Real().Now(), limit) << "nothing came of it";
      loop().Work();
      loop().Wait(Clock::Real().Now() + absl::Milliseconds(1));
    }
  }

  static UniqueFd ConnectTo(const TcpListener& listener) {
    const SocketAddress address = ValueOf(listener.LocalAddress());
    return ringway::testing::ConnectTo(
        *reinterpret_cast<const sockaddr_in*>(address.data()));
  }

  TcpListener Listen() {
    return ValueOf(TcpListener::Listen(
        loop(), ValueOf(SocketAddress::Parse("127.0.0.1:0"))));
  }

  template <typename T>
  JoinResult<T> ResultOf(JoinHandle<T>& handle) {
    TurnUntil([&] { return handle.done(); });
    return handle.TakeResult();
  }

  std::unique_ptr<Executor> executor_;
};

Task<absl::StatusOr<TcpStream>> AcceptOne(TcpListener& listener) {
  co_return co_await listener.Accept();
}

Task<absl::StatusOr<TcpStream>> ConnectOne(SocketAddress address) {
  co_return co_await Connect(address);
}

bool ReadsAsEnded(int fd) {
  pollfd end = {.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&end, 1, /*timeout=*/10'000) == 1 && ReceiveAll(fd).empty();
}

TEST_P(NetFailingAllocations, OfAnAcceptCostThatConnectionOnly) {
  TcpListener listener = Listen();
  JoinHandle<absl::StatusOr<TcpStream>> accept =
      executor_->Spawn(AcceptOne(listener));
  loop().Work();  // it waits
  UniqueFd client = ConnectTo(listener);
  const uint64_t events = loop().stats().backend.deliveries;
  while (loop().stats().backend.deliveries == events)
    loop().Wait(Clock::Real().Now() + absl::Milliseconds(1));
  {
    FailingAllocation failure(1);
    loop().Work();
    EXPECT_TRUE(failure.happened());
  }
  const absl::Status status = ResultOf(accept).status();
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(ErrnoOf(status), ENOMEM) << status;
  EXPECT_TRUE(ReadsAsEnded(client.get()));

  UniqueFd next = ConnectTo(listener);
  JoinHandle<absl::StatusOr<TcpStream>> again =
      executor_->Spawn(AcceptOne(listener));
  EXPECT_TRUE(ResultOf(again).ok());
}

TEST_P(NetFailingAllocations, OfAConnectAreItsResult) {
  TcpListener listener = Listen();
  JoinHandle<absl::StatusOr<TcpStream>> connect =
      executor_->Spawn(ConnectOne(ValueOf(listener.LocalAddress())));
  const uint64_t completed = loop().stats().backend.completed;
  loop().Work();
  while (loop().stats().backend.completed == completed)
    loop().Wait(Clock::Real().Now() + absl::Milliseconds(1));
  {
    FailingAllocation failure(1);
    loop().Work();
    EXPECT_TRUE(failure.happened());
  }
  const absl::Status status = ResultOf(connect).status();
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
}

template <typename Make>
absl::Status WithoutException(Make make) {
  try {
    return make().status();
  } catch (const std::bad_alloc&) {
    return absl::InternalError("std::bad_alloc");
  }
}

TEST_P(NetFailingAllocations, OfSocketsAreTheirResult) {
  const SocketAddress any = ValueOf(SocketAddress::Parse("127.0.0.1:0"));
  const uint64_t listening = FailEachAllocation([&] {
    const absl::Status status =
        WithoutException([&] { return TcpListener::Listen(loop(), any); });
    EXPECT_TRUE(status.ok() || absl::IsResourceExhausted(status)) << status;
    loop().Work();  // deletes what the handle has left to it
  });
  EXPECT_GT(listening, 0u);
  const uint64_t bound = FailEachAllocation([&] {
    const absl::Status status =
        WithoutException([&] { return UdpSocket::Bind(loop(), any); });
    EXPECT_TRUE(status.ok() || absl::IsResourceExhausted(status)) << status;
    loop().Work();
  });
  EXPECT_GT(bound, 0u);
}

// The text is lost, the code is not, and nothing is thrown.
TEST(FailingAllocationsOfAStatus, LeaveItsCode) {
  const uint64_t n = FailEachAllocation([] {
    const absl::Status status = WithoutException([] {
      return absl::StatusOr<int>(ErrnoToStatus(
          ECONNRESET, "a text that is too long to be kept in place"));
    });
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  });
  EXPECT_GT(n, 0u);
}

// --- A server

// Serves one request and closes.
Task<void> EchoOnce(TcpStream stream) {
  absl::StatusOr<ReceivedBuffer> received = co_await stream.Receive();
  if (!received.ok()) co_return;
  if (!(co_await stream.Write(received->bytes())).ok()) co_return;
  received->Release();
  (co_await stream.Close()).IgnoreError();
}

struct Served {
  int started = 0;
  int lost = 0;
  absl::Status ended;
};

// Like an accept loop that must not end.
Task<void> Serve(Executor& executor, TcpListener& listener, Served& served) {
  while (true) {
    absl::StatusOr<TcpStream> stream = co_await listener.Accept();
    if (absl::IsResourceExhausted(stream.status())) {
      ++served.lost;
      continue;
    }
    served.ended = stream.status();
    if (!stream.ok()) co_return;
    try {
      executor.Spawn(EchoOnce(*std::move(stream))).Detach();
      ++served.started;
    } catch (const std::bad_alloc&) {
      ++served.lost;
    }
  }
}

// One allocation after the other fails while connections are accepted, read,
// written and closed.
TEST_P(NetFailingAllocations, OfAServerCostOneConnectionAndItGoesOn) {
  constexpr int kClients = 8;
  TcpListener listener = Listen();
  Served served;
  JoinHandle<void> serving =
      executor_->Spawn(Serve(*executor_, listener, served));
  std::array<UniqueFd, kClients> clients;
  // Returns how many were answered. The others see the end.
  const auto serve_all = [&] {
    served = Served();
    for (UniqueFd& client : clients) client = ConnectTo(listener);
    TurnUntil([&] { return served.started + served.lost == kClients; });
    int answered = 0;
    for (UniqueFd& client : clients) {
      send(client.get(), "x", 1, MSG_NOSIGNAL);
      pollfd news = {.fd = client.get(), .events = POLLIN, .revents = 0};
      TurnUntil([&] { return poll(&news, 1, 0) == 1; });
      char byte;
      answered += recv(client.get(), &byte, 1, 0) == 1 ? 1 : 0;
    }
    return answered;
  };
  EXPECT_EQ(serve_all(), kClients);  // grows what the loop keeps
  uint64_t n = 0;
  for (bool happened = true; happened && !HasFailure();) {
    SCOPED_TRACE(absl::StrCat("allocation ", ++n, " fails"));
    FailingAllocation failure(n);
    const int answered = serve_all();
    happened = failure.happened();
    EXPECT_EQ(served.lost, happened ? 1 : 0);
    EXPECT_EQ(answered, served.started);
  }
  EXPECT_GE(n, 2u * kClients) << "a stream and a frame are made for each";
  EXPECT_EQ(serve_all(), kClients) << "it has stopped serving";
  listener.Close();
  TurnUntil([&] { return serving.done(); });
  EXPECT_TRUE(absl::IsCancelled(served.ended)) << served.ended;
}

// --- BufferedWriter

Task<absl::Status> EnqueueOne(BufferedWriter& writer,
                              std::span<const std::byte> bytes) {
  co_return co_await writer.Enqueue(bytes);
}

TEST_P(NetFailingAllocations, OfABufferedWriterCostWhatWasToBeQueued) {
  FdPair pair = MakeSocketPair();
  TcpStream stream = TcpStream::Adopt(loop(), std::move(pair.first));
  BufferedWriter writer(stream.writer(), /*limit_bytes=*/1 << 20);
  const std::vector<std::byte> bytes = Pattern(5'000, 1);
  JoinHandle<absl::Status> refused =
      executor_->Spawn(EnqueueOne(writer, bytes));
  {
    FailingAllocation failure(1);
    loop().Work();
    EXPECT_TRUE(failure.happened());
  }
  EXPECT_EQ(ErrnoOf(ResultOf(refused)), ENOMEM);
  EXPECT_EQ(writer.queued_bytes(), 0u);
  JoinHandle<absl::Status> queued = executor_->Spawn(EnqueueOne(writer, bytes));
  EXPECT_TRUE(ResultOf(queued).ok());
  TurnUntil([&] { return writer.queued_bytes() == 0; });
}

// When a send has ended, the event loop copies bytes that have waited for
// room; its exception was not caught.
TEST_P(NetFailingAllocations, OfABufferedWriterReachTheTaskThatWaits) {
  FdPair pair = MakeSocketPair();
  FillSendBuffer(pair.first.get());
  TcpStream stream = TcpStream::Adopt(loop(), std::move(pair.first));
  BufferedWriter writer(stream.writer(), /*limit_bytes=*/1'000);
  const std::vector<std::byte> first = Pattern(1'000, 1);
  const std::vector<std::byte> large = Pattern(100'000, 2);
  JoinHandle<absl::Status> queued = executor_->Spawn(EnqueueOne(writer, first));
  JoinHandle<absl::Status> waiting =
      executor_->Spawn(EnqueueOne(writer, large));
  EXPECT_TRUE(ResultOf(queued).ok());
  EXPECT_FALSE(waiting.done());
  {
    FailingAllocation failure(1);
    std::array<char, 64 * 1024> taken;
    TurnUntil([&] {
      static_cast<void>(
          recv(pair.second.get(), taken.data(), taken.size(), MSG_DONTWAIT));
      return waiting.done();
    });
    EXPECT_TRUE(failure.happened());
  }
  EXPECT_EQ(ErrnoOf(ResultOf(waiting)), ENOMEM);
  JoinHandle<absl::Status> later = executor_->Spawn(EnqueueOne(writer, first));
  EXPECT_TRUE(ResultOf(later).ok());
}

INSTANTIATE_TEST_SUITE_P(Kinds, NetFailingAllocations,
                         ::testing::Values(BackendKind::kUring,
                                           BackendKind::kEpoll),
                         [](const auto& info) {
                           return std::string(BackendKindName(info.param));
                         });

}  // namespace
}  // namespace ringway::net
