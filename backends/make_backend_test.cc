// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/make_backend.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend_options.h"
#include "ringway/core/errno_status.h"

namespace ringway {
namespace {

using ::testing::ExitedWithCode;

// --- Names

TEST(BackendKind, NamesParseBackToTheirKind) {
  for (BackendKind kind :
       {BackendKind::kAuto, BackendKind::kUring, BackendKind::kEpoll}) {
    absl::StatusOr<BackendKind> parsed =
        ParseBackendKind(BackendKindName(kind));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, kind);
  }
}

TEST(BackendKind, OtherNamesAreRefusedWithTheChoices) {
  for (const char* text : {"", "Uring", "io_uring", "sim", "auto ", "epoll2"}) {
    absl::StatusOr<BackendKind> parsed = ParseBackendKind(text);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(parsed.status().message().find("auto, uring or epoll"),
              std::string::npos)
        << parsed.status();
  }
}

// --- Options

class MakeBackendTest : public ::testing::Test {
 protected:
  void SetUp() override { unsetenv("RINGWAY_BACKEND"); }
  void TearDown() override { unsetenv("RINGWAY_BACKEND"); }
};

struct BadOption {
  const char* field;
  uint32_t BackendOptions::*member;
  uint32_t value;
};

TEST_F(MakeBackendTest, OptionsOutOfRangeNameTheField) {
  constexpr BadOption kBad[] = {
      {"submission_entries", &BackendOptions::submission_entries, 0},
      {"submission_entries", &BackendOptions::submission_entries, 32'769},
      {"completion_entries", &BackendOptions::completion_entries, 0},
      {"completion_entries", &BackendOptions::completion_entries, 511},
      {"completion_entries", &BackendOptions::completion_entries, 65'537},
      {"receive_buffer_count", &BackendOptions::receive_buffer_count, 32'769},
      {"receive_buffer_bytes", &BackendOptions::receive_buffer_bytes, 0},
      {"receive_buffer_bytes", &BackendOptions::receive_buffer_bytes,
       (1u << 30) + 1},
      {"receive_own_bytes", &BackendOptions::receive_own_bytes, (1u << 20) + 1},
  };
  for (const BadOption& bad : kBad) {
    BackendOptions options;
    options.*bad.member = bad.value;

    const absl::Status status = MakeBackend(options).status();

    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find(bad.field), std::string::npos) << status;
    EXPECT_NE(status.message().find(std::to_string(bad.value)),
              std::string::npos)
        << status;
  }
}

TEST_F(MakeBackendTest, KindWithoutANameIsInvalid) {
  BackendOptions options;
  options.kind = static_cast<BackendKind>(200);

  EXPECT_EQ(MakeBackend(options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// --- RINGWAY_BACKEND

TEST_F(MakeBackendTest, EnvironmentOverridesTheOption) {
  BackendOptions options;
  options.kind = BackendKind::kEpoll;
  setenv("RINGWAY_BACKEND", "uring", 1);

  absl::StatusOr<std::unique_ptr<Backend>> backend = MakeBackend(options);

  const int errnum = ErrnoOf(backend.status());
  if (errnum == EPERM || errnum == ENOSYS) {
    GTEST_SKIP() << "the kernel refuses io_uring: " << backend.status();
  }
  ASSERT_TRUE(backend.ok()) << backend.status();
  EXPECT_EQ((*backend)->name(), "uring");
}

TEST_F(MakeBackendTest, EnvironmentCanAskForEpoll) {
  setenv("RINGWAY_BACKEND", "epoll", 1);

  absl::StatusOr<std::unique_ptr<Backend>> backend =
      MakeBackend(BackendOptions());

  ASSERT_TRUE(backend.ok()) << backend.status();
  EXPECT_EQ((*backend)->name(), "epoll");
}

TEST_F(MakeBackendTest, EnvironmentWithANonsenseNameIsAnErrorNamingIt) {
  setenv("RINGWAY_BACKEND", "kqueue", 1);

  const absl::Status status = MakeBackend(BackendOptions()).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("RINGWAY_BACKEND"), std::string::npos);
  EXPECT_NE(status.message().find("kqueue"), std::string::npos);
}

// --- Kernels that refuse

// Makes `system_call` fail with `errnum` in this process, permanently.
void Refuse(uint32_t system_call, uint32_t errnum) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, system_call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | errnum),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {4, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    perror("prctl for a seccomp filter");
    _exit(1);
  }
}

// In a child process, requests `kind` with `system_call` refused: prints the
// status and exits with its errno.
[[noreturn]] void MakeWhereRefused(BackendKind kind, uint32_t system_call,
                                   uint32_t errnum) {
  Refuse(system_call, errnum);
  BackendOptions options;
  options.kind = kind;
  const absl::Status status = MakeBackend(options).status();
  fprintf(stderr, "%s\n", status.ToString().c_str());
  _exit(ErrnoOf(status));
}

// In a child process, requests kAuto twice: prints the log lines and the
// backend, and exits with the number of log lines.
[[noreturn]] void MakeTwoWhereRefused(uint32_t system_call, uint32_t errnum) {
  Refuse(system_call, errnum);
  const int terminal = dup(STDERR_FILENO);
  int log[2];
  if (pipe(log) != 0 || dup2(log[1], STDERR_FILENO) < 0) _exit(100);
  absl::StatusOr<std::unique_ptr<Backend>> first =
      MakeBackend(BackendOptions());
  absl::StatusOr<std::unique_ptr<Backend>> second =
      MakeBackend(BackendOptions());
  dup2(terminal, STDERR_FILENO);
  close(log[1]);
  char text[4096] = {};
  const ssize_t n_bytes = read(log[0], text, sizeof(text) - 1);
  if (!first.ok() || !second.ok() || n_bytes < 0) _exit(101);
  const std::string_view lines(text, static_cast<size_t>(n_bytes));
  fprintf(stderr, "%s%s, %s\n", text, std::string((*first)->name()).c_str(),
          std::string((*second)->name()).c_str());
  _exit(static_cast<int>(std::count(lines.begin(), lines.end(), '\n')));
}

using MakeBackendDeathTest = MakeBackendTest;

TEST_F(MakeBackendDeathTest, AutoTakesEpollWithOneLineSayingWhy) {
  EXPECT_EXIT(MakeTwoWhereRefused(__NR_io_uring_setup, EPERM),
              ExitedWithCode(1),
              "^ringway: using epoll instead of io_uring: io_uring_setup is "
              "refused.*seccomp.*\nepoll, epoll\n");
}

TEST_F(MakeBackendDeathTest, AutoTakesEpollWhateverIsRefused) {
  for (uint32_t errnum : {ENOSYS, EINVAL, ENOMEM}) {
    EXPECT_EXIT(MakeTwoWhereRefused(__NR_io_uring_setup, errnum),
                ExitedWithCode(1), "io_uring_setup.*\nepoll, epoll\n");
  }
  EXPECT_EXIT(MakeTwoWhereRefused(__NR_io_uring_enter, EPERM),
              ExitedWithCode(1), "io_uring_enter.*\nepoll, epoll\n");
  EXPECT_EXIT(MakeTwoWhereRefused(__NR_io_uring_register, EPERM),
              ExitedWithCode(1),
              "listing io_uring's opcodes: io_uring_register is refused.*"
              "seccomp.*Operation not permitted\nepoll, epoll\n");
}

TEST_F(MakeBackendDeathTest, EpollRefusedIsAnErrorThatSaysSo) {
  EXPECT_EXIT(MakeWhereRefused(BackendKind::kEpoll, __NR_epoll_create1, EMFILE),
              ExitedWithCode(EMFILE), "epoll_create1");
}

// Every failure was taken for a refusal, so a process that was briefly out of
// fds stayed on epoll; the tests of refusals only had real ones.
TEST_F(MakeBackendDeathTest, NoFdsLeftIsNoReasonToTakeEpoll) {
  for (int errnum : {EMFILE, ENFILE}) {
    EXPECT_EXIT(MakeWhereRefused(BackendKind::kAuto, __NR_io_uring_setup,
                                 static_cast<uint32_t>(errnum)),
                ExitedWithCode(errnum),
                "io_uring_setup found no free (fd|file).*raise");
  }
}

TEST_F(MakeBackendDeathTest, AnErrorThatIsNoRefusalIsNotHiddenByEpoll) {
  EXPECT_EXIT(MakeWhereRefused(BackendKind::kAuto, __NR_io_uring_setup, EFAULT),
              ExitedWithCode(EFAULT), "io_uring_setup");
}

// Only the first error was reported, so users who fixed it then got the
// second.
TEST_F(MakeBackendDeathTest, NothingToFallBackToGivesBothRefusals) {
  EXPECT_EXIT(
      {
        Refuse(__NR_io_uring_setup, ENOSYS);
        MakeWhereRefused(BackendKind::kAuto, __NR_epoll_create1, EPERM);
      },
      ExitedWithCode(ENOSYS),
      "io_uring_setup does not exist.*epoll is unavailable too: "
      "epoll_create1.*Operation not permitted");
}

TEST_F(MakeBackendDeathTest, SetupRefusedByPolicyNamesTheCauseAndTheRemedy) {
  EXPECT_EXIT(MakeWhereRefused(BackendKind::kUring, __NR_io_uring_setup, EPERM),
              ExitedWithCode(EPERM),
              "io_uring_setup is refused.*seccomp.*io_uring_disabled");
}

TEST_F(MakeBackendDeathTest, SetupUnknownToTheKernelNamesTheCauseAndTheRemedy) {
  EXPECT_EXIT(
      MakeWhereRefused(BackendKind::kUring, __NR_io_uring_setup, ENOSYS),
      ExitedWithCode(ENOSYS), "io_uring_setup does not exist.*6.0");
}

TEST_F(MakeBackendDeathTest, SetupWithoutMemoryNamesTheCauseAndTheRemedy) {
  EXPECT_EXIT(
      MakeWhereRefused(BackendKind::kUring, __NR_io_uring_setup, ENOMEM),
      ExitedWithCode(ENOMEM), "memory.*ulimit -l.*fewer entries");
}

TEST_F(MakeBackendDeathTest, EveryFlagSetRefusedIsAnError) {
  EXPECT_EXIT(
      MakeWhereRefused(BackendKind::kUring, __NR_io_uring_setup, EINVAL),
      ExitedWithCode(EINVAL), "io_uring_setup");
}

TEST_F(MakeBackendDeathTest, AllowedSetupWithRefusedEnterIsAnError) {
  EXPECT_EXIT(MakeWhereRefused(BackendKind::kUring, __NR_io_uring_enter, EPERM),
              ExitedWithCode(EPERM), "io_uring_enter");
}

TEST_F(MakeBackendDeathTest, AllowedSetupWithRefusedRegisterIsAnError) {
  // liburing did not return the errno, so the remedy was missing.
  EXPECT_EXIT(
      MakeWhereRefused(BackendKind::kUring, __NR_io_uring_register, EPERM),
      ExitedWithCode(EPERM), "io_uring_register is refused.*seccomp");
}

TEST_F(MakeBackendDeathTest, NoFdsLeftIsAnError) {
  EXPECT_EXIT(
      MakeWhereRefused(BackendKind::kUring, __NR_io_uring_setup, EMFILE),
      ExitedWithCode(EMFILE), "io_uring_setup");
}

// --- Closed standard fds

// The kernel assigns the lowest free number: with 0 to 2 closed, a ring
// became stdin and its doorbell stdout, and printf() wrote to an eventfd or
// to a peer. A test's own 0 to 2 are always open.
[[noreturn]] void MakeWithClosed(std::initializer_list<int> fds,
                                 BackendKind kind) {
  const int terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
  for (int fd : fds) close(fd);
  BackendOptions options;
  options.kind = kind;
  absl::StatusOr<std::unique_ptr<Backend>> backend = MakeBackend(options);
  if (!backend.ok()) _exit(100);
  for (int fd : fds) {
    struct stat standard, null;
    if (fstat(fd, &standard) != 0 || stat("/dev/null", &null) != 0) _exit(101);
    if (standard.st_rdev != null.st_rdev) _exit(102);
  }
  // Fds that the kernel makes later, as in accept, are beyond them too.
  const int next = dup(terminal);
  dup2(terminal, STDERR_FILENO);
  _exit(next > STDERR_FILENO ? 7 : 103);
}

TEST_F(MakeBackendDeathTest, ClosedStandardFdsNeverBecomeABackends) {
  for (BackendKind kind :
       {BackendKind::kAuto, BackendKind::kUring, BackendKind::kEpoll}) {
    EXPECT_EXIT(MakeWithClosed({0, 1, 2}, kind), ExitedWithCode(7), "");
    EXPECT_EXIT(MakeWithClosed({1}, kind), ExitedWithCode(7), "");
    EXPECT_EXIT(MakeWithClosed({0, 2}, kind), ExitedWithCode(7), "");
  }
}

TEST_F(MakeBackendDeathTest, OpenStandardFdsStayWhatTheyAre) {
  EXPECT_EXIT(
      {
        struct stat before;
        struct stat after;
        if (fstat(STDERR_FILENO, &before) != 0) _exit(1);
        if (!MakeBackend(BackendOptions()).ok()) _exit(2);
        if (fstat(STDERR_FILENO, &after) != 0) _exit(3);
        _exit(before.st_ino == after.st_ino ? 7 : 4);
      },
      ExitedWithCode(7), "");
}

}  // namespace
}  // namespace ringway
