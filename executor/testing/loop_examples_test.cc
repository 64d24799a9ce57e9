// SPDX-License-Identifier: Apache-2.0
//
// The examples at the heads of the headers of loops, rings, operations and the
// simulator, and of those that tasks are made of, compiled. The last test
// compares: what a header shows stands here, but for the space between.

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/sim/environment/faults.h"
#include "ringway/backends/sim/script.h"
#include "ringway/backends/sim/sim_backend.h"
#include "ringway/backends/sim/world.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/loop/loop_runner.h"
#include "ringway/executor/loop/operation_deadline.h"
#include "ringway/executor/ring/ring.h"
#include "ringway/executor/ring/ring_thread.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/executor/testing/quoted_examples.h"
#include "ringway/executor/testing/simulation.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using ::testing::IsEmpty;

// --- backends/

struct Sockets {
  explicit Sockets(Loop& loop) : calls(loop.backend().sockets()) {
    EXPECT_EQ(calls.Pair(SOCK_STREAM, fds), 0);
  }
  ~Sockets() {
    calls.Close(fds[0]);
    calls.Close(fds[1]);
  }
  SocketCalls& calls;
  int fds[2];
};

int32_t received = 0;
void OnReceived(Runnable& entry) {
  received = static_cast<Operation&>(entry).result;
}

TEST(LoopHeaderExamples, World) {
  sim::World world(/*seed=*/7);
  world.environment().faults = sim::Faults::All();
  Loop loop(world.MakeBackend());
  EXPECT_EQ(world.leaks(), "");
  EXPECT_THAT(world.errors(), IsEmpty());
}

TEST(LoopHeaderExamples, OperationScriptAndLoopRunner) {
  sim::World world(/*seed=*/7);
  Loop loop(world.MakeBackend());
  Sockets sockets(loop);
  const int fd = sockets.fds[0];
  std::array<std::byte, 64> buffer;
  world.script().Expect(OpCode::kRecv).OnFd(fd).Deliver("hello");
  world.script().Expect(OpCode::kRecv).ReturnError(ECONNRESET);

  Operation op(&OnReceived);
  PrepareRecv(op, fd, buffer);  // prepare.h
  loop.Start(op);               // OnReceived(op) runs later, with op.result set
  LoopRunner runner(loop);
  absl::Status ended = runner.Run(RunMode::kUntilDone);
  EXPECT_TRUE(ended.ok()) << ended;
  EXPECT_EQ(received, 5);

  loop.Start(op);
  EXPECT_TRUE(runner.Run(RunMode::kUntilDone).ok());
  EXPECT_EQ(received, -ECONNRESET);
}

int BindTo(SocketCalls& calls, const sockaddr* address, socklen_t length) {
  SocketFd socket(calls, calls.Socket(AF_INET, SOCK_STREAM));
  if (socket.get() < 0) return -socket.get();  // an errno
  if (int error = calls.Bind(socket.get(), address, length); error < 0)
    return -error;
  return 0;
}

TEST(LoopHeaderExamples, SocketCalls) {
  sim::World world(/*seed=*/7);
  Loop loop(world.MakeBackend());
  sockaddr_in any = {};
  any.sin_family = AF_INET;
  EXPECT_EQ(BindTo(loop.backend().sockets(), reinterpret_cast<sockaddr*>(&any),
                   sizeof(any)),
            0);
  EXPECT_EQ(world.leaks(), "");
}

// --- executor/loop

OperationDeadline* deadline_of_receive = nullptr;
void OnTimedReceive(Runnable& entry) {
  Operation& recv = static_cast<Operation&>(entry);
  OperationDeadline& deadline = *deadline_of_receive;
  int32_t result = deadline.Settle(recv);  // -ETIME, or its own
  received = result;
}

TEST(LoopHeaderExamples, OperationDeadline) {
  sim::World world(/*seed=*/7);
  world.environment().alone = true;
  Loop loop(world.MakeBackend());
  Sockets sockets(loop);
  std::array<std::byte, 64> buffer;
  Operation recv(&OnTimedReceive);
  PrepareRecv(recv, sockets.fds[0], buffer);
  OperationDeadline deadline(loop);
  loop.Start(recv);
  deadline.Set(recv, loop.now() + absl::Seconds(2));
  deadline_of_receive = &deadline;
  EXPECT_TRUE(LoopRunner(loop).Run(RunMode::kUntilDone).ok());
  EXPECT_EQ(received, -ETIME);
}

// --- executor/ring

class Session {
  enum class Message : uint16_t { kRead, kWritten };
  static void OnDone(Ring& ring, Session& self, Message which, Completion done);

 public:
  void Start(Ring& ring, int fd) {
    fd_ = fd;
    ring.Recv(fd_, buffer_, Context(this, &OnDone, Message::kRead));
  }
  int32_t n_read() const { return n_read_; }

 private:
  int fd_ = -1;
  std::array<std::byte, 16> buffer_;
  int32_t n_read_ = 0;
};

