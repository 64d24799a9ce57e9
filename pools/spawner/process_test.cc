// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/spawner/process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/pools/spawner/exit_status.h"
#include "ringway/pools/spawner/spawn_process.h"

namespace ringway {
namespace {

struct Pipe {
  Pipe() {
    int fds[2];
    EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
    read = UniqueFd(fds[0]);
    write = UniqueFd(fds[1]);
  }
  UniqueFd read, write;
};

std::string ReadAll(int fd) {
  std::string all;
  std::array<char, 4096> buffer;
  for (ssize_t n; (n = ::read(fd, buffer.data(), buffer.size())) > 0;)
    all.append(buffer.data(), static_cast<size_t>(n));
  return all;
}

SpawnRequest Shell(const std::string& script) {
  SpawnRequest request;
  request.program = "/bin/sh";
  request.arguments = {"sh", "-c", script};
  request.environment = {"PATH=/bin:/usr/bin"};
  request.fds = {{0, 0}, {1, 1}, {2, 2}};
  return request;
}

// The exit code of a process that was spawned without a task; -1 for a signal.
int ExitCodeOf(const SpawnedProcess& process) {
  int status = 0;
  EXPECT_EQ(waitpid(process.pid, &status, 0), process.pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// What `script` writes to its stdout.
std::string OutputOf(SpawnRequest request) {
  Pipe out;
  request.fds = {{0, 0}, {1, out.write.get()}, {2, 2}};
  const absl::StatusOr<SpawnedProcess> process = SpawnProcess(request);
  EXPECT_TRUE(process.ok()) << process.status();
  out.write.Reset();
  std::string all = ReadAll(out.read.get());
  EXPECT_EQ(ExitCodeOf(*process), 0) << all;
  return all;
}

size_t OpenFds() {
  const std::filesystem::directory_iterator fds("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(fds), end(fds)));
}

bool HasChildren() {
  siginfo_t info = {};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// --- SpawnProcess

TEST(SpawnProcess, ArgumentsEnvironmentAndFolderAreTheChilds) {
  SpawnRequest request = Shell("echo \"$0|$1|$A|$B\"; pwd");
  request.arguments.push_back("zero");
  request.arguments.push_back("one two");
  request.environment = {"A=a b", "PATH=/bin:/usr/bin"};
  request.working_directory = "/usr";
  EXPECT_EQ(OutputOf(request), "zero|one two|a b|\n/usr\n");
}

TEST(SpawnProcess, LooksForAProgramInThePathOfTheChild) {
  const std::string folder = ::testing::TempDir() + "/path";
  std::filesystem::create_directories(folder);
  const std::string program = folder + "/only-here";
  std::ofstream(program) << "#!/bin/sh\necho found\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  SpawnRequest request;
  request.program = "only-here";
  request.arguments = {"only-here"};
  request.environment = {absl::StrCat("PATH=/nowhere:", folder)};
  EXPECT_EQ(OutputOf(request), "found\n");
  request.environment = {"PATH=/nowhere:/bin"};
  EXPECT_EQ(ErrnoOf(SpawnProcess(request).status()), ENOENT);
  // Without a PATH: the usual folders.
  request.program = "true";
  request.environment = {};
  const absl::StatusOr<SpawnedProcess> process = SpawnProcess(request);
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ(ExitCodeOf(*process), 0);
}

TEST(SpawnProcess, FailuresAreToldAndLeaveNothing) {
  const std::string not_executable = ::testing::TempDir() + "/not_executable";
  std::ofstream(not_executable) << "x";
  struct Case {
    std::string program, folder;
    int error;
    const char* step;
  };
  const std::vector<Case> cases = {
      {"/nowhere/program", "", ENOENT, "execve"},
      {"no-such-program", "", ENOENT, "execve"},
      {not_executable, "", EACCES, "execve"},
      {"/", "", EACCES, "execve"},
      {"/bin/true", "/nowhere", ENOENT, "chdir"},
      {"/bin/true", "/bin/true", ENOTDIR, "chdir"},
  };
  const size_t fds = OpenFds();
  for (const Case& c : cases) {
    SpawnRequest request = Shell("");
    request.program = c.program;
    request.working_directory = c.folder;
    const absl::Status refused = SpawnProcess(request).status();
    EXPECT_EQ(ErrnoOf(refused), c.error) << refused;
    EXPECT_TRUE(absl::StrContains(refused.message(), c.step)) << refused;
    EXPECT_TRUE(absl::StrContains(refused.message(), c.program)) << refused;
  }
  SpawnRequest with_nul = Shell("");
  with_nul.arguments.push_back(std::string("a\0b", 3));
  EXPECT_TRUE(absl::IsInvalidArgument(SpawnProcess(with_nul).status()));
  for (int i = 0; i < 1'000; ++i) {
    SpawnRequest request = Shell("");
    request.program = "/nowhere/program";
    EXPECT_FALSE(SpawnProcess(request).ok());
  }
  EXPECT_EQ(OpenFds(), fds);
  EXPECT_FALSE(HasChildren());
}

TEST(SpawnProcess, TheChildHasOnlyTheFdsThatAreNamed) {
  // One that is not closed at an exec.
  const UniqueFd inherited(fcntl(0, F_DUPFD, 20));
  Pipe out, extra;
  SpawnRequest request =
      Shell("ls /proc/self/fd | sort -n | tr '\\n' ' '; echo x >&7");
  request.fds = {{1, out.write.get()}, {2, 2}, {7, extra.write.get()}};
  const absl::StatusOr<SpawnedProcess> process = SpawnProcess(request);
  ASSERT_TRUE(process.ok()) << process.status();
  out.write.Reset();
  extra.write.Reset();
  // 0 and 3 are the shell's pipe and the folder that ls reads.
  const std::string fds = ReadAll(out.read.get());
  EXPECT_FALSE(absl::StrContains(fds, absl::StrCat(inherited.get()))) << fds;
  EXPECT_TRUE(absl::StrContains(fds, "7")) << fds;
  EXPECT_EQ(ReadAll(extra.read.get()), "x\n");
  EXPECT_EQ(ExitCodeOf(*process), 0);
}

// As of a daemon that has closed its first three.
TEST(SpawnProcess, AnFdThatIsNotThereIsLeftOutIfItMayBe) {
  Pipe out;
  const int closed = fcntl(0, F_DUPFD_CLOEXEC, 60);
  close(closed);
  SpawnRequest request = Shell("[ -e /proc/self/fd/0 ] || echo none");
  request.fds = {{0, closed, true}, {1, out.write.get()}, {2, 2}};
  const absl::StatusOr<SpawnedProcess> process = SpawnProcess(request);
  ASSERT_TRUE(process.ok()) << process.status();
  out.write.Reset();
  EXPECT_EQ(ReadAll(out.read.get()), "none\n");
  EXPECT_EQ(ExitCodeOf(*process), 0);
  request.fds[0].optional = false;
  EXPECT_EQ(ErrnoOf(SpawnProcess(request).status()), EBADF);
}

// Each other's numbers: what is placed first must not close what comes next.
TEST(SpawnProcess, FdsMayChangePlaces) {
  Pipe first, second;
  UniqueFd five(dup3(first.write.get(), 55, O_CLOEXEC));
  UniqueFd six(dup3(second.write.get(), 56, O_CLOEXEC));
  SpawnRequest request = Shell("");
  request.program = "/bin/bash";
  request.arguments = {"bash", "-c", "echo to56 >&56; echo to55 >&55"};
  request.fds = {{0, 0}, {1, 1}, {2, 2}, {55, 56}, {56, 55}};
  const absl::StatusOr<SpawnedProcess> process = SpawnProcess(request);
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ(ExitCodeOf(*process), 0);
  for (UniqueFd* fd : {&first.write, &second.write, &five, &six}) fd->Reset();
  EXPECT_EQ(ReadAll(first.read.get()), "to56\n");
  EXPECT_EQ(ReadAll(second.read.get()), "to55\n");
}

// A worker's threads may block signals, and the process may ignore some.
TEST(SpawnProcess, SignalsAreAsAtTheStartOfAProgram) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1})
    sigaddset(&blocked, number);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto handler = signal(SIGHUP, SIG_IGN);
  const std::string states =
      OutputOf(Shell("grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status"));
  signal(SIGHUP, handler);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_TRUE(absl::StrContains(states, "SigBlk:\t0000000000000000")) << states;
  EXPECT_TRUE(absl::StrContains(states, "SigIgn:\t0000000000000000")) << states;
}

// Threads of a pool are of the class SCHED_BATCH.
TEST(SpawnProcess, TheClassOfAPoolsThreadIsNotPassedOn) {
  if (sched_getscheduler(getpid()) != SCHED_OTHER)
    GTEST_SKIP() << "the tests run in another class";
  std::string policy;
  std::thread([&policy] {
    const sched_param none = {};
    ASSERT_EQ(sched_setscheduler(0, SCHED_BATCH, &none), 0);
    policy = OutputOf(Shell("cut -d' ' -f41 /proc/self/stat"));
  }).join();
  EXPECT_EQ(policy, "0\n");
}

TEST(SpawnProcess, MayLeadAGroupOrASession) {
  SpawnRequest request = Shell("cut -d' ' -f1,5,6 /proc/$$/stat");
  const auto ids_of = [](const std::string& line) {
    std::array<int, 3> ids = {};
    EXPECT_EQ(sscanf(line.c_str(), "%d %d %d", &ids[0], &ids[1], &ids[2]), 3);
    return ids;
  };
  auto [pid, group, session] = ids_of(OutputOf(request));
  EXPECT_NE(pid, group);
  request.new_group = true;
  std::tie(pid, group, session) = std::tuple_cat(ids_of(OutputOf(request)));
  EXPECT_EQ(pid, group);
  EXPECT_NE(pid, session);
  request.new_group = false;
  request.new_session = true;
  std::tie(pid, group, session) = std::tuple_cat(ids_of(OutputOf(request)));
  EXPECT_EQ(pid, session);
}

TEST(SpawnProcess, RunsAsAUserAndAGroup) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may";
  SpawnRequest request = Shell("id -u; id -g; id -G");
  request.user = 12'345;
  request.group = 23'456;
  EXPECT_EQ(OutputOf(request), "12345\n23456\n23456\n");
}

// In a child, which gives up what root may.
TEST(SpawnProcess, AUserOrAGroupThatItMayNotBecomeIsRefused) {
  constexpr uid_t kNobody = 65'534;
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0) static_cast<void>(setresuid(kNobody, kNobody, kNobody));
    const std::string path = absl::StrCat("/tmp/ran.", getpid());
    SpawnRequest as_user = Shell(absl::StrCat("echo > ", path));
    SpawnRequest as_group = as_user;
    as_user.user = 0;
    as_group.group = 0;
    const bool refused = ErrnoOf(SpawnProcess(as_user).status()) == EPERM &&
                         ErrnoOf(SpawnProcess(as_group).status()) == EPERM;
    _exit(refused && !HasChildren() && access(path.c_str(), F_OK) != 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// --- Process

class ProcessTest : public TaskTest {
 protected:
  static Process Start(const std::string& script, bool kill_on_drop = true) {
    absl::StatusOr<SpawnedProcess> spawned = SpawnProcess(Shell(script));
    EXPECT_TRUE(spawned.ok()) << spawned.status();
    return Process(*std::move(spawned), kill_on_drop);
  }

  // Lets the reaper go on.
  static Task<void> UntilNoChildren() {
    for (int i = 0; i < 10'000 && HasChildren(); ++i)
      static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
    EXPECT_FALSE(HasChildren());
  }
};

RINGWAY_KERNEL_TEST_F(ProcessTest, ExitCodesAndSignalsAreToldApart) {
  for (const int code : {0, 1, 42, 255}) {
    Process process = Start(absl::StrCat("exit ", code));
    EXPECT_EQ(*co_await process.Wait(), ExitStatus::Exited(code));
    EXPECT_EQ(*co_await process.Wait(), ExitStatus::Exited(code)) << "again";
  }
  for (const int number : {SIGTERM, SIGKILL, SIGUSR1}) {
    Process process = Start(absl::StrCat("kill -", number, " $$"));
    EXPECT_EQ(*co_await process.Wait(), ExitStatus::Killed(number));
  }
  EXPECT_EQ(ExitStatus::Exited(3).ToString(), "exit code 3");
  EXPECT_EQ(ExitStatus::Killed(9).ToString(), "signal 9 (Killed)");
  EXPECT_EQ(ExitStatus::Killed(11, true).ToString(),
            "signal 11 (Segmentation fault), core dumped");
}

RINGWAY_KERNEL_TEST_F(ProcessTest, SignalsReachItUntilItHasEnded) {
  Process process = Start("exec sleep 1000");
  EXPECT_EQ(process.Signal(0), absl::OkStatus());
  EXPECT_EQ(ErrnoOf(process.Signal(1'000)), EINVAL);
  EXPECT_EQ(process.Signal(SIGUSR2), absl::OkStatus());
  EXPECT_EQ(*co_await process.Wait(), ExitStatus::Killed(SIGUSR2));
  EXPECT_TRUE(absl::IsNotFound(process.Signal(SIGTERM)));
}

RINGWAY_KERNEL_TEST_F(ProcessTest, StopAsksFirstAndThenEndsIt) {
  Process polite = Start("exec sleep 1000");
  EXPECT_EQ(*co_await polite.Stop(absl::Seconds(30)),
            ExitStatus::Killed(SIGTERM));
  Process stubborn = Start("trap '' TERM; echo; while :; do sleep 0.01; done");
  // Until it has set its trap.
  while (co_await [](Process& p) -> Task<bool> {
    absl::StatusOr<ExitStatus> ended =
        co_await WithTimeout(absl::Milliseconds(300), p.Wait());
    co_return ended.ok();
  }(stubborn)) {
  }
  EXPECT_EQ(*co_await stubborn.Stop(absl::Milliseconds(50)),
            ExitStatus::Killed(SIGKILL));
  Process ended = Start("exit 5");
  EXPECT_EQ(*co_await ended.Wait(), ExitStatus::Exited(5));
  EXPECT_EQ(*co_await ended.Stop(absl::Seconds(1)), ExitStatus::Exited(5));
}

RINGWAY_KERNEL_TEST_F(ProcessTest, AWaitMayEndAndBeginAgain) {
  Process process = Start("exec sleep 1000");
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      (co_await WithTimeout(absl::Milliseconds(5), process.Wait())).status()));
  auto wait = [&]() -> Task<absl::StatusOr<ExitStatus>> {
    Task<absl::StatusOr<ExitStatus>> end = process.Wait();
    co_return co_await std::move(end);
  };
  JoinHandle<absl::StatusOr<ExitStatus>> waiting = Spawn(wait());
  static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
  EXPECT_TRUE(absl::IsFailedPrecondition((co_await process.Wait()).status()));
  EXPECT_EQ(process.Signal(SIGKILL), absl::OkStatus());
  EXPECT_EQ(*co_await waiting, ExitStatus::Killed(SIGKILL));
}

RINGWAY_KERNEL_TEST_F(ProcessTest, DroppingItLeavesNoZombie) {
  const size_t fds = OpenFds();
  for (const bool kill : {true, false}) {
    // One that has ended, one that runs, and one that runs a little longer.
    for (const char* script : {"exit 0", "exec sleep 0.05"}) {
      Process process = Start(script, kill);
      static_cast<void>(co_await Sleep(absl::Milliseconds(10)));
    }
  }
  { Process killed = Start("exec sleep 1000"); }
  co_await UntilNoChildren();
  // But for the reaper's own.
  EXPECT_LE(OpenFds(), fds + 1);
}

RINGWAY_KERNEL_TEST_F(ProcessTest, ADetachedOneGoesOn) {
  Process process = Start("exec sleep 0.2");
  const pid_t pid = process.pid();
  process.Detach();
  EXPECT_TRUE(absl::IsFailedPrecondition(process.Signal(SIGKILL)));
  EXPECT_TRUE(absl::IsFailedPrecondition((co_await process.Wait()).status()));
  EXPECT_EQ(kill(pid, 0), 0);
  co_await UntilNoChildren();
}

// The size of this process must not matter.
RINGWAY_KERNEL_TEST_F(ProcessTest, ALargeParentIsNotCopied) {
  constexpr size_t kBytes = size_t{1} << 30;
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) co_return;
  // Huge pages have small tables.
  madvise(memory, kBytes, MADV_NOHUGEPAGE);
  for (size_t i = 0; i < kBytes; i += 4096) static_cast<char*>(memory)[i] = 1;
  const auto time_of = [](auto start) {
    absl::Duration least = absl::InfiniteDuration();
    for (int i = 0; i < 5; ++i) {
      const absl::Time began = absl::Now();
      const int pid = start();
      least = std::min(least, absl::Now() - began);
      waitpid(pid, nullptr, 0);
    }
    return least;
  };
  const absl::Duration spawned =
      time_of([] { return SpawnProcess(Shell("exit 0"))->pid; });
  const absl::Duration forked = time_of([] {
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    return pid;
  });
  munmap(memory, kBytes);
  // fork(2) copies the page tables of a gigabyte.
  EXPECT_LT(spawned, forked);
}

}  // namespace
}  // namespace ringway
