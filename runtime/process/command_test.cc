// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/process/command.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/structured/when.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/pools/spawner/spawn_process.h"
#include "ringway/pools/spawner/spawner_stats.h"

namespace ringway {
namespace {

class CommandTest : public TaskTest {
 protected:
  static Command Shell(std::string_view script) {
    Command command("sh");
    command.Args("-c", script);
    return command;
  }

  // What `command` writes to stdout; it must end well.
  static Task<std::string> OutOf(Command command) {
    Task<absl::StatusOr<CommandOutput>> output = command.Output();
    absl::StatusOr<CommandOutput> done = co_await std::move(output);
    EXPECT_TRUE(done.ok()) << done.status();
    if (!done.ok()) co_return "";
    EXPECT_TRUE(done->status.ok()) << done->status.ToString() << done->err;
    co_return done->out;
  }

  static Task<std::string> AllOf(net::TcpStream& stream) {
    std::array<std::byte, 256> buffer;
    std::string all;
    while (true) {
      const absl::StatusOr<size_t> n = co_await stream.Read(buffer);
      if (!n.ok() || *n == 0) co_return all;
      all.append(reinterpret_cast<const char*>(buffer.data()), *n);
    }
  }

  static std::string ContentOf(const std::string& path) {
    std::stringstream content;
    content << std::ifstream(path).rdbuf();
    return content.str();
  }

  static std::string NewPath(std::string_view name) {
    const std::string path = absl::StrCat(::testing::TempDir(), "/", name);
    unlink(path.c_str());
    return path;
  }

