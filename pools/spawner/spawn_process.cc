// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/spawner/spawn_process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ringway/core/errno_status.h"

// The thread sanitizer takes clone() for fork(), whose child has memory of its
// own; this is another name of it.
extern "C" int __clone(int (*main)(void*), void* stack, int flags,
                       void* argument, ...);

namespace ringway {
namespace {

// Where execvp(3) looks for programs if there is no PATH.
constexpr std::string_view kDefaultPath = "/bin:/usr/bin";

// The child's stack until it runs the program.
constexpr size_t kStackBytes = size_t{256} << 10;

std::string_view PathIn(const std::vector<std::string>& environment) {
  for (std::string_view variable : environment) {
    if (absl::ConsumePrefix(&variable, "PATH=")) return variable;
  }
  return kDefaultPath;
}

// The files that `program` may mean, in the order to try them.
std::vector<std::string> CandidatesFor(const SpawnRequest& request) {
  if (request.program.find('/') != std::string::npos) return {request.program};
  std::vector<std::string> candidates;
  for (std::string_view folder :
       absl::StrSplit(PathIn(request.environment), ':')) {
    candidates.push_back(
        absl::StrCat(folder.empty() ? "." : folder, "/", request.program));
  }
  return candidates;
}

std::vector<const char*> PointersTo(const std::vector<std::string>& strings) {
  std::vector<const char*> pointers;
  for (const std::string& string : strings) pointers.push_back(string.c_str());
  pointers.push_back(nullptr);
  return pointers;
}

// All that the child needs. It shares this memory and must change nothing of it
// but `copy`, `failed_step` and `error`; nor may it allocate, or take a lock.
struct Child {
  struct Fd {
    int there;
    int here;
    bool optional;
    int copy;  // where the child keeps it until all are there; -1: left out
  };

  const SpawnRequest& request;
  const char* const* candidates;
  const char* const* arguments;
  const char* const* environment;
  const char* folder;  // null: this process's
  const uid_t* user;   // null: none is asked for, as below
  const gid_t* group;
  bool leaves_class;  // SCHED_BATCH, that of this thread
  Fd* fds;
  size_t n_fds;
  int first_free_fd;

  const char* failed_step = nullptr;
  int error = 0;
};

// --- In the child.
//
// Plain system calls only: of the C library's functions those that set ids
// change all threads of this process, and sigaction(2) leaves out signals that
// it uses itself. Sanitizers, which keep a record of this thread's calls, must
// not see functions that never return.
#if defined(__clang__)
#define RINGWAY_IN_CHILD __attribute__((disable_sanitizer_instrumentation))
#else
#define RINGWAY_IN_CHILD \
  __attribute__((no_sanitize("address,thread,undefined")))
#endif

constexpr size_t kSignalSetBytes = (_NSIG - 1) / 8;

RINGWAY_IN_CHILD bool Fail(Child& child, const char* step) {
  child.failed_step = step;
  child.error = errno;
  return false;
}

RINGWAY_IN_CHILD void ResetSignals() {
  const struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    unsigned char mask[kSignalSetBytes];
  } defaults = {};  // SIG_DFL is 0
  for (int number = 1; number < _NSIG; ++number)
    syscall(SYS_rt_sigaction, number, &defaults, nullptr, kSignalSetBytes);
}

RINGWAY_IN_CHILD void UnblockSignals() {
  const unsigned char none[kSignalSetBytes] = {};
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, nullptr, kSignalSetBytes);
}

RINGWAY_IN_CHILD bool EnterGroups(Child& child) {
  const gid_t* group = child.group;
  const uid_t* user = child.user;
  if (child.request.new_session && syscall(SYS_setsid) < 0)
    return Fail(child, "setsid");
  if (child.request.new_group && syscall(SYS_setpgid, 0, 0) < 0)
    return Fail(child, "setpgid");
  if (group != nullptr) {
    if (syscall(SYS_setgroups, 1, group) != 0) return Fail(child, "setgroups");
    if (syscall(SYS_setresgid, *group, *group, *group) != 0)
      return Fail(child, "setresgid");
  }
  if (user != nullptr && syscall(SYS_setresuid, *user, *user, *user) != 0)
    return Fail(child, "setresuid");
  return true;
}

// Everything but what is placed afterwards is closed when the program starts.
RINGWAY_IN_CHILD bool CloseAllAtExec(Child& child) {
  constexpr unsigned kCloseAtExec = 1u << 2;  // CLOSE_RANGE_CLOEXEC
  if (syscall(SYS_close_range, 0u, ~0u, kCloseAtExec) == 0) return true;
  // Before Linux 5.11.
  rlimit limit = {};
  if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit) != 0)
    return Fail(child, "prlimit");
  for (rlim_t fd = 0; fd < limit.rlim_cur && fd < INT_MAX; ++fd)
    syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
  return true;
}

RINGWAY_IN_CHILD bool PlaceFds(Child& child) {
  if (!CloseAllAtExec(child)) return false;
  // Copies first, because one's number may be another's place.
  for (size_t i = 0; i < child.n_fds; ++i) {
    Child::Fd& fd = child.fds[i];
    fd.copy = static_cast<int>(
        syscall(SYS_fcntl, fd.here, F_DUPFD_CLOEXEC, child.first_free_fd));
    if (fd.copy < 0 && !(fd.optional && errno == EBADF))
      return Fail(child, "fcntl(F_DUPFD)");
  }
  for (size_t i = 0; i < child.n_fds; ++i) {
    const Child::Fd& fd = child.fds[i];
    if (fd.copy >= 0 && syscall(SYS_dup3, fd.copy, fd.there, 0) < 0)
      return Fail(child, "dup3");
  }
  return true;
}

