// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_model/world.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/executor/remote/spawn_on.h"
#include "ringway/executor/task/sleep.h"

namespace ringway::net::model {
namespace {

std::string_view TransportName(Transport transport) {
  switch (transport) {
    case Transport::kTcp4:
      return "tcp4";
    case Transport::kTcp6:
      return "tcp6";
    case Transport::kUnix:
      return "unix";
    case Transport::kAdopted:
      return "adopted";
  }
  return "?";
}

bool IsTcp(Transport transport) {
  return transport == Transport::kTcp4 || transport == Transport::kTcp6;
}

std::string NameOf(const Plan& plan, size_t index, size_t sender) {
  const PairPlan& pair = plan.pairs[index];
  return absl::StrCat("pair ", index, " (", TransportName(pair.transport),
                      pair.small_send_buffer ? ", small buffers" : "",
                      "), from side ", sender, " on worker ",
                      pair.workers[sender], " to worker ",
                      pair.workers[1 - sender]);
}

Direction MakeDirection(Ledger& ledger, const Plan& plan, size_t index,
                        size_t sender) {
  return Direction(ledger, NameOf(plan, index, sender),
                   Mix(plan.seed ^ Mix(index * 2 + sender)),
                   IsTcp(plan.pairs[index].transport));
}

uint64_t AnswerTo(uint64_t question) { return question * 3 + 1; }

Task<uint64_t> AnswerLater(uint64_t question) {
  (co_await Sleep(absl::ZeroDuration())).IgnoreError();
  co_return AnswerTo(question);
}

}  // namespace

Pair::Pair(Ledger& ledger, const Plan& plan, size_t index)
    : directions{MakeDirection(ledger, plan, index, 0),
                 MakeDirection(ledger, plan, index, 1)} {}

World::World(const Plan& p)
    : plan(p),
      workers(p.workers),
      told(p.pairs.size() * 4),
      heard(p.pairs.size() * 4) {
  for (size_t i = 0; i < p.pairs.size(); ++i) {
    pairs.push_back(std::make_unique<Pair>(ledger, p, i));
  }
}

std::string World::Describe() const {
  std::string text = absl::StrCat(plan.Describe(), "\n");
  for (const std::unique_ptr<Pair>& pair : pairs) {
    for (const Direction& direction : pair->directions) {
      absl::StrAppend(&text, "  ", direction.Describe(), "\n");
    }
  }
  return text;
}

void World::CheckOutcome() {
  if (failed_to_start || cut_short()) return;
  for (const std::unique_ptr<Pair>& pair : pairs) {
    pair->directions[0].CheckOutcome(pair->directions[1]);
    pair->directions[1].CheckOutcome(pair->directions[0]);
  }
  for (size_t i = 0; i < told.size(); ++i) {
    if (told[i] != heard[i])
      Fail(absl::StrCat(told[i].load(), " notes of teller ", i,
                        " were sent and ", heard[i].load(), " heard"));
  }
}

End::End(Local& local, size_t pair, size_t side, TcpStream stream)
    : local_(local),
      pair_(pair),
      side_(side),
      plan_(local.world.plan.pairs[pair].ends[side]),
      out_(local.world.pairs[pair]->directions[side]),
      in_(local.world.pairs[pair]->directions[1 - side]),
      random_(plan_.seed),
      stream_(std::move(stream)) {}

bool End::MayLeave(Role role) const {
  if (plan_.leave == Leave::kNever || gone() || pinned_) return false;
  if (plan_.leave_by_reader != (role == Role::kReader)) return false;
  const uint64_t at = role == Role::kReader ? in_.received() : out_.offered();
  return at >= plan_.leave_at;
}

Task<void> End::LeaveNow(Leave how) {
  out_.WillEnd(how == Leave::kReset ? kReset : kClosed);
  in_.WillLeave();
  if (how == Leave::kReset) {
    stream_.Reset();
  } else if (how == Leave::kClose) {
    const absl::Status closed = co_await stream_.Close();
    if (!closed.ok() && !WasCut(closed))
      Fail(absl::StrCat("a close failed: ", closed.ToString()));
  } else {
    stream_ = TcpStream();
  }
}

bool End::WasCut(const absl::Status& status) const {
  return IsStopped(status) && (gone() || local_.world.cut_short());
}

void End::Fail(std::string_view what) {
  local_.world.Fail(
      absl::StrCat(what, "\n    ", out_.Describe(), "\n    ", in_.Describe()));
}

Task<void> End::Tell(Role role) {
  World& world = local_.world;
  const size_t teller = world.TellerOf(pair_, side_, role);
  SharedSender<Note>& to =
      local_.to_others[(local_.index + 1) % world.workers.size()];
  const absl::Status sent =
      co_await to.Send(Note{teller, ++world.told[teller]});
  ++world.ledger.progress;
  if (!sent.ok() && !world.cut_short())
    Fail(absl::StrCat("a note was refused: ", sent.ToString()));
}

Task<void> End::Ask(uint64_t question) {
  World& world = local_.world;
  const ExecutorHandle& other =
      world.workers[(local_.index + 1) % world.workers.size()].handle;
  const bool later = question % 2 == 0;
  auto asked = later
                   ? SpawnOn(other, &AnswerLater, question)
                   : SpawnOn(other, [question] { return AnswerTo(question); });
  const absl::StatusOr<uint64_t> answer = co_await asked;
  ++world.ledger.progress;
  if (world.cut_short()) co_return;
  if (!answer.ok()) {
    Fail(absl::StrCat("no answer: ", answer.status().ToString()));
  } else if (*answer != AnswerTo(question)) {
    Fail("a wrong answer");
  }
}

}  // namespace ringway::net::model