  static Task<void> UntilNoChildren() {
    siginfo_t info = {};
    for (int i = 0; i < 10'000 &&
                    waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
         ++i) {
      static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
    }
    EXPECT_NE(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), 0);
  }
};

RINGWAY_KERNEL_TEST_F(CommandTest, CollectsWhatAProgramWrites) {
  absl::StatusOr<CommandOutput> output =
      co_await Command("sh")
          .Args("-c", "echo out; echo err >&2; exit 3")
          .Output();
  RINGWAY_ASSERT_OK(output);
  EXPECT_EQ(output->status, ExitStatus::Exited(3));
  EXPECT_EQ(output->out, "out\n");
  EXPECT_EQ(output->err, "err\n");
}

RINGWAY_KERNEL_TEST_F(CommandTest, AProgramThatIsNotThereIsNotFound) {
  for (const char* program : {"no-such-program", "/nowhere/program"}) {
    const absl::Status refused = (co_await Command(program).Output()).status();
    EXPECT_EQ(ErrnoOf(refused), ENOENT) << refused;
    EXPECT_TRUE(absl::StrContains(refused.message(), program)) << refused;
    EXPECT_EQ(ErrnoOf((co_await Command(program).Run()).status()), ENOENT);
  }
}

RINGWAY_KERNEL_TEST_F(CommandTest, TheEnvironmentIsThisProcessesUnlessChanged) {
  setenv("RINGWAY_COMMAND_TEST", "here", 1);
  const std::string script = "echo \"$RINGWAY_COMMAND_TEST|$OTHER\"";
  EXPECT_EQ(co_await OutOf(Shell(script)), "here|\n");
  EXPECT_EQ(co_await OutOf(Shell(script).Env("OTHER", "x=y")), "here|x=y\n");
  EXPECT_EQ(co_await OutOf(Shell(script).Env("RINGWAY_COMMAND_TEST", "new")),
            "new|\n");
  EXPECT_EQ(co_await OutOf(Shell(script).RemoveEnv("RINGWAY_COMMAND_TEST")),
            "|\n");
  Command nothing("/usr/bin/env");
  nothing.Env("A", "1").ClearEnv().Env("B", "2");
  EXPECT_EQ(co_await OutOf(nothing), "B=2\n");
  unsetenv("RINGWAY_COMMAND_TEST");
}

RINGWAY_KERNEL_TEST_F(CommandTest, StartsInItsFolder) {
  EXPECT_EQ(co_await OutOf(Shell("pwd").WorkingDirectory("/usr")), "/usr\n");
}

// Both directions at once: a program that waits for its reader, while it is
// written to, would block for ever.
RINGWAY_KERNEL_TEST_F(CommandTest, PassesMegabytesBothWays) {
  Command command("cat");
  command.Stdin(Stdio::Pipe()).Stdout(Stdio::Pipe());
  absl::StatusOr<RunningCommand> cat = co_await command.Start();
  RINGWAY_ASSERT_OK(cat);
  EXPECT_FALSE(cat->err.has_value());
  std::vector<std::byte> bytes(6'000'000);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>(i * 7 / 5);
  auto write = [](net::TcpStream& in,
                  std::span<const std::byte> all) -> Task<absl::Status> {
    absl::Status written = co_await in.Write(all);
    if (!written.ok()) co_return written;
    co_return co_await in.ShutdownWrite();
  };
  auto read = [](net::TcpStream& out) -> Task<std::vector<std::byte>> {
    std::vector<std::byte> all;
    std::vector<std::byte> buffer(64 * 1024);
    while (true) {
      const absl::StatusOr<size_t> n = co_await out.Read(buffer);
      if (!n.ok() || *n == 0) co_return all;
      all.insert(all.end(), buffer.begin(),
                 buffer.begin() + static_cast<ptrdiff_t>(*n));
    }
  };
  auto [written, echoed] =
      co_await WhenAll(write(*cat->in, bytes), read(*cat->out));
  EXPECT_EQ(written, absl::OkStatus());
  EXPECT_TRUE(*echoed == bytes) << echoed->size() << " bytes";
  EXPECT_EQ(*co_await cat->process.Wait(), ExitStatus::Exited(0));
}

RINGWAY_KERNEL_TEST_F(CommandTest, OutputHasALimit) {
  absl::StatusOr<CommandOutput> output = co_await Shell("echo 12345").Output(6);
  EXPECT_EQ(output->out, "12345\n");
  EXPECT_TRUE(absl::IsResourceExhausted(
      (co_await Shell("echo 12345").Output(5)).status()));
  // One that would write for ever, from a process of its own.
  EXPECT_TRUE(absl::IsResourceExhausted(
      (co_await Shell("yes & yes >&2").Output()).status()));
  co_await UntilNoChildren();
}

RINGWAY_KERNEL_TEST_F(CommandTest, FilesAndFdsTakeThePlaceOfTheFirstThree) {
  const std::string path = NewPath("command_output");
  Command command = Shell("cat; echo to-err >&2");
  command.Stdin(Stdio::File("/proc/self/comm"))
      .Stdout(Stdio::File(path))
      .Stderr(Stdio::Stdout());
  EXPECT_EQ(*co_await command.Run(), ExitStatus::Exited(0));
  const std::string once = ContentOf(path);
  EXPECT_TRUE(absl::EndsWith(once, "\nto-err\n")) << once;
  // Anew, and then added to.
  EXPECT_EQ(*co_await command.Run(), ExitStatus::Exited(0));
  EXPECT_EQ(ContentOf(path), once);
  command.Stdout(Stdio::File(path, /*append=*/true)).Stdin(Stdio::Null());
  EXPECT_EQ(*co_await command.Run(), ExitStatus::Exited(0));
  EXPECT_EQ(ContentOf(path), once + "to-err\n");
  // The two changed over, and an extra one.
  int fds[2];
  EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
  const UniqueFd extra(fds[0]);
  Command swapped = Shell("echo out; echo err >&2; echo extra >&5");
  swapped.Stdout(Stdio::Fd(UniqueFd(dup(2))))
      .Stderr(Stdio::File(path))
      .ExtraFd(5, UniqueFd(fds[1]));
  EXPECT_EQ(*co_await swapped.Run(), ExitStatus::Exited(0));
  EXPECT_EQ(ContentOf(path), "err\n");
  std::array<char, 16> buffer;
  EXPECT_EQ(
      std::string(buffer.data(),
                  static_cast<size_t>(std::max<ssize_t>(
                      0, read(extra.get(), buffer.data(), buffer.size())))),
      "extra\n");
  const absl::Status refused =
      (co_await Shell("").Stdin(Stdio::File("/nowhere/file")).Run()).status();
  EXPECT_EQ(ErrnoOf(refused), ENOENT) << refused;
}

RINGWAY_KERNEL_TEST_F(CommandTest, ADeadlineEndsTheProgram) {
  const absl::Status late =
      (co_await WithTimeout(absl::Milliseconds(50),
                            Command("sleep").Args("1000").Output()))
          .status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(late)) << late;
  co_await UntilNoChildren();
}

