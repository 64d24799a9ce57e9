// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_model/round.h"

#include <barrier>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/net/stream_model/watchdog.h"
#include "ringway/net/stream_model/worker.h"
#include "ringway/net/stream_model/world.h"

namespace ringway::net::model {
namespace {

constexpr size_t kNotesUnderWay = 8;

std::vector<Mailboxes> MakeMailboxes(size_t n_workers) {
  std::vector<SharedSender<Note>> to;
  std::vector<Mailboxes> mailboxes;
  for (size_t i = 0; i < n_workers; ++i) {
    auto channel = MakeSharedChannel<Note>(kNotesUnderWay);
    to.push_back(std::move(channel.sender));
    mailboxes.push_back(Mailboxes{std::move(channel.receiver), {}});
  }
  for (Mailboxes& mailbox : mailboxes) mailbox.out = to;
  return mailboxes;
}

void MakeSocketPairs(World& world) {
  for (size_t i = 0; i < world.pairs.size(); ++i) {
    if (world.plan.pairs[i].transport != Transport::kAdopted) continue;
    ringway::testing::FdPair pair = ringway::testing::MakeSocketPair();
    world.pairs[i]->adopted[0] = std::move(pair.first);
    world.pairs[i]->adopted[1] = std::move(pair.second);
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

void CheckOutcome(World& world) {
  if (world.failed_to_start || world.cut_short()) return;
  for (const std::unique_ptr<Pair>& pair : world.pairs) {
    pair->directions[0].CheckOutcome(pair->directions[1]);
    pair->directions[1].CheckOutcome(pair->directions[0]);
  }
  for (size_t i = 0; i < world.told.size(); ++i) {
    if (world.told[i] != world.heard[i])
      world.Fail(absl::StrCat(world.told[i].load(), " notes of teller ", i,
                              " were sent and ", world.heard[i].load(),
                              " heard"));
  }
}

}  // namespace

std::vector<std::string> RunRound(const Plan& plan, absl::Duration patience) {
  const size_t fds_before = ringway::testing::CountOpenFds();
  World world(plan);
  {
    const Watchdog watchdog(world, patience);
    MakeSocketPairs(world);
    RunWorkers(world);
  }
  CheckOutcome(world);
  for (std::unique_ptr<Pair>& pair : world.pairs) {
    for (UniqueFd& fd : pair->adopted) fd.Reset();
  }
  const size_t fds_after = ringway::testing::CountOpenFds();
  if (fds_after != fds_before)
    world.Fail(absl::StrCat(fds_before, " fds before, ", fds_after, " after"));
  return world.ledger.failures.Taken();
}

}  // namespace ringway::net::model
