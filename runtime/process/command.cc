// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/process/command.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/task/executor.h"
#include "ringway/pools/blocking/run_blocking.h"
#include "ringway/pools/spawner/spawn_process.h"
#include "ringway/pools/spawner/spawner_pool.h"
#include "ringway/pools/spawner/spawner_stats.h"

namespace ringway {
namespace {

std::vector<std::string> OwnEnvironment() {
  std::vector<std::string> variables;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each)
    variables.emplace_back(*each);
  return variables;
}

bool IsVariable(std::string_view variable, std::string_view name) {
  return variable.size() > name.size() && variable.starts_with(name) &&
         variable[name.size()] == '=';
}

// Appends all that comes to `all`, while `left` bytes allow it.
Task<absl::Status> ReadAll(net::TcpStream& stream, size_t& left,
                           std::string& all) {
  std::array<std::byte, 16 * 1024> buffer;
  while (true) {
    const absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return absl::OkStatus();
    if (*n > left) {
      co_return absl::ResourceExhaustedError(
          "the program writes more than the limit of Output()");
    }
    left -= *n;
    all.append(reinterpret_cast<const char*>(buffer.data()), *n);
  }
}

}  // namespace

Stdio Stdio::File(std::string path, bool append) {
  Stdio stdio(Kind::kFile);
  stdio.path_ = std::move(path);
  stdio.append_ = append;
  return stdio;
}

Stdio Stdio::Fd(UniqueFd fd) {
  Stdio stdio(Kind::kFd);
  stdio.fd_ = std::make_shared<UniqueFd>(std::move(fd));
  return stdio;
}

struct Command::Spec {
  struct Extra {
    int there;
    std::shared_ptr<UniqueFd> here;
  };
  struct Change {
    std::string name;
    std::optional<std::string> value;  // none: it is removed
  };

  SpawnRequest request;  // without fds and environment
  bool clear_environment = false;
  std::vector<Change> environment;
  std::array<Stdio, 3> stdio = {Stdio::Inherit(), Stdio::Inherit(),
                                Stdio::Inherit()};
  std::vector<Extra> extra;
  bool kill_on_drop = true;

  std::vector<std::string> Environment() const;
};

std::vector<std::string> Command::Spec::Environment() const {
  std::vector<std::string> variables;
  if (!clear_environment) variables = OwnEnvironment();
  for (const Change& change : environment) {
    std::erase_if(variables, [&](const std::string& variable) {
      return IsVariable(variable, change.name);
    });
    if (change.value.has_value())
      variables.push_back(absl::StrCat(change.name, "=", *change.value));
  }
  return variables;
}

Command::Command(std::string_view program) : spec_(std::make_shared<Spec>()) {
  spec_->request.program = program;
  spec_->request.arguments.emplace_back(program);
}

Command::~Command() = default;

Command::Spec& Command::spec() {
  if (spec_.use_count() > 1) spec_ = std::make_shared<Spec>(*spec_);
  return *spec_;
}

Command& Command::Arg(std::string_view argument) {
  spec().request.arguments.emplace_back(argument);
  return *this;
}

Command& Command::Env(std::string_view name, std::string_view value) {
  spec().environment.push_back({std::string(name), std::string(value)});
  return *this;
}

Command& Command::RemoveEnv(std::string_view name) {
  spec().environment.push_back({std::string(name), std::nullopt});
  return *this;
}

Command& Command::ClearEnv() {
  spec().clear_environment = true;
  spec().environment.clear();
  return *this;
}

Command& Command::WorkingDirectory(std::string_view folder) {
  spec().request.working_directory = folder;
  return *this;
}

Command& Command::Stdin(Stdio stdio) {
  RINGWAY_CHECK(stdio.kind_ != Stdio::Kind::kStdout,
                "Stdio::Stdout() is for stderr only");
  spec().stdio[0] = std::move(stdio);
  return *this;
}

Command& Command::Stdout(Stdio stdio) {
  RINGWAY_CHECK(stdio.kind_ != Stdio::Kind::kStdout,
                "Stdio::Stdout() is for stderr only");
  spec().stdio[1] = std::move(stdio);
  return *this;
}

Command& Command::Stderr(Stdio stdio) {
  spec().stdio[2] = std::move(stdio);
  return *this;
}

Command& Command::ExtraFd(int there, UniqueFd here) {
  RINGWAY_CHECK(there >= 3, "fd %d of a child is no extra one", there);
  spec().extra.push_back({there, std::make_shared<UniqueFd>(std::move(here))});
  return *this;
}

Command& Command::NewGroup() {
  spec().request.new_group = true;
  return *this;
}

Command& Command::NewSession() {
  spec().request.new_session = true;
  return *this;
}

Command& Command::User(uid_t user) {
  spec().request.user = user;
  return *this;
}

Command& Command::Group(gid_t group) {
  spec().request.group = group;
  return *this;
}

Command& Command::KillOnDrop(bool kill) {
  spec().kill_on_drop = kill;
  return *this;
}

// --- Starting

namespace {

// What the child has as one of its first three fds, and this process's end.
struct Ends {
  int child = -1;
  UniqueFd owned;  // `child`, if it is closed once the child has it
  UniqueFd parent;
};

absl::Status OpenFile(const std::string& path, bool read, bool append,
                      Ends& ends) {
  const int mode =
      read ? O_RDONLY : O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC);
  ends.owned = UniqueFd(open(path.c_str(), mode | O_CLOEXEC, 0666));
  ends.child = ends.owned.get();
  if (ends.owned.valid()) return absl::OkStatus();
  return ErrnoToStatus(errno, absl::StrCat("open ", path));
}

