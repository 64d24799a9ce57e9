// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/signals/signal_stream.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

using net::SocketAddress;
using net::testing::ReceiveAll;
using net::testing::ValueOf;

struct ServerOptions {
  absl::Duration limit = absl::InfiniteDuration();
  Runtime::ConnectionHandler handler = Echo;
  Runtime::StartHandler on_start;
  // Called in its process before it serves.
  std::function<void()> before = [] {};
};

// The mask of the calling thread and the process's actions for the two
// signals.
struct Dispositions {
  Dispositions() {
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    sigaction(SIGTERM, nullptr, &term);
    sigaction(SIGINT, nullptr, &interrupt);
  }
  bool operator==(const Dispositions& other) const {
    return sigismember(&mask, SIGTERM) == sigismember(&other.mask, SIGTERM) &&
           sigismember(&mask, SIGINT) == sigismember(&other.mask, SIGINT) &&
           term.sa_handler == other.term.sa_handler &&
           interrupt.sa_handler == other.interrupt.sa_handler;
  }
  sigset_t mask;
  struct sigaction term, interrupt;
};

// A server in a separate process, started before there is any other thread.
class Server {
 public:
  explicit Server(const ServerOptions& options = {}) {
    testing::FdPair output = testing::MakePipe();
    fflush(stdout);  // or the child also prints this process's unflushed output
    pid_ = fork();
    RINGWAY_CHECK(pid_ >= 0, "fork: errno %d", errno);
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(output.second.get(), STDOUT_FILENO);
      // A shell starts what runs in its background with SIGINT ignored, which
      // RunUntilSignal() respects.
      for (int number : {SIGTERM, SIGINT}) signal(number, SIG_DFL);
      options.before();
      const Dispositions before;
      Runtime::Builder builder = OneWorker();
      builder.DrainDeadline(absl::Seconds(60))
          .Listen("127.0.0.1:0", options.handler)
          .OnStart(options.on_start);
      const int code = RunUntilSignal(builder, options.limit);
      const bool restored = before == Dispositions();
      fflush(stdout);
      _exit(restored ? code : 100);
    }
    output_ = std::move(output.first);
  }
  ~Server() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }

  // Its output up to a line that contains `text`.
  std::string ReadUntil(std::string_view text) {
    while (true) {
      const size_t found = printed_.find(text);
      const size_t end =
          found == std::string::npos ? found : printed_.find('\n', found);
      if (end != std::string::npos) return printed_;
      std::array<char, 512> buffer;
      const ssize_t n = read(output_.get(), buffer.data(), buffer.size());
      if (n <= 0) return printed_;
      printed_.append(buffer.data(), static_cast<size_t>(n));
    }
  }

  SocketAddress address() {
    constexpr std::string_view kPrefix = "listening on ";
    const std::string text = ReadUntil(kPrefix);
    const size_t begin = text.find(kPrefix) + kPrefix.size();
    return ValueOf(SocketAddress::Parse(
        text.substr(begin, text.find('\n', begin) - begin)));
  }

  void Signal(int number) { kill(pid_, number); }

  // The exit code, or minus the signal it died of.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::string ReadToEnd() { return ReadUntil("\n\n\n"); }

 private:
  pid_t pid_ = -1;
  UniqueFd output_;
  std::string printed_;
};

UniqueFd ConnectAndEcho(const SocketAddress& address) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(fd.get(), address.data(), address.size()), 0);
  testing::SendAll(fd.get(), "x");
  char c = 0;
  EXPECT_EQ(recv(fd.get(), &c, 1, 0), 1);
  EXPECT_EQ(c, 'x');
  return fd;
}

// Until it no longer listens. Every connection it is asked with has ended.
void WaitUntilItDrains(const SocketAddress& address) {
  while (true) {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(fd.get(), address.data(), address.size()) != 0) return;
    shutdown(fd.get(), SHUT_WR);
    ReceiveAll(fd.get());
  }
}

TEST(RunUntilSignal, DrainsOnEitherSignalAndLeavesTheProcessAsItWas) {
  for (const int number : {SIGTERM, SIGINT}) {
    Server server;
    ConnectAndEcho(server.address()).Reset();
    server.Signal(number);
    const std::string output = server.ReadToEnd();
    EXPECT_EQ(server.Wait(), 0) << output;
    EXPECT_TRUE(absl::StrContains(output, "backend: ")) << output;
    EXPECT_TRUE(absl::StrContains(output, "1 accepted")) << output;
    EXPECT_TRUE(absl::StrContains(output, "\ndrained\n")) << output;
  }
}

TEST(RunUntilSignal, WaitsForAConnectionThatIsOpen) {
  Server server;
  const SocketAddress address = server.address();
  UniqueFd client = ConnectAndEcho(address);
  server.Signal(SIGTERM);
  WaitUntilItDrains(address);
  testing::SendAll(client.get(), "y");
  char c = 0;
  EXPECT_EQ(recv(client.get(), &c, 1, 0), 1);
  client.Reset();
  EXPECT_EQ(server.Wait(), 0);
}

