// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_model/round.h"

#include <sys/socket.h>

#include <barrier>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/check.h"
#include "ringway/net/stream_model/watchdog.h"
#include "ringway/net/stream_model/worker.h"
#include "ringway/net/stream_model/world.h"

namespace ringway::net::model {
namespace {

void MakeSocketPairs(World& world) {
  for (size_t i = 0; i < world.pairs.size(); ++i) {
    if (world.plan.pairs[i].transport != Transport::kAdopted) continue;
    SocketCalls& sockets = ringway::testing::KernelSockets();
    int fds[2];
    const int error = sockets.Pair(SOCK_STREAM, fds);
    RINGWAY_CHECK(error == 0, "socketpair: errno %d", -error);
    for (size_t side = 0; side < 2; ++side)
      world.pairs[i]->adopted[side] = SocketFd(sockets, fds[side]);
  }
}

void RunWorkers(World& world) {
  std::vector<Mailboxes> mailboxes = MakeMailboxes(world.workers.size());
  std::barrier<> step(static_cast<std::ptrdiff_t>(world.workers.size()));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < world.workers.size(); ++i) {
    threads.emplace_back([&, i, mailbox = std::move(mailboxes[i])]() mutable {
      RunWorker(world, i, std::move(mailbox), step);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

RoundResult RunRound(const Plan& plan, absl::Duration patience) {
  const size_t fds_before = ringway::testing::CountOpenFds();
  World world(plan);
  {
    const Watchdog watchdog(world, patience);
    MakeSocketPairs(world);
    RunWorkers(world);
  }
  world.CheckOutcome();
  for (std::unique_ptr<Pair>& pair : world.pairs) {
    for (SocketFd& fd : pair->adopted) fd.Close();
  }
  const size_t fds_after = ringway::testing::CountOpenFds();
  if (fds_after != fds_before)
    world.Fail(absl::StrCat(fds_before, " fds before, ", fds_after, " after"));
  return world.ledger.Result();
}

}  // namespace ringway::net::model
