// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/world.h"

#include "absl/strings/str_cat.h"
#include "ringway/backends/sim/process.h"
#include "ringway/backends/sim/sim_backend.h"
#include "ringway/core/check.h"

namespace ringway::sim {

World::World(uint64_t seed) : environment_(seed) {}

World::~World() {
  RINGWAY_CHECK(backends_.empty(), "a backend outlives its simulated world");
  script_.Finish();
  CloseEverything("the world's end");
}

void World::Crash(uint64_t seed) {
  RINGWAY_CHECK(backends_.empty(), "a backend outlives a power failure");
  CloseEverything("a power failure");
  files_.Crash(seed);
}

void World::CloseEverything(std::string_view by) {
  environment_.events.Clear();
  fds_.Clear(by);
  environment_.Settle();
  environment_.events.Clear();
}

std::unique_ptr<SimBackend> World::MakeBackend(const BackendOptions& options,
                                               uint32_t host) {
  return std::make_unique<SimBackend>(*this, next_backend_++, options, host);
}

int World::SpawnProcess(absl::Duration exits_after, int status) {
  auto process = std::make_shared<Process>(environment_, next_pid_++, status);
  const int fd = fds_.Open(process, "spawn");
  environment_.After(exits_after, [process] { process->End(); });
  return fd;
}

std::string World::DescribeWaits() const {
  std::string text;
  for (SimBackend* backend : backends_) {
    absl::StrAppend(&text, backend->DescribeWaits());
  }
  return text;
}

}  // namespace ringway::sim
