// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_model/watchdog.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

namespace ringway::net::model {
namespace {

// What a worker's tasks wait for, or the thread's state if it does not
// respond.
std::string DumpOf(const World::Worker& worker) {
  auto dump = std::make_shared<std::promise<std::string>>();
  std::future<std::string> dumped = dump->get_future();
  const absl::Status posted =
      worker.handle.Post([dump, executor = worker.executor] {
        const ExecutorStats stats = executor->stats();
        const BackendStats& backend = stats.loop.backend;
        dump->set_value(absl::StrCat(
            executor->DumpTasks(), stats.frames.live, " frames, ",
            backend.in_flight, " operations in flight, ",
            backend.receive_memory.lent, " bytes of buffers lent, ",
            backend.buffer_starved, " starved, ", backend.buffers_copied,
            " copied, ", backend.own_memory, " of own memory"));
      });
  if (!posted.ok()) return absl::StrCat(posted.ToString(), "\n");
  if (dumped.wait_for(std::chrono::seconds(3)) == std::future_status::ready)
    return dumped.get();
  const std::string folder =
      absl::StrCat("/proc/self/task/", worker.thread, "/");
  std::string text = "  does not answer; ";
  for (const char* name : {"wchan", "syscall"}) {
    std::ifstream file(folder + name);
    absl::StrAppend(&text, name, " ",
                    std::string(std::istreambuf_iterator<char>(file), {}),
                    "\n");
  }
  return text;
}

}  // namespace

Watchdog::Watchdog(World& world, absl::Duration patience)
    : world_(world), patience_(patience), thread_([this] { Watch(); }) {}

Watchdog::~Watchdog() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    done_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Watchdog::Watch() {
  std::unique_lock<std::mutex> lock(mutex_);
  uint64_t last = 0;
  const auto patience = absl::ToChronoMilliseconds(patience_);
  while (!wake_.wait_for(lock, patience, [this] { return done_; })) {
    const uint64_t now = world_.ledger.progress;
    if (now == last) Bark();
    last = now;
  }
}

void Watchdog::Bark() {
  std::string text =
      absl::StrCat("no progress for ", absl::FormatDuration(patience_), ": ",
                   world_.Describe());
  for (const std::string& failure : world_.ledger.failures.Taken())
    absl::StrAppend(&text, "  failed before: ", failure, "\n");
  fputs(text.c_str(), stderr);
  for (const World::Worker& worker : world_.workers)
    fprintf(stderr, "worker:\n%s\n", DumpOf(worker).c_str());
  fflush(stderr);
  abort();
}

}  // namespace ringway::net::model