RINGWAY_KERNEL_TEST_F(CommandTest, OneMayGoOnWhenItsHandleIsGone) {
  const std::string path = NewPath("command_went_on");
  {
    Command command = Shell(absl::StrCat("sleep 0.1; echo x > ", path));
    command.KillOnDrop(false);
    RINGWAY_ASSERT_OK(co_await command.Start());
  }
  co_await UntilNoChildren();
  EXPECT_EQ(ContentOf(path), "x\n");
}

// What a signal of the terminal would reach.
RINGWAY_KERNEL_TEST_F(CommandTest, MayLeadAGroupOrASessionOfItsOwn) {
  const std::string script = "cut -d' ' -f5,6 /proc/$$/stat; echo $$";
  std::stringstream own(co_await OutOf(Shell(script).NewGroup()));
  int group = 0, session = 0, pid = 1;
  own >> group >> session >> pid;
  EXPECT_EQ(group, pid);
  std::stringstream alone(co_await OutOf(Shell(script).NewSession()));
  alone >> group >> session >> pid;
  EXPECT_EQ(session, pid);
}

RINGWAY_KERNEL_TEST_F(CommandTest, ACommandCanBeStartedManyTimesAtOnce) {
  const Command command = Shell("echo x");
  std::vector<Task<absl::StatusOr<CommandOutput>>> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(command.Output());
  const auto outputs = co_await WhenAll(std::move(tasks));
  for (const auto& output : outputs) EXPECT_EQ(output->out, "x\n");
}

RINGWAY_KERNEL_TEST_F(CommandTest, FailuresDoNotDisturbOneThatRuns) {
  Command command("cat");
  command.Stdin(Stdio::Pipe());
  absl::StatusOr<RunningCommand> running = co_await command.Start();
  RINGWAY_ASSERT_OK(running);
  for (int i = 0; i < 100; ++i) {
    const absl::Status refused =
        (co_await Command("/nowhere/program").Run()).status();
    EXPECT_EQ(ErrnoOf(refused), ENOENT) << refused;
  }
  running->in.reset();
  EXPECT_EQ(*co_await running->process.Wait(), ExitStatus::Exited(0));
}

RINGWAY_KERNEL_TEST_F(CommandTest, ThePipesOfAKilledProgramEnd) {
  Command command("cat");
  command.Stdin(Stdio::Pipe()).Stdout(Stdio::Pipe()).Stderr(Stdio::Pipe());
  absl::StatusOr<RunningCommand> running = co_await command.Start();
  RINGWAY_ASSERT_OK(running);
  EXPECT_EQ(running->process.Signal(SIGTERM), absl::OkStatus());
  EXPECT_EQ(*co_await running->process.Wait(), ExitStatus::Killed(SIGTERM));
  std::array<std::byte, 8> buffer;
  EXPECT_EQ(*co_await running->out->Read(buffer), 0u);
  EXPECT_EQ(*co_await running->err->Read(buffer), 0u);
  EXPECT_FALSE((co_await running->in->Write(buffer)).ok());
}

RINGWAY_KERNEL_TEST_F(CommandTest, ThePathOfAProgramIsRelativeToItsFolder) {
  const std::string folder = NewPath("relative");
  mkdir(folder.c_str(), 0755);
  const std::string program = absl::StrCat(folder, "/program");
  std::ofstream(program) << "#!/bin/sh\necho here\n";
  chmod(program.c_str(), 0755);
  EXPECT_EQ(co_await OutOf(Command("./program").WorkingDirectory(folder)),
            "here\n");
  const absl::Status refused = (co_await Command("./program").Run()).status();
  EXPECT_EQ(ErrnoOf(refused), ENOENT) << refused;
}

RINGWAY_KERNEL_TEST_F(CommandTest, AnEmptyEnvironmentIsEmpty) {
  EXPECT_EQ(co_await OutOf(Command("/usr/bin/env").ClearEnv()), "");
}