absl::Status MakePair(Ends& ends) {
  absl::StatusOr<StdioPair> pair = MakeStdioPair();
  if (!pair.ok()) return pair.status();
  ends.owned = std::move(pair->child);
  ends.parent = std::move(pair->parent);
  ends.child = ends.owned.get();
  return absl::OkStatus();
}

}  // namespace

struct Command::Started {
  SpawnedProcess process;
  std::array<UniqueFd, 3> ends;  // of what is Stdio::Pipe()
};

// On a thread of the pool: opens files.
absl::StatusOr<Command::Started> Command::StartNow(const Spec& spec) {
  std::array<Ends, 3> ends;
  for (size_t i = 0; i < ends.size(); ++i) {
    const Stdio& stdio = spec.stdio[i];
    absl::Status opened;
    switch (stdio.kind_) {
      case Stdio::Kind::kInherit:
        ends[i].child = static_cast<int>(i);
        break;
      case Stdio::Kind::kNull:
        opened = OpenFile("/dev/null", i == 0, /*append=*/true, ends[i]);
        break;
      case Stdio::Kind::kFile:
        opened = OpenFile(stdio.path_, i == 0, stdio.append_, ends[i]);
        break;
      case Stdio::Kind::kPipe:
        opened = MakePair(ends[i]);
        break;
      case Stdio::Kind::kFd:
        ends[i].child = stdio.fd_->get();
        break;
      case Stdio::Kind::kStdout:
        ends[i].child = ends[1].child;
        break;
    }
    if (!opened.ok()) return opened;
  }
  SpawnRequest request = spec.request;
  request.environment = spec.Environment();
  for (size_t i = 0; i < ends.size(); ++i) {
    // One that this process itself does not have, the child has not either.
    request.fds.push_back(
        {.there = static_cast<int>(i),
         .here = ends[i].child,
         .optional = spec.stdio[i].kind_ == Stdio::Kind::kInherit});
  }
  for (const Spec::Extra& extra : spec.extra)
    request.fds.push_back({.there = extra.there, .here = extra.here->get()});
  absl::StatusOr<SpawnedProcess> process = SpawnProcess(request);
  if (!process.ok()) return process.status();
  Started started;
  started.process = *std::move(process);
  for (size_t i = 0; i < ends.size(); ++i)
    started.ends[i] = std::move(ends[i].parent);
  return started;
}

Task<absl::StatusOr<RunningCommand>> Command::StartAs(
    std::shared_ptr<const Spec> spec) {
  // Handed over in a Process, so that one whose caller has left is ended too.
  struct Handed {
    Process process;
    std::array<UniqueFd, 3> ends;
  };
  // A local: g++ 12 destroys a temporary with captures twice, in a co_await.
  auto start = [spec]() -> absl::StatusOr<Handed> {
    absl::StatusOr<Started> started = StartNow(*spec);
    if (!started.ok()) {
      ++internal::process_counters.failed;
      return started.status();
    }
    return Handed{Process(std::move(started->process), spec->kill_on_drop),
                  std::move(started->ends)};
  };
  absl::StatusOr<Handed> handed =
      co_await RunBlockingOn(SpawnerPool(), std::move(start));
  if (!handed.ok()) co_return handed.status();
  RunningCommand running(std::move(handed->process));
  const std::array<std::optional<net::TcpStream>*, 3> streams = {
      &running.in, &running.out, &running.err};
  for (size_t i = 0; i < streams.size(); ++i) {
    if (handed->ends[i].valid())
      *streams[i] =
          net::TcpStream::Adopt(CurrentLoop(), std::move(handed->ends[i]));
  }
  co_return running;
}

Task<absl::StatusOr<ExitStatus>> Command::RunAs(
    std::shared_ptr<const Spec> spec) {
  Task<absl::StatusOr<RunningCommand>> start = StartAs(std::move(spec));
  absl::StatusOr<RunningCommand> running = co_await std::move(start);
  if (!running.ok()) co_return running.status();
  Task<absl::StatusOr<ExitStatus>> end = running->process.Wait();
  co_return co_await std::move(end);
}

Task<absl::StatusOr<CommandOutput>> Command::OutputOf(
    std::shared_ptr<const Spec> spec, size_t limit_bytes) {
  auto piped = std::make_shared<Spec>(*spec);
  piped->stdio = {Stdio::Null(), Stdio::Pipe(), Stdio::Pipe()};
  Task<absl::StatusOr<RunningCommand>> start = StartAs(std::move(piped));
  absl::StatusOr<RunningCommand> running = co_await std::move(start);
  if (!running.ok()) co_return running.status();
  CommandOutput output;
  size_t left = limit_bytes;
  TaskScope reads;
  reads.Spawn(ReadAll(*running->out, left, output.out)).Detach();
  reads.Spawn(ReadAll(*running->err, left, output.err)).Detach();
  Task<absl::Status> join = reads.Join();
  if (absl::Status s = co_await std::move(join); !s.ok()) {
    // Whatever KillOnDrop() says: nobody reads what it writes.
    static_cast<void>(running->process.Signal(SIGKILL));
    co_return s;
  }
  Task<absl::StatusOr<ExitStatus>> end = running->process.Wait();
  const absl::StatusOr<ExitStatus> status = co_await std::move(end);
  if (!status.ok()) co_return status.status();
  output.status = *status;
  co_return output;
}

Task<absl::StatusOr<RunningCommand>> Command::Start() const {
  return StartAs(spec_);
}

Task<absl::StatusOr<ExitStatus>> Command::Run() const { return RunAs(spec_); }

Task<absl::StatusOr<CommandOutput>> Command::Output(size_t limit_bytes) const {
  return OutputOf(spec_, limit_bytes);
}

}  // namespace ringway
