// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_model/end.h"

#include "absl/status/statusor.h"
#include "ringway/executor/remote/spawn_on.h"
#include "ringway/executor/task/sleep.h"

namespace ringway::net::model {
namespace {

uint64_t AnswerTo(uint64_t question) { return question * 3 + 1; }

Task<uint64_t> AnswerLater(uint64_t question) {
  (co_await Sleep(absl::ZeroDuration())).IgnoreError();
  co_return AnswerTo(question);
}

}  // namespace

EndState::EndState(Local& local, size_t pair, size_t side)
    : local_(local),
      pair_(pair),
      side_(side),
      plan_(local.world.plan.pairs[pair].ends[side]),
      out_(local.world.pairs[pair]->directions[side]),
      in_(local.world.pairs[pair]->directions[1 - side]),
      random_(plan_.seed) {}

bool EndState::MayLeave(Role role) const {
  if (plan_.leave == Leave::kNever || gone() || pinned_) return false;
  if (plan_.leave_by_reader != (role == Role::kReader)) return false;
  const uint64_t at = role == Role::kReader ? in_.received() : out_.offered();
  return at >= plan_.leave_at;
}

bool EndState::WasCut(const absl::Status& status) const {
  return IsStopped(status) && (gone() || local_.world.cut_short());
}

void EndState::Fail(std::string_view what) {
  local_.world.Fail(
      absl::StrCat(what, "\n    ", out_.Describe(), "\n    ", in_.Describe()));
}

Task<void> EndState::Tell(Role role) {
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

Task<void> EndState::Ask(uint64_t question) {
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
