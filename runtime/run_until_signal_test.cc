// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backends/testing/sockets.h"
#include "gtest/gtest.h"
#include "net/testing/net_fixture.h"
#include "runtime/runtime.h"

namespace ringway {
namespace {

using net::SocketAddress;
using net::testing::ReceiveAll;
using net::testing::ValueOf;

Task<absl::Status> Echo(net::TcpStream stream) {
  Task<absl::Status> echo = net::testing::Echo(std::move(stream));
  co_return co_await std::move(echo);
}

// A server in a process of its own, made before there is any other thread.
class Server {
 public:
  explicit Server(absl::Duration limit = absl::InfiniteDuration()) {
    testing::FdPair output = testing::MakePipe();
    pid_ = fork();
    RINGWAY_CHECK(pid_ >= 0, "fork: errno %d", errno);
    if (pid_ == 0) {
      dup2(output.second.get(), STDOUT_FILENO);
      sigset_t before, after;
      sigprocmask(SIG_SETMASK, nullptr, &before);
      Runtime::Builder builder;
      builder.DrainDeadline(absl::Seconds(60)).Listen("127.0.0.1:0", Echo);
      const int code = RunUntilSignal(builder, limit);
      sigprocmask(SIG_SETMASK, nullptr, &after);
      struct sigaction term;
      sigaction(SIGTERM, nullptr, &term);
      const bool restored =
          sigismember(&before, SIGTERM) == sigismember(&after, SIGTERM) &&
          sigismember(&before, SIGINT) == sigismember(&after, SIGINT) &&
          term.sa_handler == SIG_DFL;
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

  // What it prints up to a line with `text` in it.
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
    return ValueOf(
        SocketAddress::Parse(text.substr(begin, text.find('\n') - begin)));
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
  while (true) {  // until it no longer listens, hence has begun to drain
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(fd.get(), address.data(), address.size()) != 0) break;
  }
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
  while (true) {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(fd.get(), address.data(), address.size()) != 0) break;
  }
  server.Signal(SIGTERM);
  const std::string output = server.ReadToEnd();
  EXPECT_EQ(server.Wait(), 1);
  EXPECT_TRUE(absl::StrContains(output, "not drained")) << output;
  EXPECT_TRUE(absl::StrContains(output, "1 cut")) << output;
  EXPECT_EQ(ReceiveAll(client.get()), "");
}

TEST(RunUntilSignal, EndsByItselfAtItsLimit) {
  Server server(absl::Milliseconds(50));
  EXPECT_EQ(server.Wait(), 0);
  EXPECT_TRUE(absl::StrContains(server.ReadToEnd(), "\ndrained\n"));
}

TEST(RunUntilSignal, SaysWhyItCannotStart) {
  Runtime::Builder builder;
  builder.Listen("nonsense", Echo);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(RunUntilSignal(builder), 1);
  const std::string output = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(absl::StrContains(output, "cannot start: \"nonsense\""))
      << output;
}

}  // namespace
}  // namespace ringway
