// SPDX-License-Identifier: Apache-2.0
//
// A connection is made, used and closed while the first system call of a kind
// fails, then the second, and so on until none is left. In every case the
// exchange ends, with correct bytes or with that error.

#include "ringway/backends/testing/failing_calls.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/kernel_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::CountOpenFds;
using ringway::testing::FailingCall;
using ringway::testing::SystemCall;
using ringway::testing::SystemCallName;
using testing::Echo;
using testing::Pattern;
using testing::ReadExactly;
using testing::ValueOf;
using testing::WriteAll;

constexpr size_t kPayload = 300'000;
// Far longer than an exchange takes on a loaded machine.
constexpr absl::Duration kPatience = absl::Seconds(30);

// Takes the listener along: once it is gone, waiting connections are, too.
Task<absl::Status> AcceptAndEcho(TcpListener listener) {
  absl::StatusOr<TcpStream> stream = co_await listener.Accept();
  if (!stream.ok()) co_return stream.status();
  co_return co_await Echo(*std::move(stream));
}

// The far end learns of a failure by the end of the stream.
Task<absl::Status> WriteOrEnd(TcpStream& stream,
                              std::span<const std::byte> bytes) {
  absl::Status written = co_await WriteAll(stream, bytes);
  if (!written.ok()) (co_await stream.ShutdownWrite()).IgnoreError();
  co_return written;
}

// OK if every byte came back.
Task<absl::Status> Exchange(SocketAddress address) {
  absl::StatusOr<TcpStream> stream = co_await Connect(address);
  if (!stream.ok()) co_return stream.status();
  const std::vector<std::byte> sent = Pattern(kPayload, 1);
  JoinHandle<absl::Status> writing = Spawn(WriteOrEnd(*stream, sent));
  const std::string received = co_await ReadExactly(*stream, kPayload);
  const absl::Status written = co_await writing;
  if (!written.ok()) co_return written;
  if (received.size() < kPayload) co_return absl::DataLossError("cut short");
  EXPECT_EQ(memcmp(received.data(), sent.data(), kPayload), 0);
  co_return absl::OkStatus();
}

// What came of the client's half and of the server's.
struct Outcome {
  absl::Status client;
  absl::Status server;
};

Task<Outcome> Scenario(Loop& loop) {
  TcpListener listener = ValueOf(
      TcpListener::Listen(loop, ValueOf(SocketAddress::Parse("127.0.0.1:0"))));
  const SocketAddress address = ValueOf(listener.LocalAddress());
  JoinHandle<absl::Status> server = Spawn(AcceptAndEcho(std::move(listener)));
  Outcome outcome;
  outcome.client = co_await Exchange(address);
  if (!outcome.client.ok()) server.Cancel();
  outcome.server = co_await server;
  co_return outcome;
}

template <BackendKind kKind>
class FailingCalls : public ::testing::Test {
 protected:
  void SetUp() override {
    unsetenv("RINGWAY_BACKEND");  // each suite asks for its own
    if (absl::StatusOr<std::unique_ptr<Executor>> made = Make(); !made.ok())
      GTEST_SKIP() << made.status();
  }

  static absl::StatusOr<std::unique_ptr<Executor>> Make() {
    ExecutorOptions options;
    options.loop.backend.kind = kKind;
    return Executor::Create(options);
  }

  // Runs the scenario with its n-th `call` failing. False when it made fewer.
  static bool RunOnce(SystemCall call, uint64_t n, int errnum, bool must_pass) {
    SCOPED_TRACE(absl::StrCat(SystemCallName(call), " number ", n,
                              " fails with errno ", errnum));
    const size_t fds_before = CountOpenFds();
    bool happened;
    {
      std::unique_ptr<Executor> executor = ValueOf(Make());
      FailingCall failure(call, n, errnum);
      const MonotonicTime begin = Clock::Real().Now();
      const absl::StatusOr<Outcome> outcome =
          executor->Run(WithTimeout(kPatience, Scenario(executor->loop())));
      happened = failure.happened();
      EXPECT_LT(Clock::Real().Now() - begin, kPatience) << "it hangs";
      if (outcome.ok() && (must_pass || !happened)) {
        EXPECT_TRUE(outcome->client.ok()) << outcome->client;
        EXPECT_TRUE(outcome->server.ok()) << outcome->server;
      }
    }
    EXPECT_EQ(CountOpenFds(), fds_before);
    return happened;
  }

  // Each call there is, one after the other, up to a bound that covers the
  // connection, the first transfers and the end.
  static void FailEach(SystemCall call, std::initializer_list<int> errnums,
                       bool must_pass) {
    for (int errnum : errnums) {
      uint64_t n = 1;
      while (n <= 60 && RunOnce(call, n, errnum, must_pass)) ++n;
      EXPECT_GT(n, 1u) << SystemCallName(call) << " was never called";
      if (::testing::Test::HasFailure()) return;
    }
  }
};

using FailingUringCalls = FailingCalls<BackendKind::kUring>;
using FailingEpollCalls = FailingCalls<BackendKind::kEpoll>;

// Errors of the ring's system call under pressure only cost time.
TEST_F(FailingUringCalls, NoRefusalOfTheRingIsSeen) {
  FailEach(SystemCall::kUringEnter, {EINTR, EAGAIN, EBUSY, ENOMEM},
           /*must_pass=*/true);
}

TEST_F(FailingEpollCalls, AnInterruptedWaitIsNotSeen) {
  FailEach(SystemCall::kEpollWait, {EINTR}, /*must_pass=*/true);
}

TEST_F(FailingEpollCalls, AFailedRegistrationEndsTheOperationThatNeededIt) {
  FailEach(SystemCall::kEpollControl, {ENOMEM, ENOSPC}, /*must_pass=*/false);
}

TEST_F(FailingEpollCalls, AFailedTransferEndsTheExchangeOrIsRepeated) {
  FailEach(SystemCall::kRecv, {ECONNRESET, ENOMEM}, /*must_pass=*/false);
  FailEach(SystemCall::kSend, {ECONNRESET, EPIPE, ENOBUFS, ENOMEM},
           /*must_pass=*/false);
  FailEach(SystemCall::kRecv, {EINTR}, /*must_pass=*/true);
  FailEach(SystemCall::kSend, {EINTR}, /*must_pass=*/true);
}

TEST_F(FailingEpollCalls, AcceptGoesOnAfterWhatIsNoFaultOfTheListener) {
  FailEach(SystemCall::kAccept,
           {EINTR, ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM},
           /*must_pass=*/true);
}

TEST_F(FailingEpollCalls, AFailedConnectIsReported) {
  FailEach(SystemCall::kConnect, {ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL},
           /*must_pass=*/false);
}

}  // namespace
}  // namespace ringway::net
