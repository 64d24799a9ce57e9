// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/spawner/reaper.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "ringway/core/containers/mpsc_queue.h"
#include "ringway/core/process_wide.h"
#include "ringway/pools/spawner/spawner_stats.h"

namespace ringway::internal {
namespace {

// True if the process has ended, or is no child of this process.
bool TryToReap(const UniqueFd& pidfd) {
  siginfo_t info = {};
  const int rc =
      waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG);
  const bool ended = rc != 0 ? errno != EINTR : info.si_pid != 0;
  if (ended) ++process_counters.ended;
  return ended;
}

// Nobody who adds a process waits for the thread.
class Reaper {
 public:
  Reaper() : doorbell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  void Add(UniqueFd pidfd) {
    added_.Push(*new Added(std::move(pidfd)));
    if (!runs_.exchange(true)) Start();
    eventfd_write(doorbell_.get(), 1);
  }

 private:
  struct Added : MpscNode {
    explicit Added(UniqueFd p) : pidfd(std::move(p)) {}
    UniqueFd pidfd;
  };

  // Without a thread what was added stays for the next call.
  void Start() {
    try {
      std::thread(&Reaper::ThreadMain, this).detach();
    } catch (const std::system_error&) {
      runs_ = false;
    }
  }

  void ThreadMain() {
    pthread_setname_np(pthread_self(), "reaper");
    while (TakeAdded()) {
      std::vector<pollfd> polled = {{doorbell_.get(), POLLIN, 0}};
      for (const UniqueFd& pidfd : waiting_)
        polled.push_back({pidfd.get(), POLLIN, 0});
      poll(polled.data(), polled.size(), /*timeout=*/-1);
      eventfd_t n;
      eventfd_read(doorbell_.get(), &n);
      process_counters.unattended -= std::erase_if(waiting_, &TryToReap);
    }
  }

  // False if there is nothing to wait for; the thread then ends.
  bool TakeAdded() {
    do {
      MpscBatch<Added> batch = added_.TakeAll();
      while (Added* added = batch.PopFront()) {
        waiting_.push_back(std::move(added->pidfd));
        delete added;
      }
      if (!waiting_.empty()) return true;
      runs_ = false;
      // Whoever added one since then has started another thread, or has not
      // seen that this one ends.
    } while (!added_.empty() && !runs_.exchange(true));
    return false;
  }

  const UniqueFd doorbell_;
  MpscQueue<Added> added_;
  std::atomic<bool> runs_{false};
  std::vector<UniqueFd> waiting_;  // the thread's
};

}  // namespace

void Reap(UniqueFd pidfd) {
  if (!pidfd.valid() || TryToReap(pidfd)) return;
  ++process_counters.unattended;
  static ProcessWide<Reaper> reaper;
  reaper.Get([] { return std::make_unique<Reaper>(); }).Add(std::move(pidfd));
}

}  // namespace ringway::internal