// As execvp(3): goes on after what is not there or may not be run.
RINGWAY_IN_CHILD bool Execute(Child& child) {
  bool forbidden = false;
  for (const char* const* file = child.candidates; *file != nullptr; ++file) {
    syscall(SYS_execve, *file, child.arguments, child.environment);
    if (errno == EACCES) forbidden = true;
    if (errno != EACCES && errno != ENOENT && errno != ENOTDIR)
      return Fail(child, "execve");
  }
  if (forbidden) errno = EACCES;
  return Fail(child, "execve");
}

// That of a pool's thread is not meant for the program.
RINGWAY_IN_CHILD void LeaveSchedulingClass(const Child& child) {
  const sched_param none = {};
  if (child.leaves_class)
    syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &none);
}

RINGWAY_IN_CHILD bool Prepare(Child& child) {
  LeaveSchedulingClass(child);
  if (!EnterGroups(child)) return false;
  if (child.folder != nullptr && syscall(SYS_chdir, child.folder) != 0)
    return Fail(child, "chdir");
  return PlaceFds(child);
}

RINGWAY_IN_CHILD int ChildMain(void* argument) {
  Child& child = *static_cast<Child*>(argument);
  ResetSignals();
  if (Prepare(child)) {
    UnblockSignals();
    Execute(child);
  }
  syscall(SYS_exit_group, 127);
  return 127;
}

// --- In the parent.

class Stack {
 public:
  Stack()
      : memory_(mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {}
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  ~Stack() {
    if (valid()) munmap(memory_, kStackBytes);
  }
  bool valid() const { return memory_ != MAP_FAILED; }
  void* top() const { return static_cast<char*>(memory_) + kStackBytes; }

 private:
  void* const memory_;
};

// No handler may run in the child, in this process's memory.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

absl::Status CheckStrings(const SpawnRequest& request) {
  const auto has_nul = [](const std::string& text) {
    return text.find('\0') != std::string::npos;
  };
  if (request.program.empty() || has_nul(request.program))
    return absl::InvalidArgumentError(
        "a program without a name, or with a NUL byte in it");
  if (std::ranges::any_of(request.arguments, has_nul) ||
      std::ranges::any_of(request.environment, has_nul) ||
      has_nul(request.working_directory))
    return absl::InvalidArgumentError(
        absl::StrCat("a NUL byte in an argument, a variable or the folder of ",
                     request.program));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StdioPair> MakeStdioPair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    return ErrnoToStatus(errno, "make sockets for a program");
  return StdioPair{.child = UniqueFd(fds[0]), .parent = UniqueFd(fds[1])};
}

absl::StatusOr<SpawnedProcess> SpawnProcess(const SpawnRequest& request) {
  if (absl::Status s = CheckStrings(request); !s.ok()) return s;
  const std::vector<std::string> files = CandidatesFor(request);
  const std::vector<const char*> candidates = PointersTo(files);
  const std::vector<const char*> arguments = PointersTo(request.arguments);
  const std::vector<const char*> environment = PointersTo(request.environment);
  std::vector<Child::Fd> fds;
  int first_free_fd = 3;
  for (const SpawnRequest::Fd& fd : request.fds) {
    fds.push_back({.there = fd.there,
                   .here = fd.here,
                   .optional = fd.optional,
                   .copy = -1});
    first_free_fd = std::max(first_free_fd, fd.there + 1);
  }
  const std::string& folder = request.working_directory;
  Child child = {
      .request = request,
      .candidates = candidates.data(),
      .arguments = arguments.data(),
      .environment = environment.data(),
      .folder = folder.empty() ? nullptr : folder.c_str(),
      .user = request.user.has_value() ? &*request.user : nullptr,
      .group = request.group.has_value() ? &*request.group : nullptr,
      // Unless the whole process is of that class.
      .leaves_class = sched_getscheduler(0) == SCHED_BATCH &&
                      sched_getscheduler(getpid()) == SCHED_OTHER,
      .fds = fds.data(),
      .n_fds = fds.size(),
      .first_free_fd = first_free_fd,
  };
  const Stack stack;
  if (!stack.valid()) return ErrnoToStatus(ENOMEM, "the stack of a child");
  int pidfd = -1;
  pid_t pid;
  int clone_error;
  {
    const AllSignalsBlocked blocked;
    // The child runs on this process's memory until it executes the program;
    // this thread waits.
    pid =
        __clone(&ChildMain, stack.top(),
                CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &child, &pidfd);
    clone_error = errno;
  }
  if (pid < 0) {
    return ErrnoToStatus(clone_error,
                         absl::StrCat("clone a child for ", request.program));
  }
  SpawnedProcess spawned;
  spawned.pid = pid;
  spawned.pidfd = UniqueFd(pidfd);
  if (child.failed_step == nullptr) return spawned;
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return ErrnoToStatus(
      child.error, absl::StrCat(child.failed_step, " for ", request.program));
}

}  // namespace ringway
