// SPDX-License-Identifier: Apache-2.0
//
// SpawnProcess: starts a program in a new process. Command (command.h) is what
// programs use.

#ifndef RINGWAY_POOLS_SPAWNER_SPAWN_PROCESS_H_
#define RINGWAY_POOLS_SPAWNER_SPAWN_PROCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/core/unique_fd.h"

namespace ringway {

struct SpawnRequest {
  // A path, or a name that is looked for in the folders of the child's PATH.
  std::string program;
  std::vector<std::string> arguments;    // the first is the program's name
  std::vector<std::string> environment;  // "NAME=value"
  std::string working_directory;         // empty: this process's

  // The only fds that the child has: `here` of this process is its `there`. 0,
  // 1 and 2 should be among them.
  struct Fd {
    int there;
    int here;
    bool optional = false;  // left out if this process does not have it
  };
  std::vector<Fd> fds;

  bool new_session = false;  // setsid(2)
  bool new_group = false;    // it leads a process group of its own
  std::optional<uid_t> user;
  std::optional<gid_t> group;  // also the only one of its groups
};

struct SpawnedProcess {
  pid_t pid = -1;
  UniqueFd pidfd;
};

// Starts it and returns when the program has been started, or could not be. The
// child has default signal dispositions and an empty signal mask. Nothing of
// this process is copied, so its size does not matter; but the calling thread
// waits, for as long as it takes to load the program.
//
// Errors: that of the step that failed, which the message names: NotFound or
//         PermissionDenied for the program, PermissionDenied for a user or a
//         group that it may not become. No process is left then.
// Threads: any.
absl::StatusOr<SpawnedProcess> SpawnProcess(const SpawnRequest& request);

// Two connected Unix sockets, both blocking, as programs expect.
struct StdioPair {
  UniqueFd child;
  UniqueFd parent;
};
absl::StatusOr<StdioPair> MakeStdioPair();

}  // namespace ringway

#endif  // RINGWAY_POOLS_SPAWNER_SPAWN_PROCESS_H_