TEST(RunUntilSignal, ASecondSignalCutsTheDrainShort) {
  Server server;
  const SocketAddress address = server.address();
  UniqueFd client = ConnectAndEcho(address);
  server.Signal(SIGTERM);
  WaitUntilItDrains(address);
  server.Signal(SIGTERM);
  const std::string output = server.ReadToEnd();
  EXPECT_EQ(server.Wait(), 1);
  EXPECT_TRUE(absl::StrContains(output, "not drained")) << output;
  EXPECT_TRUE(absl::StrContains(output, "1 cut")) << output;
  EXPECT_EQ(ReceiveAll(client.get()), "");
}

TEST(RunUntilSignal, EndsByItselfAtItsLimit) {
  Server server({.limit = absl::Milliseconds(50)});
  EXPECT_EQ(server.Wait(), 0);
  EXPECT_TRUE(absl::StrContains(server.ReadToEnd(), "\ndrained\n"));
}

// Waits for a byte.
Task<bool> Begin(net::TcpStream& stream) {
  std::array<std::byte, 1> byte;
  absl::StatusOr<size_t> n = co_await stream.Read(byte);
  co_return n.ok() && *n > 0;
}

// A connection whose handler goes beyond Begin().
UniqueFd Begun(Server& server) {
  const SocketAddress address = server.address();
  UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(client.get(), address.data(), address.size()), 0);
  testing::SendAll(client.get(), "x");
  return client;
}

// All that such a handler sends.
std::string AskAll(Server& server) { return ReceiveAll(Begun(server).get()); }

// The signal state of a program that is started here.
std::string SignalsOfANewProgram() {
  testing::FdPair output = testing::MakePipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output.second.get(),
                                   STDOUT_FILENO);
  std::string grep = "grep", what = "^Sig", where = "/proc/self/status";
  std::array<char*, 4> arguments = {grep.data(), what.data(), where.data(),
                                    nullptr};
  pid_t pid = -1;
  const int failed =
      posix_spawnp(&pid, "grep", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  output.second.Reset();
  if (failed != 0) return "posix_spawnp failed";
  std::string text;
  std::array<char, 512> buffer;
  ssize_t n;
  while ((n = read(output.first.get(), buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), static_cast<size_t>(n));
  waitpid(pid, nullptr, 0);
  return text;
}

Task<absl::Status> AnswerWithSignals(net::TcpStream stream) {
  co_await Begin(stream);
  const std::string text = SignalsOfANewProgram();
  co_return co_await stream.Write(net::testing::Bytes(text));
}

// The set of signals behind `name` in /proc/PID/status.
uint64_t SignalSet(const std::string& status, std::string_view name) {
  const size_t at = status.find(name);
  if (at == std::string::npos) return ~uint64_t{0};
  return strtoull(status.c_str() + at + name.size(), nullptr, 16);
}

// RunUntilSignal() used sigtimedwait(2), which requires the signals to be
// blocked in all threads. Workers inherited that mask, and so did programs
// that a handler started: SIGTERM could not end them. Tests checked the
// calling thread's mask before and after, but not the mask of others.
TEST(RunUntilSignal, ProgramsThatAHandlerStartsBeginWithNeitherSignalBlocked) {
  Server server({.handler = AnswerWithSignals});
  const std::string text = AskAll(server);
  constexpr uint64_t kBoth = uint64_t{1} << (SIGINT - 1) | uint64_t{1}
                                                               << (SIGTERM - 1);
  EXPECT_EQ(SignalSet(text, "SigBlk:") & kBoth, 0u) << text;
  EXPECT_EQ(SignalSet(text, "SigIgn:") & kBoth, 0u) << text;
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0);
}

// A blocked signal is queued even if it is ignored, and sigtimedwait(2) takes
// it: SIGINT ended a server that a shell had started in the background.
TEST(RunUntilSignal, ASignalIgnoredAtTheStartStaysIgnored) {
  Server server({.before = [] { signal(SIGINT, SIG_IGN); }});
  const SocketAddress address = server.address();
  server.Signal(SIGINT);
  for (int i = 0; i < 50; ++i) ConnectAndEcho(address).Reset();
  server.Signal(SIGTERM);
  const std::string output = server.ReadToEnd();
  EXPECT_EQ(server.Wait(), 0) << "100: it is no longer ignored";
  EXPECT_TRUE(absl::StrContains(output, "50 accepted")) << output;
}

TEST(RunUntilSignal, HearsASignalThatWasBlockedAndPendingAndBlocksItAgain) {
  Server server({.before = [] {
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, nullptr);
    raise(SIGTERM);
  }});
  EXPECT_EQ(server.Wait(), 0) << "100: the mask is not as before";
  EXPECT_TRUE(absl::StrContains(server.ReadToEnd(), "\ndrained\n"));
}