// Its pipes then get the numbers that the child's first three have.
RINGWAY_KERNEL_TEST_F(CommandTest, WorksWhereTheFirstThreeFdsAreClosed) {
  std::array<UniqueFd, 3> kept;
  for (int fd = 0; fd < 3; ++fd) {
    kept[static_cast<size_t>(fd)] = UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 50));
    close(fd);
  }
  Command command = Shell("cat; echo err >&2");
  command.Stdin(Stdio::Pipe()).Stdout(Stdio::Pipe()).Stderr(Stdio::Pipe());
  absl::StatusOr<RunningCommand> running = co_await command.Start();
  std::string out, err;
  if (running.ok()) {
    const std::array<std::byte, 2> text = {std::byte{'h'}, std::byte{'i'}};
    EXPECT_TRUE((co_await running->in->Write(text)).ok());
    running->in.reset();
    out = co_await AllOf(*running->out);
    err = co_await AllOf(*running->err);
    EXPECT_EQ(*co_await running->process.Wait(), ExitStatus::Exited(0));
  }
  const absl::Status started = running.status();
  running = absl::CancelledError();
  for (int fd = 0; fd < 3; ++fd) dup2(kept[static_cast<size_t>(fd)].get(), fd);
  RINGWAY_EXPECT_OK(started);
  EXPECT_EQ(out, "hi");
  EXPECT_EQ(err, "err\n");
}

// The child's copy keeps the socket open, and what arrives on it must not wake
// this process, which has closed its own.
RINGWAY_KERNEL_TEST_F(CommandTest, ASocketThatAChildStillHasCostsNoTurns) {
  absl::StatusOr<StdioPair> pair = MakeStdioPair();
  RINGWAY_ASSERT_OK(pair);
  std::optional<net::TcpStream> stream =
      net::TcpStream::Adopt(loop(), UniqueFd(dup(pair->parent.get())));
  Command command("sleep");
  command.Args("1000").ExtraFd(3, std::move(pair->parent));
  absl::StatusOr<RunningCommand> running = co_await command.Start();
  RINGWAY_ASSERT_OK(running);
  command = Command("true");  // closes its copy
  EXPECT_EQ(write(pair->child.get(), "x", 1), 1);
  std::array<std::byte, 8> buffer;
  EXPECT_EQ(*co_await stream->Read(buffer), 1u);
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      (co_await WithTimeout(absl::Milliseconds(1), stream->Read(buffer)))
          .status()));
  stream.reset();
  EXPECT_EQ(write(pair->child.get(), "y", 1), 1);
  static_cast<void>(co_await Sleep(absl::Milliseconds(5)));
  const uint64_t turns = executor().stats().loop.turns;
  static_cast<void>(co_await Sleep(absl::Milliseconds(20)));
  EXPECT_LT(executor().stats().loop.turns - turns, 10u);
  EXPECT_EQ(running->process.Signal(SIGKILL), absl::OkStatus());
  EXPECT_EQ(*co_await running->process.Wait(), ExitStatus::Killed(SIGKILL));
}

// --- Counters

RINGWAY_KERNEL_TEST_F(CommandTest, StatsTellWhatHasBecomeOfPrograms) {
  co_await UntilNoChildren();
  const SpawnerStats before = GetSpawnerStats();
  EXPECT_EQ(*co_await Command("true").Run(), ExitStatus::Exited(0));
  EXPECT_FALSE((co_await Command("/nowhere/program").Run()).ok());
  SpawnerStats now = GetSpawnerStats();
  EXPECT_EQ(now.started, before.started + 1);
  EXPECT_EQ(now.failed, before.failed + 1);
  EXPECT_EQ(now.ended, before.ended + 1);
  EXPECT_EQ(now.pool.started, before.pool.started + 2);
  {
    absl::StatusOr<RunningCommand> running =
        co_await Command("sleep").Args("1000").Start();
    RINGWAY_ASSERT_OK(running);
    std::jthread([&now] { now = GetSpawnerStats(); }).join();
    EXPECT_EQ(now.running, before.running + 1);
  }
  EXPECT_EQ(GetSpawnerStats().killed, before.killed + 1);
  const std::string path = NewPath("may_end");
  {
    Command command =
        Shell(absl::StrCat("until [ -e ", path, " ]; do sleep 0.01; done"));
    RINGWAY_ASSERT_OK(co_await command.KillOnDrop(false).Start());
  }
  EXPECT_GE(GetSpawnerStats().unattended, 1u);
  std::ofstream(path) << "x";
  co_await UntilNoChildren();
  // The reaper counts shortly after it has reaped.
  for (int i = 0; i < 10'000 && GetSpawnerStats().unattended > 0; ++i)
    static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
  now = GetSpawnerStats();
  EXPECT_EQ(now.unattended, 0u);
  EXPECT_EQ(now.running, before.running);
  EXPECT_EQ(now.ended, before.ended + 3);
}

}  // namespace
}  // namespace ringway