void Session::OnDone(Ring&, Session& self, Message which, Completion done) {
  if (which == Message::kRead) self.n_read_ = done.result;
}

class Writer {
 public:
  absl::Status Write(int fd, std::span<const std::byte> bytes) {
    Ring ring = *Ring::Create();
    ring.Write(fd, bytes, Context(this, &OnDone, Message::kFirst));
    absl::Status ended = ring.Run(RunMode::kUntilDone);
    return ended;
  }
  int32_t n_written() const { return n_written_; }

 private:
  enum class Message : uint16_t { kFirst };
  static void OnDone(Ring&, Writer& self, Message, Completion done) {
    self.n_written_ = done.result;
  }
  int32_t n_written_ = 0;
};

TEST(LoopHeaderExamples, RingAndContext) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  const UniqueFd near_end(fds[0]);
  const UniqueFd far_end(fds[1]);
  const std::string_view text = "hello";
  Writer writer;
  EXPECT_TRUE(
      writer.Write(near_end.get(), std::as_bytes(std::span(text))).ok());
  EXPECT_EQ(writer.n_written(), 5);

  Ring ring = *Ring::Create();
  Session session;
  session.Start(ring, far_end.get());
  EXPECT_TRUE(ring.Run(RunMode::kUntilDone).ok());
  EXPECT_EQ(session.n_read(), 5);
}

// On a thread of its own.
struct Counter {
  absl::Status Start(Ring& ring) {
    ring.OnMessage(Context(this, &OnMessage));
    return absl::OkStatus();
  }
  static void OnMessage(Ring&, Counter& self, Completion) { ++self.n; }
  static void OnSent(Ring&, Counter&, Completion done) {
    EXPECT_TRUE(done.ok()) << done.status();
  }
  std::atomic<int> n{0};
};

TEST(LoopHeaderExamples, RingThread) {
  Ring ring = *Ring::Create();
  Counter state;
  const Context context(&state, &Counter::OnSent);
  absl::StatusOr<RingThread> worker =
      SpawnThread(RingOptions(), [&](Ring& ring) { return state.Start(ring); });
  ring.Message(worker->address(), uint64_t{7}, context);
  EXPECT_TRUE(ring.Run(RunMode::kUntilDone).ok());
  EXPECT_EQ(state.n, 1);
}

// --- executor/task

ringway::Task<int> Answer() { co_return 42; }
ringway::Task<absl::Status> Ask() {
  int answer = co_await Answer();
  co_return answer == 42 ? absl::OkStatus() : absl::InternalError("it is not");
}

// An awaitable that lets the next turn come.
class NextTurn : private Suspension {
 public:
  NextTurn() : Suspension(&OnCancel, "the next turn") {}
  bool await_ready() const { return false; }
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    cancelled_ = !task.Park(leaf, *this);
    if (cancelled_) return task.SkipWait(leaf);  // do not wait, say so
    task.Wake();
    return true;
  }
  bool await_resume() const { return !cancelled_; }

 private:
  static void OnCancel(Suspension&) {}
  bool cancelled_ = false;
};

Task<bool> WaitATurn() { co_return co_await NextTurn(); }

TEST(LoopHeaderExamples, TaskAndTaskContext) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(Ask()).ok());
  EXPECT_TRUE(*executor->Run(WaitATurn()));
}

// --- executor/testing

Task<absl::Status> Serve(Loop&) {
  co_return co_await Sleep(absl::InfiniteDuration());
}

TEST(LoopHeaderExamples, Simulation) {
  Simulation simulation(/*seed=*/7);
  simulation.TurnEverythingBad();
  SimulatedHost& server = simulation.AddHost();
  SimulatedHost& client = simulation.AddHost();
  auto serving = server.executor().Spawn(Serve(server.loop()));
  auto asking = client.executor().Spawn(Ask());
  EXPECT_EQ(simulation.RunUntil([&] { return asking.done(); }),
            absl::OkStatus());
  EXPECT_EQ(asking.TakeResult(), absl::OkStatus());
  serving.Cancel();
  simulation.DestroyHosts();
  EXPECT_EQ(simulation.Check(), absl::OkStatus());
}

// --- The headers.

TEST(LoopHeaderExamples, OfTheHeadersAreTheseHere) {
  for (const char* header : {
           "backends/operation.h",
           "backends/sim/script.h",
           "backends/sim/world.h",
           "backends/socket_calls.h",
           "executor/loop/loop_runner.h",
           "executor/loop/operation_deadline.h",
           "executor/ring/context.h",
           "executor/ring/ring.h",
           "executor/ring/ring_thread.h",
           "executor/task/task.h",
           "executor/task/task_context.h",
           "executor/testing/simulation.h",
       }) {
    testing::ExpectHeaderQuotes(header,
                                "executor/testing/loop_examples_test.cc");
  }
}

}  // namespace
}  // namespace ringway