TEST(RunUntilSignal, PutsAHandlerOfTheProgramsOwnBack) {
  Server server({.before = [] {
    signal(SIGTERM, [](int) { _exit(101); });
    signal(SIGINT, [](int) { _exit(102); });
  }});
  ConnectAndEcho(server.address()).Reset();
  server.Signal(SIGINT);
  EXPECT_EQ(server.Wait(), 0) << "100: the handlers are not as before";
}

Task<absl::Status> AnswerWithAChild(net::TcpStream stream) {
  co_await Begin(stream);
  const pid_t child = fork();
  if (child == 0) {
    while (true) pause();
  }
  const std::string text = absl::StrCat(child);
  co_return co_await stream.Write(net::testing::Bytes(text));
}

TEST(RunUntilSignal, AForkedChildHasTheSignalsAsBefore) {
  if (kThreadSanitizer) GTEST_SKIP() << kForkedUnderThreadSanitizer;
  Server server({.handler = AnswerWithAChild});
  const UniqueFd client = Begun(server);
  std::array<char, 16>
      text;  // no end follows it: the child has the socket, too
  const ssize_t n = recv(client.get(), text.data(), text.size(), 0);
  pid_t child = 0;
  ASSERT_TRUE(
      absl::SimpleAtoi(std::string(text.data(), n > 0 ? n : 0), &child));
  const UniqueFd handle(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  ASSERT_GE(handle.get(), 0);
  kill(child, SIGTERM);
  pollfd ended = {.fd = handle.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&ended, 1, 60'000), 1) << "it does not end";
  kill(child, SIGKILL);
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0) << "the parent goes on until its own";
}

Task<void> PrintSignals(SignalStream signals) {
  while (true) {
    const absl::StatusOr<Signal> signal = co_await signals.Next();
    if (!signal.ok()) co_return;
    printf("signal %d\n", signal->number);
    fflush(stdout);
  }
}

Task<absl::Status> OpenStreams() {
  // Closed at once, which must leave the signal handled.
  SignalStream::Open({SIGTERM}).status().IgnoreError();
  absl::StatusOr<SignalStream> signals = SignalStream::Open({SIGTERM, SIGUSR1});
  if (!signals.ok()) co_return signals.status();
  Spawn(PrintSignals(*std::move(signals))).Detach();
  co_return absl::OkStatus();
}

TEST(RunUntilSignal, SharesItsSignalsWithStreams) {
  Server server({.on_start = OpenStreams});
  UniqueFd client = ConnectAndEcho(server.address());
  server.Signal(SIGUSR1);
  server.ReadUntil(absl::StrCat("signal ", SIGUSR1));
  ConnectAndEcho(server.address()).Reset();  // it goes on
  server.Signal(SIGTERM);
  server.ReadUntil(absl::StrCat("signal ", SIGTERM));  // drains meanwhile
  client.Reset();
  const std::string output = server.ReadToEnd();
  EXPECT_EQ(server.Wait(), 0) << "100: the dispositions are not as before";
  EXPECT_TRUE(absl::StrContains(output, "\ndrained\n")) << output;
}

TEST(RunUntilSignal, RefusesToRunTwiceAtATime) {
  auto run_again = []() -> Task<absl::Status> {
    Runtime::Builder builder = OneWorker();
    co_return RunUntilSignal(builder) == 1 ? absl::OkStatus()
                                           : absl::InternalError("it ran");
  };
  Server server({.on_start = run_again});
  ConnectAndEcho(server.address()).Reset();
  server.Signal(SIGTERM);
  const std::string output = server.ReadToEnd();
  EXPECT_EQ(server.Wait(), 0);
  EXPECT_FALSE(absl::StrContains(output, "OnStart failed")) << output;
}

Task<absl::Status> AnswerWhetherThereCanBeThreads(net::TcpStream stream) {
  co_await Begin(stream);
  const rlimit none = {.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_NPROC, &none);
  const bool there_can = [] {
    try {
      std::thread([] {}).join();
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }();
  co_return co_await stream.Write(
      net::testing::Bytes(there_can ? "yes" : "no"));
}

// Waiting for the drain needed a thread, started after the signal. In a
// container at its limit of tasks that threw: the process was terminated with
// open connections, without a drain.
TEST(RunUntilSignal, DrainsWhereNoThreadCanBeStartedAnyMore) {
  Server server({.handler = AnswerWhetherThereCanBeThreads, .before = [] {
                   // Root has no limit.
                   static_cast<void>(setresuid(65534, 65534, 65534));
                 }});
  if (AskAll(server) != "no") GTEST_SKIP() << "the limit does not bind here";
  server.Signal(SIGTERM);
  const std::string output = server.ReadToEnd();
  EXPECT_EQ(server.Wait(), 0) << output;
  EXPECT_TRUE(absl::StrContains(output, "\ndrained\n")) << output;
}

TEST(RunUntilSignal, SaysWhyItCannotStart) {
  Runtime::Builder builder = OneWorker();
  builder.Listen("nonsense", Echo);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(RunUntilSignal(builder), 1);
  const std::string output = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(absl::StrContains(output, "cannot start: \"nonsense\""))
      << output;
}

}  // namespace
}  // namespace ringway
