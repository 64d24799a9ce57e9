// SPDX-License-Identifier: Apache-2.0
//
// Command: a program to run in a process of its own.
//
//   absl::StatusOr<CommandOutput> head =
//       co_await ringway::Command("git").Args("rev-parse", "HEAD").Output();

#ifndef RINGWAY_RUNTIME_PROCESS_COMMAND_H_
#define RINGWAY_RUNTIME_PROCESS_COMMAND_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/pools/spawner/exit_status.h"
#include "ringway/pools/spawner/process.h"

namespace ringway {

// What one of a child's first three fds is.
class Stdio {
 public:
  // This process's.
  static Stdio Inherit() { return Stdio(Kind::kInherit); }
  // /dev/null.
  static Stdio Null() { return Stdio(Kind::kNull); }
  // One end of a pair of connected Unix sockets, of which RunningCommand has
  // the other.
  static Stdio Pipe() { return Stdio(Kind::kPipe); }
  // The file `path`: to read from for stdin; for the others it is written anew,
  // or added to.
  static Stdio File(std::string path, bool append = false);
  // This fd; the last copy of the Stdio closes it here.
  static Stdio Fd(UniqueFd fd);
  // For stderr: the same as stdout.
  static Stdio Stdout() { return Stdio(Kind::kStdout); }

 private:
  friend class Command;
  enum class Kind : uint8_t { kInherit, kNull, kPipe, kFile, kFd, kStdout };
  explicit Stdio(Kind kind) : kind_(kind) {}

  Kind kind_;
  std::string path_;              // kFile
  bool append_ = false;           // kFile
  std::shared_ptr<UniqueFd> fd_;  // kFd
};

// A program that was started. The streams are there where Stdio::Pipe() was
// asked for.
struct RunningCommand {
  explicit RunningCommand(Process p) : process(std::move(p)) {}

  Process process;
  std::optional<net::TcpStream> in;   // what is written to it, it reads
  std::optional<net::TcpStream> out;  // what it writes
  std::optional<net::TcpStream> err;
};

struct CommandOutput {
  ExitStatus status = ExitStatus::Exited(0);
  std::string out;
  std::string err;
};

// Threads: one at a time; the tasks are for tasks.
class Command {
 public:
  // The most bytes of Output(), unless it is told another limit.
  static constexpr size_t kOutputBytes = size_t{1} << 20;

  // `program`: a path, or a name that is looked for in the folders of the
  // child's PATH.
  explicit Command(std::string_view program);
  ~Command();

  Command& Arg(std::string_view argument);
  template <typename... Strings>
  Command& Args(const Strings&... arguments) {
    (Arg(arguments), ...);
    return *this;
  }

  // The environment; by default what this process's is when the program is
  // started.
  Command& Env(std::string_view name, std::string_view value);
  Command& RemoveEnv(std::string_view name);
  Command& ClearEnv();

  // The folder that it starts in; the path of the program is relative to it,
  // too.
  Command& WorkingDirectory(std::string_view folder);

  // Inherit() unless said otherwise; Output() has its own.
  Command& Stdin(Stdio stdio);
  Command& Stdout(Stdio stdio);
  Command& Stderr(Stdio stdio);
  // One more fd of the child, `there`, from 3 on. It has no others.
  Command& ExtraFd(int there, UniqueFd here);

  // It leads a process group, or a session, of its own, so that the terminal's
  // signals do not reach it.
  Command& NewGroup();
  Command& NewSession();
  // Whom it runs as. The group becomes the only one of its groups.
  Command& User(uid_t user);
  Command& Group(gid_t group);

  // What happens to the program if its Process is dropped while it runs: it is
  // ended by SIGKILL (the default), or goes on.
  Command& KillOnDrop(bool kill);

  // Starts the program, on a thread of a pool that all workers share.
  //
  // Errors:       those of SpawnProcess() (NotFound: there is no such program),
  //               of opening a file or making sockets, and of RunBlocking().
  // Ownership:    it need not outlive the await, and may be started again; a
  //               Stdio::Fd() or an ExtraFd() is there the first time only.
  // Cancellation: a program that was started meanwhile is ended.
  Task<absl::StatusOr<RunningCommand>> Start() const;

  // Starts it and waits for its end. An exit code is no error.
  //
  // Cancellation: as if its Process was dropped.
  Task<absl::StatusOr<ExitStatus>> Run() const;

  // Starts it without input, and collects what it writes to stdout and stderr,
  // up to `limit_bytes` in sum.
  //
  // Errors:       as Start(); ResourceExhausted beyond the limit. An exit code
  //               is no error.
  // Cancellation: ends the program, as does the limit, whatever KillOnDrop()
  //               says: nobody would read what it writes.
  Task<absl::StatusOr<CommandOutput>> Output(
      size_t limit_bytes = kOutputBytes) const;

 private:
  struct Spec;
  struct Started;

  static absl::StatusOr<Started> StartNow(const Spec& spec);
  static Task<absl::StatusOr<RunningCommand>> StartAs(
      std::shared_ptr<const Spec> spec);
  static Task<absl::StatusOr<ExitStatus>> RunAs(
      std::shared_ptr<const Spec> spec);
  static Task<absl::StatusOr<CommandOutput>> OutputOf(
      std::shared_ptr<const Spec> spec, size_t limit_bytes);
  Spec& spec();

  // Shared with the tasks that were made; copied before a change.
  std::shared_ptr<Spec> spec_;
};

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_PROCESS_COMMAND_H_
