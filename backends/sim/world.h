// SPDX-License-Identifier: Apache-2.0
//
// World: a simulated environment with one seed, one clock, one network and
// one file store, and any number of backends in it, all on one thread.
//
// The same seed and program give the same run, down to the trace's hash, with
// every compiler and in every build.
//
//   sim::World world(/*seed=*/7);
//   world.environment().faults = sim::Faults::All();
//   Loop loop(world.MakeBackend());
//   ...
//   EXPECT_EQ(world.leaks(), "");
//   EXPECT_THAT(world.errors(), IsEmpty());

#ifndef RINGWAY_BACKENDS_SIM_WORLD_H_
#define RINGWAY_BACKENDS_SIM_WORLD_H_

#include <netinet/in.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/sim/environment/environment.h"
#include "ringway/backends/sim/fd_table.h"
#include "ringway/backends/sim/files/file_store.h"
#include "ringway/backends/sim/kernel.h"
#include "ringway/backends/sim/network/network.h"
#include "ringway/backends/sim/request.h"
#include "ringway/backends/sim/script.h"
#include "ringway/core/containers/slab.h"

namespace ringway::sim {

class SimBackend;

class World {
 public:
  explicit World(uint64_t seed = 1);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  // Its backends must have been destroyed.
  ~World();

  // Makes a backend for the calling thread, on the machine with the address
  // `host` (in host byte order).
  std::unique_ptr<SimBackend> MakeBackend(
      const BackendOptions& options = BackendOptions(),
      uint32_t host = INADDR_LOOPBACK);

  // Time, randomness, faults, the trace.
  Environment& environment() { return environment_; }
  Network& network() { return network_; }
  FileStore& files() { return files_; }
  FdTable& fds() { return fds_; }
  Script& script() { return script_; }

  // Simulates a power failure of all machines: no fd is open any more, and of
  // what the disk had not made durable a part is left, which `seed` determines
  // (file_store.h). Backends that are made afterwards find that disk.
  //
  // Its backends must have been destroyed.
  void Crash(uint64_t seed);

  // Starts a child process that exits with `status` after `exits_after`.
  // Returns its pidfd, or -EMFILE.
  int SpawnProcess(absl::Duration exits_after, int status);

  // The open fds and how they were opened; empty if there are none.
  std::string leaks() const { return fds_.DescribeAll(); }
  // Mistakes of the program: closing an fd twice, changing the memory of a
  // zero-copy send, ...
  const std::vector<std::string>& errors() const { return environment_.errors; }

  // The waits of all operations in flight, one a line.
  std::string DescribeWaits() const;

 private:
  friend class Scheduler;
  friend class SimBackend;

  void CloseEverything(std::string_view by);

  Environment environment_;
  FileStore files_{environment_};
  Network network_{environment_, files_};
  FdTable fds_{environment_};
  Kernel kernel_{environment_, fds_, files_, network_};
  Script script_;
  Slab<Request> requests_{1u << 24};
  std::vector<SimBackend*> backends_;
  uint32_t next_backend_ = 1;
  int next_pid_ = 1'000;
  bool driven_ = false;  // a Scheduler advances the clock, backends do not
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_WORLD_H_
